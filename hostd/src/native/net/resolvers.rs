//! Whom sandboxes ask for names: the host's own resolvers, as far as they can be reached from a namespace.

use std::fs;
use std::net::Ipv4Addr;

/// The most a resolver library reads.
const MOST: usize = 3;

/// Where resolvers are listed: the usual place, and the one behind systemd's resolver on loopback.
const FILES: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

/// The host's resolvers with an IPv4 address beyond loopback. A host that only has one on loopback, and no list of
/// those behind it, has none to give: nothing of a sandbox reaches its loopback.
pub(super) fn of_the_host() -> Vec<Ipv4Addr> {
    let lists = FILES.iter().map(|file| listed(&fs::read_to_string(file).unwrap_or_default()));
    lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default()
}

fn listed(text: &str) -> Vec<Ipv4Addr> {
    let server = |line: &str| line.trim().strip_prefix("nameserver")?.trim().parse::<Ipv4Addr>().ok();
    text.lines().filter_map(server).filter(|address| !address.is_loopback()).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_what_is_no_ipv4_address_is_left_out() {
        let text =
            "# comment\nsearch example\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 198.18.0.53\n";
        assert_eq!(listed(text), [Ipv4Addr::new(198, 18, 0, 53)]);
    }
}

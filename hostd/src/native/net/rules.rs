//! What the firewall is told, as text for `nft`.
//!
//! Two tables. One on the host, for all sandboxes of a driver, made once and never touched as they come and go: nobody
//! is who they are not, nobody reaches the host or a neighbour, everybody leaves under the host's address. It is kept
//! outside, so it holds whatever happens inside. The other in a sandbox's own namespace, only where a policy restricts
//! it: there a set of rules goes with the sandbox by itself and is replaced without a word to anybody else. Root inside
//! cannot undo it, because it has no `CAP_NET_ADMIN` there and cannot have a user namespace of its own.

use std::fmt::Write as _;

use hourglass_events::{Cidr, NetworkPolicy, OrderNumber};

use super::block::{Block, mac};

/// The table in a sandbox's own namespace.
const INSIDE: &str = "hourglass";

/// What the host's table is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Host<'a> {
    /// The table's name.
    pub(super) table: &'a str,
    pub(super) bridge: &'a str,
    pub(super) block: Block,
    pub(super) resolvers: &'a [std::net::Ipv4Addr],
    pub(super) denied: &'a [Cidr],
}

impl Host<'_> {
    /// The whole table, replacing the one that is there in one step.
    pub(super) fn text(&self) -> String {
        let Self { table, bridge, block, resolvers, denied } = *self;
        let (base, prefix) = block.network();
        let members = (0..block.seats()).map(|seat| {
            let address = block.address(seat);
            let [a, b, c, d, e, f] = mac(address);
            format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x} . {address}")
        });
        let members = listed("members", "type ether_addr . ipv4_addr", members);
        let resolvers = listed("resolvers", "type ipv4_addr", resolvers.iter().map(ToString::to_string));
        let denied =
            listed("denied", "type ipv4_addr\nflags interval", denied.iter().map(ToString::to_string));
        format!(
            "table inet {table} {{}}\n\
             delete table inet {table}\n\
             table inet {table} {{\n{members}{resolvers}{denied}\
             chain arriving {{\n\
             type filter hook prerouting priority mangle\n\
             iifname != {bridge:?} return\n\
             meta nfproto ipv6 drop\n\
             ether saddr . ip saddr != @members drop\n\
             fib daddr type local ct state established return\n\
             fib daddr type != unicast drop\n\
             ip daddr {base}/{prefix} drop\n\
             ip daddr @resolvers udp dport 53 return\n\
             ip daddr @resolvers tcp dport 53 return\n\
             ip daddr @denied drop\n\
             }}\n\
             chain staying {{\n\
             type filter hook input priority filter\n\
             iifname {bridge:?} ct state established accept\n\
             iifname {bridge:?} drop\n\
             }}\n\
             chain passing {{\n\
             type filter hook forward priority filter\n\
             iifname {bridge:?} oifname {bridge:?} drop\n\
             oifname {bridge:?} ct state established,related accept\n\
             oifname {bridge:?} drop\n\
             }}\n\
             chain leaving {{\n\
             type nat hook postrouting priority srcnat\n\
             ip saddr {base}/{prefix} oifname != {bridge:?} masquerade\n\
             }}\n\
             }}\n"
        )
    }
}

/// What takes the table away.
pub(super) fn without(table: &str) -> String {
    format!("table inet {table} {{}}\ndelete table inet {table}\n")
}

/// A set, which may be empty.
fn listed(name: &str, kind: &str, those: impl Iterator<Item = String>) -> String {
    let those: Vec<String> = those.collect();
    let mut set = format!("set {name} {{\n{kind}\n");
    if !those.is_empty() {
        let _ = writeln!(set, "elements = {{ {} }}", those.join(",\n"));
    }
    set + "}\n"
}

/// What holds a sandbox to `policy`, replacing what held it before in one step. Says by which order it is so.
///
/// The host's own address on the bridge is left open: it answers nothing but what it has asked itself, which is how
/// previews come in. What is not allowed is answered rather than dropped, also within connections that were allowed
/// before, so that who uses one learns at once that it has ended.
pub(super) fn inside(policy: &NetworkPolicy, number: OrderNumber, gateway: std::net::Ipv4Addr) -> String {
    let mut text = without(INSIDE);
    let allowed = match policy {
        NetworkPolicy::Open => return text,
        NetworkPolicy::Blocked => Vec::new(),
        NetworkPolicy::Only(those) => minimal(those.cidrs()),
    };
    let allowed =
        listed("allowed", "type ipv4_addr\nflags interval", allowed.iter().map(ToString::to_string));
    let _ = write!(
        text,
        "table inet {INSIDE} {{\n{allowed}\
         chain leaving {{\n\
         type filter hook output priority filter\npolicy drop\n\
         oifname \"lo\" accept comment \"order {number}\"\n\
         ip daddr {gateway} accept\n\
         ip daddr @allowed accept\n\
         meta l4proto tcp reject with tcp reset\n\
         reject with icmpx admin-prohibited\n\
         }}\n\
         }}\n"
    );
    text
}

/// The same networks without those that lie within others: `nft` takes no overlaps.
fn minimal(cidrs: &[Cidr]) -> Vec<Cidr> {
    let within = |small: &Cidr, large: &Cidr| {
        large.prefix() <= small.prefix()
            && Block::new(large.address(), large.prefix()).meets((small.address(), small.prefix()))
    };
    let mut kept: Vec<Cidr> = Vec::new();
    for cidr in cidrs {
        if kept.iter().any(|other| within(cidr, other)) {
            continue;
        }
        kept.retain(|other| !within(other, cidr));
        kept.push(*cidr);
    }
    kept
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn networks_within_others_are_left_out() {
        let cidrs = ["10.1.0.0/16", "10.0.0.0/8", "198.18.7.10/32", "10.0.0.0/8", "198.18.7.8/30"];
        let cidrs: Vec<Cidr> = cidrs.iter().map(|text| Cidr::new(text).unwrap()).collect();
        let kept: Vec<String> = minimal(&cidrs).iter().map(ToString::to_string).collect();
        assert_eq!(kept, ["10.0.0.0/8", "198.18.7.8/30"]);
        let all = Cidr::new("0.0.0.0/0").unwrap();
        assert_eq!(minimal(&[cidrs[0], all]), [all]);
    }
}

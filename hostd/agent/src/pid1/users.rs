//! Who is who in the sandbox, read from its own `/etc/passwd` by hand.
//!
//! A static program cannot load the name service's modules, and nothing here needs more than the file.

use std::collections::BTreeMap;
use std::fs;

/// One line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) home: String,
    pub(crate) shell: String,
}

/// The account called `user`, or whose number it is.
pub(crate) fn find(user: &str) -> Option<Account> {
    let passwd = text("/etc/passwd");
    let number = user.parse::<u32>().ok();
    let named = passwd.lines().filter_map(parse).find(|account| account.name == user);
    let numbered = || passwd.lines().filter_map(parse).find(|account| Some(account.uid) == number);
    named.or_else(numbered).or_else(|| number.or((user == "root").then_some(0)).map(nameless))
}

/// The names of all accounts, by number.
pub(crate) fn names() -> BTreeMap<u32, String> {
    let accounts = text("/etc/passwd");
    accounts.lines().rev().filter_map(parse).map(|account| (account.uid, account.name)).collect()
}

/// The names of all groups, by number.
pub(crate) fn groups() -> BTreeMap<u32, String> {
    text("/etc/group").lines().rev().filter_map(parse_group).map(|(name, gid)| (gid, name)).collect()
}

/// The number of the group called `group`, or whose number it is.
pub(crate) fn group(group: &str) -> Option<u32> {
    let named = text("/etc/group").lines().filter_map(parse_group).find(|(name, _)| name == group);
    named.map(|(_, gid)| gid).or_else(|| group.parse().ok())
}

fn text(path: &str) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// Name and number of the group on a line, if it is whole.
fn parse_group(line: &str) -> Option<(String, u32)> {
    let mut fields = line.split(':');
    let (name, _, gid) = (fields.next()?, fields.next()?, fields.next()?);
    Some((name.to_owned(), gid.parse().ok()?))
}

/// An account of which only the number is known.
fn nameless(uid: u32) -> Account {
    let name = if uid == 0 { "root".to_owned() } else { uid.to_string() };
    let home = if uid == 0 { "/root" } else { "/" };
    Account { name, uid, gid: uid, home: home.to_owned(), shell: "/bin/sh".to_owned() }
}

/// The account on a line, if it is whole.
pub(crate) fn parse(line: &str) -> Option<Account> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, _, home, shell] = fields.as_slice() else { return None };
    let shell = if shell.is_empty() { "/bin/sh" } else { shell };
    Some(Account {
        name: (*name).to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        home: (*home).to_owned(),
        shell: shell.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_passwd_is_an_account_or_nothing() {
        let dev = parse("dev:x:1000:1001:Dev,,,:/home/dev:").map(|a| (a.uid, a.gid, a.home, a.shell));
        assert_eq!(dev, Some((1000, 1001, "/home/dev".to_owned(), "/bin/sh".to_owned())));
        for broken in ["", "dev", "dev:x:many:1:::", "a:b:c:d:e:f:g:h"] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }
}

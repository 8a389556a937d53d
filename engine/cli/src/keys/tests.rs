//! What becomes of keys, on a directory of their own.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;

use super::*;

const OTHER: OrganizationId = OrganizationId::from_u128(2);

fn empty() -> (tempfile::TempDir, Keys) {
    let dir = tempfile::tempdir().unwrap();
    let keys = Keys::of(dir.path());
    (dir, keys)
}

fn names(keys: &Keys) -> Vec<String> {
    keys.list().unwrap().into_iter().map(|stored| stored.name).collect()
}

#[test]
fn the_own_key_is_made_once_and_kept_where_only_its_owner_reads() {
    let (_dir, keys) = empty();
    let (first, organization) = keys.settle(None, None).unwrap();
    assert_eq!(organization, ORGANIZATION);
    assert_eq!(keys.settle(None, None).unwrap().0, first);
    assert_eq!(keys.own().unwrap(), Some(first.clone()));
    for path in [keys.path(), keys.own_path()] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    assert!(!fs::read_to_string(keys.path()).unwrap().contains(&first), "hashes alone are listed");
}

#[test]
fn a_given_key_takes_the_place_of_the_own_one() {
    let (_dir, keys) = empty();
    keys.settle(None, Some(OTHER)).unwrap();
    let given = "a-key-that-is-long-enough";
    assert_eq!(keys.settle(Some(given), None).unwrap(), (given.to_owned(), OTHER));
    assert_eq!(keys.settle(None, None).unwrap(), (given.to_owned(), OTHER));
    assert_eq!(names(&keys), [OWN]);
    assert!(keys.settle(Some("short"), None).is_err());
    assert!(keys.settle(Some("long enough but with spaces"), None).is_err());
}

#[test]
fn a_revoked_own_key_does_not_come_back() {
    let (_dir, keys) = empty();
    let (first, _) = keys.settle(None, None).unwrap();
    keys.revoke(OWN).unwrap();
    assert_eq!(keys.own().unwrap(), None);
    assert_ne!(keys.settle(None, None).unwrap().0, first);
}

#[test]
fn keys_have_names_of_their_own() {
    let (_dir, keys) = empty();
    let key = keys.create("ci", OTHER).unwrap();
    let taken = keys.create("ci", ORGANIZATION).unwrap_err().to_string();
    assert!(taken.contains("\"ci\"") && taken.contains(&OTHER.to_string()), "{taken}");
    let same = keys.settle(Some(&key), None).unwrap_err().to_string();
    assert!(same.contains("\"ci\""), "{same}");
    assert!(keys.create("no spaces", OTHER).is_err());
    let unknown = keys.revoke("cd").unwrap_err().to_string();
    assert!(unknown.contains("\"cd\"") && unknown.ends_with("there are: ci"), "{unknown}");
    keys.revoke("ci").unwrap();
    assert!(names(&keys).is_empty());
}

#[test]
fn keys_made_at_the_same_time_are_all_there() {
    let (_dir, keys) = empty();
    let all: Vec<String> = (0..16).map(|number| format!("key-{number:02}")).collect();
    std::thread::scope(|scope| {
        for name in &all {
            scope.spawn(|| keys.create(name, ORGANIZATION).unwrap());
        }
    });
    assert_eq!(names(&keys), all);
}

//! Names and labels, at their bounds.

use std::collections::BTreeMap;

use super::{Labels, Name};
use crate::refusal::Refusal;

fn is_name(text: &str) -> bool {
    Name::new(text).is_ok()
}

#[test]
fn a_name_may_be_written_in_any_script() {
    for text in ["a", "agent-1", "Grüße", "北京 2", "🦀", "a:b", "a//b"] {
        assert!(is_name(text), "{text:?}");
    }
}

#[test]
fn a_name_has_1_to_255_characters() {
    assert!(!is_name(""));
    assert!(is_name(&"ü".repeat(255)));
    assert!(!is_name(&"ü".repeat(256)));
}

#[test]
fn a_name_has_no_tag_scheme_control_character_or_outer_space() {
    for text in ["<b>", "a<", "a>", "http://a", "a\nb", "a\u{7f}", "\0", " a", "a ", "\u{3000}a", "\t"] {
        assert!(!is_name(text), "{text:?}");
    }
}

#[test]
fn a_refused_name_is_quoted_in_part() {
    let Err(Refusal::BadName { found }) = Name::new(&"ü".repeat(1000)) else {
        panic!("1000 characters are a name")
    };
    assert_eq!(found.chars().count(), 80);
}

#[test]
fn a_wrong_name_cannot_be_read_from_bytes_either() {
    let bytes = rmp_serde::to_vec("a\nb").unwrap();
    let error = rmp_serde::from_slice::<Name>(&bytes).unwrap_err().to_string();
    assert!(error.contains("is not a name"), "{error}");
}

fn labels(count: usize, key: &str, value: &str) -> Result<Labels, Refusal> {
    Labels::new((0..count).map(|number| (format!("{key}{number}"), value.to_owned())).collect())
}

#[test]
fn there_are_at_most_64_labels() {
    assert!(labels(0, "", "").is_ok());
    assert!(labels(64, "k", "v").is_ok());
    assert_eq!(labels(65, "k", "v"), Err(Refusal::TooManyLabels { found: 65 }));
}

#[test]
fn a_label_has_a_key_and_at_most_1024_bytes_on_each_side() {
    let label = |key: &str, value: &str| Labels::new(BTreeMap::from([(key.to_owned(), value.to_owned())]));
    assert!(label("k", "").is_ok());
    assert!(label(&"k".repeat(1024), &"v".repeat(1024)).is_ok());
    assert_eq!(label("", "v"), Err(Refusal::BadLabel { key: String::new() }));
    assert_eq!(label(&"k".repeat(1025), "v"), Err(Refusal::BadLabel { key: "k".repeat(80) }));
    assert_eq!(label("k", &"v".repeat(1025)), Err(Refusal::BadLabel { key: "k".to_owned() }));
    // Bytes are counted, not characters.
    assert!(label("k", &"ü".repeat(513)).is_err());
}

#[test]
fn wrong_labels_cannot_be_read_from_bytes_either() {
    let bytes = rmp_serde::to_vec(&BTreeMap::from([("", "v")])).unwrap();
    assert!(rmp_serde::from_slice::<Labels>(&bytes).is_err());
}

#[test]
fn labels_are_found_by_key_and_written_as_a_map() {
    let map = BTreeMap::from(["zone", "team", "env"].map(|key| (key.to_owned(), format!("{key}'s"))));
    let labels = Labels::new(map.clone()).unwrap();
    assert_eq!(
        ["env", "team", "zone", "size"].map(|key| labels.get(key)),
        [Some("env's"), Some("team's"), Some("zone's"), None]
    );
    assert!(labels.iter().map(|(key, _)| key).eq(["env", "team", "zone"]));
    assert_eq!(rmp_serde::to_vec_named(&labels).unwrap(), rmp_serde::to_vec_named(&map).unwrap());
}

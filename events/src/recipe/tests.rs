//! Which recipes an image can be made of, and what their builds are called.

use super::Recipe;

fn reference(text: &str) -> bool {
    Recipe::Reference(text.to_owned()).checked().is_ok()
}

fn dockerfile(text: &str) -> Recipe {
    Recipe::Dockerfile { text: text.to_owned(), context: Vec::new() }
}

#[test]
fn a_reference_names_one_version() {
    for good in ["ubuntu:22.04", "host:5000/team/app:1", "app@sha256:00", "a/b:c"] {
        assert!(reference(good), "{good}");
    }
    for bad in ["", "ubuntu", "ubuntu:latest", "ubuntu:", "host:5000/app", "a b:1", ":1", "a\n:1"] {
        assert!(!reference(bad), "{bad:?}");
    }
}

#[test]
fn a_dockerfile_says_something_and_is_bounded() {
    assert!(dockerfile("FROM a:1\n").checked().is_ok());
    assert!(dockerfile(" \n").checked().is_err());
    assert!(dockerfile(&"x".repeat(Recipe::TEXT_MOST)).checked().is_ok());
    assert!(dockerfile(&"x".repeat(Recipe::TEXT_MOST + 1)).checked().is_err());
}

#[test]
fn the_files_of_a_build_are_bounded() {
    let with = |context: Vec<String>| Recipe::Dockerfile { text: "FROM a:1".to_owned(), context }.checked();
    assert!(with(vec!["d".to_owned(); Recipe::CONTEXT_MOST]).is_ok());
    assert!(with(vec!["d".to_owned(); Recipe::CONTEXT_MOST + 1]).is_err());
    assert!(with(vec![String::new()]).is_err());
}

#[test]
fn equal_recipes_are_built_once() {
    assert_eq!(dockerfile("FROM a:1").image(), dockerfile("FROM a:1").image());
    assert_ne!(dockerfile("FROM a:1").image(), dockerfile("FROM a:2").image());
}

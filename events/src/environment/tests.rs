//! What is a variable, and that values are not shown.

use super::*;

fn values(pairs: &[(&str, &str)]) -> Result<Values, Refusal> {
    Values::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

#[test]
fn values_are_never_printed() {
    let shown = format!("{:?}", values(&[("TOKEN", "hunter2"), ("HOME", "/root")]).unwrap());
    assert_eq!(shown, "{\"HOME\", \"TOKEN\"}");
}

#[test]
fn what_no_program_could_be_given_is_refused() {
    assert!(values(&[("A", ""), ("a.b", "x=y\nz")]).is_ok());
    for (name, value) in [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A\n", "x"), ("A", "\0")] {
        assert!(matches!(values(&[(name, value)]), Err(Refusal::BadVariable { .. })), "{name:?}={value:?}");
    }
    let long = "v".repeat(Values::LONGEST + 1);
    assert!(matches!(values(&[("A", &long)]), Err(Refusal::BadVariable { .. })));
}

#[test]
fn there_are_only_so_many_and_so_much() {
    let many =
        |count: usize| (0..count).map(|at| (format!("V{at}"), String::new())).collect::<BTreeMap<_, _>>();
    assert!(Values::new(many(Environment::MOST)).is_ok());
    assert_eq!(
        Values::new(many(Environment::MOST + 1)),
        Err(Refusal::TooManyVariables { found: Environment::MOST + 1 })
    );
    let large = (0..9).map(|at| (format!("V{at}"), "v".repeat(Values::LONGEST))).collect();
    assert!(matches!(Values::new(large), Err(Refusal::TooMuchEnvironment { .. })));
}

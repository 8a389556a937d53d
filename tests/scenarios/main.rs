//! Hourglass for real: engine, log, host and containers together, as users run them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod cycles;
mod demo;
mod kill;
mod killed_up;
mod sdk;
mod up;
mod verbs;

/// A scenario that is not named above is never compiled, and nobody would notice.
#[test]
fn no_scenario_is_forgotten() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let here = include_str!("main.rs");
    for entry in std::fs::read_dir(dir).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") else { continue };
        assert!(here.contains(&format!("\nmod {module};\n")), "scenarios/{name} is not in scenarios/main.rs");
    }
}

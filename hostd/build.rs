//! Builds the two programs the host worker carries with it: the agent and the launcher, both static.
//!
//! A nested cargo, because they are built for another purpose than this crate: static, small, always optimized. It
//! has one target directory for all profiles of the outer build, so that a debug build, a release build and clippy
//! share the work.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the programs are built with, whatever the outer build was given.
const PROFILE: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "symbols"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "4"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
];

/// What the outer build sets and the inner one must not see: flags, wrappers such as clippy's, targets.
const CLEARED: &[&str] = &[
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CLIPPY_ARGS",
    "CARGO_PRIMARY_PACKAGE",
    "LLVM_PROFILE_FILE",
    "__CARGO_DEFAULT_LIB_METADATA",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    // Who only wants the pure half of this crate carries no programs.
    if env::var_os("CARGO_FEATURE_NATIVE").is_none() {
        return Ok(());
    }
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for watched in ["agent", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", here.join(watched).display());
    }
    let target = env::var("TARGET")?;
    // OUT_DIR is <target>/<profile>/build/<package>/out.
    let nested = out.ancestors().nth(4).unwrap_or(&out).join("agent");

    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(here.join("agent"));
    cargo.args([
        "build",
        "--release",
        "--locked",
        "--bins",
        "--features",
        "pid1,launch",
        "--target",
        &target,
    ]);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_FEATURE_")
            || name.starts_with("CARGO_CFG_")
            || name.starts_with("CARGO_PKG_")
        {
            cargo.env_remove(&*name);
        }
    }
    for name in CLEARED {
        cargo.env_remove(name);
    }
    cargo.envs(PROFILE.iter().copied());
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static").env("CARGO_TARGET_DIR", &nested);
    let output = cargo.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("the sandbox agent could not be built:\n{said}").into());
    }
    for program in ["hourglass-agent", "hourglass-launch"] {
        copy_if_changed(&nested.join(&target).join("release").join(program), &out.join(program))?;
    }
    Ok(())
}

/// Leave the copy alone when it is the same, so that nothing that includes it is compiled again.
fn copy_if_changed(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let fresh = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == fresh) {
        return Ok(());
    }
    Ok(fs::write(to, fresh)?)
}

//! A root file system from Debian's packages, by `mmdebstrap`, from wherever this machine gets its own.
//!
//! `mmdebstrap` rather than `debootstrap`: it fetches in parallel and configures once, and took 13 s where the other
//! took 28 s on two busy cores. Mirrors, keys and proxies are read from the machine's apt; no host is named here.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::recipe::{Program, Recipe};
use super::{ImageError, Making, Progress};
use crate::native::{TOOLS, installed};

/// What the build itself runs, and the Debian package it is in.
const BUILDERS: &[(&str, &str)] = &[("mmdebstrap", "mmdebstrap"), ("apt-get", "apt")];

/// Debian's own signatures.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// What `mmdebstrap` says when a part of its work begins, how far the whole then is, and what people are told.
const PHASES: &[(&str, f32, &str)] = &[
    ("running apt-get update", 0.05, "reading the package lists"),
    ("downloading packages with apt", 0.15, "downloading packages"),
    ("extracting archives", 0.40, "unpacking packages"),
    ("installing essential packages", 0.50, "installing the essential packages"),
    ("installing remaining packages", 0.65, "installing the rest"),
    ("cleaning package lists", 0.85, "cleaning up"),
];

/// The packages that must be installed for native containers and their base image, as `apt-get install` names them.
#[must_use]
pub fn missing_packages() -> Vec<&'static str> {
    let keyring = (!Path::new(KEYRING).exists()).then_some("debian-archive-keyring");
    missing(BUILDERS.iter().chain(TOOLS)).chain(keyring).collect()
}

/// The same for native containers alone, whose base image is there or given.
#[must_use]
pub fn missing_tools() -> Vec<&'static str> {
    missing(TOOLS.iter()).collect()
}

fn missing(
    tools: impl Iterator<Item = &'static (&'static str, &'static str)>,
) -> impl Iterator<Item = &'static str> {
    tools.filter(|(tool, _)| !installed(tool)).map(|(_, package)| *package)
}

/// Install `packages` with apt. Blocks, and asks nobody: ask before.
pub fn install(packages: &[&str], progress: &dyn Progress) -> Result<(), ImageError> {
    if packages.is_empty() {
        return Ok(());
    }
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments).stdin(Stdio::null());
        let output = apt.output().making("run apt-get")?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(ImageError::Failed { program: format!("apt-get {}", arguments.join(" ")), said })
    };
    progress.phase("reading the package lists");
    apt(&["update", "-q"])?;
    progress.fraction(0.3);
    progress.phase(&format!("installing {}", packages.join(", ")));
    let mut install = vec!["install", "-y", "-q", "--no-install-recommends"];
    install.extend(packages);
    apt(&install)?;
    progress.fraction(1.0);
    Ok(())
}

/// Build `recipe` into `rootfs`. The builder's lock is the child's standard input, so it outlives this process's end.
pub(super) fn build(
    recipe: &Recipe,
    rootfs: &Path,
    lock: &File,
    progress: &dyn Progress,
) -> Result<(), ImageError> {
    let missing = missing_packages();
    if !missing.is_empty() {
        return Err(ImageError::Uninstalled(missing));
    }
    let suite = recipe.suite.clone().or_else(own_suite).ok_or(ImageError::NoSuite)?;
    let sources = sources(&suite);
    if sources.is_empty() {
        return Err(ImageError::NoSources);
    }
    let mut build = Command::new("mmdebstrap");
    build.args(["--mode=root", "--variant=minbase", "--format=directory"]);
    build.arg(format!("--include={}", recipe.packages.join(",")));
    // Manuals and translations are a tenth of the image and nobody reads them in a sandbox.
    for left_out in ["/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*"] {
        build.arg(format!("--dpkgopt=path-exclude={left_out}"));
    }
    build.arg("--dpkgopt=path-include=/usr/share/doc/*/copyright");
    for option in own_options() {
        build.arg(format!("--aptopt={option}"));
    }
    build.arg(&suite).arg(rootfs).args(&sources);
    build.stdin(lock.try_clone().making("share the builders' lock")?);
    build.env("LC_ALL", "C.UTF-8").stdout(Stdio::null()).stderr(Stdio::piped());

    progress.phase("preparing");
    let mut child = build.spawn().making("run mmdebstrap")?;
    let mut said = Vec::new();
    for line in
        child.stderr.take().into_iter().flat_map(|err| BufReader::new(err).lines().map_while(Result::ok))
    {
        if let Some((_, done, what)) = PHASES.iter().find(|(says, _, _)| line.contains(says)) {
            progress.phase(what);
            progress.fraction(*done);
        }
        said.push(line);
    }
    if child.wait().making("wait for mmdebstrap")?.success() {
        return recipe.programs.iter().try_for_each(|program| put(program, rootfs));
    }
    if said.iter().any(|line| line.contains("No space left on device")) {
        return Err(ImageError::NoSpace("build the base image"));
    }
    let last: Vec<&str> = said.iter().rev().take(5).rev().map(String::as_str).collect();
    Err(ImageError::Failed { program: "mmdebstrap".to_owned(), said: last.join("; ") })
}

/// Put a program of ours where people's own programs go. The directory is fresh from Debian: nothing leads out of it.
fn put(program: &Program, rootfs: &Path) -> Result<(), ImageError> {
    let path = rootfs.join("usr/local/bin").join(program.name);
    let written = fs::write(&path, program.content)
        .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o755)));
    written.making("write a program of the image")
}

/// The files in which this machine says where its packages of `suite` come from.
fn sources(suite: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = listed.map(|entry| entry.path()).collect();
    files.push(PathBuf::from("/etc/apt/sources.list"));
    files.sort();
    files.retain(|file| {
        let kind = file.extension().and_then(|extension| extension.to_str());
        let told = fs::read_to_string(file).unwrap_or_default();
        // Only Debian's own: another vendor's packages have no place in a base image, nor has its key.
        matches!(kind, Some("list" | "sources")) && of_debian(&told, suite)
    });
    files
}

/// Whether a list of sources is Debian's for `suite`: the suite is named, and so is Debian's archive.
fn of_debian(told: &str, suite: &str) -> bool {
    let active = told.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let words: Vec<&str> = active.flat_map(str::split_whitespace).collect();
    let archive =
        |word: &&str| word.trim_end_matches('/').ends_with("/debian") || word.contains("debian-security");
    words.contains(&suite) && words.iter().any(archive)
}

/// How this machine's apt fetches: proxies, timeouts, what it does not check.
fn own_options() -> Vec<String> {
    let dumped = Command::new("apt-config").arg("dump").stdin(Stdio::null()).output();
    let dumped = dumped.map(|output| output.stdout).unwrap_or_default();
    let fetching = |line: &&str| line.starts_with("Acquire::") && !line.contains("\"\"");
    let wanted =
        ["Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries", "Acquire::ForceIPv"];
    let wanted = |line: &&str| wanted.iter().any(|prefix| line.starts_with(prefix));
    String::from_utf8_lossy(&dumped).lines().filter(fetching).filter(wanted).map(str::to_owned).collect()
}

/// This machine's own suite.
pub(super) fn own_suite() -> Option<String> {
    let release = fs::read_to_string("/etc/os-release").ok()?;
    let named = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(named.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_debians_own_sources_of_the_suite_are_used() {
        let own = "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n";
        assert!(of_debian(own, "bookworm"));
        assert!(!of_debian(own, "trixie"));
        assert!(of_debian(
            "deb http://mirror.example/debian-security bookworm-security main\ndeb http://m/debian bookworm main",
            "bookworm"
        ));
        assert!(!of_debian("deb https://packages.example/node bookworm main", "bookworm"));
        assert!(!of_debian("# deb http://mirror.example/debian bookworm main", "bookworm"));
    }
}

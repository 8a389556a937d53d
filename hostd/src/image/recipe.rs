//! What base images are made of, as data.

use super::debian::own_suite;

/// Leaves the types of a TypeScript program away and runs it.
const RUN_TYPESCRIPT: Program =
    Program { name: "run-typescript", content: include_str!("run-typescript.sh") };

/// What is in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Debian's suite; this machine's own when not given.
    pub suite: Option<String>,
    /// Packages beyond the essential ones.
    pub packages: Vec<String>,
    /// Programs of our own beside them.
    pub programs: Vec<Program>,
    /// What is in it, for people.
    pub title: &'static str,
}

/// A script that is put in `/usr/local/bin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// What it is called.
    pub name: &'static str,
    /// What it says.
    pub content: &'static str,
}

impl Default for Recipe {
    /// The smallest Debian with Python 3 and all of its standard library: 180 MB.
    fn default() -> Self {
        Self::of("minimal, with Python 3", &["python3", "ca-certificates"], &[])
    }
}

impl Recipe {
    /// The same with Node.js, the TypeScript compiler (`tsc`) and what runs TypeScript (`run-typescript`): 350 MB. All
    /// of it is Debian's, so that no other source need be trusted or reached, and nothing is fetched in a sandbox.
    #[must_use]
    pub fn runtimes() -> Self {
        Self::of(
            "Python 3, Node.js and TypeScript",
            &["python3", "ca-certificates", "nodejs", "node-typescript", "esbuild"],
            &[RUN_TYPESCRIPT],
        )
    }

    fn of(title: &'static str, packages: &[&str], programs: &[Program]) -> Self {
        let packages = packages.iter().map(|&package| package.to_owned()).collect();
        Self { suite: None, packages, programs: programs.to_vec(), title }
    }

    /// A name for what this builds on this machine.
    pub(super) fn key(&self) -> String {
        let suite = self.suite.clone().or_else(own_suite).unwrap_or_default();
        let mut said = format!("1 {} {suite} {}", std::env::consts::ARCH, self.packages.join(","));
        for Program { name, content } in &self.programs {
            said += &format!(" {name} {}", blake3::hash(content.as_bytes()));
        }
        blake3::hash(said.as_bytes()).to_hex()[..16].to_owned()
    }
}

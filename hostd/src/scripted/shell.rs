//! The few commands a scripted sandbox understands: enough to tell the story of the demo and to test the data plane.
//!
//! `true`, `false`, `echo`, `cat`, `tee PATH TEXT`, `rm`, `sleep`, `hostname`, `whoami`, `id -un`, `uname`, `nproc`,
//! `df`, `head -c N /dev/zero`, `python3` (which only says that it is none), and `sh -c` with those joined by `&&` or
//! `;`, plain quotes, and output to `> PATH` or `>> PATH`.
//! Anything else could not be run, as a program that is not installed.

use std::collections::BTreeMap;
use std::time::Duration;

use hourglass_events::Plan;

use crate::driver::{ExecError, Ran};

/// The files of a disk, by path.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// What a command did at once, and how long it takes to end.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) code: u8,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) lasts: Duration,
}

impl Done {
    fn says(text: impl Into<Vec<u8>>) -> Self {
        Self { stdout: text.into(), ..Self::default() }
    }

    fn fails(code: u8, complaint: String) -> Self {
        Self { code, stderr: complaint.into_bytes(), ..Self::default() }
    }

    /// Cut to the size an answer may have.
    pub(super) fn into_ran(mut self) -> Ran {
        let mut dropped = 0;
        for stream in [&mut self.stdout, &mut self.stderr] {
            dropped += stream.len().saturating_sub(Ran::OUTPUT_MOST) as u64;
            stream.truncate(Ran::OUTPUT_MOST);
        }
        Ran { code: self.code, stdout: self.stdout, stderr: self.stderr, dropped, timed_out: false }
    }
}

/// Runs a program with its arguments.
pub(super) fn run(argv: &[String], files: &mut Files, plan: &Plan) -> Result<Done, ExecError> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let [program, args @ ..] = words.as_slice() else { return Err(ExecError::Empty) };
    let name = program.rsplit('/').next().unwrap_or(program);
    Ok(match (name, args) {
        ("true", _) => Done::default(),
        ("false", _) => Done { code: 1, ..Done::default() },
        ("echo", words) => Done::says(words.join(" ") + "\n"),
        ("cat", paths) => cat(paths, files, plan),
        ("tee", [path, text @ ..]) => {
            let text = text.join(" ");
            files.insert((*path).to_owned(), text.clone().into_bytes());
            Done::says(text)
        }
        ("rm", ["-f", paths @ ..] | paths) => {
            for path in paths {
                files.remove(*path);
            }
            Done::default()
        }
        ("sleep", [seconds]) => match seconds.parse::<f64>().map(Duration::try_from_secs_f64) {
            Ok(Ok(lasts)) => Done { lasts, ..Done::default() },
            Ok(Err(_)) | Err(_) => Done::fails(1, format!("sleep: invalid time interval '{seconds}'\n")),
        },
        ("hostname", []) => Done::says(format!("{}\n", plan.name)),
        ("whoami", []) => Done::says(format!("{}\n", plan.user)),
        ("id", ["-un"]) => Done::says(format!("{}\n", plan.user)),
        ("uname", _) => Done::says("Scripted\n"),
        // The demo calls it; saying so is better than making up what it would print.
        ("python3", _) => Done::says("(a scripted sandbox runs no Python)\n"),
        ("nproc", []) => Done::says(format!("{}\n", plan.resources.cpu)),
        ("df", _) => Done::says(df(files, plan)),
        ("head", ["-c", count, "/dev/zero"]) => Done::says(vec![0; count.parse().unwrap_or(0)]),
        ("sh" | "bash", ["-c", text]) => shell(text, files, plan)?,
        _ => {
            let error = "no such file or directory".to_owned();
            return Err(ExecError::Unusable { program: (*program).to_owned(), error });
        }
    })
}

fn cat(paths: &[&str], files: &Files, plan: &Plan) -> Done {
    let mut done = Done::default();
    for path in paths {
        match (*path, files.get(*path)) {
            (_, Some(bytes)) => done.stdout.extend_from_slice(bytes),
            ("/sys/fs/cgroup/cpu.max", None) => {
                let quota = format!("{} 100000\n", u64::from(plan.resources.cpu) * 100_000);
                done.stdout.extend_from_slice(quota.as_bytes());
            }
            ("/sys/fs/cgroup/memory.max", None) => {
                let most = format!("{}\n", u64::from(plan.resources.memory_gib) << 30);
                done.stdout.extend_from_slice(most.as_bytes());
            }
            ("/etc/hostname", None) => done.stdout.extend_from_slice(format!("{}\n", plan.name).as_bytes()),
            (path, None) => {
                done.code = 1;
                let complaint = format!("cat: {path}: No such file or directory\n");
                done.stderr.extend_from_slice(complaint.as_bytes());
            }
        }
    }
    done
}

fn df(files: &Files, plan: &Plan) -> String {
    let total = u64::from(plan.resources.disk_gib);
    let used: usize = files.values().map(Vec::len).sum();
    format!(
        "Filesystem      Size  Used Avail Use% Mounted on\noverlay         {total:>3}G {used:>5}  {total:>3}G   0% /\n"
    )
}

/// Runs commands one after the other: all of them after `;`, until one fails after `&&`.
fn shell(text: &str, files: &mut Files, plan: &Plan) -> Result<Done, ExecError> {
    let mut all = Done::default();
    let mut argv = Vec::new();
    let mut goes_on = true;
    for word in words(text).into_iter().chain([Word::Join(";")]) {
        let Word::Join(joint) = word else {
            argv.push(word);
            continue;
        };
        let command = std::mem::take(&mut argv);
        if goes_on && !command.is_empty() {
            let done = redirected(&command, files, plan)?;
            all.code = done.code;
            all.stdout.extend(done.stdout);
            all.stderr.extend(done.stderr);
            all.lasts += done.lasts;
        }
        goes_on = joint == ";" || (goes_on && all.code == 0);
    }
    Ok(all)
}

fn redirected(command: &[Word], files: &mut Files, plan: &Plan) -> Result<Done, ExecError> {
    let mut argv = Vec::new();
    let mut target = None;
    let mut words = command.iter();
    while let Some(word) = words.next() {
        match word {
            Word::Plain(text) => argv.push(text.clone()),
            Word::Into { append } => {
                target = words.next().and_then(Word::text).map(|path| (path, *append));
            }
            Word::Join(_) => {}
        }
    }
    let mut done = match run(&argv, files, plan) {
        // To a shell this is a failed command like others.
        Err(ExecError::Unusable { program, error: _ }) => {
            Done::fails(127, format!("sh: 1: {program}: not found\n"))
        }
        other => other?,
    };
    if let Some((path, append)) = target {
        let file = files.entry(path.to_owned()).or_default();
        if !append {
            file.clear();
        }
        file.append(&mut done.stdout);
    }
    Ok(done)
}

#[derive(Debug)]
enum Word {
    Plain(String),
    Into { append: bool },
    Join(&'static str),
}

impl Word {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Into { .. } | Self::Join(_) => None,
        }
    }
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            ';' | '\n' => (Word::Join(";"), &rest[1..]),
            '&' if rest.starts_with("&&") => (Word::Join("&&"), &rest[2..]),
            '>' if rest.starts_with(">>") => (Word::Into { append: true }, &rest[2..]),
            '>' => (Word::Into { append: false }, &rest[1..]),
            _ => plain(rest),
        };
        words.push(word);
        rest = after.trim_start_matches([' ', '\t']);
    }
    words
}

/// The plain word `text` begins with, without its quotes, and what follows it.
fn plain(text: &str) -> (Word, &str) {
    let mut word = String::new();
    let mut quote = None;
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (None, '\'' | '"') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            (None, ' ' | '\t' | '\n' | ';' | '>') => return (Word::Plain(word), &text[at..]),
            (None, '&') if at > 0 && text[at..].starts_with("&&") => return (Word::Plain(word), &text[at..]),
            (_, _) => word.push(char),
        }
    }
    (Word::Plain(word), "")
}

#[cfg(test)]
mod tests {
    use hourglass_events::{Image, OrganizationId, Resources};

    use super::*;

    fn say(files: &mut Files, argv: &[&str]) -> (u8, String) {
        let image = Image { digest: "base".into() };
        let plan = Plan {
            resources: Resources { cpu: 2, ..Resources::DEFAULT },
            user: "hourglass".into(),
            ..Plan::new(OrganizationId::from_u128(1), "box", image)
        };
        let argv: Vec<_> = argv.iter().map(|word| (*word).to_owned()).collect();
        let done = run(&argv, files, &plan).unwrap();
        (done.code, String::from_utf8(done.stdout).unwrap())
    }

    #[test]
    fn a_shell_writes_and_reads_files() {
        let mut files = Files::new();
        say(&mut files, &["sh", "-c", "echo 'a  b' > /x && echo c>>/x; false; cat /x > /y"]);
        assert_eq!(say(&mut files, &["cat", "/y"]), (0, "a  b\nc\n".into()));
    }

    #[test]
    fn a_failed_command_ends_its_chain_and_no_other() {
        let mut files = Files::new();
        assert_eq!(say(&mut files, &["sh", "-c", "false && echo a; echo b"]), (0, "b\n".into()));
        assert_eq!(say(&mut files, &["/bin/sh", "-c", "nonsense"]).0, 127);
    }

    #[test]
    fn limits_are_read_where_a_container_shows_them() {
        let mut files = Files::new();
        assert_eq!(say(&mut files, &["cat", "/sys/fs/cgroup/cpu.max"]).1, "200000 100000\n");
        assert_eq!(say(&mut files, &["cat", "/sys/fs/cgroup/memory.max"]).1, "1073741824\n");
    }
}

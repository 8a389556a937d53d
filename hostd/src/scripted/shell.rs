//! The few commands a scripted sandbox understands: enough to tell the story of the demo and to test the data plane.
//!
//! `true`, `false`, `echo`, `cat`, `tee PATH TEXT`, `rm`, `mkdir`, `sleep`, `hostname`, `whoami`, `id -un`, `uname`,
//! `nproc`, `df`, `head -c N /dev/zero`, `stty size`, `python3` (which only says that it is none), `cd`, `pwd`,
//! `export NAME=VALUE`, `printenv NAME`, `exit CODE`, and `sh -c` with those joined by `&&` or `;`, plain quotes,
//! `$NAME`, and output to `> PATH` or `>> PATH`. `cat` without a path hands on what it is given to read.
//! Anything else could not be run, as a program that is not installed.

use std::collections::BTreeMap;
use std::time::Duration;

use hourglass_agent::Failure;
use hourglass_agent::ptys::Size;
use hourglass_events::Plan;

use super::files::{Files, whole};

/// Where a command runs, and what it may change.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    pub(super) files: &'a mut Files,
    pub(super) plan: &'a Plan,
    pub(super) stage: &'a mut Stage,
}

/// What a shell keeps between commands.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) cwd: String,
    pub(super) env: BTreeMap<String, String>,
    pub(super) size: Size,
}

impl Stage {
    /// Where commands of a sandbox begin.
    pub(super) fn home(plan: &Plan) -> Self {
        let home = home(&plan.user);
        let given = plan.values.expose().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut env: BTreeMap<String, String> = given.collect();
        env.extend([("HOME".to_owned(), home.clone()), ("USER".to_owned(), plan.user.clone())]);
        Self { cwd: home, env, size: Size { cols: 80, rows: 24 } }
    }
}

/// The home of `user`.
pub(super) fn home(user: &str) -> String {
    if user == "root" { "/root".to_owned() } else { format!("/home/{user}") }
}

/// What a command did at once, and how it goes on.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) code: u8,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    /// How long it takes to end.
    pub(super) lasts: Duration,
    /// Whether it ends only when it has read all that it is given.
    pub(super) reads: bool,
    /// Whether it ended the shell it ran in.
    pub(super) exits: bool,
}

impl Done {
    fn says(text: impl Into<Vec<u8>>) -> Self {
        Self { stdout: text.into(), ..Self::default() }
    }

    fn fails(code: u8, complaint: String) -> Self {
        Self { code, stderr: complaint.into_bytes(), ..Self::default() }
    }
}

/// Runs a program with its arguments.
pub(super) fn run(argv: &[String], setting: &mut Setting<'_>) -> Result<Done, Failure> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let [program, args @ ..] = words.as_slice() else {
        return Err(Failure::wrong("the command is empty; give at least a program"));
    };
    let name = program.rsplit('/').next().unwrap_or(program);
    let plan = setting.plan;
    Ok(match (name, args) {
        ("true", _) => Done::default(),
        ("false", _) => Done { code: 1, ..Done::default() },
        ("echo", words) => Done::says(words.join(" ") + "\n"),
        ("cat", []) => Done { reads: true, ..Done::default() },
        ("cat", paths) => cat(paths, setting),
        ("tee", [path, text @ ..]) => {
            let text = text.join(" ").into_bytes();
            match setting.files.write(&whole(&setting.stage.cwd, path), text.clone(), &plan.user) {
                Ok(()) => Done::says(text),
                Err(failure) => Done::fails(1, format!("tee: {failure}\n")),
            }
        }
        ("rm", ["-f" | "-rf", paths @ ..] | paths) => {
            for path in paths {
                // Of what is not there nothing is to be removed.
                let _ = setting.files.delete(&whole(&setting.stage.cwd, path), true);
            }
            Done::default()
        }
        ("mkdir", ["-p", path] | [path]) => {
            match setting.files.make_folder(&whole(&setting.stage.cwd, path), &plan.user) {
                Ok(()) => Done::default(),
                Err(failure) => Done::fails(1, format!("mkdir: {failure}\n")),
            }
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
        ("df", _) => Done::says(df(setting.files, plan)),
        ("head", ["-c", count, "/dev/zero"]) => Done::says(vec![0; count.parse().unwrap_or(0)]),
        ("sh" | "bash", ["-c", text]) => {
            // A shell of its own keeps nothing for the one that called it.
            let mut stage = setting.stage.clone();
            let own = &mut Setting { files: &mut *setting.files, plan, stage: &mut stage };
            Done { exits: false, ..shell(text, own)? }
        }
        (name, args) => match builtin(name, args, setting.files, setting.stage) {
            Some(done) => done,
            None => {
                let error = "no such file or directory".to_owned();
                return Err(Failure::Unusable { program: (*program).to_owned(), error });
            }
        },
    })
}

/// What changes or shows the shell itself.
fn builtin(name: &str, args: &[&str], files: &Files, stage: &mut Stage) -> Option<Done> {
    Some(match (name, args) {
        ("cd", paths @ ([] | [_])) => {
            let home = stage.env.get("HOME").cloned().unwrap_or_default();
            let to = whole(&stage.cwd, paths.first().copied().unwrap_or(&home));
            if !files.is_folder(&to) {
                return Some(Done::fails(1, format!("sh: 1: cd: can't cd to {to}\n")));
            }
            stage.cwd = to;
            Done::default()
        }
        ("pwd", []) => Done::says(format!("{}\n", stage.cwd)),
        ("export", pairs) => {
            let pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
            stage.env.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            Done::default()
        }
        ("printenv", [name]) => match stage.env.get(*name) {
            Some(value) => Done::says(format!("{value}\n")),
            None => Done { code: 1, ..Done::default() },
        },
        ("stty", ["size"]) => Done::says(format!("{} {}\n", stage.size.rows, stage.size.cols)),
        ("exit", code) => {
            let code = code.first().and_then(|code| code.parse().ok()).unwrap_or_default();
            Done { code, exits: true, ..Done::default() }
        }
        _ => return None,
    })
}

fn cat(paths: &[&str], setting: &Setting<'_>) -> Done {
    let Setting { files, plan, stage } = setting;
    let mut done = Done::default();
    for path in paths {
        match (*path, files.read(&whole(&stage.cwd, path))) {
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
    let used = files.size();
    format!(
        "Filesystem      Size  Used Avail Use% Mounted on\noverlay         {total:>3}G {used:>5}  {total:>3}G   0% /\n"
    )
}

/// Runs commands one after the other: all of them after `;`, until one fails after `&&`.
pub(super) fn shell(text: &str, setting: &mut Setting<'_>) -> Result<Done, Failure> {
    let mut all = Done::default();
    let mut rest = text;
    let mut goes_on = true;
    while !rest.trim().is_empty() && !all.exits {
        // One after the other, because each may change what the words of the next mean.
        let (command, joint, after) = first(rest, setting.stage);
        rest = after;
        if goes_on && !command.is_empty() {
            let done = redirected(&command, setting)?;
            all.code = done.code;
            all.stdout.extend(done.stdout);
            all.stderr.extend(done.stderr);
            all.lasts += done.lasts;
            all.reads |= done.reads;
            all.exits |= done.exits;
        }
        goes_on = joint == ";" || (goes_on && all.code == 0);
    }
    Ok(all)
}

fn redirected(command: &[Word], setting: &mut Setting<'_>) -> Result<Done, Failure> {
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
    let mut done = match run(&argv, setting) {
        // To a shell this is a failed command like others.
        Err(Failure::Unusable { program, error: _ }) => {
            Done::fails(127, format!("sh: 1: {program}: not found\n"))
        }
        other => other?,
    };
    if let Some((path, append)) = target {
        let path = whole(&setting.stage.cwd, path);
        let mut bytes = setting.files.read(&path).filter(|_| append).unwrap_or_default().to_vec();
        bytes.append(&mut done.stdout);
        if let Err(failure) = setting.files.write(&path, bytes, &setting.plan.user) {
            done = Done::fails(2, format!("sh: 1: cannot create {path}: {failure}\n"));
        }
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

/// The first command of `text`, what joins it to the next, and what follows.
fn first<'a>(text: &'a str, stage: &Stage) -> (Vec<Word>, &'static str, &'a str) {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            ';' | '\n' => (Word::Join(";"), &rest[1..]),
            '&' if rest.starts_with("&&") => (Word::Join("&&"), &rest[2..]),
            '>' if rest.starts_with(">>") => (Word::Into { append: true }, &rest[2..]),
            '>' => (Word::Into { append: false }, &rest[1..]),
            _ => plain(rest, stage),
        };
        rest = after.trim_start_matches([' ', '\t']);
        match word {
            Word::Join(joint) => return (words, joint, rest),
            Word::Plain(_) | Word::Into { .. } => words.push(word),
        }
    }
    (words, ";", rest)
}

/// The plain word `text` begins with, without its quotes and with the values of its variables, and what follows it.
fn plain<'a>(text: &'a str, stage: &Stage) -> (Word, &'a str) {
    let mut word = String::new();
    let mut quote = None;
    let mut variable: Option<String> = None;
    for (at, char) in text.char_indices() {
        if let Some(name) = &mut variable {
            if char.is_ascii_alphanumeric() || char == '_' {
                name.push(char);
                continue;
            }
            word.push_str(stage.env.get(name.as_str()).map_or("", String::as_str));
            variable = None;
        }
        match (quote, char) {
            (None, '\'' | '"') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            (None | Some('"'), '$') => variable = Some(String::new()),
            (None, ' ' | '\t' | '\n' | ';' | '>') => return (Word::Plain(word), &text[at..]),
            (None, '&') if at > 0 && text[at..].starts_with("&&") => return (Word::Plain(word), &text[at..]),
            (_, _) => word.push(char),
        }
    }
    if let Some(name) = variable {
        word.push_str(stage.env.get(&name).map_or("", String::as_str));
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
        let mut stage = Stage::home(&plan);
        files.with_home(&plan.user, &stage.cwd);
        let done = run(&argv, &mut Setting { files, plan: &plan, stage: &mut stage }).unwrap();
        (done.code, String::from_utf8(done.stdout).unwrap())
    }

    #[test]
    fn a_shell_writes_and_reads_files() {
        let mut files = Files::default();
        say(&mut files, &["sh", "-c", "echo 'a  b' > /x && echo c>>/x; false; cat /x > /y"]);
        assert_eq!(say(&mut files, &["cat", "/y"]), (0, "a  b\nc\n".into()));
    }

    #[test]
    fn a_failed_command_ends_its_chain_and_no_other() {
        let mut files = Files::default();
        assert_eq!(say(&mut files, &["sh", "-c", "false && echo a; echo b"]), (0, "b\n".into()));
        assert_eq!(say(&mut files, &["/bin/sh", "-c", "nonsense"]).0, 127);
    }

    #[test]
    fn a_shell_keeps_its_place_and_its_variables() {
        let mut files = Files::default();
        let script = "export A=1; cd /tmp && pwd; echo \"$A-$B\" '$A'; cd; pwd";
        assert_eq!(say(&mut files, &["sh", "-c", script]).1, "/tmp\n1- $A\n/home/hourglass\n");
        assert_eq!(say(&mut files, &["sh", "-c", "echo a; exit 3; echo b"]), (3, "a\n".into()));
    }

    #[test]
    fn limits_are_read_where_a_container_shows_them() {
        let mut files = Files::default();
        assert_eq!(say(&mut files, &["cat", "/sys/fs/cgroup/cpu.max"]).1, "200000 100000\n");
        assert_eq!(say(&mut files, &["cat", "/sys/fs/cgroup/memory.max"]).1, "1073741824\n");
    }
}

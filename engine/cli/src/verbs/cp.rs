//! `hourglass cp`: a file or a directory, into a sandbox or out of it, piece by piece.

mod tree;

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use ureq::http::Method;
use uuid::Uuid;

use super::tool;
use crate::remote::{Api, Ask, Content, Remote, query};

/// What stands for what is piped in or out.
const PIPE: &str = "-";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// From where: a file or directory here, SANDBOX:PATH, or - for what is piped in.
    source: String,
    /// To where: a file or directory here, SANDBOX:PATH, or - for what is piped out.
    target: String,
    #[command(flatten)]
    remote: Remote,
}

/// One end of a copy.
enum End<'a> {
    Here(&'a str),
    Inside { sandbox: &'a str, path: &'a str },
}

impl<'a> End<'a> {
    fn of(text: &'a str) -> Self {
        match text.split_once(':') {
            // A file here whose name has a colon is written with a directory before it.
            Some((sandbox, path)) if !sandbox.is_empty() && !sandbox.contains('/') => {
                Self::Inside { sandbox, path }
            }
            Some(_) | None => Self::Here(text),
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (source, target) = (&arguments.source, &arguments.target);
    match (End::of(source), End::of(target)) {
        (End::Here(file), End::Inside { sandbox, path }) => {
            put(&arguments.remote.open()?, file, sandbox, path)?;
        }
        (End::Inside { sandbox, path }, End::Here(file)) => {
            take(&arguments.remote.open()?, sandbox, path, file)?;
        }
        (End::Here(_), End::Here(_)) => {
            bail!("neither {source:?} nor {target:?} is in a sandbox; write one of them as SANDBOX:PATH")
        }
        (End::Inside { .. }, End::Inside { .. }) => bail!(
            "both are in sandboxes; copy through a pipe, as in `hourglass cp {source} - | hourglass cp - {target}`"
        ),
    }
    Ok(ExitCode::SUCCESS)
}

fn put(api: &Api, file: &str, sandbox: &str, path: &str) -> anyhow::Result<()> {
    let path = named(path, file)?;
    match file {
        PIPE => write(api, Box::new(io::stdin()), sandbox, &path),
        _ if Path::new(file).is_dir() => tree::send(api, Path::new(file), sandbox, &path),
        _ => upload(api, Path::new(file), sandbox, &path),
    }
}

/// Send the file `from`.
fn upload(api: &Api, from: &Path, sandbox: &str, path: &str) -> anyhow::Result<()> {
    let opened = File::open(from).with_context(|| format!("{} cannot be read", from.display()))?;
    write(api, Box::new(opened), sandbox, path)
}

fn write(api: &Api, bytes: Box<dyn Read + Send + Sync>, sandbox: &str, path: &str) -> anyhow::Result<()> {
    let mut ask = Ask::new(Method::POST, tool(sandbox, &format!("files/upload{}", query([("path", path)]))));
    ask.patience = None;
    let (kind, bytes) = form(bytes);
    Ok(api.send(ask, Some(Content::Streamed { kind, bytes })).map(drop)?)
}

/// A form with `bytes` as its only part, and its type.
fn form(bytes: Box<dyn Read + Send + Sync>) -> (String, Box<dyn Read + Send + Sync>) {
    // Nothing that is sent contains what nobody could have known.
    let boundary = Uuid::new_v4().simple().to_string();
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let whole = Cursor::new(head).chain(bytes).chain(Cursor::new(tail));
    (format!("multipart/form-data; boundary={boundary}"), Box::new(whole))
}

fn take(api: &Api, sandbox: &str, path: &str, file: &str) -> anyhow::Result<()> {
    if file == PIPE {
        let mut answer = read(api, sandbox, path)?;
        return match io::copy(&mut answer, &mut io::stdout()) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            copied => copied.map(drop).with_context(|| format!("{sandbox}:{path} broke off")),
        };
    }
    let target =
        if Path::new(file).is_dir() { Path::new(file).join(last(path)?) } else { PathBuf::from(file) };
    let found = tree::look(api, sandbox, path)?;
    match found.is_dir {
        true => tree::fetch(api, sandbox, &found, &target),
        false => download(api, sandbox, path, &target),
    }
}

/// Fetch a file to `target`.
fn download(api: &Api, sandbox: &str, path: &str, target: &Path) -> anyhow::Result<()> {
    let mut answer = read(api, sandbox, path)?;
    // What breaks off is not taken for the whole.
    let part = target.with_added_extension("part");
    let taken = save(&mut answer, &part).and_then(|()| fs::rename(&part, target));
    if taken.is_err() {
        let _ = fs::remove_file(&part);
    }
    taken.with_context(|| format!("{sandbox}:{path} could not be copied to {}", target.display()))
}

/// The bytes of a file as they come.
fn read(api: &Api, sandbox: &str, path: &str) -> anyhow::Result<impl Read> {
    let mut ask = Ask::new(Method::GET, tool(sandbox, &format!("files/download{}", query([("path", path)]))));
    ask.patience = None;
    Ok(api.send(ask, None)?.into_body().into_reader())
}

fn save(from: &mut impl Read, part: &Path) -> io::Result<()> {
    let mut file = File::create(part)?;
    io::copy(from, &mut file)?;
    file.flush()
}

/// The path inside, which may be a directory that `file` is put into.
fn named(path: &str, file: &str) -> anyhow::Result<String> {
    if path.is_empty() || path.ends_with('/') {
        if file == PIPE {
            bail!("what is piped in has no name; say which file it becomes, as in SANDBOX:/tmp/it");
        }
        return Ok(format!("{path}{}", last(file)?));
    }
    Ok(path.to_owned())
}

fn last(path: &str) -> anyhow::Result<&str> {
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    name.with_context(|| format!("{path:?} does not name a file"))
}

//! `hourglass export`: a log as lines of text, to be kept elsewhere and checked offline.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hourglass_kernel::Fleet;
use serde::Serialize;
use serde_json::Value;

use super::exported::{About, End, Footer, Header, VERSION};
use super::past::{Moment, Past};
use super::{Which, view};
use crate::paint;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Where to; there must be nothing yet. `-` for standard output.
    file: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut past = arguments.which.past()?;
    if arguments.file == Path::new("-") {
        return match write(&mut past, &mut io::stdout().lock()) {
            // Whoever read has gone, as `head` does.
            Err(error) if is_closed(&error) => Ok(()),
            other => other,
        };
    }
    let path = arguments.file.display();
    let file = File::create_new(&arguments.file).with_context(|| format!("{path} cannot be made"))?;
    let mut out = BufWriter::new(file);
    write(&mut past, &mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error);
    file.and_then(|file| file.sync_all()).with_context(|| format!("{path} could not be written"))?;
    let fleet = past.fleet();
    paint::say(format!("{path}: {} records", fleet.seq()));
    paint::say(format!("  head {}", fleet.head()));
    paint::say(format!(
        "Keep the head elsewhere: `hourglass verify {path} --head …` proves that nothing was taken off"
    ));
    Ok(())
}

fn write(past: &mut Past, out: &mut impl Write) -> anyhow::Result<()> {
    let about = |fleet: &Fleet| About {
        version: VERSION,
        view: view::VERSION,
        shard: fleet.shard(),
        shards: fleet.shards(),
        build: env!("CARGO_PKG_VERSION").to_owned(),
    };
    line(out, &Header { export: about(past.fleet()) })?;
    past.each(|Moment { record, bytes, digest, .. }| {
        let mut view = view::of(record, digest);
        view.insert("raw".to_owned(), Value::String(STANDARD.encode(bytes)));
        line(out, &view)
    })?;
    let fleet = past.fleet();
    line(out, &Footer { end: End { records: fleet.seq(), head: fleet.head() } })?;
    out.flush()?;
    Ok(())
}

fn line(out: &mut impl Write, value: &impl Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")?;
    Ok(())
}

fn is_closed(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let json = error.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
    kind.or(json) == Some(io::ErrorKind::BrokenPipe)
}

//! `hourglass verify`: is the log what was written, and can it have happened?

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{anyhow, ensure};
use hourglass_events::Digest;

use super::Which;
use super::past::Past;
use super::states::States;
use crate::paint;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Check this export, offline; the same as --export.
    file: Option<PathBuf>,
    /// Require this digest of the last record, noted earlier: proves that nothing was taken off the end since.
    #[arg(long, value_name = "DIGEST")]
    head: Option<Digest>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut past = arguments.which.or(arguments.file.as_ref()).past()?;
    let mut states = States::noted(&past)?;
    let mut met = arguments.head.is_none();
    past.each(|moment| {
        met |= arguments.head == Some(moment.digest);
        states.compare(moment.fleet).map_err(|differs| {
            anyhow!(
                "{differs}; {}. Either this build folds differently than the one that wrote the log, or somebody wrote \
                 the log anew; `hourglass diverge` tells more",
                states.known_good()
            )
        })
    })?;
    let checked = checked(&past)?;
    ensure!(met, "no record has the digest that was noted; records are missing, or this is another log");
    paint::say(format!("{}: intact", past.path().display()));
    checked.iter().for_each(paint::say);
    tell(&states);
    paint::say(format!(
        "  checked in {:.2} s: every byte, the chain, every transition",
        begun.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// What was found beside the records, which differs between a log and an export.
fn checked(past: &Past) -> anyhow::Result<Vec<String>> {
    let fleet = past.fleet();
    let head = format!("  head {}", fleet.head());
    Ok(match past {
        Past::Log(log) => {
            let (groups, bytes) = log.read();
            let mut lines =
                vec![format!("  {} records in {groups} groups, {bytes} bytes", fleet.seq()), head];
            if let Some(slot) = log.check_checkpoint()? {
                lines.push(format!("  holds slot {slot}, which the checkpoint stands on"));
            }
            lines
        }
        Past::Export(exported) => {
            let mut lines = vec![format!("  {} records, exported", fleet.seq()), head];
            if !exported.views_compared() {
                lines.push(
                    "  what stands beside the raw records was written by another build: not compared"
                        .to_owned(),
                );
            }
            lines
        }
    })
}

fn tell(states: &States) {
    if states.same > 0 {
        let latest = states.latest;
        paint::say(format!("  {} noted states are the same, the latest at record {latest}", states.same));
    }
    if states.foreign > 0 {
        paint::say(format!("  {} noted states are laid out by another build: not compared", states.foreign));
    }
}

//! `hourglass verify`: is the log what was written, and can it have happened?

use std::time::Instant;

use super::Which;
use crate::paint;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Require this digest of the last record, noted earlier: proves that nothing was taken off the end since.
    #[arg(long, value_name = "DIGEST")]
    head: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut log = arguments.which.open()?;
    let mut met = arguments.head.is_none();
    log.records(|_, _, _, digest| met |= arguments.head.as_deref() == Some(digest.to_string().as_str()))?;
    let checkpoint = log.check_checkpoint()?;
    let fleet = log.replay().fleet();
    let (groups, bytes) = log.read();
    anyhow::ensure!(
        met,
        "no record has the digest that was noted; records are missing, or this is another log"
    );
    paint::say(format!("{}: intact", log.path().display()));
    paint::say(format!("  {} records in {groups} groups, {bytes} bytes", fleet.seq()));
    paint::say(format!("  head {}", fleet.head()));
    if let Some(slot) = checkpoint {
        paint::say(format!("  holds slot {slot}, which the checkpoint stands on"));
    }
    paint::say(format!(
        "  checked in {:.2} s: every byte, the chain, every transition",
        begun.elapsed().as_secs_f64()
    ));
    Ok(())
}

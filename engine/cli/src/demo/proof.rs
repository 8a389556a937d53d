//! The end of the demo: the log is checked and folded from zero, and must lead to the state that was live.

use std::path::Path;

use anyhow::ensure;
use hourglass_kernel::Fleet;

use super::hint;
use crate::audit::LogReader;
use crate::paint;

/// Check the log in `data` and compare its fold with the state that was `live`.
pub(super) fn prove(data: &Path, live: &Fleet) -> anyhow::Result<()> {
    paint::heading("7 · verify the chain, replay from zero, compare");
    let mut log = LogReader::open(data, live.shard())?;
    let mut same = None;
    log.fold(|replay| {
        if replay.fleet().seq() == live.seq() {
            same = Some(replay.fleet().to_bytes() == live.to_bytes());
        }
    })?;
    let fleet = log.replay().fleet();
    ensure!(
        fleet.seq() >= live.seq(),
        "record {} was acknowledged, but the log ends at {}",
        live.seq(),
        fleet.seq()
    );
    ensure!(same == Some(true), "the state replayed up to record {} differs from the live one", live.seq());
    paint::say(format!("  chain    {} records, head {}", fleet.seq(), fleet.head()));
    paint::say(format!("  replay   equals the live state at record {} byte for byte", live.seq()));
    let hint = hint(data);
    paint::say(format!(
        "\nLook again: `hourglass log{hint}`, `hourglass verify{hint}`, `hourglass replay{hint}`"
    ));
    Ok(())
}

//! `hourglass verify`: is the log what was written, and can it have happened?

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{bail, ensure};
use hourglass_events::{Digest, Seq};
use hourglass_kernel::Fleet;
use hourglass_kernel::checkpoint::LAYOUT;

use super::{NotedDigest, Which};
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
    let mut states = States { noted: log.digests()?, ..States::default() };
    let mut met = arguments.head.is_none();
    log.check(
        |_, _, _, digest| met |= arguments.head.as_deref() == Some(digest.to_string().as_str()),
        |fleet| states.compare(fleet),
    )?;
    let checkpoint = log.check_checkpoint()?;
    let fleet = log.replay().fleet();
    let (groups, bytes) = log.read();
    ensure!(met, "no record has the digest that was noted; records are missing, or this is another log");
    paint::say(format!("{}: intact", log.path().display()));
    paint::say(format!("  {} records in {groups} groups, {bytes} bytes", fleet.seq()));
    paint::say(format!("  head {}", fleet.head()));
    if let Some(slot) = checkpoint {
        paint::say(format!("  holds slot {slot}, which the checkpoint stands on"));
    }
    states.tell();
    paint::say(format!(
        "  checked in {:.2} s: every byte, the chain, every transition",
        begun.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// What the log says its states were, and how that compares.
#[derive(Debug, Default)]
struct States {
    /// Those not come to yet.
    noted: BTreeMap<Seq, Vec<NotedDigest>>,
    /// How many were the same, and the last record folded into the latest of them.
    same: u64,
    latest: Seq,
    /// How many are of a state as another build lays it out.
    foreign: u64,
}

impl States {
    /// Compare what is noted of this state. The first that differs ends it: all later states stand on it.
    fn compare(&mut self, fleet: &Fleet) -> anyhow::Result<()> {
        while let Some(entry) = self.noted.first_entry().filter(|entry| *entry.key() <= fleet.seq()) {
            let (through, noted) = entry.remove_entry();
            let (ours, others): (Vec<_>, Vec<_>) =
                noted.into_iter().partition(|noted| noted.layout == LAYOUT);
            self.foreign += others.len() as u64;
            let Some(first) = ours.first() else { continue };
            if through < fleet.seq() {
                bail!(
                    "record {} notes a digest of the state at record {through}, where no group ends",
                    first.by
                );
            }
            let found = Digest::of(&fleet.to_bytes());
            if let Some(wrong) = ours.iter().find(|noted| noted.digest != found) {
                bail!(
                    "the state at record {through} is not what it was: record {} noted its digest as {}, and folding \
                     the log gives {found}; {}. Either this build folds differently than the one that wrote the log, \
                     or somebody wrote the log anew",
                    wrong.by,
                    wrong.digest,
                    self.known_good()
                );
            }
            self.same += 1;
            self.latest = through;
        }
        Ok(())
    }

    fn known_good(&self) -> String {
        match self.same {
            0 => "no earlier state is noted".to_owned(),
            _ => format!("up to record {} the states are the same", self.latest),
        }
    }

    fn tell(&self) {
        if self.same > 0 {
            let latest = self.latest;
            paint::say(format!("  {} noted states are the same, the latest at record {latest}", self.same));
        }
        if self.foreign > 0 {
            paint::say(format!(
                "  {} noted states are laid out by another build: not compared",
                self.foreign
            ));
        }
    }
}

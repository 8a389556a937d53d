//! The digests of states that a log notes of itself, compared with what this build folds.

use std::collections::BTreeMap;

use hourglass_events::{Digest, Event, Seq, ShardEvent};
use hourglass_kernel::Fleet;
use hourglass_kernel::checkpoint::LAYOUT;

use super::past::Past;

/// That a record notes the digest of a state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noted {
    /// The record.
    pub(super) by: Seq,
    /// The digest.
    pub(super) digest: Digest,
}

/// A state that is not what was noted of it. All later ones stand on it.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error(
    "the state at record {through} is not what it was: record {} noted its digest as {}, and folding the log gives {found}",
    noted.by, noted.digest
)]
pub(super) struct Differs {
    /// The last record folded into it.
    pub(super) through: Seq,
    /// What was noted.
    pub(super) noted: Noted,
    /// The digest of what this build folds.
    found: Digest,
}

/// What a log says its states were, and how that compares.
#[derive(Debug, Default)]
pub(super) struct States {
    /// Those not come to yet, by the last record folded into each.
    noted: BTreeMap<Seq, Vec<Noted>>,
    /// How many were the same.
    pub(super) same: u64,
    /// The last record folded into the latest of these.
    pub(super) latest: Seq,
    /// How many are of a state as another build lays it out.
    pub(super) foreign: u64,
}

impl States {
    /// What is noted in `past`, of which nothing has been read yet.
    pub(super) fn noted(past: &Past) -> anyhow::Result<Self> {
        let mut states = Self::default();
        past.of_shard(|record| {
            let Event::Shard(ShardEvent::StateHashed { layout, hash, through }) = record.event else {
                return;
            };
            if layout == LAYOUT {
                let noted = Noted { by: record.seq, digest: Digest(hash) };
                states.noted.entry(through).or_default().push(noted);
            } else {
                states.foreign += 1;
            }
        })?;
        Ok(states)
    }

    /// Compare what is noted of this state.
    pub(super) fn compare(&mut self, fleet: &Fleet) -> Result<(), Differs> {
        let through = fleet.seq();
        let Some(noted) = self.noted.remove(&through) else { return Ok(()) };
        let found = Digest::of(&fleet.to_bytes());
        if let Some(noted) = noted.into_iter().find(|noted| noted.digest != found) {
            return Err(Differs { through, noted, found });
        }
        (self.same, self.latest) = (self.same + 1, through);
        Ok(())
    }

    /// How far the states are known to be the same.
    pub(super) fn known_good(&self) -> String {
        match self.same {
            0 => "no earlier state is noted".to_owned(),
            _ => format!("up to record {} the states are the same", self.latest),
        }
    }
}

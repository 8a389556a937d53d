//! `hourglass diverge`: where this build begins to fold a log differently than the one that wrote it.

use std::collections::VecDeque;
use std::path::PathBuf;

use anyhow::bail;

use super::Which;
use super::states::{Differs, States};
use crate::paint;

/// The most records that are shown of those between the last state that is the same and the first that is not.
const SHOWN_MOST: usize = 40;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Look into this export; the same as --export.
    file: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut past = arguments.which.or(arguments.file.as_ref()).past()?;
    let mut states = States::noted(&past)?;
    let mut between = VecDeque::new();
    let mut dropped = 0_u64;
    let found = past.each(|moment| {
        between.push_back(paint::record(moment.record));
        if between.len() > SHOWN_MOST {
            between.pop_front();
            dropped += 1;
        }
        let same = states.same;
        states.compare(moment.fleet)?;
        if states.same > same {
            between.clear();
            dropped = 0;
        }
        Ok(())
    });
    match found {
        Ok(()) => {
            tell(&states);
            Ok(())
        }
        Err(error) => match error.downcast_ref::<Differs>() {
            Some(differs) => diverged(*differs, &states, &between, dropped),
            None => Err(error),
        },
    }
}

fn diverged(
    differs: Differs,
    states: &States,
    between: &VecDeque<String>,
    dropped: u64,
) -> anyhow::Result<()> {
    let through = differs.through;
    paint::say(match states.same {
        0 => format!("the first state that is noted, at record {through}, differs already"),
        _ => {
            format!("the states are the same up to record {}, and differ at record {through}", states.latest)
        }
    });
    paint::say("what happened in between, and one of these is folded differently:");
    if dropped > 0 {
        paint::say(format!("  … {dropped} records before these"));
    }
    between.iter().for_each(paint::say);
    bail!("{differs}")
}

fn tell(states: &States) {
    paint::say(match (states.same, states.foreign) {
        (0, 0) => "the log notes no digests of its states: there is nothing to compare".to_owned(),
        (0, foreign) => {
            format!("all {foreign} noted states are laid out by other builds: this one cannot compare them")
        }
        (same, 0) => format!("all {same} noted states are the same, the latest at record {}", states.latest),
        (same, foreign) => format!(
            "{same} noted states are the same, the latest at record {}; {foreign} are laid out by other builds",
            states.latest
        ),
    });
}

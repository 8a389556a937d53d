//! `hourglass timeline`: what a sandbox went through, step by step.

use std::path::PathBuf;

use anyhow::Context as _;
use hourglass_events::Timestamp;
use hourglass_projections::timeline::{Stay, Story, drawing};
use hourglass_projections::{Keep, Projection as _, Timeline};

use super::cast::Cast;
use super::when::When;
use super::{Which, picture};
use crate::paint;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// The sandbox, deleted perhaps.
    #[arg(value_name = "ID|NAME")]
    sandbox: String,
    /// Tell it as of this record or the end of this time.
    #[arg(long, value_name = "SEQ|TIME")]
    until: Option<When>,
    /// Draw it into this file as well.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let (mut timeline, mut cast) = (Timeline::new(Keep::Everyone), Cast::default());
    let mut past = arguments.which.past()?;
    past.until(arguments.until, |moment| {
        cast.take_in(&moment);
        timeline.apply(moment.record)?;
        Ok(())
    })?;
    let id = cast.find(&arguments.sandbox)?;
    let story = timeline.of(id).context("a sandbox without a story cannot be")?;
    tell(story, timeline.at());
    match &arguments.svg {
        Some(path) => picture::save(path, &drawing::svg(story, timeline.at(), &picture::clock)),
        None => Ok(()),
    }
}

fn tell(story: &Story, until: Timestamp) {
    paint::say(format!("{} ({})", story.name, story.sandbox));
    for Stay { step, length, lasts } in story.stays(until) {
        let length = if lasts { format!("{length} so far") } else { length.to_string() };
        let said = format!("{} {}", step.event.kind(), paint::gist(&step.event));
        paint::say(format!(
            "{:>6} {} {:<17} {length:>16}  {:<52} {} · {}",
            step.seq.0,
            paint::time(step.at),
            step.state.title(),
            said.trim_end(),
            step.cause,
            step.actor
        ));
    }
}

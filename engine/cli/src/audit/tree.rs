//! `hourglass tree`: who was forked from whom, and who is linked to whom.

use std::path::PathBuf;

use hourglass_events::{SandboxId, Span, Timestamp};
use hourglass_projections::forest::drawing;
use hourglass_projections::links::Network;
use hourglass_projections::{Forest, Keep, Links, Projection as _};

use super::cast::Cast;
use super::when::When;
use super::{Which, picture};
use crate::paint;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Only the tree and the network that this sandbox is in.
    #[arg(value_name = "ID|NAME")]
    sandbox: Option<String>,
    /// As of this record or the end of this time.
    #[arg(long, value_name = "SEQ|TIME")]
    until: Option<When>,
    /// Print the trees for Graphviz instead.
    #[arg(long)]
    dot: bool,
    /// Draw the trees into this file as well.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let (mut forest, mut links, mut cast) = (Forest::new(Keep::Everyone), Links::new(), Cast::default());
    arguments.which.past()?.until(arguments.until, |moment| {
        cast.take_in(&moment);
        forest.apply(moment.record)?;
        links.apply(moment.record)?;
        Ok(())
    })?;
    let only = arguments.sandbox.as_ref().map(|text| cast.find(text)).transpose()?;
    let roots: Vec<SandboxId> = match only {
        None => forest.roots().iter().map(|root| root.sandbox).collect(),
        Some(id) => forest.root(id).iter().map(|root| root.sandbox).collect(),
    };
    if arguments.dot {
        paint::raw(drawing::dot(&forest, &roots, &clock).as_bytes());
    } else {
        for root in &roots {
            drawing::text(&forest, *root, only, &clock).iter().for_each(paint::say);
        }
        let networks = match only {
            None => links.networks().collect(),
            Some(id) => links.of(id).into_iter().collect::<Vec<_>>(),
        };
        networks.iter().for_each(network);
        if roots.is_empty() && networks.is_empty() {
            paint::say(match only {
                None => "nobody was forked, and nobody is linked",
                Some(_) => "it was not forked, is no fork, and is not linked",
            });
        }
    }
    match &arguments.svg {
        Some(path) => picture::save(path, &drawing::svg(&forest, &roots, only, &clock)),
        None => Ok(()),
    }
}

fn clock(at: Timestamp, _: Span) -> String {
    paint::time(at)
}

fn network(network: &Network) {
    let [name, _] = &network.parent.aliases;
    paint::say(format!("link network of {name}; each answers to its name and its id"));
    for (whose, member) in
        [("parent", &network.parent)].into_iter().chain(network.children.iter().map(|child| ("child", child)))
    {
        let [name, id] = &member.aliases;
        paint::say(format!("  {whose:<7} {name:<24} {:<16} {id}", member.state.title()));
    }
}

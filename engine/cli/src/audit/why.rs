//! `hourglass why`: the chain of causes that brought a sandbox into its state, and what is owed to it next.

mod next;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use hourglass_events::{Record, Sandbox, SandboxId, Seq, Subject};
use hourglass_kernel::Fleet;

use super::Which;
use super::cast::{Cast, Known};
use super::chain::{History, Origin};
use super::when::When;
use crate::paint;

/// The most records of a chain that are shown.
const CHAIN_MOST: usize = 40;
/// The most records behind the one that led into the state.
const LATER_MOST: usize = 10;
/// The most sandboxes whose records a chain goes through.
const SANDBOXES_MOST: usize = 8;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// The sandbox, deleted perhaps.
    #[arg(value_name = "ID|NAME")]
    sandbox: String,
    /// Why it was as it was right after this record, or at the end of this time.
    #[arg(long, value_name = "SEQ|TIME")]
    until: Option<When>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut cast = Cast::default();
    let mut past = arguments.which.past()?;
    past.until(arguments.until, |moment| {
        cast.take_in(&moment);
        Ok(())
    })?;
    let id = cast.find(&arguments.sandbox)?;
    let known = cast.of(id).context("a sandbox that was found is known")?.clone();
    let fleet = past.fleet().clone();
    // A log is open once at a time.
    drop(past);
    let mut ids = vec![id];
    let mut links = loop {
        let found = gather(arguments, &ids)?;
        match chain(&found, &fleet, id) {
            // The chain goes on in the records of a parent, which have to be read first.
            Err(parent) if ids.len() < SANDBOXES_MOST => ids.push(parent),
            Err(_) => anyhow::bail!("the chain of causes goes through more than {SANDBOXES_MOST} sandboxes"),
            Ok(links) => break (found, links),
        }
    };
    tell(&fleet, id, &known, &mut links)
}

/// The records of some sandboxes.
type Histories = BTreeMap<SandboxId, History>;

fn gather(arguments: &Arguments, ids: &[SandboxId]) -> anyhow::Result<Histories> {
    let mut histories: Histories = ids.iter().map(|id| (*id, History::default())).collect();
    let mut last = BTreeMap::<SandboxId, Arc<Sandbox>>::new();
    arguments.which.past()?.until(arguments.until, |moment| {
        let Subject::Sandbox(id) = moment.record.subject else { return Ok(()) };
        let Some(history) = histories.get_mut(&id) else { return Ok(()) };
        history.take_in(moment.record, last.get(&id));
        match moment.fleet.sandbox(id) {
            Some(sandbox) => drop(last.insert(id, Arc::clone(sandbox))),
            None => drop(last.remove(&id)),
        }
        Ok(())
    })?;
    Ok(histories)
}

/// What led into the state of a sandbox.
struct Links {
    /// The records, latest first, each with whose it is.
    chain: Vec<(SandboxId, Seq)>,
    /// What is said where the chain ends, if it does not end outside the log.
    end: Option<&'static str>,
}

/// The chain of `id`, or the parent whose records it needs.
fn chain(histories: &Histories, fleet: &Fleet, id: SandboxId) -> Result<Links, SandboxId> {
    let mut links = Links { chain: Vec::new(), end: None };
    let entered = histories.get(&id).and_then(|history| history.entered(now(fleet, id)));
    let mut next = entered.map(|seq| (id, seq));
    while let Some((id, seq)) = next {
        if links.chain.len() == CHAIN_MOST {
            links.end = Some("… and so on");
            break;
        }
        links.chain.push((id, seq));
        let Some(history) = histories.get(&id) else { break };
        next = match history.came_from(seq, now(fleet, id)) {
            Origin::Record(seq) => Some((id, seq)),
            Origin::Outside => None,
            Origin::Forgotten => {
                links.end = Some("… from a record that lies too far back");
                None
            }
            Origin::Parent(parent) => {
                let history = histories.get(&parent).ok_or(parent)?;
                history.told(seq, now(fleet, parent)).map(|seq| (parent, seq))
            }
        };
    }
    Ok(links)
}

fn now(fleet: &Fleet, id: SandboxId) -> Option<&Sandbox> {
    fleet.sandbox(id).map(Arc::as_ref)
}

fn tell(fleet: &Fleet, id: SandboxId, known: &Known, found: &mut (Histories, Links)) -> anyhow::Result<()> {
    let (histories, links) = found;
    let name = &known.name;
    let upto = format!("up to record {}, {}", fleet.seq(), paint::time(fleet.at()));
    match (now(fleet, id), known.gone) {
        (Some(sandbox), _) => {
            let (since, length) = (paint::time(sandbox.since), fleet.at().since(sandbox.since));
            paint::say(format!("{name} ({id}) is {} since {since}, for {length} ({upto})", sandbox.state));
        }
        (None, Some((_, at))) => {
            paint::say(format!("{name} ({id}) is Deleted since {} ({upto})", paint::time(at)));
        }
        (None, None) => anyhow::bail!("{name} ({id}) is in the log and not in its state"),
    }
    let of = |id: &SandboxId, seq| histories.get(id).and_then(|history| history.record(seq));
    paint::say("because");
    for (whose, seq) in &links.chain {
        let Some(record) = of(whose, *seq) else { continue };
        let other = if *whose == id { String::new() } else { format!("  (of {whose})") };
        paint::say(format!("{}{other}", paint::record(record)));
    }
    links.end.iter().for_each(paint::say);
    if let (Some((_, entered)), Some(history)) = (links.chain.first(), histories.get(&id)) {
        later(&history.since(*entered).collect::<Vec<_>>());
    }
    paint::say("next");
    match fleet.sandbox(id) {
        Some(sandbox) => next::owed(fleet, sandbox).iter().for_each(|line| paint::say(format!("  {line}"))),
        None => paint::say("  nothing: it is gone"),
    }
    Ok(())
}

/// What happened since, without changing its state.
fn later(records: &[&Record]) {
    if records.is_empty() {
        return;
    }
    paint::say("since then");
    let shown = &records[records.len().saturating_sub(LATER_MOST)..];
    if shown.len() < records.len() {
        paint::say(format!("  … {} records before these", records.len() - shown.len()));
    }
    shown.iter().for_each(|record| paint::say(paint::record(record)));
}

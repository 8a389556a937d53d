//! What a seed switched on. A swarm of seeds covers the combinations: each fault is off in about half of them, because
//! a world in which everything fails all the time never gets far enough to fail in an interesting way.

use hourglass_events::Span;
use hourglass_kernel::Terms;

use crate::dice::{Dice, Rate};

/// Everything a run is decided by, but for the draws themselves.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// How long the faults are on.
    pub length: Span,
    /// How many clients there are.
    pub clients: u64,
    /// How many organizations they belong to.
    pub organizations: u64,
    /// A client's mean pause between two requests.
    pub think: Span,
    /// How many hosts there are.
    pub hosts: u64,
    /// How many sandboxes of the default size a host says it can take.
    pub room: u32,
    /// The mean pause between two commands run on a host.
    pub use_pause: Span,
    /// The longest that a message between parts of the world takes.
    pub latency: Span,
    /// The most a writer's clock differs from true time.
    pub skew: Span,
    /// The most records a writer lets wait for its group in flight.
    pub staged: usize,
    /// What the log does.
    pub log: LogFaults,
    /// What happens to writers.
    pub engine: EngineFaults,
    /// What happens to hosts.
    pub host: HostFaults,
    /// What happens between clients and writers.
    pub client: ClientFaults,
    /// A defect planted by a test, never by a seed.
    pub planted: Option<Planted>,
}

/// What goes wrong with appends and reads.
#[derive(Debug, Clone, Default)]
pub struct LogFaults {
    /// The frame is lost, and so is the answer.
    pub lost: Rate,
    /// The frame is stored, the answer is lost.
    pub unanswered: Rate,
    /// The answer is doubt; the frame arrives later, perhaps never.
    pub late: Rate,
    /// The answer comes twice.
    pub twice: Rate,
    /// A read of an occupied slot finds it empty.
    pub stale: Rate,
    /// The storage breaks under the append; it may have been stored or not.
    pub broken: Rate,
    /// The mean pause between two times without room.
    pub full_every: Option<Span>,
}

/// What happens to writers.
#[derive(Debug, Clone, Default)]
pub struct EngineFaults {
    /// The writer dies after an output, before the next.
    pub crash: Rate,
    /// The mean pause between two takeovers by a rival.
    pub rival_every: Option<Span>,
    /// Hosts and clients go to a writer that was replaced, as long as it lives.
    pub astray: Rate,
    /// The mean pause between two checkpoints.
    pub checkpoint_every: Span,
}

/// What happens to hosts.
#[derive(Debug, Clone, Default)]
pub struct HostFaults {
    /// A step fails.
    pub fails: Rate,
    /// A step takes minutes.
    pub hangs: Rate,
    /// A life ends by itself.
    pub exits: Rate,
    /// A report is heard twice.
    pub twice: Rate,
    /// A report of a former connection is heard after the next was made.
    pub straggles: Rate,
    /// The mean pause between two deaths of the agent, its sandboxes living on.
    pub die_every: Option<Span>,
    /// Such a death is one of the whole machine.
    pub reboots: Rate,
    /// Such a machine stays away for longer than there is patience for.
    pub gone: Rate,
    /// The longest a host stays away.
    pub away: Span,
    /// The mean pause between two losses of its connection.
    pub unlink_every: Option<Span>,
    /// What the ledger has not written out when the agent dies.
    pub ledger_lag: Span,
    /// The ledger itself is lost with the agent.
    pub ledger_lost: Rate,
}

/// What happens between clients and writers.
#[derive(Debug, Clone, Default)]
pub struct ClientFaults {
    /// A request is lost on its way.
    pub asked_lost: Rate,
    /// A reply is lost on its way.
    pub told_lost: Rate,
    /// A client repeats a request that was answered.
    pub repeats: Rate,
}

/// A defect planted in the world, which the invariants have to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// A client is told of a request before it is durable.
    EarlyReply,
    /// A host carries out an order it has done before.
    EffectTwice,
    /// The log forgets a frame it acknowledged, at the writer's crash.
    FrameDropped,
    /// The log lets a writer overwrite another's frame.
    FrameOverwritten,
    /// Hosts say that sandboxes were used longer ago than they were.
    AgesTooHigh,
    /// Hosts say that they have removed what they keep.
    RemovalSkipped,
}

impl Plan {
    /// What `seed` switches on.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let dice = &mut Dice::named(seed, "plan", 0);
        let hosts = dice.between(1, 3);
        Self {
            seed,
            length: Span::seconds(dice.between(240, 900)),
            clients: dice.between(1, 4),
            organizations: dice.between(1, 2),
            think: Span::seconds(dice.between(2, 20)),
            hosts,
            room: u32::try_from(dice.between(2, 6)).expect("a small number fits"),
            use_pause: Span::seconds(dice.between(10, 120)),
            latency: Span::millis(dice.between(2, 800)),
            skew: Span::millis(if dice.chance(HALF) { dice.between(0, 900) } else { 0 }),
            staged: if dice.chance(Rate(2_000)) {
                usize::try_from(dice.between(2, 6)).expect("it fits")
            } else {
                8_192
            },
            log: LogFaults::draw(dice),
            engine: EngineFaults::draw(dice),
            host: HostFaults::draw(dice),
            client: ClientFaults::draw(dice),
            planted: None,
        }
    }

    /// The terms writers decide on. Short, so that deadlines pass within a run.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            pull: Span::seconds(90),
            create: Span::seconds(60),
            boot: Span::seconds(40),
            grace: Span::seconds(5),
            stop: Span::seconds(20),
            pause: Span::seconds(30),
            resume: Span::seconds(40),
            resize: Span::seconds(30),
            fork: Span::seconds(30),
            archive: Span::seconds(40),
            build: Span::seconds(60),
            capture: Span::seconds(40),
            backup: Some(Span::seconds(20)),
            restore: Span::seconds(90),
            suspect: Span::seconds(15),
            lose: LOSE,
            retry_most: Span::seconds(30),
            ..Terms::default()
        }
    }
}

impl LogFaults {
    fn draw(dice: &mut Dice) -> Self {
        Self {
            lost: sometimes(dice, 1_500),
            unanswered: sometimes(dice, 1_500),
            late: sometimes(dice, 1_500),
            twice: sometimes(dice, 2_000),
            stale: sometimes(dice, 3_000),
            broken: sometimes(dice, 150),
            full_every: every(dice, 60, 300),
        }
    }
}

impl EngineFaults {
    fn draw(dice: &mut Dice) -> Self {
        Self {
            crash: sometimes(dice, 120),
            rival_every: every(dice, 30, 240),
            astray: sometimes(dice, 4_000),
            checkpoint_every: Span::seconds(dice.between(10, 120)),
        }
    }
}

impl HostFaults {
    fn draw(dice: &mut Dice) -> Self {
        Self {
            fails: sometimes(dice, 2_000),
            hangs: sometimes(dice, 700),
            exits: sometimes(dice, 4_000),
            twice: sometimes(dice, 3_000),
            straggles: sometimes(dice, 5_000),
            die_every: every(dice, 30, 240),
            reboots: sometimes(dice, 4_000),
            gone: sometimes(dice, 8_000),
            away: Span::seconds(dice.between(2, 180)),
            unlink_every: every(dice, 20, 200),
            ledger_lag: Span::millis(if dice.chance(HALF) { dice.between(1, 120) } else { 0 }),
            ledger_lost: sometimes(dice, 2_000),
        }
    }
}

impl ClientFaults {
    fn draw(dice: &mut Dice) -> Self {
        Self {
            asked_lost: sometimes(dice, 1_000),
            told_lost: sometimes(dice, 1_500),
            repeats: sometimes(dice, 3_000),
        }
    }
}

/// How long a suspected host may stay away. Longer than an agent does whose sandboxes live on without it, and longer
/// than a writer that was replaced keeps a host from the next.
const LOSE: Span = Span::seconds(300);

/// How long a machine stays away that is lost for it.
pub(crate) const GONE: Span = Span::seconds(380);

const HALF: Rate = Rate(5_000);

/// Off in half of the worlds, at most `most` in the others.
fn sometimes(dice: &mut Dice, most: u64) -> Rate {
    let (on, drawn) = (dice.chance(HALF), dice.between(1, most));
    Rate(if on { u32::try_from(drawn).expect("rates are small") } else { 0 })
}

/// Never in half of the worlds, every so many seconds in the others.
fn every(dice: &mut Dice, least: u64, most: u64) -> Option<Span> {
    let (on, drawn) = (dice.chance(HALF), dice.between(least, most));
    on.then_some(Span::seconds(drawn))
}

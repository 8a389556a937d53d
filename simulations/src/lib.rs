//! The Hourglass kernel and host agent in a virtual world, where everything goes wrong and nothing may be wrong.
//!
//! A run is a function of one 64-bit seed. The seed draws a [`plan`]: which faults are on, how often, how many clients,
//! hosts and writers there are. The real [`hourglass_kernel::Shard`] and the real [`hourglass_hostd::Agent`] then live
//! through some minutes of virtual time against a log, machines, a network and clients made of dice. There is no
//! wall clock, no thread, no waiting and no hash order here; time jumps to whatever is due next.
//!
//! ```text
//!   clients ──requests──▶ ┌────────┐ ──appends──▶ ┌─────┐     truth: what the log holds, folded as it is stored
//!           ◀──replies─── │ engines│              │ log │ ──▶ invariants: one sentence each, checked at every step
//!   hosts   ───news─────▶ │ (1..n) │ ◀─outcomes── └─────┘     coverage: the edges of THE TABLE that were taken
//!           ◀──calls───── └────────┘
//! ```
//!
//! Each run has two phases. While the faults are on, nothing may ever be wrong ([`invariants`]). Then they stop, and
//! everything has to come to rest within bounds of time and records (`settle`).
//!
//! # Reading a trace
//!
//! One line per event, beginning with the virtual time in seconds since the world began, then who:
//!
//! | who | what follows |
//! | --- | --- |
//! | `log` | a frame stored (`= slot`), lost (`x`), late (`~`), refused for want of room (`full`) or the store broken (`!`) |
//! | `eN` | writer N: `opens`, `serves`, `appends`, `is told`, `halts`, `crashes`, `checkpoints`, `hears` host news |
//! | `rec` | one record as it became durable: sequence, subject, version, event, cause |
//! | `hN` | host N: `agent up`, `agent dies`, `reboots`, `links`, `unlinked`, `ordered`, `step`, `ended`, `exits` |
//! | `cN` | client N: `asks`, `is told`, `gives up waiting` |
//! | `!!` | the law that was broken |
//!
//! # Exit codes of `simulate`
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | everything held |
//! | 10 | safety: a law was broken |
//! | 11 | liveness: the world did not come to rest |
//! | 12 | a defect the kernel itself noticed: it halted on its own decision or could not read its own log |
//! | 13 | determinism: the same seed went two ways |
//! | 14 | something panicked |

mod agenda;
pub mod coverage;
pub mod dice;
pub mod invariants;
mod machine;
pub mod plan;
pub mod run;
mod settle;
mod sim_client;
mod sim_engine;
mod sim_host;
mod sim_link;
mod sim_log;
mod trace;
mod truth;
mod world;

pub use plan::{Plan, Planted};
pub use run::{Failure, Report, log_of, run};

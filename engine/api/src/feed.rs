//! The feed: what happened in an organization, one record a line, from any position; and on request each new one as it
//! becomes durable, without gap or repeat. It is ours: the public contract has nothing like it.
//!
//! A reader that is slow is waited for, since what it has not seen is read from the log again. Nothing is kept of who
//! has seen what: a reader that comes back names the position it wants.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use hourglass_engine::{Lagged, Subscription};
use hourglass_events::{OrganizationId, Record, SandboxId, Seq, Subject};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, interval_at};

use crate::caller::Caller;
use crate::document::parameter::Parameter;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::shared::Shared;
use crate::wire;

/// The type of an answer.
pub(crate) const LINES: &str = "application/x-ndjson";
/// The header that names the position of the first record an answer could begin with.
const POSITION: &str = "hourglass-position";

/// What a reader says.
pub(crate) fn parameters() -> Vec<Parameter> {
    vec![
        Parameter::whole(
            "from",
            1,
            None,
            "The position to begin with. Unless given, the first; when following, the next there will be.",
        ),
        Parameter::text("sandbox", "Only what happened to this sandbox, by id or name."),
        Parameter::flag("follow", "Go on with each new record as it becomes durable."),
    ]
}

pub(crate) async fn read(
    State(shared): State<Shared>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Response, Problem> {
    let positive = |text: &str| text.parse().ok().filter(|seq: &u64| *seq > 0).map(Seq);
    let from = parameters.read("from", "a whole number from 1 on", positive)?;
    let follow = parameters.read("follow", "true or false", |text| text.parse().ok())?.unwrap_or(false);
    let sandbox = parameters.one("sandbox").map(|text| named(&caller, &text)).transpose()?;
    parameters.end()?;
    let organization = caller.organization();
    let shard = shared.engine.shard_of(organization);
    let latest = shared.engine.view(shard).fleet().seq();
    let from = from.unwrap_or(if follow { latest.next() } else { Seq(1) });
    let reader = Reader {
        records: shared.engine.subscribe(shard, from),
        wanted: Wanted { organization, sandbox },
        last: if follow { None } else { Some(latest) },
        beat: interval_at(Instant::now() + shared.settings.ping, shared.settings.ping),
        _place: shared.gate.connect()?,
        shared,
    };
    let lines = stream::unfold(reader, async |mut reader| {
        let line = reader.line().await?;
        Some((Ok::<_, std::convert::Infallible>(line), reader))
    });
    let headers = [(CONTENT_TYPE.as_str(), LINES.to_owned()), (POSITION, from.0.to_string())];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// The sandbox that is meant. One that is gone has only its id, and a past.
fn named(caller: &Caller, text: &str) -> Result<SandboxId, Problem> {
    text.parse().or_else(|_| Ok(caller.find(text)?.id))
}

struct Reader {
    shared: Shared,
    records: Subscription,
    wanted: Wanted,
    /// The record after which it ends.
    last: Option<Seq>,
    beat: Interval,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    /// The next line: a record, or nothing to tell the two ends that they are still there.
    async fn line(&mut self) -> Option<Bytes> {
        loop {
            if self.last.is_some_and(|last| self.records.position() > last) {
                return None;
            }
            let next = tokio::select! {
                next = self.records.next() => next,
                _ = self.beat.tick() => return Some(Bytes::from_static(b"\n")),
                () = self.shared.gate.closing() => return None,
            };
            match next {
                Ok(entry) if self.wanted.is(&entry.record) => {
                    return Some(wire::record::line(&entry.record).into());
                }
                Ok(_) => {}
                Err(Lagged::Behind { seq }) => {
                    let shard = self.shared.engine.shard_of(self.wanted.organization);
                    self.records = self.shared.engine.subscribe(shard, seq);
                }
                Err(error @ (Lagged::Unreadable { .. } | Lagged::Ended { .. })) => {
                    tracing::warn!(%error, "a feed ends");
                    return None;
                }
            }
        }
    }
}

/// Which records are told.
struct Wanted {
    organization: OrganizationId,
    sandbox: Option<SandboxId>,
}

impl Wanted {
    fn is(&self, record: &Record) -> bool {
        record.organization == self.organization
            && self.sandbox.is_none_or(|sandbox| record.subject == Subject::Sandbox(sandbox))
    }
}

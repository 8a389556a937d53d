//! Follows the log for all event sockets: one follower a shard, and only while somebody listens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use hourglass_engine::Engine;
use hourglass_events::{OrganizationId, Record, Sandbox, ShardNumber, State, Subject};
use hourglass_projections::{ApplyError, Projection as _, Roster};
use tokio::sync::broadcast;

use super::frame;
use crate::settings::Settings;

/// A change of state, as the packet that tells it.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) organization: OrganizationId,
    pub(crate) packet: Utf8Bytes,
}

/// A sandbox whose state changed, and the state before, if it had one.
type Moved = (Arc<Sandbox>, Option<State>);

#[derive(Debug)]
pub(crate) struct Hub {
    engine: Engine,
    settings: Settings,
    followed: Mutex<BTreeMap<ShardNumber, broadcast::Sender<Change>>>,
}

impl Hub {
    pub(crate) const fn new(engine: Engine, settings: Settings) -> Self {
        Self { engine, settings, followed: Mutex::new(BTreeMap::new()) }
    }

    /// Every change in `organization`'s shard from now on.
    pub(crate) fn listen(self: &Arc<Self>, organization: OrganizationId) -> broadcast::Receiver<Change> {
        let shard = self.engine.shard_of(organization);
        let mut followed = self.followed();
        if let Some(changes) = followed.get(&shard) {
            return changes.subscribe();
        }
        let (changes, receiver) = broadcast::channel(self.settings.backlog.max(1));
        followed.insert(shard, changes.clone());
        // Taken here and not in the task: what changes from now on is heard.
        let roster = self.engine.view(shard).roster(Clone::clone);
        tokio::spawn(Arc::clone(self).follow(shard, roster, changes));
        receiver
    }

    /// Tells changes until nobody listens. If the log cannot be followed, all sockets of the shard are closed by that;
    /// their clients ask for what they missed and connect again.
    async fn follow(
        self: Arc<Self>,
        shard: ShardNumber,
        mut roster: Roster,
        changes: broadcast::Sender<Change>,
    ) {
        let mut records = self.engine.subscribe(shard, roster.applied().next());
        loop {
            let entry = match records.next().await {
                Ok(entry) => entry,
                Err(error) => {
                    tracing::warn!(%shard, %error, "event sockets are closed");
                    break;
                }
            };
            match Self::take_in(&mut roster, &entry.record) {
                Ok(Some((sandbox, old))) => {
                    let _ = changes.send(self.change(&sandbox, old).await);
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%shard, %error, "event sockets are closed, which is a defect");
                    break;
                }
            }
            let mut followed = self.followed();
            // Nobody can begin to listen while this is held.
            if changes.receiver_count() == 0 {
                followed.remove(&shard);
                return;
            }
        }
        self.followed().remove(&shard);
    }

    /// The sandbox whose state `record` changed, and the state before, if it had one.
    fn take_in(roster: &mut Roster, record: &Record) -> Result<Option<Moved>, ApplyError> {
        let Subject::Sandbox(id) = record.subject else {
            roster.apply(record)?;
            return Ok(None);
        };
        let old = roster.by_id(id).map(|sandbox| sandbox.state);
        roster.apply(record)?;
        let changed = roster.by_id(id).filter(|sandbox| Some(sandbox.state) != old);
        Ok(changed.map(|sandbox| (Arc::clone(sandbox), old)))
    }

    async fn change(&self, sandbox: &Sandbox, old: Option<State>) -> Change {
        let values = self.engine.values(sandbox).await;
        let packet = match old {
            Some(old) => frame::changed(sandbox, old, &values, &self.settings),
            None => frame::created(sandbox, &values, &self.settings),
        };
        Change { organization: sandbox.organization, packet: packet.into() }
    }

    fn followed(&self) -> MutexGuard<'_, BTreeMap<ShardNumber, broadcast::Sender<Change>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

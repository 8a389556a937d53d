//! Prints each record as it becomes durable.

use hourglass_engine::{Engine, Lagged, Subscription};
use hourglass_events::{Seq, ShardNumber};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::paint;

/// A task that prints.
pub(super) struct Narrator {
    shard: ShardNumber,
    printed: watch::Receiver<Seq>,
    task: JoinHandle<()>,
}

impl Narrator {
    /// Print every record of `shard` from here on.
    pub(super) fn start(engine: &Engine, shard: ShardNumber) -> Self {
        let from = engine.view(shard).fleet().seq();
        let records = engine.subscribe(shard, from.next());
        let (tell, printed) = watch::channel(from);
        let task = tokio::spawn(print(engine.clone(), shard, records, tell));
        Self { shard, printed, task }
    }

    /// Wait until everything durable by now is printed.
    pub(super) async fn catch_up(&mut self, engine: &Engine) {
        let latest = engine.view(self.shard).fleet().seq();
        // The printer ends only with the engine; then there is nothing more to wait for.
        let _ = self.printed.wait_for(|printed| *printed >= latest).await;
    }
}

impl Drop for Narrator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn print(engine: Engine, shard: ShardNumber, mut records: Subscription, tell: watch::Sender<Seq>) {
    loop {
        match records.next().await {
            Ok(entry) => {
                paint::say(paint::record(&entry.record));
                tell.send_replace(entry.record.seq);
            }
            Err(Lagged::Behind { seq }) => records = engine.subscribe(shard, seq),
            Err(Lagged::Unreadable { .. } | Lagged::Ended { .. }) => return,
        }
    }
}

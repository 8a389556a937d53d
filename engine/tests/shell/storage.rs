//! What happens to an engine when its storage fails or somebody else writes to its log.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hourglass_engine::log::memory::{MemoryLog, Mishap};
use hourglass_engine::log::{EventLog, Frame, Outcome, ReadError, Slot};
use hourglass_engine::{AskError, Ended, Engine, EngineError, Settings, Store};
use hourglass_events::{Refusal, ShardNumber, State};
use hourglass_kernel::Halt;

use crate::world::World;

/// A store on one log, and the handle that the engine uses now.
fn scripted() -> (Store, Arc<Mutex<Arc<MemoryLog>>>) {
    let first = Arc::new(MemoryLog::new());
    let present = Arc::new(Mutex::new(Arc::clone(&first)));
    let given = Arc::clone(&present);
    let store = Store::logs(move |_| {
        let handle = Arc::new(first.handle());
        *given.lock().expect("nobody panicked") = Arc::clone(&handle);
        handle
    });
    (store, present)
}

fn quick() -> Settings {
    Settings { reopen: Duration::from_millis(1), ..Settings::default() }
}

#[tokio::test]
async fn doubtful_appends_are_sent_again_until_they_are_known() {
    let (store, log) = scripted();
    let world = World::with(store, quick()).await;
    let doubts = [Some(Mishap::AnswerLost), Some(Mishap::FrameLost), Some(Mishap::FrameLost), None];
    log.lock().unwrap().expect(doubts);
    let id = world.started().await;
    world.client.delete(id).await.unwrap();
    world.reach(id, State::Deleted).await;
}

#[tokio::test]
async fn an_engine_whose_storage_breaks_reads_its_log_again_and_goes_on() {
    for mishap in [Mishap::BrokenStored, Mishap::BrokenLost] {
        let (store, log) = scripted();
        let world = World::with(store, quick()).await;
        let id = world.started().await;
        let broken = Arc::clone(&log.lock().unwrap());
        broken.expect([Some(mishap)]);
        let asked = world.client.stop(id).await;
        assert_eq!(asked.unwrap_err(), AskError::Refused(Refusal::Fenced), "the outcome is not known");
        // Asking again is what the answer says; a stop that was stored is then refused or already under way.
        let again = loop {
            match world.client.stop(id).await {
                Err(AskError::Refused(Refusal::Fenced | Refusal::NotReady)) => tokio::task::yield_now().await,
                other => break other,
            }
        };
        assert!(
            matches!(
                again,
                Ok(_) | Err(AskError::Refused(Refusal::WrongState { state: State::Stopped, .. }))
            ),
            "{again:?}"
        );
        world.reach(id, State::Stopped).await;
        world.client.start(id).await.unwrap();
        world.reach(id, State::Started).await;
    }
}

#[tokio::test]
async fn an_engine_that_was_replaced_says_so_and_stays_away() {
    let store = Store::memory();
    let first = World::with(store.clone(), quick()).await;
    let second = World::with(store, quick()).await;
    let refused = first.client.create(|_| {}).await.unwrap_err();
    assert_eq!(refused, AskError::Refused(Refusal::Fenced));
    let closed = loop {
        match first.client.create(|_| {}).await.unwrap_err() {
            AskError::Refused(_) => tokio::task::yield_now().await,
            other @ (AskError::Closed | AskError::Ended { .. } | AskError::Vault { .. }) => break other,
        }
    };
    let shard = ShardNumber(0);
    let why = first.engine.ended(shard).await;
    assert!(matches!(why, Ended::Halted(Halt::Fenced { .. })), "{why:?}");
    assert_eq!(closed, AskError::Ended { shard, why: Box::new(why) });
    second.started().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_store_refuses_new_work_and_goes_on_when_there_is_room() {
    let (store, log) = scripted();
    let world = World::with(store, quick()).await;
    log.lock().unwrap().expect([Some(Mishap::NoSpace), Some(Mishap::NoSpace)]);
    let client = world.client.clone();
    let patient = tokio::spawn(async move { client.create(|_| {}).await });
    // Virtual time moves only once everybody waits: by then the engine has found its store full.
    tokio::time::sleep(Duration::from_millis(10)).await;
    let refused = world.client.create(|_| {}).await.unwrap_err();
    assert_eq!(refused, AskError::Refused(Refusal::StorageFull));
    let kept = patient.await.unwrap().expect("what was taken in is kept until there is room");
    world.reach(kept.id, State::Started).await;
    world.started().await;
}

/// More failures than anybody waits for.
const WITHOUT_END: usize = 10_000;

#[tokio::test(start_paused = true)]
async fn an_engine_does_not_start_on_a_full_store_and_says_so() {
    let log = Arc::new(MemoryLog::new());
    let full = Arc::new(AtomicBool::new(true));
    let (given, is_full) = (Arc::clone(&log), Arc::clone(&full));
    let store = Store::logs(move |_| {
        let handle = Arc::new(given.handle());
        if is_full.load(Ordering::SeqCst) {
            handle.expect(vec![Some(Mishap::NoSpace); WITHOUT_END]);
        }
        handle
    });
    let refused = Engine::builder(store.clone()).start().await.unwrap_err();
    assert!(matches!(refused, EngineError::Ended { why: Ended::Full, .. }), "{refused:?}");
    assert_eq!(
        refused.to_string(),
        "shard 0 could not be taken over in the embedder's storage: its log has no room left; make some and start \
         again, nothing was changed"
    );
    assert!(log.frames().is_empty());
    full.store(false, Ordering::SeqCst);
    World::with(store, quick()).await.started().await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_on_a_full_store_ends_when_it_is_told_to() {
    let (store, log) = scripted();
    let world = World::with(store.clone(), quick()).await;
    log.lock().unwrap().expect(vec![Some(Mishap::NoSpace); WITHOUT_END]);
    let client = world.client.clone();
    let patient = tokio::spawn(async move { client.create(|_| {}).await });
    // Virtual time moves only once everybody waits: by then the engine has found its store full.
    tokio::time::sleep(Duration::from_millis(10)).await;
    world.host.shutdown().await;
    world.engine.shutdown().await;
    assert_eq!(patient.await.unwrap(), Err(AskError::Closed), "what became of it is not known");
    assert_eq!(world.engine.ended(ShardNumber(0)).await, Ended::Shutdown);
    World::with(store, quick()).await.started().await;
}

/// A log that cannot be reached any more once it is `gone`.
#[derive(Debug, Default)]
struct Fading {
    log: MemoryLog,
    gone: Arc<AtomicBool>,
}

#[async_trait]
impl EventLog for Fading {
    async fn append(&self, slot: Slot, frame: Frame) -> Outcome {
        if self.gone.load(Ordering::SeqCst) { Outcome::Broken } else { self.log.append(slot, frame).await }
    }

    async fn read(&self, slot: Slot) -> Result<Option<Frame>, ReadError> {
        if self.gone.load(Ordering::SeqCst) {
            return Err(ReadError::Unavailable { why: "it is not there".to_owned() });
        }
        self.log.read(slot).await
    }

    async fn end(&self) -> Result<Slot, ReadError> {
        self.log.end().await
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_waits_for_its_store_to_come_back_ends_when_it_is_told_to() {
    let (memory, gone) = (MemoryLog::new(), Arc::<AtomicBool>::default());
    let going = Arc::clone(&gone);
    let store = Store::logs(move |_| Arc::new(Fading { log: memory.handle(), gone: Arc::clone(&going) }));
    let world = World::with(store.clone(), quick()).await;
    let id = world.started().await;
    gone.store(true, Ordering::SeqCst);
    assert_eq!(world.client.stop(id).await.unwrap_err(), AskError::Refused(Refusal::Fenced));
    let client = world.client.clone();
    let patient = tokio::spawn(async move { client.stop(id).await });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!patient.is_finished(), "the store may come back");
    world.host.shutdown().await;
    world.engine.shutdown().await;
    assert_eq!(patient.await.unwrap().unwrap_err(), AskError::Closed);
    gone.store(false, Ordering::SeqCst);
    World::with(store, quick()).await.started().await;
}

/// A log whose medium goes bad while it is in use: appends are doubtful, and what they left cannot be read.
#[derive(Debug, Default)]
struct Rotten {
    log: MemoryLog,
    rots: Arc<AtomicBool>,
    reads: Arc<AtomicUsize>,
}

#[async_trait]
impl EventLog for Rotten {
    async fn append(&self, slot: Slot, frame: Frame) -> Outcome {
        if self.rots.load(Ordering::SeqCst) { Outcome::Occupied } else { self.log.append(slot, frame).await }
    }

    async fn read(&self, slot: Slot) -> Result<Option<Frame>, ReadError> {
        if self.rots.load(Ordering::SeqCst) {
            self.reads.fetch_add(1, Ordering::SeqCst);
            return Err(ReadError::Damaged { slot, what: "its check value does not fit".to_owned() });
        }
        self.log.read(slot).await
    }

    async fn end(&self) -> Result<Slot, ReadError> {
        self.log.end().await
    }
}

#[tokio::test]
async fn a_damaged_slot_ends_the_shard_and_is_not_asked_for_for_ever() {
    let (memory, rots, reads) =
        (MemoryLog::new(), Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let (going, counted) = (Arc::clone(&rots), Arc::clone(&reads));
    let store = Store::logs(move |_| {
        Arc::new(Rotten { log: memory.handle(), rots: Arc::clone(&going), reads: Arc::clone(&counted) })
    });
    let world = World::with(store, quick()).await;
    let id = world.started().await;
    rots.store(true, Ordering::SeqCst);
    let asked = world.client.stop(id).await;
    assert_eq!(asked.unwrap_err(), AskError::Refused(Refusal::Fenced), "the outcome is not known");
    let closed = loop {
        match world.client.stop(id).await {
            Err(AskError::Refused(_)) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    let closed = closed.unwrap_err().to_string();
    assert!(
        closed.starts_with("this engine serves shard 0 no longer (its storage failed, and then"),
        "{closed}"
    );
    assert!(closed.contains("its check value does not fit"), "{closed}");
    assert_eq!(reads.load(Ordering::SeqCst), 2, "once by the writer, and once to open the log again");
}

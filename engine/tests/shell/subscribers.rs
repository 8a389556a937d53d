//! Who listens to the log, from where, and how fast.

use hourglass_engine::{Lagged, Settings, Store, Subscription};
use hourglass_events::{Seq, ShardNumber};

use crate::world::World;

const SHARD: ShardNumber = ShardNumber(0);

async fn read(subscription: &mut Subscription, through: Seq) -> Vec<Seq> {
    let mut seen = Vec::new();
    while subscription.position() <= through {
        seen.push(subscription.next().await.expect("the log can be read").record.seq);
    }
    seen
}

fn latest(world: &World) -> Seq {
    world.engine.view(SHARD).fleet().seq()
}

#[tokio::test]
async fn a_subscriber_sees_every_record_once_from_any_position() {
    // So few records are kept in memory that most of the past must come from the log.
    let settings = Settings { recent: 8, ..Settings::default() };
    let directory = tempfile::tempdir().unwrap();
    let world = World::with(Store::embedded(directory.path()), settings).await;
    for _ in 0..5 {
        world.started().await;
    }
    let latest = latest(&world);
    for from in 1..=latest.0 {
        let mut subscription = world.engine.subscribe(SHARD, Seq(from));
        let seen = read(&mut subscription, latest).await;
        assert_eq!(seen, (from..=latest.0).map(Seq).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_subscriber_hears_what_is_decided_while_it_reads_the_past() {
    let world = World::new(Store::memory()).await;
    world.started().await;
    let mut subscription = world.engine.subscribe(SHARD, Seq(1));
    let first = subscription.next().await.unwrap();
    assert_eq!(first.record.seq, Seq(1));
    world.started().await;
    let latest = latest(&world);
    assert_eq!(read(&mut subscription, latest).await.len() as u64, latest.0 - 1);
}

#[tokio::test]
async fn a_subscriber_that_falls_behind_is_told_where_it_was() {
    let settings = Settings { recent: 4, ..Settings::default() };
    let world = World::with(Store::memory(), settings).await;
    let mut subscription = world.engine.subscribe(SHARD, latest(&world));
    let last = subscription.next().await.unwrap().record.seq;
    for _ in 0..4 {
        world.started().await;
    }
    assert_eq!(subscription.next().await, Err(Lagged::Behind { seq: last.next() }));
    let mut again = world.engine.subscribe(SHARD, last.next());
    assert_eq!(again.next().await.unwrap().record.seq, last.next(), "nothing is lost to it");
}

#[tokio::test]
async fn a_subscriber_is_told_when_the_engine_has_ended() {
    let world = World::new(Store::memory()).await;
    let mut subscription = world.engine.subscribe(SHARD, Seq(1));
    world.engine.shutdown().await;
    let ended = loop {
        if let Err(ended) = subscription.next().await {
            break ended;
        }
    };
    assert_eq!(ended, Lagged::Ended { seq: latest(&world).next() });
}

//! Tunnels through the host worker, from the engine's side.
#![cfg(feature = "host")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod agent_common;

use std::time::Duration;

use agent_common::{BOX, Rig, create, stop};
use hourglass_agent::client::{Agent, Error};
use hourglass_agent::{Output, Program};
use hourglass_events::{ExitCause, Finding, HostNews, OrderNumber, Span};
use hourglass_hostd::scripted::{Act, Twist};
use hourglass_tunnel::{Dial, Opening, Refused, Target, Tunnel};

const LIFE: OrderNumber = OrderNumber(5);

async fn dial(rig: &Rig, number: OrderNumber) -> Opening {
    let (dial, opening) = Dial::new(BOX, number, Target::Agent);
    rig.engine.tunnels.send(dial).await.unwrap();
    opening
}

async fn agent(rig: &Rig) -> Agent<Tunnel> {
    Agent::over(dial(rig, LIFE).await.opened().await.unwrap())
}

fn cat() -> Program {
    Program { argv: vec!["cat".to_owned()], ..Program::default() }
}

/// How long ago the sandbox was used, as it is told next.
async fn age(rig: &mut Rig) -> Duration {
    rig.reconnect();
    rig.backlog().await;
    let HostNews::Used(ages) = rig.news().await else { panic!("ages follow the backlog") };
    Duration::from_micros(ages[0].age.0)
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_is_a_use_for_as_long_as_it_is_open() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    let held = agent(&rig).await.start(cat()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!(age(&mut rig).await, Duration::ZERO);
    drop(held);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(age(&mut rig).await, Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn an_idle_tunnel_is_a_use_as_well() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    let silent = dial(&rig, LIFE).await.opened().await.unwrap();
    tokio::time::sleep(Duration::from_secs(500)).await;
    assert_eq!(age(&mut rig).await, Duration::ZERO);
    drop(silent);
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(age(&mut rig).await, Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_use_that_its_worker_did_not_survive_counts_to_its_end() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    let _held = agent(&rig).await.start(cat()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(90)).await;
    rig.restart().await;
    assert_eq!(age(&mut rig).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_is_closed_when_an_order_ends_its_sandbox() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    let mut held = agent(&rig).await.start(cat()).await.unwrap();
    rig.driver.script(BOX, Act::Halt, Twist::HangBefore);
    rig.order(7, stop(Span::seconds(20))).await;
    // The sandbox itself has not been touched yet.
    assert!(matches!(held.output.next().await, Err(Error::Frame(_))));
    rig.driver.hung().await;
    assert_eq!(rig.driver.running(BOX), Some(LIFE));
    assert_eq!(dial(&rig, LIFE).await.opened().await.err(), Some(Refused::NotRunning(BOX)));
    rig.driver.release();
    assert_eq!(rig.finding().await, (7, Finding::Done(Some(ExitCause::Stopped))));
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_into_another_life_is_refused() {
    let mut rig = Rig::new().await;
    assert_eq!(dial(&rig, LIFE).await.opened().await.err(), Some(Refused::NotRunning(BOX)));
    rig.order(5, create()).await;
    rig.report().await;
    let other = dial(&rig, OrderNumber(4)).await.opened().await.err();
    assert_eq!(other, Some(Refused::NotRunning(BOX)));
    assert_eq!(agent(&rig).await.ping().await.unwrap(), hourglass_agent::VERSION);
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_was_taken_back_is_no_use() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    drop(dial(&rig, LIFE).await);
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(age(&mut rig).await, Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn a_new_link_leaves_open_tunnels_alone() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    let mut held = agent(&rig).await.start(cat()).await.unwrap();
    rig.reconnect();
    rig.backlog().await;
    held.input.write(b"still").await.unwrap();
    assert_eq!(held.output.next().await.unwrap(), Some(Output::Stdout(b"still".as_slice().into())));
}

#[tokio::test(start_paused = true)]
async fn there_are_only_so_many_tunnels() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    let mut open = Vec::new();
    let most = loop {
        match dial(&rig, LIFE).await.opened().await {
            Ok(tunnel) => open.push(tunnel),
            Err(Refused::Busy { most }) => break most,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(open.len(), most);
    drop(open);
    // Those that were closed make room.
    while dial(&rig, LIFE).await.opened().await.is_err() {}
}

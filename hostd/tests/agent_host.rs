//! The host worker whole: tokio, agent, ledger and a scripted machine, from the engine's side.
#![cfg(feature = "host")]

mod agent_common;

use std::time::Duration;

use agent_common::{BOX, Rig, SHARD, boot, command, create, stop};
use hourglass_events::{ExitCause, Fault, Finding, HostNews, OrderNumber, Span, Task};
use hourglass_hostd::driver::{Driver, ExecError};
use hourglass_hostd::scripted::{Act, Twist};

const DONE: Finding = Finding::Done(None);

fn ended(cause: ExitCause) -> Finding {
    Finding::Done(Some(cause))
}

#[tokio::test(start_paused = true)]
async fn a_connection_begins_with_who_the_host_is_and_what_was_not_acknowledged() {
    let mut rig = Rig::new().await;
    let HostNews::Joined(profile) = rig.news().await else { panic!("first it joins") };
    assert_eq!(&*profile, rig.host.profile());
    assert_eq!(rig.news().await, HostNews::Synced);
    rig.order(4, Task::Pull(agent_common::plan().image)).await;
    let pulled = rig.report().await;
    rig.order(5, create()).await;
    let created = rig.report().await;
    assert!(created.serial > pulled.serial);
    rig.reconnect();
    // That order 5 came shows that the report on order 4 was heard.
    assert_eq!(rig.backlog().await, vec![created.clone()]);
    rig.acknowledge(&created).await;
    rig.reconnect();
    assert_eq!(rig.backlog().await, vec![]);
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_lives_stops_and_starts_again_with_its_files() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    assert_eq!(rig.finding().await, (5, DONE));
    rig.host.exec(BOX, None, command(&["sh", "-c", "echo kept > /note"])).await.unwrap();
    rig.order(7, stop(Span::seconds(5))).await;
    assert_eq!(rig.finding().await, (7, ended(ExitCause::Stopped)));
    let refused = rig.host.exec(BOX, None, command(&["true"])).await;
    assert_eq!(refused, Err(ExecError::NotRunning(BOX)));
    rig.order(9, boot()).await;
    assert_eq!(rig.finding().await, (9, DONE));
    let ran = rig.host.exec(BOX, Some(OrderNumber(9)), command(&["cat", "/note"])).await.unwrap();
    assert_eq!(ran.stdout, b"kept\n");
    rig.order(11, Task::Remove).await;
    assert_eq!(rig.finding().await, (11, DONE));
    assert!(rig.driver.is_clear_of(BOX));
}

#[tokio::test(start_paused = true)]
async fn a_command_in_flight_keeps_the_age_at_nothing() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    let host = rig.host.clone();
    let nap = tokio::spawn(async move { host.exec(BOX, None, command(&["sleep", "100"])).await });
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!(age(&mut rig).await, Duration::ZERO);
    nap.await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(age(&mut rig).await, Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_caller_went_away_is_not_in_flight_any_more() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    let nap = command(&["sleep", "100"]);
    let gave_up = tokio::time::timeout(Duration::from_secs(10), rig.host.exec(BOX, None, nap)).await;
    assert!(gave_up.is_err());
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(age(&mut rig).await, Duration::from_secs(20));
}

/// The age as asked for now, past whatever was said before.
async fn age(rig: &mut Rig) -> Duration {
    rig.reconnect();
    rig.backlog().await;
    let HostNews::Used(ages) = rig.news().await else { panic!("ages follow the backlog") };
    assert_eq!(ages.len(), 1);
    Duration::from_micros(ages[0].age.0)
}

#[tokio::test(start_paused = true)]
async fn ages_are_told_every_few_seconds_without_being_asked() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    let mut told = Vec::new();
    while told.len() < 3 {
        if let HostNews::Used(ages) = rig.news().await {
            told.push(ages[0].age.0 / 1_000_000);
        }
    }
    assert_eq!(told, vec![5, 10, 15]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_run_in_a_sandbox_from_when_its_stop_is_accepted() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    rig.driver.script(BOX, Act::Halt, Twist::HangBefore);
    rig.order(7, stop(Span::seconds(60))).await;
    rig.driver.hung().await;
    assert_eq!(rig.driver.running(BOX), Some(OrderNumber(5)), "its processes still run");
    let refused = rig.host.exec(BOX, None, command(&["true"])).await;
    assert_eq!(refused, Err(ExecError::NotRunning(BOX)));
}

#[tokio::test(start_paused = true)]
async fn a_kill_does_not_wait_for_the_grace_of_the_stop_before_it() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    rig.driver.script(BOX, Act::Halt, Twist::HangBefore);
    rig.order(7, stop(Span::minutes(5))).await;
    rig.driver.hung().await;
    rig.order(8, stop(Span::ZERO)).await;
    assert_eq!(rig.finding().await, (8, ended(ExitCause::Killed)), "and nothing is said of order 7");
}

#[tokio::test(start_paused = true)]
async fn a_removal_does_not_wait_for_a_boot_that_hangs() {
    let mut rig = Rig::new().await;
    for hang in [Twist::HangBefore, Twist::HangHalfway, Twist::HangAfter] {
        rig.driver.script(BOX, Act::Boot, hang);
        rig.order(5, create()).await;
        rig.driver.hung().await;
        rig.order(6, Task::Remove).await;
        assert_eq!(rig.finding().await, (6, DONE));
        assert!(rig.driver.is_clear_of(BOX));
        rig = Rig::new().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_reported_with_its_fault_and_repeated_not_retried() {
    let mut rig = Rig::new().await;
    let fault = Fault::NoSpace { doing: "make the disk".into() };
    rig.driver.script(BOX, Act::Provision, Twist::FailHalfway(fault.clone()));
    rig.order(5, create()).await;
    let first = rig.report().await;
    assert_eq!(first.finding, Finding::Failed(fault));
    rig.order(5, create()).await;
    assert_eq!(rig.report().await, first);
    let provisions = rig.driver.taken().iter().filter(|taken| taken.act == Act::Provision).count();
    assert_eq!(provisions, 1);
}

#[tokio::test(start_paused = true)]
async fn an_exit_of_its_own_is_reported_with_its_cause_and_boot() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    rig.driver.end(BOX, ExitCause::OutOfMemory);
    assert_eq!(rig.finding().await, (5, Finding::Exited(ExitCause::OutOfMemory)));
}

#[tokio::test(start_paused = true)]
async fn an_exit_while_the_host_was_down_is_reported_with_its_cause() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    let created = rig.report().await;
    rig.acknowledge(&created).await;
    rig.host.shutdown().await;
    rig.driver.end(BOX, ExitCause::Entrypoint { code: 3 });
    rig.restart().await;
    assert_eq!(rig.finding().await, (5, Finding::Exited(ExitCause::Entrypoint { code: 3 })));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_was_switched_off_reports_what_ran_as_gone() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    let created = rig.report().await;
    rig.acknowledge(&created).await;
    rig.host.kill().await;
    rig.driver.power_off();
    rig.restart().await;
    assert_eq!(rig.finding().await, (5, Finding::Exited(ExitCause::Vanished)));
}

#[tokio::test(start_paused = true)]
async fn what_a_host_forgot_is_reported_when_the_engine_asks_for_it() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    rig.host.kill().await;
    rig.driver.power_off();
    rig.ledger.lose();
    rig.restart().await;
    assert_eq!(rig.backlog().await, vec![], "it knows of nothing");
    rig.ask_use(5).await;
    assert_eq!(rig.finding().await, (5, Finding::Exited(ExitCause::Vanished)));
}

#[tokio::test(start_paused = true)]
async fn sandboxes_run_on_when_the_host_worker_ends_either_way() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    rig.host.shutdown().await;
    assert_eq!(rig.driver.running(BOX), Some(OrderNumber(5)));
    rig.restart().await;
    assert!(rig.host.exec(BOX, Some(OrderNumber(5)), command(&["true"])).await.is_ok());
    rig.restart().await;
    assert_eq!(rig.driver.lives(BOX), 1);
    assert!(rig.host.exec(BOX, Some(OrderNumber(5)), command(&["true"])).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_age_goes_on_across_a_restart_of_the_host_worker() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    rig.restart().await;
    rig.backlog().await;
    let HostNews::Used(ages) = rig.news().await else { panic!("ages follow the backlog") };
    assert_eq!((ages[0].sandbox, ages[0].number), (BOX, OrderNumber(5)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_engine_loses_no_report() {
    let mut rig = Rig::new().await;
    let (link, engine) = hourglass_hostd::Link::pair(1);
    rig.host.connect(link);
    rig.engine = engine;
    for number in 5..40 {
        rig.order(number, Task::Quiesce).await;
    }
    let mut last = 0;
    while last < 39 {
        let report = rig.report().await;
        assert_eq!(report.shard, SHARD);
        assert!(report.number.0 > last, "in order");
        last = report.number.0;
    }
}

#[tokio::test(start_paused = true)]
async fn disks_nobody_remembers_are_kept() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    rig.host.kill().await;
    rig.ledger.lose();
    rig.restart().await;
    rig.backlog().await;
    assert_eq!(rig.driver.survey().await.unwrap().len(), 1);
    assert_eq!(rig.driver.running(BOX), Some(OrderNumber(5)));
}

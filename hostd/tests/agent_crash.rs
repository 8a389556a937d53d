//! The host worker killed at each point of each step of each order, and started again: done exactly once.
#![cfg(feature = "host")]

mod agent_common;

use agent_common::{BOX, Rig, boot, command, create, stop};
use hourglass_events::{ExitCause, Finding, OrderNumber, Span, Task};
use hourglass_hostd::driver::Driver;
use hourglass_hostd::scripted::{Act, Twist};

/// A life in orders: what is asked under which number, the steps it takes, and what runs after it.
fn life() -> Vec<(u64, Task, &'static [Act], Option<u64>)> {
    vec![
        (3, Task::Pull(agent_common::plan().image), &[Act::Pull], None),
        (5, create(), &[Act::Pull, Act::Provision, Act::Boot], Some(5)),
        (7, stop(Span::seconds(5)), &[Act::Halt], None),
        (9, boot(), &[Act::Boot], Some(9)),
        (10, stop(Span::ZERO), &[Act::Halt], None),
        (11, Task::Quiesce, &[Act::Halt], None),
        (13, Task::Remove, &[Act::Erase], None),
    ]
}

/// What is lost with the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    Nothing,
    Ledger,
}

#[tokio::test(start_paused = true)]
async fn an_order_cut_off_anywhere_is_done_exactly_once() {
    for lost in [Lost::Nothing, Lost::Ledger] {
        for (cut, (_, _, acts, _)) in life().iter().enumerate() {
            for act in *acts {
                for twist in [Twist::HangBefore, Twist::HangHalfway, Twist::HangAfter] {
                    live(cut, *act, &twist, lost).await;
                }
            }
        }
    }
}

/// Lives a life whose worker is killed at `twist` of `act` of the order at `cut`.
async fn live(cut: usize, act: Act, twist: &Twist, lost: Lost) {
    let mut rig = Rig::new().await;
    for (index, (number, task, _, running)) in life().into_iter().enumerate() {
        let story = format!("order {number}, cut at {cut} {act:?} {twist:?}, lost {lost:?}");
        if index == cut {
            rig.driver.script(None, act, twist.clone());
            rig.order(number, task.clone()).await;
            assert_eq!(rig.driver.hung().await.act, act, "{story}");
            crash(&mut rig, lost).await;
            assert_eq!(rig.backlog().await, vec![], "nothing is said of what is not done: {story}");
        }
        rig.order(number, task).await;
        let report = rig.report().await;
        assert_eq!(report.number.0, number, "{story}");
        assert!(fits(number, &report.finding), "{:?}: {story}", report.finding);
        assert_eq!(rig.driver.running(BOX), running.map(OrderNumber), "{story}");
        if running.is_some() {
            assert!(rig.host.exec(BOX, None, command(&["true"])).await.is_ok(), "{story}");
        }
        rig.acknowledge(&report).await;
    }
    assert!(rig.driver.is_clear_of(BOX));
    assert_eq!(rig.driver.survey().await, Ok(vec![]));
    // A boot cut off halfway never came up; the life it had begun is begun again.
    let again = u32::from(act == Act::Boot && *twist == Twist::HangHalfway);
    assert_eq!(rig.driver.lives(BOX), 2 + again, "cut at {cut} {act:?} {twist:?}");
    rig.reconnect();
    assert_eq!(rig.backlog().await, vec![], "everything was acknowledged");
}

async fn crash(rig: &mut Rig, lost: Lost) {
    rig.host.kill().await;
    rig.driver.release();
    match lost {
        Lost::Nothing => {}
        Lost::Ledger => rig.ledger.lose(),
    }
    rig.restart().await;
}

/// Whether a finding is one that order may end with. Who was killed before it could tell says less than it knew.
fn fits(number: u64, finding: &Finding) -> bool {
    match finding {
        Finding::Done(Some(ExitCause::Stopped)) => number == 7,
        Finding::Done(Some(ExitCause::Killed | ExitCause::Vanished)) => number == 7 || number == 10,
        Finding::Done(None) => number != 7 && number != 10,
        Finding::Done(Some(_)) | Finding::Failed(_) | Finding::Exited(_) => false,
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_done_but_not_heard_of_is_reported_again_not_done_again() {
    for lost in [Lost::Nothing, Lost::Ledger] {
        let mut rig = Rig::new().await;
        rig.order(5, create()).await;
        assert_eq!(rig.report().await.number.0, 5);
        crash(&mut rig, lost).await;
        rig.order(5, create()).await;
        assert_eq!(rig.finding().await, (5, Finding::Done(None)));
        assert_eq!(rig.driver.lives(BOX), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_goes_through_though_its_worker_dies_at_every_point_of_it() {
    let mut rig = Rig::new().await;
    rig.order(5, create()).await;
    rig.report().await;
    for twist in [Twist::HangBefore, Twist::HangHalfway, Twist::HangAfter, Twist::HangBefore] {
        rig.driver.script(BOX, Act::Erase, twist);
        rig.order(7, Task::Remove).await;
        rig.driver.hung().await;
        crash(&mut rig, Lost::Nothing).await;
    }
    rig.order(7, Task::Remove).await;
    assert_eq!(rig.finding().await, (7, Finding::Done(None)), "what the first attempts ended is no news");
    assert!(rig.driver.is_clear_of(BOX));
}

#[tokio::test(start_paused = true)]
async fn a_worker_killed_while_it_tidies_up_after_an_exit_reports_it_once() {
    for twist in [Twist::HangBefore, Twist::HangHalfway, Twist::HangAfter] {
        let mut rig = Rig::new().await;
        rig.order(5, create()).await;
        let created = rig.report().await;
        rig.acknowledge(&created).await;
        rig.driver.script(BOX, Act::Halt, twist);
        rig.driver.end(BOX, ExitCause::OutOfMemory);
        rig.driver.hung().await;
        crash(&mut rig, Lost::Nothing).await;
        let exited = rig.report().await;
        assert_eq!((exited.number.0, &exited.finding), (5, &Finding::Exited(ExitCause::OutOfMemory)));
        rig.acknowledge(&exited).await;
        rig.restart().await;
        assert_eq!(rig.backlog().await, vec![]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gentle_end_lets_steps_in_flight_end() {
    let mut rig = Rig::new().await;
    rig.driver.script(BOX, Act::Boot, Twist::Slow(std::time::Duration::from_secs(2)));
    rig.order(5, create()).await;
    while rig.driver.taken().len() < 3 {
        tokio::task::yield_now().await;
    }
    rig.host.shutdown().await;
    rig.restart().await;
    let backlog = rig.backlog().await;
    assert_eq!(backlog.len(), 1, "the order was done and its report kept: {backlog:?}");
}

#[tokio::test(start_paused = true)]
async fn a_gentle_end_does_not_wait_for_what_hangs() {
    let mut rig = Rig::new().await;
    rig.driver.script(BOX, Act::Boot, Twist::HangBefore);
    rig.order(5, create()).await;
    rig.driver.hung().await;
    rig.host.shutdown().await;
    rig.driver.release();
    rig.restart().await;
    rig.order(5, create()).await;
    assert_eq!(rig.finding().await, (5, Finding::Done(None)));
}

//! Claims about disks, boots, halts, erasures and ends.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use hourglass_events::{ExitCause, Fault, Image, Plan, Span};

use super::{
    BOX, Bench, FIRST, GRACE, OTHER, SECOND, booted, fine, found, made, sh, while_asleep, while_runs,
};
use crate::driver::DiskFound;

/// Nothing is found where nothing was made.
pub async fn an_empty_machine_shows_nothing(bench: &mut dyn Bench) {
    assert_eq!(fine(bench.driver().survey().await), []);
}

/// Having an image is a state, not an event.
pub async fn an_image_is_pulled_twice_without_harm(bench: &mut dyn Bench) {
    let image = bench.plan().image;
    fine(bench.driver().pull(&image).await);
    fine(bench.driver().pull(&image).await);
}

/// A disk starts from its image and from nothing else.
pub async fn a_disk_is_not_made_without_its_image(bench: &mut dyn Bench) {
    let plan = Plan { image: Image { digest: "0".repeat(64) }, ..bench.plan() };
    let made = bench.driver().provision(BOX, FIRST, &plan).await;
    assert!(matches!(made, Err(Fault::ImageUnavailable { .. } | Fault::Missing { .. })), "{made:?}");
}

/// An order repeated after a crash must not cost the files.
pub async fn a_disk_made_again_is_the_same_disk(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    sh(bench, BOX, "echo kept > note").await;
    fine(bench.driver().halt(BOX, Span::ZERO).await);
    fine(bench.driver().provision(BOX, SECOND, &bench.plan()).await);
    fine(bench.driver().boot(BOX, SECOND, &bench.plan()).await);
    assert_eq!(sh(bench, BOX, "cat note").await, "kept\n");
    assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), Some(SECOND))));
}

/// What was done under which order is read from the objects.
pub async fn a_survey_shows_the_numbers_on_the_objects(bench: &mut dyn Bench) {
    made(bench, BOX).await;
    assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), None)));
    fine(bench.driver().boot(BOX, SECOND, &bench.plan()).await);
    assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), Some(SECOND))));
    fine(bench.driver().halt(BOX, Span::ZERO).await);
    assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), None)));
}

/// A boot does not make up what was lost.
pub async fn a_sandbox_without_a_disk_does_not_boot(bench: &mut dyn Bench) {
    let plan = bench.plan();
    fine(bench.driver().pull(&plan.image).await);
    let booted = bench.driver().boot(BOX, FIRST, &plan).await;
    assert!(matches!(booted, Err(Fault::Missing { .. })), "{booted:?}");
    assert!(found(bench, BOX).await.is_none_or(|(_, running)| running.is_none()));
}

/// The repeat of an order finds what the order did.
pub async fn a_boot_under_the_same_number_leaves_it_running(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let again = async { fine(bench.driver().boot(BOX, FIRST, &bench.plan()).await) };
    let ran = while_asleep(bench, BOX, "1", again).await;
    assert!(ran.as_ref().is_ok_and(|ran| ran.code == 0), "{ran:?}");
}

/// There is one life of a sandbox at a time.
pub async fn a_boot_under_another_number_ends_the_first(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let another = async { fine(bench.driver().boot(BOX, SECOND, &bench.plan()).await) };
    let ran = while_asleep(bench, BOX, "100", another).await;
    assert!(ran.as_ref().is_err(), "{ran:?}");
    assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), Some(SECOND))));
    sh(bench, BOX, "true").await;
}

/// A stop ends processes and nothing else.
pub async fn a_stop_keeps_files(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    sh(bench, BOX, "echo kept > note").await;
    fine(bench.driver().halt(BOX, GRACE).await);
    fine(bench.driver().boot(BOX, SECOND, &bench.plan()).await);
    assert_eq!(sh(bench, BOX, "cat note").await, "kept\n");
}

/// How a sandbox ended is told by whoever ended it.
pub async fn a_stop_within_its_grace_is_called_stopped(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    assert_eq!(fine(bench.driver().halt(BOX, GRACE).await), ExitCause::Stopped);
}

/// No grace, no waiting.
pub async fn a_stop_without_grace_is_called_killed(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    assert_eq!(fine(bench.driver().halt(BOX, Span::ZERO).await), ExitCause::Killed);
}

/// Before a boot and after a halt there is nothing to end.
pub async fn a_halt_of_nothing_says_vanished(bench: &mut dyn Bench) {
    assert_eq!(fine(bench.driver().halt(OTHER, GRACE).await), ExitCause::Vanished);
    made(bench, BOX).await;
    assert_eq!(fine(bench.driver().halt(BOX, GRACE).await), ExitCause::Vanished);
    fine(bench.driver().boot(BOX, FIRST, &bench.plan()).await);
    fine(bench.driver().halt(BOX, GRACE).await);
    assert_eq!(fine(bench.driver().halt(BOX, GRACE).await), ExitCause::Vanished);
    assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), None)), "its disk is kept");
}

/// Who loses patience with a stop need not wait for its grace.
pub async fn force_wins_over_a_stop_that_was_dropped(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let force = async {
        let driver = bench.driver();
        impatiently(driver.halt(BOX, Span::minutes(10))).await;
        fine(soon(driver.halt(BOX, Span::ZERO)).await);
    };
    let ran = while_runs(bench, BOX, STUBBORN, force).await;
    assert!(ran.is_err(), "{ran:?}");
    assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), None)));
}

/// Nor does who deletes it.
pub async fn an_erase_wins_over_a_stop_that_was_dropped(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    let erase = async {
        let driver = bench.driver();
        impatiently(driver.halt(BOX, Span::minutes(10))).await;
        fine(soon(driver.erase(BOX)).await);
    };
    let ran = while_runs(bench, BOX, STUBBORN, erase).await;
    assert!(ran.is_err(), "{ran:?}");
    assert_eq!(found(bench, BOX).await, None);
}

/// An erasure does not ask for a stop first.
pub async fn an_erase_leaves_nothing_of_a_running_sandbox(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    booted(bench, OTHER).await;
    fine(bench.driver().erase(BOX).await);
    assert_eq!(found(bench, BOX).await, None);
    assert_eq!(found(bench, OTHER).await, Some((DiskFound::Made(FIRST), Some(FIRST))));
}

/// Disks go too.
pub async fn an_erase_leaves_nothing_of_a_stopped_sandbox(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    fine(bench.driver().halt(BOX, GRACE).await);
    fine(bench.driver().erase(BOX).await);
    assert_eq!(found(bench, BOX).await, None);
}

/// A removal can be repeated, also of what never was.
pub async fn an_erase_of_nothing_is_no_fault(bench: &mut dyn Bench) {
    fine(bench.driver().erase(OTHER).await);
    booted(bench, BOX).await;
    fine(bench.driver().erase(BOX).await);
    fine(bench.driver().erase(BOX).await);
    assert_eq!(fine(bench.driver().survey().await), []);
}

/// Dropping a step is a crash there. What it leaves an erasure finds, and nothing of it comes later.
pub async fn a_step_dropped_anywhere_leaves_nothing_after_an_erase(bench: &mut dyn Bench) {
    let (driver, plan) = (bench.driver(), bench.plan());
    fine(driver.pull(&plan.image).await);
    for polls in 1..=POLLS {
        dropped_after(polls, driver.provision(BOX, FIRST, &plan)).await;
        fine(driver.erase(BOX).await);
        assert_eq!(found(bench, BOX).await, None, "provision, dropped after {polls} polls");
        fine(driver.provision(BOX, FIRST, &plan).await);
        dropped_after(polls, driver.boot(BOX, FIRST, &plan)).await;
        fine(driver.erase(BOX).await);
        assert_eq!(found(bench, BOX).await, None, "boot, dropped after {polls} polls");
    }
    // A life elsewhere takes longer than anything that might have been left to begin late.
    booted(bench, OTHER).await;
    fine(driver.erase(OTHER).await);
    assert_eq!(fine(driver.survey().await), []);
}

/// Dropping a step is a crash there. The step taken again ends in the same place.
pub async fn a_step_dropped_anywhere_can_be_taken_again(bench: &mut dyn Bench) {
    let (driver, plan) = (bench.driver(), bench.plan());
    for polls in 1..=POLLS {
        dropped_after(polls, driver.pull(&plan.image)).await;
        fine(driver.pull(&plan.image).await);
        dropped_after(polls, driver.provision(BOX, FIRST, &plan)).await;
        fine(driver.provision(BOX, FIRST, &plan).await);
        dropped_after(polls, driver.boot(BOX, FIRST, &plan)).await;
        fine(driver.boot(BOX, FIRST, &plan).await);
        sh(bench, BOX, "true").await;
        assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), Some(FIRST))));
        dropped_after(polls, driver.halt(BOX, GRACE)).await;
        fine(driver.halt(BOX, GRACE).await);
        assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), None)));
        dropped_after(polls, driver.erase(BOX)).await;
        fine(driver.erase(BOX).await);
        assert_eq!(found(bench, BOX).await, None, "dropped after {polls} polls");
    }
}

/// An end is news exactly once.
pub async fn an_end_of_its_own_is_told_once_under_its_boot(bench: &mut dyn Bench) {
    made(bench, BOX).await;
    fine(bench.driver().boot(BOX, SECOND, &bench.plan()).await);
    bench.end(BOX).await;
    let exit = bench.driver().exited().await;
    assert_eq!((exit.sandbox, exit.number), (BOX, SECOND));
    assert!(!matches!(exit.cause, ExitCause::Stopped), "nobody stopped it: {:?}", exit.cause);
    assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), None)));
    booted(bench, OTHER).await;
    bench.end(OTHER).await;
    assert_eq!(bench.driver().exited().await.sandbox, OTHER, "the first is not told again");
}

/// What was asked for is no news.
pub async fn a_halt_is_not_told_as_an_end(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    fine(bench.driver().halt(BOX, Span::ZERO).await);
    booted(bench, OTHER).await;
    bench.end(OTHER).await;
    assert_eq!(bench.driver().exited().await.sandbox, OTHER);
}

/// Nobody waits for ends while the host worker is down.
pub async fn an_end_nobody_was_told_of_shows_after_a_restart(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    bench.end(BOX).await;
    bench.reopen().await;
    assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), None)));
    let cause = fine(bench.driver().halt(BOX, Span::ZERO).await);
    assert!(!matches!(cause, ExitCause::Stopped), "nobody stopped it: {cause:?}");
    fine(bench.driver().boot(BOX, SECOND, &bench.plan()).await);
    sh(bench, BOX, "true").await;
}

/// Sandboxes outlive the host worker, and the next one can use, watch and end them.
pub async fn a_restart_finds_what_runs(bench: &mut dyn Bench) {
    booted(bench, BOX).await;
    booted(bench, OTHER).await;
    sh(bench, BOX, "echo kept > note").await;
    bench.reopen().await;
    assert_eq!(found(bench, BOX).await, Some((DiskFound::Made(FIRST), Some(FIRST))));
    assert_eq!(sh(bench, BOX, "cat note").await, "kept\n");
    bench.end(OTHER).await;
    assert_eq!(bench.driver().exited().await.sandbox, OTHER);
    assert_eq!(fine(bench.driver().halt(BOX, GRACE).await), ExitCause::Stopped);
}

/// Sleeps on when it is asked to end, if there is anything in the sandbox that knows how.
const STUBBORN: &str = "trap '' TERM; echo on > /tmp/asleep && sleep 1000";

/// Waits a little for `step`, then drops it.
async fn impatiently<T>(step: impl Future<Output = T>) {
    let _ = tokio::time::timeout(Duration::from_millis(500), step).await;
}

/// What comes of `step`, which must end soon.
async fn soon<T>(step: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(5), step).await {
        Ok(done) => done,
        Err(_) => panic!("a step waited for one that was dropped"),
    }
}

/// How deep into a step it is dropped, in polls of its future.
const POLLS: u32 = 4;

/// Runs `step` until it ends or was polled so often, then drops it.
async fn dropped_after<T>(polls: u32, step: impl Future<Output = T>) {
    let mut step = pin!(step);
    let mut polled = 0;
    poll_fn(|context| {
        polled += 1;
        let ended = step.as_mut().poll(context).is_ready();
        if ended || polled >= polls { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

//! Snapshots: of sandboxes by class and state, made of images, used, laid aside, removed.

use super::story::{check, check_on};

#[test]
fn a_snapshot_of_a_stopped_container_is_active_before_the_sandbox_goes_on() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  snapshot a s            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)
         2s    look    a                       -> Snapshotting, exit stopped
         3s    h1      done a                  -> Ready + SnapshotTaken
         4s    look    a                       -> Stopped, exit stopped
         5s    client  create b snapshot=s     -> PullBegan + h1 Pull",
    );
}

#[test]
fn a_container_gives_its_disk_while_it_runs_too() {
    check(
        "0s    given   started a               -> ready
         1s    client  snapshot a s            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)
         2s    h1      done a                  -> Ready + SnapshotTaken
         3s    look    a                       -> Started",
    );
}

#[test]
fn a_container_has_no_memory_to_give() {
    check(
        "0s    given   started a               -> ready
         1s    client  snapshot a s hot        -> refused: a sandbox of class container cannot be asked to give a snapshot of its memory; only virtual machines (linux-vm, windows) can",
    );
}

#[test]
fn a_cold_snapshot_of_a_machine_needs_it_stopped_and_a_hot_one_started() {
    check(
        "0s    client  register vm class=linux-vm -> Registered
         0s    h2      connect class=linux-vm  -> Seen
         0s    given   started a snapshot=vm host=2 -> ready
         1s    client  snapshot a s            -> refused: a sandbox that is Started cannot be asked to give a snapshot of its disk; stop it first
         2s    client  snapshot a s hot        -> SnapshotBegan + CaptureBegan + h2 Capture(Hot)
         3s    h2      done a                  -> Ready + SnapshotTaken
         4s    client  stop a                  -> StopBegan + h2 Stop(10 s)
         5s    h2      done a                  -> Exited(stopped)
         6s    client  snapshot a t hot        -> refused: a sandbox that is Stopped cannot be asked to give a snapshot of its memory; start it first
         7s    client  snapshot a t            -> SnapshotBegan + CaptureBegan + h2 Capture(Cold)
         8s    h2      done a                  -> Ready + SnapshotTaken",
    );
}

#[test]
fn what_is_created_from_a_hot_snapshot_goes_on_from_its_memory() {
    check(
        "0s    client  register vm class=linux-vm -> Registered
         0s    h2      connect class=linux-vm  -> Seen
         0s    given   started a snapshot=vm host=2 -> ready
         1s    client  snapshot a s hot        -> SnapshotBegan + CaptureBegan + h2 Capture(Hot)
         2s    h2      done a                  -> Ready + SnapshotTaken
         3s    client  create b snapshot=s     -> PullBegan + h2 Pull
         4s    h2      done b                  -> SnapshotReady + h2 Create(Hot)
         5s    h2      done b                  -> Booted",
    );
}

#[test]
fn a_snapshot_can_only_create_sandboxes_of_its_class() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  snapshot a s            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)
         2s    h1      done a                  -> Ready + SnapshotTaken
         3s    client  create b snapshot=s class=linux-vm -> refused: the snapshot is of class container; a sandbox of class linux-vm cannot be created from it",
    );
}

#[test]
fn a_snapshot_that_fails_says_so_itself_and_the_sandbox_is_as_it_was() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  snapshot a s            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)
         2s    h1      failed a                -> Failed + Abandoned(the sandbox's disk is not on the host any more)
         3s    look    a                       -> Stopped, exit stopped, fault the sandbox's disk is not on the host any more
         4s    client  create b snapshot=s     -> refused: the snapshot \"s\" is failed, and only one that is active or inactive can be created from
         5s    client  remove s                -> RemoveBegan + Placed + h1 Scrap
         6s    h1      done s                  -> Removed",
    );
}

#[test]
fn a_snapshot_nobody_hears_of_is_given_up() {
    check(
        "0s    given   started a               -> ready
         1s    client  autostop a 0            -> AutoStopSet
         2s    client  snapshot a s            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)
         60m2s timer                           -> Failed + a Abandoned(the host was to take the snapshot and did not within 60 min) + a h1 Hold(open)
         61m   h1      done a                  -> SettingsApplied",
    );
}

#[test]
fn a_deletion_while_a_snapshot_is_taken_fails_the_snapshot() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  snapshot a s            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)
         2s    client  delete a                -> DeleteBegan + Failed + h1 Remove
         3s    h1      done a                  -> Removed",
    );
}

#[test]
fn a_snapshots_name_is_taken_from_the_request_on() {
    check(
        "0s    given   stopped a               -> ready
         0s    given   stopped b               -> ready
         1s    client  snapshot a s            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)
         2s    client  snapshot b s id=t       -> refused: the name \"s\" is taken by snapshot s; choose another or remove that one
         3s    client  snapshot a s            -> already
         4s    client  snapshot b s!           -> refused: \"s!\" is not a snapshot's name; use 1 to 255 letters, digits, '_', '.', ':' and '-', in parts parted by '/'",
    );
}

#[test]
fn an_organization_has_so_many_snapshots_and_no_more() {
    check_on(
        |terms| terms.snapshots = 2,
        "0s    given   stopped a               -> ready
         1s    client  snapshot a s            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)
         2s    h1      done a                  -> Ready + SnapshotTaken
         3s    client  snapshot a t            -> refused: there are 2 snapshots and at most 2 are kept; remove one
         4s    client  remove s                -> RemoveBegan + Placed + h1 Scrap
         5s    client  snapshot a t            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)",
    );
}

#[test]
fn a_snapshot_that_sandboxes_are_made_of_is_not_removed() {
    check(
        "0s    given   started a               -> ready
         1s    client  remove default          -> refused: the snapshot \"default\" is in use (sandboxes: 1, such as a); delete those first
         2s    client  delete a                -> DeleteBegan + h1 Remove
         3s    client  remove default          -> RemoveBegan + Removed
         4s    client  create b                -> refused: there is no snapshot \"default\"; list the snapshots to see which there are",
    );
}

#[test]
fn a_snapshot_that_is_being_taken_is_not_removed() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  snapshot a s            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)
         2s    client  remove s                -> refused: the snapshot \"s\" is in use (sandboxes: 1, such as a); delete those first",
    );
}

#[test]
fn a_removal_that_fails_is_tried_again_until_it_succeeds() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  snapshot a s            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)
         2s    h1      done a                  -> Ready + SnapshotTaken
         3s    client  remove s                -> RemoveBegan + Placed + h1 Scrap
         4s    client  remove s                -> refused: there is no snapshot \"s\"; list the snapshots to see which there are
         5s    h1      failed s                -> Struggled
         6s    timer                           -> s h1 Scrap
         7s    h1      done s                  -> Removed",
    );
}

#[test]
fn a_snapshot_laid_aside_is_brought_back_by_whoever_creates_from_it() {
    check(
        "0s    client  deactivate default      -> Deactivated
         2s    client  create a                -> PullBegan + Activated + h1 Pull
         3s    client  deactivate default      -> refused: the snapshot \"default\" is in use (sandboxes: 1, such as a); delete those first
         4s    h1      done a                  -> SnapshotReady + h1 Create
         5s    h1      done a                  -> Booted
         6s    client  deactivate default      -> Deactivated
         7s    client  activate default        -> Activated",
    );
}

#[test]
fn a_snapshot_is_made_of_a_published_image() {
    check(
        "0s    client  make s image=ubuntu:22.04 -> PullBegan + h1 Build
         1s    client  create a snapshot=s     -> refused: the snapshot \"s\" is being fetched, and only one that is active or inactive can be created from
         2s    h1      done s                  -> Ready
         3s    client  create a snapshot=s     -> PullBegan + h1 Pull
         4s    client  make t image=ubuntu:22.04 region=mars -> refused: there is no region \"mars\"; there is local
         4s    client  make t image=ubuntu     -> refused: \"ubuntu\" does not name one image; write a name with a tag other than latest, or a digest
         5s    client  make t image=win:11 class=windows -> refused: nothing of class windows is made of a published image; take a snapshot of a sandbox instead",
    );
}

#[test]
fn a_snapshot_waits_for_a_host_and_is_given_up_without_one() {
    check(
        "0s    client  make s image=ubuntu:22.04 class=linux-vm -> PullBegan
         1s    client  make t dockerfile=x class=linux-vm -> refused: nothing of class linux-vm is made of a Dockerfile; only containers are built
         60m   timer                           -> Failed
         61m   client  make u image=ubuntu:22.04 class=linux-vm -> PullBegan
         62m   h2      connect class=linux-vm  -> Seen + Placed + u h2 Build
         63m   h2      failed u                -> Failed",
    );
}

#[test]
fn a_snapshot_that_is_taken_survives_a_crash_of_the_engine() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  snapshot a s            -> SnapshotBegan + CaptureBegan + h1 Capture(Cold)
         2s    log     crash                   -> Opened
         3s    h1      connect                 -> a h1 Capture(Cold)
         4s    h1      done a                  -> Ready + SnapshotTaken",
    );
}

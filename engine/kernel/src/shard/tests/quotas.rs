//! Quotas: what an organization takes together in a region, what is refused, and what makes room.

use super::story::check;

#[test]
fn a_create_beyond_the_quota_is_refused_with_what_would_free_how_much() {
    check(
        "0s    given   started a                -> ready
         0s    given   stopped b                -> ready
         1s    client  quota local cpu=2 disk=8 -> LimitsSet
         2s    client  create c                 -> refused: 3 GiB of disk more was asked for in region \"local\", where 6 of 8 are in use; deleting 1 started sandbox frees 3, deleting or archiving 1 stopped sandbox frees 3
         3s    client  delete b                 -> DeleteBegan + h1 Remove
         4s    client  create c                 -> PullBegan + h1 Pull
         5s    client  delete c                 -> DeleteBegan + h1 Remove
         6s    client  quota local cpu=1        -> LimitsSet
         7s    client  create d                 -> refused: 1 vCPU more was asked for in region \"local\", where 1 of 1 are in use; stopping 1 started sandbox frees 1
         8s    stranger create e                -> refused: there is no snapshot \"default\"; list the snapshots to see which there are",
    );
}

#[test]
fn what_has_stopped_counts_its_disk_and_starts_if_there_is_room_to_run() {
    check(
        "0s    given   started a                -> ready
         0s    given   stopped b                -> ready
         1s    client  quota local cpu=1        -> LimitsSet
         2s    client  start b                  -> refused: 1 vCPU more was asked for in region \"local\", where 1 of 1 are in use; stopping 1 started sandbox frees 1
         3s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         4s    client  start b                  -> refused: 1 vCPU more was asked for in region \"local\", where 1 of 1 are in use; stopping 1 started sandbox frees 1
         5s    h1      done a stopped           -> Exited(stopped)
         6s    client  start b                  -> BootBegan + h1 Boot
         7s    client  start a                  -> refused: 1 vCPU more was asked for in region \"local\", where 1 of 1 are in use; stopping 1 started sandbox frees 1",
    );
}

#[test]
fn a_start_that_waited_is_dropped_when_its_room_was_taken_meanwhile() {
    check(
        "0s    given   stopping a               -> ready
         0s    given   stopped b                -> ready
         1s    client  start a                  -> IntentQueued(start)
         2s    client  quota local cpu=0        -> LimitsSet
         3s    h1      done a stopped           -> Exited(stopped) + IntentDropped(OverQuota)",
    );
}

#[test]
fn what_failed_is_archived_or_is_being_deleted_counts_nothing() {
    check(
        "0s    given   archived a               -> ready
         0s    given   error b                  -> ready
         0s    given   deleting c               -> ready
         1s    client  quota local cpu=1 disk=3 -> LimitsSet
         2s    client  create d                 -> PullBegan + h1 Pull
         3s    client  start a                  -> refused: 1 vCPU more was asked for in region \"local\", where 1 of 1 are in use; stopping 1 started sandbox frees 1
         4s    client  delete d                 -> DeleteBegan + h1 Remove
         5s    client  start a                  -> RestoreBegan + h1 Restore(backup)",
    );
}

#[test]
fn a_paused_sandbox_counts_its_disk_and_a_resume_what_it_runs_with() {
    check(
        "0s    h1      connect class=linux-vm   -> Seen
         0s    client  register vm class=linux-vm -> Registered
         0s    given   paused a snapshot=vm     -> ready
         1s    client  quota local memory=0 disk=3 -> LimitsSet
         2s    client  start a                  -> refused: 1 GiB of memory more was asked for in region \"local\", where 0 of 0 are in use; ask for less, or for a larger quota",
    );
}

#[test]
fn a_resize_counts_only_what_it_adds() {
    check(
        "0s    given   started a                -> ready
         0s    given   stopped b                -> ready
         1s    client  quota local cpu=2 memory=1 disk=8 -> LimitsSet
         2s    client  resize a memory=2        -> refused: 1 GiB of memory more was asked for in region \"local\", where 1 of 1 are in use; stopping 1 started sandbox frees 1
         3s    client  resize a cpu=2           -> ResizeBegan + h1 Resize(2/1/3)
         4s    client  resize b cpu=4 memory=4 disk=6 -> refused: 3 GiB of disk more was asked for in region \"local\", where 6 of 8 are in use; deleting 1 started sandbox frees 3, deleting or archiving 1 stopped sandbox frees 3
         5s    client  resize b cpu=4 memory=4 disk=5 -> ResizeBegan + h1 Resize(4/4/5)
         6s    client  create c                 -> refused: 1 vCPU more was asked for in region \"local\", where 2 of 2 are in use; stopping 1 started sandbox frees 2",
    );
}

#[test]
fn regions_are_counted_apart_and_one_without_a_quota_is_open() {
    check(
        "0s    h2      connect region=us        -> Seen
         1s    client  quota local cpu=0        -> LimitsSet
         2s    client  create a                 -> refused: 1 vCPU more was asked for in region \"local\", where 0 of 0 are in use; ask for less, or for a larger quota
         3s    client  create a region=us       -> PullBegan + h2 Pull",
    );
}

#[test]
fn limits_go_by_class_and_bound_what_is_asked_for() {
    check(
        "0s    given   stopped a                -> ready
         1s    client  quota size=2/2/5         -> LimitsSet
         2s    client  quota size=2/2/5         -> already organization 00000000-0000-0000-0000-00000000ca11
         3s    client  resize a cpu=3           -> refused: 3 vCPU was asked for; a sandbox may have 1 to 2
         4s    client  resize a cpu=2 disk=5    -> ResizeBegan + h1 Resize(2/1/5)",
    );
}

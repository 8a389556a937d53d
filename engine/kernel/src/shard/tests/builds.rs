//! Sandboxes from images that are built for them.

use super::story::check;

#[test]
fn an_image_is_built_and_the_sandbox_made_of_it() {
    check(
        "0s    client  create a dockerfile=x   -> BuildBegan + h1 Build
         1s    look    a                       -> Building Snapshot
         2s    h1      done a                  -> SnapshotReady + h1 Create
         3s    h1      done a                  -> Booted",
    );
}

#[test]
fn a_build_waits_until_a_host_has_room() {
    check(
        "0s    h1      join room=0/0/0         -> Seen
         1s    client  create a dockerfile=x   -> BuildQueued
         2s    look    a                       -> Pending Build
         3h    h2      connect                 -> Seen + a BuildBegan + a h2 Build
         3h1s  h2      done a                  -> SnapshotReady + h2 Create",
    );
}

#[test]
fn a_build_that_failed_is_tried_again_by_a_start() {
    check(
        "0s    client  create a dockerfile=x   -> BuildBegan + h1 Build
         1s    h1      failed a                -> BuildFailed
         2s    client  recover a               -> refused: a sandbox that is Build Failed cannot be asked to recover; start it to build it again, or delete it
         3s    client  start a                 -> BuildQueued + BuildBegan + h1 Build
         4s    h1      done a                  -> SnapshotReady + h1 Create
         5s    h1      done a                  -> Booted",
    );
}

#[test]
fn a_build_that_is_tried_again_after_its_host_was_lost_waits_for_another() {
    check(
        "0s    client  create a dockerfile=x   -> BuildBegan + h1 Build
         1s    h1      failed a                -> BuildFailed
         2s    h1      gone                    ->
         32s   timer                           -> Suspected
         332s  timer                           -> Lost
         333s  client  start a                 -> BuildQueued
         334s  h2      connect                 -> Seen + a BuildBegan + a h2 Build
         335s  h2      done a                  -> SnapshotReady + h2 Create
         336s  h1      connect                 -> a h1 Remove + Returned
         337s  h1      done a                  -> Swept",
    );
}

#[test]
fn a_build_that_is_tried_again_elsewhere_leaves_nothing_where_it_failed() {
    check(
        "0s    client  create a dockerfile=x   -> BuildBegan + h1 Build
         1s    h1      failed a                -> BuildFailed
         2s    client  cordon h1               -> Cordoned
         3s    client  start a                 -> BuildQueued + h1 Remove
         4s    h2      connect                 -> Seen + a BuildBegan + a h2 Build
         5s    h1      done a                  -> Swept
         6s    h2      done a                  -> SnapshotReady + h2 Create",
    );
    check(
        "0s    client  create a dockerfile=x   -> BuildBegan + h1 Build
         1s    h1      failed a                -> BuildFailed
         2s    client  cordon h1               -> Cordoned
         3s    h2      connect                 -> Seen
         4s    client  start a                 -> BuildQueued + BuildBegan + h1 Remove + h2 Build
         5s    client  delete a                -> DeleteBegan + h2 Remove
         6s    h2      done a                  -> Removed
         7s    h1      done a                  -> Swept",
    );
}

#[test]
fn a_build_that_is_tried_again_forgets_who_refused_it() {
    check(
        "0s    h2      connect                 -> Seen
         1s    client  create a dockerfile=x   -> BuildBegan + h1 Build
         2s    h1      full a                  -> Declined + h1 Remove + h2 Build
         3s    h1      done a                  -> Swept
         4s    h2      failed a                -> BuildFailed
         5s    client  cordon h2               -> Cordoned
         6s    client  start a                 -> BuildQueued + BuildBegan + h2 Remove + h1 Build
         7s    h1      done a                  -> SnapshotReady + h1 Create",
    );
}

#[test]
fn a_build_that_takes_too_long_has_failed() {
    check(
        "0s    client  create a dockerfile=x   -> BuildBegan + h1 Build
         60m   timer                           -> a BuildFailed
         61m   h1      done a                  ->
         62m   client  delete a                -> DeleteBegan + h1 Remove",
    );
}

#[test]
fn a_waiting_build_is_deleted_at_once() {
    check(
        "0s    h1      join room=0/0/0         -> Seen
         1s    client  create a dockerfile=x   -> BuildQueued
         2s    client  delete a                -> DeleteBegan + Removed",
    );
}

#[test]
fn a_size_of_its_own_lies_within_what_the_organization_may_ask_for() {
    check(
        "0s    client  create a dockerfile=x cpu=5 -> refused: 5 vCPU was asked for; a sandbox may have 1 to 4
         1s    client  create a dockerfile=x memory=9 -> refused: 9 GiB of memory was asked for; a sandbox may have 1 to 8
         2s    client  create a dockerfile=x disk=0 -> refused: 0 GiB of disk was asked for; a sandbox may have 1 to 10
         3s    client  create a dockerfile=x cpu=4 memory=8 disk=10 -> BuildBegan + h1 Build",
    );
}

#[test]
fn only_containers_are_built() {
    check(
        "0s    client  create a dockerfile=x class=linux-vm -> refused: nothing of class linux-vm is made of a Dockerfile; only containers are built",
    );
}

#[test]
fn a_sandbox_is_made_of_a_snapshot_or_of_an_image() {
    check(
        "0s    client  create a dockerfile=x snapshot=default -> refused: a snapshot and an image were named; a sandbox is created from one of them",
    );
}

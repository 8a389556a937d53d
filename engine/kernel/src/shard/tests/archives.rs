//! Archives, what is brought back from them, and recovery.

use super::story::check;

#[test]
fn a_stopped_sandbox_is_archived_and_leaves_its_host_afterwards() {
    check(
        "0s    given   stopped a                -> ready
         1s    client  archive a                -> ArchiveBegan + h1 Archive
         2s    client  archive a                -> already
         3s    h1      done a                   -> ArchiveStored + h1 Discard
         4s    h1      done a                   -> DiskDropped
         5s    client  archive a                -> already
         6s    look    a                        -> Archived, exit stopped",
    );
}

#[test]
fn an_archived_sandbox_is_brought_back_wherever_there_is_room() {
    check(
        "0s    given   archived a               -> ready
         1s    h2      connect room=64/64/999   -> Seen
         2s    client  start a                  -> RestoreBegan + h2 Restore(backup)
         3s    client  start a                  -> already
         4s    h2      done a                   -> Restored
         5s    look    a                        -> Started",
    );
}

#[test]
fn what_cannot_be_brought_back_yet_waits_for_a_host_and_then_fails() {
    check(
        "0s    client  register big size=8/99/99 -> Registered
         0s    given   archived a snapshot=big  -> ready
         1s    given   started b snapshot=big   -> ready
         2s    client  start a                  -> RestoreBegan(no host)
         3s    h2      connect room=8/16/100    -> Seen + a Placed + a h2 Restore(backup)",
    );
}

#[test]
fn a_start_while_the_host_still_has_the_disk_stays_there() {
    check(
        "0s    given   archiving a              -> ready
         1s    h1      done a                   -> ArchiveStored + h1 Discard
         2s    client  start a                  -> RestoreBegan + h1 Restore(backup)
         3s    h1      done a                   -> Restored",
    );
}

#[test]
fn a_start_cancels_an_archive() {
    check(
        "0s    given   archiving a              -> ready
         1s    client  start a                  -> IntentQueued(start) + Abandoned + BootBegan + h1 Boot
         2s    h1      done a                   -> Booted
         3s    look    a                        -> Started",
    );
}

#[test]
fn a_disk_that_cannot_be_dropped_is_tried_again_and_blocks_nothing() {
    check(
        "0s    given   archiving a              -> ready
         1s    h1      done a                   -> ArchiveStored + h1 Discard
         2s    h1      failed a                 -> Struggled(1)
         3s    timer                            -> a h1 Discard
         4s    h1      done a                   -> DiskDropped
         5s    look    a                        -> Archived, exit stopped",
    );
}

#[test]
fn an_archive_that_fails_leaves_the_sandbox_stopped_with_its_fault_in_sight() {
    check(
        "0s    given   archiving a              -> ready
         1s    h1      failed a                 -> Abandoned(the sandbox's disk is not on the host any more) + h1 Prune(1)
         2s    look    a                        -> Stopped, exit stopped, fault the sandbox's disk is not on the host any more
         3s    client  start a                  -> BootBegan + h1 Boot",
    );
}

#[test]
fn an_archive_nobody_hears_of_is_given_up() {
    check(
        "0s    given   archiving a              -> ready
         60m   timer                            -> a Abandoned(the host was to archive the sandbox and did not within 60 min) + a h1 Prune(1)
         61m   h1      done a                   -> LeftoverRemoved
         62m   client  start a                  -> BootBegan + h1 Boot",
    );
}

#[test]
fn what_is_stopped_for_its_interval_is_archived_by_itself() {
    check(
        "0s    given   stopped a archive=60     -> ready
         59m   client  refresh a                -> ActivityRefreshed
         60m   timer                            -> a ArchiveBegan(expired) + a h1 Archive
         61m   h1      failed a                 -> Abandoned(the sandbox's disk is not on the host any more) + h1 Prune(1)
         121m  timer                            -> a ArchiveBegan(expired) + a h1 Archive
         122m  h1      done a                   -> ArchiveStored + h1 Discard(1)",
    );
}

#[test]
fn what_is_ephemeral_is_not_archived() {
    check(
        "0s    given   started a delete=0       -> ready
         1s    client  archive a                -> refused: this sandbox is ephemeral and cannot be asked to archive; set its auto-delete interval first",
    );
}

#[test]
fn only_what_has_stopped_is_archived_and_an_archive_waits_for_a_stop() {
    check(
        "0s    given   started a                -> ready
         1s    client  archive a                -> refused: a sandbox that is Started cannot be asked to archive; stop it first
         2s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         3s    client  archive a                -> IntentQueued(archive)
         4s    h1      done a stopped           -> Exited(stopped) + ArchiveBegan + h1 Archive",
    );
}

#[test]
fn archived_time_counts_until_it_is_deleted_and_its_archive_goes_with_it() {
    check(
        "0s    given   archived a delete=60     -> ready
         60m   timer                            -> a Removed + a Placed + a h1 Purge(1)
         61m   h1      done a                   -> LeftoverRemoved
         61m   look    a                        -> gone",
    );
}

#[test]
fn what_is_archived_is_deleted_at_once_and_its_archive_afterwards() {
    check(
        "0s    given   archived a name=box      -> ready
         1s    client  delete a                 -> Removed + Placed + h1 Purge(1)
         2s    client  start a                  -> refused: there is no sandbox \"a\"
         2s    client  create b name=box        -> PullBegan + h1 Pull
         3s    h1      failed a                 -> Struggled(1)
         3s    look    a                        -> Deleted, exit stopped, fault the sandbox's disk is not on the host any more
         4s    timer                            -> a h1 Purge(1)
         5s    h1      done a                   -> LeftoverRemoved
         5s    look    a                        -> gone",
    );
}

#[test]
fn what_is_left_of_the_deleted_waits_for_a_host_that_can_take_it_away() {
    check(
        "0s    given   archived a               -> ready
         1s    h1      gone                     ->
         1s    client  delete a                 -> Removed + Placed
         20s   h1      connect                  -> a h1 Purge(1)
         21s   h1      done a                   -> LeftoverRemoved",
    );
}

#[test]
fn what_its_host_still_has_is_deleted_with_it() {
    check(
        "0s    given   archiving a              -> ready
         1s    h1      done a                   -> ArchiveStored + h1 Discard
         2s    client  delete a                 -> DeleteBegan + h1 Purge(1)
         3s    h1      done a                   -> Removed",
    );
}

#[test]
fn a_deletion_takes_away_what_an_archive_given_up_may_have_stored() {
    check(
        "0s    given   archiving a              -> ready
         1s    client  delete a                 -> DeleteBegan + h1 Purge(1)
         2s    h1      done a                   -> Removed
         2s    look    a                        -> gone",
    );
}

#[test]
fn a_recovery_boots_the_disk_that_is_there() {
    check(
        "0s    given   starting a               -> ready
         5m    timer                            -> a Failed(the host was to boot the sandbox and did not within 5 min) + a h1 Quiesce
         6m    h1      done a                   -> Quiesced
         7m    client  recover a                -> RestoreBegan + h1 Restore(disk)
         8m    client  recover a                -> already
         9m    h1      done a                   -> Restored
         10m   look    a                        -> Started",
    );
}

#[test]
fn what_has_failed_is_not_recovered_by_itself() {
    check(
        "0s    given   starting a               -> ready
         5m    timer                            -> a Failed(the host was to boot the sandbox and did not within 5 min) + a h1 Quiesce
         6m    h1      done a                   -> Quiesced
         999h  h1      gone                     ->
         999h  h1      connect                  ->
         999h  look    a                        -> Error, exit stopped, fault the host was to boot the sandbox and did not within 5 min",
    );
}

#[test]
fn what_is_lost_without_a_backup_cannot_be_recovered() {
    check(
        "0s    given   quiet a                  -> ready
         1s    client  recover a                -> refused: this sandbox cannot be recovered: the sandbox's disk is not on the host any more, and there is no backup of it; delete it",
    );
}

#[test]
fn what_is_lost_is_recovered_from_its_backup_or_archived_as_that_has_it() {
    let lost = "0s    given   restoring a              -> ready
         1s    h1      done a                   -> Restored
         2s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         3s    h1      failed a                 -> Failed(the sandbox's disk is not on the host any more) + h1 Quiesce
         4s    h1      done a                   -> Quiesced";
    check(&format!(
        "{lost}
         5s    client  recover a                -> RestoreBegan + h1 Restore(backup)
         6s    h1      done a                   -> Restored"
    ));
    check(&format!(
        "{lost}
         5s    client  archive a                -> ArchiveBegan + ArchiveStored + h1 Discard
         6s    h1      done a                   -> DiskDropped
         7s    client  start a                  -> RestoreBegan + h1 Restore(backup)"
    ));
}

#[test]
fn what_did_not_fail_has_nothing_to_recover_from() {
    check(
        "0s    given   started a                -> ready
         1s    client  recover a                -> refused: a sandbox that is Started cannot be asked to recover; there is no error to recover from",
    );
}

#[test]
fn what_was_not_wholly_brought_back_is_brought_back_from_its_backup_again() {
    check(
        "0s    given   restoring a              -> ready
         60m   timer                            -> a Failed(the host was to restore the sandbox and did not within 60 min) + a h1 Quiesce
         61m   h1      done a                   -> Quiesced
         62m   client  recover a                -> RestoreBegan + h1 Restore(backup)",
    );
}

#[test]
fn what_found_no_host_to_be_brought_back_on_is_archived_again_at_once() {
    check(
        "0s    client  register big size=8/99/99 -> Registered
         0s    given   archived a snapshot=big  -> ready
         1s    given   started b snapshot=big stop=0 -> ready
         2s    client  start a                  -> RestoreBegan(no host)
         60m2s timer                            -> a Failed(no host can take the sandbox: 1 known, 1 ready, 1 in its region, 1 able to run it, 1 that did not refuse it, 0 with room) + a Quiesced
         61m   client  archive a                -> ArchiveBegan + ArchiveStored + DiskDropped
         62m   look    a                        -> Archived, exit stopped",
    );
}

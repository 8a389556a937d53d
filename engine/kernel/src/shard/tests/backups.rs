//! Backups of what has stopped, and what they are good for.

use hourglass_events::Span;

use super::story::{check, check_on};

#[test]
fn a_stopped_sandbox_is_backed_up_when_somebody_asks() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  backup a                -> BackupBegan + h1 Backup
         2s    client  backup a                -> already
         3s    h1      done a                  -> BackupTaken
         4s    client  backup a                -> already
         5s    look    a                       -> Stopped, exit stopped",
    );
}

#[test]
fn what_runs_is_not_backed_up() {
    check(
        "0s    given   started a               -> ready
         1s    client  backup a                -> refused: a sandbox that is Started cannot be asked to be backed up; stop it first",
    );
}

#[test]
fn the_policy_backs_up_what_has_been_stopped_for_long_enough_and_only_once() {
    check_on(
        |terms| terms.backup = Some(Span::minutes(10)),
        "0s    given   stopped a               -> ready
         10m   timer                           -> a BackupBegan + a h1 Backup
         11m   h1      done a                  -> BackupTaken
         1h    client  refresh a               -> ActivityRefreshed
         2h    look    a                       -> Stopped, exit stopped",
    );
}

#[test]
fn a_backup_is_taken_away_once_the_next_one_is_in_the_log() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  backup a                -> BackupBegan + h1 Backup
         2s    h1      done a                  -> BackupTaken
         3s    client  start a                 -> BootBegan + h1 Boot
         4s    h1      done a                  -> Booted
         5s    client  stop a                  -> StopBegan + h1 Stop(10 s)
         6s    h1      done a                  -> Exited(stopped)
         7s    client  backup a                -> BackupBegan + h1 Backup
         8s    h1      done a                  -> BackupTaken + h1 Prune(1)
         9s    h1      failed a                -> Struggled(1)
         10s   timer                           -> a h1 Prune(1)
         11s   h1      done a                  -> LeftoverRemoved
         12s   look    a                       -> Stopped, exit stopped",
    );
}

#[test]
fn a_backup_that_failed_is_tried_again_later_and_later() {
    check_on(
        |terms| terms.backup = Some(Span::minutes(10)),
        "0s    given   stopped a               -> ready
         10m   timer                           -> a BackupBegan + a h1 Backup
         11m   h1      failed a                -> BackupFailed(1) + h1 Prune(1)
         11m1s h1      done a                  -> LeftoverRemoved
         12m   timer                           -> a BackupBegan + a h1 Backup
         13m   h1      failed a                -> BackupFailed(2) + h1 Prune(1)
         13m1s h1      done a                  -> LeftoverRemoved
         15m   timer                           -> a BackupBegan + a h1 Backup
         16m   h1      done a                  -> BackupTaken",
    );
}

#[test]
fn a_backup_nobody_hears_of_is_given_up() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  backup a                -> BackupBegan + h1 Backup
         60m1s timer                           -> a BackupFailed(1) + a h1 Prune(1)",
    );
}

#[test]
fn a_start_does_not_wait_for_a_backup() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  backup a                -> BackupBegan + h1 Backup
         2s    client  start a                 -> BootBegan + h1 Boot
         3s    h1      done a order=4          ->
         4s    h1      done a                  -> Booted",
    );
}

#[test]
fn what_is_backed_up_is_archived_without_another_copy() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  backup a                -> BackupBegan + h1 Backup
         2s    h1      done a                  -> BackupTaken
         3s    client  archive a               -> ArchiveBegan + ArchiveStored + h1 Discard
         4s    h1      done a                  -> DiskDropped
         5s    client  start a                 -> RestoreBegan + h1 Restore(backup)",
    );
}

#[test]
fn what_failed_is_recovered_or_archived_from_its_backup() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  backup a                -> BackupBegan + h1 Backup
         2s    h1      done a                  -> BackupTaken
         3s    client  start a                 -> BootBegan + h1 Boot
         4s    h1      failed a                -> Failed(the sandbox's disk is not on the host any more) + h1 Quiesce
         5s    client  recover a               -> RestoreBegan + h1 Restore(backup)
         6s    h1      done a                  -> Restored",
    );
}

#[test]
fn a_deletion_takes_every_copy_away_after_the_sandbox() {
    check(
        "0s    given   stopped a               -> ready
         1s    client  backup a                -> BackupBegan + h1 Backup
         2s    h1      done a                  -> BackupTaken
         3s    client  delete a                -> DeleteBegan + h1 Purge(1)
         4s    h1      done a                  -> Removed",
    );
}

#[test]
fn what_is_ephemeral_is_not_backed_up() {
    check_on(
        |terms| terms.backup = Some(Span::minutes(1)),
        "0s    given   started a delete=0      -> ready
         1s    client  stop a                  -> StopBegan + h1 Stop(10 s)
         2s    h1      done a                  -> Exited(stopped) + DeleteBegan(Ephemeral) + h1 Remove",
    );
}

//! Linked sandboxes: they hang on a parent, share its host, and end with it or before it.

use super::story::check;

#[test]
fn a_linked_sandbox_is_created_on_its_parents_host() {
    check(
        "0s    given   started a                -> ready
         0s    h2      connect room=64/64/999   -> Seen
         1s    client  create b linked=a delete=0 -> PullBegan + h1 Pull
         2s    client  create c                 -> PullBegan + h2 Pull
         3s    client  create d linked=a delete=0 -> PullBegan + h1 Pull",
    );
}

#[test]
fn the_auto_delete_interval_of_a_linked_sandbox_must_be_exactly_0() {
    check(
        "0s    given   started a                -> ready
         1s    client  create b linked=a        -> refused: a linked sandbox is always ephemeral; send an auto-delete interval of 0
         1s    client  create b linked=a delete=1 -> refused: a linked sandbox is always ephemeral; send an auto-delete interval of 0
         1s    client  create b linked=a delete=-1 -> refused: a linked sandbox is always ephemeral; send an auto-delete interval of 0
         2s    given   started b linked=a delete=0 -> ready
         3s    client  autodelete b -1          -> refused: this sandbox must stay ephemeral; its auto-delete interval is 0 for ever
         3s    client  autodelete b 5           -> refused: this sandbox must stay ephemeral; its auto-delete interval is 0 for ever
         3s    client  autodelete b 0           -> already",
    );
}

#[test]
fn once_stopped_a_linked_sandbox_is_deleted() {
    check(
        "0s    given   started a stop=0         -> ready
         0s    given   started b linked=a delete=0 stop=1 -> ready
         50s   h1      used b 0s                ->
         1m50s h1      used b 1m                -> StopBegan(idle) + h1 Stop(10 s)
         1m51s h1      done b stopped           -> Exited(stopped) + DeleteBegan(Ephemeral) + h1 Remove
         1m52s h1      done b                   -> Removed
         1m53s look    a                        -> Started",
    );
}

#[test]
fn a_linked_sandbox_cannot_be_persisted_or_resumed_after_stop() {
    check(
        "0s    given   started a stop=0         -> ready
         0s    given   stopping b linked=a delete=0 -> ready
         1s    client  start b                  -> refused: this sandbox is linked with a and lives no longer than it runs: it cannot be asked to start
         1s    client  archive b                -> refused: this sandbox is linked with a and lives no longer than it runs: it cannot be asked to archive
         2s    h1      done b                   -> Exited(stopped) + DeleteBegan(Ephemeral) + h1 Remove",
    );
    check(
        "0s    given   started a                -> ready
         0s    given   quiet b linked=a delete=0 -> ready
         1s    client  recover b                -> refused: this sandbox is linked with a and lives no longer than it runs: it cannot be asked to recover
         1s    client  start b                  -> refused: this sandbox is linked with a and lives no longer than it runs: it cannot be asked to start
         1s    client  delete b                 -> DeleteBegan + h1 Remove",
    );
}

#[test]
fn a_linked_machine_is_neither_paused_nor_forked() {
    check(
        "0s    h1      connect class=linux-vm   -> Seen
         0s    client  register vm class=linux-vm -> Registered
         0s    given   started a snapshot=vm    -> ready
         0s    given   started b snapshot=vm linked=a delete=0 -> ready
         1s    client  pause b                  -> refused: this sandbox is linked with a and lives no longer than it runs: it cannot be asked to pause
         1s    client  fork b c                 -> refused: this sandbox is linked with a and lives no longer than it runs: it cannot be asked to fork
         2s    client  fork a c                 -> ForkBegan + c Born + h1 Fork
         3s    h1      done a                   -> Forked + c CopyReady + c h1 Awaken
         4s    client  create d snapshot=vm linked=c delete=0 -> refused: a sandbox that is Creating cannot be asked to link with another until that is done; repeat it in a moment
         5s    h1      done c                   -> Booted
         6s    client  create d snapshot=vm linked=c delete=0 -> PullBegan + h1 Pull",
    );
}

#[test]
fn deleting_the_parent_deletes_all_of_its_linked_children() {
    check(
        "0s    given   started a                -> ready
         0s    given   started b linked=a delete=0 -> ready
         0s    given   pulling c linked=a delete=0 -> ready
         0s    given   quiet d linked=a delete=0 -> ready
         0s    given   started e                -> ready
         1s    client  delete a                 -> DeleteBegan + b DeleteBegan(Cascade) + c DeleteBegan(Cascade) + d DeleteBegan(Cascade) + h1 Remove + b h1 Remove + c h1 Remove + d h1 Remove
         2s    look    e                        -> Started",
    );
}

#[test]
fn a_parent_that_ends_by_its_timer_takes_its_linked_children_with_it() {
    check(
        "0s    given   stopped a delete=5       -> ready
         0s    given   started b linked=a delete=0 stop=0 -> ready
         5m    timer                            -> a DeleteBegan(Expired) + b DeleteBegan(Cascade) + a h1 Remove + b h1 Remove",
    );
    check(
        "0s    given   started a delete=0       -> ready
         0s    given   started b linked=a delete=0 stop=0 -> ready
         1s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         2s    h1      done a                   -> Exited(stopped) + DeleteBegan(Ephemeral) + b DeleteBegan(Cascade) + h1 Remove + b h1 Remove",
    );
}

#[test]
fn a_cascade_is_not_forgotten_when_the_engine_dies() {
    check(
        "0s    given   started a                -> ready
         0s    given   started b linked=a delete=0 -> ready
         1s    client  delete a                 -> DeleteBegan + b DeleteBegan(Cascade) + h1 Remove + b h1 Remove
         2s    log     crash                    -> Opened
         3s    h1      connect                  -> a h1 Remove + b h1 Remove
         4s    h1      done b                   -> Removed
         5s    h1      done a                   -> Removed",
    );
}

#[test]
fn the_parent_goes_on_when_a_linked_child_is_gone() {
    check(
        "0s    given   started a                -> ready
         0s    given   started b linked=a delete=0 -> ready
         1s    client  delete b                 -> DeleteBegan + h1 Remove
         2s    h1      done b                   -> Removed
         3s    look    a                        -> Started",
    );
}

#[test]
fn links_have_no_chains() {
    check(
        "0s    given   started a                -> ready
         0s    given   started b linked=a delete=0 -> ready
         1s    client  create c linked=b delete=0 -> refused: sandbox b is linked with a itself; link with a instead",
    );
}

#[test]
fn the_parent_is_of_the_same_organization_and_runs_or_rests() {
    check(
        "0s    client  create b linked=a delete=0 -> refused: there is no sandbox \"a\"
         0s    given   started a                -> ready
         0s    stranger register default id=theirs -> Registered
         1s    stranger create b linked=a delete=0 -> refused: there is no sandbox \"a\"",
    );
    for (state, refusal) in [
        (
            "pulling",
            "a sandbox that is Pulling Snapshot cannot be asked to link with another until that is done; repeat it in a moment",
        ),
        (
            "stopping",
            "a sandbox that is Stopping cannot be asked to link with another until that is done; repeat it in a moment",
        ),
        ("archived", "a sandbox that is Archived cannot be asked to link with another; start it first"),
        ("quiet", "a sandbox that is Error cannot be asked to link with another; recover or delete it"),
        ("deleting", "a sandbox that is Deleting cannot be asked to link with another; it is being deleted"),
    ] {
        check(&format!(
            "0s    given   {state} a                -> ready
             1s    client  create b linked=a delete=0 -> refused: {refusal}"
        ));
    }
    check(
        "0s    given   stopped a                -> ready
         1s    client  create b linked=a delete=0 -> PullBegan + h1 Pull",
    );
}

#[test]
fn gpus_and_links_do_not_go_together() {
    check(
        "0s    h3      connect room=8/16/100/2  -> Seen
         0s    client  register gpu size=1/1/1/1 -> Registered
         0s    given   started a                -> ready
         0s    given   started g snapshot=gpu host=3 delete=0 -> ready
         1s    client  create b linked=a snapshot=gpu delete=0 -> refused: a sandbox with GPUs cannot be asked to link with another
         1s    client  create b linked=g delete=0 -> refused: a sandbox with GPUs cannot be asked to link with another",
    );
}

#[test]
fn what_others_are_linked_with_stays_on_its_host() {
    check(
        "0s    given   stopped a archive=1      -> ready
         0s    given   started b linked=a delete=0 stop=0 -> ready
         1s    client  archive a                -> refused: 1 sandboxes are linked with this one, such as b, and keep it on its host; delete them first
         2m    look    a                        -> Stopped, exit stopped
         3m    client  delete b                 -> DeleteBegan + a ArchiveBegan(expired) + h1 Remove + a h1 Archive",
    );
}

#[test]
fn a_linked_sandbox_finds_no_room_where_its_parents_host_is_full() {
    check(
        "0s    h1      connect room=1/1/1       -> Seen
         0s    client  register big size=1/8/1  -> Registered
         0s    given   started a snapshot=big   -> ready
         0s    h2      connect                  -> Seen
         1s    client  create b linked=a snapshot=big delete=0 -> refused: the host of sandbox a cannot take another sandbox of class container and this size; delete or stop others there, or ask later",
    );
}

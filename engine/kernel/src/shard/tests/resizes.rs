//! Resizing: what grows when, what never shrinks, and what a failure leaves.

use super::story::check;

#[test]
fn cpu_and_memory_grow_while_a_sandbox_runs() {
    check(
        "0s    given   started a                -> ready
         1s    client  resize a cpu=2 memory=4  -> ResizeBegan + h1 Resize(2/4/3)
         2s    client  resize a cpu=2 memory=4  -> already
         3s    client  resize a cpu=3           -> refused: a sandbox that is Resizing cannot be asked to resize until that is done; repeat it in a moment
         4s    h1      done a                   -> Resized
         5s    look    a                        -> Started
         6s    client  resize a cpu=2 memory=4  -> refused: no resource would change; name at least one of cpu, memory and disk with another value than it has",
    );
}

#[test]
fn nothing_shrinks_while_a_sandbox_runs() {
    check(
        "0s    client  register big size=4/8/10 -> Registered
         0s    given   started a snapshot=big   -> ready
         1s    client  resize a cpu=2           -> refused: 2 vCPU was asked for where it has 4, which cannot be changed while it runs; stop it first
         1s    client  resize a memory=4        -> refused: 4 GiB of memory was asked for where it has 8, which cannot be changed while it runs; stop it first",
    );
}

#[test]
fn a_disk_grows_only_while_a_sandbox_is_stopped_and_never_shrinks() {
    check(
        "0s    given   started a                -> ready
         1s    client  resize a disk=8          -> refused: 8 GiB of disk was asked for where it has 3, which cannot be changed while it runs; stop it first
         2s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         3s    h1      done a stopped           -> Exited(stopped)
         4s    client  resize a disk=8          -> ResizeBegan + h1 Resize(1/1/8)
         5s    h1      done a                   -> Resized
         6s    client  resize a disk=3          -> refused: its disk has 8 GiB and only grows; 3 GiB were asked for, ask for more
         7s    look    a                        -> Stopped, exit stopped",
    );
}

#[test]
fn a_stopped_sandbox_may_be_given_less_cpu_and_memory() {
    check(
        "0s    client  register big size=4/8/10 -> Registered
         0s    given   stopped a snapshot=big   -> ready
         1s    client  resize a cpu=1 memory=2  -> ResizeBegan + h1 Resize(1/2/10)
         2s    h1      done a                   -> Resized
         3s    client  start a                  -> BootBegan + h1 Boot",
    );
}

#[test]
fn what_changes_lies_within_the_limits_and_what_was_inherited_is_let_be() {
    check(
        "0s    client  register windows size=2/8/30 -> Registered
         0s    given   stopped a snapshot=windows -> ready
         1s    client  resize a cpu=5           -> refused: 5 vCPU was asked for; a sandbox may have 1 to 4
         1s    client  resize a disk=40         -> refused: 40 GiB of disk was asked for; a sandbox may have 1 to 10
         1s    client  resize a cpu=4           -> ResizeBegan + h1 Resize(4/8/30)",
    );
}

#[test]
fn a_resize_that_fails_leaves_the_sandbox_as_it_was() {
    check(
        "0s    given   started a stop=0         -> ready
         1s    client  resize a cpu=2           -> ResizeBegan + h1 Resize(2/1/3)
         2s    h1      failed a                 -> Abandoned(the sandbox's disk is not on the host any more) + h1 ask
         3s    look    a                        -> Started, fault the sandbox's disk is not on the host any more
         4s    client  resize a cpu=2           -> ResizeBegan + h1 Resize(2/1/3)",
    );
}

#[test]
fn a_resize_nobody_hears_of_is_taken_back() {
    check(
        "0s    given   started a stop=0         -> ready
         1s    client  resize a cpu=2           -> ResizeBegan + h1 Resize(2/1/3)
         5m1s  timer                            -> a Abandoned(the host was to resize the sandbox and did not within 5 min) + a h1 Hold(open, 1/1/3)
         5m2s  h1      done a                   -> SettingsApplied",
    );
}

#[test]
fn a_stop_waits_for_a_resize_and_a_delete_does_not() {
    check(
        "0s    given   started a                -> ready
         1s    client  resize a cpu=2           -> ResizeBegan + h1 Resize(2/1/3)
         2s    client  stop a                   -> IntentQueued(stop)
         3s    h1      done a                   -> Resized + StopBegan + h1 Stop(10 s)",
    );
    check(
        "0s    given   started a                -> ready
         1s    client  resize a cpu=2           -> ResizeBegan + h1 Resize(2/1/3)
         2s    client  delete a                 -> DeleteBegan + h1 Remove",
    );
}

#[test]
fn a_policy_set_while_a_sandbox_is_resized_is_applied_after_it() {
    check(
        "0s    given   started a                -> ready
         1s    client  resize a cpu=2           -> ResizeBegan + h1 Resize(2/1/3)
         2s    client  network a blocked        -> NetworkSet
         3s    h1      done a                   -> Resized + h1 Hold(blocked)",
    );
}

#[test]
fn what_neither_runs_nor_has_stopped_is_not_resized() {
    check(
        "0s    given   starting a               -> ready
         1s    client  resize a cpu=2           -> refused: a sandbox that is Starting cannot be asked to resize until that is done; repeat it in a moment",
    );
    check(
        "0s    given   quiet a                  -> ready
         1s    client  resize a cpu=2           -> refused: a sandbox that is Error cannot be asked to resize; recover or delete it",
    );
}

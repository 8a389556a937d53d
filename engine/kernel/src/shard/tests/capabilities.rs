//! Capabilities: what a host cannot do is refused before anything is recorded, and not done by itself.

use super::story::{check, check_bare};

const PLAIN: &str = "0s    client  register default         -> Registered
         0s    h1      connect can=nothing      -> Seen";

#[test]
fn what_a_host_cannot_do_is_refused_and_nothing_is_recorded() {
    check_bare(&format!(
        "{PLAIN}
         0s    given   started a                -> ready
         0s    given   stopped b                -> ready
         1s    client  resize a cpu=2           -> refused: resize is not supported by this engine's hosts
         2s    client  resize b disk=9          -> refused: resize is not supported by this engine's hosts
         3s    client  archive b                -> refused: archive is not supported by this engine's hosts
         4s    client  network a example.com    -> refused: change is not supported by this engine's hosts
         5s    client  network a 10.0.0.0/8     -> NetworkSet + h1 Hold(only 10.0.0.0/8)
         6s    client  create c network=example.com -> refused: create is not supported by this engine's hosts"
    ));
}

#[test]
fn a_wrong_resize_is_told_as_such_also_where_none_can_be_done() {
    check_bare(&format!(
        "{PLAIN}
         0s    given   started a                -> ready
         1s    client  resize a disk=9          -> refused: 9 GiB of disk was asked for where it has 3, which cannot be changed while it runs; stop it first"
    ));
}

#[test]
fn a_machine_whose_host_cannot_save_memory_is_not_paused() {
    check(
        "0s    h1      connect class=linux-vm can=nothing life=2 -> Seen
         0s    client  register vm class=linux-vm -> Registered
         0s    given   started a snapshot=vm    -> ready
         1s    client  pause a                  -> refused: pause is not supported by this engine's hosts
         2s    client  stop a                   -> StopBegan + h1 Stop(10 s)",
    );
}

#[test]
fn nothing_is_archived_by_itself_where_it_cannot_be_and_is_once_it_can() {
    check_bare(&format!(
        "{PLAIN}
         0s    given   stopped a archive=60     -> ready
         120m  look    a                        -> Stopped, exit stopped
         121m  h1      connect can=archive      -> Seen + a ArchiveBegan(expired) + a h1 Archive"
    ));
}

#[test]
fn an_archive_that_waited_is_dropped_where_it_cannot_be_done_any_more() {
    check(
        "0s    given   stopping a               -> ready
         1s    client  archive a                -> IntentQueued(archive)
         2s    h1      connect can=nothing life=2 -> a h1 Stop(10 s) + Seen
         3s    h1      done a stopped           -> Exited(stopped) + IntentDropped(OperationFailed)",
    );
}

#[test]
fn what_is_in_object_storage_comes_back_where_that_can_be_read() {
    check(
        "0s    given   archived a               -> ready
         1s    h2      connect room=64/64/999 can=nothing -> Seen
         2s    client  start a                  -> RestoreBegan + h1 Restore(backup)",
    );
}

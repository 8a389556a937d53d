//! Idempotency keys: a repeat is what it was, for a day, also after a crash.

use super::story::check;

#[test]
fn a_repeat_is_what_it_was_the_first_time() {
    check(
        "0s    client  create a key=k           -> PullBegan + h1 Pull
         1s    client  create b name=a key=k    -> already sandbox a
         2s    h1      done a                   -> SnapshotReady + h1 Create
         3s    log     crash                    -> Opened
         4s    client  create c name=a key=k    -> already sandbox a",
    );
}

#[test]
fn a_key_with_another_body_is_a_conflict() {
    check(
        "0s    client  create a key=k           -> PullBegan + h1 Pull
         1s    client  create b key=k           -> refused: the idempotency key \"k\" was used with another request within a day; use a fresh key
         2s    client  delete a key=k           -> refused: the idempotency key \"k\" was used with another request within a day; use a fresh key
         3s    stranger register default id=y key=k -> Registered",
    );
}

#[test]
fn a_refusal_is_not_remembered() {
    check(
        "0s    client  create a snapshot=later key=k  -> refused: there is no snapshot \"later\"; list the snapshots to see which there are
         1s    client  register later                 -> Registered
         2s    client  create a snapshot=later key=k  -> PullBegan + h1 Pull",
    );
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    check(
        "0s     given   started a stop=0        -> ready
         1s     client  labels a x=1 key=k      -> LabelsReplaced
         24h1s  client  labels a x=2 key=k      -> refused: the idempotency key \"k\" was used with another request within a day; use a fresh key
         24h2s  client  labels a x=2 key=k      -> LabelsReplaced
         24h3s  client  labels a x=2 key=k      -> already
         24h4s  client  labels a x=1 key=k      -> refused: the idempotency key \"k\" was used with another request within a day; use a fresh key",
    );
}

#[test]
fn a_repeat_of_a_delete_finds_it_done() {
    check(
        "0s    given   started a                -> ready
         1s    client  delete a key=k           -> DeleteBegan + h1 Remove
         2s    h1      done a                   -> Removed
         3s    client  delete a key=k           -> already",
    );
}

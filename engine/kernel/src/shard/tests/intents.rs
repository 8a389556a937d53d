//! Intents: what is asked while work is in flight waits for its end, once, and settles by an event.

use super::story::check;

#[test]
fn a_start_waits_for_the_stop_to_end() {
    check(
        "0s    given   stopping a               -> ready
         1s    client  start a                  -> IntentQueued(start)
         2s    client  start a                  -> already
         3s    h1      done a                   -> Exited(stopped) + BootBegan + h1 Boot
         4s    h1      done a                   -> Booted",
    );
}

#[test]
fn a_stop_waits_for_the_creation_to_end() {
    check(
        "0s    given   pulling a                -> ready
         1s    client  stop a 30s               -> IntentQueued(stop)
         2s    client  stop a 30s               -> already
         3s    h1      done a                   -> SnapshotReady + h1 Create
         4s    h1      done a                   -> Booted + StopBegan + h1 Stop(30 s)",
    );
}

#[test]
fn the_last_intent_wins() {
    check(
        "0s    given   starting a               -> ready
         1s    client  stop a                   -> IntentQueued(stop)
         2s    client  start a                  -> IntentQueued(start)
         3s    h1      done a                   -> Booted + IntentDropped(AlreadyThere)
         4s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         5s    client  start a                  -> IntentQueued(start)
         6s    client  stop a                   -> IntentDropped(Replaced)
         7s    h1      done a                   -> Exited(stopped)",
    );
}

#[test]
fn forcing_a_stop_takes_back_the_start_that_waits_for_it() {
    check(
        "0s    given   stopping a               -> ready
         1s    client  start a                  -> IntentQueued(start)
         2s    client  stop a force             -> StopForced + h1 Stop(0 µs)
         3s    h1      done a                   -> Exited(killed)
         4s    client  start a                  -> BootBegan + h1 Boot",
    );
}

#[test]
fn a_stop_whose_sandbox_exits_by_itself_first_is_dropped() {
    check(
        "0s    given   starting a               -> ready
         1s    client  stop a                   -> IntentQueued(stop)
         2s    h1      failed a                 -> Failed(the sandbox's disk is not on the host any more) + IntentDropped(OperationFailed) + h1 Quiesce",
    );
}

#[test]
fn deletion_goes_before_an_intent() {
    check(
        "0s    given   stopping a               -> ready
         1s    client  start a                  -> IntentQueued(start)
         2s    client  delete a                 -> DeleteBegan + h1 Remove
         3s    h1      done a                   -> Removed",
    );
}

#[test]
fn an_intent_goes_before_the_end_of_an_ephemeral_sandbox() {
    check(
        "0s    given   stopping a delete=0      -> ready
         1s    client  start a                  -> IntentQueued(start)
         2s    h1      done a                   -> Exited(stopped) + BootBegan + h1 Boot
         3s    h1      done a                   -> Booted
         4s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         5s    h1      done a                   -> Exited(stopped) + DeleteBegan(Ephemeral) + h1 Remove",
    );
}

#[test]
fn an_intent_survives_a_crash() {
    check(
        "0s    given   stopping a               -> ready
         1s    client  start a                  -> IntentQueued(start)
         2s    log     crash                    -> Opened
         2s    look    a                        -> Stopping, wants start
         3s    h1      connect                  -> a h1 Stop(10 s)
         4s    h1      done a                   -> Exited(stopped) + BootBegan + h1 Boot",
    );
}

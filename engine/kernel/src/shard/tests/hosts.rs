//! Hosts: who is chosen, who waits, who comes back.

use hourglass_events::{
    Class, Command, Create, HostId, Image, Resources, SandboxId, SnapshotContent, SnapshotId,
};

use super::story::{check, check_bare};
use super::world::{ORGANIZATION, World};

#[test]
fn a_sandbox_without_a_host_waits_and_is_placed_when_one_joins() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    client  create a                 -> PullBegan(no host)
         10m   h1      connect                  -> Seen + a Placed + a h1 Pull
         39m   h1      done a                   -> SnapshotReady + h1 Create",
    );
}

#[test]
fn a_sandbox_that_nobody_can_take_fails_with_the_numbers() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    h1      connect class=windows    -> Seen
         0s    h2      connect room=0/1/2       -> Seen
         0s    client  create a                 -> PullBegan(no host)
         30m   timer                            -> a Failed(no host can take the sandbox: 2 known, 2 ready, 2 in its region, 1 able to run it, 1 that did not refuse it, 0 with room) + a Quiesced
         31m   client  delete a                 -> DeleteBegan + Removed",
    );
}

#[test]
fn room_that_comes_free_goes_to_who_waits() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    client  register big size=1/1/6  -> Registered
         0s    h1      connect room=2/2/1       -> Seen
         0s    given   started a stop=0         -> ready
         0s    given   started b stop=0         -> ready
         1s    client  create c snapshot=big    -> PullBegan(no host)
         1s    client  create d                 -> PullBegan(no host)
         1s    client  create e                 -> PullBegan(no host)
         2s    client  delete a                 -> DeleteBegan + h1 Remove
         3s    h1      done a                   -> Removed + d Placed + d h1 Pull
         4s    client  delete b                 -> DeleteBegan + h1 Remove
         5s    h1      done b                   -> Removed + e Placed + e h1 Pull",
    );
}

#[test]
fn one_departure_can_make_room_for_several() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    client  register big size=1/1/8  -> Registered
         0s    h1      connect room=2/2/1       -> Seen
         0s    client  create a snapshot=big    -> PullBegan + h1 Pull
         1s    client  create c                 -> PullBegan(no host)
         1s    client  create d                 -> PullBegan(no host)
         2s    client  delete a                 -> DeleteBegan + h1 Remove
         3s    h1      done a                   -> Removed + c Placed + d Placed + c h1 Pull + d h1 Pull",
    );
}

#[test]
fn what_is_stopped_leaves_room_for_others_and_starts_without_asking_for_it() {
    check_bare(
        "0s    client  register default size=1/8/3  -> Registered
         0s    h1      connect room=1/1/10      -> Seen
         0s    given   started a stop=0         -> ready
         1s    client  create b                 -> PullBegan(no host)
         2s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         3s    h1      done a stopped           -> Exited(stopped) + b Placed + b h1 Pull
         4s    client  start a                  -> BootBegan + h1 Boot",
    );
}

#[test]
fn the_disk_of_what_is_stopped_stays_taken() {
    check_bare(
        "0s    client  register default size=1/1/8  -> Registered
         0s    h1      connect room=9/9/1       -> Seen
         0s    given   stopped a                -> ready
         1s    client  create b                 -> PullBegan(no host)
         2s    client  delete a                 -> DeleteBegan + h1 Remove
         3s    h1      done a                   -> Removed + b Placed + b h1 Pull",
    );
}

#[test]
fn a_small_machine_has_room_for_a_hundred_sandboxes() {
    let mut world = World::new();
    let content = SnapshotContent {
        name: "default".to_owned(),
        class: Class::Container,
        resources: Resources::DEFAULT,
        gpu_types: hourglass_events::GpuTypes::default(),
        image: Image { digest: "cafe".to_owned() },
    };
    world.ask(ORGANIZATION, None, Command::RegisterSnapshot(SnapshotId::from_u128(1), content));
    let host = HostId::from_u128(0x1001);
    world.join(host, vec![Class::Container], Resources { cpu: 2, memory_gib: 24, disk_gib: 40, gpu: 0 });
    for number in 1..=100 {
        world.ask(ORGANIZATION, None, Command::Create(Create::new(SandboxId::from_u128(number))));
    }
    assert_eq!(world.shard.committed().hosts().residents(host).count(), 100);
}

#[test]
fn the_roomiest_host_is_chosen() {
    check_bare(
        "0s    client  register default size=1/8/3  -> Registered
         0s    h1      connect room=4/4/100     -> Seen
         0s    h2      connect room=4/6/100     -> Seen
         0s    client  create a                 -> PullBegan + h2 Pull
         0s    client  create b                 -> PullBegan + h2 Pull
         0s    client  create c                 -> PullBegan + h1 Pull",
    );
}

#[test]
fn a_host_that_comes_back_hears_what_is_still_owed() {
    check(
        "0s    given   creating a               -> ready
         0s    given   started b                -> ready
         1s    h1      gone                     ->
         2s    client  stop b                   -> StopBegan
         3s    h1      connect life=2           -> a h1 Create + b h1 Stop(10 s) + Seen
         4s    h1      done b                   -> Exited(stopped)
         5s    h1      connect life=2           -> a h1 Create",
    );
}

#[test]
fn a_host_that_joins_while_the_epoch_is_opened_is_heard() {
    check(
        "0s    given   creating a               -> ready
         1s    log     full                     ->
         1s    log     crash                    ->
         1s    h1      join                     ->
         1s    h1      done a                   -> not acknowledged
         1s    h1      synced                   ->
         1s    client  start a                  -> refused: the engine is not ready to decide; repeat the request in a moment
         1s500ms log   room                     ->
         2s    timer                            -> Opened + a h1 Create + a Booted
         3s    look    a                        -> Started",
    );
}

//! Hosts that are out of reach, lost, cordoned or drained: what becomes of what is there, and of what is to go there.

use hourglass_events::codec::RECORD_BYTES_MOST;
use hourglass_events::{
    Class, Command, Create, Event, HostId, Resources, SandboxEvent, SandboxId, Span, State,
};

use super::limits::register;
use super::story::{check, check_bare};
use super::world::{ORGANIZATION, World};
use crate::shard::{Input, Output};

#[test]
fn a_host_out_of_reach_is_suspected_and_returns_as_it_was() {
    check(
        "0s    given   started a stop=0         -> ready
         1s    h1      gone                     ->
         31s   timer                            -> Suspected
         32s   client  create b                 -> PullBegan(no host)
         33s   look    a                        -> Started
         40s   h1      connect                  -> Returned + b Placed + b h1 Pull + a h1 ask
         41s   client  delete b                 -> DeleteBegan + h1 Remove
         60m   look    a                        -> Started",
    );
}

#[test]
fn a_host_that_connects_in_time_is_never_suspected() {
    check(
        "0s    given   started a stop=0         -> ready
         1s    h1      gone                     ->
         30s   h1      connect                  -> a h1 ask
         60m   look    a                        -> Started",
    );
}

#[test]
fn what_ran_on_a_lost_host_has_failed_with_its_history_and_is_quiet_when_the_host_returns() {
    check(
        "0s    given   started a stop=0         -> ready
         0s    given   stopped b archive=6      -> ready
         1s    h1      gone                     ->
         31s   timer                            -> Suspected
         331s  timer                            -> Lost + a Failed(host 00000000-0000-0000-0000-000000001001 (incarnation 1) was lost)
         332s  client  recover a                -> refused: host 00000000-0000-0000-0000-000000001001, which has the sandbox's disk, is lost; repeat the request when that host is back, or delete the sandbox
         333s  client  start b                  -> refused: host 00000000-0000-0000-0000-000000001001, which has the sandbox's disk, is lost; repeat the request when that host is back, or delete the sandbox
         10m   look    b                        -> Stopped, exit stopped
         11m   h1      connect                  -> a h1 Quiesce + Returned + b ArchiveBegan(expired) + b h1 Archive
         12m   h1      done a                   -> Quiesced
         13m   client  recover a                -> RestoreBegan + h1 Restore(disk)",
    );
}

#[test]
fn what_lives_no_longer_than_it_runs_ends_with_its_host() {
    check(
        "0s    given   started a delete=0 stop=0 -> ready
         1s    h1      gone                     ->
         31s   timer                            -> Suspected
         331s  timer                            -> Lost + a Exited(its host was lost) + a DeleteBegan(Ephemeral) + a Buried
         332s  look    a                        -> gone
         333s  h1      connect                  -> a h1 Remove + Returned
         334s  h1      done a                   -> Swept",
    );
}

#[test]
fn what_its_forks_keep_although_its_host_is_lost_is_quiet_when_that_returns() {
    check(
        "0s    h2      connect class=linux-vm   -> Seen
         0s    client  register vm class=linux-vm -> Registered
         0s    given   started a snapshot=vm host=2 stop=0 delete=0 -> ready
         1s    client  fork a b                 -> ForkBegan + b Born + h2 Fork
         2s    h2      done a                   -> Forked + b CopyReady + b h2 Awaken
         3s    h2      done b                   -> Booted
         4s    client  autodelete b -1          -> AutoDeleteSet
         5s    h2      gone                     ->
         35s   timer                            -> Suspected
         335s  timer                            -> Lost + a Failed(host 00000000-0000-0000-0000-000000001002 (incarnation 1) was lost) + b Failed(host 00000000-0000-0000-0000-000000001002 (incarnation 1) was lost)
         336s  h2      connect class=linux-vm   -> a h2 Quiesce + b h2 Quiesce + Returned
         337s  h2      done a                   -> Quiesced
         338s  look    a                        -> Error, fault host 00000000-0000-0000-0000-000000001002 (incarnation 1) was lost",
    );
}

#[test]
fn a_deletion_does_not_wait_for_a_lost_host_which_removes_what_is_left_when_it_returns() {
    check(
        "0s    given   started a stop=0         -> ready
         1s    h1      gone                     ->
         31s   timer                            -> Suspected
         331s  timer                            -> Lost + a Failed(host 00000000-0000-0000-0000-000000001001 (incarnation 1) was lost)
         332s  client  delete a                 -> DeleteBegan + Buried
         333s  look    a                        -> gone
         10m   h1      connect life=2           -> a h1 Remove + Seen
         11m   h1      failed a                 -> SweepFailed
         16m   timer                            -> a h1 Remove
         17m   h1      done a                   -> Swept
         18m   h1      connect life=2           ->",
    );
}

#[test]
fn what_a_host_out_of_reach_says_of_a_sweep_is_taken_in_when_it_is_back() {
    check(
        "0s    given   started a stop=0         -> ready
         1s    h1      gone                     ->
         31s   timer                            -> Suspected
         331s  timer                            -> Lost + a Failed(host 00000000-0000-0000-0000-000000001001 (incarnation 1) was lost)
         332s  client  delete a                 -> DeleteBegan + Buried
         10m   h1      connect                  -> a h1 Remove + Returned
         11m   h1      gone                     ->
         690s  timer                            -> Suspected
         692s  h1      done a                   -> not acknowledged
         990s  timer                            -> Lost
         992s  h1      failed a                 -> not acknowledged
         17m   h1      connect                  -> a h1 Remove + Returned
         18m   h1      done a                   -> Swept
         19m   h1      connect                  ->",
    );
}

#[test]
fn a_host_whose_return_cannot_be_recorded_is_told_to_sweep_nothing() {
    let region = "x".repeat(RECORD_BYTES_MOST);
    check(&format!(
        "0s    given   started a stop=0         -> ready
         1s    h1      gone                     ->
         31s   timer                            -> Suspected
         331s  timer                            -> Lost + a Failed(host 00000000-0000-0000-0000-000000001001 (incarnation 1) was lost)
         332s  client  delete a                 -> DeleteBegan + Buried
         10m   h1      connect life=2 region={region} ->
         11m   h1      connect life=2           -> a h1 Remove + Seen
         12m   h1      done a                   -> Swept",
    ));
}

#[test]
fn what_was_only_to_be_fetched_goes_elsewhere_and_nothing_stays_behind() {
    check(
        "0s    given   pulling a                -> ready
         1s    h1      gone                     ->
         31s   timer                            -> Suspected
         32s   h2      connect                  -> Seen
         331s  timer                            -> Lost + a Placed + a h2 Pull
         332s  h1      connect                  -> a h1 Remove + Returned
         333s  h1      done a order=1           ->
         334s  h2      done a                   -> SnapshotReady + h2 Create",
    );
}

#[test]
fn what_is_archived_or_backed_up_is_brought_back_elsewhere_and_the_old_disk_goes_once_it_runs() {
    check(
        "0s    given   archiving a              -> ready
         1s    h1      done a                   -> ArchiveStored + h1 Discard
         2s    h1      gone                     ->
         32s   timer                            -> Suspected
         33s   h2      connect                  -> Seen
         332s  timer                            -> Lost
         333s  client  start a                  -> RestoreBegan + h2 Restore(backup)
         334s  h1      connect                  -> Returned
         335s  h2      done a                   -> Restored + h1 Remove
         336s  h1      done a                   -> Swept",
    );
}

#[test]
fn a_takeover_gives_hosts_their_time_to_connect() {
    check(
        "0s    given   started a stop=0         -> ready
         1s    h1      gone                     ->
         29s   log     crash                    -> Opened
         59s   timer                            -> Suspected
         60s   log     crash                    -> Opened
         359s  timer                            -> Lost + a Failed(host 00000000-0000-0000-0000-000000001001 (incarnation 1) was lost)",
    );
}

#[test]
fn the_end_of_a_large_host_is_told_some_at_a_time() {
    let mut world = World::new();
    world.ask(ORGANIZATION, None, register("default"));
    let host = HostId::from_u128(0x1001);
    world.join(host, vec![Class::Container], Resources { cpu: 90, memory_gib: 900, disk_gib: 900, gpu: 0 });
    world.synced(host);
    for number in 1..=200 {
        world.ask(ORGANIZATION, None, Command::Create(Create::new(SandboxId::from_u128(number))));
        for _ in 0..2 {
            let order = world.hosts[&host].orders.last().expect("an order").number;
            world.report(host, SandboxId::from_u128(number), order, hourglass_events::Finding::Done(None));
        }
    }
    world.heard.clear();
    world.feed(Input::HostGone { host });
    world.pass(world.now.after(Span::seconds(330)));
    let failures = |world: &World| {
        let entries = world.heard.iter().filter_map(|output| match output {
            Output::Committed(entries) => Some(entries),
            Output::Append { .. }
            | Output::Read { .. }
            | Output::Reply { .. }
            | Output::Call { .. }
            | Output::Halted(_) => None,
        });
        entries
            .map(|group| {
                let failed = |event: &Event| matches!(event, Event::Sandbox(SandboxEvent::Failed { .. }));
                group.iter().filter(|entry| failed(&entry.record.event)).count()
            })
            .filter(|count| *count > 0)
            .collect::<Vec<_>>()
    };
    assert_eq!(failures(&world), [64]);
    world.pass(world.now.after(Span::seconds(1)));
    assert_eq!(failures(&world), [64, 64, 64, 8]);
    assert!(world.shard.committed().sandboxes().all(|sandbox| sandbox.state == State::Error));
}

#[test]
fn a_cordoned_host_takes_in_nothing_new_and_goes_on_with_what_it_has() {
    check(
        "0s    given   started a stop=0         -> ready
         1s    client  cordon h1                -> Cordoned
         2s    client  create b                 -> PullBegan(no host)
         3s    client  stop a                   -> StopBegan + h1 Stop(10 s)
         4s    h1      done a stopped           -> Exited(stopped)
         5s    client  start a                  -> BootBegan + h1 Boot
         6s    h1      connect life=2           -> a h1 Boot + Seen
         7s    client  uncordon h1              -> Uncordoned + b Placed + b h1 Pull
         8s    client  cordon h9                -> refused: there is no host 00000000-0000-0000-0000-000000001009; hosts are known once they have joined",
    );
}

#[test]
fn what_stops_on_a_draining_host_starts_elsewhere_from_its_backup_if_there_is_one() {
    check(
        "0s    given   started a stop=0         -> ready
         0s    given   stopped b                -> ready
         0s    given   stopped c                -> ready
         1s    client  backup b                 -> BackupBegan + h1 Backup
         2s    h1      done b                   -> BackupTaken
         3s    client  drain h1                 -> DrainBegan
         4s    client  start c                  -> BootBegan + h1 Boot
         5s    h2      connect                  -> Seen
         6s    client  start b                  -> RestoreBegan + h2 Restore(backup)
         7s    h2      done b                   -> Restored + h1 Remove
         8s    h1      done b                   -> Swept
         9s    look    a                        -> Started",
    );
}

#[test]
fn a_host_that_refuses_is_passed_over_until_another_has_taken_it_in() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    h1      connect room=64/64/999   -> Seen
         0s    h2      connect room=32/32/999   -> Seen
         0s    h3      connect room=8/16/100    -> Seen
         1s    client  create a                 -> PullBegan + h1 Pull
         2s    h1      full a                   -> Declined + h1 Remove + h2 Pull
         3s    h1      done a                   -> Swept
         4s    h2      full a                   -> Declined + h2 Remove + h3 Pull
         5s    h3      full a                   -> Failed(the host has no room left while it was to have the image; free storage on the host, then recover the sandbox) + h3 Quiesce",
    );
}

#[test]
fn a_sandbox_goes_to_the_most_wanted_gpu_and_a_gpu_to_nobody_else() {
    check_bare(
        "0s    client  register default         -> Registered
         0s    client  register gpu size=1/1/3/1 gpu=H200,H100 -> Registered
         0s    h1      connect gpu=H100 room=64/64/999/8 -> Seen
         1s    client  create a                 -> PullBegan(no host)
         2s    client  create b snapshot=gpu    -> refused: this sandbox must stay ephemeral; its auto-delete interval is 0 for ever
         3s    client  create b snapshot=gpu delete=0 -> PullBegan + h1 Pull
         4s    h2      connect gpu=H200 room=8/8/99/1 -> Seen
         5s    client  create c snapshot=gpu delete=0 -> PullBegan + h2 Pull
         6s    client  create d snapshot=gpu delete=0 -> PullBegan + h1 Pull
         7s    h3      connect gpu=B300 room=8/8/99/9 -> Seen
         8s    client  cordon h1                -> Cordoned
         9s    client  create e snapshot=gpu delete=0 -> PullBegan(no host)",
    );
}

#[test]
fn a_sandbox_goes_to_the_region_it_was_asked_for_in() {
    check(
        "0s    h2      connect region=us        -> Seen
         1s    client  create a region=us       -> PullBegan + h2 Pull
         2s    client  create b                 -> PullBegan + h1 Pull
         3s    client  create c region=mars     -> refused: there is no region \"mars\"; there is local, us",
    );
}

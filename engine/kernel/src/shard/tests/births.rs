//! Create: from which snapshot, under which name, on which host.

use super::story::{check, check_bare};

#[test]
fn a_sandbox_is_pulled_created_and_booted() {
    check(
        "0s    client  create a                 -> PullBegan + h1 Pull
         1s    h1      done a                   -> SnapshotReady + h1 Create
         2s    h1      done a                   -> Booted
         2s    look    a                        -> Started",
    );
}

#[test]
fn a_snapshot_is_found_by_name_and_a_wrong_one_is_refused() {
    check(
        "0s    client  register win class=windows size=4/8/30   -> Registered
         0s    client  create a snapshot=default class=container  -> PullBegan + h1 Pull
         1s    client  create b snapshot=none                   -> refused: there is no snapshot \"none\"; list the snapshots to see which there are
         1s    client  create b snapshot=win class=container    -> refused: the snapshot is of class windows; a sandbox of class container cannot be created from it
         2s    client  create b snapshot=win                    -> PullBegan(no host)
         3s    stranger create c snapshot=win                   -> refused: there is no snapshot \"win\"; list the snapshots to see which there are",
    );
}

#[test]
fn without_a_default_snapshot_a_create_must_name_one() {
    check_bare(
        "0s    client  create a                 -> refused: there is no snapshot \"default\"; list the snapshots to see which there are",
    );
}

#[test]
fn a_name_taken_names_its_holder_and_is_free_once_that_is_deleted() {
    check(
        "0s    given   started a name=web       -> ready
         1s    client  create b name=web        -> refused: the name \"web\" is taken by sandbox a, which is Started; choose another or delete that one
         2s    client  delete web               -> a DeleteBegan + a h1 Remove
         2s    client  create b name=web        -> PullBegan + h1 Pull
         3s    h1      done a                   -> Removed
         4s    client  delete web               -> b DeleteBegan + b h1 Remove",
    );
}

#[test]
fn names_are_unique_within_an_organization_only() {
    check(
        "
         0s    stranger register default id=y    -> Registered
         1s    client   create a name=web       -> PullBegan + h1 Pull
         1s    stranger create b name=web       -> PullBegan + h1 Pull
         2s    stranger delete a                -> refused: there is no sandbox \"a\"",
    );
}

#[test]
fn a_sandbox_without_a_name_goes_by_its_id() {
    check(
        "0s    client  create a name=none       -> PullBegan + h1 Pull
         1s    client  delete 00000000-0000-0000-0000-000000000061  -> a DeleteBegan + a h1 Remove",
    );
}

#[test]
fn an_id_is_not_used_twice() {
    check(
        "0s    client  create a                 -> PullBegan + h1 Pull
         1s    client  create a name=other      -> refused: sandbox id a is in use already; mint a fresh one",
    );
}

#[test]
fn registering_the_same_snapshot_again_changes_nothing() {
    check(
        "0s    client  register base            -> Registered
         1s    client  register base id=x       -> already snapshot 00000000-0000-0000-0000-00000090ab58
         2s    client  register base image=f00d -> refused: a snapshot named \"base\" is registered already with another image, class or size
         3s    client  register other id=base   -> refused: snapshot id 00000000-0000-0000-0000-00000090ab58 is in use already; mint a fresh one",
    );
}

#[test]
fn a_gpu_sandbox_must_be_ephemeral_for_ever() {
    check(
        "0s    client  register gpu size=4/8/10/1    -> Registered
         1s    client  create a snapshot=gpu         -> refused: this sandbox must stay ephemeral; its auto-delete interval is 0 for ever
         2s    client  create a snapshot=gpu delete=0 -> PullBegan(no host)
         3s    client  autodelete a -1               -> refused: this sandbox must stay ephemeral; its auto-delete interval is 0 for ever",
    );
}

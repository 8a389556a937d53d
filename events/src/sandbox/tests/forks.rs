//! What a fork does to a parent and to what is born of it.

use super::{after, at, birth, deadline, number, running, stamp};
use crate::event::SandboxEvent as E;
use crate::fault::Fault;
use crate::id::{HostId, OrderNumber, SandboxId};
use crate::resources::Resources;
use crate::sandbox::{Errand, Sandbox, Settings};
use crate::spec::Name;
use crate::state::State;
use crate::time::Span;

const CHILD: SandboxId = SandboxId::from_u128(2);

/// Version 4: it is being forked.
fn forking() -> Vec<E> {
    let name = Name::new("child").unwrap();
    let fork = E::ForkBegan { child: CHILD, name, resources: Resources::DEFAULT, deadline: deadline(4) };
    [running().to_vec(), vec![fork]].concat()
}

#[test]
fn a_fork_reserves_its_child_and_is_remembered_once_it_is_made() {
    let sandbox = after(forking());
    let name = Name::new("child").unwrap();
    let errand = Errand::Fork { child: CHILD, name, resources: Resources::DEFAULT };
    assert_eq!((sandbox.state, sandbox.errand.as_deref()), (State::Forking, Some(&errand)));
    assert_eq!((sandbox.order(), sandbox.work.unwrap().deadline), (number(4), Some(deadline(4))));

    let done = after([forking(), vec![E::Forked]].concat());
    assert_eq!((done.state, &done.errand, done.forked), (State::Started, &None, Some(CHILD)));
    assert_eq!((done.boot, done.work), (number(2), None), "it runs on in the life it had");
}

#[test]
fn a_fork_that_was_given_up_leaves_its_parent_running_and_owed_what_supersedes_it() {
    let timed_out = Fault::TimedOut { task: crate::duty::TaskKind::Fork, after: Span::seconds(1) };
    for fault in [None, Some(timed_out)] {
        let back = after([forking(), vec![E::Abandoned { fault }]].concat());
        assert_eq!((back.state, back.forked, &back.errand), (State::Started, None, &None));
        assert_eq!((back.settings, back.order()), (Settings::Changed, number(5)));
    }
    let fault = Some(Fault::NoSpace { doing: "fork".to_owned() });
    let failed = after([forking(), vec![E::Abandoned { fault }]].concat());
    assert_eq!((failed.settings, failed.work), (Settings::Applied, None), "its host is done with it");
}

#[test]
fn a_fork_is_born_on_its_parents_host_and_owed_its_boot_once_the_copy_is_there() {
    let mut child = Sandbox::born(CHILD, &stamp(1), &birth()).unwrap();
    assert_eq!((child.state, child.host, child.work), (State::Creating, Some(HostId::from_u128(1)), None));
    assert_eq!(child.errand.as_deref(), Some(&Errand::Born(OrderNumber(50))));

    child.evolve(&stamp(2), &E::CopyReady { deadline: deadline(2) }).unwrap();
    let work = child.work.unwrap();
    assert_eq!((Some(work.number), work.began, work.deadline), (number(2), at(2), Some(deadline(2))));
    child.evolve(&stamp(3), &E::Booted).unwrap();
    assert_eq!((child.state, child.boot, child.errand), (State::Started, number(2), None));
}

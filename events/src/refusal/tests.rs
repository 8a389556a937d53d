//! What people read when a request is wrong.

use super::{Able, Advice, Interval, Material, Operation, Refusal, SnapshotRefusal, SnapshotUse, Text};
use crate::host::GpuType;
use crate::id::{HostId, SandboxId, SnapshotId};
use crate::lifecycle::others::SnapshotState;
use crate::network::Destination;
use crate::quota::{Part, Shortage};
use crate::resources::Resource;
use crate::spec::Class;
use crate::state::State;
use crate::time::Span;

/// One of each that is about snapshots.
fn of_snapshots() -> Vec<SnapshotRefusal> {
    vec![
        SnapshotRefusal::NameTaken { name: "a".to_owned(), holder: SnapshotId::from_u128(7) },
        SnapshotRefusal::BadName { found: "a b".to_owned() },
        SnapshotRefusal::TooMany { found: 30, most: 30 },
        SnapshotRefusal::State {
            name: "a".to_owned(),
            state: SnapshotState::Error,
            operation: SnapshotUse::Create,
        },
        SnapshotRefusal::InUse { name: "a".to_owned(), count: 9, users: vec![SandboxId::from_u128(7)] },
        SnapshotRefusal::General("a".to_owned()),
        SnapshotRefusal::AndImage,
        SnapshotRefusal::LinkedImage("a".to_owned()),
        SnapshotRefusal::NotMadeOf {
            class: Class::Windows,
            of: Material::Image,
            able: Able::SnapshotOfSandbox,
        },
        SnapshotRefusal::BadReference { found: "ubuntu".to_owned() },
        SnapshotRefusal::BadDockerfile { found: 0, most: 9 },
        SnapshotRefusal::BadContext { found: 65, most: 64 },
    ]
}

/// One of each.
fn each() -> Vec<Refusal> {
    let others = vec![
        Refusal::OutOfLimits { resource: Resource::Cpu, asked: 5, least: 1, most: 4 },
        Refusal::OverQuota(Box::new(Shortage {
            region: "eu".to_owned(),
            resource: Resource::Cpu,
            asked: 1,
            used: 4,
            most: 4,
            running: Part { sandboxes: 1, frees: 4 },
            resting: Part::default(),
        })),
        Refusal::BadGpuType { found: "H1".to_owned() },
        Refusal::GpuTypeTwice(GpuType::H100),
        Refusal::NoSuchRegion { found: "us".to_owned(), known: vec!["eu".to_owned(), "local".to_owned()] },
        Refusal::TooManyRegions { found: 300, most: 256 },
        Refusal::NoSuchHost(HostId::from_u128(7)),
        Refusal::HostLost(HostId::from_u128(7)),
        Refusal::BadName { found: "a\nb".to_owned() },
        Refusal::TooManyLabels { found: 65 },
        Refusal::BadLabel { key: String::new() },
        Refusal::BadCidr { found: "10.0.0.0".to_owned() },
        Refusal::BadDomain { found: "a b".to_owned() },
        Refusal::TooManyDestinations { what: Destination::Domain, found: 11 },
        Refusal::NoDestination,
        Refusal::BadVariable { name: "A=B".to_owned() },
        Refusal::TooManyVariables { found: 257 },
        Refusal::TooMuchEnvironment { bytes: 300_000 },
        Refusal::BadInterval { interval: Interval::AutoStop, found: -1, most: 10 },
        Refusal::GraceTooLong { asked: Span::minutes(90), most: Span::minutes(60) },
        Refusal::BadKey { found: 0 },
        Refusal::BadText { text: Text::User, found: 256, most: 255 },
        Refusal::NameTaken { name: "a".to_owned(), holder: SandboxId::from_u128(7), state: State::Started },
        Refusal::IdTaken(SandboxId::from_u128(7)),
        Refusal::NoSuchSandbox("a".to_owned()),
        Refusal::NoSuchSnapshot("debian".to_owned()),
        Refusal::SnapshotTaken("debian".to_owned()),
        Refusal::SnapshotIdTaken(SnapshotId::from_u128(7)),
        Refusal::WrongClass { found: Class::Container, asked: Class::LinuxVm },
        Refusal::WrongState {
            operation: Operation::Stop,
            state: State::Stopped,
            advice: Advice::NothingRuns,
        },
        Refusal::Busy { operation: Operation::Resize, state: State::Stopping },
        Refusal::NotForClass { operation: Operation::Pause, class: Class::Container, able: Able::Machines },
        Refusal::Ephemeral(Operation::Archive),
        Refusal::NotRecoverable { found: "the sandbox's disk is gone".to_owned() },
        Refusal::NothingToResize,
        Refusal::DiskShrinks { have: 10, asked: 3 },
        Refusal::NotWhileRunning { resource: Resource::Disk, have: 3, asked: 10 },
        Refusal::MustStayEphemeral,
        Refusal::KeyReused("k".to_owned()),
        Refusal::Unsupported(Operation::Create),
        Refusal::TooLarge { bytes: 200_000, most: 196_608 },
        Refusal::StorageFull,
        Refusal::Overloaded { waiting: 9 },
        Refusal::Fenced,
        Refusal::NotReady,
    ];
    others.into_iter().chain(of_kin()).chain(of_snapshots().into_iter().map(Refusal::from)).collect()
}

fn of_kin() -> Vec<Refusal> {
    vec![
        Refusal::Linked { operation: Operation::Pause, parent: SandboxId::from_u128(7) },
        Refusal::LinkedItself { target: SandboxId::from_u128(8), parent: SandboxId::from_u128(7) },
        Refusal::LinkedOutlives,
        Refusal::LinkedApart {
            parent: SandboxId::from_u128(7),
            found: "eu".to_owned(),
            asked: "us".to_owned(),
        },
        Refusal::HasForks { forks: 2, first: SandboxId::from_u128(7) },
        Refusal::HasLinked { linked: 2, first: SandboxId::from_u128(7) },
        Refusal::NotWithGpu(Operation::Fork),
        Refusal::NoRoomBeside { beside: SandboxId::from_u128(7), class: Class::LinuxVm },
    ]
}

/// A new refusal has to be looked at here, and added above.
fn is_listed(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::OutOfLimits { .. }
        | Refusal::OverQuota(_)
        | Refusal::BadGpuType { .. }
        | Refusal::GpuTypeTwice(_)
        | Refusal::NoSuchRegion { .. }
        | Refusal::TooManyRegions { .. }
        | Refusal::NoSuchHost(_)
        | Refusal::HostLost(_)
        | Refusal::BadName { .. }
        | Refusal::TooManyLabels { .. }
        | Refusal::BadLabel { .. }
        | Refusal::BadCidr { .. }
        | Refusal::BadDomain { .. }
        | Refusal::TooManyDestinations { .. }
        | Refusal::NoDestination
        | Refusal::BadVariable { .. }
        | Refusal::TooManyVariables { .. }
        | Refusal::TooMuchEnvironment { .. }
        | Refusal::BadInterval { .. }
        | Refusal::GraceTooLong { .. }
        | Refusal::BadKey { .. }
        | Refusal::BadText { .. }
        | Refusal::NameTaken { .. }
        | Refusal::IdTaken(_)
        | Refusal::NoSuchSandbox(_)
        | Refusal::NoSuchSnapshot(_)
        | Refusal::SnapshotTaken(_)
        | Refusal::Snapshot(_)
        | Refusal::SnapshotIdTaken(_)
        | Refusal::WrongClass { .. }
        | Refusal::WrongState { .. }
        | Refusal::Busy { .. }
        | Refusal::NotForClass { .. }
        | Refusal::Ephemeral(_)
        | Refusal::Linked { .. }
        | Refusal::LinkedItself { .. }
        | Refusal::LinkedOutlives
        | Refusal::LinkedApart { .. }
        | Refusal::HasForks { .. }
        | Refusal::HasLinked { .. }
        | Refusal::NotWithGpu(_)
        | Refusal::NoRoomBeside { .. }
        | Refusal::NotRecoverable { .. }
        | Refusal::NothingToResize
        | Refusal::DiskShrinks { .. }
        | Refusal::NotWhileRunning { .. }
        | Refusal::MustStayEphemeral
        | Refusal::KeyReused(_)
        | Refusal::Unsupported(_)
        | Refusal::TooLarge { .. }
        | Refusal::StorageFull
        | Refusal::Overloaded { .. }
        | Refusal::Fenced
        | Refusal::NotReady => true,
    }
}

#[test]
fn refusals_are_sentences() {
    for refusal in each() {
        assert!(is_listed(&refusal));
        let text = refusal.to_string();
        assert!(!text.starts_with(char::is_uppercase), "{text}");
        assert!(!text.ends_with(['.', ';', ' ', '!']), "{text}");
        assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
        assert!(text.split(' ').count() >= 5, "{text}");
    }
}

#[test]
fn refusals_say_what_was_found_and_what_to_do() {
    let text: Vec<_> = each().iter().map(ToString::to_string).collect();
    for sentence in [
        "5 vCPU was asked for; a sandbox may have 1 to 4",
        "there is no region \"us\"; there is eu, local",
        "\"a\\nb\" is not a name; use 1 to 255 characters without control characters, '<', '>' or '://', and no space at either end",
        "-1 minutes is not an auto-stop interval; send 0 to never stop, or 1 to 10",
        "a stop that waits 90 min for processes to end was asked for; it may wait at most 60 min, or force it",
        "the name \"a\" is taken by sandbox 00000000-0000-0000-0000-000000000007, which is Started; choose another or delete that one",
        "a sandbox that is Stopped cannot be asked to stop; nothing of it runs",
        "a sandbox that is Stopping cannot be asked to resize until that is done; repeat it in a moment",
        "a sandbox of class container cannot be asked to pause; only virtual machines (linux-vm, windows) can",
        "10 GiB of disk was asked for where it has 3, which cannot be changed while it runs; stop it first",
        "2 forks of this sandbox still exist, such as 00000000-0000-0000-0000-000000000007; delete them first",
        "this sandbox is linked with 00000000-0000-0000-0000-000000000007 and lives no longer than it runs: it cannot be asked to pause",
        "the snapshot is of class container; a sandbox of class linux-vm cannot be created from it",
        "a user's name has 1 to 255 bytes and no control characters; 256 bytes were sent",
        "the writer stopped before this was known to be durable; the outcome is unknown, repeat the request with its idempotency key",
    ] {
        assert!(text.iter().any(|found| found == sentence), "{sentence}\nis not among\n{text:#?}");
    }
}

#[test]
fn each_interval_says_what_its_special_numbers_mean() {
    let text = |interval| Refusal::BadInterval { interval, found: -9, most: 60 }.to_string();
    assert_eq!(
        text(Interval::AutoArchive),
        "-9 minutes is not an auto-archive interval; send 0 for the longest, or 1 to 60"
    );
    assert_eq!(
        text(Interval::AutoDelete),
        "-9 minutes is not an auto-delete interval; send -1 to never delete, 0 to delete at stop, or 1 to 60"
    );
}

#[test]
fn a_text_has_a_length_and_one_line() {
    assert_eq!(Text::User.check("daytona", 7), Ok(()));
    for wrong in ["", "daytonas", "day\nton"] {
        let found = wrong.len();
        let refusal = Refusal::BadText { text: Text::User, found, most: 7 };
        assert_eq!(Text::User.check(wrong, 7), Err(refusal), "{wrong:?}");
    }
}

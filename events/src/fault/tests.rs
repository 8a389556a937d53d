//! What people read when the world failed.

use super::{ExitCause, Fault};
use crate::duty::TaskKind;
use crate::id::{HostId, Incarnation, SandboxId};
use crate::time::Span;

fn each() -> Vec<(Fault, bool, &'static str)> {
    let text = |text: &str| text.to_owned();
    vec![
        (
            Fault::TimedOut { task: TaskKind::Boot, after: Span::seconds(90) },
            true,
            "the host was to boot the sandbox and did not within 90 s",
        ),
        (
            Fault::NoSpace { doing: text("make its disk") },
            true,
            "the host has no room left while it was to make its disk; free storage on the host, then recover the sandbox",
        ),
        (
            Fault::ImageUnavailable { image: text("b3:00"), why: text("no such file") },
            false,
            "the image b3:00 is not available on the host: no such file",
        ),
        (
            Fault::System { doing: text("mount its disk"), error: text("permission denied") },
            false,
            "the host could not mount its disk: permission denied",
        ),
        (
            Fault::EntrypointUnusable { program: text("/bin/no"), error: text("no such file") },
            false,
            "the entrypoint \"/bin/no\" could not be run: no such file",
        ),
        (
            Fault::AgentSilent { after: Span::seconds(5) },
            true,
            "the agent inside the sandbox did not answer within 5 s",
        ),
        (Fault::Missing { what: text("disk") }, false, "the sandbox's disk is not on the host any more"),
        (
            Fault::Unsupported { task: TaskKind::SaveMemory },
            false,
            "this host's driver cannot save the sandbox's memory",
        ),
        (
            Fault::NoHost { hosts: 4, ready: 3, near: 2, able: 2, willing: 1, roomy: 0 },
            true,
            "no host can take the sandbox: 4 known, 3 ready, 2 in its region, 2 able to run it, 1 that did not refuse it, \
             0 with room",
        ),
        (
            Fault::HostLost { host: HostId::from_u128(7), incarnation: Incarnation(2) },
            true,
            "host 00000000-0000-0000-0000-000000000007 (incarnation 2) was lost",
        ),
        (
            Fault::NotForked { parent: SandboxId::from_u128(7) },
            false,
            "sandbox 00000000-0000-0000-0000-000000000007 could not be forked, see what it says; delete this one, then fork it again",
        ),
    ]
}

#[test]
fn faults_say_what_failed_and_whether_it_can_be_recovered() {
    for (fault, recoverable, sentence) in each() {
        assert_eq!(fault.to_string(), sentence);
        assert_eq!(fault.recoverable(), recoverable, "{fault}");
    }
}

#[test]
fn faults_are_sentences() {
    for (fault, ..) in each() {
        let text = fault.to_string();
        assert!(text.starts_with(char::is_lowercase) && !text.ends_with(['.', ';', ' ']), "{text}");
    }
}

#[test]
fn faults_survive_the_log() {
    for (fault, ..) in each() {
        let bytes = rmp_serde::to_vec_named(&fault).unwrap();
        assert_eq!(rmp_serde::from_slice::<Fault>(&bytes).unwrap(), fault);
    }
}

#[test]
fn exits_say_how_it_ended() {
    assert_eq!(ExitCause::Entrypoint { code: 137 }.to_string(), "the entrypoint ended with code 137");
    assert_eq!(ExitCause::OutOfMemory.to_string(), "out of memory");
}

#[test]
fn a_fault_of_any_length_can_be_recorded() {
    let long = "ä".repeat(Fault::TEXT_MOST);
    let fault = Fault::System { doing: "x".to_owned() + &long, error: long };
    let Fault::System { doing, error } = fault.clipped() else { unreachable!() };
    assert_eq!((doing.len(), error.len()), (Fault::TEXT_MOST - 1, Fault::TEXT_MOST));
    for (fault, ..) in each() {
        assert_eq!(fault.clone().clipped(), fault, "short texts are left alone");
    }
}

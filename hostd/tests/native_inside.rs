//! What a sandbox sees and may do, asked from inside.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use std::time::{Duration, Instant};

use hourglass_events::{ExitCause, OrderNumber, Plan, Resources, SandboxId, Span, Values};
use hourglass_hostd::driver::{Command, Driver, ExecError, Ran};
use hourglass_hostd::native::{CAPABILITIES, MASKED};
use native_common::{Ground, command, may_run, plan, text};

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_seen_from_inside() {
    if !may_run("limits_are_seen_from_inside") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = SandboxId::from_u128(1);
    let resources = Resources { cpu: 2, memory_gib: 3, disk_gib: 5, gpu: 0 };
    let plan = Plan { resources, ..plan() };
    ground.driver.provision(sandbox, OrderNumber(1), &plan).await.unwrap();
    ground.driver.boot(sandbox, OrderNumber(1), &plan).await.unwrap();
    let seen = ground.sh(sandbox, "cd /sys/fs/cgroup; cat cpu.max memory.max pids.max").await;
    assert_eq!(seen, "200000 100000\n3221225472\n4096");
    let size = ground.sh(sandbox, "df --output=size -B1 / | tail -1").await.parse::<u64>().unwrap();
    assert!((4_u64 << 30..5 << 30).contains(&size), "{size}");
    assert_eq!(
        ground.sh(sandbox, "(echo 1 > /sys/fs/cgroup/cpu.max) 2>/dev/null || echo refused").await,
        "refused"
    );
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_limit_is_hard_and_a_full_disk_can_be_started_again() {
    if !may_run("the_disk_limit_is_hard_and_a_full_disk_can_be_started_again") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = SandboxId::from_u128(1);
    let plan = Plan {
        resources: Resources { disk_gib: 1, ..Resources::DEFAULT },
        user: "root".to_owned(),
        ..plan()
    };
    ground.driver.provision(sandbox, OrderNumber(1), &plan).await.unwrap();
    ground.driver.boot(sandbox, OrderNumber(1), &plan).await.unwrap();
    // Reserved, not written, so that the host's own disk is left alone.
    let filled = ground
        .sh(sandbox, "fallocate -l 2G /big 2>&1; rm -f /big; fallocate -l 800M /most && echo most")
        .await;
    assert!(filled.contains("No space left") && filled.ends_with("most"), "{filled}");
    let rest = ground.sh(sandbox, "dd if=/dev/zero of=/rest bs=1M 2>&1; sync; stat -c %s /rest").await;
    let written = rest.lines().last().unwrap().parse::<u64>().unwrap();
    assert!(rest.contains("No space left") && written < (1 << 30) - (800 << 20), "{rest}");
    ground.driver.halt(sandbox, Span::seconds(5)).await.unwrap();
    ground.driver.boot(sandbox, OrderNumber(2), &plan).await.unwrap();
    assert_eq!(ground.sh(sandbox, "rm /rest && echo room > /more && cat /more").await, "room");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_is_contained_and_the_sandbox_can_be_stopped() {
    if !may_run("a_fork_bomb_is_contained_and_the_sandbox_can_be_stopped") {
        return;
    }
    let ground = Ground::with(|config| config.pids_most = 200).await;
    let sandbox = ground.running(1).await;
    let bomb = "for i in $(seq 400); do sleep 1000 & done 2>&1 | grep -c -i 'fork\\|resource'; true";
    ground.sh(sandbox, &format!("({bomb}) >/dev/null 2>&1 &")).await;
    let other = ground.running(2).await;
    assert_eq!(ground.sh(other, "echo fine").await, "fine");
    let began = Instant::now();
    assert_eq!(ground.driver.halt(sandbox, Span::ZERO).await.unwrap(), ExitCause::Killed);
    assert!(began.elapsed() < Duration::from_secs(10));
    for sandbox in [sandbox, other] {
        ground.driver.erase(sandbox).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_process_has_a_capability_beyond_the_list_or_can_gain_privileges() {
    if !may_run("no_process_has_a_capability_beyond_the_list_or_can_gain_privileges") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    assert_eq!(ground.sh(sandbox, "id -un; id -u").await, "dev\n1000");
    let own = ground.sh(sandbox, "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status").await;
    for (line, value) in [
        ("CapEff:", "0000000000000000"),
        ("CapInh:", "0000000000000000"),
        ("NoNewPrivs:", "1"),
        ("Seccomp:", "2"),
    ] {
        assert!(own.contains(&format!("{line}\t{value}")), "{own}");
    }
    let first = ground.sh(sandbox, "grep -E '^(CapBnd|CapPrm|NoNewPrivs|Seccomp:)' /proc/1/status").await;
    let bits = |line: &str| u64::from_str_radix(line.rsplit('\t').next().unwrap(), 16).unwrap();
    for line in first.lines().filter(|line| line.starts_with("Cap")) {
        assert_eq!(bits(line).count_ones() as usize, CAPABILITIES.len(), "{line}");
        // SYS_ADMIN, NET_ADMIN, SYS_PTRACE, SYS_MODULE, MKNOD, SYS_RAWIO.
        for absent in [21, 12, 19, 16, 27, 17] {
            assert_eq!(bits(line) >> absent & 1, 0, "capability {absent} in {line}");
        }
    }
    assert!(first.contains("NoNewPrivs:\t1") && first.contains("Seccomp:\t2"), "{first}");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_in_no_control_group_of_its_worker() {
    if !may_run("a_sandbox_is_in_no_control_group_of_its_worker") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let mut seen = 0;
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let groups = std::fs::read_to_string(process.path().join("cgroup")).unwrap_or_default();
        let name = sandbox.to_string() + ".1";
        if groups.contains(&name) && groups.contains(&native_common::instance(ground.dir.path())) {
            seen += 1;
            assert!(groups.lines().all(|line| line.ends_with(&name)), "{groups}");
            let fds = std::fs::read_dir(process.path().join("fd")).unwrap().flatten();
            for fd in fds.filter_map(|fd| std::fs::read_link(fd.path()).ok()) {
                assert!(!fd.starts_with(ground.dir.path()), "{} is held by a sandbox", fd.display());
            }
        }
    }
    assert_eq!(seen, 1);
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filter_denies_what_it_lists() {
    if !may_run("the_filter_denies_what_it_lists") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    // unshare(CLONE_NEWUSER) needs no capability, so only the filter can refuse it; so it is for the others.
    let calls = "\
import ctypes, errno
c = ctypes.CDLL(None, use_errno=True)
for n, a in [(272, (0x10000000,)), (321, (0, 0, 0)), (298, (0, 0, -1, -1, 0)), (250, (0, 0)), (425, (1, 0)),
             (56, (0x10000000 | 17, 0, 0, 0, 0)), (435, (0, 0)), (272 | 0x40000000, (0x10000000,))]:
    r = c.syscall(n, *a)
    print(n & 0xffff, r, errno.errorcode.get(ctypes.get_errno()))
";
    let said = text(&ground.run(sandbox, &["python3", "-c", calls]).await);
    let expected = [272, 321, 298, 250, 425, 56, 435, 272].map(|n| {
        let errno = if n == 435 { "ENOSYS" } else { "EPERM" };
        format!("{n} -1 {errno}")
    });
    if cfg!(target_arch = "x86_64") {
        assert_eq!(said, expected.join("\n"));
    }
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_host_is_seen() {
    if !may_run("nothing_of_the_host_is_seen") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let mark = ground.dir.path().join("mark");
    std::fs::write(&mark, "of the host").unwrap();
    assert!(ground.sh(sandbox, &format!("cat {}", mark.display())).await.contains("No such file"));
    assert_eq!(ground.sh(sandbox, "hostname; cat /etc/hostname").await, "box-1\nbox-1");
    assert_eq!(ground.sh(sandbox, "ls /sys/class/net; cat /proc/net/dev | grep -c :").await, "eth0\nlo\n2");
    assert_eq!(ground.sh(sandbox, "cat /sys/class/net/lo/flags").await, "0x9");
    let ids = ground
        .sh(sandbox, "ls /proc | grep -c '^[0-9]'; cat /proc/1/comm; cat /proc/self/cgroup | head -1")
        .await;
    assert!(ids.contains("hourglass-agent") || ids.contains("agent"), "{ids}");
    assert!(ids.lines().next().unwrap().parse::<u32>().unwrap() < 8, "{ids}");
    assert!(ids.lines().last().unwrap().ends_with(":/"), "{ids}");
    let dev = ground.sh(sandbox, "ls /dev").await;
    for of_the_host in ["loop0", "vda", "sda", "kmsg", "mem", "kvm", "fuse"] {
        assert!(!dev.lines().any(|name| name == of_the_host), "{dev}");
    }
    for masked in MASKED {
        let look = format!(
            "if [ -d {masked} ]; then ls -A {masked}; else cat {masked} 2>/dev/null; fi | head -c 99"
        );
        assert_eq!(ground.sh(sandbox, &look).await, "", "{masked}");
    }
    let writes = "for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/fs/cgroup/x; do \
                  (echo x > $f) 2>/dev/null && echo wrote $f; done; true";
    assert_eq!(ground.sh(sandbox, writes).await, "");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sandboxes_do_not_see_each_other() {
    if !may_run("sandboxes_do_not_see_each_other") {
        return;
    }
    let ground = Ground::new().await;
    let (one, two) = tokio::join!(ground.running(1), ground.running(2));
    ground
        .sh(one, "echo secret > /tmp/file; python3 -m http.server 8000 --bind 127.0.0.1 >/dev/null 2>&1 &")
        .await;
    assert!(ground.sh(two, "cat /tmp/file").await.contains("No such file"));
    let dial =
        "import socket; s = socket.socket(); s.settimeout(1); print(s.connect_ex(('127.0.0.1', 8000)))";
    let listening = format!("until [ $(python3 -c \"{dial}\") = 0 ]; do sleep 0.02; done; echo listening");
    assert_eq!(ground.sh(one, &listening).await, "listening");
    assert_eq!(text(&ground.run(two, &["python3", "-c", dial]).await), "111");
    for sandbox in [one, two] {
        ground.driver.erase(sandbox).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_gets_its_environment_directory_and_code() {
    if !may_run("a_command_gets_its_environment_directory_and_code") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let asked = Command {
        argv: ["sh", "-c", "echo $GREETING $HOME $(pwd); echo bad >&2; exit 42"].map(str::to_owned).to_vec(),
        env: vec![("GREETING".to_owned(), "hello".to_owned())],
        cwd: Some("/tmp".to_owned()),
        timeout: None,
    };
    let ran = ground.driver.exec(sandbox, asked.clone()).await.unwrap();
    let expected = Ran {
        code: 42,
        stdout: b"hello /home/dev /tmp\n".to_vec(),
        stderr: b"bad\n".to_vec(),
        dropped: 0,
        timed_out: false,
    };
    assert_eq!(ran, expected);
    assert_eq!(ground.run(sandbox, &["sh", "-c", "kill -9 $$"]).await.code, 137);
    assert!(matches!(
        ground.driver.exec(sandbox, command(&["/no/such"])).await,
        Err(ExecError::Unusable { program, .. }) if program == "/no/such"
    ));
    assert_eq!(ground.driver.exec(sandbox, command(&[])).await, Err(ExecError::Empty));
    let lost = Command { cwd: Some("/no/such".to_owned()), ..asked };
    assert!(matches!(ground.driver.exec(sandbox, lost).await, Err(ExecError::Unusable { .. })));
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_program_has_the_sandboxs_variables_and_a_command_may_set_its_own() {
    if !may_run("every_program_has_the_sandboxs_variables_and_a_command_may_set_its_own") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = SandboxId::from_u128(1);
    let values =
        [("TOKEN", "a b=c'\"\n"), ("LANG", "mine")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let image = ground.entered("echo $LANG > /tmp/entered; exec sleep infinity");
    let plan = Plan { image, values: Values::new(values.into()).unwrap(), ..plan() };
    ground.driver.provision(sandbox, OrderNumber(1), &plan).await.unwrap();
    ground.driver.boot(sandbox, OrderNumber(1), &plan).await.unwrap();
    assert_eq!(ground.sh(sandbox, "printf '%s|' \"$TOKEN\" \"$LANG\"").await, "a b=c'\"\n|mine|");
    let own = Command {
        argv: ["sh", "-c", "echo $LANG"].map(str::to_owned).to_vec(),
        env: vec![("LANG".to_owned(), "other".to_owned())],
        cwd: None,
        timeout: None,
    };
    assert_eq!(text(&ground.driver.exec(sandbox, own).await.unwrap()), "other");
    let entered = "until [ -s /tmp/entered ]; do sleep 0.02; done; cat /tmp/entered";
    assert_eq!(ground.sh(sandbox, entered).await, "mine");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_kills_all_a_command_started_and_says_so() {
    if !may_run("a_time_out_kills_all_a_command_started_and_says_so") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let slow = Command {
        timeout: Some(Span::millis(300)),
        ..command(&["sh", "-c", "echo begun; setsid sleep 1001 & sleep 1001"])
    };
    let ran = ground.driver.exec(sandbox, slow).await.unwrap();
    assert_eq!((ran.code, ran.timed_out, ran.stdout.as_slice()), (137, true, b"begun\n".as_slice()));
    assert_eq!(
        ground.sh(sandbox, "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep [1]001'").await,
        "0"
    );
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_ends_its_command() {
    if !may_run("a_caller_that_leaves_ends_its_command") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let long = ground.driver.exec(sandbox, command(&["sh", "-c", "touch /tmp/ready; exec sleep 1002"]));
    let ready = ground.sh(sandbox, "while [ ! -e /tmp/ready ]; do sleep 0.02; done");
    tokio::select! {
        ran = long => panic!("{ran:?}"),
        _ = ready => {}
    }
    let gone =
        "while grep -q 'sleep.[1]002' /proc/[0-9]*/cmdline 2>/dev/null; do sleep 0.02; done; echo gone";
    assert_eq!(ground.sh(sandbox, gone).await, "gone");
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_bounded_and_what_is_dropped_is_counted() {
    if !may_run("output_is_bounded_and_what_is_dropped_is_counted") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let ran = ground.run(sandbox, &["head", "-c", "9000000", "/dev/zero"]).await;
    assert_eq!((ran.stdout.len(), ran.dropped), (Ran::OUTPUT_MOST, 9_000_000 - Ran::OUTPUT_MOST as u64));
    // What is left behind in the background neither holds up the answer nor dies with it.
    let began = Instant::now();
    assert_eq!(ground.sh(sandbox, "sleep 1000 & echo done").await, "done");
    assert!(began.elapsed() < Duration::from_secs(5));
    ground.driver.erase(sandbox).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_root_puts_in_the_agents_place_leads_nowhere() {
    if !may_run("what_root_puts_in_the_agents_place_leads_nowhere") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = SandboxId::from_u128(1);
    let plan = Plan { user: "root".to_owned(), ..plan() };
    ground.driver.provision(sandbox, OrderNumber(1), &plan).await.unwrap();
    ground.driver.boot(sandbox, OrderNumber(1), &plan).await.unwrap();
    let trap = ground.dir.path().join("trap.sock");
    let listener = std::os::unix::net::UnixListener::bind(&trap).unwrap();
    listener.set_nonblocking(true).unwrap();
    let swap =
        format!("cd /.hourglass/run && rm agent.sock && ln -s {} agent.sock && echo swapped", trap.display());
    assert_eq!(ground.sh(sandbox, &swap).await, "swapped");
    assert!(matches!(ground.driver.exec(sandbox, command(&["true"])).await, Err(ExecError::Agent(_))));
    assert!(listener.accept().is_err(), "the host followed a link out of the sandbox");
    ground.driver.erase(sandbox).await.unwrap();
}

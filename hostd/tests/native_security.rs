//! Root in a sandbox tries to get out, to see what is not its own and to harm others. All of it fails, and host and
//! neighbour do not notice.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use std::fs;
use std::io::Write as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Child, Command as Program};
use std::time::Duration;

use hourglass_events::{ExitCause, OrderNumber, Plan, Resources, SandboxId, Span};
use hourglass_hostd::driver::{Command, Driver};
use native_common::{Census, Ground, census, command, host, may_run, plan, text};

/// What every attempt is written with: `attempt(name, f)` holds that `f` raises, or returns something false.
const PRELUDE: &str = r#"
import ctypes, errno, glob, os, signal, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    args = [ctypes.c_char_p(a) if isinstance(a, bytes) else ctypes.c_long(a) for a in args]
    result = libc.syscall(ctypes.c_long(number), *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return True
def write(path, text):
    with open(path, 'w') as file: file.write(text)
    return True
def read(path, most=4096):
    with open(path, 'rb') as file: return file.read(most)
count = 0
def attempt(name, f):
    global count
    count += 1
    try: got = f()
    except (OSError, ValueError, AttributeError): return
    if got: print('SUCCEEDED', name, got)
"#;

/// A sandbox that is attacked from, one beside it, and what the machine looked like before.
struct Scene {
    ground: Ground,
    attacker: SandboxId,
    neighbour: SandboxId,
    before: Census,
    bystander: Child,
}

impl Scene {
    async fn new(resources: Resources) -> Self {
        let ground = Ground::with(|config| config.pids_most = 300).await;
        let attacker = SandboxId::from_u128(1);
        let plan = Plan { user: "root".to_owned(), resources, ..plan() };
        ground.driver.provision(attacker, OrderNumber(1), &plan).await.unwrap();
        ground.driver.boot(attacker, OrderNumber(1), &plan).await.unwrap();
        let neighbour = ground.running(2).await;
        let bystander = Program::new("sleep").arg("1000").spawn().unwrap();
        let mut before = census(ground.dir.path());
        before.files.clear();
        Self { ground, attacker, neighbour, before, bystander }
    }

    /// Make the attempts of a program, and give what it says beside `count` of them.
    async fn attempts(&self, program: &str, count: usize) -> String {
        let program = format!("{PRELUDE}{program}\nprint('made', count)");
        let path = "/opt/attempts.py";
        let put = format!("import sys; open('{path}', 'w').write(sys.argv[1])");
        assert_eq!(text(&self.ground.run(self.attacker, &["python3", "-c", &put, &program]).await), "");
        let said = text(&self.ground.run(self.attacker, &["python3", path]).await);
        let made = format!("made {count}");
        assert!(said.ends_with(&made), "{said}\nwanted {made}");
        said.trim_end_matches(&made).trim().to_owned()
    }

    /// Host and neighbour are as they were.
    async fn end_unharmed(mut self) {
        assert!(self.bystander.try_wait().unwrap().is_none(), "a process of the host ended");
        self.bystander.kill().unwrap();
        self.bystander.wait().unwrap();
        assert_eq!(self.ground.sh(self.neighbour, "echo fine; ls /opt").await, "fine");
        // Nothing the attacker left running counts as the host's.
        self.ground.sh(self.attacker, "kill -9 -1").await;
        let mut after = census(self.ground.dir.path());
        after.files.clear();
        assert_eq!(after, self.before);
        for sandbox in [self.attacker, self.neighbour] {
            self.ground.driver.erase(sandbox).await.unwrap();
        }
        let left = census(self.ground.dir.path());
        assert!(
            left.mounts.is_empty() && left.loops.is_empty() && left.devices.is_empty() && left.processes == 0
        );
    }
}

const WAYS_OUT: &str = r#"
for kind in (b'tmpfs', b'proc', b'sysfs', b'cgroup', b'cgroup2', b'overlay', b'devpts', b'ext4', b'debugfs', b'bpf'):
    attempt('mount ' + kind.decode(), lambda: libc.mount(b'none', b'/mnt', kind, 0, None) == 0)
attempt('bind mount', lambda: libc.mount(b'/proc', b'/mnt', None, 4096, None) == 0)
attempt('remount the root', lambda: libc.mount(None, b'/', None, 32 | 4096, None) == 0)
attempt('remount /proc/sys', lambda: libc.mount(None, b'/proc/sys', None, 32 | 4096, None) == 0)
attempt('share mounts', lambda: libc.mount(None, b'/', None, 1 << 20 | 16384, None) == 0)
for path in (b'/proc/kcore', b'/proc/sys', b'/sys/fs/cgroup', b'/sys/firmware', b'/.hourglass/agent'):
    attempt('unmount ' + path.decode(), lambda: libc.umount2(path, 2) == 0)
attempt('pivot_root', lambda: call(155, b'/tmp', b'/tmp'))
attempt('open_tree', lambda: call(428, -100, b'/', 1))
attempt('fsopen', lambda: call(430, b'tmpfs', 0))
attempt('mount_setattr', lambda: call(442, -100, b'/', 0, 0, 0))
for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80):
    attempt('unshare %x' % flag, lambda: libc.unshare(flag) == 0)
    if flag > 0xff: attempt('clone %x' % flag, lambda: call(56, flag | 17, 0, 0, 0, 0))
for space in os.listdir('/proc/1/ns'):
    attempt('setns ' + space, lambda: libc.setns(os.open('/proc/1/ns/' + space, 0), 0) == 0)
attempt('open_by_handle_at', lambda: call(304, -100, b'\0' * 128, 0))
def chroot_and_climb():
    os.makedirs('/opt/jail', exist_ok=True)
    outside = os.open('/', os.O_RDONLY)
    os.chroot('/opt/jail'); os.fchdir(outside)
    for _ in range(64): os.chdir('..')
    os.chroot('.')
    return os.path.exists(HOST_FILE)
child = os.fork()
if child == 0:
    attempt('climb out of a chroot', chroot_and_climb); sys.stdout.flush(); os._exit(0)
os.waitpid(child, 0); count += 1
before = count
for process in os.listdir('/proc'):
    if process.isdigit():
        for link in ('root', 'cwd'):
            attempt('file of the host by ' + process, lambda: os.path.exists('/proc/%s/%s%s' % (process, link, HOST_FILE)))
for link in glob.glob('/proc/[0-9]*/fd/*'):
    attempt('open file of the host', lambda: os.readlink(link).startswith(HOST_FILE.rsplit('/', 1)[0]) and link)
count = before # how many there are of these is chance
attempt('file of the host', lambda: os.path.exists(HOST_FILE))
attempt('release_agent', lambda: [p for p in glob.glob('/sys/fs/cgroup/**/*', recursive=True) if 'agent' in p])
attempt('make a group', lambda: os.mkdir('/sys/fs/cgroup/mine') is None)
attempt('join a group', lambda: write('/sys/fs/cgroup/cgroup.procs', '0'))
attempt('lift a limit', lambda: write('/sys/fs/cgroup/memory.max', 'max'))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn no_way_leads_out_of_a_sandbox() {
    if !may_run("no_way_leads_out_of_a_sandbox") || !is_x86("no_way_leads_out_of_a_sandbox") {
        return;
    }
    let scene = Scene::new(Resources::DEFAULT).await;
    let mark = scene.ground.dir.path().join("mark");
    fs::write(&mark, "of the host").unwrap();
    let program = WAYS_OUT.replace("HOST_FILE", &format!("{:?}", mark.display()));
    assert_eq!(scene.attempts(&program, 55).await, "");
    scene.end_unharmed().await;
}

const MACHINE: &str = r#"
for name, kind, major, minor in (('loop', 0o60000, 7, 0), ('disk', 0o60000, 8, 0), ('virtual disk', 0o60000, 254, 0),
                                 ('memory', 0o20000, 1, 1), ('ports', 0o20000, 1, 4), ('log', 0o20000, 1, 11),
                                 ('fuse', 0o20000, 10, 229), ('kvm', 0o20000, 10, 232), ('tun', 0o20000, 10, 200)):
    attempt('make device ' + name, lambda: os.mknod('/opt/node', kind | 0o600, os.makedev(major, minor)) is None)
    attempt('make device in /dev ' + name, lambda: os.mknod('/dev/node', kind | 0o600, os.makedev(major, minor)) is None)
usual = {'null', 'zero', 'full', 'random', 'urandom', 'tty', 'console', 'ptmx', 'pts', 'shm', 'mqueue', 'fd', 'stdin',
         'stdout', 'stderr', 'core'}
attempt('unusual device', lambda: set(os.listdir('/dev')) - usual)
attempt('console', lambda: os.open('/dev/console', os.O_WRONLY) and os.path.realpath('/dev/console') == '/dev/console' and os.isatty(os.open('/dev/console', os.O_WRONLY | os.O_NOCTTY)))
for path, text in (('/proc/sys/kernel/core_pattern', '|/bin/sh'), ('/proc/sys/kernel/modprobe', '/bin/sh'),
                   ('/proc/sys/kernel/hostname', 'x'), ('/proc/sys/vm/panic_on_oom', '1'), ('/proc/sys/fs/file-max', '1'),
                   ('/proc/sys/net/ipv4/ip_forward', '1'), ('/proc/sys/net/ipv4/ping_group_range', '1 0'),
                   ('/proc/sysrq-trigger', 'b'), ('/proc/irq/0/smp_affinity', '1'),
                   ('/proc/1/oom_score_adj', '-1000'), ('/proc/self/oom_score_adj', '-1000'),
                   ('/proc/self/uid_map', '0 0 1'), ('/proc/self/attr/current', 'x'),
                   ('/sys/kernel/uevent_helper', '/bin/sh'), ('/sys/power/state', 'mem'),
                   ('/sys/devices/system/cpu/cpu1/online', '0'), ('/sys/class/net/eth0/mtu', '9000'),
                   ('/sys/module/kernel/parameters/panic', '1')):
    attempt('write ' + path, lambda: write(path, text))
for path in ('/proc/kcore', '/proc/kmsg', '/proc/kallsyms', '/proc/partitions', '/proc/diskstats', '/proc/cmdline',
             '/proc/modules', '/proc/swaps', '/proc/iomem', '/sys/class/dmi/id/product_name',
             '/sys/devices/virtual/dmi/id/product_uuid', '/sys/firmware/dmi/tables/DMI', '/sys/block/loop0/size',
             '/dev/mem', '/dev/kmsg', '/dev/loop0', '/dev/vda', '/dev/sda'):
    attempt('read ' + path, lambda: read(path))
attempt('hardware', lambda: [p for p in glob.glob('/sys/devices/*/*') if '/system/' not in p and '/virtual/' not in p])
for name, number, args in (('init_module', 175, (b'x', 1, b'')), ('finit_module', 313, (0, b'', 0)),
                           ('delete_module', 176, (b'x', 0)), ('kexec_load', 246, (0, 0, 0, 0)),
                           ('kexec_file_load', 320, (0, 0, 0, b'', 0)), ('reboot', 169, (0xfee1dead, 672274793, 0x1234567)),
                           ('settimeofday', 164, (0, 0)), ('clock_settime', 227, (0, 0)), ('adjtimex', 159, (0,)),
                           ('clock_adjtime', 305, (0, 0)), ('syslog', 103, (2, 0, 0)), ('acct', 163, (b'/opt/acct',)),
                           ('swapon', 167, (b'/opt/swap', 0)), ('swapoff', 168, (b'/opt/swap',)),
                           ('quotactl', 179, (0, b'', 0, 0)), ('sethostname', 170, (b'x', 1)),
                           ('setdomainname', 171, (b'x', 1)), ('iopl', 172, (3,)), ('ioperm', 173, (0, 1, 1)),
                           ('vhangup', 153, ()), ('add_key', 248, (b'user', b'x', b'y', 1, -3)),
                           ('request_key', 249, (b'user', b'x', 0, -3)), ('keyctl', 250, (0, -3, 1)),
                           ('bpf', 321, (0, 0, 0)), ('perf_event_open', 298, (0, 0, -1, -1, 0)),
                           ('userfaultfd', 323, (0,)), ('io_uring_setup', 425, (1, 0)), ('fanotify_init', 300, (0, 0)),
                           ('move_pages', 279, (1, 0, 0, 0, 0, 0)), ('kcmp', 312, (1, 1, 0, 0, 0)),
                           ('lookup_dcookie', 212, (0, 0, 0)), ('process_madvise', 440, (0, 0, 0, 0, 0)),
                           ('pidfd_getfd', 438, (0, 0, 0)), ('listmount', 458, (0, 0, 0, 0)),
                           ('a call of tomorrow', 999, ())):
    attempt(name, lambda: call(number, *args))
"#;

/// Whether the numbers of system calls in a program are this machine's. Says so when they are not.
fn is_x86(test: &str) -> bool {
    if !cfg!(target_arch = "x86_64") {
        let _ =
            writeln!(std::io::stderr(), "SKIPPED {test}: it names system calls by their numbers on x86-64");
    }
    cfg!(target_arch = "x86_64")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machine_is_out_of_reach() {
    if !may_run("the_machine_is_out_of_reach") || !is_x86("the_machine_is_out_of_reach") {
        return;
    }
    let scene = Scene::new(Resources::DEFAULT).await;
    assert_eq!(scene.attempts(MACHINE, 92).await, "");
    scene.end_unharmed().await;
}

const OTHERS: &str = r#"
attempt('kill a process of the host', lambda: os.kill(HOST_PID, 9) is None)
attempt('trace a process of the host', lambda: libc.ptrace(16, HOST_PID, 0, 0) == 0)
attempt('read the memory of a process of the host', lambda: read('/proc/HOST_PID/mem', 1))
attempt('see a process of the host', lambda: os.path.exists('/proc/HOST_PID'))
attempt('lower the priority of a process of the host', lambda: os.setpriority(os.PRIO_PROCESS, HOST_PID, 19) is None)
attempt('raise the own priority', lambda: os.setpriority(os.PRIO_PROCESS, 0, -5) is None)
attempt('raise a limit', lambda: __import__('resource').setrlimit(__import__('resource').RLIMIT_NOFILE, (1 << 20, 1 << 20)) is None)
attempt('dump core', lambda: __import__('resource').getrlimit(__import__('resource').RLIMIT_CORE) != (0, 0))
attempt('other processes', lambda: [p for p in os.listdir('/proc') if p.isdigit() and int(p) > 300])
attempt('local socket of the host', lambda: socket.socket(socket.AF_UNIX).connect('\0HOST_SOCKET') is None)
for name, family, kind, protocol in (('packet', 17, 3, 0x300), ('raw', 2, 3, 255), ('raw icmp', 2, 3, 1), ('raw tcp', 2, 3, 6),
                                     ('raw 6', 10, 3, 255), ('crypto', 38, 5, 0), ('vsock', 40, 1, 0), ('can', 29, 3, 1),
                                     ('tipc', 30, 1, 0), ('rds', 21, 5, 0), ('bluetooth', 31, 3, 1), ('xdp', 44, 3, 0)):
    attempt('socket ' + name, lambda: socket.socket(family, kind, protocol))
def option(level, name, value):
    with socket.socket() as s: s.setsockopt(level, name, value)
    return True
attempt('mark packets', lambda: option(1, 36, 7))
attempt('be transparent', lambda: option(0, 19, 1))
def pretend():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(0, 15, 1)
        s.bind(('198.18.99.99', 0)); s.sendto(b'x', ('198.18.0.1', 9)); return True
attempt('send as another', pretend)
def netlink(family, kind, body):
    with socket.socket(16, 3, family) as s:
        s.bind((0, 0))
        s.send(struct.pack('=IHHII', 16 + len(body), kind, 5, 1, 0) + body)
        answer = s.recv(4096)
        code, = struct.unpack('=i', answer[16:20])
        if code: raise OSError(-code, 'refused')
        return True
attempt('take a device down', lambda: netlink(0, 16, struct.pack('=BxHiII', 0, 0, 2, 0, 1)))
attempt('add an address', lambda: netlink(0, 20, struct.pack('=BBBBI', 2, 32, 0, 0, 2) + struct.pack('=HH4s', 8, 2, bytes([198, 18, 99, 99]))))
attempt('remove the firewall', lambda: netlink(12, 10 << 8 | 2, struct.pack('=BBH', 1, 0, 0)))
capabilities = struct.pack('=II', 0x20080522, 0), struct.pack('=IIIIII', *(0xffffffff,) * 6)
attempt('take every capability', lambda: libc.capset(*capabilities) == 0)
attempt('take it by a program', lambda: [p for p in ('/usr/bin/su', '/usr/bin/mount', '/usr/bin/passwd') if os.path.exists(p) and os.system(p + ' --help >/dev/null 2>&1') == 0 and 'NoNewPrivs:\t0' in open('/proc/self/status').read()])
"#;

#[tokio::test(flavor = "multi_thread")]
async fn others_are_out_of_reach() {
    if !may_run("others_are_out_of_reach") {
        return;
    }
    let scene = Scene::new(Resources::DEFAULT).await;
    let name = format!("hourglass-test-{}", std::process::id());
    let _listens = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let program = OTHERS.replace("HOST_PID", &scene.bystander.id().to_string()).replace("HOST_SOCKET", &name);
    assert_eq!(scene.attempts(&program, 30).await, "");
    scene.end_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agents_directory_is_no_way_to_the_host() {
    if !may_run("the_agents_directory_is_no_way_to_the_host") {
        return;
    }
    let scene = Scene::new(Resources::DEFAULT).await;
    let mark = scene.ground.dir.path().join("mark");
    fs::write(&mark, "137\n").unwrap();
    let small = "cd /.hourglass/run && dd if=/dev/zero of=big bs=1k count=1000 2>&1; rm big; \
                 for i in $(seq 100); do touch f$i 2>&1; done | tail -1; rm -f f*; ls -la | wc -l";
    let said = scene.ground.sh(scene.attacker, small).await;
    assert!(said.matches("No space left").count() == 2, "{said}");
    // Whatever lies where its host reads: a link, a pipe nobody writes to, a directory, a socket.
    for trap in [
        format!("ln -sf {} exit", mark.display()),
        "rm -rf exit; mkfifo exit".to_owned(),
        "rm -rf exit; mkdir exit".to_owned(),
        "rm -rf exit; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"exit\")'".to_owned(),
        "rm -rf exit; ln -s exit exit; rm -f agent.sock; mkfifo agent.sock".to_owned(),
    ] {
        let trapped = format!("cd /.hourglass/run && {trap} && echo trapped");
        let said = scene.ground.sh(scene.attacker, &trapped).await;
        assert_eq!(said, "trapped");
    }
    native_common::kill(scene.ground.dir.path(), scene.attacker);
    let exit = tokio::time::timeout(Duration::from_secs(30), scene.ground.driver.exited()).await.unwrap();
    assert_eq!((exit.sandbox, exit.cause), (scene.attacker, ExitCause::Vanished));
    assert_eq!(fs::read_to_string(&mark).unwrap(), "137\n");
    let Scene { ground, attacker, neighbour, mut bystander, .. } = scene;
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    for sandbox in [attacker, neighbour] {
        ground.driver.erase(sandbox).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_go_off_inside() {
    if !may_run("bombs_go_off_inside") {
        return;
    }
    let scene = Scene::new(Resources { disk_gib: 1, ..Resources::DEFAULT }).await;
    let room = || host("df", &["--output=avail", scene.ground.dir.path().to_str().unwrap()]);
    let (free, ground) = (room(), &scene.ground);
    let forks = "import os\nwhile 1:\n try: os.fork()\n except OSError: pass";
    drop(
        ground
            .driver
            .exec(
                scene.attacker,
                Command { timeout: Some(Span::seconds(2)), ..command(&["python3", "-c", forks]) },
            )
            .await,
    );
    // Its own limit, not the neighbour's.
    assert_eq!(
        ground.sh(scene.neighbour, "for i in $(seq 50); do true & done; wait; echo fine").await,
        "fine"
    );
    let memory = "x = []\nwhile 1: x.append(bytearray(1 << 24))";
    assert_eq!(ground.run(scene.attacker, &["python3", "-c", memory]).await.code, 137);
    // Reserved rather than written, so that the host's own disk is left alone.
    let disk = "fallocate -l 100G /big 2>&1; dd if=/dev/zero of=/dev/shm/x bs=1M 2>&1 | head -1; \
                i=0; while mkdir /opt/$i 2>/dev/null && [ $i -lt 100 ]; do i=$((i + 1)); done; rm -f /big /dev/shm/x";
    assert!(ground.sh(scene.attacker, disk).await.contains("No space left"));
    let kib = |text: &str| text.lines().last().unwrap().trim().parse::<i64>().unwrap();
    assert!(kib(&free) - kib(&room()) < 1 << 20, "more than its disk was taken of the host's");
    scene.end_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ordinary_programs_run_under_the_filter() {
    if !may_run("ordinary_programs_run_under_the_filter") {
        return;
    }
    let ground = Ground::new().await;
    let sandbox = ground.running(1).await;
    let program = "import asyncio, multiprocessing, select, socket, sqlite3, ssl, subprocess, tempfile, threading, mmap, time\n\
        async def main():\n r = await asyncio.create_subprocess_exec('true'); return await r.wait()\n\
        assert asyncio.run(main()) == 0\n\
        with multiprocessing.get_context('spawn').Pool(1) as pool: assert pool.apply(len, ('abc',)) == 3\n\
        t = threading.Thread(target=time.sleep, args=(0.01,)); t.start(); t.join()\n\
        c = sqlite3.connect(tempfile.mktemp()); c.execute('create table x(y)'); c.commit()\n\
        mmap.mmap(-1, 4096)[0] = 1; ssl.create_default_context(); select.epoll().close()\n\
        a, b = socket.socketpair(); a.send(b'x'); assert b.recv(1) == b'x'\n\
        print(subprocess.check_output(['sh', '-c', 'echo $((6 * 7)) | cat | sort']).decode().strip())\n";
    let path = "import sys; open('/tmp/p.py', 'w').write('if __name__ == \"__main__\":\\n' + \
                ''.join(' ' + l + '\\n' for l in sys.argv[1].splitlines()))";
    ground.run(sandbox, &["python3", "-c", path, program]).await;
    assert_eq!(text(&ground.run(sandbox, &["python3", "/tmp/p.py"]).await), "42");
    assert_eq!(ground.sh(sandbox, "ulimit -c; [ $(ulimit -n) -ge 1024 ] && echo enough").await, "0\nenough");
    ground.driver.erase(sandbox).await.unwrap();
}

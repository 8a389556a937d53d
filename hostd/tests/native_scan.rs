//! Root in a sandbox knocks at every door of its host, of its neighbours and of other drivers' sandboxes. Nobody opens
//! and nobody even says no, so that what is there looks like what is not; and nobody notices.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use std::fs::File;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use hourglass_events::{OrderNumber, Plan, SandboxId};
use hourglass_hostd::driver::Driver;
use native_common::internet::{Internet, address};
use native_common::{Ground, census, eventually, host, may_run, plan, text};
use nix::sched::{CloneFlags, setns};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, ipproto};

/// The ports that every machine's own services are at.
const WELL_KNOWN: std::ops::RangeInclusive<u16> = 1..=1024;
/// Where a neighbour listens, by TCP and by UDP.
const NEIGHBOURS_PORT: u16 = 8000;
/// How many addresses the block of a driver has, by default.
const BLOCK: u32 = 1 << 10;
/// How long an echo that must come may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tries every port of every address, many at a time, and says which of them answers, and how.
const KNOCK: &str = r#"
import errno, itertools, select, socket, sys, time
PATIENCE, AT_ONCE = 0.3, 400
def spread(text):
    first, _, last = text.partition('-')
    return range(int(first), int(last or first) + 1)
addresses = sys.argv[1].split(',')
ports = [port for text in sys.argv[2].split(',') for port in spread(text)]
def answered(address, port, code):
    print(address, port, 'open' if code == 0 else errno.errorcode.get(code, code))
doors = itertools.product(addresses, ports)
tried = 0
while some := list(itertools.islice(doors, AT_ONCE)):
    waiting, poll = {}, select.poll()
    for address, port in some:
        tried += 1
        s = socket.socket(); s.setblocking(False)
        code = s.connect_ex((address, port))
        if code != errno.EINPROGRESS: answered(address, port, code); continue
        waiting[s.fileno()] = s, address, port
        poll.register(s, select.POLLOUT)
    until = time.monotonic() + PATIENCE
    while waiting and (left := until - time.monotonic()) > 0:
        for fd, _ in poll.poll(left * 1000):
            s, address, port = waiting.pop(fd)
            poll.unregister(fd)
            answered(address, port, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
print('tried', tried)
"#;

/// Sends a word to a port of every address, in every way there is to say it without a connection.
const SHOUT: &str = r#"
import socket, sys
for address in sys.argv[1].split(','):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for port in sys.argv[2].split(','):
            try: s.sendto(b'from inside', (address, int(port)))
            except OSError: pass
    try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1).sendto(bytes([8] + [0] * 7), (address, 0))
    except OSError: pass
print('sent')
"#;

/// Keeps a line of everybody who comes.
const HOSPITABLE: &str = r#"
import select, socket
t = socket.create_server(('0.0.0.0', 8000))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('0.0.0.0', 8000))
while 1:
    for s in select.select([t, u], [], [])[0]:
        who = t.accept()[1] if s is t else u.recvfrom(64)[1]
        open('/tmp/heard', 'a').write(who[0] + '\n')
"#;

/// Who attacks, and who must not notice.
struct Scene {
    ground: Ground,
    elsewhere: Ground,
    internet: Internet,
    attacker: SandboxId,
    neighbour: SandboxId,
    foreigner: SandboxId,
}

impl Scene {
    async fn new() -> Self {
        let (ground, elsewhere, internet) = (Ground::new().await, Ground::new().await, Internet::new());
        let attacker = SandboxId::from_u128(1);
        let root = Plan { user: "root".to_owned(), ..plan() };
        ground.driver.provision(attacker, OrderNumber(1), &root).await.unwrap();
        ground.driver.boot(attacker, OrderNumber(1), &root).await.unwrap();
        let (neighbour, foreigner) = (ground.running(2).await, elsewhere.running(3).await);
        let scene = Self { ground, elsewhere, internet, attacker, neighbour, foreigner };
        for (ground, sandbox) in scene.others() {
            let server = format!("python3 -c \"{}\" >/dev/null 2>&1 &", HOSPITABLE.replace('"', "'"));
            ground.sh(sandbox, &server).await;
            let place = (address(ground, sandbox).await, NEIGHBOURS_PORT);
            let reached = || TcpStream::connect((place.0.as_str(), place.1)).is_ok();
            eventually("a neighbour that listens", reached).await;
            ground.sh(sandbox, "until [ -e /tmp/heard ]; do :; done; rm /tmp/heard").await;
        }
        scene
    }

    fn others(&self) -> [(&Ground, SandboxId); 2] {
        [(&self.ground, self.neighbour), (&self.elsewhere, self.foreigner)]
    }

    /// The addresses of the host: its own, and those it has in each of the two blocks.
    async fn host(&self) -> Vec<String> {
        let listed = host("ip", &["-o", "-4", "addr"]);
        // Bridges of other drivers come and go; those of these two are held to be as good.
        let lasting = listed.lines().filter(|line| !line.contains(" hg-") && !line.contains(" hgt"));
        let mut own: Vec<String> = lasting
            .filter_map(|line| Some(line.split_whitespace().nth(3)?.split('/').next()?.to_owned()))
            .collect();
        // Inside, that is the sandbox itself.
        own.retain(|address| !address.starts_with("127."));
        own.push(self.internet.host(1));
        for (ground, sandbox) in self.others() {
            own.push(Ipv4Addr::from_bits(base(&address(ground, sandbox).await) + 1).to_string());
        }
        own
    }

    /// What a program of root's in the attacker prints.
    async fn attack(&self, program: &str, arguments: &[&str]) -> String {
        let words = [&["python3", "-c", program], arguments].concat();
        text(&self.ground.run(self.attacker, &words).await)
    }

    /// Nobody heard anything, and everybody hears when somebody calls who may.
    async fn end_unnoticed(self) {
        for (ground, sandbox) in self.others() {
            assert_eq!(ground.sh(sandbox, "cat /tmp/heard 2>&1 | head -3").await, MISSING);
            TcpStream::connect((address(ground, sandbox).await.as_str(), NEIGHBOURS_PORT)).unwrap();
            ground.sh(sandbox, "until [ -e /tmp/heard ]; do :; done").await;
        }
        self.ground.driver.erase(self.attacker).await.unwrap();
        for (ground, sandbox) in self.others() {
            ground.driver.erase(sandbox).await.unwrap();
            let left = census(ground.dir.path());
            assert!(left.devices.is_empty() && left.processes == 0, "{left:?}");
        }
    }
}

const MISSING: &str = "cat: /tmp/heard: No such file or directory";

/// The first address of the block that `address` is of.
fn base(address: &str) -> u32 {
    address.parse::<Ipv4Addr>().unwrap().to_bits() & !(BLOCK - 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_port_of_the_host_answers_a_sandbox() {
    if !may_run("no_port_of_the_host_answers_a_sandbox") {
        return;
    }
    let scene = Scene::new().await;
    let hosts = scene.host().await;
    let everywhere = TcpListener::bind("0.0.0.0:0").unwrap();
    let each = hosts.iter().map(|address| TcpListener::bind((address.as_str(), 0)).unwrap());
    let listeners: Vec<TcpListener> = each.chain([everywhere]).collect();
    let ports = listeners.iter().map(|listener| listener.local_addr().unwrap().port());
    let mut ports: Vec<String> = ports.map(|port| port.to_string()).collect();
    ports.push(format!("{}-{}", WELL_KNOWN.start(), WELL_KNOWN.end()));
    let count = hosts.len() * (listeners.len() + WELL_KNOWN.count());
    let said = scene.attack(KNOCK, &[&hosts.join(","), &ports.join(",")]).await;
    assert_eq!(said, format!("tried {count}"));
    // The same program does see what there is to see.
    let outside = scene.internet.host(10);
    let said = scene.attack(KNOCK, &[&outside, "79-81"]).await;
    let expected =
        format!("{outside} 79 ECONNREFUSED\n{outside} 80 open\n{outside} 81 ECONNREFUSED\ntried 3");
    assert_eq!(sorted(&said), sorted(&expected));
    for listener in listeners {
        let place = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "{place} was reached");
        let target =
            if place.ip().is_unspecified() { "127.0.0.1".to_owned() } else { place.ip().to_string() };
        assert!(TcpStream::connect((target, place.port())).is_ok(), "{place} is not well");
    }
    scene.end_unnoticed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_of_any_block_answers_a_sandbox() {
    if !may_run("no_address_of_any_block_answers_a_sandbox") {
        return;
    }
    let scene = Scene::new().await;
    let own = address(&scene.ground, scene.attacker).await;
    let mut neighbours = Vec::new();
    for (ground, sandbox) in scene.others() {
        let neighbour = address(ground, sandbox).await;
        let block = (1..BLOCK - 1).map(|seat| Ipv4Addr::from_bits(base(&neighbour) + seat).to_string());
        let block: Vec<String> = block.filter(|address| *address != own).collect();
        assert!(block.contains(&neighbour));
        let said = scene.attack(KNOCK, &[&block.join(","), &format!("22,{NEIGHBOURS_PORT}")]).await;
        assert_eq!(said, format!("tried {}", block.len() * 2));
        neighbours.push(neighbour);
    }
    let ports = format!("{}-{}", WELL_KNOWN.start(), WELL_KNOWN.end());
    let said = scene.attack(KNOCK, &[&neighbours.join(","), &ports]).await;
    assert_eq!(said, format!("tried {}", neighbours.len() * WELL_KNOWN.count()));
    scene.end_unnoticed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_no_connection_reaches_nobody_either() {
    if !may_run("what_needs_no_connection_reaches_nobody_either") {
        return;
    }
    let scene = Scene::new().await;
    let hears = UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = hears.local_addr().unwrap().port();
    let mut targets = scene.host().await;
    for (ground, sandbox) in scene.others() {
        let neighbour = address(ground, sandbox).await;
        targets.push(Ipv4Addr::from_bits(base(&neighbour) + BLOCK - 1).to_string());
        targets.push(neighbour);
    }
    targets.extend(["255.255.255.255", "224.0.0.1", "169.254.169.254"].map(str::to_owned));
    let said = scene.attack(SHOUT, &[&targets.join(","), &format!("{port},{NEIGHBOURS_PORT}")]).await;
    assert_eq!(said, "sent");
    // Nor does an echo come back to whoever may do what root inside may not.
    let answering = scene.internet.host(10);
    let path = scene.ground.dir.path().join("run").join(format!("{}.1", scene.attacker)).join("space");
    let echoed = std::thread::scope(|scope| {
        let ping = || {
            setns(File::open(path).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
            echoes(&targets, answering.parse().unwrap())
        };
        scope.spawn(ping).join().unwrap()
    });
    assert_eq!(echoed, [answering.parse::<Ipv4Addr>().unwrap()], "nobody but who may answers");
    // What the host says to itself is the first thing it hears.
    hears.send_to(b"from the host", ("127.0.0.1", port)).unwrap();
    let mut word = [0; 64];
    let length = hears.recv(&mut word).unwrap();
    assert_eq!(&word[..length], b"from the host");
    scene.end_unnoticed().await;
}

/// Who answers an echo, of `targets` and, asked after all of them, of `last`.
fn echoes(targets: &[String], last: Ipv4Addr) -> Vec<Ipv4Addr> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP)).unwrap();
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE)).unwrap();
    let request = [8, 0, 0xf7, 0xff, 0, 0, 0, 0];
    let targets = targets.iter().map(|target| target.parse().unwrap());
    for target in targets.chain([last]) {
        let place = SocketAddrV4::new(target, 0);
        // What may not be sent at all is not answered.
        let _ = rustix::net::sendto(&socket, &request, SendFlags::empty(), &place);
    }
    let (mut found, mut packet) = (Vec::new(), [0; 128]);
    while !found.contains(&last) {
        let (_, length) = rustix::net::recv(&socket, &mut packet[..], RecvFlags::empty()).unwrap();
        let header = usize::from(packet[0] & 15) * 4;
        if length > header && packet[header] == 0 {
            found.push(Ipv4Addr::new(packet[12], packet[13], packet[14], packet[15]));
        }
    }
    found
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

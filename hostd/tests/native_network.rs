//! The network of a sandbox: what it reaches, what it never reaches, and that nobody in it can change that.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command as Program;
use std::time::Duration;

use hourglass_events::{Cidr, NetworkPolicy, OrderNumber, Plan, SandboxId, Span};
use hourglass_hostd::driver::Driver;
use hourglass_hostd::native::{Bridged, Config, NativeDriver, Network, NetworkError, OpenError};
use native_common::internet::{Internet, address, begin, dialled, ip, serve};
use native_common::{Ground, census, eventually, host, may_run, plan, text};

/// The address of the bridge.
fn gateway(ground: &Ground) -> Ipv4Addr {
    let bridge = format!("dev hg-{}", native_common::instance(ground.dir.path()));
    let routes = host("ip", &["route"]);
    let base = routes.lines().find(|line| line.contains(&bridge)).and_then(|line| line.split('/').next());
    Ipv4Addr::from_bits(base.unwrap().parse::<Ipv4Addr>().unwrap().to_bits() + 1)
}

/// Where the namespace of a sandbox that order 1 booted is kept.
fn space(ground: &Ground, sandbox: SandboxId) -> PathBuf {
    ground.dir.path().join("run").join(format!("{sandbox}.1")).join("space")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_has_an_address_of_its_own_and_goes_out_behind_its_hosts() {
    if !may_run("a_sandbox_has_an_address_of_its_own_and_goes_out_behind_its_hosts") {
        return;
    }
    let (ground, internet) = (Ground::new().await, Internet::new());
    let (one, two) = (ground.running(1).await, ground.running(2).await);
    let (first, second) = (address(&ground, one).await, address(&ground, two).await);
    assert!(first.starts_with("10.") && second.starts_with("10.") && first != second, "{first} {second}");
    assert_eq!(dialled(&ground, one, &internet.host(10), 80).await, internet.host(1));
    assert_eq!(ground.sh(one, "ls /sys/class/net | tr '\\n' ' '").await, "eth0 lo");
    // Loopback is there, in both families.
    let local = "import socket\nfor f, a in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):\n \
                 l = socket.socket(f); l.bind((a, 0)); l.listen(); socket.socket(f).connect(l.getsockname()[:2]); \
                 print(a)";
    assert_eq!(text(&ground.run(one, &["python3", "-c", local]).await), "127.0.0.1\n::1");
    // It asks whom its host asks.
    let asked = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let asked: Vec<&str> = asked.lines().filter(|line| line.starts_with("nameserver 1")).collect();
    let asked: Vec<&str> = asked.into_iter().filter(|line| !line.contains(" 127.")).collect();
    if !asked.is_empty() {
        assert_eq!(ground.sh(one, "cat /etc/resolv.conf").await, asked.join("\n"));
    }
    // Another life has another address, and knows itself by it and by no other.
    ground.driver.halt(one, Span::ZERO).await.unwrap();
    ground.driver.boot(one, OrderNumber(2), &plan()).await.unwrap();
    assert_eq!(ground.sh(one, "grep -c box-1 /etc/hosts").await, "1");
    assert_eq!(dialled(&ground, one, &internet.host(10), 80).await, internet.host(1));
    for sandbox in [one, two] {
        ground.driver.erase(sandbox).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn host_and_neighbours_cannot_be_reached() {
    if !may_run("host_and_neighbours_cannot_be_reached") {
        return;
    }
    let (ground, internet) = (Ground::new().await, Internet::new());
    let (one, two) = (ground.running(1).await, ground.running(2).await);
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(serve));
    let server = "import socket\ns = socket.create_server(('0.0.0.0', 8000))\nwhile 1:\n c = s.accept()[0]; \
                  c.sendall(b'neighbour\\n'); c.close()";
    ground.sh(two, &format!("python3 -c \"{server}\" >/dev/null 2>&1 &")).await;
    let neighbour = address(&ground, two).await;
    // The neighbour does listen: its host reaches it, and so does it itself.
    let hears = || {
        let mut line = String::new();
        let stream = TcpStream::connect((neighbour.as_str(), 8000));
        stream.is_ok_and(|stream| BufReader::new(stream).read_line(&mut line).is_ok())
            && line == "neighbour\n"
    };
    eventually("an answer from the neighbour", hears).await;
    assert_eq!(dialled(&ground, two, &neighbour, 8000).await, "neighbour");
    assert!(dialled(&ground, one, &neighbour, 8000).await.starts_with("no:"));

    // Bridges of other drivers come and go; they are held to be as good as this one's.
    let listed = host("ip", &["-o", "-4", "addr"]);
    let addresses = listed.lines().filter(|line| !line.contains(" hg-") && !line.contains(" hgt"));
    let mut own: Vec<&str> =
        addresses.filter_map(|line| line.split_whitespace().nth(3)?.split('/').next()).collect();
    let (outer, gateway) = (internet.host(1), gateway(&ground).to_string());
    own.extend([outer.as_str(), &gateway]);
    assert!(own.len() > 2, "{own:?}");
    for address in own {
        assert!(TcpStream::connect((address, port)).is_ok(), "{address}");
        assert!(dialled(&ground, one, address, port).await.starts_with("no:"), "{address}");
    }
    // Nor the services of the link, and nobody beyond reaches in.
    assert!(dialled(&ground, one, "169.254.169.254", 80).await.starts_with("no:"));
    ip(&format!("-n {} route add default via {}", internet.name, internet.host(1)));
    let reached = internet.inside(|| {
        let address = format!("{neighbour}:8000").parse().unwrap();
        TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
    });
    assert!(!reached, "a sandbox was reached from outside");
    for sandbox in [one, two] {
        ground.driver.erase(sandbox).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_breaks_out_of_the_filter_still_cannot_be_another() {
    if !may_run("whoever_breaks_out_of_the_filter_still_cannot_be_another") {
        return;
    }
    let (ground, internet) = (Ground::new().await, Internet::new());
    let (one, two) = (ground.running(1).await, ground.running(2).await);
    let (own, other) = (address(&ground, one).await, address(&ground, two).await);
    let gateway = gateway(&ground).to_string();
    let hardware = |address: &str| {
        let parts = address.split('.').map(|part| format!("{:02x}", part.parse::<u8>().unwrap()));
        format!("02:48:{}", parts.collect::<Vec<_>>().join(":"))
    };
    // With every privilege over its own network, as nobody inside has.
    let pose = |mac: &str, address: &str| {
        for words in [
            "ip link set eth0 down",
            &format!("ip link set eth0 address {mac}"),
            "ip addr flush dev eth0",
            &format!("ip addr add {address}/32 dev eth0"),
            "ip link set eth0 up",
            &format!("ip route add {gateway}/32 dev eth0"),
            &format!("ip route add default via {gateway} dev eth0"),
            &format!("ip neigh replace {gateway} lladdr {} dev eth0 nud permanent", hardware(&gateway)),
        ] {
            let space = format!("--net={}", space(&ground, one).display());
            let done = Program::new("nsenter").arg(space).args(words.split(' ')).output().unwrap();
            assert!(done.status.success(), "{words}: {}", String::from_utf8_lossy(&done.stderr));
        }
    };
    for (mac, address, reaches) in
        [(&own, &own, true), (&own, &other, false), (&other, &own, false), (&other, &other, false)]
    {
        pose(&hardware(mac), address);
        let said = dialled(&ground, one, &internet.host(10), 80).await;
        assert_eq!(said == internet.host(1), reaches, "{address} by the hardware of {mac}: {said}");
    }
    // The one whose name was taken did not notice.
    assert_eq!(dialled(&ground, two, &internet.host(10), 80).await, internet.host(1));
    for sandbox in [one, two] {
        ground.driver.erase(sandbox).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_drivers_take_blocks_that_do_not_meet_and_leave_nothing() {
    if !may_run("two_drivers_take_blocks_that_do_not_meet_and_leave_nothing") {
        return;
    }
    // A range with room for two and no more, of addresses no machine uses.
    let bridged = Bridged { range: Cidr::new("198.19.254.0/28").unwrap(), prefix: 29, ..Bridged::default() };
    let small = |config: &mut Config| config.network = Network::Bridged(bridged.clone());
    let (first, second) = (Ground::with(small).await, Ground::with(small).await);
    let dir = tempfile::tempdir().unwrap();
    let mut third = Config::new(dir.path());
    small(&mut third);
    let refused = NativeDriver::new(third).await.unwrap_err();
    assert!(matches!(&refused, OpenError::Network(NetworkError::NoBlock { .. })), "{refused}");

    let (one, two) = (first.running(1).await, second.running(2).await);
    let (here, there) = (address(&first, one).await, address(&second, two).await);
    assert_ne!(here, there);
    first.driver.erase(one).await.unwrap();
    second.driver.erase(two).await.unwrap();
    let instances = [first.dir.path(), second.dir.path()].map(native_common::instance);
    drop((first, second));
    let (links, tables) = (host("ip", &["link"]), host("nft", &["list", "tables"]));
    for instance in instances {
        assert!(!links.contains(&instance), "{links}");
        assert!(!tables.contains(&instance), "{tables}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_without_a_network_has_its_loopback() {
    if !may_run("a_sandbox_without_a_network_has_its_loopback") {
        return;
    }
    let ground = Ground::with(|config| config.network = Network::LoopbackOnly).await;
    let empty = census(ground.dir.path());
    let sandbox = begin(&ground, 1, &Plan { network: NetworkPolicy::Blocked, ..plan() }).await;
    assert_eq!(
        ground.sh(sandbox, "ls /sys/class/net; getent hosts box-1 | cut -d' ' -f1").await,
        "lo\n127.0.0.1"
    );
    ground.driver.set_network(sandbox, OrderNumber(2), &NetworkPolicy::Open).await.unwrap();
    assert!(dialled(&ground, sandbox, "198.18.0.1", 80).await.contains("unreachable"));
    ground.driver.erase(sandbox).await.unwrap();
    assert_eq!(census(ground.dir.path()), empty);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_cannot_be_is_refused_with_what_is_allowed() {
    if !may_run("a_block_that_cannot_be_is_refused_with_what_is_allowed") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let open = async |bridged: Bridged| {
        let mut config = Config::new(dir.path());
        config.network = Network::Bridged(bridged);
        NativeDriver::new(config).await.unwrap_err().to_string()
    };
    let narrow = open(Bridged { prefix: 30, ..Bridged::default() }).await;
    assert!(narrow.contains("must be 16 to 29"), "{narrow}");
    let wide = open(Bridged { range: Cidr::new("10.0.0.0/24").unwrap(), ..Bridged::default() }).await;
    assert!(wide.contains("not shorter than the range's"), "{wide}");
    let loopback = open(Bridged { range: Cidr::new("127.0.0.0/20").unwrap(), ..Bridged::default() }).await;
    assert!(loopback.contains("configure another range"), "{loopback}");
}

//! A pretended part of the internet for sandboxes to reach, and how they are asked to.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command as Program;
use std::sync::atomic::{AtomicU32, Ordering};

use hourglass_events::{NetworkPolicy, OrderNumber, Plan, SandboxId};
use hourglass_hostd::driver::Driver;
use nix::sched::{CloneFlags, setns};

use super::{Ground, text};

/// A part of the internet, in a namespace of its own: two hosts that answer on port 80 by saying who they see, and
/// then repeat every line.
pub(crate) struct Internet {
    pub(crate) name: String,
    net: String,
}

impl Internet {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let at = std::process::id() * 8 + NEXT.fetch_add(1, Ordering::Relaxed);
        let (name, net) = (format!("hgt{}", at % 100_000), format!("198.{}.{}", 18 + at / 256 % 2, at % 256));
        let this = Self { name, net };
        let Self { name, net } = &this;
        ip(&format!("netns add {name}"));
        ip(&format!("link add {name} type veth peer name eth0 netns {name}"));
        ip(&format!("addr add {net}.1/24 dev {name}"));
        ip(&format!("link set {name} up"));
        ip(&format!("-n {name} link set lo up"));
        ip(&format!("-n {name} link set eth0 up"));
        for host in [10, 20] {
            ip(&format!("-n {name} addr add {net}.{host}/24 dev eth0"));
        }
        let listener = this.inside(|| TcpListener::bind("0.0.0.0:80").unwrap());
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || serve(connection));
            }
        });
        this
    }

    /// Do `work` on a thread that is part of it.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let space = File::open(format!("/run/netns/{}", self.name)).unwrap();
        let enter = || {
            setns(&space, CloneFlags::CLONE_NEWNET).unwrap();
            work()
        };
        std::thread::scope(|scope| scope.spawn(enter).join().unwrap())
    }

    pub(crate) fn host(&self, number: u8) -> String {
        format!("{}.{number}", self.net)
    }
}

impl Drop for Internet {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.name));
    }
}

pub(crate) fn serve(mut connection: TcpStream) {
    let seen = connection.peer_addr().unwrap().ip();
    let _ = writeln!(connection, "{seen}");
    let lines = BufReader::new(connection.try_clone().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        let _ = writeln!(connection, "{line}");
    }
}

pub(crate) fn ip(words: &str) {
    let done = Program::new("ip").args(words.split(' ')).output().unwrap();
    assert!(done.status.success(), "ip {words}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A program that says what connecting to `address` leads to: the first line heard, or the error.
pub(crate) fn dial(address: &str, port: u16) -> String {
    format!(
        "import socket\n\
         s = socket.socket(); s.settimeout(1)\n\
         try: s.connect(('{address}', {port})); print(s.makefile().readline().strip())\n\
         except OSError as e: print('no:', e)\n"
    )
}

pub(crate) async fn dialled(ground: &Ground, sandbox: SandboxId, address: &str, port: u16) -> String {
    text(&ground.run(sandbox, &["python3", "-c", &dial(address, port)]).await)
}

pub(crate) fn only(cidrs: &[&str]) -> NetworkPolicy {
    NetworkPolicy::only(cidrs, &[]).unwrap()
}

pub(crate) async fn begin(ground: &Ground, number: u128, plan: &Plan) -> SandboxId {
    let sandbox = SandboxId::from_u128(number);
    ground.driver.provision(sandbox, OrderNumber(1), plan).await.unwrap();
    ground.driver.boot(sandbox, OrderNumber(1), plan).await.unwrap();
    sandbox
}

/// The address of a sandbox, as it knows it.
pub(crate) async fn address(ground: &Ground, sandbox: SandboxId) -> String {
    ground.sh(sandbox, "getent hosts box-1 | cut -d' ' -f1").await
}

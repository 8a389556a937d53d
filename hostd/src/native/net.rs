//! A network for each sandbox: a namespace of its own, joined to a bridge of this driver, behind the host's address.
//!
//! ```text
//! sandbox: eth0 10.208.4.2/32 ── hg<instance>-0000, port of hg-<instance> 10.208.4.1 ── host, NAT ── outside
//! ```
//!
//! Everything of one sandbox hangs on its namespace, and that on one bind mount in the directory of its life: when that
//! goes, the kernel takes devices, addresses, routes and rules with it, whoever was killed when. So nothing is
//! remembered; which addresses are taken is what the names of the bridge's ports say. The port bears the sandbox and
//! the order as its alias.
//!
//! Nobody can be who they are not, in three layers: no process inside may send frames it made itself; a port of the
//! bridge carries only the hardware address it was made for, and nothing to or from other ports; and the host takes a
//! packet only from the hardware address that belongs to its source. Who is behind an address is fixed on both sides
//! when the bridge is made, so nobody is ever asked. IPv6 is loopback only.
//!
//! A driver takes one block of the configured range, the first of those that no route of the machine meets; its route to
//! it is its claim. Forwarding is switched on for the machine if it was off, and never off again.

mod block;
mod bridge;
mod resolvers;
mod rules;
mod space;
mod wire;

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use hourglass_events::{Cidr, Fault, NetworkPolicy, OrderNumber, TaskKind};

use self::bridge::Bridge;
use self::wire::Wire;
use super::doing::Doing;
use super::lock::Lock;
use super::place::{Life, LifePlaces};
use super::wait;
use crate::step;

/// Where what cannot be reached unless it is asked for is listed: this network, loopback, the link with its services
/// for the machine itself, groups, and what nobody has.
const DENIED: [&str; 5] = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"];

/// Networks of sandboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// Each is joined to the host's network behind the host's address.
    Bridged(Bridged),
    /// Each has its loopback and nothing else.
    LoopbackOnly,
}

/// How sandboxes are joined to the host's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridged {
    /// Where the driver looks for a block of addresses that nothing else on the machine uses.
    pub range: Cidr,
    /// How large that block is, as a prefix: from [`Bridged::WIDEST`] to [`Bridged::NARROWEST`].
    pub prefix: u8,
    /// What no sandbox reaches, whatever its own policy says.
    pub denied: Vec<Cidr>,
    /// Whom sandboxes ask for names; the host's own resolvers when not given.
    pub resolvers: Option<Vec<Ipv4Addr>>,
}

impl Bridged {
    /// The prefix of the largest block: 65 533 sandboxes.
    pub const WIDEST: u8 = 16;
    /// The prefix of the smallest block: 5 sandboxes.
    pub const NARROWEST: u8 = 29;
}

impl Default for Bridged {
    /// 1 021 sandboxes somewhere in 10.208.0.0/12, which reach all but the host, each other and the link's own services.
    fn default() -> Self {
        let cidr = |text: &str| Cidr::new(text).ok();
        Self {
            range: cidr("10.208.0.0/12").unwrap_or_else(|| unreachable!("it is one")),
            prefix: 22,
            denied: DENIED.iter().filter_map(|text| cidr(text)).collect(),
            resolvers: None,
        }
    }
}

/// Why sandboxes cannot have networks here.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The configured block is no block of the range.
    #[error(
        "a block of addresses with prefix {prefix} cannot be taken from {range}; the prefix must be {} to {}, and not \
         shorter than the range's",
        Bridged::WIDEST,
        Bridged::NARROWEST
    )]
    BadPrefix {
        /// What was configured.
        prefix: u8,
        /// The range.
        range: Cidr,
    },
    /// Every block of the range is in use on this machine.
    #[error(
        "every block of addresses in {range} meets a route of this machine; configure another range, or sandboxes \
         without networks (loopback only)"
    )]
    NoBlock {
        /// The range.
        range: Cidr,
    },
    /// The kernel refused.
    #[error(
        "could not {doing}: {error}; the kernel needs bridges, veth pairs and nftables with NAT (`modprobe -a bridge \
         veth nf_tables nft_fib_inet nft_masq`), or configure sandboxes without networks (loopback only)"
    )]
    Refused {
        /// What was tried.
        doing: &'static str,
        /// What was said.
        error: String,
    },
}

fn refused<E: ToString>(doing: &'static str) -> impl FnOnce(E) -> NetworkError {
    move |error| NetworkError::Refused { doing, error: error.to_string() }
}

/// The networks of one driver.
#[derive(Debug)]
pub(super) enum Networks {
    Bridged(Box<Bridge>),
    LoopbackOnly,
}

impl Networks {
    /// Have what `config` asks for, taking over what an earlier driver on `run` left.
    pub(super) fn open(config: &Network, instance: &str, run: &Path) -> Result<Self, NetworkError> {
        match config {
            Network::LoopbackOnly => Ok(Self::LoopbackOnly),
            Network::Bridged(config) => Ok(Self::Bridged(Box::new(Bridge::open(config, instance, run)?))),
        }
    }

    /// Make the network of a life, held to `policy`, for its first process to be born in.
    pub(super) fn join(
        &self,
        life: Life,
        places: &LifePlaces,
        policy: &NetworkPolicy,
        lock: &Lock,
    ) -> Result<(), Fault> {
        let owner = life.name();
        // One from the pool is there already.
        if places.space().exists() {
            if let Self::Bridged(bridge) = self {
                bridge.hand_over(&owner, places)?;
            }
        } else {
            self.prepare(&owner, places)?;
        }
        match self {
            Self::LoopbackOnly => {}
            Self::Bridged(bridge) => {
                let address = bridge.address(places)?;
                fs::write(places.shared().join(hourglass_agent::place::NETWORK), bridge.note(address))
                    .doing("tell the sandbox its address")?;
                if *policy != NetworkPolicy::Open {
                    bridge.hold(places, policy, life.number, lock)?;
                }
                step::done("policy.set");
            }
        }
        Ok(())
    }

    /// Make a network in the directory `places` that says it is `owner`'s.
    pub(super) fn prepare(&self, owner: &str, places: &LifePlaces) -> Result<(), Fault> {
        match self {
            Self::LoopbackOnly => {
                space::make(&places.space(), |_| raise_loopback().map(drop))
                    .doing("make the sandbox's network namespace")?;
                step::done("space.made");
            }
            Self::Bridged(bridge) => {
                bridge.seat(owner, places)?;
                step::done("port.made");
            }
        }
        Ok(())
    }

    /// Hold what runs as `places` to `policy` from here on. Without a network it is held to everything already.
    pub(super) fn hold(
        &self,
        places: &LifePlaces,
        policy: &NetworkPolicy,
        number: OrderNumber,
        lock: &Lock,
    ) -> Result<(), Fault> {
        let Self::Bridged(bridge) = self else { return Ok(()) };
        bridge.hold(places, policy, number, lock)?;
        step::done("policy.set");
        Ok(())
    }

    /// Whether everything a policy says can be enforced here. Names of hosts cannot: a packet does not bear the name it
    /// was sent for, and addresses found by asking for it would be those of others tomorrow, or of many at once.
    pub(super) fn can_hold(policy: &NetworkPolicy) -> Result<(), Fault> {
        match policy {
            NetworkPolicy::Only(those) if !those.domains().is_empty() => {
                Err(Fault::Unsupported { task: TaskKind::Hold })
            }
            NetworkPolicy::Open | NetworkPolicy::Blocked | NetworkPolicy::Only(_) => Ok(()),
        }
    }

    /// Wait until the kernel is through with the network of a life, whose namespace was let go of.
    pub(super) fn gone(&self, owner: &str, places: &LifePlaces) -> Result<(), Fault> {
        let Self::Bridged(bridge) = self else { return Ok(()) };
        let Some(port) = fs::read_to_string(places.port()).ok().filter(|port| bridge.has_named(port)) else {
            return Ok(());
        };
        // The name may be another's by now: it was only tried, or is given away again.
        let alias = Path::new("/sys/class/net").join(port).join("ifalias");
        wait::until("take the sandbox's network away", || {
            fs::read_to_string(&alias).map_or(true, |found| found.trim_end() != owner)
        })
    }
}

/// The first device of every namespace.
const LOOPBACK: u32 = 1;

fn raise_loopback() -> io::Result<Wire> {
    let mut wire = Wire::open()?;
    wire.raise(LOOPBACK)?;
    Ok(wire)
}

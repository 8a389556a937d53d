//! The bridge of one driver: made, taken over and taken away, and how sandboxes are seated at it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hourglass_events::{Fault, NetworkPolicy, OrderNumber};

use super::super::doing::Doing;
use super::super::helper;
use super::super::lock::Lock;
use super::super::place::LifePlaces;
use super::block::{Block, mac};
use super::rules::Host;
use super::wire::{Pair, Wire};
use super::{Bridged, LOOPBACK, NetworkError, refused, resolvers, rules, space};
use crate::step;

/// The device inside.
const INSIDE: &str = "eth0";

/// The bridge of one driver.
#[derive(Debug)]
pub(in crate::native) struct Bridge {
    /// Of the bridge, and in the names of its ports.
    instance: String,
    name: String,
    index: u32,
    mtu: u32,
    block: Block,
    resolvers: Vec<Ipv4Addr>,
    /// The seat tried next, so that an address is not given away again at once.
    next: AtomicU32,
    wire: Mutex<Wire>,
    run: PathBuf,
    /// Held by every driver that uses the bridge; who gets it alone is the last.
    users: File,
}

impl Bridge {
    pub(super) fn open(config: &Bridged, instance: &str, run: &Path) -> Result<Self, NetworkError> {
        let Bridged { range, prefix, denied, resolvers } = config;
        if !(Bridged::WIDEST..=Bridged::NARROWEST).contains(prefix) || *prefix < range.prefix() {
            return Err(NetworkError::BadPrefix { prefix: *prefix, range: *range });
        }
        let resolvers = resolvers.clone().unwrap_or_else(resolvers::of_the_host);
        if resolvers.is_empty() {
            tracing::warn!(
                "this host has no resolver that sandboxes could reach; names will not resolve in them"
            );
        }
        let lock = Lock::take(&run.join("network.lock")).map_err(refused("take the network's lock"))?;
        let users =
            File::create(run.join("network.users")).map_err(refused("open the network's list of users"))?;
        users.lock_shared().map_err(refused("be a user of the network"))?;

        let mut wire = Wire::open().map_err(refused("speak with the kernel about networks"))?;
        sweep(&mut wire, &lock, run);
        let name = format!("hg-{instance}");
        let (mtu, claimed) = (uplink_mtu(&mut wire), claimed(&mut wire, &name));
        let doing = "make the bridge";
        let block = claimed.map_err(refused(doing))?;
        let first = block.map_or(range.address(), Block::gateway);
        wire.make_bridge(&name, mac(first), mtu).map_err(refused(doing))?;
        let index = wire.index(&name).map_err(refused(doing))?;
        quieten(&name);
        wire.own(index, &run.display().to_string().chars().take(ALIAS_MOST).collect::<String>())
            .and_then(|()| wire.raise(index))
            .map_err(refused("bring the bridge up"))?;
        let block = match block {
            Some(block) => block,
            None => claim(&mut wire, index, config, instance, &resolvers)?,
        };
        let gateway = block.gateway();
        let hardware = mac(gateway);
        wire.address(index, gateway, 32)
            .and_then(|()| wire.set_mac(index, hardware))
            .map_err(refused("give the bridge its address"))?;
        let seated = (0..block.seats()).map(|seat| (block.address(seat), mac(block.address(seat))));
        wire.introduce(index, seated).map_err(refused("fix who is behind the addresses"))?;

        let table = table(instance);
        let host = Host { table: &table, bridge: &name, block, resolvers: &resolvers, denied };
        let rules = run.join("network.nft");
        fs::write(&rules, host.text()).map_err(refused("write the firewall's rules"))?;
        nft(&rules, &lock).map_err(refused("set the firewall"))?;
        forward().map_err(refused("switch forwarding on (net.ipv4.ip_forward)"))?;
        let bridge = Self {
            instance: instance.to_owned(),
            name,
            index,
            mtu,
            block,
            resolvers,
            next: AtomicU32::new(std::process::id()),
            wire: Mutex::new(wire),
            run: run.to_owned(),
            users,
        };
        bridge.rejoin().map_err(refused("join earlier sandboxes to the bridge again"))?;
        Ok(bridge)
    }

    /// Make sure of every port an earlier driver left. Where it is as it should be that changes nothing.
    fn rejoin(&self) -> io::Result<()> {
        let mut wire = self.wire();
        for device in wire.devices()? {
            let Some(seat) = self.seat_of(&device.name).filter(|_| !device.alias.is_empty()) else {
                continue;
            };
            if device.bridge != Some(self.index) {
                wire.enslave(device.index, self.index)?;
            }
            wire.confine(device.index, mac(self.block.address(seat)), &device.alias)?;
        }
        Ok(())
    }

    /// Make a namespace and seat it at a free address.
    pub(super) fn seat(&self, owner: &str, places: &LifePlaces) -> Result<(), Fault> {
        let doing = "make the sandbox's network";
        let seats = self.block.seats();
        let made = space::make(&places.space(), |own| {
            step::done("space.made");
            let mut inside = Wire::open()?;
            // Ports of sandboxes that just ended are there a moment longer, so a seat that is taken is passed over.
            for _ in 0..seats {
                let seat = self.next.fetch_add(1, Ordering::Relaxed) % seats;
                let port = self.port(seat);
                fs::write(places.port(), &port)?;
                match self.plug(&port, seat, own, owner) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    done => {
                        done?;
                        return self.furnish(&mut inside, self.block.address(seat)).map(Some);
                    }
                }
            }
            Ok(None)
        });
        let full = || {
            let (base, prefix) = self.block.network();
            let error = format!("all {seats} addresses of {base}/{prefix} are taken; configure wider blocks");
            Fault::System { doing: "give the sandbox an address".to_owned(), error }
        };
        made.doing(doing)?.ok_or_else(full)
    }

    /// Put one end of a pair of devices into the namespace `own`, the other into the bridge.
    fn plug(&self, port: &str, seat: u32, own: &File, owner: &str) -> io::Result<()> {
        let peer_mac = mac(self.block.address(seat));
        let space = std::os::fd::AsFd::as_fd(own);
        let pair = Pair { port, bridge: self.index, peer: INSIDE, peer_mac, space, mtu: self.mtu };
        let mut wire = self.wire();
        wire.make_pair(&pair)?;
        quieten(port);
        let index = wire.index(port)?;
        wire.confine(index, peer_mac, owner)
    }

    /// Let the network in `places` say that it is `owner`'s from here on.
    pub(super) fn hand_over(&self, owner: &str, places: &LifePlaces) -> Result<(), Fault> {
        let doing = "take over the sandbox's network";
        let port = fs::read_to_string(places.port()).doing(doing)?;
        let mut wire = self.wire();
        wire.index(&port).and_then(|index| wire.own(index, owner)).doing(doing)
    }

    /// The address of the network in `places`.
    pub(super) fn address(&self, places: &LifePlaces) -> Result<Ipv4Addr, Fault> {
        let doing = "look up the sandbox's address";
        let port = fs::read_to_string(places.port()).doing(doing)?;
        let seat = self.seat_of(&port).ok_or(io::ErrorKind::InvalidData);
        Ok(self.block.address(seat.map_err(io::Error::from).doing(doing)?))
    }

    /// Set up the inside of a namespace, by a socket that speaks for it, from a thread that is in it.
    fn furnish(&self, inside: &mut Wire, address: Ipv4Addr) -> io::Result<()> {
        inside.raise(LOOPBACK)?;
        // Echo requests need no privilege, so that `ping` works without one.
        fs::write("/proc/sys/net/ipv4/ping_group_range", "0 2147483647")?;
        let index = inside.index(INSIDE)?;
        quieten(INSIDE);
        let gateway = self.block.gateway();
        inside.address(index, address, 32)?;
        inside.raise(index)?;
        inside.lead((gateway, 32), index, None)?;
        inside.lead((Ipv4Addr::UNSPECIFIED, 0), index, Some(gateway))?;
        inside.introduce(index, [(gateway, mac(gateway))])
    }

    pub(super) fn hold(
        &self,
        places: &LifePlaces,
        policy: &NetworkPolicy,
        number: OrderNumber,
        lock: &Lock,
    ) -> Result<(), Fault> {
        let doing = "hold the sandbox to its network policy";
        let rules = places.rules();
        fs::write(&rules, rules::inside(policy, number, self.block.gateway())).doing(doing)?;
        let held = space::enter(&places.space(), || Ok(nft(&rules, lock)));
        held.doing(doing)?
    }

    /// What the agent is told of the network: its address, and whom to ask for names.
    pub(super) fn note(&self, address: Ipv4Addr) -> String {
        let mut note = format!("address {address}\n");
        for resolver in &self.resolvers {
            let _ = writeln!(note, "nameserver {resolver}");
        }
        note
    }

    fn port(&self, seat: u32) -> String {
        format!("hg{}-{seat:04x}", &self.instance[..8])
    }

    fn seat_of(&self, port: &str) -> Option<u32> {
        let seat = port.strip_prefix("hg")?.strip_prefix(&self.instance[..8])?.strip_prefix('-')?;
        u32::from_str_radix(seat, 16).ok().filter(|seat| *seat < self.block.seats())
    }

    pub(super) fn has_named(&self, port: &str) -> bool {
        self.seat_of(port).is_some()
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Take bridge and rules away, if no sandbox is joined and no other driver uses them.
    fn close(&self) -> io::Result<()> {
        let lock = Lock::take(&self.run.join("network.lock")).map_err(io::Error::other)?;
        if self.users.try_lock().is_err() {
            return Ok(());
        }
        let mut wire = self.wire();
        if wire.devices()?.iter().any(|device| device.bridge == Some(self.index)) {
            return Ok(());
        }
        wire.remove(self.index)?;
        let rules = self.run.join("network.nft");
        fs::write(&rules, rules::without(&table(&self.instance)))?;
        nft(&rules, &lock).map_err(io::Error::other)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(bridge = self.name, %error, "the bridge could not be taken away; the next driver will");
        }
    }
}

/// The most characters of a device's alias.
const ALIAS_MOST: usize = 255;

/// Keep a device from speaking IPv6 by itself. A kernel without IPv6 has nothing to keep.
fn quieten(device: &str) {
    let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{device}/disable_ipv6"), "1");
}

fn table(instance: &str) -> String {
    format!("hourglass_{instance}")
}

fn nft(rules: &Path, lock: &Lock) -> Result<(), Fault> {
    helper::run(Command::new("nft").arg("-f").arg(rules), lock, "set the firewall's rules").map(drop)
}

/// The block a bridge of this name has its route to.
fn claimed(wire: &mut Wire, name: &str) -> io::Result<Option<Block>> {
    let Some(bridge) = wire.device(name)? else { return Ok(None) };
    let routes = wire.routes()?;
    let own = routes.iter().find(|route| route.device == Some(bridge.index) && route.prefix < 32);
    Ok(own.map(|route| Block::new(route.to, route.prefix)))
}

/// Take the first block that nothing on the machine has to do with. The route is the claim: of two drivers that try for
/// the same one, the kernel gives it to one.
fn claim(
    wire: &mut Wire,
    index: u32,
    config: &Bridged,
    instance: &str,
    resolvers: &[Ipv4Addr],
) -> Result<Block, NetworkError> {
    let doing = "find a free block of addresses";
    let routes = wire.routes().map_err(refused(doing))?;
    let seed = u64::from_str_radix(instance, 16).unwrap_or_default();
    for block in Block::all(config.range, config.prefix, seed) {
        let met = routes.iter().any(|route| route.prefix > 0 && block.meets((route.to, route.prefix)))
            || resolvers.iter().any(|resolver| block.meets((*resolver, 32)));
        if met {
            continue;
        }
        match wire.lead(block.network(), index, None) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done.map(|()| block).map_err(refused("claim a block of addresses")),
        }
    }
    Err(NetworkError::NoBlock { range: config.range })
}

/// The smallest packet size of the devices the host's default routes lead to, so that a sandbox's packets fit.
fn uplink_mtu(wire: &mut Wire) -> u32 {
    const USUAL: u32 = 1500;
    let (Ok(routes), Ok(devices)) = (wire.routes(), wire.devices()) else { return USUAL };
    let default = |index: u32| routes.iter().any(|route| route.prefix == 0 && route.device == Some(index));
    let sizes = devices.iter().filter(|device| default(device.index)).map(|device| device.mtu);
    sizes.min().unwrap_or(USUAL).min(USUAL)
}

/// Take away what drivers left whose directories are gone, as after a test that was killed.
fn sweep(wire: &mut Wire, lock: &Lock, run: &Path) {
    let Ok(devices) = wire.devices() else { return };
    for bridge in &devices {
        let Some(instance) = bridge.name.strip_prefix("hg-").filter(|name| name.len() == 12) else {
            continue;
        };
        let orphaned = bridge.alias.starts_with('/')
            && bridge.alias.len() < ALIAS_MOST
            && !Path::new(&bridge.alias).exists();
        if !orphaned || devices.iter().any(|device| device.bridge == Some(bridge.index)) {
            continue;
        }
        let rules = run.join("network.nft");
        let swept = wire.remove(bridge.index).map_err(|error| error.to_string()).and_then(|()| {
            fs::write(&rules, rules::without(&table(instance))).map_err(|error| error.to_string())?;
            nft(&rules, lock).map_err(|fault| fault.to_string())
        });
        if let Err(error) = swept {
            tracing::warn!(bridge = bridge.name, error, "an abandoned bridge could not be taken away");
        }
    }
}

/// Have the kernel forward packets. It was somebody's wish if it does already.
fn forward() -> io::Result<()> {
    const SWITCH: &str = "/proc/sys/net/ipv4/ip_forward";
    if fs::read_to_string(SWITCH)?.trim() == "0" {
        tracing::info!("switching {SWITCH} on, so that sandboxes reach the network");
        fs::write(SWITCH, "1")?;
    }
    Ok(())
}

//! Devices, addresses and routes, asked of the kernel over its netlink socket.
//!
//! In this process rather than by the `ip` program: a sandbox's network takes ten requests, and starting a program
//! takes longer than all of them. A socket speaks for the network namespace it was opened in, whatever namespace its
//! user has moved to since.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{
    InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind, InfoVeth, LinkAttribute,
    LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

/// A hardware address.
pub(super) type Mac = [u8; 6];

/// How many requests are sent before their answers are read: all of these fit into the socket.
const BURST: usize = 64;

/// What a device was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) index: u32,
    pub(super) name: String,
    /// The bridge it is a port of.
    pub(super) bridge: Option<u32>,
    pub(super) alias: String,
    pub(super) mtu: u32,
}

/// A route that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) to: Ipv4Addr,
    pub(super) prefix: u8,
    /// The device it leads to.
    pub(super) device: Option<u32>,
}

/// A pair of devices to make: one here, as the port of a bridge, its peer in another namespace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) port: &'a str,
    pub(super) bridge: u32,
    pub(super) peer: &'a str,
    pub(super) peer_mac: Mac,
    pub(super) space: BorrowedFd<'a>,
    pub(super) mtu: u32,
}

/// A socket to the kernel's routing side.
#[derive(Debug)]
pub(super) struct Wire {
    socket: Socket,
    serial: u32,
}

impl Wire {
    /// One that speaks for the network namespace of the calling thread.
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self { socket, serial: 0 })
    }

    /// The device called `name`, if there is one.
    pub(super) fn device(&mut self, name: &str) -> io::Result<Option<Device>> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::IfName(name.to_owned()));
        match self.ask(RouteNetlinkMessage::GetLink(message), 0) {
            Err(error) if error.raw_os_error() == Some(ENODEV) => Ok(None),
            answers => Ok(answers?.iter().find_map(device)),
        }
    }

    /// The index of the device called `name`, which must be there.
    pub(super) fn index(&mut self, name: &str) -> io::Result<u32> {
        let device = self.device(name)?;
        device.map(|device| device.index).ok_or_else(|| io::Error::from_raw_os_error(ENODEV))
    }

    /// Every device here.
    pub(super) fn devices(&mut self) -> io::Result<Vec<Device>> {
        let answers = self.ask(RouteNetlinkMessage::GetLink(LinkMessage::default()), NLM_F_DUMP)?;
        Ok(answers.iter().filter_map(device).collect())
    }

    /// Every IPv4 route here, in all tables.
    pub(super) fn routes(&mut self) -> io::Result<Vec<Route>> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        let answers = self.ask(RouteNetlinkMessage::GetRoute(message), NLM_F_DUMP)?;
        Ok(answers.iter().filter_map(route).collect())
    }

    /// Make a bridge that learns nothing by itself, unless it is there.
    pub(super) fn make_bridge(&mut self, name: &str, mac: Mac, mtu: u32) -> io::Result<()> {
        let mut message = LinkMessage::default();
        let quiet = vec![InfoBridge::MulticastSnooping(false)];
        message.attributes = vec![
            LinkAttribute::IfName(name.to_owned()),
            LinkAttribute::Address(mac.to_vec()),
            LinkAttribute::Mtu(mtu),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Bridge),
                LinkInfo::Data(InfoData::Bridge(quiet)),
            ]),
        ];
        unless_there(self.ask(RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL))
    }

    /// Make a pair of devices; an error of kind "already exists" if the port's name is taken.
    pub(super) fn make_pair(&mut self, pair: &Pair<'_>) -> io::Result<()> {
        let mut peer = LinkMessage::default();
        peer.attributes = vec![
            LinkAttribute::IfName(pair.peer.to_owned()),
            LinkAttribute::Address(pair.peer_mac.to_vec()),
            LinkAttribute::Mtu(pair.mtu),
            LinkAttribute::NetNsFd(pair.space.as_raw_fd()),
        ];
        let mut message = LinkMessage::default();
        message.attributes = vec![
            LinkAttribute::IfName(pair.port.to_owned()),
            LinkAttribute::Mtu(pair.mtu),
            LinkAttribute::Controller(pair.bridge),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Veth),
                LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
            ]),
        ];
        self.ask(RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL).map(drop)
    }

    /// Make a device the port of `bridge`, again if need be.
    pub(super) fn enslave(&mut self, index: u32, bridge: u32) -> io::Result<()> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.attributes = vec![LinkAttribute::Controller(bridge)];
        self.ask(RouteNetlinkMessage::SetLink(message), 0).map(drop)
    }

    /// Let a port of a bridge carry only frames to and from `mac`, and none to or from other such ports; name its owner.
    pub(super) fn confine(&mut self, index: u32, mac: Mac, owner: &str) -> io::Result<()> {
        let port = vec![
            InfoBridgePort::Isolated(true),
            InfoBridgePort::Locked(true),
            InfoBridgePort::Learning(false),
            InfoBridgePort::UnicastFlood(false),
            InfoBridgePort::MulticastFlood(false),
            InfoBridgePort::BroadcastFlood(false),
        ];
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
        message.attributes = vec![
            LinkAttribute::IfAlias(owner.to_owned()),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::PortKind(InfoPortKind::Bridge),
                LinkInfo::PortData(InfoPortData::BridgePort(port)),
            ]),
        ];
        self.ask(RouteNetlinkMessage::NewLink(message), 0)?;

        let mut message = NeighbourMessage::default();
        message.header.family = AddressFamily::Bridge;
        message.header.ifindex = index;
        message.header.state = NeighbourState::Noarp;
        message.header.flags = NeighbourFlags::Controller;
        message.attributes = vec![NeighbourAttribute::LinkLayerAddress(mac.to_vec())];
        self.ask(RouteNetlinkMessage::NewNeighbour(message), NLM_F_CREATE | NLM_F_REPLACE).map(drop)
    }

    /// Name the owner of a device.
    pub(super) fn own(&mut self, index: u32, owner: &str) -> io::Result<()> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.attributes = vec![LinkAttribute::IfAlias(owner.to_owned())];
        self.ask(RouteNetlinkMessage::SetLink(message), 0).map(drop)
    }

    /// Give a device its hardware address.
    pub(super) fn set_mac(&mut self, index: u32, mac: Mac) -> io::Result<()> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.attributes = vec![LinkAttribute::Address(mac.to_vec())];
        self.ask(RouteNetlinkMessage::SetLink(message), 0).map(drop)
    }

    /// Bring a device up.
    pub(super) fn raise(&mut self, index: u32) -> io::Result<()> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
        self.ask(RouteNetlinkMessage::SetLink(message), 0).map(drop)
    }

    /// Remove a device; it may be gone.
    pub(super) fn remove(&mut self, index: u32) -> io::Result<()> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        match self.ask(RouteNetlinkMessage::DelLink(message), 0) {
            Err(error) if error.raw_os_error() == Some(ENODEV) => Ok(()),
            done => done.map(drop),
        }
    }

    /// Give a device an address, unless it has it. No route comes with it.
    pub(super) fn address(&mut self, index: u32, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = prefix;
        message.header.index = index;
        message.header.flags = AddressHeaderFlags::empty();
        message.attributes = vec![
            AddressAttribute::Local(IpAddr::V4(address)),
            AddressAttribute::Address(IpAddr::V4(address)),
            AddressAttribute::Flags(AddressFlags::Noprefixroute),
        ];
        unless_there(self.ask(RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL))
    }

    /// Lead what goes to `to` to a device, through `gateway` if it is not there itself; an error of kind "already
    /// exists" if another route leads there.
    pub(super) fn lead(
        &mut self,
        to: (Ipv4Addr, u8),
        index: u32,
        gateway: Option<Ipv4Addr>,
    ) -> io::Result<()> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = to.1;
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        message.header.protocol = RouteProtocol::Boot;
        message.header.kind = RouteType::Unicast;
        message.header.scope = if gateway.is_some() { RouteScope::Universe } else { RouteScope::Link };
        message.attributes.push(RouteAttribute::Oif(index));
        if to.1 > 0 {
            message.attributes.push(RouteAttribute::Destination(RouteAddress::Inet(to.0)));
        }
        message
            .attributes
            .extend(gateway.map(|gateway| RouteAttribute::Gateway(RouteAddress::Inet(gateway))));
        self.ask(RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE | NLM_F_EXCL).map(drop)
    }

    /// Fix who is behind addresses on a device for ever, so that nobody is asked and nobody can claim to be.
    pub(super) fn introduce(
        &mut self,
        index: u32,
        them: impl IntoIterator<Item = (Ipv4Addr, Mac)>,
    ) -> io::Result<()> {
        let message = |(address, mac): (Ipv4Addr, Mac)| {
            let mut message = NeighbourMessage::default();
            message.header.family = AddressFamily::Inet;
            message.header.ifindex = index;
            message.header.state = NeighbourState::Permanent;
            message.attributes = vec![
                NeighbourAttribute::Destination(NeighbourAddress::Inet(address)),
                NeighbourAttribute::LinkLayerAddress(mac.to_vec()),
            ];
            RouteNetlinkMessage::NewNeighbour(message)
        };
        let messages: Vec<_> = them.into_iter().map(message).collect();
        for burst in messages.chunks(BURST) {
            self.send(burst, NLM_F_CREATE | NLM_F_REPLACE)?;
            for _ in burst {
                self.answers()?;
            }
        }
        Ok(())
    }

    fn ask(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.send(&[message], flags)?;
        self.answers()
    }

    fn send(&mut self, messages: &[RouteNetlinkMessage], flags: u16) -> io::Result<()> {
        let mut bytes = Vec::new();
        for message in messages {
            let mut message = NetlinkMessage::from(message.clone());
            self.serial = self.serial.wrapping_add(1);
            message.header.sequence_number = self.serial;
            // A dump ends with a word of its own and gets no receipt.
            let receipt = if flags & NLM_F_DUMP == NLM_F_DUMP { 0 } else { NLM_F_ACK };
            message.header.flags = NLM_F_REQUEST | receipt | flags;
            message.finalize();
            let at = bytes.len();
            bytes.resize(at + message.buffer_len().next_multiple_of(4), 0);
            message.serialize(&mut bytes[at..]);
        }
        self.socket.send(&bytes, 0).map(drop)
    }

    /// Everything up to the next receipt or the end of a dump.
    fn answers(&mut self) -> io::Result<Vec<RouteNetlinkMessage>> {
        let mut answers = Vec::new();
        loop {
            let (datagram, _) = self.socket.recv_from_full()?;
            let mut rest = datagram.as_slice();
            while !rest.is_empty() {
                let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest).map_err(|error| {
                    io::Error::other(format!("the kernel's answer is not understood: {error}"))
                })?;
                let length = usize::try_from(message.header.length).unwrap_or(usize::MAX).next_multiple_of(4);
                rest = rest.get(length..).unwrap_or_default();
                match message.payload {
                    NetlinkPayload::InnerMessage(answer) => answers.push(answer),
                    NetlinkPayload::Done(_) => return Ok(answers),
                    NetlinkPayload::Error(error) if error.code.is_none() => return Ok(answers),
                    NetlinkPayload::Error(error) => return Err(error.to_io()),
                    NetlinkPayload::Noop | NetlinkPayload::Overrun(_) => {}
                    // The enum is open; what it may learn one day was not asked for.
                    #[allow(clippy::wildcard_enum_match_arm, reason = "another's open enum")]
                    _ => {}
                }
            }
        }
    }
}

/// "No such device", which the standard library has no kind for.
const ENODEV: i32 = 19;

fn unless_there(done: io::Result<Vec<RouteNetlinkMessage>>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done.map(drop),
    }
}

fn device(message: &RouteNetlinkMessage) -> Option<Device> {
    let RouteNetlinkMessage::NewLink(link) = message else { return None };
    let mut device =
        Device { index: link.header.index, name: String::new(), bridge: None, alias: String::new(), mtu: 0 };
    for attribute in &link.attributes {
        if let LinkAttribute::IfName(name) = attribute {
            device.name.clone_from(name);
        } else if let LinkAttribute::IfAlias(alias) = attribute {
            device.alias.clone_from(alias);
        } else if let LinkAttribute::Controller(bridge) = attribute {
            device.bridge = Some(*bridge);
        } else if let LinkAttribute::Mtu(mtu) = attribute {
            device.mtu = *mtu;
        }
    }
    Some(device)
}

fn route(message: &RouteNetlinkMessage) -> Option<Route> {
    let RouteNetlinkMessage::NewRoute(message) = message else { return None };
    let mut route =
        Route { to: Ipv4Addr::UNSPECIFIED, prefix: message.header.destination_prefix_length, device: None };
    for attribute in &message.attributes {
        if let RouteAttribute::Destination(RouteAddress::Inet(to)) = attribute {
            route.to = *to;
        } else if let RouteAttribute::Oif(index) = attribute {
            route.device = Some(*index);
        }
    }
    Some(route)
}

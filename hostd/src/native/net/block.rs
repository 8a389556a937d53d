//! The addresses of one driver: which block of the configured range is its own, and what in it is whose.

use std::net::Ipv4Addr;

use hourglass_events::Cidr;

use super::wire::Mac;

/// The part of the range one driver has. The first address is the bridge's, the rest are for sandboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    base: u32,
    prefix: u8,
}

impl Block {
    /// What was found as a route.
    pub(super) fn new(base: Ipv4Addr, prefix: u8) -> Self {
        Self { base: base.to_bits(), prefix }
    }

    /// Every block of `range` that is as large as `prefix` says, beginning somewhere that `seed` decides.
    pub(super) fn all(range: Cidr, prefix: u8, seed: u64) -> impl Iterator<Item = Self> {
        let count = 1_u64 << u32::from(prefix.saturating_sub(range.prefix())).min(32);
        let base = range.address().to_bits();
        (0..count).map(move |at| {
            let at = u32::try_from((seed % count + at) % count).unwrap_or_default();
            Self { base: base + (at << (32 - u32::from(prefix))), prefix }
        })
    }

    /// The block as the kernel and `nft` name it.
    pub(super) fn network(self) -> (Ipv4Addr, u8) {
        (Ipv4Addr::from_bits(self.base), self.prefix)
    }

    /// The host's own address in it.
    pub(super) fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base + 1)
    }

    /// How many sandboxes it has addresses for.
    pub(super) fn seats(self) -> u32 {
        (1 << (32 - u32::from(self.prefix))) - 3
    }

    /// The address of one seat, counted from 0.
    pub(super) fn address(self, seat: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base + 2 + seat)
    }

    /// Whether it has an address in common with `other`.
    pub(super) fn meets(self, other: (Ipv4Addr, u8)) -> bool {
        let common = self.prefix.min(other.1);
        let mask = u32::MAX.checked_shl(32 - u32::from(common)).unwrap_or(0);
        (self.base ^ other.0.to_bits()) & mask == 0
    }
}

/// The hardware address that goes with an address: every machine of a block has the one its address gives it.
pub(super) fn mac(address: Ipv4Addr) -> Mac {
    let [a, b, c, d] = address.octets();
    // Of nobody's make, to one receiver; the second byte is only ours.
    [0x02, 0x48, a, b, c, d]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_into_blocks_that_do_not_meet() {
        let range = Cidr::new("10.208.0.0/16").unwrap();
        let blocks: Vec<Block> = Block::all(range, 22, 0xdead_beef).collect();
        assert_eq!(blocks.len(), 64);
        for (at, block) in blocks.iter().enumerate() {
            assert!(block.meets((range.address(), 16)));
            assert!(blocks[at + 1..].iter().all(|other| !block.meets(other.network())));
        }
    }

    #[test]
    fn a_block_has_a_gateway_and_seats_within_itself() {
        let block = Block::new(Ipv4Addr::new(10, 208, 4, 0), 22);
        assert_eq!(block.gateway(), Ipv4Addr::new(10, 208, 4, 1));
        assert_eq!(block.address(0), Ipv4Addr::new(10, 208, 4, 2));
        assert_eq!(block.address(block.seats() - 1), Ipv4Addr::new(10, 208, 7, 254));
        assert!(block.meets((Ipv4Addr::new(10, 208, 5, 7), 32)) && block.meets((Ipv4Addr::UNSPECIFIED, 0)));
        assert!(!block.meets((Ipv4Addr::new(10, 208, 8, 0), 24)));
    }
}

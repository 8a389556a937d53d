//! Randomness from a seed: one stream per part of the world, so that a draw more in one moves no other.
//!
//! The generator is xoshiro256++, its state filled by splitmix64. It is ours so that no dependency's update ever
//! changes what a seed means.

use hourglass_events::Span;

/// How likely something is, in parts of ten thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Rate(pub u32);

/// One stream of draws.
#[derive(Debug, Clone)]
pub struct Dice {
    state: [u64; 4],
}

impl Dice {
    /// The stream `name` of `seed`, the `index`-th of that name.
    #[must_use]
    pub fn named(seed: u64, name: &str, index: u64) -> Self {
        let mut mix = seed;
        for byte in name.bytes() {
            mix = split(mix ^ u64::from(byte));
        }
        mix ^= split(index);
        let state = [1, 2, 3, 4].map(|part: u64| split(mix.wrapping_add(part.wrapping_mul(GOLDEN))));
        Self { state }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let drawn = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        drawn
    }

    /// A number from 0 up to but not `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        assert!(end > 0, "nothing lies below 0");
        let wide = u128::from(self.bits()) * u128::from(end);
        // The high half of the product is below `end`, so it fits.
        u64::try_from(wide >> 64).expect("a high half has 64 bits")
    }

    /// A number between `least` and `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// Whether something that likely happens this time.
    pub fn chance(&mut self, rate: Rate) -> bool {
        // Drawn in any case, so that turning a fault off does not move the draws after it.
        self.below(10_000) < u64::from(rate.0)
    }

    /// One of `things`.
    pub fn pick<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        let drawn = self.below(u64::try_from(things.len()).expect("lengths fit").max(1));
        things.get(usize::try_from(drawn).expect("an index fits"))
    }

    /// A wait of at most `most`: mostly short, now and then nearly all of it.
    pub fn wait(&mut self, most: Span) -> Span {
        let shift = self.below(6);
        Span(self.between(1, (most.0 >> shift).max(1)))
    }

    /// A pause around `mean`.
    pub fn pause(&mut self, mean: Span) -> Span {
        Span(self.between(mean.0 / 4, mean.0 * 7 / 4))
    }

    /// An id.
    pub fn id(&mut self) -> u128 {
        (u128::from(self.bits()) << 64) | u128::from(self.bits())
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn split(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(GOLDEN);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_are_strangers() {
        let draw = |name, index| Dice::named(7, name, index).bits();
        let drawn = [draw("log", 0), draw("log", 1), draw("host", 0), draw("host", 1)];
        let distinct: std::collections::BTreeSet<_> = drawn.into_iter().collect();
        assert_eq!(distinct.len(), drawn.len());
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut dice = Dice::named(1, "bounds", 0);
        for _ in 0..10_000 {
            assert!((3..=5).contains(&dice.between(3, 5)));
            assert!(dice.below(1) == 0);
        }
        assert!(!dice.chance(Rate(0)));
        assert!(dice.chance(Rate(10_000)));
    }

    #[test]
    fn a_seed_means_the_same_for_ever() {
        let mut dice = Dice::named(42, "golden", 3);
        let drawn = [dice.bits(), dice.bits(), dice.bits()];
        assert_eq!(drawn, GOLDEN_DRAWS, "changing the dice changes the meaning of every seed ever reported");
    }

    /// Computed by another program.
    const GOLDEN_DRAWS: [u64; 3] = [0x1374_f301_4de5_e523, 0x2a1e_c089_a3d3_a5ff, 0xbd32_b4dc_183a_e376];
}

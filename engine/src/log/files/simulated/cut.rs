//! What a power cut leaves of the things that were not synced.

use super::dice::Dice;

/// One way in which the power can go.
#[derive(Debug, Clone)]
pub enum Cut {
    /// Nothing that was not synced survives.
    DropAll,
    /// Everything survives, as if it had been synced.
    KeepAll,
    /// The earlier part of what was not synced survives.
    Prefix(Dice),
    /// Any part survives, in any order, sectors torn.
    Scatter(Dice),
}

impl Cut {
    /// A way of losing power for each seed; scattering is the likeliest, as it contains the most.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        match dice.below(8) {
            0 => Self::DropAll,
            1 => Self::KeepAll,
            2 | 3 => Self::Prefix(dice),
            _ => Self::Scatter(dice),
        }
    }

    /// Which of `pending`, in their order, happened.
    pub(super) fn survivors<T: Clone>(&mut self, pending: &[T]) -> Vec<T> {
        match self {
            Self::DropAll => Vec::new(),
            Self::KeepAll => pending.to_vec(),
            Self::Prefix(dice) => {
                let kept = dice.index(pending.len() + 1);
                pending[..kept].to_vec()
            }
            Self::Scatter(dice) => pending.iter().filter(|_| dice.once_in(2)).cloned().collect(),
        }
    }

    /// Whether the new length of a file survives.
    pub(super) const fn keeps_length(&mut self) -> bool {
        match self {
            Self::DropAll => false,
            Self::KeepAll => true,
            Self::Prefix(dice) | Self::Scatter(dice) => dice.once_in(2),
        }
    }

    /// Tear one sector write: how many of its `bytes` come from the new content, from which end.
    pub(super) fn tear(&mut self, bytes: usize) -> Option<Tear> {
        match self {
            Self::DropAll | Self::KeepAll | Self::Prefix(_) => None,
            Self::Scatter(dice) => {
                if !dice.once_in(4) {
                    return None;
                }
                let new = dice.index(bytes + 1);
                Some(if dice.once_in(2) { Tear::NewFirst(new) } else { Tear::OldFirst(bytes - new) })
            }
        }
    }
}

/// A sector of which one end is new and the other old.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tear {
    /// So many new bytes, then old ones.
    NewFirst(usize),
    /// So many old bytes, then new ones.
    OldFirst(usize),
}

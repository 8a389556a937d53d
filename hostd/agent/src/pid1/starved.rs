//! Whether the entrypoint was what the kernel killed for want of memory, or some other child long before.
//!
//! The kernel only counts in the group. So the count is looked at whenever another child has ended, and once more when
//! the entrypoint has: only what came in between can have been its end. A child of the entrypoint that is killed is
//! reaped there and not seen here; an entrypoint that ends by the same signal after that is still taken for starved.

use std::fs;

use hourglass_agent::place;

/// How often the kernel had killed when it was last nobody's end.
#[derive(Debug)]
pub(crate) struct Starved {
    known: u64,
}

impl Starved {
    /// Beginning with what was before the sandbox began.
    pub(crate) fn new() -> Self {
        Self { known: count() }
    }

    /// A child ended that was not the entrypoint.
    pub(crate) fn other_ended(&mut self) {
        self.known = count();
    }

    /// The entrypoint ended. Whether it may have starved.
    pub(crate) fn entry_ended(&self) -> bool {
        count() > self.known
    }
}

/// The kernel's count, nothing where it cannot be read.
fn count() -> u64 {
    let told = fs::read_to_string(place::MEMORY).unwrap_or_default();
    parse(&told).unwrap_or_default()
}

fn parse(told: &str) -> Option<u64> {
    told.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_groups_are_read() {
        assert_eq!(parse("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), Some(3));
        assert_eq!(parse("low 0\nmax 9\noom 2\noom_kill 1\noom_group_kill 0\n"), Some(1));
        assert_eq!(parse(""), None);
    }
}

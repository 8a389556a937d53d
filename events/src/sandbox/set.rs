//! What an event sets, where more than a field follows from it.

use super::{Sandbox, Settings};
use crate::event::StopReason;
use crate::network::NetworkPolicy;
use crate::record::Stamp;
use crate::state::State;
use crate::time::{Span, Timestamp};

impl Sandbox {
    /// An idle timer's stop is no use of the sandbox: what it stood on remains the last one.
    pub(super) fn stop_for(&mut self, reason: StopReason) {
        match reason {
            StopReason::Asked => {}
            StopReason::Idle { last_activity } => self.last_activity = last_activity,
        }
    }

    /// What is about to run may have been sent for under the policy before, so it is told once it does.
    pub(super) fn set_network(&mut self, stamp: &Stamp, policy: &NetworkPolicy) {
        self.blueprint.network = policy.clone();
        if self.state.computes(self.origin) && self.settings == Settings::Applied {
            self.settings = Settings::Changed;
        }
        if self.state == State::Started {
            self.begin_work(stamp);
        }
    }

    pub(super) fn set_deadline(&mut self, deadline: Timestamp) {
        if let Some(work) = &mut self.work {
            work.deadline = Some(deadline);
        }
    }

    pub(super) fn set_grace(&mut self, grace: Span) {
        if let Some(work) = &mut self.work {
            work.grace = grace;
        }
    }
}

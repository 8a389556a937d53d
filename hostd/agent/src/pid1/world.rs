//! What all callers of the agent share.

use std::sync::Mutex;
use std::sync::{MutexGuard, PoisonError};

use crate::children::Children;
use crate::ptys::Ptys;
use crate::sessions::Sessions;

/// The sandbox, as its agent keeps it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) children: Children,
    /// Whom everything is done as.
    pub(crate) user: String,
    pub(crate) sessions: Sessions,
    pub(crate) ptys: Ptys,
}

impl World {
    pub(crate) fn new(user: &str) -> Self {
        Self {
            children: Children::default(),
            user: user.to_owned(),
            sessions: Sessions::default(),
            ptys: Ptys::default(),
        }
    }
}

/// What a panic left behind is gone on with: one caller's mishap is not another's.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

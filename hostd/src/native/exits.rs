//! Sandboxes that end by themselves: watched by pidfd, tidied up, told with their cause.
//!
//! An end that was asked for is marked beforehand (see [`super::place::LifePlaces::halting`]) and told to nobody.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use hourglass_events::Fault;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::lock::Lock;
use super::place::Life;
use super::process::{self, Init};
use super::{Inner, Running};
use crate::driver::Exit;

impl Inner {
    /// Know `life` as running, and watch for its end.
    pub(super) fn watch(self: &Arc<Self>, life: Life, init: Init) -> Result<(), Fault> {
        let held = Arc::new(init.into_fd());
        let watched = held.try_clone().map_err(|error| super::doing::fault("watch the sandbox", &error))?;
        self.running().insert(life.sandbox, Running { number: life.number, init: held });
        // A driver that is dropped leaves its sandboxes to the next, their ends included.
        let inner = Arc::downgrade(self);
        self.runtime.spawn(async move {
            if let Err(error) = ended(watched).await {
                tracing::error!(life = life.name(), %error, "the end of a sandbox cannot be watched for");
                return;
            }
            let Some(inner) = inner.upgrade().filter(|inner| inner.knows(life)) else { return };
            let gone = tokio::task::spawn_blocking(move || inner.gone(life)).await;
            if let Ok(Err(fault)) = gone {
                tracing::error!(life = life.name(), %fault, "a sandbox that ended could not be tidied up");
            }
        });
        Ok(())
    }

    /// A booted life whose PID 1 is no more: unless its end was meant, tidy it up and tell why it ended.
    pub(super) fn gone(&self, life: Life) -> Result<(), Fault> {
        let lock = Lock::take(&self.places.lock(life.sandbox))?;
        let places = self.places.life(life);
        if !places.booted().exists() || places.halting().exists() {
            return self.let_go(life.sandbox, lock);
        }
        let cause = self.cause(life);
        let ended = self.end(life, &lock);
        self.forget(life);
        let _ = self.exits.send(Exit { sandbox: life.sandbox, number: life.number, cause });
        ended
    }

    /// Find what an earlier host worker left running, and tell of what has ended since.
    pub(super) fn adopt(self: &Arc<Self>) -> Result<(), Fault> {
        for life in self.places.lives(None) {
            let lock = Lock::take(&self.places.lock(life.sandbox))?;
            let places = self.places.life(life);
            if !places.booted().exists() || places.halting().exists() {
                continue;
            }
            match Init::find(&self.groups, &life.name()) {
                Some(init) => self.watch(life, init)?,
                None => {
                    drop(lock);
                    self.gone(life)?;
                }
            }
        }
        Ok(())
    }
}

/// Wait for the process behind `pidfd` to end, and take its end if it is this process's to take.
async fn ended(pidfd: OwnedFd) -> std::io::Result<()> {
    #[allow(
        deprecated,
        reason = "its successor is unsafe for the sake of other types; an owned descriptor is sound"
    )]
    let watched = AsyncFd::with_interest(pidfd, Interest::READABLE)?;
    watched.readable().await?.retain_ready();
    process::reap(watched.get_ref());
    Ok(())
}

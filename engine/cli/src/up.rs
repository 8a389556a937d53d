//! `hourglass up`: engine, embedded log, one local host and the HTTP API in one process, until it is told to end.
//!
//! It serves plain HTTP. Whoever listens beyond this machine puts something with TLS before it.

mod front;
mod greeting;
mod listen;
mod signals;

use std::time::Duration;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use hourglass_api::{Api, Settings};
use hourglass_engine::Ended;
use hourglass_events::{OrganizationId, ShardNumber};

use crate::keys::{Keys, Watched};
use crate::local::{Local, LocalArguments};
use crate::offer::Offer;
use crate::{Data, key, paint, place};
use greeting::Greeting;
use listen::Place;
use signals::Signals;

/// How long requests that are being answered are waited for when it is time to end.
const DRAIN: Duration = Duration::from_secs(10);

/// How many disks and networks are kept ready unless somebody says otherwise.
const POOL: usize = 4;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen.
    #[arg(long, value_name = "HOST:PORT", default_value = "localhost:3000")]
    listen: String,
    /// Where clients reach it, if that is elsewhere, such as at a proxy with TLS.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The key that clients send, 16 visible characters or more. Kept in the data directory from then on; without it
    /// one is made at the first start.
    #[arg(long, env = "HOURGLASS_KEY", hide_env_values = true)]
    key: Option<String>,
    /// The organization that this key opens, a UUID.
    #[arg(long, value_name = "ID", value_parser = key::organization)]
    org: Option<OrganizationId>,
    /// How many disks and networks are kept ready, so that new sandboxes need not wait for theirs; up to 256.
    #[arg(long, value_name = "COUNT", default_value_t = POOL)]
    pool: usize,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    local: LocalArguments,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let served = runtime.block_on(serve(arguments));
    // Nobody who ended it at once waits for a disk. An orderly end has waited already.
    runtime.shutdown_background();
    served
}

async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let data = &arguments.data.data;
    let mut signals = Signals::new()?;
    let place = Place::bind(&arguments.listen, arguments.url.as_deref()).await?;
    let measured = front::measure()?;
    let local = tokio::select! {
        started = Local::start(data, &arguments.local, Offer::Contract, arguments.pool) => started?,
        () = signals.next() => anyhow::bail!("interrupted before it was up; what was prepared is kept"),
    };
    let keys = Keys::of(data);
    let (key, organization) = keys.settle(arguments.key.as_deref(), arguments.org)?;
    let watched = Watched::start(keys.clone())?;
    let settings = Settings { snapshot: Some(local.snapshot.clone()), ..Settings::new(&place.api()) };
    let api = Api::new(local.engine.clone(), std::sync::Arc::new(watched), settings);
    let router = front::router(&api, measured);

    // What is pushed a little at a time must not wait for the client to have acknowledged the little before.
    let listener = place.listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let mut served = tokio::spawn(axum::serve(listener, router).into_future());
    place::write(data, &place.url)?;
    let greeting =
        Greeting { url: &place.url, key: &key, organization, data, driver: arguments.local.driver };
    greeting.say(&keys);

    tokio::select! {
        () = signals.next() => {
            paint::say("ending: no new requests are taken; again to end at once");
            tokio::select! {
                answered = api.drain(DRAIN) => if !answered {
                    tracing::warn!("requests still ran after {DRAIN:?} and were cut off");
                },
                () = signals.next() => {}
            }
        }
        // A log that is served no longer does not come back while this process has it.
        _ = local.engine.ended(ShardNumber(0)) => {}
        // A listener that fails is the end, but an orderly one.
        failed = &mut served => failed?.context("the listener failed")?,
    }
    served.abort();
    place::remove(data);
    let ended = local.engine.clone();
    tokio::select! {
        () = local.shutdown() => {}
        () = signals.next() => anyhow::bail!("ended at once; what was under way may have been done or not"),
    }
    if let why @ (Ended::Full | Ended::Halted(_) | Ended::Unopened { .. } | Ended::Defect) =
        ended.ended(ShardNumber(0)).await
    {
        anyhow::bail!("ended, because the log is served no longer: {why}");
    }
    paint::say("ended; sandboxes that ran go on running, and the next `hourglass up` finds them");
    Ok(())
}

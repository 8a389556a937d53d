//! What is served: the API below `/api`, and beside it what is measured.

use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use hourglass_api::Api;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of what is measured in seconds, from an append in memory to a boot that drags on.
const SECONDS: &[f64] = &[
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0,
];
/// How often measurements nobody has asked for are folded together, so that they do not pile up.
const UPKEEP: Duration = Duration::from_secs(5);
/// The type of what `/metrics` answers.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Begin to measure.
pub(super) fn measure() -> anyhow::Result<PrometheusHandle> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(seconds, SECONDS)?;
    let handle = builder.install_recorder().context("measurements cannot be taken")?;
    tokio::spawn({
        let handle = handle.clone();
        async move {
            let mut beat = tokio::time::interval(UPKEEP);
            loop {
                beat.tick().await;
                handle.run_upkeep();
            }
        }
    });
    Ok(handle)
}

/// All of it. What is measured are counts and times without names, so it is shown without a key.
pub(super) fn router(api: &Api, measured: PrometheusHandle) -> Router {
    let metrics = async move || ([(CONTENT_TYPE, EXPOSITION)], measured.render());
    let root = async || concat!("Hourglass ", env!("CARGO_PKG_VERSION"), ". Its API is below /api.\n");
    Router::new().nest("/api", api.router()).route("/metrics", get(metrics)).route("/", get(root))
}

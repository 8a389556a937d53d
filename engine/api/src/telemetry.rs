//! The names under which an API is measured. Which exporter receives them is the embedder's choice.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Unit, describe_counter, describe_histogram};

/// Requests that were answered, by method, path and status. A path's parameters are its names, not their values.
pub const REQUESTS: &str = "hourglass_api_requests_total";
/// Time from a request's head to the head of its answer, by method and path.
pub const REQUEST_SECONDS: &str = "hourglass_api_request_seconds";

/// Give the installed recorder a description and unit for each of them.
pub fn describe() {
    describe_counter!(REQUESTS, "Requests that were answered");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "From a request's head to the head of its answer");
}

pub(crate) fn answered(method: &'static str, path: &Arc<str>, status: StatusCode, took: Duration) {
    let (path, status) = (Arc::clone(path), status.as_u16().to_string());
    metrics::counter!(REQUESTS, "method" => method, "path" => Arc::clone(&path), "status" => status)
        .increment(1);
    metrics::histogram!(REQUEST_SECONDS, "method" => method, "path" => path).record(took);
}

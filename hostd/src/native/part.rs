//! How long each part of an operation took, for whoever records metrics or reads traces.

use std::time::Instant;

/// The histogram every part is recorded in, in seconds, under the label `part`.
pub const HISTOGRAM: &str = "hourglass_native_part_seconds";

/// Do `work` and record how long it took as `part`.
pub(super) fn part<T>(part: &'static str, work: impl FnOnce() -> T) -> T {
    let _span = tracing::debug_span!("native", part).entered();
    let began = Instant::now();
    let done = work();
    metrics::histogram!(HISTOGRAM, "part" => part).record(began.elapsed());
    done
}

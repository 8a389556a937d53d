//! Hears what the engine and the drivers measure of themselves while a bench runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use hourglass_engine::telemetry::APPEND_SECONDS;
use hourglass_hostd::native::HISTOGRAM;
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// Keeps every value, in seconds: parts of the native driver by name, and appends under the name of their metric.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Mutex<BTreeMap<String, Vec<f64>>>>);

impl Heard {
    /// The one recorder of this process.
    pub(super) fn installed() -> anyhow::Result<Self> {
        static ONE: OnceLock<Heard> = OnceLock::new();
        if let Some(heard) = ONE.get() {
            return Ok(heard.clone());
        }
        let heard = Self::default();
        metrics::set_global_recorder(heard.clone())?;
        Ok(ONE.get_or_init(|| heard).clone())
    }

    /// Take what was heard since the last time.
    pub(super) fn take(&self) -> BTreeMap<String, Vec<f64>> {
        std::mem::take(&mut *self.values())
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<String, Vec<f64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Named(String, Heard);

impl HistogramFn for Named {
    fn record(&self, value: f64) {
        let mut values = self.1.values();
        match values.get_mut(&self.0) {
            Some(known) => known.push(value),
            None => drop(values.insert(self.0.clone(), vec![value])),
        }
    }
}

impl Recorder for Heard {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let part = || key.labels().find(|label| label.key() == "part").map(metrics::Label::value);
        let name = match key.name() {
            HISTOGRAM => part(),
            APPEND_SECONDS => Some(APPEND_SECONDS),
            // What nobody here looks at must not cost what is measured.
            _ => None,
        };
        name.map_or_else(Histogram::noop, |name| {
            Histogram::from_arc(Arc::new(Named(name.to_owned(), self.clone())))
        })
    }
}

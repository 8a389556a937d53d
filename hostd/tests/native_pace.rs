//! How long a sandbox takes to run, and which part takes how much. A measurement, not a claim: run it by name with
//! `cargo test --release -p hourglass-hostd --test native_pace -- --ignored --nocapture`.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that prints")]

mod native_common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use hourglass_events::{OrderNumber, SandboxId, Span};
use hourglass_hostd::driver::Driver;
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use native_common::{Ground, command, may_run, plan};

/// Sandboxes made.
const ROUNDS: u32 = 40;

/// Keeps every value of every histogram, in seconds, by the label of its part.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<BTreeMap<String, Vec<f64>>>>);

struct Part(String, Kept);

impl HistogramFn for Part {
    fn record(&self, value: f64) {
        self.1.0.lock().unwrap().entry(self.0.clone()).or_default().push(value);
    }
}

impl Recorder for Kept {
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
        let part = key.labels().find(|label| label.key() == "part").map_or("", |label| label.value());
        Histogram::from_arc(Arc::new(Part(part.to_owned(), self.clone())))
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn pace() {
    if !may_run("pace") {
        return;
    }
    let kept = Kept::default();
    metrics::set_global_recorder(kept.clone()).unwrap();
    let ground = Ground::new().await;
    for round in 0..ROUNDS {
        let sandbox = SandboxId::from_u128(u128::from(round) + 1);
        let began = Instant::now();
        ground.driver.provision(sandbox, OrderNumber(1), &plan()).await.unwrap();
        ground.driver.boot(sandbox, OrderNumber(1), &plan()).await.unwrap();
        note(&kept, "= create to running", began);
        let began = Instant::now();
        ground.driver.exec(sandbox, command(&["/bin/true"])).await.unwrap();
        note(&kept, "exec /bin/true", began);
        let began = Instant::now();
        ground.driver.halt(sandbox, Span::seconds(5)).await.unwrap();
        note(&kept, "= stop with grace", began);
        let began = Instant::now();
        ground.driver.boot(sandbox, OrderNumber(2), &plan()).await.unwrap();
        note(&kept, "= start again", began);
        let began = Instant::now();
        ground.driver.erase(sandbox).await.unwrap();
        note(&kept, "= erase, running", began);
    }
    println!("{:<24}{:>6}{:>10}{:>10}{:>10}  (ms)", "part", "n", "min", "median", "p90");
    for (part, values) in kept.0.lock().unwrap().iter_mut() {
        values.sort_by(f64::total_cmp);
        let at = |share: usize| values[(values.len() - 1) * share / 100] * 1e3;
        println!("{part:<24}{:>6}{:>10.2}{:>10.2}{:>10.2}", values.len(), at(0), at(50), at(90));
    }
}

fn note(kept: &Kept, part: &str, began: Instant) {
    kept.0.lock().unwrap().entry(part.to_owned()).or_default().push(began.elapsed().as_secs_f64());
}

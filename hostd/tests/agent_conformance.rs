//! The scripted driver held to what every driver must do.
#![cfg(feature = "host")]

mod agent_common;

use std::sync::Arc;

use async_trait::async_trait;
use hourglass_events::{ExitCause, Plan, SandboxId};
use hourglass_hostd::conformance::{self, Bench};
use hourglass_hostd::{Driver, Scripted};

/// The machine is the driver, so another driver on it is the same one.
struct InMemory(Arc<Scripted>);

#[async_trait]
impl Bench for InMemory {
    fn driver(&self) -> Arc<dyn Driver> {
        Arc::<Scripted>::clone(&self.0)
    }

    fn plan(&self) -> Plan {
        agent_common::plan()
    }

    async fn end(&mut self, sandbox: SandboxId) {
        self.0.end(sandbox, ExitCause::Entrypoint { code: 0 });
    }

    async fn reopen(&mut self) {}
}

fn bench() -> InMemory {
    InMemory(Arc::new(Scripted::new()))
}

macro_rules! tests {
    ($($claim:ident),+ $(,)?) => {$(
        #[tokio::test(start_paused = true)]
        async fn $claim() {
            conformance::$claim(&mut bench()).await;
        }
    )+};
}

hourglass_hostd::each_driver_claim!(tests);

#[tokio::test(start_paused = true)]
async fn all_claims_hold_one_after_the_other() {
    conformance::run_all(async || bench()).await;
}

//! Native containers held to what every driver must do.

#![cfg(feature = "native")]
#![allow(clippy::unwrap_used, reason = "a test")]

mod native_common;

use std::sync::Arc;

use async_trait::async_trait;
use hourglass_events::{Plan, SandboxId};
use hourglass_hostd::Driver;
use hourglass_hostd::conformance::{self, Bench};
use hourglass_hostd::native::NativeDriver;
use native_common::{Ground, Place, may_run, open};

struct Native {
    driver: Option<Arc<NativeDriver>>,
    place: Place,
}

impl Native {
    async fn new() -> Self {
        let Ground { dir, driver } = Ground::new().await;
        Self { driver: Some(Arc::new(driver)), place: dir }
    }
}

#[async_trait]
impl Bench for Native {
    fn driver(&self) -> Arc<dyn Driver> {
        let driver: Arc<NativeDriver> = Arc::clone(self.driver.as_ref().unwrap());
        driver
    }

    fn plan(&self) -> Plan {
        native_common::plan()
    }

    async fn end(&mut self, sandbox: SandboxId) {
        native_common::kill(self.place.path(), sandbox);
    }

    async fn reopen(&mut self) {
        self.driver = None;
        self.driver = Some(Arc::new(open(self.place.path()).await));
    }
}

macro_rules! tests {
    ($($claim:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $claim() {
            if may_run(concat!("native_", stringify!($claim))) {
                let mut bench = Native::new().await;
                conformance::$claim(&mut bench).await;
                // What a claim leaves behind is its own affair; the machine is tidied for the next.
                for found in bench.driver().survey().await.unwrap() {
                    bench.driver().erase(found.sandbox).await.unwrap();
                }
            }
        }
    )+};
}

hourglass_hostd::each_driver_claim!(tests);

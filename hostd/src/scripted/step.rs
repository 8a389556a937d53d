//! A step of a scripted driver on its way, and where the script takes hold of it.

use hourglass_events::Fault;

use super::script::{Point, Taken, Twist};
use super::{Scripted, lock};

/// A step under way, with what the script says of it.
pub(super) struct Step<'a> {
    pub(super) driver: &'a Scripted,
    pub(super) taken: Taken,
    pub(super) twist: Option<Twist>,
}

impl Step<'_> {
    /// Comes to this point of the step, where the script may have something happen.
    pub(super) async fn pass(&self, point: Point) -> Result<(), Fault> {
        match (&self.twist, point) {
            (Some(Twist::Fail(fault)), Point::Before) | (Some(Twist::FailHalfway(fault)), Point::Halfway) => {
                Err(fault.clone())
            }
            (Some(Twist::HangBefore), Point::Before)
            | (Some(Twist::HangHalfway), Point::Halfway)
            | (Some(Twist::HangAfter), Point::After) => {
                self.hang().await;
                Ok(())
            }
            (Some(Twist::Slow(long)), Point::Before) => {
                tokio::time::sleep(*long).await;
                Ok(())
            }
            (Some(_) | None, Point::Before | Point::Halfway | Point::After) => Ok(()),
        }
    }

    async fn hang(&self) {
        let turn = lock(&self.driver.script).released;
        let _hanging = Hanging::begin(self.driver, self.taken);
        self.driver.wait(|| (lock(&self.driver.script).released > turn).then_some(())).await;
    }
}

/// Lists a step as hanging for as long as it does, also when it is dropped.
struct Hanging<'a> {
    driver: &'a Scripted,
    taken: Taken,
}

impl<'a> Hanging<'a> {
    fn begin(driver: &'a Scripted, taken: Taken) -> Self {
        lock(&driver.script).hang(taken);
        driver.changed.notify_waiters();
        Self { driver, taken }
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        lock(&self.driver.script).unhang(self.taken);
    }
}

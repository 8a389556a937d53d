//! The table of routes: each operation with its handler, its guard and its description.

use axum::handler::Handler;
use axum::routing::on;
use axum::{Router, middleware};

use crate::guard::{self, Guard};
use crate::operation::Operation;
use crate::shared::Shared;

pub(super) struct Table {
    shared: Shared,
    router: Router<Shared>,
    operations: Vec<Operation>,
}

impl Table {
    pub(super) fn new(shared: &Shared) -> Self {
        Self { shared: Shared::clone(shared), router: Router::new(), operations: Vec::new() }
    }

    /// With `operation`, served by `handler`. What needs no key is not guarded: it must answer when all else is full.
    pub(super) fn on<T: 'static>(mut self, operation: Operation, handler: impl Handler<T, Shared>) -> Self {
        let method = on(operation.verb.filter(), handler);
        let method = match operation.kind {
            Some(kind) => {
                let guard = Guard { shared: Shared::clone(&self.shared), kind };
                method.layer(middleware::from_fn_with_state(guard, guard::stand))
            }
            None => method,
        };
        self.router = self.router.route(&operation.path, method);
        self.operations.push(operation);
        self
    }

    pub(super) fn end(self) -> (Router<Shared>, Vec<Operation>) {
        (self.router, self.operations)
    }
}

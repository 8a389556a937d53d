//! The table of routes: each operation with its handler, its guard and its description.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::on;
use axum::{Router, middleware};

use crate::guard::{self, Guard};
use crate::operation::{FORM, Operation};
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
                let (shared, path) = (Shared::clone(&self.shared), Arc::from(operation.path.as_str()));
                let guard = Guard { shared, kind, method: operation.verb.name(), path };
                method.layer(middleware::from_fn_with_state(guard, guard::stand))
            }
            None => method,
        };
        let uploads = operation.body.is_some_and(|body| body.media == FORM);
        let method =
            if uploads { method.layer(DefaultBodyLimit::max(self.shared.settings.upload)) } else { method };
        self.router = self.router.route(&operation.path, method);
        self.operations.push(operation);
        self
    }

    pub(super) fn end(self) -> (Router<Shared>, Vec<Operation>) {
        (self.router, self.operations)
    }
}

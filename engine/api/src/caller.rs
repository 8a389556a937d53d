//! The one who sent a request, with the key that makes repeating it harmless.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use hourglass_engine::{AskError, Client};
use hourglass_events::{
    Command, Create, Fork, IdempotencyKey, OrganizationId, Refusal, Sandbox, State, Target, Values,
};
use hourglass_kernel::Accepted;

use crate::auth::{Credentials, Unauthenticated};
use crate::operation::Kind;
use crate::problem::Problem;
use crate::shared::Shared;

/// The header that makes a repeat harmless for a day.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The header that names the organization a signed token is used for.
const ORGANIZATION: &str = "x-daytona-organization-id";

#[derive(Debug)]
pub(crate) struct Caller {
    client: Client,
    key: Option<IdempotencyKey>,
}

impl Caller {
    pub(crate) const fn organization(&self) -> OrganizationId {
        self.client.organization()
    }

    /// Ask for `command`, under the request's key if it has one.
    pub(crate) async fn ask(&self, command: Command) -> Result<Accepted, AskError> {
        match &self.key {
            Some(key) => self.client.ask_once(key.clone(), command).await,
            None => self.client.ask(command).await,
        }
    }

    /// Ask for a sandbox whose variables have these values, under the request's key if it has one.
    pub(crate) async fn create(&self, create: Create, values: Values) -> Result<Accepted, AskError> {
        self.client.ask_to_create(create, values, self.key.clone()).await
    }

    /// Ask for a fork, under the request's key if it has one.
    pub(crate) async fn fork(&self, target: Target, fork: Fork) -> Result<Accepted, AskError> {
        self.client.ask_to_fork(target, fork, self.key.clone()).await
    }

    /// The sandbox with this id or name. One that is deleted is not there.
    pub(crate) fn find(&self, text: &str) -> Result<Arc<Sandbox>, Problem> {
        self.client
            .get(Target::Text(text.to_owned()))
            .filter(|sandbox| sandbox.state != State::Deleted)
            .ok_or_else(|| Refusal::NoSuchSandbox(text.to_owned()).into())
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let token = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(bearer).ok_or(Unauthenticated::Unknown)?;
        let organization = match parts.headers.get(ORGANIZATION) {
            Some(value) => Some(organization(value.to_str().unwrap_or_default())?),
            None => None,
        };
        let principal = shared.authentication.authenticate(Credentials { token, organization }).await?;
        if let Some(kind) = parts.extensions.get::<Kind>() {
            shared.counters.count(*kind, principal.organization)?;
        }
        let key = match parts.headers.get(IDEMPOTENCY_KEY) {
            // What is no text has no bytes that could be a key.
            Some(value) => Some(IdempotencyKey::new(value.to_str().unwrap_or_default())?),
            None => None,
        };
        let client = shared.engine.client(principal.organization, &principal.name);
        Ok(Self { client, key })
    }
}

/// The organization that `text` names.
pub(crate) fn organization(text: &str) -> Result<OrganizationId, Problem> {
    text.parse().map_err(|_| Problem::BadOrganization { found: text.chars().take(80).collect() })
}

/// The token of an `Authorization` header.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

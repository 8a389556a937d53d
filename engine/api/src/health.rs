//! Whether the process lives, and whether the engine decides. Neither asks for a key.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use hourglass_engine::AskError;
use hourglass_events::{Command, OrganizationId, Refusal, SandboxId, ShardNumber, Target};
use schemars::JsonSchema;
use serde::Serialize;

use crate::problem::Problem;
use crate::shared::{Inner, Shared};

/// How long a shard may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Health {
    status: &'static str,
}

pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Every shard is asked for something that it must refuse, which takes it all but an append.
pub(crate) async fn ready(State(shared): State<Shared>) -> Result<Json<Health>, Problem> {
    if shared.gate.is_closing() {
        return Err(Problem::Closing);
    }
    for shard in 0..shared.engine.shards() {
        let asked = tokio::time::timeout(PATIENCE, ask(&shared, ShardNumber(shard))).await;
        asked.map_err(|_| Problem::NotReady)??;
    }
    Ok(Json(Health { status: "ready" }))
}

async fn ask(shared: &Inner, shard: ShardNumber) -> Result<(), AskError> {
    let organization = OrganizationId::from_u128(shard.0.into());
    let nobody = Target::Id(SandboxId::from_u128(0));
    match shared.engine.client(organization, "readiness").ask(Command::Delete(nobody)).await {
        Ok(_) | Err(AskError::Refused(Refusal::NoSuchSandbox(_))) => Ok(()),
        Err(error) => Err(error),
    }
}

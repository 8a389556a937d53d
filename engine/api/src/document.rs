//! The description of the API for machines: an OpenAPI document, made of the operations that are routed.
//!
//! Shapes are those of the types that are read and written. Which statuses an operation may be refused with is said
//! where it is routed; what their codes mean is in the messages that come with them.

pub(crate) mod parameter;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::operation::{Content, Kind, Operation};
use crate::settings::Settings;
use crate::wire::problem::Envelope;

/// The document that describes `operations`.
pub(crate) fn of(settings: &Settings, operations: &[Operation]) -> Value {
    let mut shapes = Shapes::new();
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        path[operation.verb.name()] = shapes.operation(operation);
    }
    let problem = shapes.written.subschema_for::<Envelope>();
    let mut responses = Map::new();
    responses.insert(
        "Problem".to_owned(),
        json!({
            "description": "It is not done, and says why.",
            "content": { "application/json": { "schema": problem } },
        }),
    );
    responses.insert("Later".to_owned(), json!({
        "description": "Not now: it says when to come back.",
        "headers": { "Retry-After": {
            "description": "Seconds to wait.", "required": true, "schema": { "type": "integer", "minimum": 1 },
        } },
        "content": { "application/json": { "schema": problem } },
    }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hourglass", "version": env!("CARGO_PKG_VERSION"), "description": limits(settings),
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": settings.address }],
        "paths": paths,
        "components": {
            "schemas": shapes.definitions(),
            "responses": responses,
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn limits(settings: &Settings) -> String {
    let rates = settings.rates;
    let a_minute = |rate: Option<std::num::NonZeroU32>| {
        rate.map_or_else(|| "any number of".to_owned(), |rate| rate.to_string())
    };
    format!(
        "Sandboxes and snapshots of one organization, the one of the key that is sent.\n\nLimits: a body has at most {} bytes, or {} with files, \
         path and query {}, headers {}. An organization may make {} creations, {} changes, {} reads and {} uses of \
         tools in a minute. At most {} requests and {} uses of tools are in hand and {} sockets open at once. A request that reads or changes \
         takes at most {} s.",
        settings.body,
        settings.upload,
        settings.url,
        settings.headers,
        a_minute(rates.creations),
        a_minute(rates.changes),
        a_minute(rates.reads),
        a_minute(rates.tools),
        settings.requests,
        settings.tools,
        settings.sockets,
        settings.patience.as_secs(),
    )
}

/// The shapes of what is read and of what is written. An option that is written as null is required there, and may be
/// left out of what is read.
struct Shapes {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Shapes {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let written = settings.clone().for_serialize().into_generator();
        Self { read: settings.for_deserialize().into_generator(), written }
    }

    fn definitions(mut self) -> Map<String, Value> {
        let mut definitions = self.read.take_definitions(true);
        definitions.extend(self.written.take_definitions(true));
        definitions
    }

    fn operation(&mut self, operation: &Operation) -> Value {
        let commands = operation.kind.is_some_and(|kind| kind == Kind::Create || kind == Kind::Change);
        let mut parameters: Vec<Value> = names(&operation.path).map(parameter::of_path).collect();
        parameters.extend(operation.query.iter().map(parameter::Parameter::describe));
        if operation.kind.is_some() {
            parameters.extend(parameter::headers(commands));
        }
        let mut described = json!({
            "operationId": id(operation),
            "summary": operation.summary,
            "tags": [operation.path.split('/').nth(1).unwrap_or_default()],
            "parameters": parameters,
            "responses": self.responses(operation),
            "security": match operation.kind { Some(_) => json!([{ "key": [] }]), None => json!([]) },
        });
        if let Some(content) = operation.body {
            described["requestBody"] = json!({
                "required": operation.body_required,
                "content": { content.media: { "schema": (content.schema)(&mut self.read) } },
            });
        }
        described
    }

    fn responses(&mut self, operation: &Operation) -> Value {
        let mut responses = Map::new();
        for (status, content) in &operation.success {
            let response = responses.entry(status.to_string());
            let response = response.or_insert_with(|| json!({ "description": "It is done." }));
            if let Some(Content { media, schema }) = content {
                response["content"][media] = json!({ "schema": schema(&mut self.written) });
            }
        }
        for status in &operation.problems {
            let kind = match status {
                429 | 503 => "Later",
                _ => "Problem",
            };
            responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{kind}") }));
        }
        responses.into()
    }
}

/// The parameters of a path.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// A name for the operation, unlike every other.
fn id(operation: &Operation) -> String {
    let words = operation.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(operation.verb.name().to_owned(), |id, word| format!("{id}_{word}"))
}

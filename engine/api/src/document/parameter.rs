//! Parameters of a query and of a path, as the document has them.

use serde_json::{Value, json};

/// A parameter of a query.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    name: &'static str,
    schema: Value,
    says: &'static str,
    required: bool,
}

impl Parameter {
    fn new(name: &'static str, says: &'static str, schema: Value) -> Self {
        Self { name, schema, says, required: false }
    }

    pub(crate) fn text(name: &'static str, says: &'static str) -> Self {
        Self::new(name, says, json!({ "type": "string" }))
    }

    pub(crate) fn flag(name: &'static str, says: &'static str) -> Self {
        Self::new(name, says, json!({ "type": "boolean" }))
    }

    pub(crate) fn moment(name: &'static str, says: &'static str) -> Self {
        Self::new(name, says, json!({ "type": "string", "format": "date-time" }))
    }

    pub(crate) fn number(name: &'static str, says: &'static str) -> Self {
        Self::new(name, says, json!({ "type": "number", "minimum": 0 }))
    }

    pub(crate) fn whole(name: &'static str, least: u64, most: Option<u64>, says: &'static str) -> Self {
        let mut schema = json!({ "type": "integer", "minimum": least });
        if let Some(most) = most {
            schema["maximum"] = most.into();
        }
        Self::new(name, says, schema)
    }

    pub(crate) fn one_of(name: &'static str, values: &[&'static str], says: &'static str) -> Self {
        Self::new(name, says, json!({ "type": "string", "enum": values }))
    }

    /// One that may be repeated.
    pub(crate) fn many(name: &'static str, item: &Value, says: &'static str) -> Self {
        let most = crate::sandboxes::list::VALUES_MOST;
        Self::new(name, says, json!({ "type": "array", "items": item, "maxItems": most }))
    }

    /// One that must be given.
    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) fn describe(&self) -> Value {
        json!({
            "name": self.name, "in": "query", "description": self.says, "required": self.required,
            "schema": self.schema,
        })
    }
}

/// What a path's parameter takes, told by its name.
pub(super) fn of_path(name: &str) -> Value {
    let (says, schema) = match name {
        "interval" | "minutes" => {
            ("Minutes; what is too many or too few is refused.", json!({ "type": "integer" }))
        }
        "port" => {
            ("A port inside the sandbox.", json!({ "type": "integer", "minimum": 1, "maximum": 65535 }))
        }
        "isPublic" => ("Whether it is public.", json!({ "type": "boolean" })),
        "sandboxId" | "sandboxIdOrName" => {
            ("A sandbox, by id or name.", json!({ "type": "string", "minLength": 1 }))
        }
        _ => ("A name or an id.", json!({ "type": "string", "minLength": 1 })),
    };
    json!({ "name": name, "in": "path", "description": says, "required": true, "schema": schema })
}

/// The headers that every operation with a key reads.
pub(super) fn headers(commands: bool) -> Vec<Value> {
    let header = |name: &str, schema: Value, says: &str| json!({ "name": name, "in": "header", "description": says, "required": false, "schema": schema });
    let organization = header(
        "X-Daytona-Organization-ID",
        json!({ "type": "string", "format": "uuid" }),
        "The organization a signed token is used for. Keys imply theirs.",
    );
    let key = header(
        "Idempotency-Key",
        json!({ "type": "string", "minLength": 1, "maxLength": hourglass_events::IdempotencyKey::LONGEST, "pattern": "^[!-~]+$" }),
        "Makes repeating the request harmless for a day.",
    );
    if commands { vec![organization, key] } else { vec![organization] }
}

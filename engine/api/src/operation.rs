//! One operation of the API, described beside the route that serves it: what the document for machines is made of.

use std::collections::BTreeSet;

use axum::routing::MethodFilter;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::document::parameter::Parameter;

/// What kind of request an operation takes, which says how it is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Makes something that costs.
    Create,
    /// Changes what exists.
    Change,
    /// Reads.
    Read,
    /// Uses what runs in a sandbox, for as long as that takes.
    Tool,
    /// Becomes a socket.
    Socket,
}

impl Kind {
    /// What requests of this kind are, to people.
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Create => "creations",
            Self::Change => "changes",
            Self::Read => "reads",
            Self::Tool => "uses of tools",
            Self::Socket => "sockets",
        }
    }
}

/// The method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    pub(crate) const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// The media type of forms with files.
pub(crate) const FORM: &str = "multipart/form-data";

/// A body that is sent or answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    pub(crate) media: &'static str,
    pub(crate) schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Content {
    /// JSON of this shape.
    pub(crate) fn json<T: JsonSchema>() -> Self {
        Self { media: "application/json", schema: |generator| generator.subschema_for::<T>() }
    }

    /// A form of this shape, which may be long.
    pub(crate) fn form<T: JsonSchema>() -> Self {
        Self { media: FORM, schema: |generator| generator.subschema_for::<T>() }
    }

    /// Bytes of this media type, whatever they mean.
    pub(crate) const fn bytes(media: &'static str) -> Self {
        Self { media, schema: |_| schemars::json_schema!({ "type": "string", "format": "binary" }) }
    }
}

/// One operation.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) verb: Verb,
    pub(crate) path: String,
    pub(crate) summary: String,
    /// None asks for no key and is not limited.
    pub(crate) kind: Option<Kind>,
    pub(crate) query: Vec<Parameter>,
    pub(crate) body: Option<Content>,
    pub(crate) body_required: bool,
    pub(crate) success: Vec<(u16, Option<Content>)>,
    pub(crate) problems: BTreeSet<u16>,
}

impl Operation {
    /// An operation of this kind. What every such request may be refused with is said.
    pub(crate) fn new(kind: Kind, verb: Verb, path: &str, summary: &str) -> Self {
        let mut problems = BTreeSet::from([400, 401, 403, 408, 413, 414, 429, 431, 503]);
        match kind {
            Kind::Create | Kind::Change | Kind::Read => problems.extend([504]),
            Kind::Tool | Kind::Socket => {}
        }
        if kind == Kind::Create || kind == Kind::Change {
            // A key that was used for something else.
            problems.insert(409);
        }
        if path.contains('{') {
            problems.insert(404);
        }
        Self { kind: Some(kind), problems, ..Self::open(verb, path, summary) }
    }

    /// An operation that asks for no key.
    pub(crate) fn open(verb: Verb, path: &str, summary: &str) -> Self {
        Self {
            verb,
            path: path.to_owned(),
            summary: summary.to_owned(),
            kind: None,
            query: Vec::new(),
            body: None,
            body_required: true,
            success: Vec::new(),
            problems: BTreeSet::new(),
        }
    }

    /// It takes these parameters.
    pub(crate) fn query(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.query.extend(parameters);
        self
    }

    /// It takes this body.
    pub(crate) fn takes(mut self, content: Content) -> Self {
        self.body = Some(content);
        self
    }

    /// It takes this body, or none.
    pub(crate) fn may_take(mut self, content: Content) -> Self {
        self.body_required = false;
        self.takes(content)
    }

    /// It is answered so.
    pub(crate) fn answers(mut self, status: u16, content: impl Into<Option<Content>>) -> Self {
        self.success.push((status, content.into()));
        self
    }

    /// It may be refused with these statuses too.
    pub(crate) fn refuses(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }
}

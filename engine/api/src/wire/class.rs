//! Classes as the contract names them.

use hourglass_events::Class;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// The contract's word for `class`.
pub(crate) const fn name(class: Class) -> &'static str {
    match class {
        Class::Container => "container",
        Class::LinuxVm => "linux-vm",
        Class::Windows => "windows",
    }
}

const ALL: [Class; 3] = [Class::Container, Class::LinuxVm, Class::Windows];

/// The class that the contract calls `text`.
pub(crate) fn named(text: &str) -> Option<Class> {
    ALL.into_iter().find(|class| name(*class) == text)
}

/// Every class's name.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.into_iter().map(name)
}

/// What a class is, to machines.
pub(crate) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": names().collect::<Vec<_>>() })
}

/// A class as a client asks for it.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(crate) enum Asked {
    #[serde(rename = "container")]
    Container,
    #[serde(rename = "linux-vm")]
    LinuxVm,
    #[serde(rename = "windows")]
    Windows,
}

impl From<Asked> for Class {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Container => Self::Container,
            Asked::LinuxVm => Self::LinuxVm,
            Asked::Windows => Self::Windows,
        }
    }
}

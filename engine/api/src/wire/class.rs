//! Classes as the contract names them.

use hourglass_events::Class;
use schemars::{Schema, SchemaGenerator, json_schema};

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

//! Classes as the contract names them.

use hourglass_events::Class;

/// The contract's word for `class`.
pub(crate) const fn name(class: Class) -> &'static str {
    match class {
        Class::Container => "container",
        Class::LinuxVm => "linux-vm",
        Class::Windows => "windows",
    }
}

/// The class that the contract calls `text`.
pub(crate) fn named(text: &str) -> Option<Class> {
    [Class::Container, Class::LinuxVm, Class::Windows].into_iter().find(|class| name(*class) == text)
}

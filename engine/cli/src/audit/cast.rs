//! Everybody who ever was in a log, and who is meant by a word.

use std::collections::BTreeMap;

use hourglass_events::{OrganizationId, SandboxId, Seq, State, Subject, Timestamp};

use super::past::Moment;
use crate::paint;

/// The most near matches that are named.
const NEAR_MOST: usize = 5;
/// How many letters a name may be away from what was written to be named as near.
const LETTERS_OFF: usize = 2;

/// Every sandbox of a log, deleted ones included.
#[derive(Debug, Default)]
pub(super) struct Cast {
    known: BTreeMap<SandboxId, Known>,
}

/// A sandbox that was there.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) organization: OrganizationId,
    pub(super) born: (Seq, Timestamp),
    /// The record that deleted it.
    pub(super) gone: Option<(Seq, Timestamp)>,
}

/// Nobody, or more than one, is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unclear {
    #[error("no sandbox in this log is called {text:?}{near}", near = listed("; near to it are", near))]
    Nobody { text: String, near: Vec<String> },
    #[error("more than one sandbox is called {text:?}; name one by its id{all}", all = listed(":", all))]
    Several { text: String, all: Vec<String> },
}

fn listed(before: &str, items: &[String]) -> String {
    if items.is_empty() { String::new() } else { format!("{before} {}", items.join(", ")) }
}

impl Cast {
    pub(super) fn take_in(&mut self, moment: &Moment<'_>) {
        let record = moment.record;
        let Subject::Sandbox(id) = record.subject else { return };
        let stamp = (record.seq, record.at);
        match moment.fleet.sandbox(id) {
            Some(sandbox) if record.version == 1 => {
                let name = sandbox.blueprint.name.to_string();
                let organization = sandbox.organization;
                self.known.insert(id, Known { name, organization, born: stamp, gone: None });
            }
            Some(sandbox) if sandbox.state != State::Deleted => {}
            // What it left elsewhere may keep it in the state for a while.
            Some(_) | None => {
                if let Some(known) = self.known.get_mut(&id) {
                    known.gone.get_or_insert(stamp);
                }
            }
        }
    }

    pub(super) fn of(&self, id: SandboxId) -> Option<&Known> {
        self.known.get(&id)
    }

    /// The sandbox with this id; else the one with this name; else, of those that had it, the one that had it last.
    pub(super) fn find(&self, text: &str) -> Result<SandboxId, Unclear> {
        if let Some(id) = text.parse().ok().filter(|id| self.known.contains_key(id)) {
            return Ok(id);
        }
        let named = || self.known.iter().filter(|(_, known)| known.name == text);
        let living: Vec<_> = named().filter(|(_, known)| known.gone.is_none()).collect();
        match living[..] {
            [] => {
                let last = named().max_by_key(|(_, known)| known.born.0);
                last.map(|(id, _)| *id).ok_or_else(|| self.nobody(text))
            }
            [(id, _)] => Ok(*id),
            [..] => {
                let all =
                    living.iter().map(|(id, known)| format!("{id} (organization {})", known.organization));
                Err(Unclear::Several { text: text.to_owned(), all: all.collect() })
            }
        }
    }

    fn nobody(&self, text: &str) -> Unclear {
        let wanted = text.to_lowercase();
        let distance = |(id, known): (&SandboxId, &Known)| {
            let name = known.name.to_lowercase();
            let away = strsim::damerau_levenshtein(&name, &wanted);
            let part = !wanted.is_empty() && (name.contains(&wanted) || id.to_string().starts_with(&wanted));
            (part || away <= LETTERS_OFF).then(|| (!part, away, known.name.clone(), *id))
        };
        let mut near: Vec<_> = self.known.iter().filter_map(distance).collect();
        near.sort();
        near.truncate(NEAR_MOST);
        let near = near.into_iter().map(|(_, _, name, id)| format!("{name} ({id})")).collect();
        Unclear::Nobody { text: text.to_owned(), near }
    }
}

impl Known {
    /// Why it was not there right after `record`.
    pub(super) fn absence(&self, record: Seq) -> String {
        match self.gone {
            Some((seq, at)) if seq <= record => {
                format!("was deleted by record {seq}, at {}", paint::time(at))
            }
            Some(_) | None => {
                let (seq, at) = self.born;
                format!("is created only by record {seq}, at {}", paint::time(at))
            }
        }
    }
}

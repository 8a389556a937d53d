//! What changed between two moments: who came, who went, and which fields of whoever stayed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

use hourglass_events::{HostId, SandboxId, SnapshotId};
use hourglass_kernel::Fleet;
use serde::Serialize;
use serde_json::json;

use crate::audit::fields::{self, Differing};
use crate::paint::{self, Tone};

/// Print it; of one sandbox, if `only` that is asked for.
pub(super) fn tell(before: &Fleet, after: &Fleet, only: Option<SandboxId>, json: bool) -> anyhow::Result<()> {
    anyhow::ensure!(
        before.seq() <= after.seq(),
        "record {} is before record {}: write the earlier moment first",
        after.seq(),
        before.seq()
    );
    if !json {
        let (from, to) = (paint::time(before.at()), paint::time(after.at()));
        paint::say(format!("from record {} ({from}) to record {} ({to})", before.seq(), after.seq()));
    }
    let sandboxes = |fleet: &Fleet| {
        let meant = fleet.sandboxes().filter(|sandbox| only.is_none_or(|only| only == sandbox.id)).cloned();
        meant.map(|sandbox| (sandbox.id, sandbox)).collect::<BTreeMap<SandboxId, _>>()
    };
    let mut found = compare("sandbox", &sandboxes(before), &sandboxes(after), json);
    if only.is_none() {
        let snapshots = |fleet: &Fleet| {
            let all = fleet.snapshots().cloned();
            all.map(|snapshot| (snapshot.id, snapshot)).collect::<BTreeMap<SnapshotId, _>>()
        };
        let hosts = |fleet: &Fleet| {
            let all = fleet.hosts().iter().cloned();
            all.map(|host| (host.id, host)).collect::<BTreeMap<HostId, _>>()
        };
        found += compare("snapshot", &snapshots(before), &snapshots(after), json);
        found += compare("host", &hosts(before), &hosts(after), json);
    }
    if found == 0 && !json {
        paint::say("nothing changed");
    }
    Ok(())
}

/// Print in which of these things `after` differs from `before`, and say how many do.
fn compare<K, T>(what: &str, before: &BTreeMap<K, Arc<T>>, after: &BTreeMap<K, Arc<T>>, json: bool) -> usize
where
    K: Ord + Display,
    T: Serialize + PartialEq,
{
    let mut found = 0;
    let ids: BTreeSet<&K> = before.keys().chain(after.keys()).collect();
    for id in ids {
        let (was, is) = (before.get(id), after.get(id));
        let change = match (was, is) {
            (None, _) => Change::Came,
            (_, None) => Change::Went,
            (Some(was), Some(is)) if was == is => continue,
            (Some(_), Some(_)) => Change::Changed,
        };
        found += 1;
        let fields = fields::difference(&was.map(Arc::as_ref), &is.map(Arc::as_ref));
        if json {
            paint::say(json!({"change": change, "what": what, "id": id.to_string(), "fields": fields}));
        } else {
            let name = is.or(was).map(|thing| name(&**thing)).unwrap_or_default();
            describe(change, &format!("{what} {id}{name}"), &fields);
        }
    }
    found
}

/// What people call `thing`, if it has such a name.
fn name(thing: &impl Serialize) -> String {
    let fields = fields::of(thing);
    let name =
        ["blueprint.name", "content.name", "region"].iter().find_map(|path| fields.get(*path)?.as_str());
    name.map_or_else(String::new, |name| format!(" ({name})"))
}

/// How something is different.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    Came,
    Went,
    Changed,
}

fn describe(change: Change, what: &str, fields: &BTreeMap<String, Differing>) {
    let (tone, sign) = match change {
        Change::Came => (Tone::Good, "+"),
        Change::Went => (Tone::Bad, "-"),
        Change::Changed => (Tone::Busy, "~"),
    };
    paint::say(paint::toned(tone, &format!("{sign} {what}")));
    let meant = fields.iter().filter(|(path, _)| !fields::is_bookkeeping(path));
    for (path, Differing { before, after }) in meant {
        let (before, after) = (fields::said(path, before), fields::said(path, after));
        match change {
            Change::Came if after != "—" => paint::say(format!("    {path:<30} {after}")),
            Change::Changed => paint::say(format!("    {path:<30} {before} → {after}")),
            Change::Came | Change::Went => {}
        }
    }
}

//! What a client asks of a list, parameter by parameter.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use hourglass_events::{Class, OrganizationId, Timestamp};
use hourglass_projections::roster::{Direction, Filter, LIMIT_MOST, Query, QueryError, Sort, Within};
use serde_json::json;

use crate::document::parameter::Parameter;
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::wire::{class, state};

/// The most values of one parameter that may be repeated.
pub(crate) const VALUES_MOST: usize = 200;

/// What may be asked.
pub(crate) fn parameters() -> Vec<Parameter> {
    let texts = || json!({ "type": "string", "minLength": 1 });
    let named = |names: Vec<&str>| json!({ "type": "string", "enum": names });
    vec![
        Parameter::text("cursor", "The `nextCursor` of the page in front."),
        Parameter::whole("limit", 1, Some(LIMIT_MOST as u64), "How many a page has; 100 unless given."),
        Parameter::text("id", "The beginning of an id, in any case."),
        Parameter::text("name", "The beginning of a name, in any case."),
        Parameter::text("labels", "Labels it must have, as a JSON object of texts."),
        Parameter::many("states", &named(state::names().collect()), "In one of these states."),
        Parameter::many("snapshots", &texts(), "Created from one of these snapshots, by name or id."),
        Parameter::many("regionIds", &texts(), "In one of these regions."),
        Parameter::many("sandboxClasses", &named(class::names().collect()), "Of one of these classes."),
        Parameter::number("minCpu", "The least vCPUs."),
        Parameter::number("maxCpu", "The most vCPUs."),
        Parameter::number("minGpu", "The least GPUs."),
        Parameter::number("maxGpu", "The most GPUs."),
        Parameter::number("minMemoryGiB", "The least memory."),
        Parameter::number("maxMemoryGiB", "The most memory."),
        Parameter::number("minDiskGiB", "The least disk."),
        Parameter::number("maxDiskGiB", "The most disk."),
        Parameter::flag("isPublic", "Whether it is public."),
        Parameter::flag("isRecoverable", "Whether what went wrong may be recovered from."),
        Parameter::flag("includeErroredDeleted", "Changes nothing."),
        Parameter::flag("includeWarm", "Changes nothing."),
        Parameter::moment("createdAtAfter", "Created then or later."),
        Parameter::moment("createdAtBefore", "Created then or earlier."),
        Parameter::moment("lastEventAfter", "Changed last then or later."),
        Parameter::moment("lastEventBefore", "Changed last then or earlier."),
        Parameter::moment("autoDestroyAtAfter", "To be destroyed then or later."),
        Parameter::moment("autoDestroyAtBefore", "To be destroyed then or earlier."),
        Parameter::one_of("sort", SORTS, "What is sorted by; lastActivityAt unless given."),
        Parameter::one_of("order", &["asc", "desc"], "Which end comes first; desc unless given."),
    ]
}

const SORTS: &[&str] = &["name", "cpu", "memoryGib", "diskGib", "lastActivityAt", "createdAt"];

/// What is asked. None if nothing can be what is asked for.
pub(super) fn read(
    organization: OrganizationId,
    parameters: &mut Parameters,
) -> Result<Option<Query>, Problem> {
    let possible = possible(parameters)?;
    let filter = filter(parameters)?;
    let query = Query {
        organization,
        filter,
        sort: sort(parameters)?,
        direction: direction(parameters)?,
        limit: limit(parameters)?,
        cursor: parameters.one("cursor").filter(|cursor| !cursor.is_empty()),
    };
    Ok(possible.then_some(query))
}

/// What all sandboxes here have in common, as far as it is asked for. A wrong value is refused all the same.
fn possible(parameters: &mut Parameters) -> Result<bool, Problem> {
    // None is destroyed at a set time, so none fits a time.
    let destroyed = moments(parameters, "autoDestroyAtAfter", "autoDestroyAtBefore")?;
    // There are no warm ones, and one that is being deleted is in a state of its own.
    flag(parameters, "includeWarm")?;
    flag(parameters, "includeErroredDeleted")?;
    Ok(destroyed == Within::default())
}

fn filter(parameters: &mut Parameters) -> Result<Filter, Problem> {
    Ok(Filter {
        states: named(parameters, "states", "a state as sandboxes have it, such as started", state::named)?,
        labels: labels(parameters)?,
        name_prefix: parameters.one("name"),
        id_prefix: parameters.one("id"),
        regions: Some(values(parameters, "regionIds")?).filter(|names| !names.is_empty()),
        snapshots: Some(values(parameters, "snapshots")?).filter(|names| !names.is_empty()),
        classes: named::<Class>(
            parameters,
            "sandboxClasses",
            "container, linux-vm or windows",
            class::named,
        )?,
        cpu: sizes(parameters, "minCpu", "maxCpu")?,
        memory_gib: sizes(parameters, "minMemoryGiB", "maxMemoryGiB")?,
        disk_gib: sizes(parameters, "minDiskGiB", "maxDiskGiB")?,
        gpu: sizes(parameters, "minGpu", "maxGpu")?,
        public: flag(parameters, "isPublic")?,
        recoverable: flag(parameters, "isRecoverable")?,
        created: moments(parameters, "createdAtAfter", "createdAtBefore")?,
        updated: moments(parameters, "lastEventAfter", "lastEventBefore")?,
    })
}

fn labels(parameters: &mut Parameters) -> Result<BTreeMap<String, String>, Problem> {
    let labels =
        parameters.read("labels", "a JSON object of texts", |text| serde_json::from_str(text).ok())?;
    Ok(labels.unwrap_or_default())
}

/// Every value of a parameter that may be repeated. Some clients join what others repeat.
fn values(parameters: &mut Parameters, name: &'static str) -> Result<BTreeSet<String>, Problem> {
    let given = parameters.all(name);
    let values: BTreeSet<String> = given.iter().flat_map(|text| text.split(',')).map(str::to_owned).collect();
    match values.len() > VALUES_MOST {
        true => Err(Problem::TooManyValues { name, found: values.len(), most: VALUES_MOST }),
        false => Ok(values.into_iter().filter(|value| !value.is_empty()).collect()),
    }
}

fn named<T: Ord>(
    parameters: &mut Parameters,
    name: &'static str,
    allowed: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<BTreeSet<T>>, Problem> {
    let values = values(parameters, name)?.into_iter();
    let known = values.map(|found| read(&found).ok_or(Problem::BadParameter { name, found, allowed }));
    let known = known.collect::<Result<BTreeSet<_>, _>>()?;
    Ok((!known.is_empty()).then_some(known))
}

fn flag(parameters: &mut Parameters, name: &'static str) -> Result<Option<bool>, Problem> {
    parameters.read(name, "true or false", |text| text.parse().ok())
}

/// Sizes are whole, so a fraction asks for the next one within.
fn sizes(
    parameters: &mut Parameters,
    least: &'static str,
    most: &'static str,
) -> Result<Within<u32>, Problem> {
    let allowed = "a number from 0 on";
    let least = parameters.read(least, allowed, |text| whole(text.parse::<f64>().ok()?.ceil()))?;
    let most = parameters.read(most, allowed, |text| whole(text.parse::<f64>().ok()?.floor()))?;
    Ok(Within { least, most })
}

fn whole(number: f64) -> Option<u32> {
    // Larger ones are no size, and mean the same as the largest.
    let largest = f64::from(u32::MAX);
    (number.is_finite() && number >= 0.0).then(|| format!("{:.0}", number.min(largest)).parse().ok())?
}

fn moments(
    parameters: &mut Parameters,
    after: &'static str,
    before: &'static str,
) -> Result<Within<Timestamp>, Problem> {
    let allowed = "a moment as in 2026-01-31T12:00:00Z";
    let least = parameters.read(after, allowed, moment)?;
    let most = parameters.read(before, allowed, moment)?;
    Ok(Within { least, most })
}

fn moment(text: &str) -> Option<Timestamp> {
    let moment = DateTime::parse_from_rfc3339(text).ok()?;
    // Nothing here is older than the epoch.
    Some(Timestamp(u64::try_from(moment.timestamp_micros()).unwrap_or(0)))
}

fn limit(parameters: &mut Parameters) -> Result<Option<usize>, Problem> {
    let limit = parameters.read("limit", "a whole number, 1 to 200", |text| text.parse().ok())?;
    match limit.filter(|limit| !(1..=LIMIT_MOST).contains(limit)) {
        Some(found) => Err(QueryError::BadLimit { found }.into()),
        None => Ok(limit),
    }
}

fn sort(parameters: &mut Parameters) -> Result<Sort, Problem> {
    let read = |text: &str| match text {
        "lastActivityAt" => Some(Sort::LastActivity),
        "createdAt" => Some(Sort::Created),
        "name" => Some(Sort::Name),
        "cpu" => Some(Sort::Cpu),
        "memoryGib" => Some(Sort::Memory),
        "diskGib" => Some(Sort::Disk),
        _ => None,
    };
    let allowed = "name, cpu, memoryGib, diskGib, lastActivityAt or createdAt";
    Ok(parameters.read("sort", allowed, read)?.unwrap_or(Sort::LastActivity))
}

fn direction(parameters: &mut Parameters) -> Result<Direction, Problem> {
    let read = |text: &str| match text {
        "asc" => Some(Direction::Ascending),
        "desc" => Some(Direction::Descending),
        _ => None,
    };
    Ok(parameters.read("order", "asc or desc", read)?.unwrap_or(Direction::Descending))
}

//! The names under which an engine is measured. Which exporter receives them is the embedder's choice.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Records that became durable.
pub const RECORDS: &str = "hourglass_records_total";
/// Groups that became durable.
pub const GROUPS: &str = "hourglass_groups_total";
/// Records of a group.
pub const GROUP_RECORDS: &str = "hourglass_group_records";
/// Time from handing a frame to the log to its outcome.
pub const APPEND_SECONDS: &str = "hourglass_append_seconds";
/// Appends whose outcome was in doubt.
pub const APPEND_DOUBTS: &str = "hourglass_append_doubts_total";
/// Time the kernel took for one input.
pub const DECIDE_SECONDS: &str = "hourglass_decide_seconds";
/// How late an alarm went off.
pub const LATENESS_SECONDS: &str = "hourglass_alarm_lateness_seconds";
/// Requests that were refused.
pub const REFUSALS: &str = "hourglass_refusals_total";
/// Calls made to hosts.
pub const HOST_CALLS: &str = "hourglass_host_calls_total";
/// Records that wait for the group in flight.
pub const STAGED: &str = "hourglass_staged_records";
/// Sandboxes known to a shard.
pub const SANDBOXES: &str = "hourglass_sandboxes";
/// Time to write a checkpoint, in the background.
pub const CHECKPOINT_SECONDS: &str = "hourglass_checkpoint_seconds";
/// Subscribers that fell behind.
pub const LAGGED: &str = "hourglass_subscribers_lagged_total";

/// Give the installed recorder a description and unit for each of them.
pub fn describe() {
    describe_counter!(RECORDS, "Records that became durable");
    describe_counter!(GROUPS, "Groups that became durable");
    describe_histogram!(GROUP_RECORDS, "Records of a group");
    describe_histogram!(APPEND_SECONDS, Unit::Seconds, "From handing a frame to the log to its outcome");
    describe_counter!(APPEND_DOUBTS, "Appends whose outcome was in doubt");
    describe_histogram!(DECIDE_SECONDS, Unit::Seconds, "Time the kernel took for one input");
    describe_histogram!(LATENESS_SECONDS, Unit::Seconds, "How late an alarm went off");
    describe_counter!(REFUSALS, "Requests that were refused");
    describe_counter!(HOST_CALLS, "Calls made to hosts");
    describe_gauge!(STAGED, "Records that wait for the group in flight");
    describe_gauge!(SANDBOXES, "Sandboxes known to a shard");
    describe_histogram!(CHECKPOINT_SECONDS, Unit::Seconds, "Time to write a checkpoint, in the background");
    describe_counter!(LAGGED, "Subscribers that fell behind");
}

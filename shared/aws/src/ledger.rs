//! The ledger in DynamoDB: one table, one item collection per stream and per subject of incidents.
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `stream#<name>` | `state` | version, when due, pause, newest plan, claim, mode, shards |
//! | `stream#<name>` | `profile` | what plans have learnt of its traffic |
//! | `stream#<name>` | `plan#<planned at>#<plan id>` | a plan's event, for people |
//! | `stream#<name>` | `action#<at>#<plan id>` | an action and what became of it |
//! | `turn` | `state` | until when one run goes through the streams of a fleet |
//! | `incident#<subject>` | `newest` | its newest incident with a version; while open, its start |
//!
//! Index `due-streams`: hash `due`, range `revisit_at`; registered streams carry `due`, and open
//! incidents with another value of it. Every write that guards something is conditional, so the
//! order in which functions run does not matter. Here: the names. Not here: items (`item`),
//! expressions (`write`), and the ports (`read`, `plans`, `claims`).

mod claims;
mod incidents;
mod item;
mod plans;
mod read;
mod write;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use weir_control::plan_id::PlanId;
use weir_core::units::StreamName;

/// Attributes, by name.
type Item = HashMap<String, AttributeValue>;

/// The layout this code writes, in the attribute `schema`. A record with a higher number was
/// written by a newer Weir and is not guessed at.
const SCHEMA: u32 = 1;
/// The index that tells which streams are due.
const DUE_INDEX: &str = "due-streams";
/// The value of `due` of streams.
const DUE: &str = "streams";
/// Days a plan is kept: long enough to ask what happened the week before last.
const PLAN_KEPT_DAYS: i64 = 14;
/// Days an action is kept: as long as CloudWatch keeps the five-minute traffic that led to it.
const ACTION_KEPT_DAYS: i64 = 63;

const STATE: &str = "state";
const TURN: &str = "turn";
const PROFILE: &str = "profile";
const STREAM_PREFIX: &str = "stream#";

fn partition_of(stream: &StreamName) -> String {
    format!("{STREAM_PREFIX}{stream}")
}

/// The stream a partition is about.
fn stream_of(partition: &str) -> Option<StreamName> {
    partition.strip_prefix(STREAM_PREFIX).and_then(|name| StreamName::new(name).ok())
}

fn plan_key(planned_at: Timestamp, plan: &PlanId) -> String {
    format!("plan#{}#{plan}", fixed_width(planned_at))
}

fn action_key(at: Timestamp, plan: &PlanId) -> String {
    format!("action#{}#{plan}", fixed_width(at))
}

/// The sort keys of all actions from `since` on: `$` is the character after `#`.
fn actions_since(since: Timestamp) -> (String, String) {
    (format!("action#{}", fixed_width(since)), "action$".to_owned())
}

/// A time as text that sorts as time does: UTC, nine decimals.
fn fixed_width(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}

/// When something written at `at` may be deleted, as DynamoDB wants it.
fn expiry(at: Timestamp, days: i64) -> i64 {
    at.as_second().saturating_add(days * 24 * 60 * 60)
}

#[cfg(test)]
mod tests;

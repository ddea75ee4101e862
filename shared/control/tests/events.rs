//! The events Weir publishes, against stored fixtures: what version 1 looks like must not change.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use weir_control::event::{
    ActionFailed, ActionRefused, CapacityPlanned, OperatorRequest, PlannedAction, Request,
    StreamResized, VERSION, WeirEvent,
};
use weir_control::ledger::PlanId;
use weir_core::history::History;
use weir_core::observation::{
    CapacityMode, Observation, ShardQuota, Signal, StreamState, StreamStatus,
};
use weir_core::plan::{DAYS_PERIOD_SECONDS, plan};
use weir_core::policy::{OperatingMode, Policy};
use weir_core::reasons::Reason;
use weir_core::series::{Series, TrafficPoint};
use weir_core::units::{Shards, StreamName};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/events").join(name)
}

/// The event must be what the fixture says, and the fixture must read back as the event. With
/// `WEIR_BLESS=1` the fixture is written instead: for a new version, never for an old one.
fn check<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    name: &str,
    detail_type: &str,
    detail: &T,
    event: WeirEvent,
) {
    assert_eq!(event.detail_type(), detail_type);
    let written = event.detail().expect("JSON");
    if std::env::var_os("WEIR_BLESS").is_some() {
        let text = serde_json::to_string_pretty(&written).expect("JSON");
        fs::write(fixture(name), text + "\n").expect("the fixture");
    }
    let stored: Value =
        serde_json::from_str(&fs::read_to_string(fixture(name)).expect("the fixture")).expect("JSON");
    assert_eq!(written, stored, "{name}: readers of version {VERSION} would break");
    assert_eq!(&serde_json::from_value::<T>(stored).expect("an event"), detail);
}

fn shards(count: u32) -> Shards {
    Shards::new(count).expect("a count")
}

fn orders() -> StreamName {
    StreamName::new("orders").expect("a name")
}

fn plan_id() -> PlanId {
    PlanId::of("2026-11-21T12:00:00Z".parse().expect("a time"), 42)
}

/// A stream of 4 shards with demand for 9: the plan doubles it and says why not more.
#[test]
fn capacity_planned() {
    let now = "2026-11-21T12:00:00Z".parse().expect("a time");
    let start = "2026-11-21T08:00:00Z".parse().expect("a time");
    let point = TrafficPoint {
        accepted_bytes: Some(4.0 * 60.0 * 1_048_576.0),
        accepted_records: Some(200_000.0),
        throttled_records: Some(160_000.0),
        iterator_age_millis: Some(800.0),
    };
    let minutes = Series { start, period_seconds: 60, points: vec![point; 240] };
    let observation = Observation {
        stream: orders(),
        observed_at: now,
        state: StreamState {
            mode: CapacityMode::Provisioned,
            status: StreamStatus::Active,
            open_shards: shards(4),
            retention_hours: 24,
        },
        minutes: Signal::Known { value: minutes, read_at: now },
        quota: Signal::Known { value: ShardQuota { limit: 500, open: 120 }, read_at: now },
    };
    let history = History {
        days: Series::empty(start, DAYS_PERIOD_SECONDS),
        actions: Some(Vec::new()),
        paused: false,
    };
    let policy = Policy { mode: OperatingMode::Act, ..Policy::DEFAULT };
    let detail = CapacityPlanned::new(plan_id(), &plan(&policy, &observation, &history, now));
    assert_eq!(detail.action, PlannedAction::Reshard { from: shards(4), to: shards(8) });
    let event = WeirEvent::CapacityPlanned(detail.clone());
    check("capacity_planned.v1.json", "Weir Capacity Planned", &detail, event);
}

#[test]
fn stream_resized() {
    let detail = StreamResized {
        version: VERSION,
        plan_id: plan_id(),
        stream: orders(),
        from: shards(4),
        to: shards(8),
        accepted_at: "2026-11-21T12:00:01Z".parse().expect("a time"),
    };
    let event = WeirEvent::StreamResized(detail.clone());
    check("stream_resized.v1.json", "Weir Stream Resized", &detail, event);
}

#[test]
fn action_refused() {
    let reason = Reason::StreamBusy;
    let detail = ActionRefused {
        version: VERSION,
        plan_id: plan_id(),
        stream: orders(),
        reason,
        meaning: reason.meaning().to_owned(),
        remedy: reason.remedy().to_owned(),
        detail: Some("UpdateShardCount failed: stream orders is UPDATING".to_owned()),
        refused_at: "2026-11-21T12:00:01Z".parse().expect("a time"),
    };
    let event = WeirEvent::ActionRefused(detail.clone());
    check("action_refused.v1.json", "Weir Action Refused", &detail, event);
}

#[test]
fn action_failed() {
    let reason = Reason::OutcomeUnknown;
    let detail = ActionFailed {
        version: VERSION,
        plan_id: plan_id(),
        stream: orders(),
        reason,
        meaning: reason.meaning().to_owned(),
        remedy: reason.remedy().to_owned(),
        detail: None,
        failed_at: "2026-11-21T12:00:31Z".parse().expect("a time"),
    };
    let event = WeirEvent::ActionFailed(detail.clone());
    check("action_failed.v1.json", "Weir Action Failed", &detail, event);
}

#[test]
fn operator_request() {
    let detail =
        OperatorRequest { version: VERSION, request: Request::Plan, stream: Some(orders()) };
    let event = WeirEvent::OperatorRequest(detail.clone());
    check("operator_request.v1.json", "Weir Operator Request", &detail, event);
}

//! The events Weir publishes, against stored fixtures: what version 1 looks like must not change.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use weir_control::event::{
    ActionFailed, ActionRefused, CapacityPlanned, ModeSwitched, OperatorRequest, Request,
    StreamResized, VERSION, WeirEvent,
};
use weir_control::plan_id::PlanId;
use weir_core::alarms::AlarmPrefix;
use weir_core::budget::Budget;
use weir_core::forecast::{Forecast, Leader};
use weir_core::observation::CapacityMode;
use weir_core::plan::{Action, Basis, Clamp, Plan, Sizing, Throttling};
use weir_core::policy::OperatingMode;
use weir_core::reasons::{ClampReason, FailureReason, RefusalReason};
use weir_core::units::{ShardLoad, Shards, StreamName};

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
    let written = event.detail(&AlarmPrefix::default()).expect("JSON");
    if std::env::var_os("WEIR_BLESS").is_some() {
        let text = serde_json::to_string_pretty(&written).expect("JSON");
        fs::write(fixture(name), text + "\n").expect("the fixture");
    }
    let stored: Value =
        serde_json::from_str(&fs::read_to_string(fixture(name)).expect("the fixture"))
            .expect("JSON");
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
    PlanId::of("2026-11-21T12:00:00Z".parse().expect("a time"), 42, doubling().order())
}

/// Nine shards are wanted, and so many may be had.
fn clamped(reason: ClampReason, to: u32) -> Sizing {
    let clamps = vec![Clamp { reason, from: shards(9), to: shards(to) }];
    Sizing::Sized { wanted: shards(9), allowed: shards(to), clamps }
}

/// A stream of 4 shards that needs 9: the plan doubles it and says why not more.
fn doubling() -> Plan {
    let at = |text: &str| text.parse().expect("a time");
    let load = ShardLoad::new;
    Plan {
        stream: orders(),
        operating_mode: OperatingMode::Act,
        planned_at: at("2026-11-21T12:00:00Z"),
        expires_at: at("2026-11-21T12:05:00Z"),
        revisit_at: at("2026-11-21T12:01:00Z"),
        open: shards(4),
        sizing: clamped(ClampReason::AboveDouble, 8),
        action: Action::Reshard { from: shards(4), to: shards(8) },
        basis: Basis {
            forecast: Forecast {
                now: load(5.2),
                soon: load(6.25),
                later: load(7.5),
                days_known: 9,
                leader: Some(Leader::Yesterday),
                level_change: None,
            },
            emergency: true,
            throttling: Throttling {
                from_use: 0.74,
                days: Some(9),
                hot_key: None,
                missing_share: 1.0,
            },
            unknown_minutes: 0,
            idle_minutes: 0,
            looks_like_outage: false,
            throttled_share: 0.0,
            newest_data_age_seconds: Some(50),
            consumer_lag_seconds: Some(3),
            budget: Some(Budget {
                reshards_used: 2,
                mode_switches_used: 0,
                next_reshard_freed_at: Some(at("2026-11-21T19:32:00Z")),
                next_mode_switch_freed_at: None,
            }),
            quota: None,
        },
        events: Vec::new(),
        wanted_mode: None,
        learnt: None,
    }
}

#[test]
fn capacity_planned() {
    let detail = CapacityPlanned::new(plan_id(), &doubling());
    let event = WeirEvent::CapacityPlanned(detail.clone());
    check("capacity_planned.v1.json", "Weir Capacity Planned", &detail, event);
}

/// The same stream with its reshards spent and one switch made: it goes on demand.
#[test]
fn capacity_planned_to_switch() {
    let mut plan = doubling();
    plan.action =
        Action::SwitchMode { from: CapacityMode::Provisioned, to: CapacityMode::OnDemand };
    plan.sizing = clamped(ClampReason::BudgetSpent, 4);
    plan.basis.budget = Some(Budget {
        reshards_used: 10,
        mode_switches_used: 1,
        next_reshard_freed_at: "2026-11-21T19:32:00Z".parse().ok(),
        next_mode_switch_freed_at: "2026-11-22T02:32:00Z".parse().ok(),
    });
    let detail = CapacityPlanned::new(plan_id(), &plan);
    let event = WeirEvent::CapacityPlanned(detail.clone());
    check("capacity_planned.switch_mode.v1.json", "Weir Capacity Planned", &detail, event);
}

#[test]
fn mode_switched() {
    let detail = ModeSwitched {
        version: VERSION,
        plan_id: plan_id(),
        stream: orders(),
        from: CapacityMode::Provisioned,
        to: CapacityMode::OnDemand,
        accepted_at: "2026-11-21T12:00:01Z".parse().expect("a time"),
    };
    let event = WeirEvent::ModeSwitched(detail.clone());
    check("mode_switched.v1.json", "Weir Mode Switched", &detail, event);
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
    let reason = RefusalReason::StreamBusy;
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
    let reason = FailureReason::OutcomeUnknown;
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
    let detail = OperatorRequest {
        version: VERSION,
        request: Request::Plan,
        stream: Some(orders()),
        after: None,
    };
    let event = WeirEvent::OperatorRequest(detail.clone());
    check("operator_request.v1.json", "Weir Operator Request", &detail, event);
}

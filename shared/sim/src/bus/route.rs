//! The rules of the bus: which event wakes which loop. The same ones the installation has.

use serde_json::Value;
use weir_control::event;

/// A loop, as a target of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loop {
    /// plan-capacity.
    PlanCapacity,
    /// resize-stream.
    ResizeStream,
    /// switch-mode.
    SwitchMode,
    /// sync-alarms.
    SyncAlarms,
}

/// The loop that an event wakes.
pub(crate) fn target(source: &str, detail_type: &str, detail: &Value) -> Option<Loop> {
    match (source, detail_type) {
        ("aws.cloudwatch", "CloudWatch Alarm State Change") => {
            (detail["state"]["value"] == "ALARM").then_some(Loop::PlanCapacity)
        }
        (event::SOURCE, "Weir Capacity Planned") => {
            let executor = match detail["action"]["kind"].as_str() {
                Some("reshard") => Some(Loop::ResizeStream),
                Some("switch_mode") => Some(Loop::SwitchMode),
                _ => None,
            };
            executor.filter(|_| detail["mode"] == "act")
        }
        (event::SOURCE, "Weir Stream Resized" | "Weir Mode Switched") => Some(Loop::SyncAlarms),
        (event::SOURCE, "Weir Operator Request") => match detail["request"].as_str() {
            Some("plan") => Some(Loop::PlanCapacity),
            Some("sync_alarms") => Some(Loop::SyncAlarms),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_event_wakes_the_loop_it_is_for_and_observe_plans_wake_none() {
        let plan = |mode: &str, kind: &str| {
            target(
                "weir",
                "Weir Capacity Planned",
                &json!({"mode": mode, "action": {"kind": kind}}),
            )
        };
        assert_eq!(plan("act", "reshard"), Some(Loop::ResizeStream));
        assert_eq!(plan("act", "switch_mode"), Some(Loop::SwitchMode));
        let idle = [("observe", "reshard"), ("observe", "switch_mode"), ("act", "hold")];
        assert_eq!(idle.map(|(mode, kind)| plan(mode, kind)), [None; 3]);
        let alarm = |state: &str| {
            let detail = json!({"state": {"value": state}});
            target("aws.cloudwatch", "CloudWatch Alarm State Change", &detail)
        };
        assert_eq!([alarm("ALARM"), alarm("OK")], [Some(Loop::PlanCapacity), None]);
        let own = |detail_type| target("weir", detail_type, &json!({}));
        assert_eq!(own("Weir Stream Resized"), Some(Loop::SyncAlarms));
        assert_eq!(own("Weir Mode Switched"), Some(Loop::SyncAlarms));
        assert_eq!(own("Weir Action Refused"), None);
    }
}

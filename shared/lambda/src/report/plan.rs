//! What plan-capacity tells of a run: a line for each plan, each stream left out, each failed call.

use serde_json::{Value, json};
use tracing::{info, warn};
use weir_control::plan_capacity::PlanReport;
use weir_control::plan_id::PlanId;
use weir_control::routing::Loop;
use weir_control::skipped::SkippedStream;
use weir_core::plan::{Action, Plan};
use weir_core::reasons::SkipReason;

use super::{Report, Told, log_trouble};

impl Report for PlanReport {
    fn tell(&self, _: Loop) -> Told {
        let PlanReport { plans, skipped, hastened, failed_calls } = self;
        for (id, plan) in plans {
            log_plan(id, plan);
        }
        skipped.iter().for_each(log_skip);
        for stream in hastened {
            info!(stream = stream.as_str(), "hastened");
        }
        failed_calls.iter().for_each(log_trouble);
        let failed = skipped.iter().filter(|skip| skip.error.is_some()).count();
        let asking = |matching: fn(&Action) -> bool| {
            plans.iter().filter(|(_, plan)| matching(&plan.action)).count()
        };
        let answer = json!({
            "plans": plans.len(),
            "reshards": asking(|action| matches!(action, Action::Reshard { .. })),
            "mode_switches": asking(|action| matches!(action, Action::SwitchMode { .. })),
            "skipped": skipped.len(),
            "troubles": failed_calls.len(),
        });
        let counts = vec![("PlansMade", plans.len()), ("Troubles", failed_calls.len() + failed)];
        Told { answer, counts }
    }

    fn skipped(reason: SkipReason) -> Value {
        json!({"plans": 0, "reason": reason.code()})
    }
}

fn log_plan(id: &PlanId, plan: &Plan) {
    let (action, from, to, mode_to, reason) = match plan.action {
        Action::Hold(reason) => ("hold", plan.open, plan.open, None, Some(reason.code())),
        Action::Reshard { from, to } => ("reshard", from, to, None, None),
        Action::SwitchMode { to, .. } => ("switch_mode", plan.open, plan.open, Some(to), None),
    };
    let clamps: Vec<&str> = plan.clamps().iter().map(|clamp| clamp.reason.code()).collect();
    let forecast = plan.basis.forecast;
    info!(
        stream = plan.stream.as_str(),
        plan_id = id.as_str(),
        mode = ?plan.operating_mode,
        action,
        reason,
        from = from.get(),
        to = to.get(),
        mode_to = mode_to.map(tracing::field::display),
        wanted = plan.wanted().get(),
        allowed = plan.allowed().get(),
        clamps = clamps.join(","),
        demand_now = forecast.now.get(),
        demand_soon = forecast.soon.get(),
        demand_later = forecast.later.get(),
        reshards_left = plan.basis.budget.map(|budget| budget.reshards_left()),
        mode_switches_left = plan.basis.budget.map(|budget| budget.mode_switches_left()),
        emergency = plan.basis.emergency,
        revisit_at = %plan.revisit_at,
        "plan"
    );
}

fn log_skip(skipped: &SkippedStream) {
    let SkippedStream { stream, reason, error } = skipped;
    let (stream, code) = (stream.as_str(), reason.code());
    match error {
        Some(error) => warn!(stream, code, %error, "skipped"),
        None => info!(stream, code, "skipped"),
    }
}

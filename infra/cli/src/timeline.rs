//! The plans of a run as a person reads them: when, what, and why. Runs of the same thing are one
//! line.

use jiff::tz::TimeZone;
use weir_core::plan::{Action, Plan};
use weir_core::reasons::HoldReason;

/// One line per change asked for; between two of them, one line for each reason that something
/// wanted was withheld.
pub(crate) fn lines(plans: &[Plan]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut withheld: Vec<HoldReason> = Vec::new();
    for plan in plans {
        let when = plan.planned_at.to_zoned(TimeZone::UTC).strftime("%a %H:%M").to_string();
        match plan.action {
            Action::Reshard { from, to } => {
                withheld.clear();
                lines.push(format!("{when}  {from:>3} → {to:<3}  {}", plan.because()));
            }
            Action::SwitchMode { to, .. } => {
                withheld.clear();
                lines.push(format!("{when}  {:>3} → {to}  {}", plan.open, plan.because()));
            }
            Action::Hold(_) => {
                let told = plan.withheld().filter(|reason| !withheld.contains(reason));
                lines.extend(told.map(|reason| format!("{when}  {}", stays(plan, reason))));
                withheld.extend(told);
            }
        }
    }
    lines
}

/// What is withheld of a stream that stays as it is.
fn stays(plan: &Plan, reason: HoldReason) -> String {
    let (open, meaning) = (plan.open, reason.meaning());
    match plan.wanted() {
        wanted if wanted != open => {
            format!("{open:>3} stays  {wanted} wanted, {reason}: {meaning}")
        }
        _ => format!("{open:>3} stays  {reason}: {meaning}"),
    }
}

//! Laws of a plan: 1 to 5 of what it asks for, 8 of how it explains itself.

use jiff::SignedDuration;

use super::{Finding, of_change};
use crate::action::Change;
use crate::budget::Budget;
use crate::demand::{Demand, demand};
use crate::history::History;
use crate::observation::{CapacityMode, Observation, ShardQuota, StreamStatus};
use crate::plan::{Action, Motive, Plan, Sizing, plan};
use crate::policy::{Bounds, ModeSwitches, Policy};
use crate::reshard;
use crate::units::Shards;

/// Data older than this takes nothing away, seconds.
const STALE_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// What is wrong with a plan, given what it was made from. Nothing where all laws hold.
pub fn of_plan(
    made: &Plan,
    policy: &Policy,
    observation: &Observation,
    history: &History,
) -> Vec<Finding> {
    let inputs = Inputs { policy, observation, history };
    let mut found = of_sizing(made);
    found.extend(inputs.same_again(made));
    if made.open != observation.state.open_shards {
        found.push(Finding::minor(8, "the plan starts from another size than the stream has"));
    }
    match made.action {
        Action::Hold(_) => {}
        Action::Reshard { from, to } => found.extend(inputs.reshard(made, from, to)),
        Action::SwitchMode { from, to } => found.extend(inputs.switch(made, from, to)),
    }
    let at_work = observation.state.status != StreamStatus::Active || history.paused;
    if at_work && !matches!(made.action, Action::Hold(_)) {
        found.push(Finding::fatal(5, "a stream that is busy or paused is not left alone"));
    }
    found
}

/// Law 2: what is wrong with bringing a stream from one size to another, by what one call may
/// change, by the bounds of its policy (a step towards them from outside is right), and by the
/// account's quota.
pub fn of_target(
    from: Shards,
    to: Shards,
    bounds: Bounds,
    quota: Option<ShardQuota>,
) -> Vec<Finding> {
    let mut found = of_change(Change::Reshard { from, to });
    if to > bounds.max() && to > from {
        found.push(Finding::fatal(2, format!("{to} shards are above max_shards {}", bounds.max())));
    }
    if to < bounds.min() && to < from {
        found.push(Finding::fatal(2, format!("{to} shards are below min_shards {}", bounds.min())));
    }
    if let Some(ShardQuota { limit, open, .. }) = quota {
        let elsewhere = open.saturating_sub(from.get());
        let needed = elsewhere.saturating_add(reshard::peak_open_shards(from, to));
        if needed > limit {
            let what = format!("{from} to {to} shards needs {needed} of a quota of {limit}");
            found.push(Finding::fatal(2, what));
        }
    }
    found
}

/// Law 8, of the plan alone: every step from the wanted to the allowed size has its clamp, what is
/// done is what is allowed, and a stream that is not sized is not resharded.
pub fn of_sizing(made: &Plan) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut size = made.wanted();
    for clamp in made.clamps() {
        if clamp.from != size || clamp.to == size {
            found.push(Finding::minor(8, format!("clamps do not join: {:?}", made.clamps())));
        }
        size = clamp.to;
    }
    let done = match (made.action, &made.sizing) {
        (Action::Reshard { from, to }, Sizing::Sized { allowed, .. }) => {
            from == made.open && to == *allowed
        }
        (Action::Reshard { .. }, Sizing::NotOurs(_) | Sizing::Blind(_)) => false,
        (Action::Hold(_) | Action::SwitchMode { .. }, _) => true,
    };
    if size != made.allowed() || !done {
        let (sizing, action) = (&made.sizing, made.action);
        found.push(Finding::minor(8, format!("{action:?} does not follow from {sizing:?}")));
    }
    if made.revisit_at <= made.planned_at || made.expires_at <= made.planned_at {
        found.push(Finding::minor(8, "the plan is over before it is made"));
    }
    found
}

struct Inputs<'a> {
    policy: &'a Policy,
    observation: &'a Observation,
    history: &'a History,
}

impl Inputs<'_> {
    /// Law 8, of what it was made from.
    fn same_again(&self, made: &Plan) -> Option<Finding> {
        let again = plan(self.policy, self.observation, self.history, made.planned_at);
        (again != *made)
            .then(|| Finding::minor(8, format!("the same inputs gave {made:?} and then {again:?}")))
    }

    fn calls_left(&self, made: &Plan) -> Option<Budget> {
        self.history.actions.as_deref().map(|actions| Budget::at(made.planned_at, actions))
    }

    fn reshard(&self, made: &Plan, from: Shards, to: Shards) -> Vec<Finding> {
        let quota = self.observation.quota.known().copied();
        let mut found = of_target(from, to, self.policy.bounds, quota);
        let budget = self.calls_left(made);
        let left = budget.map(|budget| budget.reshards_left());
        if left == Some(0) {
            found.push(Finding::fatal(1, "a reshard with no call left"));
        }
        if to < from {
            found.extend(self.scale_in_in_the_dark(made));
            match left {
                None => found.push(Finding::fatal(4, "a scale-in without the ledger")),
                Some(left) if left <= self.policy.reserved_calls => {
                    found.push(Finding::fatal(4, format!("a scale-in with {left} calls left")));
                }
                Some(_) => {}
            }
        }
        found
    }

    /// Law 1, for the mode: only where the policy allows it, with the ledger, with a call left;
    /// with two where it only saves money.
    fn switch(&self, made: &Plan, from: CapacityMode, to: CapacityMode) -> Option<Finding> {
        let saves = made.wanted_mode.is_some_and(|wanted| wanted.motive == Motive::Cheaper);
        let needed = if saves { 2 } else { 1 };
        let left = self.calls_left(made).map_or(0, |budget| budget.mode_switches_left());
        match () {
            () if from != self.observation.state.mode || to != from.other() => {
                Some(Finding::fatal(1, format!("a switch from {from} to {to}")))
            }
            () if self.policy.mode_switches == ModeSwitches::Never => {
                Some(Finding::fatal(1, "a switch that the policy does not allow"))
            }
            () if left < needed => {
                Some(Finding::fatal(1, format!("a switch with {left} of {needed} calls left")))
            }
            () => None,
        }
    }

    /// Law 3: nothing is taken away on missing or stale data, nor while a consumer is behind or
    /// silent.
    fn scale_in_in_the_dark(&self, made: &Plan) -> Option<Finding> {
        let found = |what: &str| Some(Finding::fatal(3, format!("a scale-in {what}")));
        let Some(series) = self.observation.minutes.known() else {
            return found("with no data at all");
        };
        let seen = demand(series, self.policy.missing_data, 1.0, made.planned_at);
        let window = usize::try_from(self.policy.scale_in_after_minutes).unwrap_or(usize::MAX);
        let Some(quiet_from) = seen.len().checked_sub(window) else {
            return found("after too few minutes");
        };
        if seen[quiet_from..].contains(&Demand::Unknown) {
            return found("with a gap in its minutes");
        }
        if made.planned_at.duration_since(series.start_of(seen.len())) > STALE_AFTER {
            return found("on stale data");
        }
        // A position once told holds until a newer one: who is silent has not caught up.
        let points = &series.points[..seen.len().min(series.points.len())];
        let lag_millis = points.iter().rev().find_map(|point| point.iterator_age_millis)?;
        let most = f64::from(self.policy.hold_scale_in_at_lag_minutes) * 60_000.0;
        if lag_millis >= most { found("while a consumer is behind") } else { None }
    }
}

//! The id of a plan: which plan an event, a claim or an action belongs to, and what it may carry
//! out.
//!
//! Not here: the event that brings it (`event`), the record that remembers it (`ledger`).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_core::action::Change;
use weir_core::observation::CapacityMode;

/// Names a plan of a stream: when it was made, from which version of the record, and what is to be
/// carried out of it. The ledger has the newest one's, so an event that asks for anything else is
/// nobody's plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanId(String);

impl PlanId {
    /// The id of the plan made at `planned_at` from version `version`, which orders this change, if
    /// any; no two plans share it, as only one can move the record on from a version.
    pub fn of(planned_at: Timestamp, version: u64, order: Option<Change>) -> PlanId {
        let order = order.map_or_else(|| "none".to_owned(), order_code);
        PlanId(format!("{planned_at}-v{version}-{order}"))
    }

    /// Whether the plan of this id orders this change.
    pub fn orders(&self, change: Change) -> bool {
        self.0.strip_suffix(&order_code(change)).is_some_and(|plan| plan.ends_with('-'))
    }

    /// The id of a plan made while the ledger could not be read.
    pub fn without_ledger(planned_at: Timestamp) -> PlanId {
        PlanId(format!("{planned_at}-unrecorded"))
    }

    /// The id under which a change that somebody else made is written down.
    pub fn of_external_change(seen_at: Timestamp) -> PlanId {
        PlanId(format!("{seen_at}-not-ours"))
    }

    /// Whether a change of somebody else's is written down under it.
    pub fn is_external_change(&self) -> bool {
        self.0.ends_with("-not-ours")
    }

    /// When the plan of this id was made; `None` for no id of ours.
    pub fn planned_at(&self) -> Option<Timestamp> {
        self.0.split_once("-v")?.0.parse().ok()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn order_code(change: Change) -> String {
    match change {
        Change::Reshard { from, to } => format!("reshard-{from}-{to}"),
        Change::SwitchMode { to: CapacityMode::Provisioned } => "provisioned".to_owned(),
        Change::SwitchMode { to: CapacityMode::OnDemand } => "on_demand".to_owned(),
    }
}

impl From<String> for PlanId {
    fn from(id: String) -> PlanId {
        PlanId(id)
    }
}

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use weir_core::units::Shards;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(60 * minute).expect("a time")
    }

    #[test]
    fn an_id_says_what_its_plan_orders() {
        let shards = Shards::at_least_one;
        let reshard = |from, to| Change::Reshard { from: shards(from), to: shards(to) };
        let switch = Change::SwitchMode { to: CapacityMode::OnDemand };
        let changes = [reshard(8, 16), reshard(18, 16), reshard(8, 6), switch];
        for order in changes {
            let id = PlanId::of(at(1), 3, Some(order));
            assert_eq!(
                changes.map(|change| id.orders(change)),
                changes.map(|change| change == order)
            );
        }
        assert!(!changes.iter().any(|change| PlanId::of(at(1), 3, None).orders(*change)));
        assert_eq!(PlanId::of(at(1), 3, None).planned_at(), Some(at(1)));
        assert_eq!(PlanId::of_external_change(at(1)).planned_at(), None);
    }
}

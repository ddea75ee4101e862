//! The laws of the design, checked while a simulation runs, by what the world is and not by what
//! Weir says of itself. One law, one file; laws 4 and 6 come with 1, as all count calls.
//!
//! Checked at every call that changes a stream: 1 to 6. Checked at every plan: 8. Checked when a
//! run is over: 9, and 7 for messages (`alerts`). Not here: 7 for capacity, which the tests of
//! single runs bound.

pub(crate) mod alerts;
pub(crate) mod counted_calls;
pub(crate) mod one_in_flight;
pub(crate) mod safe_scale_in;
pub(crate) mod same_plan;
pub(crate) mod targets;

use weir_core::laws::Finding;
use weir_core::observation::ShardQuota;
use weir_core::policy::Policy;

use crate::clock::Seconds;
use crate::metrics::Metrics;
use crate::stream::{Motion, Switch};

/// A call of Weir's to UpdateShardCount, just before AWS sees it.
pub(crate) struct Asked<'a> {
    pub(crate) now: Seconds,
    /// When the plan was made that it carries out.
    pub(crate) planned_at: Seconds,
    pub(crate) policy: &'a Policy,
    /// Whether the run could read the ledger. Without it only AWS's own limits hold Weir back, by
    /// design.
    pub(crate) with_ledger: bool,
    /// Open shards, in truth.
    pub(crate) open: u32,
    /// The reshard that is under way, in truth.
    pub(crate) moving: Option<Motion>,
    /// The switch of mode that is under way, in truth.
    pub(crate) switching: Option<Switch>,
    pub(crate) to: u32,
    /// The account's quota as the planner read it; none where it could not.
    pub(crate) quota_seen: Option<ShardQuota>,
    pub(crate) metrics: &'a Metrics,
    /// Start of the simulation.
    pub(crate) start: Seconds,
}

/// A law that was broken, and how.
pub(crate) type Broken = (u32, String);

/// The first of core's findings.
pub(crate) fn first(found: Vec<Finding>) -> Option<Broken> {
    found.into_iter().next().map(|found| (found.law, found.what))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use weir_core::policy::Policy;

    /// Start of the world of these tests.
    pub(crate) const START: Seconds = 1_800_000_000;

    /// A call in the ninetieth minute, on a plan of that minute.
    pub(crate) struct Call {
        pub(crate) from: u32,
        pub(crate) to: u32,
        pub(crate) policy: Policy,
        pub(crate) moving: Option<Motion>,
        pub(crate) with_ledger: bool,
        pub(crate) quota_seen: Option<ShardQuota>,
        pub(crate) now: Seconds,
    }

    impl Default for Call {
        fn default() -> Call {
            Call {
                from: 10,
                to: 20,
                policy: Policy::DEFAULT,
                moving: None,
                with_ledger: true,
                quota_seen: None,
                now: START + 90 * 60,
            }
        }
    }

    /// What a checker says to a call.
    pub(crate) fn checked<T>(
        call: Call,
        metrics: &Metrics,
        check: impl FnOnce(&Asked<'_>) -> Option<T>,
    ) -> Option<T> {
        let Call { from, to, policy, moving, with_ledger, quota_seen, now } = call;
        check(&Asked {
            now,
            planned_at: now,
            policy: &policy,
            with_ledger,
            open: from,
            moving,
            switching: None,
            to,
            quota_seen,
            metrics,
            start: START,
        })
    }
}

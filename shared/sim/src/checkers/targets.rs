//! Law 2, of calls as the world sees them: every target lies within what one call may change, the
//! policy's bounds and the account's quota. The lint is core's; here is what it is shown.

use weir_core::laws;
use weir_core::units::Shards;

use super::{Asked, Broken, first};

/// Bounds hold for where a stream is brought, not for where somebody else has put it: a step
/// towards them is right. The quota is judged as the planner saw it; others may have used the room
/// since.
pub(crate) fn check(asked: &Asked<'_>) -> Option<Broken> {
    let (open, to) = (Shards::at_least_one(asked.open), Shards::at_least_one(asked.to));
    if asked.moving.is_some() {
        return None; // law 5 speaks of it
    }
    first(laws::of_target(open, to, asked.policy.bounds, asked.quota_seen))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Call, START, checked};
    use super::*;
    use crate::metrics::Metrics;
    use weir_core::observation::ShardQuota;
    use weir_core::policy::Bounds;

    fn lawful(from: u32, to: u32, quota: Option<ShardQuota>) -> bool {
        let mut call = Call { from, to, quota_seen: quota, ..Call::default() };
        let bounds = Bounds::new(Shards::at_least_one(8), Shards::at_least_one(40));
        call.policy.bounds = bounds.expect("bounds");
        checked(call, &Metrics::new(START, 0), check).is_none()
    }

    #[test]
    fn half_and_double_are_the_farthest_targets() {
        assert!(lawful(17, 9, None) && lawful(17, 34, None));
        assert!(!lawful(17, 8, None) && !lawful(17, 35, None));
    }

    #[test]
    fn bounds_hold_and_a_step_towards_them_is_lawful() {
        assert!(lawful(38, 40, None) && !lawful(38, 41, None));
        assert!(lawful(80, 60, None) && !lawful(80, 81, None));
        assert!(lawful(4, 6, None) && !lawful(4, 3, None) && !lawful(9, 7, None));
    }

    #[test]
    fn temporary_shards_must_fit_the_quota() {
        let quota = |limit| Some(ShardQuota { limit, open: 30, on_demand_streams_left: None });
        assert!(lawful(20, 30, quota(41)) && !lawful(20, 30, quota(40)));
    }
}

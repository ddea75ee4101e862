//! What a refusal is taken for. Not here: carrying out (the simulator and the wire tests).

use weir_core::units::Shards;

use super::*;
use crate::ledger::StoredAction;

/// AWS has one exception for calls per second, the day's calls and the account's quota.
#[test]
fn a_limit_is_told_apart_by_what_the_ledger_knows() {
    let (four, eight) = (Shards::at_least_one(4), Shards::at_least_one(8));
    let reshard = Change::Reshard { from: four, to: eight };
    let switch = Change::SwitchMode { to: CapacityMode::OnDemand };
    let now = Timestamp::UNIX_EPOCH;
    let told = |said: &str, change, known: Vec<StoredAction>| {
        let known = StreamRecord { actions: known, ..StreamRecord::new(now) };
        let refusal = Refusal(RefusalReason::LimitReached, Some(said.to_owned()));
        match CallFailure::Refused(refusal).told_apart(change, &known) {
            CallFailure::Refused(Refusal(reason, _)) => reason,
            CallFailure::Lost(_) => panic!("not lost"),
        }
    };
    let action = |plan, outcome| {
        let record = ActionRecord { at: now, change: reshard, outcome };
        StoredAction { plan, record, published: true }
    };
    let ours = action(PlanId::of(now, 1, Some(reshard)), Outcome::Accepted);
    let others = action(PlanId::of_external_change(now), Outcome::Accepted);
    let reason = RefusalReason::CallsPerSecond;
    let before = action(PlanId::of(now, 2, Some(reshard)), Outcome::Refused { reason });
    let throttled = "Rate exceeded for stream orders under account 111122223333.";
    let quota = "This request would exceed the shard limit for the account 111122223333";
    assert_eq!(told(throttled, reshard, vec![ours]), RefusalReason::CallsPerSecond);
    assert_eq!(told(throttled, reshard, vec![before]), RefusalReason::LimitReached);
    assert_eq!(told(throttled, reshard, vec![others]), RefusalReason::LimitReached);
    assert_eq!(told(throttled, switch, Vec::new()), RefusalReason::LimitReached);
    assert_eq!(told(quota, reshard, Vec::new()), RefusalReason::AccountQuota);
}

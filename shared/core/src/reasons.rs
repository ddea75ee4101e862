//! Every reason Weir gives, in one closed list: its code, what it means, what to do about it.
//!
//! Codes are public interface: they stand in events, logs and the ledger, and do not change their
//! meaning. Not here: the sentences around them (`weir-control`).

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($name:ident $code:literal $meaning:literal $remedy:literal)+) => {
        /// Why Weir held back, held still or turned something down.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $(
                #[doc = $meaning]
                $name,
            )+
        }

        impl Reason {
            /// All of them, in the order of this list.
            pub const ALL: &'static [Reason] = &[$(Reason::$name),+];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Reason::$name => $code),+ }
            }

            /// What it means, as a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Reason::$name => $meaning),+ }
            }

            /// What a person can do about it, as a sentence.
            pub fn remedy(self) -> &'static str {
                match self { $(Reason::$name => $remedy),+ }
            }
        }
    };
}

reasons! {
    // Clamps: the plan wanted another size than it may have.
    PolicyMinimum "policy_minimum"
        "The policy's min_shards is higher than the demand needs."
        "Lower min_shards if the stream may be smaller."
    PolicyMaximum "policy_maximum"
        "The policy's max_shards is lower than the demand needs."
        "Raise max_shards if the stream may be larger; until then producers may be throttled."
    ScheduleMinimum "schedule_minimum"
        "A scheduled event needs more shards than the demand does, now or soon."
        "Nothing, or lower the schedule's min_shards if the event needs fewer."
    AboveDouble "above_double"
        "One call may at most double the open shards."
        "Nothing: the next reshard goes on from there."
    BelowHalf "below_half"
        "One call must keep at least half of the open shards."
        "Nothing: the next reshard goes on from there."
    StreamLimit "stream_limit"
        "AWS takes one stream to 10,000 shards at most."
        "Spread the traffic over several streams."
    AccountQuota "account_quota"
        "The account's shard quota in this region, temporary shards included, leaves no room for more."
        "Ask AWS for a higher shard quota, or free shards of other streams."
    BudgetSpent "budget_spent"
        "All of the 10 reshards that AWS allows in 24 hours are used."
        "Wait for the oldest to leave the window; the plan says when."
    BudgetReserved "budget_reserved"
        "The last reshards of the day are kept for scale-out."
        "Lower reserved_calls if the stream never needs that many in an emergency."
    ScheduleReserved "schedule_reserved"
        "The reshards left are kept for a scheduled event."
        "Nothing: scale-in goes on when calls are free again."
    WayBack "way_back"
        "With the reshards left, a smaller stream could not grow back to the last day's peak."
        "Nothing: scale-in goes on when calls are free again."
    DataMissing "data_missing"
        "Minutes of traffic data are missing, and missing is not idle."
        "Check the stream's CloudWatch metrics; set missing_data = \"idle\" if no data really means no traffic."
    DataStale "data_stale"
        "The newest traffic data is too old to act on."
        "Check the stream's CloudWatch metrics."
    ConsumerLagging "consumer_lagging"
        "A consumer is behind; fewer shards would slow its catching up."
        "Look at the consumer; scale-in goes on once it has caught up."
    ConsumerSilent "consumer_silent"
        "A consumer that was reading has stopped reporting its position."
        "Check that the consumer still runs."
    DropLooksLikeOutage "drop_looks_like_outage"
        "Traffic fell so far at once that an outage of the producers is likelier than calm."
        "Nothing: if traffic stays low, scale-in follows."
    WritesThrottled "writes_throttled"
        "Writes were throttled a short while ago."
        "If it goes on after a scale-out, look for a hot shard."
    LedgerUnavailable "ledger_unavailable"
        "The ledger could not be read or written, so nobody knows which calls are left."
        "Check the ledger table and the function's rights; scale-out goes on without it, all else waits."
    ModeSwitchesSpent "mode_switches_spent"
        "Both of the mode switches that AWS allows in 24 hours are used."
        "Wait for the older to leave the window; the plan says when."
    ModeSwitchReserved "mode_switch_reserved"
        "The last mode switch of the day is kept for demand that reshards cannot meet in time, or for a scheduled event."
        "Nothing: the switch follows when the other one leaves the window."
    HeldOnDemand "held_on_demand"
        "The stream uses something that only on-demand streams have, so AWS would not let it back to provisioned."
        "Take its channels or automatic record distribution away if it should go back."

    // Holds: nothing is to be done, or not now.
    OnTarget "on_target"
        "The stream has the size the demand needs."
        "Nothing."
    ReshardInProgress "reshard_in_progress"
        "The stream is being changed; AWS allows one change at a time."
        "Nothing: it is looked at again when the change is done."
    ReshardSettling "reshard_settling"
        "A reshard was just accepted and does not show yet."
        "Nothing: it shows within a minute."
    ModeSwitchSettling "mode_switch_settling"
        "A mode switch was just accepted and does not show yet."
        "Nothing: it shows within a minute."
    StreamOnDemand "stream_on_demand"
        "The stream is on demand; AWS sets its shards."
        "Nothing, or switch it to provisioned."
    StreamNotActive "stream_not_active"
        "The stream is being created or deleted."
        "Nothing."
    Paused "paused"
        "An operator paused Weir for this stream."
        "Resume it when it may be changed again."

    // Refusals: an executor turned a plan down.
    ObserveMode "observe_mode"
        "The policy says observe: plans are made and nothing is changed."
        "Set mode = \"act\" when the plans are what you want."
    PlanExpired "plan_expired"
        "The plan is too old to act on."
        "Nothing: a new plan follows."
    PlanSuperseded "plan_superseded"
        "A newer plan exists."
        "Nothing."
    PlanForged "plan_forged"
        "The event asks for something else than the plan of this id."
        "Find out who sends events as Weir; the security page says how to keep others from it."
    PlanAlreadyClaimed "plan_already_claimed"
        "This plan was carried out before; the event came twice."
        "Nothing."
    ActionInFlight "action_in_flight"
        "Another action on this stream is not finished."
        "Nothing: a new plan follows."
    StreamChanged "stream_changed"
        "The stream no longer has the shard count or the mode that the plan started from."
        "Nothing: a new plan follows. If somebody changes it by hand, pause Weir for it."
    StreamBusy "stream_busy"
        "The stream is not ACTIVE; AWS allows one change at a time."
        "Nothing: a new plan follows."
    StreamMissing "stream_missing"
        "The stream does not exist."
        "Remove it from the policies if it is gone for good."
    TargetRefused "target_refused"
        "AWS does not take the shard count or the mode asked for."
        "Report it: Weir should not have asked."
    LimitReached "limit_reached"
        "AWS refused with a limit: the day's calls, the calls per second or a quota of the account."
        "Check for tools or people who change this stream too; their calls count as well."
    AccessDenied "access_denied"
        "AWS refused for want of rights."
        "Give the function the right its role should have."
    OutcomeUnknown "outcome_unknown"
        "The call was sent and its answer was lost; it counts as used."
        "Nothing: the next look at the stream tells."
    ServiceFailed "service_failed"
        "AWS failed or could not be reached."
        "Nothing: it is tried again."

    // Alerts: what is said of failures, and why nothing is.
    DrainAfterReshard "drain_after_reshard"
        "The consumer reads through what a reshard left in the old shards; it is held back for an hour at most."
        "Nothing: if it lasts, it is told."
    AlertsOff "alerts_off"
        "The policy says that failures of this stream's consumers are not told."
        "Set consumer_alerts in the policy to hear of them."
    DeadLetters "dead_letters"
        "Events that Weir could not work on lie in its dead-letter queue."
        "Read them: each says which rule and function it was for, and why it failed."
    TickMissing "tick_missing"
        "For minutes Weir was not woken or its ticks failed, so streams and consumers go unguarded."
        "Check that the schedules are enabled, then read the logs of plan-capacity and raise-alerts."

    TestAlert "test_alert"
        "Somebody tries out who hears of failures."
        "Nothing: you read this, so messages arrive."

    // Skips: no plan was made.
    Unmanaged "unmanaged"
        "No policy covers the stream."
        "Add it to a policy if Weir should guard it."
    PolicyInvalid "policy_invalid"
        "The stream's policy has a fault, so the stream is left as it is."
        "Run weir check and mend the policy."
    NotForUs "not_for_us"
        "The event names no stream that Weir could act on."
        "Narrow the rule that sent it."
    EventUnreadable "event_unreadable"
        "The event is not of a shape Weir knows."
        "See the log for the place of the fault."
}

impl Reason {
    /// Whether it holds only while a change of the stream is under way.
    pub fn is_passing(self) -> bool {
        use Reason::{ModeSwitchSettling, ReshardInProgress, ReshardSettling};
        matches!(self, ReshardInProgress | ReshardSettling | ModeSwitchSettling)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_unique_and_is_what_serde_writes() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            let value =
                serde::de::value::StrDeserializer::<serde::de::value::Error>::new(reason.code());
            assert_eq!(Reason::deserialize(value).as_ref(), Ok(reason), "{reason}");
        }
    }

    #[test]
    fn every_reason_speaks_in_sentences() {
        for reason in Reason::ALL {
            for text in [reason.meaning(), reason.remedy()] {
                assert!(
                    text.ends_with('.') && text.starts_with(char::is_uppercase),
                    "{reason}: {text}"
                );
            }
        }
    }
}

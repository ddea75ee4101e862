//! The catalogue of reasons: one row for every reason Weir gives, with its code, the kinds it is
//! given as, who hears of it, what it means and what to do about it.
//!
//! Codes are public interface: they stand in events, logs and the ledger, and do not change their
//! meaning. One type per kind is made from the rows, so that a reason of the wrong kind does not
//! compile:
//!
//! ```compile_fail,E0599
//! use weir_core::plan::Action;
//! use weir_core::reasons::HoldReason;
//! let action = Action::Hold(HoldReason::PlanForged); // is given for a refusal, never for a hold
//! ```
//!
//! Not here: the sentences around them (`weir-control`).

#[macro_use]
mod by_kind;

use serde::{Deserialize, Serialize};

/// What a reason is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonKind {
    /// A limit that changes the size asked for.
    Clamp,
    /// A plan that changes nothing.
    Hold,
    /// An order that an executor turns down, or a call that AWS refuses.
    Refusal,
    /// An event or a stream for which no plan is made.
    Skip,
    /// A failure of Weir's own that people are told of.
    Failure,
    /// A failure of which nothing is told.
    Silence,
}

/// Who hears of a reason when it is given; the log always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reporting {
    /// The log only: it is over when a change under way is, and is looked at again in a minute.
    Momentary,
    /// The log only.
    Log,
    /// Subscribers of Weir's events.
    Event,
    /// Subscribers and, by an incident, people.
    Incident,
}

macro_rules! reasons {
    ($(
        $name:ident $code:literal [$($kind:ident: $reporting:ident),+] $meaning:literal $remedy:literal
    )+) => {
        /// Every reason there is, of whichever kind: as it stands in events, logs and the ledger.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $(
                #[doc = $meaning]
                $name,
            )+
        }

        impl Reason {
            /// All of them, in the order of the catalogue.
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

            /// What it is given for, and who hears of it then.
            pub fn kinds(self) -> &'static [(ReasonKind, Reporting)] {
                match self { $(Reason::$name => &[$((ReasonKind::$kind, Reporting::$reporting)),+]),+ }
            }
        }

        by_kind! { [] [] [] [] [] []; $($($kind ($name $reporting $meaning))+)+ }
    };
}

reasons! {
    // Clamps: the plan asks for another size than demand does, or none.
    MinimumStep "minimum_step" [Clamp: Event, Hold: Event]
        "A call that adds shards leads further than demand asks, so that the day's calls last through a rise."
        "Nothing: what is not needed is taken away again when calls allow."
    ReachedSooner "reached_sooner" [Clamp: Event, Hold: Event]
        "Demand is above capacity, and a size that takes fewer splits and merges is in force sooner."
        "Nothing: what is not needed is taken away again when calls allow."
    EffectAwaited "effect_awaited" [Clamp: Event, Hold: Momentary]
        "Writes are refused, and what the shards just added take of them is not seen yet."
        "Nothing: in three minutes at most the next call is decided."
    PolicyMinimum "policy_minimum" [Clamp: Event, Hold: Event]
        "The policy's min_shards is higher than the demand needs."
        "Lower min_shards if the stream may be smaller."
    PolicyMaximum "policy_maximum" [Clamp: Incident, Hold: Event]
        "The policy's max_shards is lower than the demand needs."
        "Raise max_shards if the stream may be larger; until then producers may be throttled."
    ScheduleMinimum "schedule_minimum" [Clamp: Event, Hold: Event]
        "A scheduled event needs more shards than the demand does, now or soon."
        "Nothing, or lower the schedule's min_shards if the event needs fewer."
    AboveDouble "above_double" [Clamp: Event, Hold: Event]
        "One call may at most double the open shards."
        "Nothing: the next reshard goes on from there."
    BelowHalf "below_half" [Clamp: Event, Hold: Event]
        "One call must keep at least half of the open shards."
        "Nothing: the next reshard goes on from there."
    StreamLimit "stream_limit" [Clamp: Incident, Hold: Event]
        "AWS takes one stream to 10,000 shards at most."
        "Spread the traffic over several streams."
    AccountQuota "account_quota" [Clamp: Incident, Hold: Event, Refusal: Incident]
        "The account's shard quota in this region, temporary shards included, leaves no room for more."
        "Ask AWS for a higher shard quota, or free shards of other streams."
    BudgetSpent "budget_spent" [Clamp: Incident, Hold: Incident, Refusal: Event]
        "All of the 10 reshards that AWS allows in 24 hours are used."
        "Wait for the oldest to leave the window; the plan says when."
    BudgetReserved "budget_reserved" [Clamp: Event, Hold: Event]
        "The last reshards of the day are kept for scale-out."
        "Lower reserved_calls if the stream never needs that many in an emergency."
    ScheduleReserved "schedule_reserved" [Clamp: Event, Hold: Event]
        "The reshards left are kept for a scheduled event."
        "Nothing: scale-in goes on when calls are free again."
    WayBack "way_back" [Clamp: Event, Hold: Event]
        "With the reshards left, a smaller stream could not grow back to the last day's peak."
        "Nothing: scale-in goes on when calls are free again."
    Learning "learning" [Clamp: Event, Hold: Event]
        "Less than a day of the stream's traffic is known, too little to take shards away on."
        "Nothing: it ends with the first day; earlier traffic that CloudWatch holds counts."
    DataMissing "data_missing" [Clamp: Event, Hold: Event]
        "Minutes of traffic data are missing, and missing is not idle."
        "Check the stream's CloudWatch metrics; set missing_data = \"idle\" if no data really means no traffic."
    DataStale "data_stale" [Clamp: Event, Hold: Log]
        "The newest traffic data is too old to act on."
        "Check the stream's CloudWatch metrics."
    ConsumerLagging "consumer_lagging" [Clamp: Event, Hold: Event]
        "A consumer is behind; fewer shards would slow its catching up."
        "Look at the consumer; scale-in goes on once it has caught up."
    ConsumerSilent "consumer_silent" [Clamp: Event, Hold: Event]
        "A consumer that was reading has stopped reporting its position."
        "Check that the consumer still runs."
    DropLooksLikeOutage "drop_looks_like_outage" [Clamp: Event, Hold: Event]
        "Traffic fell so far at once that an outage of the producers is likelier than calm, or it did so lately."
        "Nothing: if traffic stays low, or as it is after an outage, scale-in follows."
    WritesThrottled "writes_throttled" [Clamp: Event, Hold: Event]
        "Writes were throttled a short while ago."
        "If it goes on after a scale-out, look for a hot shard."
    LedgerUnavailable "ledger_unavailable" [Clamp: Incident, Hold: Event, Refusal: Incident, Skip: Log]
        "The ledger could not be read or written, so nobody knows which calls are left."
        "Check the ledger table and the function's rights; scale-out goes on without it, all else waits."
    ModeSwitchesSpent "mode_switches_spent" [Hold: Event, Refusal: Incident]
        "Both of the mode switches that AWS allows in 24 hours are used."
        "Wait for the older to leave the window; the plan says when."
    ModeSwitchReserved "mode_switch_reserved" [Hold: Event]
        "The last mode switch of the day is kept for demand that reshards cannot meet in time, or for a scheduled event."
        "Nothing: the switch follows when the other one leaves the window."
    HeldOnDemand "held_on_demand" [Hold: Event, Refusal: Event]
        "The stream uses something that only on-demand streams have, so AWS would not let it back to provisioned."
        "Take its channels or automatic record distribution away if it should go back."

    // Holds: nothing is to be done, or not now.
    OnTarget "on_target" [Hold: Log]
        "The stream has the size the demand needs."
        "Nothing."
    NotWorthACall "not_worth_a_call" [Hold: Event]
        "Demand is above capacity, by less or for a shorter time than one of the day's reshards is worth."
        "Raise throttled_gib_usd if refused writes cost you more."
    MetricsUnreadable "metrics_unreadable" [Hold: Incident]
        "The traffic metrics could not be read, so nobody knows the demand."
        "See the log for CloudWatch's answer, and check that plan-capacity may call cloudwatch:GetMetricData."
    NoMetrics "no_metrics" [Hold: Incident]
        "CloudWatch holds no traffic of this stream, and missing is not idle."
        "Check the stream's CloudWatch metrics; set missing_data = \"idle\" if no data really means no traffic."
    ReshardInProgress "reshard_in_progress" [Hold: Momentary]
        "The stream is being changed; AWS allows one change at a time."
        "Nothing: it is looked at again when the change is done."
    ReshardStalled "reshard_stalled" [Hold: Incident]
        "Writes have been refused for half an hour while the stream is being changed; AWS allows one change at a time."
        "Let producers write less, or ask AWS support about the change: no plan can help before it ends."
    ReshardSettling "reshard_settling" [Hold: Momentary, Refusal: Event]
        "A reshard was just accepted and does not show yet."
        "Nothing: it shows within a minute."
    ModeSwitchSettling "mode_switch_settling" [Hold: Momentary, Refusal: Event]
        "A mode switch was just accepted and does not show yet."
        "Nothing: it shows within a minute."
    StreamOnDemand "stream_on_demand" [Hold: Log, Refusal: Event, Skip: Log]
        "The stream is on demand; AWS sets its shards."
        "Nothing, or switch it to provisioned."
    StreamNotActive "stream_not_active" [Hold: Log, Refusal: Event]
        "The stream is being created or deleted."
        "Nothing."
    Paused "paused" [Hold: Log, Refusal: Event]
        "An operator paused Weir for this stream."
        "Resume it when it may be changed again."

    // Refusals: an order is turned down, by Weir or by AWS.
    ObserveMode "observe_mode" [Refusal: Event]
        "The policy says observe: plans are made and nothing is changed."
        "Set mode = \"act\" when the plans are what you want."
    PlanExpired "plan_expired" [Refusal: Event]
        "The plan is too old to act on."
        "Nothing: a new plan follows."
    PlanSuperseded "plan_superseded" [Refusal: Event, Skip: Log]
        "A newer plan exists."
        "Nothing."
    PlanForged "plan_forged" [Refusal: Event]
        "The event asks for something else than the plan of this id."
        "Find out who sends events as Weir; the security page says how to keep others from it."
    PlanAlreadyClaimed "plan_already_claimed" [Skip: Log]
        "This plan was carried out before; the event came twice."
        "Nothing."
    ActionInFlight "action_in_flight" [Refusal: Event, Skip: Log]
        "Another action on this stream is not finished."
        "Nothing: a new plan follows."
    StreamChanged "stream_changed" [Refusal: Event]
        "The stream no longer has the shard count or the mode that the plan started from."
        "Nothing: a new plan follows. If somebody changes it by hand, pause Weir for it."
    StreamBusy "stream_busy" [Refusal: Event, Skip: Log]
        "The stream is not ACTIVE; AWS allows one change at a time."
        "Nothing: a new plan follows."
    StreamMissing "stream_missing" [Refusal: Event, Skip: Log]
        "The stream does not exist."
        "Remove it from the policies if it is gone for good."
    LawBroken "law_broken" [Refusal: Incident]
        "The order breaks a limit that no plan may break, so it was not carried out."
        "Report it: Weir should not have asked."
    TargetRefused "target_refused" [Hold: Event, Refusal: Incident, Skip: Log]
        "AWS does not take the shard count or the mode asked for."
        "Report it: Weir should not have asked."
    LimitReached "limit_reached" [Hold: Event, Refusal: Incident, Skip: Log]
        "AWS refused with a limit: the day's calls, the calls per second or a quota of the account."
        "Check for tools or people who change this stream too; their calls count as well."
    CallsPerSecond "calls_per_second" [Refusal: Event]
        "AWS refused with a limit while the day's calls are not used: too many calls at once."
        "Nothing: it is planned anew with the next look."
    OnDemandQuota "on_demand_quota" [Hold: Event]
        "The account has as many streams on demand as it may have in this region."
        "Ask AWS for a higher quota of on-demand streams, or put others back to provisioned."
    AccessDenied "access_denied" [Hold: Event, Refusal: Incident, Skip: Log]
        "AWS refused for want of rights."
        "Give the function the right its role should have."
    OutcomeUnknown "outcome_unknown" [Failure: Incident]
        "The call was sent and its answer was lost; it counts as used."
        "Nothing: the next look at the stream tells."
    ServiceFailed "service_failed" [Hold: Event, Refusal: Incident, Skip: Log]
        "AWS failed or could not be reached."
        "Nothing: it is tried again."

    // Failures of Weir's own, and why nothing is told of a consumer's.
    DrainAfterReshard "drain_after_reshard" [Silence: Log]
        "The consumer reads through what a reshard left in the old shards; it is held back for an hour at most."
        "Nothing: if it lasts, it is told."
    AlertsOff "alerts_off" [Silence: Log]
        "The policy says that failures of this stream's consumers are not told."
        "Set consumer_alerts in the policy to hear of them."
    DeadLetters "dead_letters" [Failure: Incident]
        "Events that Weir could not work on lie in its dead-letter queue."
        "Read them: each says which rule and function it was for, and why it failed."
    TickMissing "tick_missing" [Failure: Incident]
        "For minutes Weir was not woken or its ticks failed, so streams and consumers go unguarded."
        "Check that the schedules are enabled, then read the logs of plan-capacity and raise-alerts."

    TestAlert "test_alert" [Failure: Incident]
        "Somebody tries out who hears of failures."
        "Nothing: you read this, so messages arrive."

    // Skips: no plan is made.
    Unmanaged "unmanaged" [Skip: Log]
        "No policy covers the stream."
        "Add it to a policy if Weir should guard it."
    PolicyInvalid "policy_invalid" [Failure: Incident, Skip: Log]
        "The stream's policy has a fault, so the stream is left as it is."
        "Run weir check and mend the policy."
    NotForUs "not_for_us" [Skip: Log]
        "The event names no stream that Weir could act on."
        "Narrow the rule that sent it."
    AlarmNotFiring "alarm_not_firing" [Skip: Log]
        "The alarm is not in ALARM, so it asks for nothing."
        "Nothing."
    EventUnreadable "event_unreadable" [Skip: Log]
        "The event is not of a shape Weir knows."
        "See the log for the place of the fault."
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

    #[test]
    fn a_kind_has_the_reasons_whose_rows_name_it() {
        let refusals: Vec<Reason> = RefusalReason::ALL.iter().map(|r| Reason::from(*r)).collect();
        let named =
            |reason: &&Reason| reason.kinds().iter().any(|(k, _)| *k == ReasonKind::Refusal);
        assert_eq!(refusals, Reason::ALL.iter().filter(named).copied().collect::<Vec<_>>());
        for clamp in ClampReason::ALL {
            assert_eq!(clamp.code(), HoldReason::from(*clamp).code());
        }
        assert_eq!(ClampReason::DataStale.reporting(), Reporting::Event);
        assert_eq!(HoldReason::DataStale.reporting(), Reporting::Log);
    }
}

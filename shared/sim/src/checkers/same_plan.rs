//! The laws of a plan, of which law 8 says that the same inputs give the same plan. The lint is
//! core's.
//!
//! What a run reads is noted at its ports; from that the plan's inputs are put together again.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use weir_control::ledger::{StoredAction, StreamRecord};
use weir_control::plan_id::PlanId;
use weir_control::ports::{PortError, PortResult};
use weir_core::action::ActionRecord;
use weir_core::history::History;
use weir_core::laws;
use weir_core::observation::{Observation, Signal, StreamState};
use weir_core::plan::{DAYS_PERIOD_SECONDS, Plan, QuotaSeen};
use weir_core::policy::Policy;
use weir_core::series::Series;
use weir_core::units::StreamName;

use super::{Broken, first};
use crate::clock::Seconds;
use crate::metrics::Metrics;

/// What a run of plan-capacity has read.
#[derive(Default)]
pub(crate) struct Seen {
    streams: BTreeMap<StreamName, Look>,
}

#[derive(Default)]
struct Look {
    state: Option<StreamState>,
    /// `None` where the ledger could not be read.
    record: Option<Remembered>,
    traffic: Option<Result<Read, String>>,
}

/// What was read of the metrics. Weeks of them are not kept for this; they are read again.
struct Read {
    at: Seconds,
    publications: u64,
}

/// The part of a stream's record that plans rest on.
struct Remembered {
    actions: Vec<StoredAction>,
    pause: Option<weir_control::ledger::PauseNote>,
    profile: Option<weir_core::profile::StreamProfile>,
}

impl Seen {
    fn look(&mut self, stream: &StreamName) -> &mut Look {
        self.streams.entry(stream.clone()).or_default()
    }

    pub(crate) fn described(&mut self, stream: &StreamName, state: &StreamState) {
        self.look(stream).state = Some(state.clone());
    }

    pub(crate) fn record(
        &mut self,
        stream: &StreamName,
        answer: &PortResult<Option<StreamRecord>>,
    ) {
        self.look(stream).record = answer.as_ref().ok().map(|record| match record {
            Some(record) => Remembered {
                actions: record.actions.clone(),
                pause: record.pause.clone(),
                profile: record.profile.clone(),
            },
            None => Remembered { actions: Vec::new(), pause: None, profile: None },
        });
    }

    /// What the run itself has written since, or tried to write, counts as read.
    pub(crate) fn outcome(&mut self, stream: &StreamName, plan: &PlanId, action: &ActionRecord) {
        let Some(Remembered { actions, .. }) = &mut self.look(stream).record else { return };
        match actions.iter_mut().find(|stored| stored.plan == *plan) {
            Some(stored) => stored.record = *action,
            None => {
                actions.push(StoredAction { plan: plan.clone(), record: *action, published: true })
            }
        }
    }

    pub(crate) fn traffic(
        &mut self,
        stream: &StreamName,
        at: Seconds,
        answer: Result<u64, &PortError>,
    ) {
        self.look(stream).traffic = Some(match answer {
            Ok(publications) => Ok(Read { at, publications }),
            Err(error) => Err(error.to_string()),
        });
    }

    /// Judges the plan by its inputs, and makes it again, unless the metrics have moved on while it
    /// was made.
    pub(crate) fn check_again(
        &self,
        made: &Plan,
        policy: &Policy,
        metrics: &Metrics,
    ) -> Option<Broken> {
        let now = made.planned_at;
        let look = self.streams.get(&made.stream)?;
        let (minutes, days) = match look.traffic.as_ref()? {
            Ok(read) if read.publications != metrics.publications() => return None,
            Ok(read) => {
                let traffic = metrics.traffic(read.at);
                (Signal::Known { value: traffic.minutes, read_at: now }, traffic.days)
            }
            Err(message) => {
                (Signal::Missing(message.clone()), Series::empty(now, DAYS_PERIOD_SECONDS))
            }
        };
        let quota = match made.basis.quota {
            Some(QuotaSeen { quota: value, age_seconds }) => {
                let read_at = now.saturating_sub(SignedDuration::from_secs(age_seconds));
                Signal::Known { value, read_at: read_at.unwrap_or(now) }
            }
            None => Signal::Missing("not read".to_owned()),
        };
        let observation = Observation {
            stream: made.stream.clone(),
            observed_at: now,
            state: look.state.clone()?,
            minutes,
            quota,
        };
        let record = look.record.as_ref();
        let history = History {
            days,
            actions: record.map(|r| r.actions.iter().map(|action| action.record).collect()),
            profile: record.and_then(|r| r.profile.clone()),
            paused: record.and_then(|r| r.pause.as_ref()).is_some_and(|pause| pause.holds(now)),
        };
        first(laws::of_plan(made, policy, &observation, &history))
    }
}

/// Every step from wanted to allowed is a clamp, and what is done is what is allowed.
pub(crate) fn check_clamps(plan: &Plan) -> Option<Broken> {
    first(laws::of_sizing(plan))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::timestamp;
    use weir_core::observation::{CapacityMode, StreamStatus};
    use weir_core::plan::{Action, Clamp, Sizing, plan};
    use weir_core::reasons::ClampReason;
    use weir_core::units::Shards;

    fn made(metrics: &Metrics) -> (Seen, Plan) {
        let stream = StreamName::new("orders").expect("a name");
        let state = StreamState {
            mode: CapacityMode::Provisioned,
            status: StreamStatus::Active,
            open_shards: Shards::at_least_one(4),
            retention_hours: 24,
            held_on_demand_by: None,
            created_at: None,
        };
        let now = timestamp(1_800_000_000);
        let mut seen = Seen::default();
        seen.described(&stream, &state);
        seen.record(&stream, &Ok(None));
        let at = now.as_second();
        seen.traffic(&stream, at, Ok(metrics.publications()));
        let crate::metrics::Published { minutes, days } = metrics.traffic(at);
        let observation = Observation {
            stream,
            observed_at: now,
            state,
            minutes: Signal::Known { value: minutes, read_at: now },
            quota: Signal::Missing("not read".to_owned()),
        };
        let history = History { days, actions: Some(Vec::new()), profile: None, paused: false };
        (seen, plan(&Policy::DEFAULT, &observation, &history, now))
    }

    #[test]
    fn a_plan_that_comes_out_otherwise_is_found() {
        let metrics = Metrics::new(1_799_990_000, 0);
        let (seen, plan) = made(&metrics);
        assert_eq!(seen.check_again(&plan, &Policy::DEFAULT, &metrics), None);
        let other = Plan { open: plan.open.doubled(), ..plan };
        assert!(seen.check_again(&other, &Policy::DEFAULT, &metrics).is_some());
    }

    #[test]
    fn a_difference_without_a_clamp_is_found() {
        let (_, plan) = made(&Metrics::new(1_799_990_000, 0));
        let (wanted, allowed) = (plan.open.doubled(), plan.open);
        let clamp = Clamp { reason: ClampReason::PolicyMaximum, from: wanted, to: allowed };
        let sized = |clamps| Sizing::Sized { wanted, allowed, clamps };
        let explained = Plan { sizing: sized(vec![clamp]), ..plan.clone() };
        assert_eq!(check_clamps(&explained), None);
        assert!(check_clamps(&Plan { sizing: sized(Vec::new()), ..explained.clone() }).is_some());
        let done = Action::Reshard { from: plan.open, to: wanted };
        assert!(check_clamps(&Plan { action: done, ..explained }).is_some());
    }
}

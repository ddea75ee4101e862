//! Planning for the streams of a round, which share the account's quota: what one is given is not
//! there for the next, and those in need come first.
//!
//! Not here: the decision for one stream (`weir_core::plan`), reading, writing.

use jiff::Timestamp;
use weir_core::action::{Change, Outcome};
use weir_core::history::History;
use weir_core::observation::{CapacityMode, Observation, ShardQuota, Signal};
use weir_core::plan::{Action, DAYS_PERIOD_SECONDS, Plan, plan};
use weir_core::policy::OperatingMode;
use weir_core::reshard;
use weir_core::series::Series;

use super::look::Candidate;
use crate::ledger::StreamRecord;
use crate::ports::{PortError, PortResult, QuotaReading, Traffic};

/// What the plans of one run share.
#[derive(Debug)]
pub(super) struct Shared {
    /// The quota as it was read, or why it was not.
    read: Result<QuotaReading, String>,
    /// Shards that plans of this run were given since.
    shards: u32,
    /// Streams that plans of this run send on demand.
    on_demand: u32,
}

/// A stream with its plan.
pub(super) struct Draft<'a> {
    pub(super) candidate: Candidate<'a>,
    observation: Observation,
    history: History,
    pub(super) plan: Plan,
}

impl Shared {
    pub(super) fn of(read: &PortResult<QuotaReading>) -> Shared {
        let read = read.as_ref().map(|reading| *reading).map_err(PortError::to_string);
        Shared { read, shards: 0, on_demand: 0 }
    }

    /// What is left for this stream.
    fn left_for(&self, candidate: &Candidate<'_>) -> Signal<ShardQuota> {
        let QuotaReading { mut quota, read_at } = match &self.read {
            Ok(reading) => *reading,
            Err(message) => return Signal::Missing(message.clone()),
        };
        // The planner takes this stream's shards of now off the account's. Where it was resharded
        // since the reading, the account's are those of before.
        let resharded = candidate.record.as_ref().and_then(|record| size_before(record, read_at));
        if let Some(then) = resharded {
            quota.open = quota.open.saturating_sub(then) + candidate.state.open_shards.get();
        }
        quota.open = quota.open.saturating_add(self.shards);
        quota.on_demand_streams_left =
            quota.on_demand_streams_left.map(|left| left.saturating_sub(self.on_demand));
        Signal::Known { value: quota, read_at }
    }

    /// Takes off what a plan was given. What only observes takes nothing.
    fn take(&mut self, plan: &Plan) {
        match (plan.operating_mode, plan.action) {
            (OperatingMode::Act, Action::Reshard { from, to }) => {
                let more = reshard::peak_open_shards(from, to).saturating_sub(from.get());
                self.shards = self.shards.saturating_add(more);
            }
            (OperatingMode::Act, Action::SwitchMode { to: CapacityMode::OnDemand, .. }) => {
                self.on_demand += 1;
            }
            _ => {}
        }
    }
}

/// The size from which the stream was first resharded after `read_at`, if it was.
fn size_before(record: &StreamRecord, read_at: Timestamp) -> Option<u32> {
    let since = record.actions.iter().map(|action| action.record).filter(|r| r.at > read_at);
    since.filter(|record| matches!(record.outcome, Outcome::Accepted | Outcome::Unknown)).find_map(
        |record| match record.change {
            Change::Reshard { from, .. } => Some(from.get()),
            Change::SwitchMode { .. } => None,
        },
    )
}

/// Plans for all of a round: emergencies first, then in the order given.
pub(super) fn drafts<'a>(
    candidates: Vec<(Candidate<'a>, PortResult<Traffic>)>,
    shared: &mut Shared,
    now: Timestamp,
    failed_calls: &mut Vec<PortError>,
) -> Vec<Draft<'a>> {
    let mut drafts: Vec<Draft<'a>> = candidates
        .into_iter()
        .map(|(candidate, traffic)| draft(candidate, traffic, shared, now, failed_calls))
        .collect();
    drafts.sort_by_key(|draft| !draft.plan.basis.emergency);
    let untouched = (shared.shards, shared.on_demand);
    for draft in &mut drafts {
        let asks = !matches!(draft.plan.action, Action::Hold(_));
        // It was made before others were given theirs.
        if asks && (shared.shards, shared.on_demand) != untouched {
            draft.observation.quota = shared.left_for(&draft.candidate);
            draft.plan = plan(draft.candidate.policy, &draft.observation, &draft.history, now);
        }
        shared.take(&draft.plan);
    }
    drafts
}

fn draft<'a>(
    mut candidate: Candidate<'a>,
    traffic: PortResult<Traffic>,
    shared: &Shared,
    now: Timestamp,
    failed_calls: &mut Vec<PortError>,
) -> Draft<'a> {
    let (minutes, days) = match traffic {
        Ok(Traffic { minutes, days }) => (Signal::Known { value: minutes, read_at: now }, days),
        Err(error) => (Signal::Missing(error.to_string()), Err(error)),
    };
    // Days that are not known are none: the plan says so itself.
    let days = days.unwrap_or_else(|error| {
        failed_calls.push(error);
        Series::empty(now, DAYS_PERIOD_SECONDS)
    });
    let observation = Observation {
        stream: candidate.stream.clone(),
        observed_at: now,
        state: candidate.state.clone(),
        minutes,
        quota: shared.left_for(&candidate),
    };
    let record = &mut candidate.record;
    let history = History {
        days,
        actions: record.as_ref().map(StreamRecord::action_records),
        profile: record.as_mut().and_then(|r| r.profile.take()),
        paused: record.as_ref().and_then(|r| r.pause.as_ref()).is_some_and(|p| p.holds(now)),
    };
    let plan = plan(candidate.policy, &observation, &history, now);
    Draft { candidate, observation, history, plan }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use weir_core::action::ActionRecord;
    use weir_core::observation::{StreamState, StreamStatus};
    use weir_core::policy::Policy;
    use weir_core::series::TrafficPoint;
    use weir_core::units::{Shards, StreamName};

    use super::*;
    use crate::ledger::StoredAction;
    use crate::plan_id::PlanId;

    static POLICY: LazyLock<Policy> =
        LazyLock::new(|| Policy { operating_mode: OperatingMode::Act, ..Policy::default() });

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).expect("a time")
    }

    fn candidate(name: &str, open: u32) -> Candidate<'static> {
        Candidate {
            stream: StreamName::new(name).expect("a name"),
            policy: &POLICY,
            record: Some(StreamRecord::new(now())),
            state: StreamState {
                mode: CapacityMode::Provisioned,
                status: StreamStatus::Active,
                open_shards: Shards::at_least_one(open),
                retention_hours: 24,
                held_on_demand_by: None,
                created_at: None,
            },
            last_seen: None,
        }
    }

    /// Four hours of this load, in shards.
    fn traffic(load: f64) -> PortResult<Traffic> {
        let point = TrafficPoint {
            accepted_bytes: Some(load * 60.0 * 1_048_576.0),
            accepted_records: Some(load * 100.0),
            ..TrafficPoint::default()
        };
        let start = Timestamp::from_second(now().as_second() - 240 * 60).expect("a time");
        let minutes = Series { start, period_seconds: 60, points: vec![point; 240] };
        Ok(Traffic { minutes, days: Ok(Series::empty(now(), DAYS_PERIOD_SECONDS)) })
    }

    fn reading(limit: u32, open: u32, read_at: Timestamp) -> PortResult<QuotaReading> {
        Ok(QuotaReading {
            quota: ShardQuota { limit, open, on_demand_streams_left: None },
            read_at,
        })
    }

    /// Who gets how many shards, in the order in which they get them.
    fn given(streams: &[(&str, u32, f64)], limit: u32) -> Vec<(String, u32)> {
        let open = streams.iter().map(|(_, open, _)| open).sum();
        let mut shared = Shared::of(&reading(limit, open, now()));
        let candidates =
            streams.iter().map(|(name, open, load)| (candidate(name, *open), traffic(*load)));
        let made = drafts(candidates.collect(), &mut shared, now(), &mut Vec::new());
        let size = |draft: &Draft<'_>| match draft.plan.action {
            Action::Reshard { to, .. } => to.get(),
            Action::Hold(_) | Action::SwitchMode { .. } => draft.plan.open.get(),
        };
        made.iter().map(|draft| (draft.candidate.stream.to_string(), size(draft))).collect()
    }

    #[test]
    fn what_one_stream_is_given_is_not_there_for_the_next() {
        let both = [("orders", 100, 180.0), ("clicks", 100, 180.0)];
        let alone: u32 = given(&both[..1], 310).iter().map(|(_, shards)| shards).sum();
        assert_eq!(alone, 200);
        let sizes: Vec<u32> = given(&both, 310).into_iter().map(|(_, shards)| shards).collect();
        assert_eq!(sizes[0], 200);
        assert!(sizes[1] > 100 && 200 + sizes[1] <= 310, "{sizes:?}");
        assert_eq!(given(&both, 20_000).iter().map(|(_, shards)| shards).sum::<u32>(), 400);
    }

    #[test]
    fn those_in_need_come_first() {
        let streams = [("calm", 100, 96.0), ("throttled", 100, 180.0)];
        let order = given(&streams, 310);
        assert_eq!(order[0], ("throttled".to_owned(), 200));
        assert!(order[1].1 < given(&streams, 20_000)[1].1, "{order:?}");
    }

    /// 300 shards elsewhere. The stream went from 100 to 200 after the account's were counted.
    #[test]
    fn a_kept_reading_counts_the_size_of_its_time() {
        let read_at = Timestamp::from_second(now().as_second() - 40).expect("a time");
        let shared = Shared::of(&reading(500, 400, read_at));
        let left = |stream: &Candidate<'_>| match shared.left_for(stream) {
            Signal::Known { value, read_at } => (value.open, read_at),
            Signal::Missing(message) => panic!("{message}"),
        };
        let mut stream = candidate("orders", 200);
        assert_eq!(left(&stream), (400, read_at), "200 of them are its own, as far as is known");
        let from_to = |from, to| Change::Reshard {
            from: Shards::at_least_one(from),
            to: Shards::at_least_one(to),
        };
        let change = from_to(100, 200);
        let record = ActionRecord { at: now(), change, outcome: Outcome::Accepted };
        let plan = PlanId::of(now(), 1, Some(change));
        let action = StoredAction { plan, record, published: true };
        stream.record.as_mut().expect("a record").actions.push(action);
        assert_eq!(left(&stream), (500, read_at), "300 are elsewhere");
    }
}

//! Inputs of a plan for tests: a plain stream, of which each test says what is different.
//!
//! Not here: what is expected of it.

use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::{DAYS_PERIOD_SECONDS, MINUTES_OBSERVED, Plan, plan};
use crate::action::{ActionRecord, Change, Outcome};
use crate::history::History;
use crate::observation::{
    CapacityMode, Observation, ShardQuota, Signal, StreamState, StreamStatus,
};
use crate::policy::schedule::{Need, Schedule, Span, When};
use crate::policy::{Bounds, OperatingMode, Policy};
use crate::series::{Series, TrafficPoint};
use crate::units::{Shards, StreamName};

pub(super) fn shards(count: u32) -> Shards {
    Shards::at_least_one(count)
}

pub(super) fn now() -> Timestamp {
    "2026-11-23T06:00:00Z".parse().expect("a time")
}

/// So many minutes from now, or before it where they are negative.
pub(super) fn after(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) policy: Policy,
    pub(super) observation: Observation,
    pub(super) history: History,
}

impl Case {
    /// A provisioned stream of which two days are known, by the age of its load in minutes.
    pub(super) fn with(open: u32, load: impl Fn(u32) -> f64) -> Case {
        let series = |count: u32, seconds: u32| {
            let point = |index: u32| {
                let age = (count - 1 - index) * seconds / 60;
                let bytes = load(age) * 1_048_576.0 * f64::from(seconds);
                TrafficPoint {
                    accepted_bytes: Some(bytes),
                    accepted_records: Some(bytes / 10_000.0),
                    ..TrafficPoint::default()
                }
            };
            Series {
                start: now() - SignedDuration::from_secs(i64::from(count) * i64::from(seconds)),
                period_seconds: seconds,
                points: (0..count).map(point).collect(),
            }
        };
        let state = StreamState {
            mode: CapacityMode::Provisioned,
            status: StreamStatus::Active,
            open_shards: shards(open),
            retention_hours: 24,
            held_on_demand_by: None,
            created_at: None,
        };
        Case {
            policy: Policy { operating_mode: OperatingMode::Act, ..Policy::DEFAULT },
            observation: Observation {
                stream: StreamName::new("orders").expect("a name"),
                observed_at: now(),
                state,
                minutes: Signal::Known { value: series(MINUTES_OBSERVED, 60), read_at: now() },
                quota: Signal::Missing("not read".to_owned()),
            },
            history: History {
                days: series(2 * 288, DAYS_PERIOD_SECONDS),
                actions: Some(Vec::new()),
                profile: None,
                paused: false,
            },
        }
    }

    /// The same load all the time.
    pub(super) fn steady(open: u32, load: f64) -> Case {
        Case::with(open, |_| load)
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context::of(&self.policy, &self.observation, &self.history, now())
    }

    pub(super) fn plan(&self) -> Plan {
        plan(&self.policy, &self.observation, &self.history, now())
    }

    pub(super) fn bounds(mut self, min: u32, max: u32) -> Case {
        self.policy.bounds = Bounds::new(shards(min), shards(max)).expect("bounds");
        self
    }

    /// So many reshards within the last hours.
    pub(super) fn calls_made(mut self, count: i64) -> Case {
        let open = self.observation.state.open_shards;
        let change = Change::Reshard { from: open, to: open };
        let call =
            |minute| ActionRecord { at: after(-20 - minute), change, outcome: Outcome::Accepted };
        self.history.actions.get_or_insert_default().extend((0..count).map(call));
        self
    }

    pub(super) fn without_ledger(mut self) -> Case {
        self.history.actions = None;
        self
    }

    /// An account of so many shards, of which so many are open, this stream's included.
    pub(super) fn quota(mut self, limit: u32, open: u32) -> Case {
        let value = ShardQuota { limit, open, on_demand_streams_left: None };
        self.observation.quota = Signal::Known { value, read_at: now() };
        self
    }

    /// Two hours that begin in so many minutes and want so many shards.
    pub(super) fn event(mut self, begins: i64, fewest: u32) -> Case {
        let span = Span::new(after(begins), after(begins + 120)).expect("a span");
        let (when, need) = (When::Once(span), Need::Shards(shards(fewest)));
        self.policy.schedules.push(Schedule { name: "sale".to_owned(), when, need });
        self
    }

    /// The minute of this age, 0 being the newest.
    pub(super) fn minute(mut self, age: usize, change: impl Fn(&mut TrafficPoint)) -> Case {
        let points = self.points();
        let newest = points.len() - 1;
        change(&mut points[newest - age]);
        self
    }

    /// Every minute of these ages.
    pub(super) fn minutes(
        self,
        ages: std::ops::Range<usize>,
        change: impl Fn(&mut TrafficPoint),
    ) -> Case {
        ages.fold(self, |case, age| case.minute(age, &change))
    }

    /// Nothing is known but the newest minutes.
    pub(super) fn young(mut self, minutes: usize) -> Case {
        self.history.days.points.clear();
        let Signal::Known { value, .. } = &mut self.observation.minutes else { panic!("minutes") };
        let unseen = value.points.len() - minutes;
        value.start = value.start_of(unseen);
        value.points.drain(..unseen);
        self
    }

    fn points(&mut self) -> &mut Vec<TrafficPoint> {
        match &mut self.observation.minutes {
            Signal::Known { value, .. } => &mut value.points,
            Signal::Missing(_) => panic!("no minutes"),
        }
    }
}

//! A fleet upon the quotas of one account: how soon a new installation serves everybody, how often
//! a calm stream is looked at, and how soon a surge of all is followed.
//!
//! Every stream is alike. Not here: what calls cost (`weir_sim`).

use jiff::Timestamp;
use weir_core::limits;
use weir_core::observation::CapacityMode;
use weir_core::plan::Action;
use weir_core::policy::{OperatingMode, Policy, PolicySet};
use weir_core::units::{Shards, StreamName};
use weir_sim::record::{ApiUse, StreamRun};
use weir_sim::settings::{MetricDelay, Settings};
use weir_sim::simulation::Simulation;
use weir_sim::trace::{Minute, Recorded, Trace};

/// Bytes a minute that fill one shard.
const SHARD_MINUTE_BYTES: f64 = 60.0 * limits::SHARD_WRITE_BYTES_PER_SECOND;
const RECORD_BYTES: f64 = 1_200.0;
/// Shards of each stream at first.
const SHARDS: u32 = 2;
/// Load of each stream in shards, before the surge and from then on.
const CALM: f64 = 1.0;
const SURGE: f64 = 3.0;
/// Alarms of a stream itself.
const ALARMS: usize = 2;
/// Minutes between the last alarm of the installation and the surge: every stream has its looks.
const CALM_MINUTES: usize = 45;
/// Minutes the surge lasts.
const SURGE_MINUTES: usize = 60;

/// What became of a fleet.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetReport {
    /// Streams.
    pub streams: usize,
    /// Streams planned for within two minutes.
    pub at_once: usize,
    /// Minutes until every stream had a plan; `None` where some never did.
    pub all_planned: Option<usize>,
    /// Minutes until every stream had its alarms.
    pub all_alarms: Option<usize>,
    /// Minutes since the last look at each stream, when the surge came: the median and the longest.
    pub looked_at: (i64, i64),
    /// Seconds from the surge to the plan that follows it.
    pub planned: Followed,
    /// Seconds from the surge to the call that AWS accepted.
    pub resharded: Followed,
    /// Laws broken.
    pub violations: usize,
    /// What was made of the account's quotas.
    pub api: ApiUse,
}

/// Seconds until half, nineteen of twenty, and all streams were followed; `None` where they were
/// not within the hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// Half.
    pub half: Option<i64>,
    /// Nineteen of twenty.
    pub most: Option<i64>,
    /// All.
    pub all: Option<i64>,
}

impl Followed {
    fn of(mut seconds: Vec<Option<i64>>) -> Followed {
        seconds.sort_by_key(|at| at.unwrap_or(i64::MAX));
        let share = |of_twenty: usize| {
            let place = (seconds.len() * of_twenty).div_ceil(20).saturating_sub(1);
            seconds.get(place).copied().flatten()
        };
        Followed { half: share(10), most: share(19), all: share(20) }
    }
}

/// Installs Weir over so many streams, waits until all have their alarms and a while longer, and
/// has the load of all rise to three times what it was, in one minute.
pub fn play(streams: usize, settings: Settings) -> FleetReport {
    let start = Timestamp::from_second(1_795_478_400).unwrap_or(Timestamp::UNIX_EPOCH);
    let names: Vec<StreamName> =
        (0..streams).filter_map(|n| StreamName::new(&format!("stream-{n:05}")).ok()).collect();
    // Written at two a second, with what else an hour's round takes.
    let installing = streams * ALARMS / 60 + 30;
    let surge_at = installing + CALM_MINUTES;
    let minutes: Vec<Minute> = (0..surge_at + SURGE_MINUTES)
        .map(|minute| if minute < surge_at { CALM } else { SURGE })
        .map(|load| load * SHARD_MINUTE_BYTES)
        .map(|bytes| Minute { bytes, records: (bytes / RECORD_BYTES).round() })
        .collect();
    let world = names.iter().map(|name| {
        let (name_of, recorded) = (name.to_string(), Recorded::default());
        let trace = Trace { name: name_of, start, minutes: minutes.clone(), recorded };
        (name.clone(), trace, Shards::at_least_one(SHARDS))
    });
    let policy = Policy { operating_mode: OperatingMode::Act, ..Policy::default() };
    // As late as they were seen on real streams. What comes later is followed later.
    let settings = Settings {
        metrics: MetricDelay::Around {
            median_seconds: 50.0,
            p99_seconds: 55.0,
            most_seconds: 60.0,
            apart: 0.0,
        },
        shard_quota: u32::MAX / 4,
        ..settings
    };
    let mut simulation =
        Simulation::new(settings, PolicySet::of_all_streams(policy), world.collect());
    let (mut at_once, mut all_planned, mut all_alarms) = (0, None, None);
    let mut looked_at = (0, 0);
    while let Some(progress) = simulation.step_minute() {
        let minute = progress.minute;
        if all_planned.is_none() {
            let planned = names.iter().filter(|name| simulation.planned_at(name).is_some()).count();
            if minute == 2 {
                at_once = planned;
            }
            all_planned = (planned == streams).then_some(minute);
        }
        if all_alarms.is_none() && simulation.alarm_count() >= ALARMS * streams {
            all_alarms = Some(minute);
        }
        if minute == surge_at {
            looked_at = ages(&names, &simulation, progress.now);
        }
    }
    let api = simulation.api_use();
    let runs = simulation.finish();
    let surge_second = start.as_second() + 60 * i64::try_from(surge_at).unwrap_or(i64::MAX);
    FleetReport {
        streams,
        at_once,
        all_planned,
        all_alarms,
        looked_at,
        planned: Followed::of(runs.iter().map(|run| planned(run, surge_second)).collect()),
        resharded: Followed::of(runs.iter().map(|run| resharded(run, surge_second)).collect()),
        violations: runs.iter().map(|run| run.violations.len()).sum(),
        api,
    }
}

/// Minutes since the last look at each: the median and the longest.
fn ages(names: &[StreamName], simulation: &Simulation, now: Timestamp) -> (i64, i64) {
    let age = |name| {
        let planned_at: Option<Timestamp> = simulation.planned_at(name);
        planned_at.map_or(i64::MAX, |at| (now.as_second() - at.as_second()) / 60)
    };
    let mut ages: Vec<i64> = names.iter().map(age).collect();
    ages.sort_unstable();
    (ages.get(ages.len() / 2).copied().unwrap_or(0), ages.last().copied().unwrap_or(0))
}

fn planned(run: &StreamRun, since: i64) -> Option<i64> {
    let more = |action| matches!(action, Action::Reshard { from, to } if to > from);
    let on_demand =
        |action| matches!(action, Action::SwitchMode { to, .. } if to == CapacityMode::OnDemand);
    let follows = run.plans.iter().filter(|plan| more(plan.action) || on_demand(plan.action));
    follows.map(|plan| plan.planned_at.as_second() - since).find(|seconds| *seconds >= 0)
}

fn resharded(run: &StreamRun, since: i64) -> Option<i64> {
    let more = run.reshards.iter().filter(|reshard| reshard.to > reshard.from);
    more.map(|reshard| reshard.called_at.as_second() - since).find(|seconds| *seconds >= 0)
}

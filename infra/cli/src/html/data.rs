//! The numbers that the page draws: a value a minute, the highest of several where a recording is
//! long. Values that stay for long are written where they change.

use jiff::Timestamp;
use serde::Serialize;
use weir_bench::score::scored_minutes;
use weir_core::limits::BUDGET_WINDOW_SECONDS;
use weir_core::observation::CapacityMode;
use weir_core::plan::Plan;
use weir_core::profile::Refusals;
use weir_sim::record::{MinuteRecord, StreamRun};

use crate::played::{Played, round};

/// More points than this are drawn no better.
const POINTS_MAX: usize = 40_000;
/// From which use to which the curve is drawn.
const CURVE_PERCENT: std::ops::RangeInclusive<u32> = 40..=140;
/// Digits of a number of shards.
const DIGITS: i32 = 3;

/// A place and the value from there on.
type Change = (usize, f64);
/// From and to, seconds since 1970.
type Span = (i64, i64);

/// One stream's.
#[derive(Serialize)]
pub(super) struct StreamData {
    /// What its charts share.
    key: String,
    /// Start of the first point, seconds since 1970.
    start: i64,
    /// Until here it warms up, and is not scored.
    scored_from: i64,
    /// Seconds between points.
    step: usize,
    /// Shards' worth.
    demand: Vec<f64>,
    /// Open shards, or what on-demand takes.
    nominal: Vec<Change>,
    /// What of it the traffic can use before the first write is refused.
    usable: Vec<Change>,
    /// Share, 0 to 1.
    refused: Vec<Change>,
    /// Reshards of the last 24 hours.
    budget: Vec<Change>,
    gaps: Vec<Span>,
    on_demand: Vec<Span>,
    actions: Vec<DrawnAction>,
    /// What was learnt of it: use of the open shards and the share that is refused there; none
    /// where nothing was learnt.
    #[serde(skip_serializing_if = "Option::is_none")]
    curve: Option<Vec<(f64, f64)>>,
}

#[derive(Serialize)]
struct DrawnAction {
    at: i64,
    from: String,
    to: String,
    why: String,
}

impl StreamData {
    pub(super) fn of(played: &Played) -> StreamData {
        let (run, trace) = (&played.backtest.run, &played.recording.trace);
        let each = run.minutes.len().div_ceil(POINTS_MAX).max(1);
        let highest = |value: &dyn Fn(&MinuteRecord) -> f64| -> Vec<f64> {
            let points = run.minutes.chunks(each);
            points.map(|chunk| chunk.iter().map(value).fold(0.0, f64::max)).collect()
        };
        let nominal = highest(&|minute| round(minute.capacity_shards, DIGITS));
        let evenness = &played.setting.evenness;
        let usable = |(place, shards): (usize, &f64)| {
            round(shards / evenness.at(place * each).busiest_second(), DIGITS)
        };
        let usable: Vec<f64> = nominal.iter().enumerate().map(usable).collect();
        let start = run.start.as_second();
        let second = |minute: usize| start.saturating_add(seconds(minute));
        let step = 60 * each;
        let at = |place: usize| second(place * each);
        StreamData {
            key: trace.name.clone(),
            start,
            scored_from: second(scored_minutes(run.minutes.len()).start),
            step,
            demand: highest(&|minute| round(minute.offered().load().get(), DIGITS)),
            usable: changes(&usable),
            refused: changes(&highest(&|minute| round(minute.refused_share, 6))),
            budget: changes(&budget(run, nominal.len(), at)),
            nominal: changes(&nominal),
            gaps: trace
                .recorded
                .gaps
                .iter()
                .map(|gap| (second(gap.start), second(gap.end)))
                .collect(),
            on_demand: on_demand(&run.minutes, second),
            actions: played
                .backtest
                .actions()
                .into_iter()
                .map(|action| DrawnAction {
                    at: action.called_at.as_second(),
                    from: action.from,
                    to: action.to,
                    why: action.why,
                })
                .collect(),
            curve: learnt(run).map(|learnt| learnt.curve()),
        }
    }
}

/// What a run learnt of how its stream refuses writes.
pub(super) struct LearntRefusals<'a> {
    /// The newest plan that says what was learnt.
    pub(super) plan: &'a Plan,
    refusals: &'a Refusals,
}

/// As the newest plan has it that was kept; none where nothing was learnt.
pub(super) fn learnt(run: &StreamRun) -> Option<LearntRefusals<'_>> {
    run.plans.iter().rev().find_map(|plan| {
        let refusals = &plan.learnt.as_ref()?.refusals;
        refusals.days().map(|_| LearntRefusals { plan, refusals })
    })
}

impl LearntRefusals<'_> {
    /// Use of the open shards, and the share that is refused there.
    fn curve(&self) -> Vec<(f64, f64)> {
        let shards = f64::from(self.plan.open.get());
        let at = |percent: u32| {
            let used = f64::from(percent) / 100.0;
            (used, round(self.refusals.model.refused_share(used * shards, shards), 6))
        };
        CURVE_PERCENT.step_by(2).map(at).collect()
    }
}

fn seconds(minutes: usize) -> i64 {
    i64::try_from(minutes).unwrap_or(i64::MAX).saturating_mul(60)
}

/// Where values change.
#[allow(clippy::float_cmp)] // the same number, not one near it
fn changes(values: &[f64]) -> Vec<Change> {
    let mut before = None;
    let changes = values.iter().enumerate().filter(|(_, value)| {
        let changed = before != Some(**value);
        before = Some(**value);
        changed
    });
    changes.map(|(place, value)| (place, *value)).collect()
}

/// Reshards that count at each point.
fn budget(run: &StreamRun, points: usize, at: impl Fn(usize) -> i64) -> Vec<f64> {
    let called = |at: &Timestamp| at.as_second();
    let calls: Vec<i64> = run.reshards.iter().map(|reshard| called(&reshard.called_at)).collect();
    let in_window = |now: i64| {
        let counts = calls.iter().filter(|call| (now - BUDGET_WINDOW_SECONDS..=now).contains(call));
        u32::try_from(counts.count()).map_or(f64::MAX, f64::from)
    };
    (0..points).map(|place| in_window(at(place))).collect()
}

fn on_demand(minutes: &[MinuteRecord], second: impl Fn(usize) -> i64) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (index, minute) in minutes.iter().enumerate() {
        if minute.mode != CapacityMode::OnDemand {
            continue;
        }
        match spans.last_mut() {
            Some(span) if span.1 == second(index) => span.1 = second(index + 1),
            _ => spans.push((second(index), second(index + 1))),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_where_they_change() {
        assert_eq!(changes(&[1.0, 1.0, 2.0, 2.0, 1.0]), [(0, 1.0), (2, 2.0), (4, 1.0)]);
        assert_eq!(changes(&[]), []);
    }

    #[test]
    fn time_on_demand_is_told_in_spans() {
        let minute = |mode| MinuteRecord {
            offered_bytes: 0.0,
            offered_records: 0.0,
            refused_share: 0.0,
            mode,
            open_shards: 1.0,
            capacity_shards: 1.0,
        };
        use CapacityMode::{OnDemand, Provisioned};
        let minutes = [Provisioned, OnDemand, OnDemand, Provisioned, OnDemand].map(minute);
        assert_eq!(on_demand(&minutes, seconds), [(60, 180), (240, 300)]);
    }
}

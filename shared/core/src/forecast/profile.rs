//! Forecast model of a stream: weights of the experts by lead, and the distribution of their
//! errors.
//!
//! Learning looks at a week of past forecasts, so it is done now and then and kept; it is the only
//! part of a forecast that is not made afresh each time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::errors::{ErrorTables, ForecastError};
use super::experts::{self, COUNT, View};
use super::levels::{BLOCK_MINUTES, DAY, FLOOR, Levels};
use super::past::Past;
use crate::demand::Demand;
use crate::throttling::model::SecondsGroup;

/// Learnt afresh after this many hours.
const KEPT_HOURS: i64 = 6;
/// Sooner for a stream with little past: each hour doubles what is known of it.
const KEPT_HOURS_YOUNG: i64 = 1;
/// Past blocks looked at.
const LOOKED_BACK: usize = 7 * DAY;
/// The weight of a past forecast falls by a factor of e in so many days.
const FORGETTING_DAYS: f64 = 3.0;
/// How sharply the better expert is preferred: weights are (loss over best loss) to the minus this.
const SHARPNESS: i32 = 3;
/// Leads, in blocks, at which experts are compared; each stands for all leads up to the bound
/// beside it.
const LEADS: [(usize, usize); 5] = [(1, 2), (4, 6), (12, 18), (40, 72), (140, usize::MAX)];
/// Leads whose errors are kept: until a reshard is in force, and as far as one can be told to wait
/// for.
const NEAR: usize = 0;
const FAR: usize = 1;
/// From this lead on, in blocks, errors are taken to be those of the far lead: later plans will see
/// what this one cannot, so only what they could not mend is charged.
const FAR_FROM: usize = 2;
/// Leads, of those above, at which the last minutes count extra: those up to an hour and a half.
const ATTUNED_LEADS: usize = 3;
/// Blocks that make up the last minutes: half an hour.
const ATTUNED_BLOCKS: usize = 6;
/// Added to a loss, as a logarithm: experts within 5 % of what came are equally good.
const ATTUNED_FLOOR: f64 = 0.05;
/// The first block from which experts have an hour to look back on.
const FIRST_ORIGIN: usize = 13;
/// Typical ratios of a minute to its block that are kept.
const WITHIN: usize = 24;

/// What was learnt of one stream, kept between plans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// When it was learnt.
    pub learnt_at: Timestamp,
    /// How many blocks of past it was learnt from.
    pub(super) blocks: usize,
    /// The highest of them, in shards.
    pub(super) highest: f64,
    weights: Vec<[f64; COUNT]>,
    near: ErrorTables,
    far: ErrorTables,
    past: Past,
}

impl Profile {
    /// Learns from all that is known at `now`.
    pub(super) fn learn(levels: &Levels, minutes: &[Demand], now: Timestamp) -> Profile {
        let judged = backtest(levels);
        let weights: Vec<[f64; COUNT]> =
            (0..LEADS.len()).map(|lead| weigh(&judged, lead)).collect();
        let within = within_blocks(minutes);
        let spread =
            |index: usize| ErrorTables::learn(residuals(&judged, index, &weights[index]), &within);
        let (near, far) = (spread(NEAR), spread(FAR));
        let (blocks, highest) = (levels.len(), levels.peak(usize::MAX));
        let past = Past::learn(levels);
        Profile { learnt_at: now, blocks, highest, weights, near, far, past }
    }

    /// How high demand was.
    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    /// Whether it should be learnt afresh.
    pub(super) fn is_stale(&self, levels: &Levels, now: Timestamp) -> bool {
        let young = self.blocks < DAY && levels.len() > self.blocks;
        let kept = SignedDuration::from_hours(if young { KEPT_HOURS_YOUNG } else { KEPT_HOURS });
        let age = now.duration_since(self.learnt_at);
        let sound =
            self.weights.len() == LEADS.len() && self.near.is_sound() && self.far.is_sound();
        age >= kept || age < SignedDuration::ZERO || !sound
    }

    /// The weights, with more trust in experts that were right in the last minutes: a week of calm
    /// says little of whom to trust in a surge.
    pub(super) fn reweighted_by_last_minutes(&self, levels: &Levels) -> Vec<[f64; COUNT]> {
        let mut weights = self.weights.clone();
        for (weights, (blocks, _)) in weights.iter_mut().zip(LEADS).take(ATTUNED_LEADS) {
            let end = levels.len().saturating_sub(blocks);
            let start = end.saturating_sub(ATTUNED_BLOCKS).max(FIRST_ORIGIN).min(end);
            let mut losses = [0.0; COUNT];
            for origin in start..end {
                let actual = levels.floored(origin + blocks).ln();
                for (loss, said) in
                    losses.iter_mut().zip(View::from(levels, origin).predict(blocks))
                {
                    *loss += said.map_or(0.0, |said| (said - actual).abs());
                }
            }
            #[allow(clippy::cast_precision_loss)] // six
            let count = (end - start).max(1) as f64;
            for (weight, loss) in weights.iter_mut().zip(losses) {
                *weight /= loss / count + ATTUNED_FLOOR;
            }
        }
        weights
    }

    /// The distribution of the errors that single seconds make of a forecast.
    pub(super) fn errors_of_seconds(&self, groups: &[SecondsGroup]) -> ErrorsByLead {
        ErrorsByLead { near: self.near.of_seconds(groups), far: self.far.of_seconds(groups) }
    }
}

/// Error distributions of all leads.
pub(super) struct ErrorsByLead {
    near: ErrorTables,
    far: ErrorTables,
}

impl ErrorsByLead {
    /// That of a forecast, in shards, for the block `lead` blocks ahead.
    pub(super) fn around(&self, lead: usize, forecast: f64) -> ForecastError<'_> {
        let tables = if lead < FAR_FROM { &self.near } else { &self.far };
        tables.around(forecast)
    }
}

/// The expected load of the block `lead` blocks ahead, as a logarithm, by weights as a profile
/// gives them.
pub(super) fn expect(weights: &[[f64; COUNT]], view: &View<'_>, lead: usize) -> f64 {
    let bucket = LEADS.iter().position(|(_, below)| lead < *below).unwrap_or(LEADS.len() - 1);
    experts::mix(&view.predict(lead), &weights[bucket])
}

/// A past forecast and what it was a forecast of.
struct Backtested {
    /// Index into `LEADS`.
    lead: usize,
    age_days: f64,
    predicted: [Option<f64>; COUNT],
    /// Logarithm of the actual load.
    actual: f64,
}

/// What would have been forecast in the past, at each lead that is learnt about.
#[allow(clippy::cast_precision_loss)] // blocks of a week
fn backtest(levels: &Levels) -> Vec<Backtested> {
    let first = levels.len().saturating_sub(LOOKED_BACK).max(FIRST_ORIGIN).min(levels.len());
    let every = |lead: usize| match lead {
        NEAR | FAR => 1,
        _ => 6,
    };
    let mut past = Vec::new();
    for origin in first..levels.len() {
        let view = View::from(levels, origin);
        for (lead, (blocks, _)) in LEADS.iter().enumerate() {
            if origin + blocks < levels.len() && origin.is_multiple_of(every(lead)) {
                past.push(Backtested {
                    lead,
                    age_days: (levels.len() - origin) as f64 / DAY as f64,
                    predicted: view.predict(*blocks),
                    actual: levels.floored(origin + blocks).ln(),
                });
            }
        }
    }
    past
}

/// Weights of the experts at a lead, by their recent mistakes.
fn weigh(past: &[Backtested], lead: usize) -> [f64; COUNT] {
    let (mut losses, mut counts) = ([0.0; COUNT], [0.0; COUNT]);
    for judged in past.iter().filter(|judged| judged.lead == lead) {
        let weight = (-judged.age_days / FORGETTING_DAYS).exp();
        for (expert, said) in judged.predicted.iter().enumerate() {
            if let Some(said) = said {
                losses[expert] += weight * (said - judged.actual).abs();
                counts[expert] += weight;
            }
        }
    }
    let judged = |expert: usize| counts[expert] > 0.5;
    let loss = |expert: usize| (losses[expert] / counts[expert]).max(1e-4);
    let best = (0..COUNT).filter(|e| judged(*e)).map(loss).fold(f64::INFINITY, f64::min);
    if !best.is_finite() {
        // Nothing to judge by yet: things stay as they are.
        let mut weights = [0.0; COUNT];
        weights[0] = 1.0;
        return weights;
    }
    std::array::from_fn(|e| if judged(e) { (loss(e) / best).powi(-SHARPNESS) } else { 0.0 })
}

fn residuals(past: &[Backtested], lead: usize, weights: &[f64; COUNT]) -> Vec<(f64, f64)> {
    past.iter()
        .filter(|judged| judged.lead == lead)
        .map(|judged| {
            let forecast = experts::mix(&judged.predicted, weights);
            (forecast.exp(), (judged.actual - forecast).exp())
        })
        .collect()
}

/// Ratios of a minute to the mean of its five minutes, evenly picked from the sorted ones.
fn within_blocks(minutes: &[Demand]) -> Vec<f64> {
    let mut ratios: Vec<f64> = minutes
        .rchunks_exact(BLOCK_MINUTES)
        .filter_map(|block| {
            let loads: Vec<f64> =
                block.iter().filter_map(|d| d.load()).map(|l| l.get() + FLOOR).collect();
            #[allow(clippy::cast_precision_loss)] // five
            let mean = loads.iter().sum::<f64>() / loads.len() as f64;
            (loads.len() == BLOCK_MINUTES).then(|| loads.into_iter().map(move |load| load / mean))
        })
        .flatten()
        .collect();
    if ratios.is_empty() {
        return vec![1.0];
    }
    ratios.sort_by(f64::total_cmp);
    (0..WITHIN).map(|i| ratios[(2 * i + 1) * ratios.len() / (2 * WITHIN)]).collect()
}

//! What has been learnt of a stream: which experts to trust at which lead, and how far demand strays.
//!
//! Learning looks at a week of past forecasts, so it is done now and then and kept; it is the only part of
//! a forecast that is not made afresh each time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::experts::{self, COUNT};
use super::levels::{BLOCK_MINUTES, DAY, Levels};
use super::spread::Spread;
use crate::demand::Demand;

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
/// Leads, in blocks, at which experts are compared; each stands for all leads up to the bound beside it.
const LEADS: [(usize, usize); 5] = [(1, 2), (4, 6), (12, 18), (40, 72), (140, usize::MAX)];
/// Leads whose straying is kept: until a reshard is in force, and as far as one can be told to wait for.
const NEAR: usize = 0;
const FAR: usize = 1;
/// From this lead on, in blocks, straying is taken to be that of the far lead: later plans will see what
/// this one cannot, so only what they could not mend is charged.
const FAR_FROM: usize = 2;
/// Typical ratios of a minute to its block that are kept.
const WITHIN: usize = 24;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// When it was learnt.
    pub learnt_at: Timestamp,
    /// How many blocks of past it was learnt from.
    blocks: usize,
    weights: Vec<[f64; COUNT]>,
    near: Spread,
    far: Spread,
}

impl Profile {
    /// Learns from all that is known at `now`.
    pub(super) fn learn(levels: &Levels, minutes: &[Demand], now: Timestamp) -> Profile {
        let weights: Vec<[f64; COUNT]> =
            LEADS.iter().map(|(lead, _)| weigh(levels, *lead)).collect();
        let within = within_blocks(minutes);
        let spread =
            |index: usize| Spread::learn(strays(levels, LEADS[index].0, &weights[index]), &within);
        let (near, far) = (spread(NEAR), spread(FAR));
        Profile { learnt_at: now, blocks: levels.len(), weights, near, far }
    }

    /// Whether it should be learnt afresh.
    pub(super) fn is_stale(&self, levels: &Levels, now: Timestamp) -> bool {
        let young = self.blocks < DAY && levels.len() > self.blocks;
        let kept = SignedDuration::from_hours(if young { KEPT_HOURS_YOUNG } else { KEPT_HOURS });
        let age = now.duration_since(self.learnt_at);
        age >= kept || age < SignedDuration::ZERO || self.weights.len() != LEADS.len()
    }

    /// The expected load of the block `lead` blocks ahead, as a logarithm.
    pub(super) fn expect(&self, levels: &Levels, lead: usize) -> f64 {
        let bucket = LEADS.iter().position(|(_, below)| lead < *below).unwrap_or(LEADS.len() - 1);
        experts::mix(&experts::say(levels, levels.len(), lead), &self.weights[bucket])
    }

    /// Expected demand above `capacity` in the block `lead` blocks ahead, for this forecast.
    pub(super) fn overflow(&self, lead: usize, forecast: f64, capacity: f64) -> f64 {
        let spread = if lead < FAR_FROM { &self.near } else { &self.far };
        spread.overflow(forecast, capacity)
    }
}

/// Past origins from which a forecast of `lead` blocks can be compared with what came.
fn origins(levels: &Levels, lead: usize) -> std::ops::Range<usize> {
    let end = levels.len().saturating_sub(lead);
    end.saturating_sub(LOOKED_BACK).max(13).min(end)..end
}

/// Weights of the experts at a lead, by their recent mistakes.
#[allow(clippy::cast_precision_loss)] // blocks of a week
fn weigh(levels: &Levels, lead: usize) -> [f64; COUNT] {
    let step = if lead < 12 { 3 } else { 6 };
    let (mut losses, mut counts) = ([0.0; COUNT], [0.0; COUNT]);
    for origin in origins(levels, lead).step_by(step) {
        let came = levels.floored(origin + lead).ln();
        let age_days = (levels.len() - origin) as f64 / DAY as f64;
        let weight = (-age_days / FORGETTING_DAYS).exp();
        for (expert, said) in experts::say(levels, origin, lead).iter().enumerate() {
            if let Some(said) = said {
                losses[expert] += weight * (said - came).abs();
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

fn strays(levels: &Levels, lead: usize, weights: &[f64; COUNT]) -> Vec<(f64, f64)> {
    origins(levels, lead)
        .map(|origin| {
            let forecast = experts::mix(&experts::say(levels, origin, lead), weights).exp();
            (forecast, levels.floored(origin + lead) / forecast)
        })
        .collect()
}

/// Ratios of a minute to the mean of its five minutes, evenly picked from the sorted ones.
fn within_blocks(minutes: &[Demand]) -> Vec<f64> {
    const FLOOR: f64 = 0.05;
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

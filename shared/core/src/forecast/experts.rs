//! Simple forecasters, each right for some streams: their mixture is right for most.
//!
//! All speak in logarithms of load. An earlier day is shifted by how far today's last hour is from
//! that day's; the shift fades with the lead, at a different pace for each expert.

use std::array;
use std::sync::LazyLock;

use super::levels::{DAY, Levels};

/// How many there are.
pub(super) const COUNT: usize = 9;

/// Blocks of "now", and of "the last hour".
const NOW: usize = 3;
const HOUR: usize = 12;
/// Days whose same hour is looked at.
const DAYS: usize = 7;
/// The last few of them.
const FEW_DAYS: usize = 3;
/// What is left of a trend after each further block: it goes on for ten blocks' worth in all.
const DAMPING: f64 = 0.9;

/// What is left, at some lead, of what holds now. It is the same for every stream, and asked for a
/// thousand times in a plan: so it is worked out once.
struct Fading {
    /// After a pace of so many blocks, each a constant of one expert or two.
    by_24: f64,
    by_48: f64,
    by_72: f64,
    by_288: f64,
    /// The sum of a trend that fades with each block.
    rises: f64,
}

static FADING: LazyLock<[Fading; DAY]> = LazyLock::new(|| array::from_fn(Fading::at));

impl Fading {
    #[allow(clippy::cast_precision_loss)] // a day of blocks
    fn at(lead: usize) -> Fading {
        let lead = lead as f64;
        let by = |blocks: f64| (-lead / blocks).exp();
        Fading {
            by_24: by(24.0),
            by_48: by(48.0),
            by_72: by(72.0),
            by_288: by(288.0),
            rises: (1.0 - DAMPING.powf(lead + 1.0)) / (1.0 - DAMPING),
        }
    }
}

/// A point in time from which experts look ahead: what all leads share is worked out once.
pub(super) struct View<'a> {
    levels: &'a Levels,
    origin: usize,
    now: f64,
    /// Rise per block, over the last half hour.
    slope: f64,
    usual: f64,
    /// How many earlier days there are, up to [`DAYS`].
    days: usize,
    /// How far the last hour is above that of so many days before, less one.
    shifts: [f64; DAYS],
}

impl<'a> View<'a> {
    /// Looks ahead from before the block `origin`.
    pub(super) fn from(levels: &'a Levels, origin: usize) -> View<'a> {
        let hour = levels.level(origin, HOUR);
        let now = levels.level(origin, NOW);
        let days = (origin.saturating_sub(HOUR) / DAY).min(DAYS);
        let shift = |day: usize| hour - levels.level(origin - day * DAY, HOUR);
        let shifts = array::from_fn(|before| if before < days { shift(before + 1) } else { 0.0 });
        #[allow(clippy::cast_precision_loss)] // three
        let slope = match origin.checked_sub(NOW) {
            Some(before) if before >= NOW => (now - levels.level(before, NOW)) / NOW as f64,
            _ => 0.0,
        };
        View { levels, origin, now, slope, usual: levels.level(origin, DAY), days, shifts }
    }

    /// What each expert predicts for the block `origin + lead`, less than a day ahead; `None` where
    /// it has too little past. The first always predicts.
    pub(super) fn predict(&self, lead: usize) -> [Option<f64>; COUNT] {
        let lead = lead % DAY;
        let fading = &FADING[lead];
        // The blocks of earlier days that correspond to the target.
        let of_days = |level: &dyn Fn(usize) -> f64| {
            let mut then = [0.0; DAYS];
            for (before, then) in then[..self.days].iter_mut().enumerate() {
                *then = level(self.origin + lead - (before + 1) * DAY);
            }
            then
        };
        let then = of_days(&|block| self.levels.smooth(block));
        // What runs by the clock peaks in one block each day: its neighbours would blur it.
        let to_the_block = of_days(&|block| self.levels.floored(block));
        let earlier =
            |day: usize| (day <= self.days).then(|| (then[day - 1].ln(), self.shifts[day - 1]));
        let yesterday = earlier(1);
        let last_week = earlier(DAYS);
        let mean_of = |days: usize, then: &[f64; DAYS]| {
            // The sum of logarithms is that of the product: one is taken instead of seven.
            let product = || then[..days].iter().product::<f64>();
            let shift = || self.shifts[..days].iter().sum::<f64>();
            #[allow(clippy::cast_precision_loss)] // seven
            let count = days as f64;
            let mean = || product().ln() / count + shift() / count * fading.by_48;
            (days <= self.days).then(mean)
        };
        [
            Some(self.now),
            yesterday.map(|(then, shift)| then + shift * fading.by_24),
            yesterday.map(|(then, shift)| then + shift * fading.by_288),
            last_week.map(|(then, shift)| then + shift * fading.by_48),
            mean_of(DAYS, &then),
            Some(self.usual + (self.now - self.usual) * fading.by_72),
            Some(self.now + self.slope * fading.rises),
            mean_of(DAYS, &to_the_block),
            mean_of(FEW_DAYS, &then),
        ]
    }
}

/// The weighted mean of those that speak.
pub(super) fn mix(predicted: &[Option<f64>; COUNT], weights: &[f64; COUNT]) -> f64 {
    let (sum, weight) = predicted
        .iter()
        .zip(weights)
        .filter_map(|(predicted, weight)| predicted.map(|load| (load * weight, *weight)))
        .fold((0.0, 0.0), |(sum, total), (load, weight)| (sum + load, total + weight));
    if weight > 0.0 { sum / weight } else { predicted[0].unwrap_or(0.0) }
}

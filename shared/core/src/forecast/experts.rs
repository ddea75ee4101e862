//! Simple forecasters, each right for some streams: their mixture is right for most.
//!
//! All speak in logarithms of load. An earlier day is shifted by how far today's last hour is from that
//! day's; the shift fades with the lead, at a different pace for each expert.

use super::levels::{DAY, Levels};

/// How many there are.
pub(super) const COUNT: usize = 7;

/// Blocks of "now", and of "the last hour".
const NOW: usize = 3;
const HOUR: usize = 12;
/// Days whose same hour is looked at.
const DAYS: usize = 7;
/// What is left of a trend after each further block: it goes on for ten blocks' worth in all.
const DAMPING: f64 = 0.9;

/// A point in time from which experts look ahead: what all leads share is worked out once.
pub(super) struct View<'a> {
    levels: &'a Levels,
    origin: usize,
    now: f64,
    /// Rise per block, over the last half hour.
    slope: f64,
    usual: f64,
    /// How far the last hour is above that of so many days before; as many as there is past for.
    shifts: Vec<f64>,
}

impl<'a> View<'a> {
    /// Looks ahead from before the block `origin`.
    pub(super) fn from(levels: &'a Levels, origin: usize) -> View<'a> {
        let hour = levels.level(origin, HOUR);
        let now = levels.level(origin, NOW);
        let shifts = (1..=DAYS)
            .map(|day| day * DAY)
            .take_while(|back| origin >= back + HOUR)
            .map(|back| hour - levels.level(origin - back, HOUR))
            .collect();
        #[allow(clippy::cast_precision_loss)] // three
        let slope = match origin.checked_sub(NOW) {
            Some(before) if before >= NOW => (now - levels.level(before, NOW)) / NOW as f64,
            _ => 0.0,
        };
        View { levels, origin, now, slope, usual: levels.level(origin, DAY), shifts }
    }

    /// What each expert says of the block `lead` blocks after the block before the origin; `None` where it
    /// has too little past. The first always speaks.
    pub(super) fn say(&self, lead: usize) -> [Option<f64>; COUNT] {
        #[allow(clippy::cast_precision_loss)] // a day of blocks
        let fading = |blocks: f64| (-(lead as f64) / blocks).exp();
        // The block of an earlier day that corresponds to the target. Leads stay below a day.
        let then = |day: usize| self.levels.smooth(self.origin + lead % DAY - day * DAY);
        let earlier = |day: usize| self.shifts.get(day - 1).map(|shift| (then(day), *shift));
        let yesterday = earlier(1);
        let last_week = earlier(DAYS);
        let all_week = last_week.map(|_| {
            let then: f64 = (1..=DAYS).map(then).sum();
            let shift: f64 = self.shifts.iter().sum();
            #[allow(clippy::cast_precision_loss)] // seven
            let days = DAYS as f64;
            then / days + shift / days * fading(48.0)
        });
        // The sum of a trend that fades with each block.
        #[allow(clippy::cast_precision_loss)] // a day of blocks
        let rises = (1.0 - DAMPING.powf(lead as f64 + 1.0)) / (1.0 - DAMPING);
        [
            Some(self.now),
            yesterday.map(|(then, shift)| then + shift * fading(24.0)),
            yesterday.map(|(then, shift)| then + shift * fading(288.0)),
            last_week.map(|(then, shift)| then + shift * fading(48.0)),
            all_week,
            Some(self.usual + (self.now - self.usual) * fading(72.0)),
            Some(self.now + self.slope * rises),
        ]
    }
}

/// The weighted mean of those that speak.
pub(super) fn mix(said: &[Option<f64>; COUNT], weights: &[f64; COUNT]) -> f64 {
    let (sum, weight) = said
        .iter()
        .zip(weights)
        .filter_map(|(said, weight)| said.map(|said| (said * weight, *weight)))
        .fold((0.0, 0.0), |(sum, total), (said, weight)| (sum + said, total + weight));
    if weight > 0.0 { sum / weight } else { said[0].unwrap_or(0.0) }
}

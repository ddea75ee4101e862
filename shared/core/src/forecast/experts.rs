//! Simple forecasters, each right for some streams: their mixture is right for most.
//!
//! All speak in logarithms of load. An earlier day is shifted by how far today's last hour is from that
//! day's; the shift fades with the lead, at a different pace for each expert.

use super::levels::{DAY, Levels};

/// How many there are.
pub(super) const COUNT: usize = 6;

/// Blocks of "now", and of "the last hour".
const NOW: usize = 3;
const HOUR: usize = 12;
const WEEK: usize = 7 * DAY;

/// What each expert says of the block `lead` blocks after the block before `origin`; `None` where it has
/// too little past. The first always speaks.
pub(super) fn say(levels: &Levels, origin: usize, lead: usize) -> [Option<f64>; COUNT] {
    let now = levels.level(origin, NOW);
    let hour = levels.level(origin, HOUR);
    #[allow(clippy::cast_precision_loss)] // a day of blocks
    let fading = |blocks: f64| (-(lead as f64) / blocks).exp();
    // The earlier block that corresponds to the target: leads beyond a day look at the same day again.
    let earlier = |back: usize| {
        let lead = lead % back;
        (origin >= back + HOUR).then(|| {
            let then = levels.smooth((origin + lead - back).min(levels.len() - 1));
            (then, hour - levels.level(origin - back, HOUR))
        })
    };
    let yesterday = earlier(DAY);
    let last_week = earlier(WEEK);
    let all_week = last_week.map(|_| {
        let (then, shift) = (1..=7)
            .filter_map(|day| earlier(day * DAY))
            .fold((0.0, 0.0), |(then, shift), (t, s)| (then + t / 7.0, shift + s / 7.0));
        then + shift * fading(48.0)
    });
    let usual = levels.level(origin, DAY);
    [
        Some(now),
        yesterday.map(|(then, shift)| then + shift * fading(24.0)),
        yesterday.map(|(then, shift)| then + shift * fading(288.0)),
        last_week.map(|(then, shift)| then + shift * fading(48.0)),
        all_week,
        Some(usual + (now - usual) * fading(72.0)),
    ]
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

//! Chance, all of it from one seed. Each part of the world has dice of its own, so that one part's
//! throws never change another's.

use std::ops::RangeInclusive;

use fastrand::Rng;

/// Where the 99th percentile of a normal distribution lies, in standard deviations.
const P99_DEVIATIONS: f64 = 2.326;

/// One part's dice.
#[derive(Clone, Debug)]
pub(crate) struct Dice(Rng);

impl Dice {
    /// The dice of the part called `part`.
    pub(crate) fn new(seed: u64, part: &str) -> Dice {
        let salt = part.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Dice(Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt))
    }

    /// Whether something of this probability happens now. What never happens takes no throw.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.0.f64() < probability
    }

    pub(crate) fn seconds(&mut self, range: &RangeInclusive<i64>) -> i64 {
        if range.start() >= range.end() { *range.start() } else { self.0.i64(range.clone()) }
    }

    /// A time that is usually near `median`, and one time in a hundred beyond `p99`: lognormal, in
    /// whole seconds.
    pub(crate) fn around(&mut self, median: f64, p99: f64, most: f64) -> i64 {
        let deviation = (p99 / median).ln() / P99_DEVIATIONS;
        let (u, v) = (self.0.f64().max(f64::MIN_POSITIVE), self.0.f64());
        let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        let seconds = (median * (deviation * normal).exp()).min(most).round();
        #[allow(clippy::cast_possible_truncation)] // at most `most` seconds
        {
            seconds as i64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_delays_are_near_the_median_and_seldom_beyond_p99() {
        let mut dice = Dice::new(7, "metrics");
        let mut delays: Vec<i64> = (0..10_000).map(|_| dice.around(50.0, 180.0, 600.0)).collect();
        delays.sort_unstable();
        assert!((48..=52).contains(&delays[5_000]), "median {}", delays[5_000]);
        assert!((160..=200).contains(&delays[9_900]), "p99 {}", delays[9_900]);
        assert!(delays[9_999] <= 600 && delays[0] >= 0);
    }

    #[test]
    fn parts_throw_for_themselves() {
        let throws = |part| {
            let mut dice = Dice::new(1, part);
            [0; 8].map(|_| dice.seconds(&(0..=1_000_000)))
        };
        assert_eq!(throws("bus"), throws("bus"));
        assert_ne!(throws("bus"), throws("metrics"));
    }
}

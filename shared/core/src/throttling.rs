//! What a stream refuses (throttles) of a write load: one formula for the simulator, the bench's
//! rules, its optimum, and whoever plans with it.
//!
//! A shard takes 1 MiB and 1,000 records in each second, each shard for itself (Kinesis developer
//! guide, quotas). Metrics tell the sum of a minute over all shards. Between the two lies how
//! evenly traffic comes: over the seconds of a minute, and over the hash range that the shards
//! divide among them. A shard with the share `w` of a load of `x` shards refuses, of the whole
//! load,
//!
//! ```text
//! mean over seconds s of  max(0, x · w · u(s) − 1) / x
//! ```
//!
//! where `u(s)` is the second's factor on the mean rate. The stream refuses the sum of that over
//! its shards. Even traffic is the limit case: every factor is 1 and every share is 1/n, and
//! nothing is refused below capacity.
//!
//! Below, learning from a stream's own minutes how it refuses: which of them tell (`evidence`),
//! what they tell (`model`), and how much of what is refused is missing (`retries`).
//!
//! Not here: how many shards to have.

mod causes;
pub mod evidence;
mod fit;
pub mod model;
pub mod retries;

use std::ops::Range;

use thiserror::Error;

use crate::units::ShardLoad;

/// How far the mean of the seconds' factors may be from 1: they are written with few digits.
const MEAN_TOLERANCE: f64 = 1e-3;

/// How evenly a stream's traffic lies over the seconds of a minute and over its hash range.
#[derive(Clone, Debug, PartialEq)]
pub struct Evenness {
    /// Largest first; none where all seconds are equal.
    seconds: Vec<Second>,
    /// By their place.
    hot_keys: Vec<HotKey>,
    /// The share of the traffic that is spread evenly over the hash range.
    spread: f64,
}

/// A second of the minute, among those at least as busy.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Second {
    /// Its rate, as a multiple of the minute's mean.
    factor: f64,
    /// The sum of the factors up to and with this one.
    sum: f64,
}

/// A partition key with a share of the traffic that matters by itself. No reshard divides it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HotKey {
    /// Where its hash lies in the hash range, 0 to below 1.
    pub place: f64,
    /// Its share of the stream's traffic, 0 to 1.
    pub share: f64,
}

/// Factors or keys that describe no traffic.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum NotEvenness {
    /// The factors of the seconds.
    #[error("factors of seconds are numbers from 0 on with a mean of 1; theirs is {mean}")]
    Seconds {
        /// Their mean.
        mean: f64,
    },
    /// A hot key outside the hash range, or hot keys with more than all traffic.
    #[error("hot keys lie from 0 to below 1, and their shares are 0 to 1 in all")]
    HotKeys,
}

impl Evenness {
    /// The same in every second, and the same for every part of the hash range.
    pub const EVEN: Evenness = Evenness { seconds: Vec::new(), hot_keys: Vec::new(), spread: 1.0 };

    /// From the factors of equally likely seconds (their rate over the minute's mean; none for
    /// equal seconds), and the hot keys; the rest of the traffic is spread evenly over the hash
    /// range.
    ///
    /// # Errors
    /// Where the factors' mean is not 1, a key lies outside the hash range, or the keys have more
    /// than all traffic.
    pub fn new(factors: &[f64], hot_keys: &[HotKey]) -> Result<Evenness, NotEvenness> {
        let sound = |key: &HotKey| (0.0..1.0).contains(&key.place) && key.share >= 0.0;
        let spread = 1.0 - hot_keys.iter().map(|key| key.share).sum::<f64>();
        if !hot_keys.iter().all(sound) || spread.is_nan() || spread < 0.0 {
            return Err(NotEvenness::HotKeys);
        }
        let mut factors = factors.to_vec();
        factors.sort_by(|a, b| b.total_cmp(a));
        let mut sum = 0.0;
        let seconds: Vec<Second> = factors
            .iter()
            .map(|&factor| {
                sum += factor;
                Second { factor, sum }
            })
            .collect();
        let mean = if factors.is_empty() { 1.0 } else { sum / length(&factors) };
        let positive = factors.iter().all(|factor| factor.is_finite() && *factor >= 0.0);
        if !positive || (mean - 1.0).abs() > MEAN_TOLERANCE {
            return Err(NotEvenness::Seconds { mean });
        }
        let mut hot_keys = hot_keys.to_vec();
        hot_keys.sort_by(|a, b| a.place.total_cmp(&b.place));
        Ok(Evenness { seconds, hot_keys, spread })
    }

    /// Sixty seconds that lie evenly around the mean, and equal keys. The busiest second has nearly
    /// this multiple of the mean rate, 1 to 2; anything else is taken for the nearest of these.
    pub fn with_busiest_second(multiple: f64) -> Evenness {
        let most = multiple.clamp(1.0, 2.0) - 1.0;
        let factor = |second: u32| 1.0 + most * (2.0 * (f64::from(second) + 0.5) / 60.0 - 1.0);
        let factors: Vec<f64> = (0..60).map(factor).collect();
        Evenness::new(&factors, &[]).unwrap_or(Evenness::EVEN)
    }

    /// The busiest second's rate, as a multiple of the minute's mean; at least 1.
    pub fn busiest_second(&self) -> f64 {
        self.seconds.first().map_or(1.0, |second| second.factor.max(1.0))
    }

    /// The keys that no reshard divides.
    pub fn hot_keys(&self) -> &[HotKey] {
        &self.hot_keys
    }

    /// The share of the stream's traffic, 0 to 1, that goes to a part of its hash range, which is
    /// taken as 0 to 1.
    pub fn share_of(&self, range: Range<f64>) -> f64 {
        let keys = self.hot_keys.iter().filter(|key| range.contains(&key.place));
        self.spread * (range.end - range.start) + keys.map(|key| key.share).sum::<f64>()
    }

    /// The share of `load`, 0 to 1, that is refused by open shards with equal parts of the hash
    /// range. Their number may be a fraction, as a mean over a minute in which shards were opened
    /// or closed, and as what a stream on demand takes; where there are hot keys, it is rounded up.
    pub fn refused_share(&self, load: ShardLoad, shards: f64) -> f64 {
        let x = load.get();
        if x <= 0.0 {
            return 0.0;
        }
        if self.hot_keys.is_empty() {
            return match self.seconds.is_empty() {
                true if x > shards => 1.0 - shards / x,
                true => 0.0,
                false => shards * self.excess(x / shards) / x,
            };
        }
        let count = (shards - 1e-9).ceil().max(1.0);
        let even = x * self.spread / count;
        let shard = |key: &HotKey| (key.place * count).floor();
        let with_keys = self.hot_keys.chunk_by(|a, b| shard(a) == shard(b));
        let (mut refused, mut others) = (0.0, count);
        for keys in with_keys {
            refused += self.excess(even + x * keys.iter().map(|key| key.share).sum::<f64>());
            others -= 1.0;
        }
        (refused + others * self.excess(even)) / x
    }

    /// What is refused by one shard with a mean load of so many shards, in shards.
    fn excess(&self, load: f64) -> f64 {
        if self.seconds.is_empty() {
            return (load - 1.0).max(0.0);
        }
        let over = self.seconds.partition_point(|second| load * second.factor > 1.0);
        let Some(last) = over.checked_sub(1).and_then(|last| self.seconds.get(last)) else {
            return 0.0;
        };
        (load * last.sum - length(&self.seconds[..over])) / length(&self.seconds)
    }
}

#[allow(clippy::cast_precision_loss)] // seconds of a minute
fn length<T>(of: &[T]) -> f64 {
    of.len() as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn load(shards: f64) -> ShardLoad {
        ShardLoad::new(shards)
    }

    /// Uneven seconds, the busiest at about this multiple of the mean, and a hot key.
    fn uneven(busiest: f64, key: HotKey) -> Evenness {
        let seconds = Evenness::with_busiest_second(busiest).seconds;
        let factors: Vec<f64> = seconds.iter().map(|second| second.factor).collect();
        Evenness::new(&factors, &[key]).expect("evenness")
    }

    /// The formula of the module's header, second by second and shard by shard.
    fn by_the_second(factors: &[f64], shares: &[f64], x: f64) -> f64 {
        let of = |share: f64| {
            let over = factors.iter().map(|factor| (x * share * factor - 1.0).max(0.0));
            over.sum::<f64>() / factors.len() as f64 / x
        };
        shares.iter().map(|share| of(*share)).sum()
    }

    #[test]
    fn an_even_stream_refuses_what_exceeds_its_capacity() {
        let refused = |x, shards| Evenness::EVEN.refused_share(load(x), shards);
        assert_eq!([refused(0.0, 1.0), refused(8.0, 10.0), refused(20.0, 10.0)], [0.0, 0.0, 0.5]);
        assert_eq!(refused(3.0, 1.5), 0.5);
    }

    #[test]
    fn busy_seconds_are_refused_before_the_mean_is() {
        let uneven = Evenness::new(&[0.5, 1.5], &[]).expect("a mean of 1");
        let refused = |x| uneven.refused_share(load(x), 10.0);
        assert_eq!([refused(6.0), refused(10.0), refused(20.0)], [0.0, 0.25, 0.5]);
        assert_eq!(uneven.busiest_second(), 1.5);
    }

    #[test]
    fn a_hot_key_fills_its_shard_whatever_the_size() {
        let key = HotKey { place: 0.3, share: 0.5 };
        let hot = Evenness::new(&[], &[key]).expect("half the traffic");
        // Of a load of 4, the key has 2: one of them is refused, and at 2 shards half a shard more
        // of what else comes to its shard.
        for shards in [16.0, 64.0, 512.0] {
            let rest = 2.0 / shards;
            assert!((hot.refused_share(load(4.0), shards) - (1.0 + rest) / 4.0).abs() < 1e-9);
        }
        assert_eq!(hot.share_of(0.0..0.5), 0.75);
        assert_eq!(hot.share_of(0.5..1.0), 0.25);
    }

    #[test]
    fn what_describes_no_traffic_is_turned_down() {
        let key = |place, share| HotKey { place, share };
        let keys = |keys: &[HotKey]| Evenness::new(&[], keys);
        assert_eq!(keys(&[key(1.0, 0.1)]), Err(NotEvenness::HotKeys));
        assert_eq!(keys(&[key(0.1, 0.6), key(0.2, 0.6)]), Err(NotEvenness::HotKeys));
        assert_eq!(keys(&[key(0.1, f64::NAN)]), Err(NotEvenness::HotKeys));
        for factors in [vec![2.0], vec![-1.0, 3.0], vec![f64::NAN], vec![0.0, f64::INFINITY]] {
            let found = Evenness::new(&factors, &[]);
            assert!(matches!(found, Err(NotEvenness::Seconds { .. })), "{factors:?}: {found:?}");
        }
        assert_eq!(Evenness::new(&[], &[]), Ok(Evenness::EVEN));
    }

    proptest! {
        #[test]
        fn it_is_the_formula_summed_over_seconds_and_shards(
            low in prop::collection::vec(0.0..1.0f64, 1..30), x in 0.1..60.0f64,
            shards in 1u32..40, place in 0.0..1.0f64, share in 0.0..0.9f64,
        ) {
            // Each has its opposite, so that the mean is 1.
            let factors: Vec<f64> = low.iter().flat_map(|factor| [*factor, 2.0 - factor]).collect();
            let key = HotKey { place, share };
            let uneven = Evenness::new(&factors, &[key]).expect("evenness");
            let n = f64::from(shards);
            let shares: Vec<f64> = (0..shards)
                .map(|shard| {
                    let start = f64::from(shard) / n;
                    let holds = (start..start + 1.0 / n).contains(&place);
                    (1.0 - share) / n + if holds { share } else { 0.0 }
                })
                .collect();
            let expected = by_the_second(&factors, &shares, x);
            prop_assert!((uneven.refused_share(load(x), n) - expected).abs() < 1e-9);
        }

        #[test]
        fn more_shards_never_refuse_more_and_more_load_is_never_refused_less(
            busiest in 1.0..2.0f64, x in 0.1..60.0f64, more in 0.0..30.0f64,
            shards in 1.0..40.0f64, others in 0.0..40.0f64,
        ) {
            let uneven = Evenness::with_busiest_second(busiest);
            let refused = uneven.refused_share(load(x), shards);
            prop_assert!(uneven.refused_share(load(x), shards + others) <= refused + 1e-12);
            prop_assert!(uneven.refused_share(load(x + more), shards) >= refused - 1e-12);
        }

        /// Twice the shards: each range is halved, so a hot key's shard carries less beside it.
        #[test]
        fn splitting_every_shard_never_refuses_more(
            busiest in 1.0..2.0f64, x in 0.1..60.0f64, shards in 1u32..40,
            place in 0.0..1.0f64, share in 0.0..0.9f64,
        ) {
            let key = HotKey { place, share };
            let stream = uneven(busiest, key);
            let refused = |shards| stream.refused_share(load(x), f64::from(shards));
            prop_assert!(refused(2 * shards) <= refused(shards) + 1e-9);
        }

        #[test]
        fn unevenness_refuses_more_than_even_traffic_and_less_than_all(
            busiest in 1.0..2.0f64, x in 0.1..60.0f64, shards in 1u32..40,
            place in 0.0..1.0f64, share in 0.0..0.9f64,
        ) {
            let key = HotKey { place, share };
            let stream = uneven(busiest, key);
            let n = f64::from(shards);
            let refused = stream.refused_share(load(x), n);
            prop_assert!(refused >= Evenness::EVEN.refused_share(load(x), n) - 1e-9);
            prop_assert!(refused < 1.0);
            // Where nothing peaks above its shard, nothing is refused.
            let fullest = x * (share + (1.0 - share) / n) * stream.busiest_second();
            prop_assert!(fullest > 1.0 || refused == 0.0);
        }
    }
}

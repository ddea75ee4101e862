//! How an uneven stream refuses writes: each shard takes 1 MiB and 1,000 records in each second, alone.
//!
//! Here: the share of a minute's load that so many equal shards refuse, given how the load lies over the
//! seconds of the minute and over the hash range. Not here: learning it from what CloudWatch tells
//! (`learnt`), or what follows for the size (`plan`).

pub mod attempts;
pub mod evidence;
pub mod learnt;

use std::cmp::Ordering;

/// How traffic lies over the seconds of a minute and over the hash range. The default is even over both.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evenness {
    seconds: Seconds,
    /// Hot keys: place in the hash range, 0 to 1, and share of the traffic; by place.
    keys: Vec<(f64, f64)>,
    /// Share of the traffic that lies evenly over the hash range.
    rest: f64,
}

/// Factors of the seconds of a minute.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seconds {
    /// Largest first; none at all is an even minute.
    factors: Vec<f64>,
    /// `sums[i]` is the sum of the first `i` factors.
    sums: Vec<f64>,
}

/// What is no distribution of traffic.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Uneven {
    /// Factors of seconds that do not average to one.
    #[error("the factors of the seconds have the mean {0}, and must have 1")]
    Mean(f64),
    /// A key outside of the hash range, or shares that are no shares.
    #[error("hot keys need a place from 0 to 1 and shares that come to 1 at most")]
    Keys,
}

impl Evenness {
    /// Equally likely factors of a minute's mean rate, and hot keys as (place in the hash range, share of the
    /// traffic). No factors: seconds are equal.
    ///
    /// # Errors
    /// Where the factors do not average to 1, or the keys are none.
    pub fn new(mut factors: Vec<f64>, mut keys: Vec<(f64, f64)>) -> Result<Evenness, Uneven> {
        #[allow(clippy::cast_precision_loss)] // sixty
        let mean = factors.iter().sum::<f64>() / factors.len().max(1) as f64;
        if !factors.is_empty()
            && ((mean - 1.0).abs() > 1e-3 || factors.iter().any(|factor| *factor < 0.0))
        {
            return Err(Uneven::Mean(mean));
        }
        let rest = 1.0 - keys.iter().map(|(_, share)| share).sum::<f64>();
        let sound = |(place, share): &(f64, f64)| (0.0..1.0).contains(place) && *share >= 0.0;
        if rest < 0.0 || !keys.iter().all(sound) {
            return Err(Uneven::Keys);
        }
        factors.sort_by(|a, b| b.total_cmp(a));
        keys.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal));
        let sums = std::iter::once(0.0)
            .chain(factors.iter().scan(0.0, |sum, factor| {
                *sum += factor;
                Some(*sum)
            }))
            .collect();
        Ok(Evenness { seconds: Seconds { factors, sums }, keys, rest })
    }

    /// The busiest second, as a multiple of the mean.
    pub fn busiest_second(&self) -> f64 {
        self.seconds.factors.first().copied().unwrap_or(1.0)
    }

    /// Whether there are hot keys.
    pub fn has_hot_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// The share of a load, in shards, that so many shards of equal ranges refuse, 0 to 1. A part of a shard
    /// counts as a whole one where traffic is uneven.
    pub fn refused_share(&self, load: f64, shards: f64) -> f64 {
        if load <= 0.0 {
            return 0.0;
        }
        let shards = if *self == Evenness::default() { shards } else { (shards - 1e-9).ceil() };
        let shards = shards.max(if *self == Evenness::default() { 0.0 } else { 1.0 });
        if self.keys.is_empty() {
            return shards * self.seconds.above_one(load / shards.max(1e-9)) / load;
        }
        let even = self.rest / shards;
        let (mut above, mut hot, mut index) = (0.0, 0.0, 0);
        while index < self.keys.len() {
            let shard = |place: f64| (place * shards).floor().min(shards - 1.0);
            let here = shard(self.keys[index].0);
            let mut share = even;
            while index < self.keys.len() && shard(self.keys[index].0) == here {
                share += self.keys[index].1;
                index += 1;
            }
            above += self.seconds.above_one(load * share);
            hot += 1.0;
        }
        (above + (shards - hot) * self.seconds.above_one(load * even)) / load
    }
}

impl Seconds {
    /// Of a shard with a mean load of `load`: the mean of what its seconds bring above one.
    #[allow(clippy::cast_precision_loss)] // sixty
    fn above_one(&self, load: f64) -> f64 {
        if self.factors.is_empty() {
            return (load - 1.0).max(0.0);
        }
        let over = self.factors.partition_point(|factor| load * factor > 1.0);
        (load * self.sums[over] - over as f64) / self.factors.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_stream_refuses_what_is_above_capacity() {
        let even = Evenness::default();
        assert_eq!([8.0, 20.0].map(|load| even.refused_share(load, 10.0)), [0.0, 0.5]);
    }

    #[test]
    fn busy_seconds_refuse_before_the_mean_does() {
        let uneven = Evenness::new(vec![0.5, 1.5], Vec::new()).expect("two seconds");
        assert_eq!(uneven.refused_share(6.0, 10.0), 0.0);
        assert_eq!(uneven.refused_share(8.0, 10.0), 0.125);
        assert!((uneven.refused_share(20.0, 10.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_hot_key_is_refused_whatever_the_size() {
        let hot = Evenness::new(Vec::new(), vec![(0.3, 0.5)]).expect("a key");
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} for {b}");
        near(hot.refused_share(4.0, 10.0), (2.0 + 0.2 - 1.0) / 4.0);
        near(hot.refused_share(4.0, 1000.0), (2.0 + 0.002 - 1.0) / 4.0);
        assert_eq!(Evenness::new(vec![2.0], Vec::new()), Err(Uneven::Mean(2.0)));
        assert_eq!(Evenness::new(Vec::new(), vec![(0.1, 0.7), (0.2, 0.7)]), Err(Uneven::Keys));
    }
}

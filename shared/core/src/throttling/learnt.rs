//! How a stream refuses writes, learnt from its own minutes and the sizes it had in them.
//!
//! Two causes are told apart. *Seconds*: some seconds of a minute bring `z` times its mean, so a load `x` on
//! `n` shards loses `z - n/x` of it in them; more shards cure that. *Keys*: a key with a share `w` of the traffic
//! loses `w + 1/n - 1/x` whatever the size is; more shards cure little of it. What a minute refuses is the sum
//! over causes, each as strong as it is likely; how likely, is found by maximum likelihood with a prior
//! (Richardson-Lucy deconvolution: refusals are counts, and causes cannot be negative).
//!
//! Here: evidence, and what is learnt from it. Not here: sizes in the past (`sizes`), what to do about it (`plan`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Factors of busy seconds that are told apart: 1.025 and its powers, up to 4.4.
const FACTORS: usize = 60;
const FACTOR_STEP: f64 = 1.025;
/// Shares of hot keys that are told apart: from the least, in this ratio.
const KEYS: usize = 12;
const KEY_LEAST: f64 = 0.006;
const KEY_STEP: f64 = 1.5;
/// Width of a cell of evidence, as logarithms: of capacity over load, and of load.
const CELL_HEADROOM: f64 = 0.025;
const CELL_LOAD: f64 = 0.6;
/// Headroom beyond which all is one.
const HEADROOM_MAX: f64 = 4.2;
/// Below this headroom the mean alone overflows, and seconds tell nothing.
const HEADROOM_MIN: f64 = 0.98;
/// Minutes of a cell that count at most: so long until new evidence outweighs the old.
#[allow(dead_code)]
const CELL_MINUTES_MAX: f64 = 600.0;
/// What is left of all evidence after a minute that refused far more than was expected.
#[allow(dead_code)]
const LEFT_AFTER_SURPRISE: f64 = 0.8;
/// Far more: so many times the expected share, and so much besides.
const SURPRISE_TIMES: f64 = 1.5;
const SURPRISE_SHARE: f64 = 0.003;
/// Evidence of a day ago counts so much.
#[allow(dead_code)]
const LEFT_AFTER_DAY: f64 = 0.9;
/// Independent looks at a minute: its seconds.
const LOOKS: f64 = 60.0;
/// Rounds of the fit when learning, and when only bringing up to date.
const ROUNDS_LEARNING: usize = 24;
const ROUNDS: usize = 6;
/// A key that is there with less than this likelihood is none.
const KEY_THERE: f64 = 0.02;
/// Prior: strength of each cause in looks, and the likelihood of a hot key of each share.
const PRIOR_KEY: f64 = 0.03;

/// A hot key is named where keys refuse this share.
const NAMED_FROM: f64 = 0.002;

/// What a minute showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Attempted load, in shards.
    pub load: f64,
    /// Open shards.
    pub shards: f64,
    /// Share of it that was refused.
    pub refused: f64,
}

/// Minutes that were alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Cell {
    /// Mean capacity over load, load, and refused share.
    headroom: f64,
    load: f64,
    refused: f64,
    minutes: f64,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusals {
    /// Minutes up to here are in it.
    pub until: Timestamp,
    cells: Vec<Cell>,
    /// How likely a second is to bring each factor.
    seconds: Vec<f64>,
    /// How many keys there are of each share.
    keys: Vec<f64>,
}

/// A part of all seconds, and what it brings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Share of all seconds.
    pub share: f64,
    /// Load over the mean.
    pub factor: f64,
}

/// Shares of all seconds, from the busiest, in which they are grouped: finest at the top, where refusals begin.
const PARTS: [f64; 7] = [0.01, 0.02, 0.04, 0.08, 0.15, 0.2, 0.5];

/// Sums over the busiest seconds, from each factor up: their share, and what they bring.
struct Tail([(f64, f64); FACTORS + 1]);

impl Tail {
    /// Share of the load that busy seconds bring above `headroom` times the mean.
    fn above(&self, headroom: f64) -> f64 {
        // Truncation is meant: the first factor above it.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let first = (headroom.ln() / FACTOR_STEP.ln()).floor().max(0.0) as usize;
        let (share, brings) = self.0[first.min(FACTORS)];
        let tail = brings - share * headroom;
        if headroom >= 1.0 { tail.max(0.0) } else { tail.max(1.0 - headroom) }
    }
}

fn factor(index: usize) -> f64 {
    static FACTORS_OF: std::sync::LazyLock<[f64; FACTORS]> = std::sync::LazyLock::new(|| {
        // Truncation cannot happen: 60.
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        std::array::from_fn(|index| FACTOR_STEP.powi(index as i32 + 1))
    });
    FACTORS_OF[index]
}

fn key(index: usize) -> f64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    (KEY_LEAST * KEY_STEP.powi(index as i32)).min(1.0)
}

/// How likely a second of any stream is to bring each factor: seconds evenly spread up to a busiest one, which is
/// 1.35 times the mean in the median.
fn prior() -> Vec<f64> {
    const BUSIEST: [(f64, f64); 6] =
        [(1.05, 0.15), (1.15, 0.2), (1.25, 0.2), (1.4, 0.2), (1.6, 0.15), (1.9, 0.1)];
    (0..FACTORS)
        .map(|index| {
            let (low, high) = (factor(index) / FACTOR_STEP.sqrt(), factor(index) * FACTOR_STEP.sqrt());
            let of = |(busiest, weight): &(f64, f64)| {
                let within = (high.min(*busiest) - low).max(0.0);
                weight * within / (2.0 * (busiest - 1.0))
            };
            BUSIEST.iter().map(of).sum::<f64>().max(1e-5)
        })
        .collect()
}

/// What a key with a share of the traffic brings above its shard, besides what the shard has in any case.
fn of_key(tail: &Tail, share: f64, base: f64, load: f64) -> f64 {
    let over = |part: f64| part * tail.above(1.0 / (load * part));
    over(share + base) - over(base)
}

impl Refusals {
    /// What is assumed of a stream that nothing is known of.
    pub fn prior(until: Timestamp) -> Refusals {
        Refusals { until, cells: Vec::new(), seconds: prior(), keys: vec![PRIOR_KEY; KEYS] }
    }

    /// Whether it is one that was learnt here.
    pub(crate) fn is_sound(&self) -> bool {
        self.seconds.len() == FACTORS && self.keys.len() == KEYS
    }

    /// Whether a minute refused more than was expected, so that it cannot wait until it is learnt from.
    fn is_surprising(&self, seen: &Seen) -> bool {
        seen.refused > SURPRISE_SHARE
            && seen.refused > 1.1 * self.expected(seen.load, seen.shards) + 0.001
    }

    /// Takes in minutes in their order, and fits anew; if not thoroughly, only where one of them asks for it.
    pub fn learn(&mut self, seen: &[Seen], days: f64, thoroughly: bool) {
        if !thoroughly && !seen.iter().any(|seen| self.is_surprising(seen)) {
            return;
        }
        let left = crate::tune::k().c.powf(days.max(0.0));
        self.cells.iter_mut().for_each(|cell| cell.minutes *= left);
        let rest = self.rest();
        for minute in seen.iter().filter(|seen| seen.load > 0.05 && seen.shards >= 1.0) {
            self.take(minute, rest);
        }
        if thoroughly {
            self.cells.retain(|cell| cell.minutes > 0.05);
        }
        let rounds = if thoroughly { ROUNDS_LEARNING } else { ROUNDS };
        self.fit(rounds);
    }

    fn take(&mut self, seen: &Seen, rest: f64) {
        let headroom = (seen.shards / seen.load).min(HEADROOM_MAX);
        if seen.refused > SURPRISE_SHARE {
            let expected = self.expected_with(seen.load, seen.shards, rest);
            if seen.refused > SURPRISE_TIMES * expected + SURPRISE_SHARE {
                self.cells.iter_mut().for_each(|cell| cell.minutes *= crate::tune::k().b);
            }
        }
        let place = |headroom: f64, load: f64| {
            ((headroom.ln() / CELL_HEADROOM).floor(), (load.ln() / CELL_LOAD).floor())
        };
        let here = place(headroom, seen.load);
        match self.cells.iter_mut().find(|cell| place(cell.headroom, cell.load) == here) {
            Some(cell) => {
                let kept = cell.minutes.min(crate::tune::k().a);
                let mean = |old: f64, new: f64| (old * kept + new) / (kept + 1.0);
                cell.headroom = mean(cell.headroom, headroom);
                cell.load = mean(cell.load, seen.load);
                cell.refused = mean(cell.refused, seen.refused);
                cell.minutes = kept + 1.0;
            }
            None => self.cells.push(Cell {
                headroom,
                load: seen.load,
                refused: seen.refused,
                minutes: 1.0,
            }),
        }
    }

    /// The traffic's share that is on no hot key.
    pub fn rest(&self) -> f64 {
        let hot: f64 = self.hot_keys().map(|(share, count)| share * count).sum();
        (1.0 - hot).clamp(0.05, 1.0)
    }

    /// Hot keys: share of the traffic, and how many there are of it.
    pub fn hot_keys(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        (0..KEYS).map(|index| (key(index), self.keys[index])).filter(|(_, count)| *count > KEY_THERE)
    }

    /// Share of the load that busy seconds bring above `headroom` times the mean.
    fn above(&self, headroom: f64) -> f64 {
        self.tail().above(headroom)
    }

    fn tail(&self) -> Tail {
        let mut sums = [(0.0, 0.0); FACTORS + 1];
        for index in (0..FACTORS).rev() {
            let (share, brings) = sums[index + 1];
            let here = self.seconds[index];
            sums[index] = (share + here, brings + here * factor(index));
        }
        Tail(sums)
    }

    /// The hot key that is behind what is refused, where one is: its share of the traffic. It is named where keys
    /// refuse a share that matters, and more than all seconds.
    pub fn hot_shard(&self, load: f64, shards: f64) -> Option<f64> {
        let curable = self.curable(load, shards);
        let of_keys = self.expected(load, shards) - curable;
        let (tail, base) = (self.tail(), self.rest() / shards);
        let brings = |(share, count): &(f64, f64)| count * of_key(&tail, *share, base, load);
        let worst = self.hot_keys().max_by(|a, b| brings(a).total_cmp(&brings(b)));
        worst.filter(|_| of_keys > NAMED_FROM && of_keys > curable).map(|(share, _)| share)
    }

    /// The share of a load that so many shards are expected to refuse.
    pub fn expected(&self, load: f64, shards: f64) -> f64 {
        self.expected_with(load, shards, self.rest())
    }

    /// The part of it that more shards would cure.
    pub fn curable(&self, load: f64, shards: f64) -> f64 {
        let rest = self.rest();
        if load <= 0.0 { 0.0 } else { rest * self.above(shards / (load * rest)) }
    }

    fn expected_with(&self, load: f64, shards: f64, rest: f64) -> f64 {
        if load <= 0.0 {
            return 0.0;
        }
        let base = rest / shards;
        let tail = self.tail();
        let even = rest * tail.above(shards / (load * rest));
        let hot: f64 =
            self.hot_keys().map(|(share, count)| count * of_key(&tail, share, base, load)).sum();
        (even + hot).min(1.0)
    }

    /// Seconds in groups, busiest first, of mean 1.
    pub fn parts(&self) -> [Part; PARTS.len()] {
        let busy: f64 = self.seconds.iter().sum::<f64>().min(0.95);
        let total: f64 = self.seconds.iter().sum();
        let scale = busy / total.max(1e-9);
        let carried: f64 =
            (0..FACTORS).map(|index| scale * self.seconds[index] * factor(index)).sum();
        // The other seconds carry what is left of the mean.
        let calm = ((1.0 - carried) / (1.0 - busy)).max(0.0);
        let mut all = (0..FACTORS)
            .rev()
            .map(|index| (scale * self.seconds[index], factor(index)))
            .chain([(1.0 - busy, calm)]);
        let (mut share, mut brings) = all.next().unwrap_or((1.0, 1.0));
        PARTS.map(|wanted| {
            let (mut left, mut sum) = (wanted, 0.0);
            while left > 1e-12 {
                let taken = left.min(share);
                sum += taken * brings;
                left -= taken;
                share -= taken;
                if share <= 1e-12 {
                    match all.next() {
                        Some(next) => (share, brings) = next,
                        None => {
                            sum += left * brings;
                            left = 0.0;
                        }
                    }
                }
            }
            Part { share: wanted, factor: sum / wanted }
        })
    }

    /// Expectation-maximisation: each round gives every cause its share of what was refused, in proportion to
    /// what it was expected to refuse.
    fn fit(&mut self, rounds: usize) {
        let looks_of_prior = crate::tune::k().looks;
        let prior = prior();
        let cells: Vec<Cell> =
            self.cells.iter().filter(|cell| cell.headroom >= HEADROOM_MIN).copied().collect();
        let mut table = vec![0.0; cells.len() * (FACTORS + KEYS)];
        for round in 0..rounds {
            // What causes bring depends a little on the other causes: worked out anew now and then.
            if round % 6 == 0 {
                let (rest, tail) = (self.rest(), self.tail());
                for (cell, row) in cells.iter().zip(table.chunks_exact_mut(FACTORS + KEYS)) {
                    for (index, brings) in row[..FACTORS].iter_mut().enumerate() {
                        *brings = (rest * factor(index) - cell.headroom).max(0.0);
                    }
                    let base = rest / (cell.headroom * cell.load);
                    for (index, brings) in row[FACTORS..].iter_mut().enumerate() {
                        *brings = of_key(&tail, key(index), base, cell.load);
                    }
                }
            }
            let mut counts = [0.0; FACTORS + KEYS];
            let mut looks = [0.0; FACTORS + KEYS];
            for (cell, row) in cells.iter().zip(table.chunks_exact(FACTORS + KEYS)) {
                let strengths = self.seconds.iter().chain(&self.keys);
                let expected: f64 = row.iter().zip(strengths).map(|(a, p)| a * p).sum();
                let weight = LOOKS * cell.minutes;
                let ratio = if cell.refused > 0.0 { cell.refused / expected.max(1e-9) } else { 0.0 };
                for (index, brings) in row.iter().enumerate() {
                    counts[index] += weight * brings * ratio;
                    looks[index] += weight * brings;
                }
            }
            let prior_key = crate::tune::k().d;
            let priors = prior.iter().copied().chain(std::iter::repeat_n(prior_key, KEYS));
            let strengths = self.seconds.iter_mut().chain(self.keys.iter_mut());
            for (index, (strength, prior)) in strengths.zip(priors).enumerate() {
                let assumed = looks_of_prior / prior;
                *strength = (looks_of_prior + *strength * counts[index]) / (assumed + looks[index]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttling::Evenness;

    /// Two days of a load that goes from 8 to 24 shards and back, on sizes that follow it with a headroom that differs
    /// from hour to hour; what is learnt every three hours.
    fn two_days(refusals: &mut Refusals, world: &Evenness) {
        let mut hours: Vec<Seen> = Vec::new();
        for minute in 0..2_880_u32 {
            let turn = f64::from(minute) / 1_440.0 * std::f64::consts::TAU;
            let load = 16.0 + 8.0 * turn.sin() + 0.3 * f64::from(minute * 7 % 11) / 11.0;
            let headroom = 1.0 + 0.5 * f64::from(minute / 60 * 5 % 8) / 8.0;
            let shards = (load * headroom).ceil();
            hours.push(Seen { load, shards, refused: world.refused_share(load, shards) });
            if minute % 180 == 179 {
                refusals.learn(&hours, 0.125, true);
                hours.clear();
            }
        }
    }

    fn spread(busiest: f64) -> Evenness {
        let second = |s: u32| 1.0 + (busiest - 1.0) * (f64::from(s) - 29.5) / 29.5;
        Evenness::new((0..60).map(second).collect(), Vec::new()).expect("seconds")
    }

    #[test]
    fn what_seconds_refuse_is_learnt_as_a_function_of_use() {
        let flushes: Vec<f64> = (0..60).map(|s| if s < 10 { 1.5 } else { 0.9 }).collect();
        let flushes = Evenness::new(flushes, Vec::new()).expect("seconds");
        for world in [Evenness::default(), spread(1.2), spread(1.35), spread(1.7), flushes] {
            let mut refusals = Refusals::prior(Timestamp::UNIX_EPOCH);
            two_days(&mut refusals, &world);
            for shards in [18.0, 20.0, 22.0, 24.0] {
                let (learnt, truth) = (refusals.expected(16.0, shards), world.refused_share(16.0, shards));
                assert!((learnt - truth).abs() < 0.004, "{shards} for 16: {learnt} for {truth}");
            }
            let mean: f64 = refusals.parts().iter().map(|part| part.share * part.factor).sum();
            assert!((mean - 1.0).abs() < 1e-6, "{mean}");
            assert_eq!(refusals.hot_shard(16.0, 20.0), None);
        }
    }

    #[test]
    fn a_hot_key_is_told_from_busy_seconds() {
        let second = |s: u32| 1.0 + 0.2 * (f64::from(s) - 29.5) / 29.5;
        let world = Evenness::new((0..60).map(second).collect(), vec![(0.3141, 0.1)]).expect("a key");
        let mut refusals = Refusals::prior(Timestamp::UNIX_EPOCH);
        two_days(&mut refusals, &world);
        let (all, curable) = (refusals.expected(20.0, 30.0), refusals.curable(20.0, 30.0));
        assert!((all - world.refused_share(20.0, 30.0)).abs() < 0.01, "{all}");
        assert!(curable < 0.005, "{curable} of {all}");
        let share = refusals.hot_shard(20.0, 30.0).expect("a hot shard");
        assert!((0.05..0.2).contains(&share), "{share}");
    }

    #[test]
    fn busier_seconds_are_noticed_within_minutes() {
        let mut refusals = Refusals::prior(Timestamp::UNIX_EPOCH);
        two_days(&mut refusals, &spread(1.2));
        assert!(refusals.expected(16.0, 21.0) < 0.002);
        let later = spread(1.7);
        let seen = Seen { load: 16.0, shards: 20.0, refused: later.refused_share(16.0, 20.0) };
        refusals.learn(&[seen; 10], 0.0, false);
        let learnt = refusals.expected(16.0, 20.0);
        assert!(learnt > 0.7 * seen.refused, "{learnt} for {}", seen.refused);
    }

    #[test]
    fn little_is_assumed_and_calm_minutes_take_it_away() {
        let mut refusals = Refusals::prior(Timestamp::UNIX_EPOCH);
        assert!((0.005..0.1).contains(&refusals.expected(10.0, 12.0)));
        refusals.learn(&[Seen { load: 10.0, shards: 12.0, refused: 0.0 }; 60], 0.0, true);
        assert!(refusals.expected(10.0, 12.0) < 0.001);
        assert!(refusals.expected(10.0, 10.0) > 0.01, "what was not tried is not known");
    }
}

//! How a stream refuses writes, learnt from its own minutes and the sizes it had in them.
//!
//! Two causes are told apart. *Seconds*: those that bring `z` times their minute's mean lose
//! `z - n/x` of a load `x` on `n` shards; more shards cure that. *Keys*: the shard of a key with a
//! share `w` of the traffic loses what `w` and its part of the rest bring above it; more shards
//! cure little of that. What a minute refuses is the sum over causes, each as strong as it is
//! likely, and how likely is fitted by expectation maximisation with a prior (Richardson and Lucy:
//! refusals are counts, and no cause is negative).
//!
//! Not here: which minutes tell of it (`evidence`), writes that were tried again (`retries`), and
//! what to do about it (`plan`). Decision 0015 says why.

use serde::{Deserialize, Serialize};

pub use super::causes::LikelyKeys;
use super::causes::{Cell, FACTORS, Strengths, factor};
use super::evidence::ObservedMinute;
use super::fit;

/// Width of a cell of evidence, as logarithms: of capacity over load, and of load.
const CELL_HEADROOM: f64 = 0.025;
const CELL_LOAD: f64 = 0.6;
/// Headroom beyond which all is one.
const HEADROOM_MAX: f64 = 4.2;
/// Minutes of a cell that count at most: so long until new evidence outweighs the old.
const CELL_MINUTES_MAX: f64 = 600.0;
/// A cell that stands for less is dropped.
const CELL_MINUTES_MIN: f64 = 0.05;
/// What is left of what unlike minutes told, after one that refused far more than was expected; and
/// of everything after a day.
const LEFT_AFTER_SURPRISE: f64 = 0.5;
const LEFT_AFTER_DAY: f64 = 0.9;
/// Minutes that count at most of a cell that was surprised.
const CELL_MINUTES_SURPRISED: f64 = 10.0;
/// Far more: so many times the expected share, and so much besides.
const SURPRISE_TIMES: f64 = 1.5;
const SURPRISE_SHARE: f64 = 0.003;
/// More, so that it cannot wait until all is fitted again.
const NEWS_TIMES: f64 = 1.1;
const NEWS_SHARE: f64 = 0.001;
/// Loads below this, in shards, say nothing.
const LOAD_MIN: f64 = 0.05;
/// Rounds of the fit when all is fitted again, and when it is only brought up to date.
const ROUNDS: usize = 40;
const ROUNDS_OF_NEWS: usize = 15;
/// A hot key is named where keys refuse this share of the load, and more than all seconds.
const NAMED_FROM: f64 = 0.002;
/// So many of them there must likely be: what is assumed of any stream names none.
const NAMED_COUNT: f64 = 0.4;
/// Writes begin to be refused where this share of them is: one in a thousand.
const BEGINS_AT_SHARE: f64 = 0.001;
/// Shares of all seconds, from the busiest, in which they are grouped: finest at the top, where
/// refusals begin.
const GROUPS: [f64; 7] = [0.01, 0.02, 0.04, 0.08, 0.15, 0.2, 0.5];

/// The share of a load that a size refuses, as far as it was learnt. Loads and sizes are in shards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThrottlingModel {
    /// What it was learnt from.
    cells: Vec<Cell>,
    #[serde(flatten)]
    strengths: Strengths,
}

/// A part of all seconds, and what it brings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SecondsGroup {
    /// Share of all seconds, 0 to 1.
    pub share: f64,
    /// Load over the mean.
    pub factor: f64,
}

/// Nothing is known yet.
impl Default for ThrottlingModel {
    fn default() -> ThrottlingModel {
        ThrottlingModel { cells: Vec::new(), strengths: fit::prior() }
    }
}

impl ThrottlingModel {
    /// Whether it is one that was learnt here: what is kept may have been kept by another version.
    pub(crate) fn is_sound(&self) -> bool {
        self.strengths.is_sound()
            && self.cells.iter().all(|cell| cell.headroom > 0.0 && cell.load > 0.0)
    }

    /// Takes in minutes in their order, `days` after the last were taken in, and fits anew.
    pub fn learn(&mut self, minutes: &[ObservedMinute], days: f64) {
        let left = LEFT_AFTER_DAY.powf(days.max(0.0));
        self.cells.iter_mut().for_each(|cell| cell.minutes *= left);
        self.take_in(minutes);
        self.cells.retain(|cell| cell.minutes > CELL_MINUTES_MIN);
        fit::fit(&mut self.strengths, &self.cells, ROUNDS);
        self.round();
    }

    /// Whether one of these minutes refused more than was expected: such news cannot wait until all
    /// is fitted again.
    pub fn is_news(&self, minutes: &[ObservedMinute]) -> bool {
        minutes.iter().any(|minute| {
            minute.refused > SURPRISE_SHARE && {
                let expected = self.refused_share(minute.load, minute.shards);
                minute.refused > NEWS_TIMES * expected + NEWS_SHARE
            }
        })
    }

    /// Takes in the newest minutes in passing, as far as they are news.
    pub fn hear_news(&mut self, minutes: &[ObservedMinute]) {
        if self.is_news(minutes) {
            self.take_in(minutes);
            fit::fit(&mut self.strengths, &self.cells, ROUNDS_OF_NEWS);
        }
    }

    fn take_in(&mut self, minutes: &[ObservedMinute]) {
        for minute in minutes.iter().filter(|minute| minute.load > LOAD_MIN) {
            self.take(minute);
        }
    }

    fn take(&mut self, minute: &ObservedMinute) {
        let headroom = (minute.shards / minute.load).min(HEADROOM_MAX);
        let place = |headroom: f64, load: f64| {
            ((headroom.ln() / CELL_HEADROOM).floor(), (load.ln() / CELL_LOAD).floor())
        };
        let here = place(headroom, minute.load);
        let surprises = minute.refused > SURPRISE_SHARE && {
            let expected = self.refused_share(minute.load, minute.shards);
            minute.refused > SURPRISE_TIMES * expected + SURPRISE_SHARE
        };
        if surprises {
            let unlike = |cell: &&mut Cell| place(cell.headroom, cell.load) != here;
            for cell in self.cells.iter_mut().filter(unlike) {
                cell.minutes *= LEFT_AFTER_SURPRISE;
            }
        }
        let most = if surprises { CELL_MINUTES_SURPRISED } else { CELL_MINUTES_MAX };
        match self.cells.iter_mut().find(|cell| place(cell.headroom, cell.load) == here) {
            Some(cell) => {
                let kept = cell.minutes.min(most);
                let mean = |old: f64, new: f64| (old * kept + new) / (kept + 1.0);
                cell.headroom = mean(cell.headroom, headroom);
                cell.load = mean(cell.load, minute.load);
                cell.refused = mean(cell.refused, minute.refused);
                cell.minutes = kept + 1.0;
            }
            None => {
                let (load, refused) = (minute.load, minute.refused);
                self.cells.push(Cell { headroom, load, refused, minutes: 1.0 });
            }
        }
    }

    /// To the digits that matter: it is kept in the ledger.
    fn round(&mut self) {
        let digits = |value: &mut f64, scale: f64| *value = (*value * scale).round() / scale;
        for cell in &mut self.cells {
            digits(&mut cell.headroom, 1e4);
            digits(&mut cell.load, 1e3);
            digits(&mut cell.refused, 1e6);
            digits(&mut cell.minutes, 1e2);
        }
        self.strengths.seconds.iter_mut().for_each(|strength| digits(strength, 1e7));
        self.strengths.keys.iter_mut().for_each(|strength| digits(strength, 1e5));
    }

    /// The traffic's share that is on no hot key, 0.05 to 1.
    pub fn spread(&self) -> f64 {
        self.strengths.spread()
    }

    /// The hot keys there likely are.
    pub fn hot_keys(&self) -> impl Iterator<Item = LikelyKeys> + '_ {
        self.strengths.hot_keys()
    }

    /// The share of a load, 0 to 1, that so many shards are expected to refuse.
    pub fn refused_share(&self, load: f64, shards: f64) -> f64 {
        if load <= 0.0 {
            return 0.0;
        }
        let (busy, elsewhere) = (self.strengths.busy_seconds(), self.spread() / shards);
        let of_keys: f64 =
            self.hot_keys().map(|k| k.count * busy.of_key(k.share, elsewhere, load)).sum();
        (self.curable_share(load, shards) + of_keys).min(1.0)
    }

    /// The part of it that more shards would cure.
    pub fn curable_share(&self, load: f64, shards: f64) -> f64 {
        let spread = self.spread();
        if load <= 0.0 {
            0.0
        } else {
            spread * self.strengths.busy_seconds().above(shards / (load * spread))
        }
    }

    /// The share of the traffic, 0 to 1, of the hot key that is behind what is refused, where one
    /// is.
    pub fn hot_key(&self, load: f64, shards: f64) -> Option<f64> {
        let curable = self.curable_share(load, shards);
        let of_keys = self.refused_share(load, shards) - curable;
        let (busy, elsewhere) = (self.strengths.busy_seconds(), self.spread() / shards);
        let overflows = |keys: &LikelyKeys| busy.of_key(keys.share, elsewhere, load) > 0.0;
        let (share, count) =
            self.hot_keys().filter(overflows).fold((0.0, 0.0), |(share, count), keys| {
                (share + keys.count * keys.share, count + keys.count)
            });
        let is_likely = count > NAMED_COUNT && of_keys > NAMED_FROM && of_keys > curable;
        is_likely.then(|| share / count)
    }

    /// The share of capacity in use, 0 to 1, from which on one write in a thousand is refused that
    /// more shards would take.
    pub fn refuses_from_use(&self) -> f64 {
        self.use_that_refuses(BEGINS_AT_SHARE)
    }

    /// The share of capacity in use, 0 to 1, at which this share of the load is refused that more
    /// shards would take; 1 where it is more.
    pub(crate) fn use_that_refuses(&self, refused: f64) -> f64 {
        let (mut used, mut too_much) = (0.0, 1.0);
        for _ in 0..20 {
            let between = (used + too_much) / 2.0;
            match self.curable_share(between, 1.0) < refused {
                true => used = between,
                false => too_much = between,
            }
        }
        too_much
    }

    /// Seconds in groups, busiest first, of mean 1.
    pub fn seconds_groups(&self) -> [SecondsGroup; GROUPS.len()] {
        let total: f64 = self.strengths.seconds.iter().sum();
        let busy = total.min(0.95);
        let scale = busy / total.max(1e-9);
        let carried: f64 =
            (0..FACTORS).map(|index| scale * self.strengths.seconds[index] * factor(index)).sum();
        // The other seconds carry what is left of the mean.
        let calm = ((1.0 - carried) / (1.0 - busy)).max(0.0);
        let mut all = (0..FACTORS)
            .rev()
            .map(|index| (scale * self.strengths.seconds[index], factor(index)))
            .chain([(1.0 - busy, calm)]);
        let (mut share, mut brings) = all.next().unwrap_or((1.0, 1.0));
        GROUPS.map(|wanted| {
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
            SecondsGroup { share: wanted, factor: sum / wanted }
        })
    }
}

#[cfg(test)]
mod tests;

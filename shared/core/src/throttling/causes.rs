//! The causes of refused writes that are told apart, and how strong each is: seconds that bring a
//! multiple of their minute's mean, and keys with a share of the traffic.
//!
//! Not here: how strong they are (`fit`), and what follows for a load and a size (`model`).

use serde::{Deserialize, Serialize};

/// Factors of busy seconds that are told apart: 1.025 and its powers, up to 4.4.
pub(super) const FACTORS: usize = 60;
const FACTOR_STEP: f64 = 1.025;
/// Shares of hot keys that are told apart: from the least, in this ratio, up to half the traffic.
pub(super) const KEYS: usize = 12;
const KEY_LEAST: f64 = 0.006;
const KEY_STEP: f64 = 1.5;
/// Minutes that were alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub(super) struct Cell {
    /// Mean capacity over load, load in shards, and refused share.
    pub(super) headroom: f64,
    pub(super) load: f64,
    pub(super) refused: f64,
    /// How many minutes it stands for; old ones count less.
    pub(super) minutes: f64,
}

impl From<[f64; 4]> for Cell {
    fn from([headroom, load, refused, minutes]: [f64; 4]) -> Cell {
        Cell { headroom, load, refused, minutes }
    }
}

impl From<Cell> for [f64; 4] {
    fn from(Cell { headroom, load, refused, minutes }: Cell) -> [f64; 4] {
        [headroom, load, refused, minutes]
    }
}

/// How strong each cause is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Strengths {
    /// How likely a second is to bring each factor.
    pub(super) seconds: Vec<f64>,
    /// How many keys there are of each share.
    pub(super) keys: Vec<f64>,
}

/// Some keys of a share of the traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LikelyKeys {
    /// The share of each, 0 to 1.
    pub share: f64,
    /// How many there likely are.
    pub count: f64,
}

/// Sums over the busiest seconds, from each factor up: their share, and what they bring.
pub(super) struct BusySeconds([(f64, f64); FACTORS + 1]);

impl BusySeconds {
    /// Share of the load that they bring above `headroom` times the mean.
    pub(super) fn above(&self, headroom: f64) -> f64 {
        // Truncation is meant: the first factor above it.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let first = (headroom.ln() / FACTOR_STEP.ln()).floor().max(0.0) as usize;
        let (share, brings) = self.0[first.min(FACTORS)];
        let above = brings - share * headroom;
        if headroom >= 1.0 { above.max(0.0) } else { above.max(1.0 - headroom) }
    }

    /// What a key with a share of the traffic brings above its shard, besides what that shard has
    /// in any case, as a share of the load.
    pub(super) fn of_key(&self, share: f64, elsewhere: f64, load: f64) -> f64 {
        let over = |part: f64| part * self.above(1.0 / (load * part));
        over(share + elsewhere) - over(elsewhere)
    }
}

pub(super) fn factor(index: usize) -> f64 {
    static OF: std::sync::LazyLock<[f64; FACTORS]> = std::sync::LazyLock::new(|| {
        let mut factor = 1.0;
        std::array::from_fn(|_| {
            factor *= FACTOR_STEP;
            factor
        })
    });
    OF[index]
}

pub(super) fn key_share(index: usize) -> f64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // 12
    (KEY_LEAST * KEY_STEP.powi(index as i32)).min(1.0)
}

impl Strengths {
    /// Whether they are those of this version.
    pub(super) fn is_sound(&self) -> bool {
        let positive = |strengths: &[f64]| strengths.iter().all(|s| s.is_finite() && *s >= 0.0);
        self.seconds.len() == FACTORS
            && self.keys.len() == KEYS
            && positive(&self.seconds)
            && positive(&self.keys)
    }

    /// The traffic's share that is on no hot key, 0.05 to 1.
    pub(super) fn spread(&self) -> f64 {
        let hot: f64 = self.hot_keys().map(|keys| keys.share * keys.count).sum();
        (1.0 - hot).clamp(0.05, 1.0)
    }

    /// The hot keys there likely are.
    pub(super) fn hot_keys(&self) -> impl Iterator<Item = LikelyKeys> + '_ {
        let keys = self.keys.iter().enumerate();
        keys.filter(|(_, count)| **count > 0.0)
            .map(|(index, count)| LikelyKeys { share: key_share(index), count: *count })
    }

    pub(super) fn busy_seconds(&self) -> BusySeconds {
        let mut sums = [(0.0, 0.0); FACTORS + 1];
        for index in (0..FACTORS).rev() {
            let (share, brings) = sums[index + 1];
            let here = self.seconds[index];
            sums[index] = (share + here, brings + here * factor(index));
        }
        BusySeconds(sums)
    }
}

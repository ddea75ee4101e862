//! How far demand strays from its forecast, learnt from how far it strayed before.
//!
//! Kept as a table of expected overflow: for a capacity of `x` times the forecast, the mean demand above it,
//! in units of the forecast. Streams stray differently when they are high than when they are low, so there
//! is a table per level of the forecast, and between two levels the tables are blended.

use serde::{Deserialize, Serialize};

/// Points of a table: capacity over forecast from e^-1.5 to e^2.5, evenly in its logarithm.
const POINTS: usize = 81;
const FIRST: f64 = -1.5;
const STEP: f64 = 0.05;
/// Levels that are told apart: for each table the share of past forecasts, from the lowest, at which its
/// bin begins, has its centre, and ends. Neighbours overlap. They are finest at the top, where the money is:
/// a surge is some percent of a week, and behaves like nothing else in it.
const BINS: [(f64, f64, f64); 5] = [
    (0.0, 0.15, 0.35),
    (0.25, 0.45, 0.65),
    (0.55, 0.7, 0.85),
    (0.8, 0.88, 0.96),
    (0.94, 0.97, 1.0),
];
/// Entries are kept in steps of this: finer makes a kept profile twice as long and no plan different.
const FINENESS: f64 = 1e-6;
/// Fewest past forecasts that a table may rest on: three hours of them.
const SAMPLES_MIN: usize = 36;
/// Spread of a stream about which too little is known: demand within a quarter of the forecast two times
/// out of three.
const PRIOR_SIGMA: f64 = 0.25;

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Spread {
    tables: Vec<Table>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Table {
    /// The forecast level it was learnt at.
    level: f64,
    overflow: Vec<f64>,
}

impl Spread {
    /// What is assumed of a young stream.
    pub(super) fn prior() -> Spread {
        let overflow = (0..POINTS)
            .map(|point| {
                let z = ratio(point).ln() / PRIOR_SIGMA;
                let short = (1.0 - ratio(point)).max(0.0);
                // A bell's expected overflow, within a few percent of the exact integral.
                short + PRIOR_SIGMA * 0.4 * (-z * z / 2.0).exp() / (1.0 + 2.0 * z.abs())
            })
            .collect();
        Spread { tables: vec![Table { level: 1.0, overflow }] }
    }

    /// Learns from past forecasts: `strays` are pairs of a forecast and the demand that followed, over it;
    /// `within` are a few typical ratios of a minute to the mean of its block.
    pub(super) fn learn(mut strays: Vec<(f64, f64)>, within: &[f64]) -> Spread {
        if strays.len() < SAMPLES_MIN {
            return Spread::prior();
        }
        strays.sort_by(|a, b| a.0.total_cmp(&b.0));
        let tables = (0..BINS.len()).map(|bin| Table::learn(&strays, within, bin)).collect();
        Spread { tables }
    }

    /// How far demand strays from this forecast, in shards.
    pub(super) fn around(&self, forecast: f64) -> Straying<'_> {
        let above = self.tables.partition_point(|table| table.level <= forecast);
        let low = above.checked_sub(1).and_then(|i| self.tables.get(i));
        let high = self.tables.get(above);
        let tables = match (low, high) {
            (Some(low), Some(high)) => {
                let weight = (forecast - low.level) / (high.level - low.level);
                [Some((low, 1.0 - weight)), Some((high, weight))]
            }
            (only, None) | (None, only) => [only.map(|table| (table, 1.0)), None],
        };
        Straying { forecast, tables }
    }
}

/// How far demand strays from one forecast.
pub struct Straying<'a> {
    forecast: f64,
    /// With their shares in the blend.
    tables: [Option<(&'a Table, f64)>; 2],
}

impl Straying<'_> {
    /// Expected demand above `capacity`, both in shards.
    pub fn overflow(&self, capacity: f64) -> f64 {
        if self.forecast <= 0.0 {
            return 0.0;
        }
        let place = Place::of(capacity / self.forecast);
        let shares = self.tables.iter().flatten().map(|(table, share)| table.at(place) * share);
        shares.sum::<f64>() * self.forecast
    }
}

/// Where in a table a ratio of capacity to forecast is found.
#[derive(Clone, Copy)]
enum Place {
    /// So far below the first point.
    Below(f64),
    /// After the point with this index, by this share of the way to the next.
    After(usize, f64),
}

impl Place {
    fn of(ratio: f64) -> Place {
        let lowest = FIRST.exp();
        if ratio <= lowest {
            return Place::Below(lowest - ratio);
        }
        #[allow(clippy::cast_precision_loss)] // 81
        let place = ((ratio.ln() - FIRST) / STEP).min((POINTS - 1) as f64);
        // Truncation is meant: the whole part is an index.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let index = (place as usize).min(POINTS - 2);
        #[allow(clippy::cast_precision_loss)] // 81
        Place::After(index, place - index as f64)
    }
}

impl Table {
    /// From the strays around one level.
    fn learn(strays: &[(f64, f64)], within: &[f64], bin: usize) -> Table {
        let (low, centre, high) = BINS[bin];
        // Truncation is meant: the whole part is an index.
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let place = |share: f64| ((strays.len() as f64 * share) as usize).min(strays.len());
        let from = place(low);
        let to = place(high).max(from + 1);
        let mut ratios: Vec<f64> = strays[from..to].iter().map(|(_, ratio)| *ratio).collect();
        ratios.sort_by(f64::total_cmp);
        let level = strays[place(centre).min(strays.len() - 1)].0;
        let blocks = Table { level, overflow: overflows(&ratios) };
        // A minute that is `w` times its block overflows as a block does above a `w`th of the capacity.
        let overflow = (0..POINTS)
            .map(|point| {
                let minutes = within.iter().map(|w| w * blocks.at(Place::of(ratio(point) / w)));
                (minutes.sum::<f64>() / within.len() as f64 / FINENESS).round() * FINENESS
            })
            .collect();
        Table { level, overflow }
    }

    fn at(&self, place: Place) -> f64 {
        match place {
            Place::Below(short) => self.overflow[0] + short,
            Place::After(index, rest) => {
                self.overflow[index] * (1.0 - rest) + self.overflow[index + 1] * rest
            }
        }
    }
}

/// Mean overflow at each point of the table, from sorted ratios.
#[allow(clippy::cast_precision_loss)] // a few ten thousand samples
fn overflows(ratios: &[f64]) -> Vec<f64> {
    let total: f64 = ratios.iter().sum();
    let (mut below, mut index) = (0.0, 0);
    (0..POINTS)
        .map(|point| {
            let capacity = ratio(point);
            while index < ratios.len() && ratios[index] <= capacity {
                below += ratios[index];
                index += 1;
            }
            let above = (ratios.len() - index) as f64;
            ((total - below - above * capacity) / ratios.len() as f64).max(0.0)
        })
        .collect()
}

#[allow(clippy::cast_precision_loss)] // 81
fn ratio(point: usize) -> f64 {
    (FIRST + STEP * point as f64).exp()
}

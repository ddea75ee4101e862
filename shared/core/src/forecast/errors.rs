//! Forecast errors as expected overflow (the newsvendor's loss), learnt from past errors.
//!
//! Kept as a table: for a capacity of `x` times the forecast, the mean demand above it, in units of
//! the forecast. Errors differ between high and low demand, so there is a table per level of the
//! forecast, and between two levels the tables are blended. Not here: what an overflow costs
//! (`plan`).

use serde::{Deserialize, Serialize};

use crate::throttling::model::SecondsGroup;

/// Points of a table: capacity over forecast from e^-1.5 to e^2.5, evenly in its logarithm.
const POINTS: usize = 81;
const FIRST: f64 = -1.5;
const STEP: f64 = 0.05;
/// Levels that are told apart: for each table the share of past forecasts, from the lowest, at
/// which its bin begins, has its centre, and ends. Neighbours overlap. They are finest at the top,
/// where the money is: a surge is some percent of a week, and behaves like nothing else in it.
const BINS: [(f64, f64, f64); 5] = [
    (0.0, 0.15, 0.35),
    (0.25, 0.45, 0.65),
    (0.55, 0.7, 0.85),
    (0.8, 0.88, 0.96),
    (0.94, 0.97, 1.0),
];
/// Entries are kept in steps of this: finer makes a kept profile twice as long and no plan
/// different.
const FINENESS: f64 = 1e-6;
/// Fewest past forecasts that a table may rest on: three hours of them.
const SAMPLES_MIN: usize = 36;
/// ErrorTables of a stream about which too little is known: demand within a quarter of the forecast
/// two times out of three.
const PRIOR_SIGMA: f64 = 0.25;

/// Tables of expected overflow, by the level of the forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ErrorTables {
    tables: Vec<Table>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Table {
    /// The forecast level it was learnt at.
    level: f64,
    overflow: Vec<f64>,
}

impl ErrorTables {
    /// What is assumed of a young stream.
    pub(super) fn prior() -> ErrorTables {
        let overflow = (0..POINTS)
            .map(|point| {
                let z = ratio(point).ln() / PRIOR_SIGMA;
                let short = (1.0 - ratio(point)).max(0.0);
                // A bell's expected overflow, within a few percent of the exact integral.
                short + PRIOR_SIGMA * 0.4 * (-z * z / 2.0).exp() / (1.0 + 2.0 * z.abs())
            })
            .collect();
        ErrorTables { tables: vec![Table { level: 1.0, overflow }] }
    }

    /// Learns from past forecasts: `residuals` are pairs of a forecast and the demand that
    /// followed, over it; `within` are a few typical ratios of a minute to the mean of its block.
    pub(super) fn learn(mut residuals: Vec<(f64, f64)>, within: &[f64]) -> ErrorTables {
        if residuals.len() < SAMPLES_MIN {
            return ErrorTables::prior();
        }
        residuals.sort_by(|a, b| a.0.total_cmp(&b.0));
        let tables = (0..BINS.len()).map(|bin| Table::learn(&residuals, within, bin)).collect();
        ErrorTables { tables }
    }

    /// Whether it is one that was learnt here: what is kept may have been kept by another version.
    pub(super) fn is_sound(&self) -> bool {
        !self.tables.is_empty() && self.tables.iter().all(|table| table.overflow.len() == POINTS)
    }

    /// The same of single seconds: each group of them brings its factor of the mean.
    pub(super) fn of_seconds(&self, groups: &[SecondsGroup]) -> ErrorTables {
        let tables = self.tables.iter().map(|table| table.of_seconds(groups)).collect();
        ErrorTables { tables }
    }

    /// The error distribution around a forecast in shards of load.
    pub(super) fn around(&self, forecast: f64) -> ForecastError<'_> {
        let above = self.tables.partition_point(|table| table.level <= forecast);
        let (low, high) = (above.saturating_sub(1), above.min(self.tables.len() - 1));
        let (low, high) = (&self.tables[low], &self.tables[high]);
        let between = high.level > low.level;
        let weight = if between { (forecast - low.level) / (high.level - low.level) } else { 0.0 };
        ForecastError { forecast: LogShards::of(forecast), low, high, weight }
    }
}

/// A number of shards, with its place on the scale of the tables: the same few are compared at
/// every step of a horizon.
#[derive(Clone, Copy)]
pub struct LogShards {
    shards: f64,
    /// Its logarithm, in steps of the tables.
    place: f64,
}

impl LogShards {
    /// Of so many shards.
    pub fn of(shards: f64) -> LogShards {
        LogShards { shards, place: shards.ln() / STEP }
    }

    /// In shards.
    pub fn get(self) -> f64 {
        self.shards
    }
}

/// Error distribution of one forecast: a blend of the tables for the levels around it.
pub struct ForecastError<'a> {
    forecast: LogShards,
    low: &'a Table,
    high: &'a Table,
    /// Of the higher table.
    weight: f64,
}

impl ForecastError<'_> {
    /// Expected demand above a capacity, both in shards.
    pub fn expected_overflow(&self, capacity: LogShards) -> f64 {
        if self.forecast.shards <= 0.0 {
            return 0.0;
        }
        let place = Place::of(capacity, self.forecast);
        let share = self.low.at(place) * (1.0 - self.weight) + self.high.at(place) * self.weight;
        share * self.forecast.shards
    }
}

/// Where in a table the ratio of a capacity to a forecast is found.
#[derive(Clone, Copy)]
struct Place {
    /// The point before it.
    index: usize,
    /// Its share of the way to the next.
    rest: f64,
    /// How far the ratio is below the first point.
    short: f64,
}

impl Place {
    fn of(capacity: LogShards, forecast: LogShards) -> Place {
        let place = capacity.place - forecast.place - FIRST / STEP;
        if place <= 0.0 {
            let short = FIRST.exp() - capacity.shards / forecast.shards;
            return Place { index: 0, rest: 0.0, short };
        }
        #[allow(clippy::cast_precision_loss)] // 81
        let place = place.min((POINTS - 1) as f64);
        // Truncation is meant: the whole part is an index.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let index = usize::from(place as u8).min(POINTS - 2);
        #[allow(clippy::cast_precision_loss)] // 81
        Place { index, rest: place - index as f64, short: 0.0 }
    }
}

impl Table {
    /// From the residuals around one level of the forecast.
    fn learn(residuals: &[(f64, f64)], within: &[f64], bin: usize) -> Table {
        let (low, centre, high) = BINS[bin];
        // Truncation is meant: the whole part is an index.
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let place = |share: f64| ((residuals.len() as f64 * share) as usize).min(residuals.len());
        let from = place(low);
        let to = place(high).max(from + 1);
        let mut ratios: Vec<f64> = residuals[from..to].iter().map(|(_, ratio)| *ratio).collect();
        ratios.sort_by(f64::total_cmp);
        let level = residuals[place(centre).min(residuals.len() - 1)].0;
        let blocks = Table { level, overflow: overflows(&ratios) };
        // A minute that is `w` times its block overflows as a block does above a `w`th of the
        // capacity.
        let overflow = (0..POINTS)
            .map(|point| {
                let minutes = within.iter().map(|w| {
                    w * blocks.at(Place::of(LogShards::of(ratio(point)), LogShards::of(*w)))
                });
                (minutes.sum::<f64>() / within.len() as f64 / FINENESS).round() * FINENESS
            })
            .collect();
        Table { level, overflow }
    }

    /// A second that is `u` times the mean overflows as the mean does above a `u`th of the
    /// capacity: every point moves by the same number of points.
    fn of_seconds(&self, groups: &[SecondsGroup]) -> Table {
        let mut overflow = vec![0.0; POINTS];
        for SecondsGroup { share, factor } in groups.iter().filter(|group| group.factor > 0.0) {
            let shift = factor.ln() / STEP;
            let whole = shift.ceil();
            let (rest, brings) = (whole - shift, share * factor);
            #[allow(clippy::cast_possible_truncation)] // a few dozen
            let whole = whole as isize;
            for (point, overflow) in overflow.iter_mut().enumerate() {
                let there = match point.checked_add_signed(-whole) {
                    Some(index) if index + 1 < POINTS => {
                        self.overflow[index] * (1.0 - rest) + self.overflow[index + 1] * rest
                    }
                    Some(_) => self.overflow[POINTS - 1],
                    None => self.overflow[0] + RATIOS[0] - RATIOS[point] / factor,
                };
                *overflow += brings * there;
            }
        }
        Table { level: self.level, overflow }
    }

    fn at(&self, place: Place) -> f64 {
        let Place { index, rest, short } = place;
        self.overflow[index] * (1.0 - rest) + self.overflow[index + 1] * rest + short
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

static RATIOS: std::sync::LazyLock<[f64; POINTS]> =
    std::sync::LazyLock::new(|| std::array::from_fn(ratio));

#[allow(clippy::cast_precision_loss)] // 81
fn ratio(point: usize) -> f64 {
    (FIRST + STEP * point as f64).exp()
}

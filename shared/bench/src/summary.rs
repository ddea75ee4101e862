//! What a contender's results on many traces come to. Ratios are averaged by geometric mean: to be
//! twice as dear on one trace and half as dear on another is to be even. Not here: a single trace
//! (`contender`).

use std::collections::BTreeMap;

use crate::contender::Judged;
use crate::score::Elasticity;

/// A trace on which less than this share of bytes was throttled, in percent, counts as served.
pub const UNDER_THROTTLED_PERCENT: f64 = 0.1;
/// Classes whose traffic nobody can foresee.
const NOT_FORECASTABLE: [&str; 2] = ["social_flash", "on_off"];

/// Whether traffic of this class can be foreseen at all.
pub fn is_forecastable(class: &str) -> bool {
    !NOT_FORECASTABLE.contains(&class)
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Traces.
    pub traces: usize,
    /// Geometric mean of R by class.
    pub r_by_class: BTreeMap<String, f64>,
    /// Geometric mean of R over all traces.
    pub r_all: f64,
    /// The same over forecastable classes; none where there are none.
    pub r_forecastable: Option<f64>,
    /// The same over the others.
    pub r_unforeseeable: Option<f64>,
    /// Share of traces that were served, percent.
    pub served_percent: f64,
    /// The same of traces of forecastable classes.
    pub served_forecastable_percent: Option<f64>,
    /// Reshards a day, mean over traces.
    pub calls_per_day: f64,
    /// Calls refused.
    pub refused: u64,
    /// Laws broken.
    pub violations: usize,
    /// Means over traces.
    pub elasticity: Elasticity,
}

impl Summary {
    /// Of results, each with the class of its trace and the R it reached.
    pub fn of<'a>(results: impl IntoIterator<Item = (&'a str, &'a Judged, f64)>) -> Summary {
        let results: Vec<_> = results.into_iter().collect();
        let served = |class: fn(&str) -> bool| {
            mean(results.iter().filter(|(name, ..)| class(name)).map(|(_, judged, _)| {
                let served = judged.score.throttled_percent < UNDER_THROTTLED_PERCENT;
                100.0 * f64::from(u8::from(served))
            }))
        };
        let ratio = |class: &dyn Fn(&str) -> bool| {
            let logs = results.iter().filter(|(name, ..)| class(name)).map(|(.., r)| r.ln());
            mean(logs).map(f64::exp)
        };
        let each = |value: fn(&Judged) -> f64| {
            mean(results.iter().map(|(_, judged, _)| value(judged))).unwrap_or(0.0)
        };
        let classes = results.iter().map(|(name, ..)| (*name).to_owned());
        Summary {
            traces: results.len(),
            r_by_class: classes
                .filter_map(|class| Some((class.clone(), ratio(&|name| name == class)?)))
                .collect(),
            r_all: ratio(&|_| true).unwrap_or(f64::NAN),
            r_forecastable: ratio(&is_forecastable),
            r_unforeseeable: ratio(&|name| !is_forecastable(name)),
            served_percent: served(|_| true).unwrap_or(0.0),
            served_forecastable_percent: served(is_forecastable),
            calls_per_day: each(|judged| judged.score.calls_per_day),
            refused: results.iter().map(|(_, judged, _)| judged.refused).sum(),
            violations: results.iter().map(|(_, judged, _)| judged.violations).sum(),
            elasticity: Elasticity {
                under_accuracy: each(|judged| judged.score.elasticity.under_accuracy),
                over_accuracy: each(|judged| judged.score.elasticity.over_accuracy),
                under_time: each(|judged| judged.score.elasticity.under_time),
                over_time: each(|judged| judged.score.elasticity.over_time),
            },
        }
    }
}

/// `None` of nothing.
fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use weir_sim::generate;

    use super::*;
    use crate::contender::Contender;
    use crate::setting::Setting;

    #[test]
    fn ratios_are_averaged_by_geometric_mean_and_by_class() {
        let start = jiff::Timestamp::from_second(1_793_577_600).expect("a time");
        let trace = generate::days(1, start, 3, 1);
        let run = Contender::FixedAtPeak.play(&trace, &Setting::BENCH, |_| {});
        let judged = Contender::FixedAtPeak.judge(&run, &Setting::BENCH).expect("a score");
        assert!((judged.score.j - 1.0).abs() < 1e-9);
        let results = [("growth", 2.0), ("growth", 8.0), ("on_off", 1.0)];
        let summary = Summary::of(results.iter().map(|(class, r)| (*class, &judged, *r)));
        assert!((summary.r_by_class["growth"] - 4.0).abs() < 1e-9);
        assert!((summary.r_all - 16.0_f64.cbrt()).abs() < 1e-9);
        assert!(summary.r_unforeseeable.is_some_and(|r| (r - 1.0).abs() < 1e-9));
        assert_eq!((summary.served_percent, summary.traces), (100.0, 3));
    }
}

//! The whole bill of a trace, contender against contender: what switching modes is worth. Not here:
//! one contender's bill (`score`), and means over traces (`summary`).

use crate::contender::{Contender, Judged};

/// Who did best on a trace without Weir, and what Weir's own two parts came to alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standards {
    /// The cheapest of all that is not Weir, on demand included: an oracle's choice, trace by
    /// trace.
    pub best_baseline: Option<(Contender, f64)>,
    /// The cheaper of Weir without switching modes and on demand; none where either was not played.
    pub better_mode: Option<f64>,
}

impl Contender {
    /// Whether it is what people have without Weir. The optimum is nobody's to have.
    pub fn is_baseline(self) -> bool {
        !matches!(self, Contender::Weir | Contender::WeirProvisioned | Contender::Optimum)
    }
}

impl Standards {
    /// Of what everybody did on one trace.
    pub fn of<'a>(results: impl IntoIterator<Item = &'a Judged>) -> Standards {
        let all: Vec<(Contender, f64)> =
            results.into_iter().map(|judged| (judged.contender, judged.score.j_total)).collect();
        let j_total = |who| all.iter().find(|(contender, _)| *contender == who).map(|(_, j)| *j);
        let baselines = all.iter().filter(|(who, _)| who.is_baseline());
        Standards {
            best_baseline: baselines.copied().min_by(|(_, a), (_, b)| a.total_cmp(b)),
            better_mode: j_total(Contender::WeirProvisioned)
                .zip(j_total(Contender::OnDemand))
                .map(|(provisioned, on_demand)| provisioned.min(on_demand)),
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_sim::generate;

    use super::*;
    use crate::setting::Setting;

    #[test]
    fn baselines_are_what_people_have_and_the_cheapest_sets_the_standard() {
        let trace = generate::days(1, jiff::Timestamp::UNIX_EPOCH, 3, 1);
        let judged = |who: Contender| {
            let run = who.play(&trace, &Setting::BENCH, |_| {});
            who.judge(&run, &Setting::BENCH).expect("a score")
        };
        let some = [Contender::FixedAtPeak, Contender::OnDemand, Contender::Optimum].map(judged);
        let [fixed, on_demand, optimum] = some;
        assert!((fixed.score.j_total - 1.0).abs() < 1e-9);
        assert!(optimum.score.j_total < 1.0);
        let standards = Standards::of(&some);
        let cheaper = if on_demand.score.j_total < 1.0 { on_demand } else { fixed };
        assert_eq!(
            standards.best_baseline,
            Some((cheaper.contender, cheaper.score.j_total)),
            "the optimum is no baseline"
        );
        assert_eq!(standards.better_mode, None);
        let weir = Judged { contender: Contender::WeirProvisioned, ..optimum };
        let both = Standards::of(&[weir, on_demand]);
        assert_eq!(both.better_mode, Some(weir.score.j_total.min(on_demand.score.j_total)));
    }
}

//! The whole bill in `weir bench`: J total by class of trace for everyone, and for each trace what
//! switching modes was worth. Not here: J and R, which count shards alone (`report`).

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::Table;
use serde_json::{Map, Value, json};
use weir_bench::contender::Contender;
use weir_bench::jobs::Outcome;
use weir_bench::recording::Recording;
use weir_bench::setting::BENCH;
use weir_bench::whole_bill::Standards;

use super::{blank, right, round};

/// Everything there is to say about it.
pub(super) struct WholeBill<'a> {
    asked: &'a [Contender],
    rows: Vec<BillRow<'a>>,
}

/// One contender on one trace.
struct BillRow<'a> {
    outcome: &'a Outcome,
    recording: &'a Recording,
    standards: Standards,
}

/// J of Weir, which may switch modes, over that of others.
#[derive(Clone, Copy, Default)]
pub(super) struct Ratios {
    pub(super) best_baseline: Option<f64>,
    pub(super) better_mode: Option<f64>,
}

impl Ratios {
    pub(super) fn of(outcome: &Outcome, standards: &Standards) -> Ratios {
        if outcome.judged.contender != Contender::Weir {
            return Ratios::default();
        }
        let ours = outcome.judged.score.j_total;
        Ratios {
            best_baseline: standards.best_baseline.map(|(_, j)| ours / j),
            better_mode: standards.better_mode.map(|j| ours / j),
        }
    }
}

/// The standards of each trace, in the bench setting.
pub(super) fn standards(traces: usize, outcomes: &[Outcome]) -> Vec<Standards> {
    let of = |trace| {
        let here = outcomes.iter().filter(|o| o.trace == trace && o.setting == BENCH);
        Standards::of(here.map(|outcome| &outcome.judged))
    };
    (0..traces).map(of).collect()
}

impl<'a> WholeBill<'a> {
    pub(super) fn new(
        recordings: &'a [Recording],
        asked: &'a [Contender],
        standards: &[Standards],
        outcomes: &'a [Outcome],
    ) -> WholeBill<'a> {
        let row = |outcome: &'a Outcome| BillRow {
            outcome,
            recording: &recordings[outcome.trace],
            standards: standards[outcome.trace],
        };
        let mut rows: Vec<BillRow<'a>> = outcomes
            .iter()
            .filter(|o| o.setting == BENCH && asked.contains(&o.judged.contender))
            .map(row)
            .collect();
        rows.sort_by_key(|row| (row.outcome.trace, row.outcome.judged.contender));
        WholeBill { asked, rows }
    }

    fn of(&self, who: Contender) -> impl Iterator<Item = &BillRow<'a>> {
        self.rows.iter().filter(move |row| row.outcome.judged.contender == who)
    }

    /// J total of a contender, trace by trace.
    fn j_totals(&self, who: Contender) -> impl Iterator<Item = (&str, f64)> {
        self.of(who).map(|row| (row.recording.class.as_str(), row.outcome.judged.score.j_total))
    }

    /// A ratio of Weir's, trace by trace.
    fn ratios(&self, of: fn(Ratios) -> Option<f64>) -> impl Iterator<Item = (&str, f64)> {
        self.of(Contender::Weir).filter_map(move |row| {
            let ratio = of(Ratios::of(row.outcome, &row.standards))?;
            Some((row.recording.class.as_str(), ratio))
        })
    }

    /// Classes down, contenders across.
    pub(super) fn classes(&self) -> Table {
        let means: Vec<_> = self.asked.iter().map(|who| by_class(self.j_totals(*who))).collect();
        let names = self.asked.iter().map(|who| who.name());
        let mut table = blank(std::iter::once("class").chain(names));
        let classes: BTreeSet<&String> = means.iter().flat_map(BTreeMap::keys).collect();
        for class in classes {
            let cells = means.iter().map(|of| three(of.get(class).copied()));
            table.add_row(std::iter::once(class.clone()).chain(cells));
        }
        right(table, 1)
    }

    /// What switching modes was worth, trace by trace; none where Weir was not played.
    pub(super) fn switching(&self) -> Option<Table> {
        let mut table = blank([
            "trace",
            "class",
            "best of the others",
            "its J",
            "J of weir",
            "ratio",
            "better mode",
            "ratio",
            "on demand %",
            "switches/day",
        ]);
        for BillRow { outcome, recording, standards } in self.of(Contender::Weir) {
            let (score, ratios) = (&outcome.judged.score, Ratios::of(outcome, standards));
            table.add_row([
                recording.trace.name.clone(),
                recording.class.clone(),
                standards.best_baseline.map_or("-", |(other, _)| other.name()).to_owned(),
                three(standards.best_baseline.map(|(_, j)| j)),
                three(Some(score.j_total)),
                three(ratios.best_baseline),
                three(standards.better_mode),
                three(ratios.better_mode),
                format!("{:.1}", score.on_demand_percent),
                format!("{:.2}", score.switches_per_day),
            ]);
        }
        (table.row_count() > 0).then(|| right(table, 3))
    }

    pub(super) fn json(&self) -> Value {
        let of_each = |who: &Contender| (who.name().to_owned(), means(self.j_totals(*who)));
        let policies: Map<String, Value> = self.asked.iter().map(of_each).collect();
        let worst = self.ratios(|r| r.better_mode).map(|(_, ratio)| ratio).reduce(f64::max);
        json!({
            "j_total": policies,
            "vs_best_baseline": means(self.ratios(|ratios| ratios.best_baseline)),
            "vs_better_mode": means(self.ratios(|ratios| ratios.better_mode)),
            "vs_better_mode_worst": worst.map(|ratio| round(ratio, 4)),
        })
    }
}

/// Geometric means, over all and by class.
fn means<'a>(values: impl Iterator<Item = (&'a str, f64)>) -> Value {
    let values: Vec<(&str, f64)> = values.collect();
    let all = geometric_mean(values.iter().map(|(_, value)| *value));
    let classes: Map<String, Value> = by_class(values.into_iter())
        .into_iter()
        .map(|(class, mean)| (class, json!(round(mean, 4))))
        .collect();
    json!({ "all": all.map(|mean| round(mean, 4)), "by_class": classes })
}

fn by_class<'a>(values: impl Iterator<Item = (&'a str, f64)>) -> BTreeMap<String, f64> {
    let mut classes: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (class, value) in values {
        classes.entry(class.to_owned()).or_default().push(value);
    }
    let mean = |values: Vec<f64>| geometric_mean(values.into_iter()).unwrap_or(f64::NAN);
    classes.into_iter().map(|(class, values)| (class, mean(values))).collect()
}

fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0u32, 0.0), |(n, sum), value| (n + 1, sum + value.ln()));
    (count > 0).then(|| (sum / f64::from(count)).exp())
}

fn three(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_geometric_over_all_and_by_class() {
        let found = means([("growth", 0.5), ("growth", 2.0), ("on_off", 8.0)].into_iter());
        assert_eq!(found, json!({ "all": 2.0, "by_class": { "growth": 1.0, "on_off": 8.0 } }));
        assert_eq!(means(std::iter::empty()), json!({ "all": null, "by_class": {} }));
    }
}

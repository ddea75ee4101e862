//! What `weir bench` says: a row for every trace and contender, a summary of each contender, and
//! what became of Weir in other settings. Tables for people, one JSON object a line for programs.
//! What is said of the whole bill is in `whole_bill`.

mod whole_bill;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use serde_json::{Map, Value, json};
use weir_bench::contender::Contender;
use weir_bench::jobs::Outcome;
use weir_bench::recording::Recording;
use weir_bench::setting::{BENCH, Variants};
use weir_bench::summary::Summary;

use crate::faults::Failure;
use crate::played::round;
use whole_bill::{Ratios, WholeBill};

/// Everything there is to say.
pub(super) struct BenchReport<'a> {
    world: &'a str,
    rows: Vec<(ScoreRow, &'a Outcome)>,
    summaries: Vec<(Contender, Summary)>,
    sensitivities: Vec<(&'static str, Summary)>,
    whole_bill: WholeBill<'a>,
}

/// One contender on one trace.
#[derive(Serialize)]
struct ScoreRow {
    world: String,
    trace: String,
    class: String,
    policy: &'static str,
    days: f64,
    cost_vs_fixed: f64,
    throttled_pct: f64,
    j: f64,
    r: f64,
    j_total: f64,
    vs_best_baseline: Option<f64>,
    vs_better_mode: Option<f64>,
    on_demand_pct: f64,
    switches_per_day: f64,
    calls_per_day: f64,
    refused: u64,
    violations: usize,
    under_accuracy_pct: f64,
    over_accuracy_pct: f64,
    under_time_pct: f64,
    over_time_pct: f64,
    seconds: f64,
}

impl<'a> BenchReport<'a> {
    pub(super) fn new(
        world: &'a str,
        recordings: &'a [Recording],
        asked: &'a [Contender],
        variants: &[Variants],
        outcomes: &'a [Outcome],
    ) -> BenchReport<'a> {
        // J of the optimum, to compare with: on the same trace, in the same setting.
        let ratio = |outcome: &Outcome| {
            let same = |other: &&Outcome| {
                other.judged.contender == Contender::Optimum
                    && (other.trace, other.setting) == (outcome.trace, outcome.setting)
            };
            let best = outcomes.iter().find(same).map_or(f64::NAN, |best| best.judged.score.j);
            outcome.judged.score.j / best
        };
        let summary = |contender: Contender, setting: &str| {
            let results = outcomes
                .iter()
                .filter(|o| o.judged.contender == contender && o.setting == setting)
                .map(|o| (recordings[o.trace].class.as_str(), &o.judged, ratio(o)));
            Summary::of(results)
        };
        let standards = whole_bill::standards(recordings.len(), outcomes);
        let row = |outcome: &Outcome| {
            let ratios = Ratios::of(outcome, &standards[outcome.trace]);
            ScoreRow::of(world, &recordings[outcome.trace], outcome, ratio(outcome), ratios)
        };
        let mut rows: Vec<(ScoreRow, &Outcome)> = outcomes
            .iter()
            .filter(|o| o.setting == BENCH && asked.contains(&o.judged.contender))
            .map(|outcome| (row(outcome), outcome))
            .collect();
        rows.sort_by_key(|(_, outcome)| (outcome.trace, outcome.judged.contender));
        let settings =
            variants.iter().flat_map(|variants| &variants.settings).map(|(name, _)| *name);
        BenchReport {
            world,
            rows,
            summaries: asked.iter().map(|who| (*who, summary(*who, BENCH))).collect(),
            sensitivities: match variants {
                [_] => Vec::new(),
                _ => settings.map(|name| (name, summary(Contender::Weir, name))).collect(),
            },
            whole_bill: WholeBill::new(recordings, asked, &standards, outcomes),
        }
    }

    pub(super) fn print_json(&self) -> Result<(), Failure> {
        for (row, _) in &self.rows {
            println!("{}", serde_json::to_string(row)?);
        }
        let policies: Map<String, Value> =
            self.summaries.iter().map(|(who, s)| (who.name().to_owned(), facts(s))).collect();
        let others: Map<String, Value> =
            self.sensitivities.iter().map(|(name, s)| ((*name).to_owned(), facts(s))).collect();
        println!(
            "{}",
            json!({
                "world": self.world,
                "summary": policies,
                "sensitivities": others,
                "whole_bill": self.whole_bill.json(),
            })
        );
        Ok(())
    }

    pub(super) fn into_summaries(self) -> Vec<(Contender, Summary)> {
        self.summaries
    }

    pub(super) fn print_tables(&self) {
        println!("World: {}\n", self.world);
        let mut table = blank([
            "trace",
            "policy",
            "cost %",
            "throttled %",
            "J",
            "R",
            "calls/day",
            "refused",
            "violations",
        ]);
        for (row, _) in &self.rows {
            table.add_row([
                row.trace.clone(),
                row.policy.to_owned(),
                format!("{:.1}", 100.0 * row.cost_vs_fixed),
                format!("{:.3}", row.throttled_pct),
                format!("{:.4}", row.j),
                format!("{:.2}", row.r),
                format!("{:.1}", row.calls_per_day),
                row.refused.to_string(),
                row.violations.to_string(),
            ]);
        }
        println!("{}\n", right(table, 2));
        println!(
            "R, geometric mean by class of trace; 1 is the cheapest run there could have been:"
        );
        println!("{}\n", right(self.classes(), 1));
        println!("Over all traces:");
        let named = self.summaries.iter().map(|(who, summary)| (who.name(), summary));
        println!("{}", right(overview("policy", named), 1));
        println!("\nJ of the whole bill, geometric mean by class; fixed at peak is 1:");
        println!("{}", self.whole_bill.classes());
        if let Some(table) = self.whole_bill.switching() {
            println!(
                "\nThe whole bill of Weir, which may switch modes, beside the best of the others on that \
                 trace, and\nbeside the better of Weir without switching and on demand:"
            );
            println!("{table}");
        }
        if !self.sensitivities.is_empty() {
            println!("\nWeir in other settings, each against the optimum of that setting:");
            let named = self.sensitivities.iter().map(|(name, summary)| (*name, summary));
            println!("{}", right(overview("setting", named), 1));
        }
    }

    /// Classes down, contenders across.
    fn classes(&self) -> Table {
        let names = self.summaries.iter().map(|(who, _)| who.name());
        let mut table = blank(std::iter::once("class").chain(names));
        let classes = self.summaries.first().map(|(_, summary)| summary.r_by_class.keys());
        for class in classes.into_iter().flatten() {
            let ratios = self.summaries.iter().map(|(_, s)| two(s.r_by_class.get(class).copied()));
            table.add_row(std::iter::once(class.clone()).chain(ratios));
        }
        table
    }
}

/// Worlds down, contenders across.
pub(super) fn print_worlds(by_world: &[(String, Vec<(Contender, Summary)>)]) {
    let asked = by_world.first().map(|(_, summaries)| summaries.iter().map(|(who, _)| who.name()));
    let header: Vec<&str> = std::iter::once("world").chain(asked.into_iter().flatten()).collect();
    let print = |what: &str, cell: fn(&Summary) -> String| {
        let mut table = blank(header.iter().copied());
        for (world, summaries) in by_world {
            let cells = summaries.iter().map(|(_, summary)| cell(summary));
            table.add_row(std::iter::once(world.clone()).chain(cells));
        }
        println!("\n{what}:\n{}", right(table, 1));
    };
    print(
        "R on forecastable recordings, geometric mean, against the optimum of each world (under 0.1 % \
         throttled)",
        |summary| {
            let served = summary.served_forecastable_percent;
            let served = served.map_or_else(String::new, |percent| format!(" ({percent:.0} %)"));
            two(summary.r_forecastable) + &served
        },
    );
    print("R on all recordings", |summary| two(Some(summary.r_all)));
}

impl ScoreRow {
    fn of(
        world: &str,
        recording: &Recording,
        outcome: &Outcome,
        r: f64,
        ratios: Ratios,
    ) -> ScoreRow {
        let (judged, score) = (&outcome.judged, &outcome.judged.score);
        ScoreRow {
            world: world.to_owned(),
            trace: recording.trace.name.clone(),
            class: recording.class.clone(),
            policy: judged.contender.name(),
            days: round(score.days, 2),
            cost_vs_fixed: round(score.cost_vs_fixed(), 4),
            throttled_pct: round(score.throttled_percent, 4),
            j: round(score.j, 4),
            r: round(r, 4),
            j_total: round(score.j_total, 4),
            vs_best_baseline: ratios.best_baseline.map(|ratio| round(ratio, 4)),
            vs_better_mode: ratios.better_mode.map(|ratio| round(ratio, 4)),
            on_demand_pct: round(score.on_demand_percent, 2),
            switches_per_day: round(score.switches_per_day, 3),
            calls_per_day: round(score.calls_per_day, 2),
            refused: judged.refused,
            violations: judged.violations,
            under_accuracy_pct: round(score.elasticity.under_accuracy, 3),
            over_accuracy_pct: round(score.elasticity.over_accuracy, 3),
            under_time_pct: round(score.elasticity.under_time, 3),
            over_time_pct: round(score.elasticity.over_time, 3),
            seconds: round(outcome.seconds, 3),
        }
    }
}

fn facts(summary: &Summary) -> Value {
    let classes: Map<String, Value> =
        summary.r_by_class.iter().map(|(class, r)| (class.clone(), json!(round(*r, 4)))).collect();
    json!({
        "traces": summary.traces,
        "r_by_class": classes,
        "r_all": round(summary.r_all, 4),
        "r_forecastable": summary.r_forecastable.map(|r| round(r, 4)),
        "r_unforeseeable": summary.r_unforeseeable.map(|r| round(r, 4)),
        "served_pct": round(summary.served_percent, 1),
        "served_forecastable_pct": summary.served_forecastable_percent.map(|p| round(p, 1)),
        "calls_per_day": round(summary.calls_per_day, 2),
        "refused": summary.refused,
        "violations": summary.violations,
        "under_accuracy_pct": round(summary.elasticity.under_accuracy, 3),
        "over_accuracy_pct": round(summary.elasticity.over_accuracy, 3),
        "under_time_pct": round(summary.elasticity.under_time, 3),
        "over_time_pct": round(summary.elasticity.over_time, 3),
    })
}

fn overview<'a>(what: &'a str, summaries: impl Iterator<Item = (&'a str, &'a Summary)>) -> Table {
    let mut table = blank([
        what,
        "R all",
        "R forecastable",
        "R flash, on/off",
        "under 0.1 % throttled",
        "forecastable",
        "calls/day",
        "refused",
        "violations",
        "under acc.",
        "over acc.",
        "under time",
        "over time",
    ]);
    for (name, summary) in summaries {
        let share = |percent: Option<f64>| percent.map_or("-".to_owned(), |p| format!("{p:.0} %"));
        table.add_row([
            name.to_owned(),
            two(Some(summary.r_all)),
            two(summary.r_forecastable),
            two(summary.r_unforeseeable),
            share(Some(summary.served_percent)),
            share(summary.served_forecastable_percent),
            format!("{:.1}", summary.calls_per_day),
            summary.refused.to_string(),
            summary.violations.to_string(),
            format!("{:.2} %", summary.elasticity.under_accuracy),
            format!("{:.0} %", summary.elasticity.over_accuracy),
            format!("{:.2} %", summary.elasticity.under_time),
            format!("{:.0} %", summary.elasticity.over_time),
        ]);
    }
    table
}

fn blank<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header.into_iter().collect::<Vec<_>>());
    table
}

/// Numbers stand to the right, from a column on.
fn right(mut table: Table, from: usize) -> Table {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn two(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.2}"))
}

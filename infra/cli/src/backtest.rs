//! `weir backtest`: the whole system on recorded traffic, in the bench setting, scored at the
//! prices that the policy says the account pays.

use std::path::Path;

use comfy_table::{Table, presets};
use serde::Serialize;
use weir_bench::recording;
use weir_bench::replay::replay;
use weir_bench::score::{Pricing, Score, score_by};
use weir_core::policy::{Governance, OperatingMode, Policy, PolicySet};
use weir_core::units::StreamName;
use weir_sim::evenness::EvennessOverTime;
use weir_sim::record::StreamRun;
use weir_sim::settings::Settings;

use crate::faults::Failure;
use crate::{Format, actions, policies, progress};

/// What a backtest says.
#[derive(Serialize)]
struct BacktestReport {
    trace: String,
    days: f64,
    cost_vs_fixed: f64,
    throttled_pct: f64,
    j: f64,
    calls_per_day: f64,
    violations: usize,
}

/// What is to be done.
pub(crate) struct BacktestOrder<'a> {
    pub(crate) trace: &'a Path,
    pub(crate) policies: Option<&'a Path>,
    pub(crate) evenness: Option<&'a Path>,
    pub(crate) actions: Option<&'a Path>,
    pub(crate) format: Format,
}

pub(crate) fn run(order: &BacktestOrder<'_>) -> Result<(), Failure> {
    let trace = recording::read_trace(order.trace)?;
    let policy = match order.policies {
        Some(path) => acting(policies::read(path)?.set, &StreamName::new(&trace.name)?)?,
        None => Policy { operating_mode: OperatingMode::Act, ..Policy::DEFAULT },
    };
    let pricing = Pricing { prices: policy.prices, ..Pricing::BENCH };
    let bar = progress::bar(trace.minutes.len(), "backtest");
    let evenness = order.evenness.map_or(Ok(EvennessOverTime::EVEN), recording::read_evenness)?;
    let settings = Settings { evenness, ..Settings::bench() };
    let run = replay(&trace, policy, settings, || bar.inc(1)).run;
    bar.finish_and_clear();
    if let Some(path) = order.actions {
        actions::write(path, &run)?;
    }
    let report = BacktestReport::of(trace.name, &score_by(&run, &pricing)?, &run);
    match order.format {
        Format::Json => println!("{}", serde_json::to_string(&report)?),
        Format::Table => println!("{}", report.table()),
    }
    match run.violations.len() {
        0 => Ok(()),
        broken => Err(Failure::LawBroken(broken)),
    }
}

/// A backtest asks what acting would do, whatever mode the policy is in today.
fn acting(set: PolicySet, stream: &StreamName) -> Result<Policy, Failure> {
    match set.governing(stream) {
        Governance::By(policy) => {
            Ok(Policy { operating_mode: OperatingMode::Act, ..policy.clone() })
        }
        Governance::Faulty | Governance::None => {
            Err(Failure::Ungoverned { stream: stream.to_string() })
        }
    }
}

impl BacktestReport {
    fn of(trace: String, score: &Score, run: &StreamRun) -> BacktestReport {
        let round = |value: f64, digits: i32| {
            let scale = 10f64.powi(digits);
            (value * scale).round() / scale
        };
        BacktestReport {
            trace,
            days: round(score.days, 2),
            cost_vs_fixed: round(score.cost_vs_fixed(), 4),
            throttled_pct: round(score.throttled_percent, 4),
            j: round(score.j, 4),
            calls_per_day: round(score.calls_per_day, 2),
            violations: run.violations.len(),
        }
    }

    fn table(&self) -> Table {
        let BacktestReport {
            trace,
            days,
            cost_vs_fixed,
            throttled_pct,
            j,
            calls_per_day,
            violations,
        } = self;
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.add_row(["trace", trace]);
        table.add_row(["scored", &format!("{days} days, after one of warm-up")]);
        table.add_row(["shard cost", &format!("{:.1} % of fixed at peak", 100.0 * cost_vs_fixed)]);
        table.add_row(["throttled", &format!("{throttled_pct} % of bytes")]);
        table.add_row([
            "J",
            &format!("{j} (cost with throttled bytes priced in; fixed at peak is 1)"),
        ]);
        table.add_row(["reshards", &format!("{calls_per_day} a day of 10 allowed")]);
        table.add_row(["laws broken", &violations.to_string()]);
        table
    }
}

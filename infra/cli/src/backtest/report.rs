//! What a backtest of one recording says: the result, what else there is, what was done and why,
//! and what held it back.

use comfy_table::{CellAlignment, Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use weir_bench::backtest::{ActionTaken, Backtest, OWN_STREAM_MONTH};
use weir_bench::contender::Contender;

use crate::faults::Failure;
use crate::played::{Beside, Played, beside, dollars, round};
use crate::{Format, recordings, timeline};

/// So many lines of what was done are printed; the newest.
const LINES_MAX: usize = 40;

/// A backtest, for programs. Its keys are documented in docs/backtest.md, and stay.
#[derive(Serialize)]
pub(super) struct BacktestReport {
    pub(super) trace: String,
    pub(super) days: f64,
    pub(super) missing_minutes: usize,
    pub(super) cost_vs_fixed: f64,
    pub(super) throttled_pct: f64,
    j: f64,
    calls_per_day: f64,
    violations: usize,
    pub(super) usd_month: f64,
    pub(super) usd_month_before: f64,
    pub(super) usd_month_saved: f64,
    usd_month_weir: f64,
    beside: Vec<Beside>,
    held_back: Vec<HeldBackReport>,
    actions: Vec<ActionReport>,
}

#[derive(Serialize)]
struct HeldBackReport {
    reason: &'static str,
    plans: usize,
    meaning: &'static str,
}

#[derive(Serialize)]
struct ActionReport {
    called_at: Timestamp,
    effective_at: Timestamp,
    action: &'static str,
    from: String,
    to: String,
    wanted: Option<u32>,
    reasons: Vec<&'static str>,
    why: String,
}

pub(super) fn tell(played: &Played, format: Format) -> Result<(), Failure> {
    let report = BacktestReport::of(played);
    match format {
        Format::Json => println!("{}", serde_json::to_string(&report)?),
        Format::Table => {
            println!("{}", report.summary(played));
            println!("\n{}\n", report.comparison());
            for line in done(played) {
                println!("{line}");
            }
            for held in &report.held_back {
                let plans = if held.plans == 1 { "plan" } else { "plans" };
                println!(
                    "held back in {} {plans} by {}: {}",
                    held.plans, held.reason, held.meaning
                );
            }
        }
    }
    Ok(())
}

/// What was done, and why; the oldest are left out where there are many.
fn done(played: &Played) -> Vec<String> {
    let dated = |action: &ActionTaken| {
        let at = action.called_at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %a %H:%M");
        format!("{at}  {} → {}  {}", action.from, action.to, action.why)
    };
    let lines: Vec<String> = played.backtest.actions().iter().map(dated).collect();
    let left_out = lines.len().saturating_sub(LINES_MAX);
    let mut shown = Vec::new();
    if left_out > 0 {
        shown.push(format!("… {left_out} earlier changes; --actions FILE writes them all"));
    }
    shown.extend(lines.into_iter().skip(left_out));
    if shown.is_empty() {
        shown.push("Nothing was changed.".to_owned());
        shown.extend(timeline::lines(&played.backtest.run.plans).into_iter().take(LINES_MAX));
    }
    shown
}

impl BacktestReport {
    pub(super) fn of(played: &Played) -> BacktestReport {
        let Backtest { run, score, .. } = &played.backtest;
        let action = |action: ActionTaken| ActionReport {
            called_at: action.called_at,
            effective_at: action.effective_at,
            action: action.kind,
            from: action.from,
            to: action.to,
            wanted: action.wanted.map(weir_core::units::Shards::get),
            reasons: action.reasons,
            why: action.why,
        };
        let held = played.backtest.held_back().into_iter().map(|held| HeldBackReport {
            reason: held.code,
            plans: held.plans,
            meaning: held.meaning,
        });
        BacktestReport {
            trace: played.recording.trace.name.clone(),
            days: round(score.days, 2),
            missing_minutes: played.recording.trace.recorded.missing_minutes(),
            cost_vs_fixed: round(score.cost_vs_fixed(), 4),
            throttled_pct: round(score.throttled_percent, 4),
            j: round(score.j, 4),
            calls_per_day: round(score.calls_per_day, 2),
            violations: run.violations.len(),
            usd_month: round(score.month().get(), 2),
            usd_month_before: round(played.backtest.before().get(), 2),
            usd_month_saved: round(played.backtest.saves(), 2),
            usd_month_weir: OWN_STREAM_MONTH.get(),
            beside: beside(&played.backtest),
            held_back: held.collect(),
            actions: played.backtest.actions().into_iter().map(action).collect(),
        }
    }

    fn summary(&self, played: &Played) -> Table {
        let before = match &played.backtest.today {
            Some((size, _)) => format!("today's {size} shards"),
            None => "fixed at peak".to_owned(),
        };
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let mut row = |name: &str, value: String| {
            table.add_row([name.to_owned(), value]);
        };
        row("trace", self.trace.clone());
        row("recorded", recordings::recorded(&played.recording.trace));
        if self.missing_minutes > 0 {
            row("", "what a gap means is the policy's missing_data".to_owned());
        }
        row("scored", format!("{} days, after one of warm-up", self.days));
        row("shard cost", format!("{:.1} % of fixed at peak", 100.0 * self.cost_vs_fixed));
        row("throttled", format!("{} % of bytes", self.throttled_pct));
        row(
            "saves",
            format!(
                "{} a month against {before}, Weir's {} counted",
                dollars(self.usd_month_saved),
                dollars(self.usd_month_weir)
            ),
        );
        row("J", format!("{} (cost with throttling priced in; fixed at peak is 1)", self.j));
        row("reshards", format!("{} a day of 10 allowed", self.calls_per_day));
        row("laws broken", self.violations.to_string());
        table
    }

    fn comparison(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["", "$ a month", "throttled", "reshards a day", "refused"]);
        let mut row = |name: &str, usd: f64, throttled: f64, calls: f64, refused: String| {
            table.add_row([
                name.to_owned(),
                format!("{usd:.2}"),
                format!("{throttled:.4} %"),
                format!("{calls:.2}"),
                refused,
            ]);
        };
        row(
            Contender::Weir.name(),
            self.usd_month,
            self.throttled_pct,
            self.calls_per_day,
            "0".to_owned(),
        );
        for one in &self.beside {
            let refused = one.refused_calls.to_string();
            row(&one.name, one.usd_month, one.throttled_pct, one.calls_per_day, refused);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}

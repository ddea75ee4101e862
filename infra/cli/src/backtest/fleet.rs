//! What a backtest of a folder says: a row for each stream, and the sum, Weir's own cost counted.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;
use weir_bench::backtest::{OWN_INSTALLATION_MONTH, OWN_STREAM_MONTH};

use super::report::BacktestReport;
use crate::Format;
use crate::faults::Failure;
use crate::played::{Played, dollars, round};

/// All streams together, US dollars a month.
#[derive(Clone, Copy, Default)]
struct Sum {
    before: f64,
    with_weir: f64,
    /// Of the streams that are worth it: what they save, their own cost of Weir taken off.
    saved: f64,
    worth_it: usize,
}

pub(super) fn tell(all: &[Played], format: Format) -> Result<(), Failure> {
    let reports: Vec<BacktestReport> = all.iter().map(BacktestReport::of).collect();
    let sum = Sum::of(&reports);
    match format {
        Format::Json => {
            for report in &reports {
                println!("{}", serde_json::to_string(report)?);
            }
            println!("{}", sum.json(reports.len()));
        }
        Format::Table => {
            println!("{}\n", table(&reports, sum));
            println!("{}", sum.words(reports.len()));
        }
    }
    Ok(())
}

fn is_worth_it(report: &BacktestReport) -> bool {
    report.usd_month_saved > 0.0
}

impl Sum {
    fn of(reports: &[BacktestReport]) -> Sum {
        reports.iter().fold(Sum::default(), |sum, report| {
            let worth_it = is_worth_it(report);
            Sum {
                before: sum.before + report.usd_month_before,
                with_weir: sum.with_weir + report.usd_month,
                saved: sum.saved + if worth_it { report.usd_month_saved } else { 0.0 },
                worth_it: sum.worth_it + usize::from(worth_it),
            }
        })
    }

    /// What is left once the installation is paid.
    fn in_all(self) -> f64 {
        self.saved - if self.worth_it > 0 { OWN_INSTALLATION_MONTH.get() } else { 0.0 }
    }

    fn json(self, streams: usize) -> serde_json::Value {
        json!({"sum": {
            "streams": streams,
            "worth_it": self.worth_it,
            "usd_month_before": round(self.before, 2),
            "usd_month": round(self.with_weir, 2),
            "usd_month_saved": round(self.in_all(), 2),
        }})
    }

    fn words(self, streams: usize) -> String {
        let own = OWN_STREAM_MONTH.get();
        let installation = OWN_INSTALLATION_MONTH.get();
        format!(
            "{} of {streams} streams are worth it: they save {} a month, Weir's own ${own:.2} \
             for each of them and ${installation:.2} for its installation taken off.",
            self.worth_it,
            dollars(self.in_all())
        )
    }
}

fn table(reports: &[BacktestReport], sum: Sum) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "before, $", "with Weir, $", "saves, $", "throttled", "missing", ""]);
    let usd = |usd: f64| format!("{usd:.2}");
    let mut sorted: Vec<&BacktestReport> = reports.iter().collect();
    sorted.sort_by(|a, b| b.usd_month_saved.total_cmp(&a.usd_month_saved));
    for report in sorted {
        table.add_row([
            report.trace.clone(),
            usd(report.usd_month_before),
            usd(report.usd_month),
            usd(report.usd_month_saved),
            format!("{:.4} %", report.throttled_pct),
            format!("{} min", report.missing_minutes),
            if is_worth_it(report) { "worth it" } else { "not worth it" }.to_owned(),
        ]);
    }
    table.add_row([
        "all, a month".to_owned(),
        usd(sum.before),
        usd(sum.with_weir),
        usd(sum.in_all()),
        String::new(),
        String::new(),
        format!("{} worth it", sum.worth_it),
    ]);
    for column in table.column_iter_mut().skip(1).take(5) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

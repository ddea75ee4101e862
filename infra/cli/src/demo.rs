//! `weir demo`: a made-up week on the simulated AWS, told as it went. Not here: the consumer that
//! fails in it (`consumer`).

mod consumer;

use std::io::IsTerminal;
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use jiff::Timestamp;
use weir_bench::baseline::{self, AwsSample};
use weir_bench::recording;
use weir_bench::replay::{Replayed, replay};
use weir_bench::score::{Score, score};
use weir_bench::setting::Setting;
use weir_core::policy::{OperatingMode, Policy};
use weir_sim::generate;
use weir_sim::record::StreamRun;
use weir_sim::settings::Settings;

use crate::faults::Failure;
use crate::{chart, progress, timeline};

/// Monday, 2026-11-02, midnight.
const START_SECOND: i64 = 1_793_577_600;
const DAYS: usize = 7;
/// The crowd comes on Thursday.
const FLASH_DAY: usize = 3;

pub(crate) fn run(seed: u64, evenness: Option<&Path>) -> Result<(), Failure> {
    let start = Timestamp::from_second(START_SECOND).unwrap_or(Timestamp::UNIX_EPOCH);
    let trace = generate::days(seed, start, DAYS, FLASH_DAY);
    println!(
        "A stream through a week: days and nights, a weekend, growth, and on Thursday a flash crowd.\n\
         Traffic and chance come from seed {seed}; AWS is simulated, Weir is the code that runs in Lambda.\n"
    );
    let policy = Policy { operating_mode: OperatingMode::Act, ..Policy::DEFAULT };
    let mut settings = Settings { consumers: consumer::consumers(), ..Settings::realistic(seed) };
    if let Some(path) = evenness {
        settings.evenness = recording::read_evenness(path)?;
    }
    let setting = Setting { evenness: settings.evenness.clone(), ..Setting::BENCH };
    let bar = progress::bar(trace.minutes.len(), "simulating");
    let Replayed { run: weir, alerts } = replay(&trace, policy, settings, || bar.inc(1));
    bar.finish_and_clear();
    let initial = baseline::initial_shards(&trace);
    let sample = baseline::run(&trace, &mut AwsSample::new(initial), &setting);
    for line in timeline::lines(&weir.plans) {
        println!("{line}");
    }
    println!("\n{}", chart::draw(&weir, std::io::stdout().is_terminal()));
    println!("{}", table(&weir, &sample)?);
    println!(
        "Scored after a day of warm-up; shards at $0.015 an hour; laws broken: {}.",
        weir.violations.len()
    );
    consumer::tell(&alerts);
    match weir.violations.len() {
        0 => Ok(()),
        broken => Err(Failure::LawBroken(broken)),
    }
}

/// Weir beside what else could be done.
fn table(weir: &StreamRun, sample: &StreamRun) -> Result<Table, Failure> {
    let (ours, theirs) = (score(weir)?, score(sample)?);
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "",
        "shards, $ a week",
        "of fixed at peak",
        "throttled",
        "reshards",
        "refused calls",
    ]);
    let row = |name: &str, score: &Score, run: &StreamRun| {
        let refused = run.refused_calls.get("UpdateShardCount").copied().unwrap_or(0);
        [
            name.to_owned(),
            dollars_a_week(score.shard_cost_usd, score),
            format!("{:.0} %", 100.0 * score.cost_vs_fixed()),
            format!("{:.3} %, {}", score.throttled_percent, bytes(score.throttled_bytes)),
            run.reshards.len().to_string(),
            refused.to_string(),
        ]
    };
    table.add_row(row("Weir", &ours, weir));
    table.add_row(row("AWS sample (double at 75 %, halve at 25 %)", &theirs, sample));
    table.add_row([
        "fixed at peak".to_owned(),
        dollars_a_week(ours.fixed_cost_usd, &ours),
        "100 %".to_owned(),
        format!("{:.3} %, {}", 0.0, bytes(0.0)),
        "0".to_owned(),
        "0".to_owned(),
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    Ok(table)
}

fn dollars_a_week(usd: f64, score: &Score) -> String {
    format!("{:.2}", usd * 7.0 / score.days)
}

fn bytes(bytes: f64) -> String {
    const GIB: f64 = 1_073_741_824.0;
    if bytes >= GIB {
        format!("{:.1} GiB", bytes / GIB)
    } else {
        format!("{:.0} MiB", bytes / GIB * 1024.0)
    }
}

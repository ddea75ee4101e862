//! `weir estimate`: how many shards some traffic needs, and what a month of it costs in every way
//! AWS bills it. Here: what is asked. A recording is played by `weir_bench`. What is said is in
//! `report`; the sums are `weir_core::bill`'s.

mod report;

use std::path::{Path, PathBuf};

use clap::Args;
use weir_bench::{estimate as bench_estimate, recording};
use weir_core::bill::{Measured, Readers, Setup, Stretch, Written, estimate};
use weir_core::limits::prices::{self, MONTH_HOURS, Prices};
use weir_core::limits::{RETENTION_DEFAULT_HOURS, RETENTION_MAX_HOURS};
use weir_core::policy::Policy;

use crate::faults::Failure;
use crate::{Format, progress};

/// What is asked: traffic by two of its three rates, or recorded; and how the stream is used.
#[derive(Args)]
pub(crate) struct Question {
    /// MiB written per second, in the mean.
    #[arg(long, value_name = "MIB", value_parser = positive)]
    mib_per_second: Option<f64>,
    /// Records written per second, in the mean.
    #[arg(long, value_name = "RECORDS", value_parser = positive)]
    records_per_second: Option<f64>,
    /// Bytes of a record, partition key included.
    #[arg(long, value_name = "BYTES", value_parser = positive)]
    record_bytes: Option<f64>,
    /// The busiest hour, as a multiple of the mean; 1 to 100.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = peak_factor)]
    peak_factor: f64,
    /// Recorded traffic instead: CSV with the columns timestamp, incoming_bytes, incoming_records.
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["mib_per_second", "records_per_second", "record_bytes", "peak_factor"])]
    trace: Option<PathBuf>,
    /// Consumers that poll, sharing what a shard gives.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    consumers: u32,
    /// Consumers with enhanced fan-out.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    fan_out_consumers: u32,
    /// How long records are kept.
    #[arg(long, value_name = "HOURS", default_value_t = RETENTION_DEFAULT_HOURS,
          value_parser = clap::value_parser!(u32).range(
              i64::from(RETENTION_DEFAULT_HOURS)..=i64::from(RETENTION_MAX_HOURS)))]
    retention_hours: u32,
    /// Whose prices to take.
    #[arg(long, default_value = prices::US_EAST_1.region)]
    region: String,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Traffic to be billed, and what came of playing it.
struct Traffic {
    what: String,
    stretches: Vec<Stretch>,
    measured: Option<Measured>,
}

pub(crate) fn run(question: &Question) -> Result<(), Failure> {
    let prices = Prices::of_region(&question.region).ok_or_else(|| Failure::NoPrices {
        region: question.region.clone(),
        known: prices::REGIONS.map(|prices| prices.region).join(", "),
    })?;
    let readers = Readers { polling: question.consumers, fan_out: question.fan_out_consumers };
    let setup = Setup { readers, retention_hours: question.retention_hours };
    let traffic = match &question.trace {
        Some(path) => recorded(path)?,
        None => steady(question).ok_or(Failure::NoTraffic)?,
    };
    let Traffic { what, stretches, measured } = traffic;
    let price_of_throttling = Policy::DEFAULT.throttled_gib_usd;
    let estimate = estimate(prices, &stretches, setup, measured, price_of_throttling);
    let report = report::EstimateReport { what, prices, setup, measured, estimate };
    match question.format {
        Format::Table => report.print_table(),
        Format::Json => println!("{}", serde_json::to_string(&report.json())?),
    }
    Ok(())
}

/// A month of steady traffic but for its busiest hour; `None` where the rates do not say it.
fn steady(question: &Question) -> Option<Traffic> {
    const MIB: f64 = 1_048_576.0;
    let rates = (question.mib_per_second, question.records_per_second, question.record_bytes);
    let (bytes, records) = match rates {
        (Some(mib), Some(records), None) => (mib * MIB, records),
        (Some(mib), None, Some(size)) => (mib * MIB, mib * MIB / size),
        (None, Some(records), Some(size)) => (records * size, records),
        _ => return None,
    };
    let peak = question.peak_factor;
    let stretch = |hours: f64, factor: f64| {
        let seconds = 3_600.0 * hours * factor;
        let written = Written { bytes: bytes * seconds, records: records * seconds };
        Stretch { hours, written }
    };
    let rest = (MONTH_HOURS - peak) / (MONTH_HOURS - 1.0);
    Some(Traffic {
        what: format!(
            "{:.2} MiB/s, {records:.0} records/s of {:.0} bytes; busiest hour {peak} times the mean",
            bytes / MIB,
            bytes / records
        ),
        stretches: vec![stretch(1.0, peak), stretch(MONTH_HOURS - 1.0, rest)],
        measured: None,
    })
}

/// A recording, played to Weir and on demand; its first day warms up.
fn recorded(path: &Path) -> Result<Traffic, Failure> {
    let trace = recording::read_trace(path)?;
    let bar = progress::bar(trace.minutes.len(), "estimate");
    let played =
        bench_estimate::play(&trace, |minutes| bar.inc(u64::try_from(minutes).unwrap_or(0)))?;
    bar.finish_and_clear();
    let days = (played.days * 100.0).round() / 100.0;
    Ok(Traffic {
        what: format!("{days} days of {}, after one of warm-up", trace.name),
        stretches: played.stretches,
        measured: Some(played.measured),
    })
}

fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "this is not a number".to_owned())?;
    let sound = number.is_finite() && number > 0.0;
    sound.then_some(number).ok_or_else(|| "write a number above 0".to_owned())
}

fn peak_factor(text: &str) -> Result<f64, String> {
    let sound = positive(text).ok().filter(|factor| (1.0..=100.0).contains(factor));
    sound.ok_or_else(|| "write a number from 1 to 100".to_owned())
}

//! `weir backtest`: the whole system on recorded traffic, in the bench setting, scored at the
//! prices that the policy says the account pays; one recording, or a folder of them with a sum.
//!
//! Here: what is asked. What is said of one recording is in `report`, of a folder in `fleet`. Not
//! here: playing (`weir_bench::backtest`), and the HTML page (`html`).

mod fleet;
mod report;

use std::path::PathBuf;

use clap::Args;
use weir_bench::backtest::{self, Asked};
use weir_bench::recording::{self, Recording};
use weir_bench::score::Pricing;
use weir_bench::setting::Setting;
use weir_core::policy::{Governance, OperatingMode, Policy, PolicySet};
use weir_core::units::{Shards, StreamName};
use weir_sim::evenness::EvennessOverTime;

use crate::faults::Failure;
use crate::played::Played;
use crate::{Format, actions, html, policies, progress};

/// What is asked.
#[derive(Args)]
pub(crate) struct BacktestQuestion {
    /// A recording, or a folder of them: CSV with the columns timestamp, incoming_bytes,
    /// incoming_records, named as its stream. It takes more than a day: the first 24 hours warm up.
    #[arg(long, value_name = "FILE")]
    trace: PathBuf,
    /// Policy file, or folder of them; the stream is named as the trace. Without it, the
    /// defaults.
    #[arg(long)]
    policies: Option<PathBuf>,
    /// The shards that are open, and paid for, today: what Weir begins with, and what its bill is
    /// set against.
    #[arg(long, value_name = "SHARDS", value_parser = clap::value_parser!(u32).range(1..))]
    initial_shards: Option<u32>,
    /// How evenly traffic comes over the seconds of a minute and over keys (JSON); without it,
    /// evenly.
    #[arg(long, value_name = "FILE")]
    evenness: Option<PathBuf>,
    /// Write every action, with its reason, to this CSV.
    #[arg(long, value_name = "FILE")]
    actions: Option<PathBuf>,
    /// Write a page to look at: one file, which needs no network.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

pub(crate) fn run(question: &BacktestQuestion) -> Result<(), Failure> {
    let is_folder = question.trace.is_dir();
    let recordings = match is_folder {
        true => recording::read_folder(&question.trace)?,
        false => {
            vec![Recording { trace: recording::read_trace(&question.trace)?, class: String::new() }]
        }
    };
    let set = match &question.policies {
        Some(path) => Some(policies::read(path)?.set),
        None => None,
    };
    let evenness = match &question.evenness {
        Some(path) => recording::read_evenness(path)?,
        None => EvennessOverTime::EVEN,
    };
    let world = Setting { evenness, ..Setting::BENCH };
    let all = play(recordings, set.as_ref(), question, &world)?;
    if let Some(path) = &question.actions {
        let runs = all.iter().map(|one| (one.recording.trace.name.as_str(), &one.backtest.run));
        actions::write_all(path, runs, is_folder)?;
    }
    if let Some(path) = &question.html {
        html::write(path, &all)?;
    }
    match (&all[..], is_folder) {
        ([one], false) => report::tell(one, question.format)?,
        (all, _) => fleet::tell(all, question.format)?,
    }
    match all.iter().map(|one| one.backtest.run.violations.len()).sum() {
        0 => Ok(()),
        broken => Err(Failure::LawBroken(broken)),
    }
}

fn play(
    recordings: Vec<Recording>,
    set: Option<&PolicySet>,
    question: &BacktestQuestion,
    world: &Setting,
) -> Result<Vec<Played>, Failure> {
    let minutes = recordings.iter().map(|one| backtest::minutes(&one.trace)).sum();
    let bar = progress::bar(minutes, "backtest");
    let mut all = Vec::new();
    for recording in recordings {
        let policy = match set {
            Some(set) => acting(set, &StreamName::new(&recording.trace.name)?)?,
            None => Policy { operating_mode: OperatingMode::Act, ..Policy::DEFAULT },
        };
        let pricing = Pricing { prices: policy.prices, ..Pricing::BENCH };
        let setting = Setting { pricing, ..world.clone() };
        let initial = question.initial_shards.map(Shards::at_least_one);
        let asked = Asked { recording: &recording, policy, initial, setting: setting.clone() };
        let name = recording.trace.name.clone();
        let played =
            backtest::backtest(asked, |minutes| bar.inc(u64::try_from(minutes).unwrap_or(0)))
                .map_err(|why| Failure::NotScored { trace: name, why })?;
        all.push(Played { recording, setting, backtest: played });
    }
    bar.finish_and_clear();
    Ok(all)
}

/// A backtest asks what acting would do, whatever mode the policy is in today.
fn acting(set: &PolicySet, stream: &StreamName) -> Result<Policy, Failure> {
    match set.governing(stream) {
        Governance::By(policy) => {
            Ok(Policy { operating_mode: OperatingMode::Act, ..policy.clone() })
        }
        Governance::Faulty | Governance::None => {
            Err(Failure::Ungoverned { stream: stream.to_string() })
        }
    }
}

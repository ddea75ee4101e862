//! `weir bench`: Weir and everything it is compared with, side by side on a folder of traces.
//!
//! Here: what is asked, and telling how far it is. What is said is in `report`. Not here: playing
//! and judging (`weir_bench`).

mod report;

use std::fs;
use std::path::Path;

use indicatif::ProgressBar;
use weir_bench::contender::Contender;
use weir_bench::jobs::{self, Observer};
use weir_bench::recording;
use weir_bench::setting::{BENCH, Variants};
use weir_sim::record::StreamRun;
use weir_sim::trace::Trace;

use crate::faults::Failure;
use crate::{Format, actions, progress};

/// What is to be done.
pub(crate) struct Order<'a> {
    pub(crate) traces: &'a Path,
    /// Names of contenders; all where there are none.
    pub(crate) policies: &'a [String],
    pub(crate) actions_dir: Option<&'a Path>,
    pub(crate) format: Format,
    pub(crate) sensitivities: bool,
}

pub(crate) fn run(order: &Order<'_>) -> Result<(), Failure> {
    let recordings = recording::read_folder(order.traces)?;
    if let Some(dir) = order.actions_dir {
        fs::create_dir_all(dir)
            .map_err(|source| Failure::Unwritable { path: dir.to_owned(), source })?;
    }
    let asked: Vec<Contender> = match order.policies {
        [] => Contender::ALL.to_vec(),
        names => names.iter().filter_map(|name| Contender::named(name)).collect(),
    };
    let variants = match order.sensitivities {
        true => Variants::sensitivities(),
        false => vec![Variants::bench()],
    };
    let shown = Shown { bar: progress::bar(0, BENCH), actions_dir: order.actions_dir };
    let outcomes = jobs::play_all(&recordings, &asked, &variants, &shown)?;
    shown.bar.finish_and_clear();
    let report = report::BenchReport::new(&recordings, &asked, &variants, &outcomes);
    match order.format {
        Format::Table => report.print_tables(),
        Format::Json => report.print_json()?,
    }
    match outcomes.iter().map(|outcome| outcome.judged.violations).sum() {
        0 => Ok(()),
        broken => Err(Failure::LawBroken(broken)),
    }
}

/// A bench as it goes: a bar, and the files of actions.
struct Shown<'a> {
    bar: ProgressBar,
    actions_dir: Option<&'a Path>,
}

impl Observer for Shown<'_> {
    type Error = Failure;

    fn begins(&self, minutes: usize) {
        self.bar.set_length(u64::try_from(minutes).unwrap_or(u64::MAX));
    }

    fn minutes(&self, minutes: usize) {
        self.bar.inc(u64::try_from(minutes).unwrap_or(0));
    }

    fn run(&self, trace: &Trace, contender: Contender, run: &StreamRun) -> Result<(), Failure> {
        match self.actions_dir {
            Some(dir) => {
                let name = format!("{}.{}.csv", trace.name, contender.name());
                actions::write(&dir.join(name), run)
            }
            None => Ok(()),
        }
    }
}

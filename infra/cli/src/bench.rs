//! `weir bench`: Weir and everything it is compared with, side by side on a folder of traces.
//!
//! Here: what is asked, and telling how far it is. What is said is in `report`. Not here: playing
//! and judging (`weir_bench`).

mod report;

use std::fs;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use weir_bench::contender::Contender;
use weir_bench::jobs::{self, Observer};
use weir_bench::recording;
use weir_bench::setting::Variants;
use weir_sim::evenness::EvennessOverTime;
use weir_sim::record::StreamRun;
use weir_sim::trace::Trace;

use crate::faults::Failure;
use crate::{Format, actions, progress};
use report::BenchReport;

/// What is to be done.
pub(crate) struct BenchOrder<'a> {
    pub(crate) traces: &'a Path,
    /// Names of contenders; all where there are none.
    pub(crate) policies: &'a [String],
    /// One for each world; none is even traffic.
    pub(crate) evenness: &'a [PathBuf],
    pub(crate) actions_dir: Option<&'a Path>,
    pub(crate) format: Format,
    pub(crate) sensitivities: bool,
}

pub(crate) fn run(order: &BenchOrder<'_>) -> Result<(), Failure> {
    let recordings = recording::read_folder(order.traces)?;
    let asked: Vec<Contender> = match order.policies {
        [] => Contender::ALL.to_vec(),
        names => names.iter().filter_map(|name| Contender::named(name)).collect(),
    };
    let mut by_world = Vec::new();
    let mut broken = 0;
    for (world, evenness) in worlds(order.evenness)? {
        let variants = match order.sensitivities {
            true => Variants::sensitivities(&evenness),
            false => vec![Variants::bench(&evenness)],
        };
        let dir = order.actions_dir.map(|dir| match order.evenness {
            [] | [_] => dir.to_owned(),
            _ => dir.join(&world),
        });
        if let Some(dir) = &dir {
            fs::create_dir_all(dir)
                .map_err(|source| Failure::Unwritable { path: dir.clone(), source })?;
        }
        let shown = Shown { bar: progress::bar(0, world.clone()), actions_dir: dir.as_deref() };
        let outcomes = jobs::play_all(&recordings, &asked, &variants, &shown)?;
        shown.bar.finish_and_clear();
        let report = BenchReport::new(&world, &recordings, &asked, &variants, &outcomes);
        match order.format {
            Format::Table => report.print_tables(),
            Format::Json => report.print_json()?,
        }
        let summaries = report.into_summaries();
        by_world.push((world, summaries));
        broken += outcomes.iter().map(|outcome| outcome.judged.violations).sum::<usize>();
    }
    if order.format == Format::Table && by_world.len() > 1 {
        report::print_worlds(&by_world);
    }
    match broken {
        0 => Ok(()),
        broken => Err(Failure::LawBroken(broken)),
    }
}

/// How even traffic is in each world, by the name of its file.
fn worlds(files: &[PathBuf]) -> Result<Vec<(String, EvennessOverTime)>, Failure> {
    if files.is_empty() {
        return Ok(vec![("even".to_owned(), EvennessOverTime::EVEN)]);
    }
    let world = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok((name, recording::read_evenness(path)?))
    };
    files.iter().map(world).collect()
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

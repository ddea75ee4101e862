//! `weir import`: exports of CloudWatch become recordings.
//!
//! Here: which files are read and written, and what is said of them. Not here: reading exports
//! (`weir_bench::import`).

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::tz::TimeZone;
use weir_bench::import::{self, Imported};
use weir_bench::metric_history::MetricHistory;
use weir_bench::recording::RecordingError;
use weir_core::units::StreamName;

use crate::faults::Failure;
use crate::recordings;

/// What is asked.
#[derive(Args)]
pub(crate) struct ImportQuestion {
    /// What `aws cloudwatch get-metric-data` or `get-metric-statistics` printed, or the console's
    /// CSV; a metric of a stream may stand in one file and the next in another. `-` is standard
    /// input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The stream they are of, where they do not say it: the recording is named as it. Without it,
    /// the recording is named as the first file.
    #[arg(long)]
    stream: Option<String>,
    /// Folder for the recordings.
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    out: PathBuf,
    /// Zone of times that say none, such as Europe/Berlin.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: String,
    /// Write over recordings that are there.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(question: &ImportQuestion) -> Result<(), Failure> {
    let zone = TimeZone::get(&question.time_zone)
        .map_err(|source| Failure::TimeZone { zone: question.time_zone.clone(), source })?;
    let stream = question.stream.as_deref().map(StreamName::new).transpose()?;
    let files = question.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let imported = import::read(&files, &zone).map_err(RecordingError::Trace)?;
    let first = question.files.first().map_or(Path::new("recording"), PathBuf::as_path);
    let named = named(imported, stream, first)?;
    let source = files.first().map_or("", |(name, _)| name);
    fs::create_dir_all(&question.out)
        .map_err(|source| Failure::Unwritable { path: question.out.clone(), source })?;
    for (name, history) in named {
        let trace = history.to_trace(&name, source).map_err(RecordingError::Trace)?;
        let path = question.out.join(format!("{name}.csv"));
        if path.exists() && !question.force {
            return Err(Failure::AlreadyThere { path });
        }
        recordings::write(&path, &history)?;
        println!("{}: {}", path.display(), recordings::told(&trace));
        println!("  weir backtest --trace {}", path.display());
    }
    Ok(())
}

fn read(path: &Path) -> Result<(String, Vec<u8>), Failure> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        let read = io::stdin().read_to_end(&mut bytes);
        read.map_err(|source| RecordingError::Unreadable { path: path.to_owned(), source })?;
        return Ok(("standard input".to_owned(), bytes));
    }
    let bytes = fs::read(path)
        .map_err(|source| RecordingError::Unreadable { path: path.to_owned(), source })?;
    Ok((path.display().to_string(), bytes))
}

/// Each history with the name of its recording.
fn named(
    imported: Imported,
    stream: Option<StreamName>,
    first: &Path,
) -> Result<Vec<(String, MetricHistory)>, Failure> {
    if let (Some(asked), false) = (&stream, imported.contains_key(&None)) {
        let found: Vec<String> = imported.keys().flatten().map(ToString::to_string).collect();
        if !found.iter().any(|found| *found == asked.to_string()) {
            let (asked, found) = (asked.to_string(), found.join(", "));
            return Err(Failure::OtherStream { asked, found });
        }
    }
    let stem = || match first == Path::new("-") {
        true => "recording".to_owned(),
        false => first.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
    };
    let nameless = stream.as_ref().map_or_else(stem, ToString::to_string);
    let wanted = |name: &Option<StreamName>| match (name, &stream) {
        (Some(name), Some(asked)) => name == asked,
        _ => true,
    };
    let named = imported.into_iter().filter(|(name, _)| wanted(name));
    let named = named
        .map(|(name, history)| (name.map_or(nameless.clone(), |name| name.to_string()), history));
    Ok(named.collect())
}

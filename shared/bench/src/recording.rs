//! Recordings from files: one, or a folder of them with their classes; and how even traffic is. Not
//! here: the formats (`weir_sim::trace`, `weir_sim::evenness`).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use weir_sim::evenness::{EvennessFault, EvennessOverTime};
use weir_sim::trace::{Trace, TraceFault};

/// A trace with its class of traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The traffic.
    pub trace: Trace,
    /// The class that the `.json` beside the file names as `cls`; `unclassed` where it names none.
    pub class: String,
}

/// A recording that cannot be read.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// The file, or the folder.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The CSV.
    #[error(transparent)]
    Trace(#[from] TraceFault),
    /// How even traffic is.
    #[error(transparent)]
    Evenness(#[from] EvennessFault),
    /// The JSON beside it.
    #[error("{path} is not JSON")]
    Class {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// Reads the traffic of one CSV file; the trace is named as the file.
///
/// # Errors
/// Where the file cannot be read, or is no recording.
pub fn read_trace(path: &Path) -> Result<Trace, RecordingError> {
    let file = File::open(path).map_err(unreadable(path))?;
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    Ok(Trace::read(&name, &path.display().to_string(), file)?)
}

/// Reads how evenly traffic lies over seconds and keys.
///
/// # Errors
/// Where the file cannot be read, or does not say so.
pub fn read_evenness(path: &Path) -> Result<EvennessOverTime, RecordingError> {
    let json = fs::read_to_string(path).map_err(unreadable(path))?;
    Ok(EvennessOverTime::read(&path.display().to_string(), &json)?)
}

/// Reads every `.csv` of a folder, in the order of their names.
///
/// # Errors
/// Where the folder or one of the files cannot be read, and where there is no `.csv`.
pub fn read_folder(dir: &Path) -> Result<Vec<Recording>, RecordingError> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir)
        .map_err(unreadable(dir))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, io::Error>>()
        .map_err(unreadable(dir))?;
    // The actions of a backtest may lie beside what it was made of.
    let is_recording = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".csv") && !name.ends_with(".actions.csv")
    };
    paths.retain(is_recording);
    paths.sort();
    if paths.is_empty() {
        let why = "no traces (*.csv) in it";
        return Err(unreadable(dir)(io::Error::new(io::ErrorKind::NotFound, why)));
    }
    paths
        .iter()
        .map(|path| Ok(Recording { trace: read_trace(path)?, class: class(path)? }))
        .collect()
}

fn class(recording: &Path) -> Result<String, RecordingError> {
    let path = recording.with_extension("json");
    let named = match fs::read(&path) {
        Ok(text) => serde_json::from_slice::<serde_json::Value>(&text)
            .map_err(|source| RecordingError::Class { path, source })?
            .get("cls")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(RecordingError::Unreadable { path, source }),
    };
    Ok(named.unwrap_or_else(|| "unclassed".to_owned()))
}

fn unreadable(path: &Path) -> impl Fn(io::Error) -> RecordingError + '_ {
    |source| RecordingError::Unreadable { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_traces_is_no_bench() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(matches!(read_folder(dir.path()), Err(RecordingError::Unreadable { .. })));
    }
}

//! The actions file of a backtest: CSV `called_at,effective_at,action,from,to,wanted,reasons,why`,
//! times in RFC 3339 UTC. The reasons are codes, with a space between them.

use std::fs;
use std::path::Path;

use weir_bench::backtest::{ActionTaken, actions};
use weir_sim::record::StreamRun;

use crate::faults::Failure;

const COLUMNS: [&str; 8] =
    ["called_at", "effective_at", "action", "from", "to", "wanted", "reasons", "why"];

/// Of one run, or of each in a folder.
pub(crate) fn write_all<'a>(
    path: &Path,
    runs: impl Iterator<Item = (&'a str, &'a StreamRun)>,
    is_folder: bool,
) -> Result<(), Failure> {
    if is_folder {
        fs::create_dir_all(path)
            .map_err(|source| Failure::Unwritable { path: path.to_owned(), source })?;
    }
    for (name, run) in runs {
        match is_folder {
            true => write(&path.join(format!("{name}.actions.csv")), run)?,
            false => write(path, run)?,
        }
    }
    Ok(())
}

pub(crate) fn write(path: &Path, run: &StreamRun) -> Result<(), Failure> {
    let unwritable = |error: csv::Error| Failure::Unwritable {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    };
    let mut csv = csv::Writer::from_path(path).map_err(unwritable)?;
    let start = run.start.to_string();
    let initial = run.initial_shards.to_string();
    csv.write_record(COLUMNS).map_err(unwritable)?;
    csv.write_record([start.as_str(), &start, "start", &initial, &initial, "", "", ""])
        .map_err(unwritable)?;
    for action in actions(run) {
        let ActionTaken { called_at, effective_at, kind, from, to, wanted, reasons, why } = action;
        let (called_at, effective_at) = (called_at.to_string(), effective_at.to_string());
        let wanted = wanted.map(|wanted| wanted.to_string()).unwrap_or_default();
        let reasons = reasons.join(" ");
        csv.write_record([
            called_at.as_str(),
            &effective_at,
            kind,
            &from,
            &to,
            &wanted,
            &reasons,
            &why,
        ])
        .map_err(unwritable)?;
    }
    csv.flush().map_err(|source| Failure::Unwritable { path: path.to_owned(), source })
}

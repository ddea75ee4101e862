//! The actions file of a backtest: CSV `called_at,effective_at,action,from,to`, times in RFC 3339 UTC.

use std::path::Path;

use weir_twin::record::StreamRun;

use crate::faults::Failure;

pub(crate) fn write(path: &Path, run: &StreamRun) -> Result<(), Failure> {
    let unwritable = |error: csv::Error| Failure::Unwritable {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    };
    let mut csv = csv::Writer::from_path(path).map_err(unwritable)?;
    let start = run.start.to_string();
    let initial = run.initial_shards.to_string();
    csv.write_record(["called_at", "effective_at", "action", "from", "to"]).map_err(unwritable)?;
    csv.write_record([start.as_str(), &start, "start", &initial, &initial]).map_err(unwritable)?;
    for reshard in &run.reshards {
        csv.write_record([
            reshard.called_at.to_string(),
            reshard.effective_at.to_string(),
            "reshard".to_owned(),
            reshard.from.to_string(),
            reshard.to.to_string(),
        ])
        .map_err(unwritable)?;
    }
    csv.flush().map_err(|source| Failure::Unwritable { path: path.to_owned(), source })
}

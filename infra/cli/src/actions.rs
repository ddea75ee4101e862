//! The actions file of a backtest: CSV `called_at,effective_at,action,from,to`, times in RFC 3339
//! UTC.

use std::path::Path;

use jiff::Timestamp;
use weir_core::observation::CapacityMode;
use weir_sim::record::{AppliedReshard, AppliedSwitch, StreamRun};

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
    let mut rows: Vec<ActionRow> = run.reshards.iter().map(ActionRow::from).collect();
    rows.extend(run.switches.iter().map(ActionRow::from));
    rows.sort_by_key(|row| row.called_at);
    for ActionRow { called_at, effective_at, action, from, to } in rows {
        let (called_at, effective_at) = (called_at.to_string(), effective_at.to_string());
        csv.write_record([called_at.as_str(), &effective_at, action, &from, &to])
            .map_err(unwritable)?;
    }
    csv.flush().map_err(|source| Failure::Unwritable { path: path.to_owned(), source })
}

/// One change of the stream.
struct ActionRow {
    called_at: Timestamp,
    effective_at: Timestamp,
    action: &'static str,
    from: String,
    to: String,
}

impl From<&AppliedReshard> for ActionRow {
    fn from(reshard: &AppliedReshard) -> ActionRow {
        ActionRow {
            called_at: reshard.called_at,
            effective_at: reshard.effective_at,
            action: "reshard",
            from: reshard.from.to_string(),
            to: reshard.to.to_string(),
        }
    }
}

impl From<&AppliedSwitch> for ActionRow {
    fn from(switch: &AppliedSwitch) -> ActionRow {
        let word = |mode| match mode {
            CapacityMode::Provisioned => "provisioned".to_owned(),
            CapacityMode::OnDemand => "on_demand".to_owned(),
        };
        ActionRow {
            called_at: switch.called_at,
            effective_at: switch.effective_at,
            action: "switch_mode",
            from: word(switch.from),
            to: word(switch.to),
        }
    }
}

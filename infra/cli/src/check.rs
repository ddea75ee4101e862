//! `weir check`: every fault of every policy, before an operator deploys it; entries that can never
//! hold; and which entry holds for a stream.

use std::path::PathBuf;

use weir_core::policy::{Governance, OperatingMode};
use weir_core::units::StreamName;

use crate::faults::{Failure, FaultCount, warn};
use crate::policies::{self, Policies};

pub(crate) fn run(paths: &[PathBuf], stream: Option<&str>, strict: bool) -> Result<(), Failure> {
    let stream = stream.map(StreamName::new).transpose()?;
    let (mut faults, mut hidden) = (0, 0);
    for path in paths {
        match policies::read(path) {
            Ok(read) => {
                for (file, entries) in &read.files {
                    let plural = if *entries == 1 { "y" } else { "ies" };
                    println!("{file}: {entries} entr{plural}, no fault");
                }
                hidden += warn_of_hidden(&read);
                if let Some(stream) = &stream {
                    println!("{}", told(&read, stream));
                }
            }
            Err(Failure::Policies(FaultCount(found))) => faults += found,
            Err(failure) => return Err(failure),
        }
    }
    match (faults, hidden) {
        (0, hidden) if strict && hidden > 0 => Err(Failure::Hidden(hidden)),
        (0, _) => Ok(()),
        (faults, _) => Err(Failure::Policies(FaultCount(faults))),
    }
}

/// Tells entries that can never hold, and how many there are.
fn warn_of_hidden(read: &Policies) -> usize {
    let hidden = read.set.hidden();
    for entry in &hidden {
        warn(&format!(
            "{} with match = \"{}\" never holds: {} before it, with match = \"{}\", fits every \
             such stream, and the first entry that fits holds; put the narrower one first",
            place(read, entry.place),
            entry.pattern,
            place(read, entry.hidden_by),
            entry.hiding,
        ));
    }
    hidden.len()
}

/// Which entry holds for a stream.
fn told(read: &Policies, stream: &StreamName) -> String {
    let Some((index, pattern)) = read.set.holding(stream) else {
        return format!("{stream}: no entry names it, so Weir leaves it alone");
    };
    let policy = match read.set.governing(stream) {
        Governance::By(policy) => policy,
        Governance::Faulty | Governance::None => {
            return format!("{stream}: {} has a fault", place(read, index));
        }
    };
    let mode = match policy.operating_mode {
        OperatingMode::Observe => "observe",
        OperatingMode::Act => "act",
    };
    format!(
        "{stream}: {} with match = \"{pattern}\" holds: mode = \"{mode}\", {} to {} shards",
        place(read, index),
        policy.bounds.min(),
        policy.bounds.max(),
    )
}

/// An entry as a person counts it: "entry 2 of policies/orders.toml".
fn place(read: &Policies, index: usize) -> String {
    let mut before = 0;
    for (file, entries) in &read.files {
        if index < before + entries {
            return format!("entry {} of {file}", index - before + 1);
        }
        before += entries;
    }
    format!("entry {}", index + 1)
}

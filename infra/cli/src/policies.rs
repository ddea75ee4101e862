//! Policy files from disk, as the functions read them (`weir_control::policy_folder`), with their
//! faults drawn.

use std::path::Path;
use std::slice;

use weir_control::policy_folder;
use weir_core::policy::{Fault, PolicyFault, PolicyFile, PolicySet};

use crate::faults::{Failure, FaultCount, draw, tell_plainly};

/// What was read.
pub(crate) struct Policies {
    /// All of it.
    pub(crate) set: PolicySet,
    /// The files, in order, with the number of entries in each.
    pub(crate) files: Vec<(String, usize)>,
}

/// Reads policies; draws every fault of every file before failing.
pub(crate) fn read(path: &Path) -> Result<Policies, Failure> {
    let files = policy_folder::read(path);
    let (set, faults) = PolicySet::of_files(&files);
    for PolicyFile { name, text } in &files {
        let found: Vec<&Fault> = faults
            .iter()
            .filter_map(|fault| match fault {
                PolicyFault::InText(fault) if fault.file == *name => Some(fault),
                PolicyFault::InText(_) | PolicyFault::Unreadable { .. } => None,
            })
            .collect();
        draw(name, text.as_deref().unwrap_or_default(), &found);
    }
    for fault in &faults {
        if let PolicyFault::Unreadable { .. } = fault {
            tell_plainly(fault);
        }
    }
    if !faults.is_empty() {
        return Err(Failure::Policies(FaultCount(faults.len())));
    }
    let entries = |file: &PolicyFile| PolicySet::of_files(slice::from_ref(file)).0.len();
    let files = files.iter().map(|file| (file.name.clone(), entries(file))).collect();
    Ok(Policies { set, files })
}

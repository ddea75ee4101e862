//! Policy files from disk: a file, or every `*.toml` of a folder in the order of their names.

use std::fs;
use std::path::{Path, PathBuf};

use weir_core::policy::{self, PolicySet};

use crate::faults::{Failure, FaultCount, draw};

/// What was read.
pub(crate) struct Policies {
    /// All of it.
    pub(crate) set: PolicySet,
    /// The files, in order, with the number of entries in each.
    pub(crate) files: Vec<(PathBuf, usize)>,
}

/// Reads policies; draws every fault of every file before failing.
pub(crate) fn read(path: &Path) -> Result<Policies, Failure> {
    let mut policies = Policies { set: PolicySet::default(), files: Vec::new() };
    let mut faults = 0;
    for path in files(path)? {
        let text = fs::read_to_string(&path)
            .map_err(|source| Failure::Unreadable { path: path.clone(), source })?;
        let name = path.display().to_string();
        let (set, found) = policy::parse(&name, &text);
        draw(&name, &text, &found);
        faults += found.len();
        policies.files.push((path, set.len()));
        policies.set.extend(set);
    }
    if faults > 0 { Err(Failure::Policies(FaultCount(faults))) } else { Ok(policies) }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let unreadable = |source| Failure::Unreadable { path: path.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() { Err(Failure::NoPolicies { path: path.to_owned() }) } else { Ok(files) }
}

//! Reading the policies a function was shipped with: every `.toml` of a folder, in the order of names.
//!
//! A fault costs the streams it is about, never the others, so what can be read is kept and every fault
//! is told. Not here: what a policy says (`weir_core::policy`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use weir_core::policy::{self, Fault, PolicySet};

/// Something is wrong with the policies.
#[derive(Debug, Error)]
pub enum PolicyFault {
    /// Within a file.
    #[error(transparent)]
    InFile(#[from] Fault),
    /// A file or the folder could not be read.
    #[error("{path}: cannot be read: {source}; ship the policies as readable UTF-8 files")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What was read.
#[derive(Debug)]
pub struct Policies {
    /// Every policy that could be read.
    pub set: PolicySet,
    /// Everything that is wrong.
    pub faults: Vec<PolicyFault>,
    /// Whether every file gave its entries, faulty ones included. Where one did not, a stream without a
    /// policy may be one whose policy is missing here.
    pub complete: bool,
}

/// Reads all policies of `folder`.
pub fn read_policies(folder: &Path) -> Policies {
    let mut read = Policies { set: PolicySet::default(), faults: Vec::new(), complete: true };
    match files(folder) {
        Ok(files) => files.into_iter().for_each(|path| read.add(path)),
        Err(source) => read.unreadable(folder.to_owned(), source),
    }
    read
}

impl Policies {
    fn add(&mut self, path: PathBuf) {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return self.unreadable(path, source),
        };
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let (set, faults) = policy::parse(&name, &text);
        self.complete &= faults.is_empty() || !set.is_empty();
        self.set.extend(set);
        self.faults.extend(faults.into_iter().map(PolicyFault::InFile));
    }

    /// A stream this file may have been about must not fall to a later file's policy.
    fn unreadable(&mut self, path: PathBuf, source: io::Error) {
        self.set.extend(PolicySet::unreadable());
        self.faults.push(PolicyFault::Unreadable { path, source });
        self.complete = false;
    }
}
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;

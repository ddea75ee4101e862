//! The policies of several files, in order: the one reading for whoever checks them and whoever
//! acts by them.
//!
//! Not here: getting at the files (`weir_control::policy_folder`), the language they are written in
//! (`parse`).

use thiserror::Error;

use super::parse::everything_faulty;
use super::{Fault, PolicySet, parse};

/// A policy file as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its name, as faults are to give it.
    pub name: String,
    /// Its text, or why it could not be read.
    pub text: Result<String, String>,
}

/// Something wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PolicyFault {
    /// Within its text.
    #[error(transparent)]
    InText(#[from] Fault),
    /// There is no text.
    #[error("{file}: cannot be read: {why}; ship the policies as readable UTF-8 files")]
    Unreadable {
        /// The file or folder.
        file: String,
        /// Why.
        why: String,
    },
}

impl PolicySet {
    /// The policies of these files, and everything that is wrong with them. Of two policies for a
    /// stream the earlier file's holds. A fault costs the streams it is about: those of earlier
    /// files, and those that a sound entry names, keep their policies; what nobody could read might
    /// be about any other stream.
    pub fn of_files(files: &[PolicyFile]) -> (PolicySet, Vec<PolicyFault>) {
        let (mut all, mut faults) = (PolicySet::default(), Vec::new());
        for PolicyFile { name, text } in files {
            let (set, found) = match text {
                Ok(text) => parse(name, text),
                Err(why) => {
                    let (file, why) = (name.clone(), why.clone());
                    faults.push(PolicyFault::Unreadable { file, why });
                    (PolicySet::default(), Vec::new())
                }
            };
            if set.is_empty() && (text.is_err() || !found.is_empty()) {
                all.entries.push(everything_faulty());
                all.incomplete = true;
            }
            all.entries.extend(set.entries);
            faults.extend(found.into_iter().map(PolicyFault::InText));
        }
        (all, faults)
    }

    /// Whether every file gave its entries, faulty ones included. Where one did not, nobody can say
    /// which streams have no policy.
    pub fn is_complete(&self) -> bool {
        !self.incomplete
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Governance;
    use crate::units::StreamName;

    const ORDERS: &str = "version = 1\n[[streams]]\nmatch = \"orders\"\nmin_shards = 3\n";
    const ALL: &str = "version = 1\n[[streams]]\nmatch = \"*\"\nmin_shards = 2\n";

    fn file(name: &str, text: Result<&str, &str>) -> PolicyFile {
        PolicyFile { name: name.to_owned(), text: text.map(str::to_owned).map_err(str::to_owned) }
    }

    fn least(set: &PolicySet, stream: &str) -> Option<u32> {
        match set.governing(&StreamName::new(stream).expect("a name")) {
            Governance::By(policy) => Some(policy.bounds.min().get()),
            Governance::Faulty | Governance::None => None,
        }
    }

    #[test]
    fn the_earlier_file_holds() {
        let (set, faults) = PolicySet::of_files(&[file("1", Ok(ORDERS)), file("2", Ok(ALL))]);
        assert_eq!(faults, []);
        assert!(set.is_complete());
        assert_eq!((least(&set, "orders"), least(&set, "other")), (Some(3), Some(2)));
    }

    #[test]
    fn what_gives_no_entries_leaves_its_possible_streams_alone() {
        // No TOML: an entry stands for what it may have said. No entries, and a key nobody knows:
        // likewise.
        let no_entries = "version = 1\nstreams = []\nsteams = []\n";
        for (text, complete) in
            [(Err("a directory"), false), (Ok("["), true), (Ok(no_entries), false)]
        {
            let files = [file("1", Ok(ORDERS)), file("2", text), file("3", Ok(ALL))];
            let (set, faults) = PolicySet::of_files(&files);
            assert_eq!((least(&set, "orders"), least(&set, "other")), (Some(3), None), "{text:?}");
            assert_eq!((faults.len(), set.is_complete()), (1, complete), "{text:?}");
            assert!(set.has_faults(), "{text:?}");
        }
    }
}

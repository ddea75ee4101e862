//! How the traffic of a simulated stream lies over seconds and keys, and when that changes.
//!
//! Here: reading it from a file, and which holds in a minute. Not here: what follows from it for writes
//! (`weir_core::throttling`).

use serde::Deserialize;
use thiserror::Error;
use weir_core::throttling::{Evenness, Uneven};

/// Evenness over the time of a recording. The default is even throughout.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unevenness {
    first: Evenness,
    /// From this minute of the recording on it is otherwise.
    then: Option<(usize, Evenness)>,
}

/// A file that says nothing of how uneven a stream is.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// No JSON of this form.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// No distribution of traffic.
    #[error(transparent)]
    Uneven(#[from] Uneven),
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    seconds: Vec<f64>,
    #[serde(default)]
    keys: Vec<(f64, f64)>,
    then: Option<Then>,
}

#[derive(Deserialize)]
struct Then {
    after_days: f64,
    #[serde(default)]
    seconds: Vec<f64>,
    #[serde(default)]
    keys: Vec<(f64, f64)>,
}

impl Unevenness {
    /// Reads `{"seconds": [factors of the mean], "keys": [[place, share]], "then": {"after_days": 5, ..}}`; all
    /// of it may be left out.
    ///
    /// # Errors
    /// Where it is no JSON of that form, or says what cannot be.
    pub fn read(json: &str) -> Result<Unevenness, Unreadable> {
        let File { seconds, keys, then } = serde_json::from_str(json)?;
        let first = Evenness::new(seconds, keys)?;
        let then = match then {
            None => None,
            // Truncation is meant: whole minutes.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Some(Then { after_days, seconds, keys }) => {
                Some(((after_days * 1440.0).max(0.0) as usize, Evenness::new(seconds, keys)?))
            }
        };
        Ok(Unevenness { first, then })
    }

    /// What holds in a minute of the recording.
    pub fn at(&self, minute: usize) -> &Evenness {
        match &self.then {
            Some((from, then)) if minute >= *from => then,
            _ => &self.first,
        }
    }

    /// Times the highest load that a size may be worth having.
    pub(crate) fn worth_having(&self) -> f64 {
        let phases = || std::iter::once(&self.first).chain(self.then.iter().map(|(_, then)| then));
        let busiest = phases().map(Evenness::busiest_second).fold(1.0, f64::max);
        busiest * if phases().any(Evenness::has_hot_keys) { 1.5 } else { 1.0 }
    }
}

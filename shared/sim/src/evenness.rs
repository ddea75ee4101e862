//! How the traffic of a simulated stream lies over seconds and keys, and when that changes.
//!
//! Here: reading it from a file, and which holds in a minute. Not here: what follows for writes
//! (`weir_core::throttling`).

use serde::Deserialize;
use thiserror::Error;
use weir_core::throttling::{Evenness, HotKey, NotEvenness};

/// Evenness over the time of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct EvennessOverTime {
    first: Evenness,
    /// From this minute of the recording on it is otherwise.
    then: Option<(usize, Evenness)>,
}

/// A file that does not say how even traffic is.
#[derive(Debug, Error)]
pub enum EvennessFault {
    /// No JSON of this form.
    #[error("{file}:{line}: {source}; write {FORM}")]
    Form {
        /// The file, as the caller named it.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What the reader stumbled over.
        source: serde_json::Error,
    },
    /// No distribution of traffic.
    #[error("{file}: {source}; each part stands for all traffic of the stream")]
    Traffic {
        /// The file, as the caller named it.
        file: String,
        /// What is wrong.
        source: NotEvenness,
    },
}

const FORM: &str = r#"{"version": 1, "seconds": [FACTOR OF THE MEAN, ...], "keys": [[PLACE, SHARE], ...], "then": {"after_days": DAYS, ...}}"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    version: Version,
    #[serde(default)]
    seconds: Vec<f64>,
    #[serde(default)]
    keys: Vec<(f64, f64)>,
    then: Option<Change>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    after_days: f64,
    #[serde(default)]
    seconds: Vec<f64>,
    #[serde(default)]
    keys: Vec<(f64, f64)>,
}

/// The only version there is.
#[derive(Default, Deserialize)]
#[serde(try_from = "u32")]
struct Version;

impl TryFrom<u32> for Version {
    type Error = String;

    fn try_from(version: u32) -> Result<Version, String> {
        match version {
            1 => Ok(Version),
            other => Err(format!("version {other} is not known here, 1 is")),
        }
    }
}

impl EvennessOverTime {
    /// Even throughout.
    pub const EVEN: EvennessOverTime = EvennessOverTime { first: Evenness::EVEN, then: None };

    /// Reads a file: `seconds` are the factors of equally likely seconds on the mean rate, of mean
    /// 1; `keys` are hot keys, each with its place in the hash range (0 to below 1) and its share
    /// of the traffic; `then` says what is otherwise from so many days after the recording's start.
    /// All of it may be left out.
    ///
    /// ```
    /// use weir_sim::evenness::EvennessOverTime;
    ///
    /// let json = r#"{"version": 1, "seconds": [0.8, 1.2], "keys": [[0.3, 0.05]]}"#;
    /// let evenness = EvennessOverTime::read("orders.json", json)?;
    /// assert_eq!(evenness.at(0).busiest_second(), 1.2);
    /// # Ok::<(), weir_sim::evenness::EvennessFault>(())
    /// ```
    ///
    /// # Errors
    /// Where it is no JSON of that form, or describes no traffic.
    pub fn read(file: &str, json: &str) -> Result<EvennessOverTime, EvennessFault> {
        let form = |source: serde_json::Error| {
            let (file, line) = (file.to_owned(), source.line());
            EvennessFault::Form { file, line, source }
        };
        let File { version: Version, seconds, keys, then } =
            serde_json::from_str(json).map_err(form)?;
        let traffic = |source| EvennessFault::Traffic { file: file.to_owned(), source };
        let evenness = |seconds: &[f64], keys: &[(f64, f64)]| {
            let keys: Vec<HotKey> =
                keys.iter().map(|&(place, share)| HotKey { place, share }).collect();
            Evenness::new(seconds, &keys).map_err(traffic)
        };
        let then = match then {
            None => None,
            Some(Change { after_days, seconds, keys }) => {
                // Truncation is meant: whole minutes.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let from_minute = (after_days * 1440.0).max(0.0) as usize;
                Some((from_minute, evenness(&seconds, &keys)?))
            }
        };
        Ok(EvennessOverTime { first: evenness(&seconds, &keys)?, then })
    }

    /// What holds in a minute of the recording.
    pub fn at(&self, minute: usize) -> &Evenness {
        match &self.then {
            Some((from, then)) if minute >= *from => then,
            _ => &self.first,
        }
    }

    /// What holds at some time or other.
    pub fn phases(&self) -> impl Iterator<Item = &Evenness> {
        std::iter::once(&self.first).chain(self.then.iter().map(|(_, then)| then))
    }
}

/// The same throughout.
impl From<Evenness> for EvennessOverTime {
    fn from(first: Evenness) -> EvennessOverTime {
        EvennessOverTime { first, then: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_holds_from_its_minute_on() {
        let json = r#"{"seconds": [0.9, 1.1], "then": {"after_days": 0.5, "seconds": [0.5, 1.5]}}"#;
        let evenness = EvennessOverTime::read("orders.json", json).expect("evenness");
        let busiest = |minute| evenness.at(minute).busiest_second();
        assert_eq!([busiest(0), busiest(719), busiest(720)], [1.1, 1.1, 1.5]);
        assert_eq!(EvennessOverTime::read("even.json", "{}").ok(), Some(EvennessOverTime::EVEN));
    }

    #[test]
    fn a_fault_says_where_and_what_to_write() {
        let fault = |json| match EvennessOverTime::read("orders.json", json) {
            Err(fault) => fault.to_string(),
            Ok(found) => panic!("{found:?}"),
        };
        insta::assert_snapshot!(
            ["{\"seconds\": [1.0],\n \"second\": []}", "{\"version\": 2}", "{\"seconds\": [2.0]}"]
                .map(fault)
                .join("\n")
        );
    }
}

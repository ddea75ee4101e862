//! What an alarm of a consumer says is wrong. Not here: which alarms there are (`alarms`), and what
//! follows from them (`incident`).

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a failing consumer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Symptom {
    /// It is far behind.
    Lag,
    /// It reads nothing while records are written.
    Silence,
    /// It fails on what it reads.
    Errors,
    /// It is throttled.
    Throttles,
    /// What it read is not delivered.
    Delivery,
    /// Records were given up.
    Dropped,
    /// Nothing tells how it does: the metric by which it would be watched does not exist.
    Unwatched,
}

impl Symptom {
    /// Every symptom.
    pub const ALL: [Symptom; 7] = [
        Symptom::Lag,
        Symptom::Silence,
        Symptom::Errors,
        Symptom::Throttles,
        Symptom::Delivery,
        Symptom::Dropped,
        Symptom::Unwatched,
    ];

    /// The word for it in alarm names.
    pub const fn code(self) -> &'static str {
        match self {
            Symptom::Lag => "lag",
            Symptom::Silence => "silence",
            Symptom::Errors => "errors",
            Symptom::Throttles => "throttles",
            Symptom::Delivery => "delivery",
            Symptom::Dropped => "dropped",
            Symptom::Unwatched => "unwatched",
        }
    }

    /// What the consumer does, after its name.
    pub const fn happens(self) -> &'static str {
        match self {
            Symptom::Lag => "is behind",
            Symptom::Silence => "reads nothing",
            Symptom::Errors => "fails on records",
            Symptom::Throttles => "is throttled",
            Symptom::Delivery => "does not deliver",
            Symptom::Dropped => "drops records",
            Symptom::Unwatched => "cannot be watched",
        }
    }
}

impl fmt::Display for Symptom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

//! What an alarm says: its state, and since when. Of two facts about one alarm the newer holds,
//! whatever the order they come in and however often.
//!
//! Not here: what follows from it (`step`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Symptom;
use crate::alarms::AlarmState;
use crate::consumer::{ConsumerKind, ConsumerName};
use crate::reasons::Reason;

/// What an alarm is a sign of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// A consumer's symptom.
    Consumer(Symptom),
    /// A failure of Weir's own, with its reason.
    Weir(Reason),
}

/// What an alarm watches, for whoever has to look at it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// The metric's namespace.
    pub namespace: String,
    /// Its name.
    pub metric: String,
    /// Its dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// How the datapoints of a period become one.
    pub statistic: String,
    /// Length of a period, seconds.
    pub period_seconds: u32,
    /// It goes off when the watched value is at least this.
    pub threshold: Option<f64>,
}

impl Watched {
    /// The whole name of the consumer of this kind, where the metric bears it: its id may hold only
    /// the beginning. Anybody may set an alarm; only what can be a name is taken for one.
    pub fn consumer_name(&self, kind: ConsumerKind) -> Option<&str> {
        let dimension = |key| self.dimensions.get(key);
        let name = match kind {
            ConsumerKind::Lambda => dimension("Resource").or(dimension("FunctionName")),
            ConsumerKind::FanOut => dimension("ConsumerName"),
            ConsumerKind::Firehose => dimension("DeliveryStreamName"),
            ConsumerKind::Kcl => Some(&self.namespace),
            ConsumerKind::Polling => None,
        };
        name.map(String::as_str).filter(|name| ConsumerName::new(name).is_ok())
    }
}

/// What an alarm says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Which alarm, by its name.
    pub alarm: String,
    /// What it is a sign of.
    pub sign: Sign,
    /// Its state.
    pub state: AlarmState,
    /// Since when.
    pub state_at: Timestamp,
    /// When it stops holding by itself: Weir's own events tell when something is wrong, never when
    /// it is right again.
    pub holds_until: Option<Timestamp>,
    /// What it watches, where that is known.
    pub watched: Option<Watched>,
}

impl Fact {
    /// Whether it tells of a failure at `now`.
    pub fn failing(&self, now: Timestamp) -> bool {
        self.state == AlarmState::Alarm && self.holds_until.is_none_or(|until| now < until)
    }

    /// When the failure ended that it told of; for one that lasts, when it began.
    pub fn ended_at(&self) -> Timestamp {
        self.holds_until.unwrap_or(self.state_at).max(self.state_at)
    }

    /// Whether `other`, of the same alarm, is to take its place. An alarm that lacks data says
    /// nothing: what was known before stays. At the same moment a failure outweighs its end.
    pub(super) fn gives_way_to(&self, other: &Fact) -> bool {
        let rank = |fact: &Fact| (fact.state_at, fact.state == AlarmState::Alarm, fact.holds_until);
        other.speaks() && rank(other) > rank(self)
    }

    /// Whether it says anything.
    pub(super) fn speaks(&self) -> bool {
        self.state != AlarmState::InsufficientData
    }
}

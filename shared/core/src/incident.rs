//! Incidents: a failure of a consumer, or of Weir itself, from its first alarm to its recovery, and
//! what is told of it when.
//!
//! Pure: (incident, facts, evidence, policy, now) gives the incident after it and the messages to
//! send. In files of their own: what alarms say (`fact`), what else is known and the likely cause
//! (`evidence`), the step from state to state (`step`). Not here: the words of messages, or sending
//! them (`weir-control`).

mod evidence;
mod fact;
mod step;

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use crate::symptom::Symptom;
pub use evidence::{Cause, Evidence, LagPoint, Outlook};
pub use fact::{Fact, Sign, Watched};
pub use step::{Step, step, wants_evidence};

use crate::consumer::ConsumerId;
use crate::policy::Severity;
use crate::units::StreamName;

/// A message whose sender has not said for so long that it was sent is sent again: senders are
/// stopped after a minute.
const UNSENT_AFTER: SignedDuration = SignedDuration::from_secs(120);

/// A failure of Weir itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// A stream needs a size that it cannot be given.
    Withheld,
    /// Traffic metrics cannot be read, so no stream can be sized.
    Blind,
    /// There are no traffic metrics of a stream, which says nothing of its demand.
    NoMetrics,
    /// A plan was turned down for a reason that does not pass by itself.
    Refused,
    /// Nobody knows what became of a call.
    Lost,
    /// A policy has a fault.
    PolicyInvalid,
    /// Events could not be worked on, and lie in the dead-letter queue.
    DeadLetters,
    /// Weir is not woken any more.
    TickMissing,
    /// None: somebody tries out who hears of failures.
    Test,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Trouble; 9] = [
        Trouble::Withheld,
        Trouble::Blind,
        Trouble::NoMetrics,
        Trouble::Refused,
        Trouble::Lost,
        Trouble::PolicyInvalid,
        Trouble::DeadLetters,
        Trouble::TickMissing,
        Trouble::Test,
    ];

    /// The word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Trouble::Withheld => "withheld",
            Trouble::Blind => "blind",
            Trouble::NoMetrics => "no-metrics",
            Trouble::Refused => "refused",
            Trouble::Lost => "lost",
            Trouble::PolicyInvalid => "policy",
            Trouble::DeadLetters => "dead-letters",
            Trouble::TickMissing => "tick",
            Trouble::Test => "test",
        }
    }

    /// Whether it never gets anybody out of bed: the stream keeps the size it has.
    pub fn only_noticed(self) -> bool {
        matches!(
            self,
            Trouble::NoMetrics | Trouble::Refused | Trouble::Lost | Trouble::PolicyInvalid
        )
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Whose failure it is. All alarms of one consumer are one incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Subject {
    /// A consumer of a stream.
    Consumer {
        /// The stream.
        stream: StreamName,
        /// The consumer.
        consumer: ConsumerId,
    },
    /// Weir itself.
    Weir {
        /// What is wrong.
        trouble: Trouble,
        /// With which stream, where it is about one.
        stream: Option<StreamName>,
    },
}

impl Subject {
    /// The stream it is about.
    pub fn stream(&self) -> Option<&StreamName> {
        match self {
            Subject::Consumer { stream, .. } => Some(stream),
            Subject::Weir { stream, .. } => stream.as_ref(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Consumer { stream, consumer } => write!(f, "{consumer}@{stream}"),
            Subject::Weir { trouble, stream: Some(stream) } => write!(f, "weir-{trouble}@{stream}"),
            Subject::Weir { trouble, stream: None } => write!(f, "weir-{trouble}"),
        }
    }
}

/// Why a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// The incident began.
    Opened,
    /// What was a notice has become a page.
    Escalated,
    /// It lasts.
    Reminder,
    /// It is over.
    Recovered,
}

/// A message to be sent. Its number names it within the incident: whoever gets it twice can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Counted from 1 within the incident.
    pub number: u32,
    /// Why.
    pub occasion: Occasion,
    /// To whom.
    pub severity: Severity,
    /// When it was decided on.
    pub at: Timestamp,
}

/// A message on its way. It stays here until its sender says that it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    /// The message.
    pub message: Message,
    /// When its sender began; none where it is known that nobody is at it.
    pub begun_at: Option<Timestamp>,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Whose failure it is.
    pub subject: Subject,
    /// Since when, by the alarm that opened it.
    pub opened_at: Timestamp,
    /// The alarm that opened it. Pagers know the incident by it from the first message to the last.
    pub lead: String,
    /// What each alarm said last.
    pub facts: BTreeMap<String, Fact>,
    /// When it was last told as a notice.
    pub noticed_at: Option<Timestamp>,
    /// When it was last told as a page.
    pub paged_at: Option<Timestamp>,
    /// Messages so far.
    pub messages: u32,
    /// Messages decided on, and not known to be sent.
    pub unsent: Vec<Unsent>,
    /// Since when nothing is said because the lag is a reshard's.
    pub held_since: Option<Timestamp>,
    /// Incidents of the same subject shortly before, one upon the other.
    pub flaps: u32,
    /// When it was over.
    pub closed_at: Option<Timestamp>,
}

impl Incident {
    /// An incident of which nothing was told yet.
    fn new(
        subject: &Subject,
        lead: String,
        opened_at: Timestamp,
        facts: BTreeMap<String, Fact>,
    ) -> Incident {
        Incident {
            subject: subject.clone(),
            opened_at,
            lead,
            facts,
            noticed_at: None,
            paged_at: None,
            messages: 0,
            unsent: Vec::new(),
            held_since: None,
            flaps: 0,
            closed_at: None,
        }
    }

    /// Names it for ever.
    pub fn id(&self) -> String {
        format!("{}#{}", self.subject, self.opened_at)
    }

    /// Facts that still hold it open at `now`.
    pub fn failing(&self, now: Timestamp) -> impl Iterator<Item = &Fact> {
        self.facts.values().filter(move |fact| fact.failing(now))
    }

    /// Whether anything is left to be done about it.
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none() || !self.unsent.is_empty()
    }

    /// The most urgent way in which it was told.
    pub fn told(&self) -> Option<Severity> {
        match (self.paged_at, self.noticed_at) {
            (Some(_), _) => Some(Severity::Page),
            (None, Some(_)) => Some(Severity::Notice),
            (None, None) => None,
        }
    }

    /// Since when no alarm says anything bad, if none does at `now`.
    pub fn well_since(&self, now: Timestamp) -> Option<Timestamp> {
        if self.failing(now).next().is_some() {
            return None;
        }
        self.facts.values().map(|fact| fact.ended_at()).max()
    }

    /// Writes down that a message was sent.
    pub fn note_sent(&mut self, number: u32) {
        self.unsent.retain(|unsent| unsent.message.number != number);
    }

    /// Writes down that a message certainly was not sent: the next tick sends it.
    pub fn note_failed(&mut self, number: u32) {
        for unsent in self.unsent.iter_mut().filter(|unsent| unsent.message.number == number) {
            unsent.begun_at = None;
        }
    }

    /// Takes on messages that another sender began and never finished. One of them may have been
    /// sent all the same; better twice than never. The next reminder counts from now.
    pub fn take_overdue(&mut self, now: Timestamp) -> Vec<Message> {
        let mut overdue = Vec::new();
        for unsent in &mut self.unsent {
            if unsent.begun_at.is_none_or(|begun| now.duration_since(begun) >= UNSENT_AFTER) {
                unsent.begun_at = Some(now);
                overdue.push(unsent.message);
            }
        }
        for message in &overdue {
            match message.severity {
                Severity::Page => self.paged_at = Some(now),
                Severity::Notice => self.noticed_at = Some(now),
            }
        }
        overdue
    }
}

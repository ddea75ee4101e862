//! What a person, a pager or a program is told of an incident, in every form its channel needs.
//!
//! Here: everything a message is made from, and putting its forms together. In files of their own:
//! the words (`text`), where to look first (`first_step`), forms for machines (`forms`), how
//! numbers and names are written (`words`). Free text of others (alarm descriptions, state reasons)
//! never gets into a message. Not here: when something is told (`weir_core::incident`), sending it.

mod first_step;
mod forms;
mod text;
mod words;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use weir_core::consumer::ConsumerKind;
use weir_core::incident::{
    Cause, Evidence, Fact, Incident, Message, Occasion, Outlook, Sign, Subject, Symptom, Trouble,
    Watched,
};
use weir_core::policy::Severity;

use crate::installation::Place;
pub use first_step::FirstStep;
pub use words::{length, time};

/// One message, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// To which topic.
    pub severity: Severity,
    /// Fewer than 100 ASCII characters.
    pub subject: String,
    /// What a mailbox gets.
    pub text: String,
    /// The message in every form, as `MessageStructure=json` wants it.
    pub body: String,
    /// Attributes that say what it is about. SNS hands them to nobody who gets one of several
    /// forms.
    pub attributes: BTreeMap<&'static str, String>,
    /// The same for a chat channel.
    pub chat: String,
}

/// Everything a message is made from.
#[derive(Clone, Copy, Debug)]
pub struct MessageContext<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// The message.
    pub message: &'a Message,
    /// What was read of the consumer.
    pub evidence: &'a Evidence,
    /// Where.
    pub place: &'a Place,
    /// Minutes until it is said again, if it lasts.
    pub repeat_minutes: u32,
}

impl MessageContext<'_> {
    /// The message in every form.
    ///
    /// # Errors
    ///
    /// When a form cannot be written as JSON.
    pub fn render(&self) -> Result<Notification, serde_json::Error> {
        let text = text::email(self);
        let alarm = forms::alarm(self).to_string();
        let own = forms::own(self).to_string();
        let mut body = json!({
            "default": text,
            "email": text,
            "sms": text::sms(self),
            "http": alarm,
            "https": alarm,
            "sqs": own,
            "lambda": own,
            "firehose": own,
        });
        // SNS passes over what names no protocol; a filter on the body finds here what it chooses
        // by.
        for (name, value) in self.attributes() {
            body[name] = json!(value);
        }
        Ok(Notification {
            severity: self.message.severity,
            subject: text::subject(self),
            text,
            body: serde_json::to_string(&body)?,
            attributes: self.attributes(),
            chat: serde_json::to_string(&forms::chat(self))?,
        })
    }

    fn attributes(&self) -> BTreeMap<&'static str, String> {
        let mut attributes = BTreeMap::from([
            ("severity", self.message.severity.code().to_owned()),
            ("occasion", occasion(self.message.occasion).to_owned()),
            ("kind", self.kind().map_or("weir", ConsumerKind::code).to_owned()),
        ]);
        if let Some(stream) = self.incident.subject.stream() {
            attributes.insert("stream", stream.to_string());
        }
        if let Subject::Consumer { consumer, .. } = &self.incident.subject {
            attributes.insert("consumer", consumer.to_string());
        }
        attributes
    }

    /// The consumer's kind; none when it is about Weir.
    fn kind(&self) -> Option<ConsumerKind> {
        match &self.incident.subject {
            Subject::Consumer { consumer, .. } => consumer.kind(),
            Subject::Weir { .. } => None,
        }
    }

    /// The consumer's name as AWS knows it: its id may hold only the beginning.
    fn name(&self) -> Option<&str> {
        let Subject::Consumer { consumer, .. } = &self.incident.subject else { return None };
        let mut watched = self.incident.facts.values().filter_map(|fact| fact.watched.as_ref());
        let whole =
            consumer.kind().and_then(|kind| watched.find_map(|one| one.consumer_name(kind)));
        Some(whole.unwrap_or(consumer.name()))
    }

    /// Facts that hold it open, or that held it open when it is over.
    fn facts(&self) -> Vec<&Fact> {
        let failing: Vec<&Fact> = self.incident.failing(self.message.at).collect();
        if failing.is_empty() { self.incident.facts.values().collect() } else { failing }
    }

    fn symptoms(&self) -> Vec<Symptom> {
        let symptom = |fact: &&Fact| match fact.sign {
            Sign::Consumer(symptom) => Some(symptom),
            Sign::Weir(_) => None,
        };
        let mut symptoms: Vec<Symptom> = self.facts().iter().filter_map(symptom).collect();
        symptoms.sort_by_key(|symptom| gravity(*symptom));
        symptoms
    }

    fn outlook(&self) -> Outlook {
        self.evidence.outlook(self.incident.opened_at, self.message.at)
    }

    fn cause(&self) -> Option<Cause> {
        self.evidence.cause(&self.symptoms(), self.message.at)
    }

    /// What the alarm that opened it watches.
    fn watched(&self) -> Option<&Watched> {
        self.incident.facts.get(&self.incident.lead).and_then(|fact| fact.watched.as_ref())
    }

    /// How long it has lasted, or lasted.
    fn lasted(&self) -> SignedDuration {
        let until = match self.message.occasion {
            Occasion::Recovered => self.incident.well_since(self.message.at),
            _ => None,
        };
        until.unwrap_or(self.message.at).duration_since(self.incident.opened_at)
    }

    /// When it is said again, if it lasts.
    fn again_at(&self) -> Timestamp {
        self.message.at + SignedDuration::from_mins(i64::from(self.repeat_minutes))
    }

    fn is_test(&self) -> bool {
        matches!(self.incident.subject, Subject::Weir { trouble: Trouble::Test, .. })
    }

    fn is_over(&self) -> bool {
        self.message.occasion == Occasion::Recovered
    }
}

/// The word for it in data.
fn occasion(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Opened => "opened",
        Occasion::Escalated => "escalated",
        Occasion::Reminder => "reminder",
        Occasion::Recovered => "recovered",
    }
}

/// The symptom that says most comes first.
fn gravity(symptom: Symptom) -> u8 {
    match symptom {
        Symptom::Dropped => 0,
        Symptom::Silence => 1,
        Symptom::Delivery => 2,
        Symptom::Errors => 3,
        Symptom::Lag => 4,
        Symptom::Throttles => 5,
        Symptom::Unwatched => 6,
    }
}

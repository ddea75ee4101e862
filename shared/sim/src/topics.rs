//! SNS: the messages that people and pagers got, read as a subscriber reads them.
//!
//! Not here: subscriptions; a message that SNS took has arrived. Whether it was right to send it is
//! judged in `checkers::alerts`.

use jiff::Timestamp;
use serde_json::Value;
use weir_control::notification::Notification;
use weir_core::consumer::ConsumerId;
use weir_core::incident::{Message, Subject};
use weir_core::units::StreamName;

/// A message as SNS took it.
#[derive(Clone, Debug, PartialEq)]
pub struct SentMessage {
    /// When.
    pub at: Timestamp,
    /// Whose failure it is about.
    pub subject: Subject,
    /// Names the incident for ever.
    pub incident: String,
    /// Since when that lasts.
    pub opened_at: Timestamp,
    /// What was decided on: whoever gets it twice can tell by its number.
    pub message: Message,
    /// In every form.
    pub alert: Notification,
}

impl SentMessage {
    /// Reads the form for programs; `None` where that is not what it should be.
    pub(crate) fn read(at: Timestamp, alert: &Notification) -> Option<SentMessage> {
        let forms: Value = serde_json::from_str(&alert.body).ok()?;
        let own: Value = serde_json::from_str(forms["sqs"].as_str()?).ok()?;
        let text = |key: &str| own[key].as_str().map(str::to_owned);
        let stream = match &own["stream"] {
            Value::Null => None,
            name => Some(StreamName::new(name.as_str()?).ok()?),
        };
        let subject = match &own["consumer"]["id"] {
            Value::Null => Subject::Weir {
                trouble: serde_json::from_value(own["trouble"].clone()).ok()?,
                stream,
            },
            id => Subject::Consumer { stream: stream?, consumer: ConsumerId::read(id.as_str()?)? },
        };
        Some(SentMessage {
            at,
            subject,
            incident: text("incident")?,
            opened_at: text("opened_at")?.parse().ok()?,
            message: Message {
                number: u32::try_from(own["message"].as_u64()?).ok()?,
                occasion: serde_json::from_value(own["occasion"].clone()).ok()?,
                severity: serde_json::from_value(own["severity"].clone()).ok()?,
                at: text("at")?.parse().ok()?,
            },
            alert: alert.clone(),
        })
    }
}

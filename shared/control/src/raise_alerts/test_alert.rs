//! A test of who hears of failures: the message of an incident that is none, and its end, in every
//! form.
//!
//! The end goes with it, because a pager keeps open what nobody closes. Not here: sending them.
//! Nothing is written to the ledger: whoever asks for a test sees what becomes of it.

use jiff::Timestamp;
use weir_core::alarms::AlarmPrefix;
use weir_core::incident::{Evidence, Incident, Message, Occasion, step};
use weir_core::policy::{AlertPolicy, AlertRouting, Severity};

use super::{facts, unwritten};
use crate::installation::Place;
use crate::notification::{MessageContext, Notification};
use crate::ports::PortResult;

/// The test for all who subscribe to what is told with this severity, in the order of sending.
///
/// # Errors
///
/// When a form of a message cannot be written.
pub fn test_alert(
    prefix: &AlarmPrefix,
    place: &Place,
    severity: Severity,
    now: Timestamp,
) -> PortResult<Vec<Notification>> {
    let (subject, fact) = facts::of_test(prefix, now);
    let routing = match severity {
        Severity::Notice => AlertRouting::Notice,
        Severity::Page => AlertRouting::Page,
    };
    let policy = AlertPolicy { routing, ..AlertPolicy::DEFAULT };
    let begun = step(None, &subject, &[fact], &Evidence::default(), &policy, now);
    let with_end = |message: Message| {
        [message, Message { number: message.number + 1, occasion: Occasion::Recovered, ..message }]
    };
    let messages = begun.send.into_iter().flat_map(with_end);
    let told = |incident: Incident| {
        messages.map(|message| tell(&incident, &message, place)).collect::<PortResult<_>>()
    };
    begun.incident.map_or(Ok(Vec::new()), told)
}

fn tell(incident: &Incident, message: &Message, place: &Place) -> PortResult<Notification> {
    let evidence = &Evidence::default();
    let repeat_minutes = AlertPolicy::DEFAULT.repeat_page_minutes;
    MessageContext { incident, message, evidence, place, repeat_minutes }
        .render()
        .map_err(unwritten)
}

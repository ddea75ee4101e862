//! A test of who hears of failures: the message of an incident that is none, and its end, in every
//! form.
//!
//! The end goes with it, because a pager keeps open what nobody closes. Not here: sending them.
//! Nothing is written to the ledger: whoever asks for a test sees what becomes of it.

use jiff::Timestamp;
use weir_core::alarms::AlarmPrefix;
use weir_core::incident::{Evidence, Incident, Message, Occasion, step};
use weir_core::policy::{AlertPolicy, Severity, Telling};

use super::{facts, untold};
use crate::installation::Place;
use crate::message::{Alert, Story};
use crate::ports::PortResult;

/// The test for all who subscribe to what is told with this severity, in the order of sending.
pub fn rehearsal(
    prefix: &AlarmPrefix,
    place: &Place,
    severity: Severity,
    now: Timestamp,
) -> PortResult<Vec<Alert>> {
    let (subject, fact) = facts::of_test(prefix, now);
    let telling = match severity {
        Severity::Notice => Telling::Notice,
        Severity::Page => Telling::Page,
    };
    let policy = AlertPolicy { telling, ..AlertPolicy::DEFAULT };
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

fn tell(incident: &Incident, message: &Message, place: &Place) -> PortResult<Alert> {
    let evidence = &Evidence::default();
    let repeat_minutes = AlertPolicy::DEFAULT.repeat_page_minutes;
    Story { incident, message, evidence, place, repeat_minutes }.tell().map_err(untold)
}

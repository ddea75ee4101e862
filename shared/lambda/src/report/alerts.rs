//! What raise-alerts tells of a run: a line for each message sent, and for each failure that
//! nothing is said of.

use serde_json::{Value, json};
use tracing::info;
use weir_control::raise_alerts::AlertReport;
use weir_control::routing::Loop;
use weir_core::reasons::SkipReason;

use super::{Report, Told, log_trouble};

impl Report for AlertReport {
    fn tell(&self, _: Loop) -> Told {
        let AlertReport { sent, held, failed_calls } = self;
        for (subject, message) in sent {
            let (number, severity) = (message.number, message.severity.code());
            info!(%subject, number, severity, occasion = ?message.occasion, "message sent");
        }
        for (subject, reason) in held {
            info!(%subject, code = reason.code(), "nothing said");
        }
        failed_calls.iter().for_each(log_trouble);
        let answer =
            json!({ "sent": sent.len(), "held": held.len(), "troubles": failed_calls.len() });
        Told {
            answer,
            counts: vec![("MessagesSent", sent.len()), ("Troubles", failed_calls.len())],
        }
    }

    fn skipped(reason: SkipReason) -> Value {
        json!({"sent": 0, "reason": reason.code()})
    }
}

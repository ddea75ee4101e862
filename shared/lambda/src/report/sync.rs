//! What sync-alarms tells of a run: a line for each alarm and each stream that changed.

use serde_json::{Value, json};
use tracing::info;
use weir_control::routing::Loop;
use weir_control::sync_alarms::SyncReport;
use weir_core::reasons::SkipReason;

use super::{Report, Told, log_trouble};

impl Report for SyncReport {
    fn tell(&self, _: Loop) -> Told {
        let SyncReport { put, rearmed, deleted, registered, retired, skipped, failed_calls } = self;
        for name in put {
            info!(alarm = name.as_str(), rearmed = rearmed.contains(name), "alarm put");
        }
        for alarm in deleted {
            info!(alarm, "alarm deleted");
        }
        for stream in registered {
            info!(stream = stream.as_str(), "registered");
        }
        for stream in retired {
            info!(stream = stream.as_str(), "retired");
        }
        for skip in skipped {
            info!(stream = skip.stream.as_str(), code = skip.reason.code(), "skipped");
        }
        failed_calls.iter().for_each(log_trouble);
        let answer = json!({
            "put": put.len(),
            "rearmed": rearmed.len(),
            "deleted": deleted.len(),
            "registered": registered.len(),
            "retired": retired.len(),
            "skipped": skipped.len(),
            "troubles": failed_calls.len(),
        });
        Told { answer, counts: vec![("Troubles", failed_calls.len())] }
    }

    fn skipped(reason: SkipReason) -> Value {
        json!({"put": 0, "reason": reason.code()})
    }
}

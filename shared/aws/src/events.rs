//! EventBridge: publishing Weir's events, all of them or an error.
//!
//! PutEvents answers for each event on its own; those it did not take are sent once more. Not here:
//! what the events say (`weir_control::event`).

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use weir_control::event::{SOURCE, WeirEvent};
use weir_control::ports::{Failure, PortError, PortResult, PublishEvents};
use weir_core::limits::EVENTS_PER_CALL_MAX;

use crate::Aws;
use crate::errors::Call;

const PUT_EVENTS: Call = Call::change("PutEvents");

impl PublishEvents for Aws {
    async fn publish(&self, events: &[WeirEvent]) -> PortResult<()> {
        let mut entries = Vec::with_capacity(events.len());
        for event in events {
            entries.push(self.entry(event)?);
        }
        // Even when a part fails, the others are worth sending.
        let mut failed = Ok(());
        for entries in entries.chunks(EVENTS_PER_CALL_MAX) {
            if let Err(error) = self.put_events(entries).await {
                failed = Err(error);
            }
        }
        failed
    }
}

/// An event that was not taken, and why.
struct NotTaken {
    entry: PutEventsRequestEntry,
    why: PortError,
}

impl Aws {
    fn entry(&self, event: &WeirEvent) -> PortResult<PutEventsRequestEntry> {
        let detail = event.detail(&self.settings.alarm_prefix);
        let detail = detail.map_err(|e| PUT_EVENTS.refused(Failure::Invalid, e.to_string()))?;
        Ok(PutEventsRequestEntry::builder()
            .source(SOURCE)
            .detail_type(event.detail_type())
            .detail(detail.to_string())
            .event_bus_name(&self.settings.event_bus)
            .build())
    }

    async fn put_events(&self, entries: &[PutEventsRequestEntry]) -> PortResult<()> {
        let not_taken = self.put_once(entries.to_vec()).await?;
        if not_taken.is_empty() {
            return Ok(());
        }
        let again = not_taken.into_iter().map(|event| event.entry).collect();
        match self.put_once(again).await?.into_iter().next() {
            None => Ok(()),
            Some(NotTaken { entry: _, why }) => Err(why),
        }
    }

    async fn put_once(&self, entries: Vec<PutEventsRequestEntry>) -> PortResult<Vec<NotTaken>> {
        let request = self.clients.events().put_events().set_entries(Some(entries.clone()));
        let answer = request.send().await.map_err(|e| PUT_EVENTS.failed(e))?;
        if answer.failed_entry_count == 0 {
            return Ok(Vec::new());
        }
        // Answers stand in the order of the entries.
        let not_taken = entries.into_iter().zip(answer.entries()).filter_map(|(entry, answer)| {
            let code = answer.error_code()?;
            let message = answer.error_message().unwrap_or_default();
            let failure = PUT_EVENTS.by_code(code, message).unwrap_or(Failure::Unavailable);
            Some(NotTaken { entry, why: PUT_EVENTS.refused(failure, format!("{code}: {message}")) })
        });
        Ok(not_taken.collect())
    }
}

#[cfg(test)]
mod tests;

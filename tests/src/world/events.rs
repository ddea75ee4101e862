//! Weir's events, as a subscriber of the bus receives them.
//!
//! Here: a rule for source `weir`, the queue behind it, and what came. Not here: alarm events,
//! which come from AWS (`alarms`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::{REGION, World};
use crate::aws_client::AwsClient;
use crate::failure::{Context, Failure, Result};
use crate::time::wait_until;
use crate::wire::Service::{EventBridge, Sqs};

const QUEUE: &str = "heard-from-weir";
const RULE: &str = "everything-from-weir";

/// An event of Weir's.
#[derive(Clone, Debug)]
pub struct WeirEvent {
    /// `Weir Capacity Planned` and so on.
    pub detail_type: String,
    /// What it says.
    pub detail: Value,
    /// All of it, as EventBridge delivers it to a function.
    pub envelope: Value,
}

/// The queue, and what was taken from it so far.
pub(super) struct Mailbox {
    queue_url: String,
    received: Mutex<Vec<WeirEvent>>,
}

impl Mailbox {
    pub(super) fn subscribe(client: &AwsClient, account: &str) -> Result<Self> {
        let queue = client.call(Sqs, "CreateQueue", json!({ "QueueName": QUEUE }))?;
        let queue_url = queue["QueueUrl"].as_str().unwrap_or_default().to_owned();
        let pattern = json!({ "source": ["weir"] }).to_string();
        let rule = json!({ "Name": RULE, "EventPattern": pattern, "State": "ENABLED" });
        client.call(EventBridge, "PutRule", rule)?;
        let arn = format!("arn:aws:sqs:{REGION}:{account}:{QUEUE}");
        let targets = json!({ "Rule": RULE, "Targets": [{ "Id": "queue", "Arn": arn }] });
        client.call(EventBridge, "PutTargets", targets)?;
        Ok(Self { queue_url, received: Mutex::default() })
    }

    fn empty_queue(&self, client: &AwsClient) -> Result<Vec<WeirEvent>> {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let take = json!({ "QueueUrl": self.queue_url, "MaxNumberOfMessages": 10 });
            let taken = client.call(Sqs, "ReceiveMessage", take)?;
            let messages = taken["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                return Ok(received.clone());
            }
            for message in messages {
                received.push(read(&message)?);
                let handle = &message["ReceiptHandle"];
                let done = json!({ "QueueUrl": self.queue_url, "ReceiptHandle": handle });
                client.call(Sqs, "DeleteMessage", done)?;
            }
        }
    }
}

fn read(message: &Value) -> Result<WeirEvent> {
    let body = message["Body"].as_str().unwrap_or_default();
    let envelope: Value =
        serde_json::from_str(body).context(|| format!("an event on the queue: {body:?}"))?;
    let detail_type = envelope["detail-type"]
        .as_str()
        .ok_or_else(|| Failure::new(format!("an event without detail-type: {envelope}")))?
        .to_owned();
    Ok(WeirEvent { detail_type, detail: envelope["detail"].clone(), envelope })
}

impl World {
    /// Every event of Weir's so far, in the order of arrival.
    pub fn events(&self) -> Result<Vec<WeirEvent>> {
        self.mailbox.empty_queue(&self.client)
    }

    /// Those of one kind.
    pub fn events_of(&self, detail_type: &str) -> Result<Vec<WeirEvent>> {
        let mut events = self.events()?;
        events.retain(|event| event.detail_type == detail_type);
        Ok(events)
    }

    /// Waits until there are at least `count` of one kind.
    pub fn wait_for_events(
        &self,
        detail_type: &str,
        count: usize,
        limit: Duration,
    ) -> Result<Vec<WeirEvent>> {
        wait_until(&format!("{count} of {detail_type}"), limit, || {
            let events = self.events_of(detail_type)?;
            Ok((events.len() >= count).then_some(events))
        })
    }
}

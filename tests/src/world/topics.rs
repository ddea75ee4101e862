//! SNS topics and who subscribes to them: queues and an HTTP endpoint of the test's own.
//!
//! Here: subscribing, and what arrived. Not here: publishing, which is Weir's business.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::{PATIENCE, REGION, World};
use crate::failure::{Context, Failure, Result};
use crate::local_server::{HttpAnswer, HttpRequest, LocalServer, Reply};
use crate::time::wait_until;
use crate::wire::Service::{Sns, Sqs};

/// A queue that subscribes to topics.
pub struct Queue {
    name: String,
    url: String,
}

/// An HTTP endpoint that subscribes to topics.
pub struct Endpoint {
    server: LocalServer,
    received: Arc<Mutex<Vec<Value>>>,
}

impl World {
    /// Creates a topic and gives its ARN.
    pub fn create_topic(&self, name: &str) -> Result<String> {
        self.call(Sns, "CreateTopic", json!({ "Name": name }))?;
        Ok(format!("arn:aws:sns:{REGION}:{}:{name}", self.account))
    }

    /// Creates a queue that gets what these topics get, as far as the filter policy lets it.
    pub fn queue_of(&self, name: &str, topics: &[&str], filter: Option<Value>) -> Result<Queue> {
        let queue = self.call(Sqs, "CreateQueue", json!({ "QueueName": name }))?;
        let url = queue["QueueUrl"].as_str().unwrap_or_default().to_owned();
        let arn = format!("arn:aws:sqs:{REGION}:{}:{name}", self.account);
        for topic in topics {
            let mut body = json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": arn });
            if let Some(filter) = &filter {
                body["Attributes.entry.1.key"] = json!("FilterPolicy");
                body["Attributes.entry.1.value"] = json!(filter.to_string());
            }
            self.call(Sns, "Subscribe", body)?;
        }
        Ok(Queue { name: name.to_owned(), url })
    }

    /// Starts an endpoint that gets what these topics get, once it has confirmed.
    pub fn endpoint_of(&self, topics: &[&str]) -> Result<Endpoint> {
        let received: Arc<Mutex<Vec<Value>>> = Arc::default();
        let heard = Arc::clone(&received);
        let server = LocalServer::start(Arc::new(move |request: HttpRequest| {
            let said = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(said);
            Reply::Answer(HttpAnswer { status: 200, headers: Vec::new(), body: Vec::new() })
        }))?;
        let endpoint = Endpoint { server, received };
        for (asked, topic) in topics.iter().enumerate() {
            let url = endpoint.server.url();
            let body = json!({ "TopicArn": topic, "Protocol": "http", "Endpoint": url });
            self.call(Sns, "Subscribe", body)?;
            let tokens = wait_until("a request to confirm", PATIENCE, || {
                let tokens = endpoint.of_type("SubscriptionConfirmation");
                Ok((tokens.len() > asked).then_some(tokens))
            })?;
            let token = &tokens[asked]["Token"];
            self.call(Sns, "ConfirmSubscription", json!({ "TopicArn": topic, "Token": token }))?;
        }
        Ok(endpoint)
    }

    /// Waits for so many messages, and gives each with its SNS envelope.
    pub fn wait_for_messages(&self, queue: &Queue, count: usize) -> Result<Vec<Value>> {
        let mut received = Vec::new();
        wait_until(&format!("{count} messages in {}", queue.name), PATIENCE, || {
            received.extend(self.take_messages(queue)?);
            Ok((received.len() >= count).then(|| received.clone()))
        })
    }

    /// Takes what lies in the queue.
    pub fn take_messages(&self, queue: &Queue) -> Result<Vec<Value>> {
        let mut received = Vec::new();
        loop {
            let take = json!({ "QueueUrl": queue.url, "MaxNumberOfMessages": 10 });
            let taken = self.call(Sqs, "ReceiveMessage", take)?;
            let messages = taken["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                return Ok(received);
            }
            for message in messages {
                let body = message["Body"].as_str().unwrap_or_default();
                received.push(serde_json::from_str(body).context(|| format!("read {body:?}"))?);
                let handle = &message["ReceiptHandle"];
                let done = json!({ "QueueUrl": queue.url, "ReceiptHandle": handle });
                self.call(Sqs, "DeleteMessage", done)?;
            }
        }
    }
}

impl Endpoint {
    /// Waits for so many notifications, and gives each with its SNS envelope.
    pub fn wait_for_messages(&self, count: usize) -> Result<Vec<Value>> {
        wait_until(&format!("{count} notifications"), PATIENCE, || {
            let said = self.of_type("Notification");
            Ok((said.len() >= count).then_some(said))
        })
    }

    fn of_type(&self, kind: &str) -> Vec<Value> {
        let said = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().filter(|said| said["Type"] == kind).cloned().collect()
    }
}

/// The message within an SNS envelope, which is JSON again.
pub fn message_in(envelope: &Value) -> Result<Value> {
    let text = envelope["Message"].as_str();
    let text = text.ok_or_else(|| Failure::new(format!("no message in {envelope}")))?;
    serde_json::from_str(text).context(|| format!("read the message {text:?}"))
}

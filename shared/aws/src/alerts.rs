//! SNS: one message to the topic of its severity, and a copy to the one for chat.
//!
//! The SDK repeats a call whose answer was lost: the message would be sent again in any case, and a
//! page should not wait for the tick. Not here: the forms of a message (`weir_control::message`).

use aws_sdk_sns::types::MessageAttributeValue;
use tracing::warn;
use weir_control::notification::Notification;
use weir_control::ports::{Failure, PortResult, SendNotification};
use weir_core::policy::Severity;

use crate::Aws;
use crate::errors::Call;

const PUBLISH: Call = Call::change("Publish");

impl SendNotification for Aws {
    async fn send_notification(&self, alert: &Notification) -> PortResult<()> {
        let Some(topics) = &self.settings.topics else {
            let message = "WEIR_NOTICES_TOPIC and WEIR_PAGES_TOPIC are not set";
            return Err(PUBLISH.refused(Failure::Invalid, message));
        };
        let topic = match alert.severity {
            Severity::Notice => &topics.notices,
            Severity::Page => &topics.pages,
        };
        let mut request = self
            .clients
            .sns()
            .publish()
            .topic_arn(topic)
            .subject(&alert.subject)
            .message_structure("json")
            .message(&alert.body);
        for (name, value) in &alert.attributes {
            let attribute =
                MessageAttributeValue::builder().data_type("String").string_value(value);
            let attribute = attribute
                .build()
                .map_err(|e| PUBLISH.refused(Failure::Invalid, format!("attribute {name}: {e}")))?;
            request = request.message_attributes(*name, attribute);
        }
        request.send().await.map_err(|e| PUBLISH.failed(e))?;
        if let Some(chat) = &topics.chat {
            let copy = self.clients.sns().publish().topic_arn(chat).message(&alert.chat);
            // Only a copy: were this an error, whoever got the message itself would get it again.
            if let Err(error) = copy.send().await.map_err(|e| PUBLISH.failed(e)) {
                warn!(%error, topic = chat, "not told in chat");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! What is sent to SNS, and what its refusals mean.

use std::collections::BTreeMap;

use super::*;
use crate::testing::{Answer, answering, texts, topics, xml};

const TAKEN: &str =
    "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";

fn refusal(status: u16, code: &str) -> Answer {
    let error =
        format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error>");
    xml(status, &format!("<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>"))
}

fn page() -> Notification {
    Notification {
        severity: Severity::Page,
        subject: "PAGE orders: billing reads nothing".to_owned(),
        text: "text".to_owned(),
        body: "{\"default\":\"text\"}".to_owned(),
        attributes: BTreeMap::from([("severity", "page".to_owned())]),
        chat: "{\"version\":\"1.0\"}".to_owned(),
    }
}

async fn send(chat: bool, answers: Vec<Answer>) -> (PortResult<()>, Vec<String>) {
    let (mut aws, replay) = answering(answers);
    let chat = chat.then(|| "arn:aws:sns:eu-central-1:111122223333:chat".to_owned());
    aws.settings.topics = Some(crate::Topics { chat, ..topics() });
    let sent = aws.send_notification(&page()).await;
    (sent, texts(&replay))
}

#[tokio::test(start_paused = true)]
async fn a_page_goes_to_its_topic_in_every_form_with_its_attributes() {
    let (sent, asked) = send(false, vec![xml(200, TAKEN)]).await;
    assert!(sent.is_ok(), "{sent:?}");
    assert_eq!(asked.len(), 1);
    for part in [
        "TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%3A111122223333%3Apages",
        "MessageStructure=json",
        "MessageAttributes.entry.1.Name=severity",
        "MessageAttributes.entry.1.Value.StringValue=page",
    ] {
        assert!(asked[0].contains(part), "{part} in {}", asked[0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_fails_does_not_make_the_page_come_again() {
    let (sent, asked) = send(true, vec![xml(200, TAKEN), refusal(404, "NotFound")]).await;
    assert!(sent.is_ok(), "{sent:?}");
    assert!(asked.len() == 2 && asked[1].contains("%3Achat"), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn what_sns_refuses_is_told_apart() {
    for (status, code, failure) in [
        (404, "NotFound", Failure::Missing),
        (403, "AuthorizationError", Failure::Denied),
        (400, "KMSAccessDenied", Failure::Denied),
        (400, "InvalidParameter", Failure::Invalid),
    ] {
        let (sent, _) = send(false, vec![refusal(status, code)]).await;
        assert_eq!(sent.expect_err(code).failure, failure, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_topics_nothing_is_said_to_be_sent() {
    let (aws, _) = answering(Vec::new());
    let error = aws.send_notification(&page()).await.expect_err("no topics");
    assert!(error.to_string().contains("WEIR_PAGES_TOPIC"), "{error}");
}

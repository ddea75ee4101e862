//! The forms machines read: the alarm JSON that pagers know, Weir's own JSON, and the one for chat
//! channels.
//!
//! Not here: the words (`text`).

use serde_json::{Value, json};
use weir_core::consumer::ConsumerName;
use weir_core::incident::{Sign, Subject};
use weir_core::limits;
use weir_core::reasons::Reason;

use super::look::Look;
use super::words::{percent, region, short, stamp};
use super::{Story, occasion, text};

/// Version of Weir's own form.
const VERSION: u32 = 1;

/// As CloudWatch itself would tell SNS of the alarm that opened the incident. Name and ARN are the
/// same from the first message to the last: pagers open and close by them. Every field that a
/// subscriber may look for is there.
pub(super) fn alarm(story: &Story<'_>) -> Value {
    let (new, old) = if story.is_over() { ("OK", "ALARM") } else { ("ALARM", "OK") };
    let changed = match story.incident.well_since(story.message.at).filter(|_| story.is_over()) {
        Some(well) => well,
        None => story.incident.opened_at,
    };
    json!({
        "AlarmName": story.incident.lead,
        "AlarmDescription": text::subject(story),
        "AWSAccountId": story.place.account,
        "AlarmConfigurationUpdatedTimestamp": stamp(story.incident.opened_at),
        "NewStateValue": new,
        "NewStateReason": text::line(story),
        "StateChangeTime": stamp(changed),
        "Region": region(&story.place.region),
        "AlarmArn": story.place.arn("cloudwatch", &format!("alarm:{}", story.incident.lead)),
        "OldStateValue": old,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "Trigger": trigger(story),
    })
}

fn trigger(story: &Story<'_>) -> Value {
    let watched = story.watched();
    let statistic = watched.map_or("Maximum", |watched| &watched.statistic).to_uppercase();
    let dimensions: Vec<Value> = watched
        .iter()
        .flat_map(|watched| &watched.dimensions)
        // Others write alarms too: what can be no name might be a text to deceive with.
        .filter(|(name, value)| [name, value].iter().all(|part| ConsumerName::new(part).is_ok()))
        .map(|(name, value)| json!({ "value": value, "name": name }))
        .collect();
    json!({
        "MetricName": watched.map_or("Incident", |watched| &watched.metric),
        "Namespace": watched.map_or("Weir", |watched| &watched.namespace),
        "StatisticType": "Statistic",
        "Statistic": statistic,
        "Unit": null,
        "Dimensions": dimensions,
        "Period": watched.map_or(60, |watched| watched.period_seconds),
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": watched.and_then(|watched| watched.threshold).unwrap_or(1.0),
        "TreatMissingData": "notBreaching",
        "EvaluateLowSampleCountPercentile": "",
    })
}

/// Weir's own form, for programs: everything that is known, in units that say what they are.
pub(super) fn own(story: &Story<'_>) -> Value {
    let outlook = story.outlook();
    let about_consumer = matches!(story.incident.subject, Subject::Consumer { .. });
    let look = Look::of(story);
    let consumer = match &story.incident.subject {
        Subject::Consumer { consumer, .. } => json!({
            "id": consumer,
            "kind": story.kind(),
            "name": story.name(),
        }),
        Subject::Weir { .. } => Value::Null,
    };
    let trouble = match &story.incident.subject {
        Subject::Weir { trouble, .. } => json!(trouble),
        Subject::Consumer { .. } => Value::Null,
    };
    let reasons: Vec<Reason> = story
        .facts()
        .iter()
        .filter_map(|fact| match fact.sign {
            Sign::Weir(reason) => Some(reason),
            Sign::Consumer(_) => None,
        })
        .collect();
    let if_consumer = |value: Value| if about_consumer { value } else { Value::Null };
    json!({
        "version": VERSION,
        "incident": story.incident.id(),
        "message": story.message.number,
        "occasion": occasion(story.message.occasion),
        "severity": story.message.severity,
        "at": story.message.at,
        "opened_at": story.incident.opened_at,
        "account": story.place.account,
        "region": story.place.region,
        "stream": story.incident.subject.stream(),
        "consumer": consumer,
        "trouble": trouble,
        "reasons": reasons,
        "symptoms": story.symptoms(),
        "cause": story.cause(),
        "lag_seconds": if_consumer(json!(outlook.lag.as_secs())),
        "lag_is_lower_bound": if_consumer(json!(outlook.at_least)),
        "retention_seconds": if_consumer(json!(outlook.retention.map(|r| r.as_secs()))),
        "expires_in_seconds": if_consumer(json!(
            outlook.retention.and(outlook.expires_in()).map(|left| left.as_secs())
        )),
        "alarms": story.facts().iter().map(|fact| &fact.alarm).collect::<Vec<_>>(),
        "look": { "command": look.command, "console": look.console },
        "summary": text::subject(story),
    })
}

/// A custom notification of Amazon Q Developer in chat applications.
pub(super) fn chat(story: &Story<'_>) -> Value {
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let look = Look::of(story);
    let next: Vec<String> = match story.is_over() {
        true => Vec::new(),
        false => vec![
            cut(look.advice, limits::CHAT_STEP_CHARS_MAX),
            cut(&format!("`{}`", look.command), limits::CHAT_STEP_CHARS_MAX),
        ],
    };
    let mut keywords = vec![story.message.severity.code().to_owned()];
    keywords.extend(
        story.incident.subject.stream().map(|s| short(s.as_str(), limits::CHAT_KEYWORD_CHARS_MAX)),
    );
    if let Some(left) =
        story.outlook().life_left().filter(|_| story.kind().is_some() && !story.is_over())
    {
        keywords.push(format!("{} left", percent(left)));
    }
    json!({
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": cut(&text::subject(story), limits::CHAT_TITLE_CHARS_MAX),
            "description": cut(&text::email(story), limits::CHAT_DESCRIPTION_CHARS_MAX),
            "nextSteps": next,
            "keywords": keywords,
        },
        "metadata": {
            "threadId": story.incident.id(),
            "summary": text::subject(story),
            "eventType": occasion(story.message.occasion),
            "relatedResources": [story.place.arn("cloudwatch", &format!("alarm:{}", story.incident.lead))],
        },
    })
}

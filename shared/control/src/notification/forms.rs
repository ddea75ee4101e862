//! The forms machines read: the alarm JSON that pagers know, Weir's own JSON, and the one for chat
//! channels.
//!
//! Not here: the words (`text`).

use serde_json::{Value, json};
use weir_core::consumer::ConsumerName;
use weir_core::incident::{Sign, Subject};
use weir_core::limits;
use weir_core::reasons::Reason;

use super::first_step::FirstStep;
use super::words::{percent, region, short, stamp};
use super::{MessageContext, occasion, text};

/// Version of Weir's own form.
const VERSION: u32 = 1;

/// As CloudWatch itself would tell SNS of the alarm that opened the incident. Name and ARN are the
/// same from the first message to the last: pagers open and close by them. Every field that a
/// subscriber may look for is there.
pub(super) fn alarm(context: &MessageContext<'_>) -> Value {
    let (new, old) = if context.is_over() { ("OK", "ALARM") } else { ("ALARM", "OK") };
    let changed =
        match context.incident.well_since(context.message.at).filter(|_| context.is_over()) {
            Some(well) => well,
            None => context.incident.opened_at,
        };
    let mut form = json!({
        "AlarmName": context.incident.lead,
        "AlarmDescription": text::subject(context),
        "AWSAccountId": context.place.account,
        "AlarmConfigurationUpdatedTimestamp": stamp(context.incident.opened_at),
        "NewStateValue": new,
        "NewStateReason": text::line(context),
        "StateChangeTime": stamp(changed),
        "Region": region(&context.place.region),
        "AlarmArn": context.place.arn("cloudwatch", &format!("alarm:{}", context.incident.lead)),
        "OldStateValue": old,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "Trigger": trigger(context),
    });
    // CloudWatch has none of these, and pagers pass over them; filter policies choose by them.
    for (name, value) in context.attributes() {
        form[name] = json!(value);
    }
    form
}

fn trigger(context: &MessageContext<'_>) -> Value {
    let watched = context.watched();
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
pub(super) fn own(context: &MessageContext<'_>) -> Value {
    let outlook = context.outlook();
    let about_consumer = matches!(context.incident.subject, Subject::Consumer { .. });
    let first_step = FirstStep::of(context);
    let consumer = match &context.incident.subject {
        Subject::Consumer { consumer, .. } => json!({
            "id": consumer,
            "kind": context.kind(),
            "name": context.name(),
        }),
        Subject::Weir { .. } => Value::Null,
    };
    let trouble = match &context.incident.subject {
        Subject::Weir { trouble, .. } => json!(trouble),
        Subject::Consumer { .. } => Value::Null,
    };
    let reasons: Vec<Reason> = context
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
        "incident": context.incident.id(),
        "message": context.message.number,
        "occasion": occasion(context.message.occasion),
        "severity": context.message.severity,
        "at": context.message.at,
        "opened_at": context.incident.opened_at,
        "account": context.place.account,
        "region": context.place.region,
        "kind": context.attributes().get("kind"),
        "stream": context.incident.subject.stream(),
        "consumer": consumer,
        "trouble": trouble,
        "reasons": reasons,
        "symptoms": context.symptoms(),
        "cause": context.cause(),
        "lag_seconds": if_consumer(json!(outlook.lag.as_secs())),
        "lag_is_lower_bound": if_consumer(json!(outlook.at_least)),
        "lag_is_doubted": if_consumer(json!(outlook.doubted)),
        "retention_seconds": if_consumer(json!(outlook.retention.map(|r| r.as_secs()))),
        "expires_in_seconds": if_consumer(json!(
            outlook.retention.and(outlook.expires_in()).map(|left| left.as_secs())
        )),
        "alarms": context.facts().iter().map(|fact| &fact.alarm).collect::<Vec<_>>(),
        "look": { "command": first_step.command, "console": first_step.console },
        "summary": text::subject(context),
    })
}

/// A custom notification of Amazon Q Developer in chat applications.
pub(super) fn chat(context: &MessageContext<'_>) -> Value {
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let first_step = FirstStep::of(context);
    let next: Vec<String> = match context.is_over() {
        true => Vec::new(),
        false => vec![
            cut(first_step.advice, limits::CHAT_STEP_CHARS_MAX),
            cut(&format!("`{}`", first_step.command), limits::CHAT_STEP_CHARS_MAX),
        ],
    };
    let mut keywords = vec![context.message.severity.code().to_owned()];
    keywords.extend(
        context
            .incident
            .subject
            .stream()
            .map(|s| short(s.as_str(), limits::CHAT_KEYWORD_CHARS_MAX)),
    );
    if let Some(left) =
        context.outlook().life_left().filter(|_| context.kind().is_some() && !context.is_over())
    {
        keywords.push(format!("{} left", percent(left)));
    }
    json!({
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": cut(&text::subject(context), limits::CHAT_TITLE_CHARS_MAX),
            "description": cut(&text::email(context), limits::CHAT_DESCRIPTION_CHARS_MAX),
            "nextSteps": next,
            "keywords": keywords,
        },
        "metadata": {
            "threadId": context.incident.id(),
            "summary": text::subject(context),
            "eventType": occasion(context.message.occasion),
            "relatedResources": [context.place.arn("cloudwatch", &format!("alarm:{}", context.incident.lead))],
        },
    })
}

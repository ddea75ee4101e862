//! People are told: a recorded alarm of a consumer goes in, and what SNS delivers to a queue and an
//! HTTP endpoint is looked at.
//!
//! The emulator delivers neither e-mail nor SMS: of those, what SNS was given is looked at.

use jiff::SignedDuration;
use serde_json::{Value, json};
use weir_tests::world::{Endpoint, Queue, message_in};
use weir_tests::{AwsError, Hold, LambdaFunction, Outage, Result, Service, World};

use crate::installation::{STREAM, schedule};

/// raise-alerts with its topics, and everybody who listens.
struct Alerting {
    world: World,
    /// What raise-alerts and the command are told of the topics.
    topics: [(&'static str, String); 2],
    raise_alerts: LambdaFunction,
    everything: Queue,
    pager: Queue,
    endpoint: Endpoint,
}

impl Alerting {
    fn open() -> Result<Alerting> {
        let world = World::start()?;
        world.create_ledger()?;
        world.create_stream(STREAM, 2)?;
        // Without any policy file, raise-alerts would tell of that too.
        let policy = "version = 1\n[[streams]]\nmatch = \"*\"\nconsumer_alerts = \"escalate\"\n";
        world.write_policy("streams", policy)?;
        let (notices, pages) = (world.create_topic("notices")?, world.create_topic("pages")?);
        let both = [&*notices, &*pages];
        let only_pages = json!({ "severity": ["page"] });
        let raise_alerts = world
            .function("raise-alerts")
            .env("WEIR_NOTICES_TOPIC", notices.clone())
            .env("WEIR_PAGES_TOPIC", pages.clone())
            .deploy()?;
        Ok(Alerting {
            everything: world.queue_of("everything", &both, None)?,
            pager: world.queue_of("pager", &both, Some(only_pages))?,
            endpoint: world.endpoint_of(&both)?,
            raise_alerts,
            topics: [("WEIR_NOTICES_TOPIC", notices), ("WEIR_PAGES_TOPIC", pages)],
            world,
        })
    }

    /// An alarm as CloudWatch recorded it, in this state since so many minutes.
    fn recorded(&self, recording: &str, state: &str, minutes_ago: i64) -> Result<Value> {
        let mut event: Value = serde_json::from_str(recording)
            .map_err(|error| weir_tests::Failure::new(error.to_string()))?;
        let at = weir_tests::time::now() - SignedDuration::from_mins(minutes_ago);
        let stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string();
        event["detail"]["state"]["timestamp"] = json!(stamp);
        event["detail"]["state"]["value"] = json!(state);
        // It went off here, wherever it was recorded.
        for origin in ["account", "region", "resources"] {
            event[origin] = Value::Null;
        }
        Ok(event)
    }

    /// It goes off just now.
    fn hears(&self, recording: &str) -> Result<Value> {
        Ok(self.raise_alerts.invoke(self.recorded(recording, "ALARM", 0)?)?)
    }

    fn ticks(&self) -> Result<Value> {
        Ok(self.raise_alerts.invoke(schedule())?)
    }

    /// What the command says to its operator.
    fn weir(&self, arguments: &[&str]) -> Result<String> {
        let topics = self.topics.each_ref().map(|(name, topic)| (*name, &**topic));
        self.world.weir(arguments, &topics)
    }

    /// raise-alerts dies when AWS has carried out this call of it.
    fn dies_after(&self, operation: &str, event: &Value) -> Result<()> {
        let gate = self.world.proxy().hold_next(operation, Hold::AfterTheCall);
        let invocation = self.raise_alerts.invoke_later(event.clone())?;
        gate.wait_until_reached()?;
        self.raise_alerts.crash();
        assert!(invocation.wait().is_err());
        gate.release();
        Ok(())
    }

    /// Everything that was told, once so much of it has arrived: Weir's own form of each.
    fn told(&self, count: usize) -> Result<Vec<Value>> {
        let mut envelopes = self.world.wait_for_messages(&self.everything, count)?;
        envelopes.extend(self.world.take_messages(&self.everything)?);
        envelopes.iter().map(message_in).collect()
    }

    /// Makes the sender of the one unsent message as long gone as a dead one.
    fn age_unsent(&self) -> Result<()> {
        let items = self.world.ledger_items_under("incident#lambda-billing@orders", "newest")?;
        assert_eq!(items.len(), 1, "{items:?}");
        let mut item = items[0].clone();
        let mut incident: Value =
            serde_json::from_str(item["incident"].as_str().unwrap_or_default()).unwrap_or_default();
        let unsent = incident["unsent"].as_array_mut().and_then(|unsent| unsent.first_mut());
        let Some(unsent) = unsent else { panic!("nothing is unsent: {item}") };
        assert!(unsent["begun_at"].is_string(), "{unsent}");
        unsent["begun_at"] = json!("2026-01-01T00:00:00Z");
        item["incident"] = json!(incident.to_string());
        self.world.put_ledger_item(&item)
    }
}

const LAG: &str = include_str!("../../../shared/control/fixtures/alerts/lambda_lag.json");
const DROPPED: &str = include_str!("../../../shared/control/fixtures/alerts/lambda_dropped.json");

/// Names a message: who gets two with the same name knows that they are one.
fn name(own: &Value) -> (Value, Value) {
    (own["incident"].clone(), own["message"].clone())
}

#[test]
fn each_subscriber_gets_the_form_it_reads() -> Result<()> {
    let alerting = Alerting::open()?;
    assert_eq!(alerting.hears(LAG)?["sent"], 1);

    let queued = alerting.world.wait_for_messages(&alerting.everything, 1)?;
    let own = message_in(&queued[0])?;
    assert_eq!((&own["version"], &own["message"]), (&json!(1), &json!(1)));
    assert_eq!((&own["severity"], &own["occasion"]), (&json!("notice"), &json!("opened")));
    assert_eq!((&own["stream"], &own["consumer"]["name"]), (&json!(STREAM), &json!("billing")));
    assert_eq!(own["retention_seconds"], 24 * 60 * 60, "read from the stream itself");
    let attributes = queued[0]["MessageAttributes"].as_object().cloned().unwrap_or_default();
    let values: Vec<(&str, &Value)> =
        attributes.iter().map(|(name, value)| (name.as_str(), &value["Value"])).collect();
    for expected in [
        ("severity", "notice"),
        ("occasion", "opened"),
        ("stream", STREAM),
        ("consumer", "lambda-billing"),
        ("kind", "lambda"),
    ] {
        assert!(values.contains(&(expected.0, &json!(expected.1))), "{expected:?} in {values:?}");
    }
    let subject = queued[0]["Subject"].as_str().unwrap_or_default();
    assert!(subject.is_ascii() && (1..=100).contains(&subject.len()), "{subject:?}");

    let posted = alerting.endpoint.wait_for_messages(1)?;
    assert_eq!(posted[0]["Subject"], subject);
    is_a_standard_alarm(&message_in(&posted[0])?, alerting.world.account());

    let published = alerting.world.proxy().calls_of("Publish");
    assert_eq!((published.len(), &published[0].body["MessageStructure"]), (1, &json!("json")));
    let forms = published[0].body["Message"].as_str().unwrap_or_default();
    let forms: Value = serde_json::from_str(forms).unwrap_or_default();
    let form = |name: &str| forms[name].as_str().unwrap_or_default();
    let first = form("email").lines().next();
    assert_eq!(first, Some("NOTICE: Lambda function billing of stream orders is behind."));
    assert!(
        form("email").contains("aws lambda list-event-source-mappings --function-name billing")
    );
    assert_eq!(form("default"), form("email"), "for protocols that are yet to come");
    assert!(form("sms").starts_with("Weir NOTICE: billing of orders is behind"), "{forms}");
    assert!(form("sms").is_ascii() && form("sms").len() <= 140, "{forms}");
    Ok(())
}

/// What pagers have been reading from CloudWatch for years.
fn is_a_standard_alarm(alarm: &Value, account: &str) {
    let members: Vec<&str> =
        alarm.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    for member in [
        "AlarmName",
        "AlarmDescription",
        "AWSAccountId",
        "AlarmConfigurationUpdatedTimestamp",
        "NewStateValue",
        "NewStateReason",
        "StateChangeTime",
        "Region",
        "AlarmArn",
        "OldStateValue",
        "OKActions",
        "AlarmActions",
        "InsufficientDataActions",
        "Trigger",
    ] {
        assert!(members.contains(&member), "{member} in {members:?}");
    }
    let name = "weir-lag-lambda-billing@orders";
    assert_eq!(alarm["AlarmName"], name);
    assert_eq!(alarm["AlarmArn"], format!("arn:aws:cloudwatch:us-east-1:{account}:alarm:{name}"));
    assert_eq!((&alarm["NewStateValue"], &alarm["OldStateValue"]), (&json!("ALARM"), &json!("OK")));
    assert_eq!(
        (&alarm["AWSAccountId"], &alarm["Region"]),
        (&json!(account), &json!("US East (N. Virginia)"))
    );
    assert_eq!(
        alarm["Trigger"]["Dimensions"],
        json!([{ "value": "billing", "name": "FunctionName" }])
    );
}

/// The pager closes what it opened: the end bears the name of the beginning, and goes wherever that
/// went.
#[test]
fn what_a_pager_opened_it_can_close() -> Result<()> {
    let alerting = Alerting::open()?;
    let page = alerting.recorded(DROPPED, "ALARM", 60)?;
    assert_eq!(alerting.raise_alerts.invoke(page)?["sent"], 1);
    alerting.endpoint.wait_for_messages(1)?;
    let over = alerting.recorded(DROPPED, "OK", 30)?;
    assert_eq!(alerting.raise_alerts.invoke(over)?["sent"], 1);
    let posted = alerting.endpoint.wait_for_messages(2)?;
    let [opened, closed] = [message_in(&posted[0])?, message_in(&posted[1])?];
    for same in ["AlarmName", "AlarmArn"] {
        assert_eq!(opened[same], closed[same]);
    }
    assert_eq!(
        (&opened["NewStateValue"], &closed["NewStateValue"]),
        (&json!("ALARM"), &json!("OK"))
    );
    let paged = alerting.world.wait_for_messages(&alerting.pager, 2)?;
    assert_eq!(message_in(&paged[1])?["occasion"], "recovered");
    Ok(())
}

#[test]
fn a_filter_policy_lets_only_pages_through() -> Result<()> {
    let alerting = Alerting::open()?;
    alerting.hears(LAG)?;
    alerting.hears(DROPPED)?;
    let all = alerting.told(2)?;
    assert_eq!((&all[0]["severity"], &all[1]["severity"]), (&json!("notice"), &json!("page")));
    let paged = alerting.world.wait_for_messages(&alerting.pager, 1)?;
    assert_eq!(paged.len(), 1, "{paged:?}");
    let own = message_in(&paged[0])?;
    assert_eq!((&own["severity"], &own["occasion"]), (&json!("page"), &json!("escalated")));
    assert_eq!(own["incident"], all[0]["incident"], "one consumer, one incident");
    Ok(())
}

/// EventBridge and Lambda deliver at least once.
#[test]
fn an_event_that_comes_twice_is_told_once() -> Result<()> {
    let alerting = Alerting::open()?;
    let event = alerting.recorded(LAG, "ALARM", 0)?;
    for sent in [1, 0] {
        assert_eq!(alerting.raise_alerts.invoke(event.clone())?["sent"], sent);
    }
    assert_eq!(alerting.told(1)?.len(), 1);
    Ok(())
}

/// EventBridge lost the event: the tick reads the alarms themselves.
#[test]
fn an_alarm_whose_event_was_lost_is_told_by_the_tick() -> Result<()> {
    let alerting = Alerting::open()?;
    let alarm = "weir-lag-lambda-billing@orders";
    let lag = json!({
        "AlarmName": alarm,
        "Namespace": "AWS/Lambda",
        "MetricName": "IteratorAge",
        "Dimensions": [{ "Name": "FunctionName", "Value": "billing" }],
        "Statistic": "Maximum",
        "Period": 60,
        "EvaluationPeriods": 5,
        "Threshold": 43_200_000,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    });
    alerting.world.call(Service::CloudWatch, "PutMetricAlarm", lag)?;
    alerting.world.set_alarm_state(alarm, "ALARM")?;
    for sent in [1, 0] {
        assert_eq!(alerting.ticks()?["sent"], sent);
    }
    assert_eq!(alerting.told(1)?[0]["alarms"], json!([alarm]));
    Ok(())
}

/// What could not be sent is sent by a later tick; the tick that fails says so.
#[test]
fn with_sns_down_for_a_while_no_alert_is_lost() -> Result<()> {
    for outage in [Outage::InternalError, Outage::HangUp] {
        let alerting = Alerting::open()?;
        let proxy = alerting.world.proxy();
        proxy.take_down(Service::Sns, outage);
        let answer = alerting.hears(LAG)?;
        assert_eq!((&answer["sent"], &answer["troubles"]), (&json!(0), &json!(1)), "{outage:?}");
        assert_eq!(alerting.world.take_messages(&alerting.everything)?, Vec::<Value>::new());
        alerting.age_unsent()?;
        assert!(alerting.ticks().is_err(), "the alarm on failing ticks must see it");
        proxy.heal(Service::Sns);
        // SNS may have taken what it did not answer: it is not repeated before two minutes are
        // over.
        assert_eq!(alerting.ticks()?["sent"], 0);
        alerting.age_unsent()?;
        assert_eq!(alerting.ticks()?["sent"], 1);
        assert_eq!(alerting.ticks()?["sent"], 0);
        let told = alerting.told(1)?;
        assert_eq!((told.len(), &told[0]["message"]), (1, &json!(1)));
    }
    Ok(())
}

/// A refusal is certain, so nothing is waited for.
#[test]
fn what_sns_refused_is_sent_by_the_next_tick() -> Result<()> {
    let alerting = Alerting::open()?;
    let denied = AwsError { status: 403, ..AwsError::refusal("AuthorizationError", "no right") };
    alerting.world.proxy().fail_next(1, "Publish", &denied);
    assert_eq!(alerting.hears(LAG)?["sent"], 0);
    assert_eq!((&alerting.ticks()?["sent"], alerting.told(1)?.len()), (&json!(1), 1));
    Ok(())
}

/// SNS took the message and its answer got lost. Nobody can know, so it is sent again: the one way
/// in which somebody hears a thing twice, and both bear one number.
#[test]
fn a_message_whose_answer_got_lost_comes_twice_under_one_number() -> Result<()> {
    let alerting = Alerting::open()?;
    alerting.world.proxy().lose_answer_of_next(1, "Publish");
    assert_eq!(alerting.hears(LAG)?["sent"], 1);
    assert_eq!(alerting.ticks()?["sent"], 0);
    let told = alerting.told(2)?;
    assert_eq!((told.len(), name(&told[0])), (2, name(&told[1])));
    Ok(())
}

/// The message is written down and not sent. Lambda tries the event again, soon; then a tick finds
/// that the sender is gone.
#[test]
fn a_sender_that_dies_before_it_sends_costs_two_minutes() -> Result<()> {
    let alerting = Alerting::open()?;
    let event = alerting.recorded(LAG, "ALARM", 0)?;
    alerting.dies_after("UpdateItem", &event)?;
    let already = alerting.world.take_messages(&alerting.everything)?.len();
    assert_eq!(alerting.raise_alerts.invoke(event)?["sent"], 0, "its sender may yet live");
    alerting.age_unsent()?;
    assert_eq!(alerting.ticks()?["sent"], 1);
    assert_eq!((already, alerting.told(1)?.len()), (0, 1));
    Ok(())
}

#[test]
fn a_sender_that_dies_after_it_sent_makes_a_message_come_twice_and_no_more() -> Result<()> {
    let alerting = Alerting::open()?;
    let event = alerting.recorded(LAG, "ALARM", 0)?;
    alerting.dies_after("Publish", &event)?;
    alerting.age_unsent()?;
    for sent in [1, 0] {
        assert_eq!(alerting.raise_alerts.invoke(event.clone())?["sent"], sent);
    }
    let told = alerting.told(2)?;
    assert_eq!((told.len(), name(&told[0])), (2, name(&told[1])));
    Ok(())
}

/// Without the ledger nobody knows what was said before: nothing is said, and Lambda delivers
/// again.
#[test]
fn with_the_ledger_down_nothing_is_said_until_it_is_back() -> Result<()> {
    let alerting = Alerting::open()?;
    let event = alerting.recorded(LAG, "ALARM", 0)?;
    alerting.world.proxy().take_down(Service::DynamoDb, Outage::InternalError);
    assert!(alerting.raise_alerts.invoke(event.clone()).is_err());
    assert!(alerting.ticks().is_err(), "the alarm on failing ticks must see it");
    assert_eq!(alerting.world.proxy().calls_of("Publish").len(), 0);
    alerting.world.proxy().heal(Service::DynamoDb);
    assert_eq!(alerting.raise_alerts.invoke(event)?["sent"], 1);
    assert_eq!(alerting.told(1)?.len(), 1);
    Ok(())
}

/// The rights of raise-alerts' role in the template, as far as they are named.
fn rights() -> Vec<&'static str> {
    let template = include_str!("../../../infra/template.yaml");
    let role = template.split("PolicyName: raise-alerts").nth(1).unwrap_or_default();
    let role = role.split("AWS::SNS::Topic").next().unwrap_or_default();
    let words = role.split(|c: char| !c.is_ascii_alphanumeric() && c != ':');
    words.filter(|word| word.contains(':') && !word.ends_with(':')).collect()
}

#[test]
fn whatever_is_asked_of_aws_the_role_allows() -> Result<()> {
    let alerting = Alerting::open()?;
    alerting.hears(LAG)?;
    alerting.ticks()?;
    let rights = rights();
    let calls = alerting.world.proxy().calls();
    assert!(calls.len() > 8, "{calls:?}");
    for call in calls {
        let service = match call.service {
            Service::CloudWatch => "cloudwatch",
            Service::DynamoDb => "dynamodb",
            Service::Kinesis => "kinesis",
            Service::Lambda => "lambda",
            Service::Sns => "sns",
            other => panic!("{other:?} is asked: {call:?}"),
        };
        let mappings = call.operation.contains("/event-source-mappings");
        let operation = if mappings { "ListEventSourceMappings" } else { &*call.operation };
        let right = format!("{service}:{operation}");
        assert!(rights.contains(&&*right), "the role lacks {right}: {rights:?}");
    }
    Ok(())
}

#[test]
fn the_command_lists_what_is_open_and_tries_out_who_is_told() -> Result<()> {
    let alerting = Alerting::open()?;
    alerting.hears(DROPPED)?;
    let listed = alerting.weir(&["incidents"])?;
    assert!(listed.contains("drops records") && listed.contains("page, 1 sent"), "{listed}");
    let before = alerting.world.ledger_items()?;

    let said = alerting.weir(&["test-alert", "--to", "pages"])?;
    assert_eq!(said.lines().count(), 2, "{said}");
    let paged = alerting.world.wait_for_messages(&alerting.pager, 3)?;
    let subjects: Vec<&str> = paged.iter().filter_map(|one| one["Subject"].as_str()).collect();
    assert!(subjects[1].starts_with("TEST PAGE: "), "{subjects:?}");
    assert!(subjects[2].starts_with("TEST RECOVERED: "), "{subjects:?}");
    assert_eq!(alerting.world.ledger_items()?, before, "a test is no incident");
    Ok(())
}

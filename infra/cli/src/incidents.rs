//! `weir incidents`: which failures are open and which were over of late, as the ledger has them.
//!
//! Here: how they are shown. Not here: reading them (`weir-aws`), which a `weir` without
//! the feature `aws` cannot do.

use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde_json::{Value, json};
use weir_control::notification::{length, time};
use weir_core::incident::{Incident, Sign, Subject};

/// As a table, open ones first, the newest first.
pub(crate) fn table(incidents: &[Incident], now: Timestamp) -> String {
    if incidents.is_empty() {
        return "No incident is open, and none was over of late.".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "since", "lasts", "who", "what", "told"]);
    for incident in in_order(incidents) {
        let end = incident.closed_at;
        table.add_row([
            if end.is_none() { "open" } else { "over" }.to_owned(),
            time(incident.opened_at),
            length(end.unwrap_or(now).duration_since(incident.opened_at)),
            who(incident),
            signs(incident, now).join("\n"),
            told(incident),
        ]);
    }
    table.to_string()
}

/// As JSON, one object a line, in the same order.
pub(crate) fn json_lines(incidents: &[Incident], now: Timestamp) -> String {
    let lines = in_order(incidents).into_iter().map(|incident| line(incident, now).to_string());
    lines.collect::<Vec<_>>().join("\n")
}

fn line(incident: &Incident, now: Timestamp) -> Value {
    let (consumer, trouble) = match &incident.subject {
        Subject::Consumer { consumer, .. } => (Some(consumer), None),
        Subject::Weir { trouble, .. } => (None, Some(trouble)),
    };
    json!({
        "incident": incident.id(),
        "stream": incident.subject.stream(),
        "consumer": consumer,
        "trouble": trouble,
        "opened_at": incident.opened_at,
        "closed_at": incident.closed_at,
        "what": signs(incident, now),
        "severity": incident.told(),
        "messages": incident.messages,
        "unsent": incident.unsent.len(),
        "alarm": incident.lead,
    })
}

fn in_order(incidents: &[Incident]) -> Vec<&Incident> {
    let mut incidents: Vec<&Incident> = incidents.iter().collect();
    incidents.sort_by_key(|incident| {
        (incident.closed_at.is_some(), std::cmp::Reverse(incident.opened_at))
    });
    incidents
}

fn who(incident: &Incident) -> String {
    match &incident.subject {
        Subject::Consumer { stream, consumer } => format!("{consumer}\nof {stream}"),
        Subject::Weir { stream: Some(stream), .. } => format!("Weir\non {stream}"),
        Subject::Weir { stream: None, .. } => "Weir itself".to_owned(),
    }
}

/// What fails; of an incident that is over, what failed.
fn signs(incident: &Incident, now: Timestamp) -> Vec<&'static str> {
    let still = incident.failing(now).next().is_some();
    let facts = incident.facts.values().filter(|fact| !still || fact.failing(now));
    let sign = |sign: Sign| match sign {
        Sign::Consumer(symptom) => symptom.happens(),
        Sign::Weir(reason) => reason.meaning(),
    };
    facts.map(|fact| sign(fact.sign)).collect()
}

/// Who was told, and what is still on its way.
fn told(incident: &Incident) -> String {
    let severity = incident.told().map_or("nobody", |severity| severity.code());
    let messages = incident.messages;
    match incident.unsent.len() {
        0 => format!("{severity}, {messages} sent"),
        unsent => format!("{severity}, {unsent} of {messages} not sent"),
    }
}

#[cfg(feature = "aws")]
pub(crate) use ledger::run;

#[cfg(feature = "aws")]
mod ledger {
    use jiff::SignedDuration;
    use weir_control::ports::Clock;

    use super::{json_lines, table};
    use crate::faults::Failure;
    use crate::{Format, live};

    pub(crate) fn run(days: u16, format: Format, who: &live::Who) -> Result<(), Failure> {
        live::with_aws(who, async |aws| {
            let now = aws.now();
            let since = now - SignedDuration::from_hours(24 * i64::from(days));
            let incidents = aws.incidents_since(since).await?;
            match format {
                Format::Table => println!("{}", table(&incidents, now)),
                Format::Json if incidents.is_empty() => {}
                Format::Json => println!("{}", json_lines(&incidents, now)),
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use weir_core::alarms::AlarmState;
    use weir_core::consumer::ConsumerId;
    use weir_core::incident::{Evidence, Fact, Symptom, Trouble, step};
    use weir_core::policy::AlertPolicy;
    use weir_core::reasons::Reason;
    use weir_core::units::StreamName;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        let midnight: Timestamp = "2026-11-21T00:00:00Z".parse().expect("a time");
        midnight + jiff::SignedDuration::from_mins(minutes)
    }

    /// What became of it by `minutes`, when this failed at midnight and was well from `well` on.
    /// Nothing of it is sent yet.
    fn incident(subject: &Subject, signs: &[Sign], well: Option<i64>, minutes: i64) -> Incident {
        let facts = |state, minutes| -> Vec<Fact> {
            let fact = |sign: &Sign| Fact {
                alarm: format!("weir-{sign:?}"),
                sign: *sign,
                state,
                state_at: at(minutes),
                holds_until: None,
                watched: None,
            };
            signs.iter().map(fact).collect()
        };
        let after = |before: Option<&Incident>, facts: &[Fact], now| {
            let known = Evidence::default();
            let step = step(before, subject, facts, &known, &AlertPolicy::DEFAULT, now);
            step.incident.expect("an incident")
        };
        let opened = after(None, &facts(AlarmState::Alarm, 0), at(0));
        let over = well.map(|well| facts(AlarmState::Ok, well)).unwrap_or_default();
        after(Some(&opened), &over, at(minutes))
    }

    fn sent(mut incident: Incident) -> Incident {
        (1..=incident.messages).for_each(|number| incident.note_sent(number));
        incident
    }

    fn all() -> Vec<Incident> {
        let stream = StreamName::new("orders").expect("a name");
        let consumer = ConsumerId::read("lambda-billing").expect("an id");
        let billing = Subject::Consumer { stream: stream.clone(), consumer };
        let symptoms = [Symptom::Lag, Symptom::Errors].map(Sign::Consumer);
        let withheld = Subject::Weir { trouble: Trouble::Withheld, stream: Some(stream) };
        let letters = Subject::Weir { trouble: Trouble::DeadLetters, stream: None };
        vec![
            sent(incident(&withheld, &[Sign::Weir(Reason::BudgetSpent)], Some(20), 27)),
            sent(incident(&billing, &symptoms, None, 31)),
            incident(&letters, &[Sign::Weir(Reason::DeadLetters)], None, 5),
        ]
    }

    #[test]
    fn open_ones_come_first() {
        insta::assert_snapshot!("incidents", table(&all(), at(40)));
        assert_eq!(table(&[], at(0)), "No incident is open, and none was over of late.");
    }

    #[test]
    fn programs_get_a_line_each() {
        let lines = json_lines(&all(), at(40));
        let read = |line| serde_json::from_str::<BTreeMap<String, Value>>(line).expect("an object");
        let lines: Vec<BTreeMap<String, Value>> = lines.lines().map(read).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["incident"], "lambda-billing@orders#2026-11-21T00:00:00Z");
        assert_eq!(
            (&lines[1]["trouble"], &lines[1]["unsent"]),
            (&json!("dead_letters"), &json!(1))
        );
        assert_eq!((&lines[0]["severity"], &lines[0]["closed_at"]), (&json!("page"), &Value::Null));
        assert_eq!(
            (&lines[2]["trouble"], &lines[2]["consumer"]),
            (&json!("withheld"), &Value::Null)
        );
    }
}

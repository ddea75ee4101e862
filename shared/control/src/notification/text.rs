//! The words people read: subject, e-mail, SMS. Short, plain, the worst first.
//!
//! Not here: forms for machines (`forms`).

use weir_core::consumer::ConsumerKind;
use weir_core::incident::{Cause, Occasion, Outlook, Sign, Subject, Symptom, Trouble};
use weir_core::limits;
use weir_core::policy::Severity;

use super::MessageContext;
use super::first_step::FirstStep;
use super::words::{length, percent, plain, short, time};

/// The subject: who, what, and how long there is.
pub(super) fn subject(context: &MessageContext<'_>) -> String {
    let head = tag(context);
    let rest = match context.is_over() {
        true => format!("after {}", length(context.lasted())),
        false => [Some(happens(context)), left(context)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", "),
    };
    // What happened and how long there is must fit; names give way.
    let room = limits::SNS_SUBJECT_CHARS_MAX.saturating_sub(head.len() + rest.len() + 3);
    plain(&format!("{head}: {} {rest}", who(context, room)), limits::SNS_SUBJECT_CHARS_MAX)
}

/// One SMS.
pub(super) fn sms(context: &MessageContext<'_>) -> String {
    let head = format!("Weir {}", tag(context));
    let rest = match context.is_over() {
        true => format!(
            "well since {}",
            time(context.incident.well_since(context.message.at).unwrap_or(context.message.at))
        ),
        false => {
            let cause = context.cause().map(|cause| format!("cause? {}", cause_short(cause)));
            let parts = [Some(happens(context)), left(context), cause];
            format!(
                "{}. {}",
                parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
                context.place.region
            )
        }
    };
    let room = limits::SMS_CHARS_MAX.saturating_sub(head.len() + rest.len() + 3);
    plain(&format!("{head}: {} {rest}", who(context, room)), limits::SMS_CHARS_MAX)
}

/// The whole context.
pub(super) fn email(context: &MessageContext<'_>) -> String {
    let mut lines = vec![sentence(context), String::new()];
    let mut say = |what: &str, text: String| lines.push(format!("{what}: {text}"));
    let place = context.place;
    say("Where", format!("account {}, region {}", place.account, place.region));
    let opened = time(context.incident.opened_at);
    match context.incident.well_since(context.message.at).filter(|_| context.is_over()) {
        Some(well) => {
            say("When", format!("from {opened} to {}, {}", time(well), length(context.lasted())))
        }
        None if context.lasted().as_mins() == 0 => say("Since", format!("{opened}, just now")),
        None => say("Since", format!("{opened}, {} ago", length(context.lasted()))),
    }
    match &context.incident.subject {
        Subject::Consumer { .. } => consumer_lines(context, &mut say),
        Subject::Weir { .. } => weir_lines(context, &mut say),
    }
    if !context.is_over() {
        let first_step = FirstStep::of(context);
        say("Look first", first_step.advice.to_owned());
        lines.push(format!("    {}", first_step.command));
        lines.extend(first_step.console.map(|page| format!("    {page}")));
    }
    lines.push(String::new());
    lines.push(what_follows(context));
    lines.push(format!("Incident {}, message {}.", context.incident.id(), context.message.number));
    lines.join("\n")
}

fn consumer_lines(context: &MessageContext<'_>, say: &mut impl FnMut(&str, String)) {
    let outlook = context.outlook();
    let told = !only_unwatched(context);
    let known = !outlook.at_least || outlook.lag.as_mins() > 0;
    if known && told {
        let least = if outlook.at_least { "at least " } else { "" };
        let share = match (outlook.used(), outlook.retention) {
            (Some(used), Some(retention)) => {
                format!(
                    ", {} of the {} that the stream keeps records",
                    percent(used),
                    hours(retention)
                )
            }
            _ => String::new(),
        };
        say("Behind", format!("{least}{}{share}", length(outlook.lag)));
    }
    if context.is_over() {
        return;
    }
    if told {
        say("Time left", time_left(context, &outlook));
    }
    if let Some(cause) = context.cause() {
        say("Likely cause", cause_words(context, cause));
    }
    if let Some(others) = context.evidence.also_called_by.filter(|others| *others > 0) {
        let whose = "what is known of the function may be theirs";
        say("Shared", format!("{others} other mappings call this function; {whose}"));
    }
    if let (Some(errors), Some(calls)) = (context.evidence.errors, context.evidence.invocations)
        && errors > 0.0
    {
        say("Errors", format!("{errors:.0} of {calls:.0} calls in the last ten minutes"));
    }
}

/// Whether nothing is known to be wrong but that nothing is known.
fn only_unwatched(context: &MessageContext<'_>) -> bool {
    context.symptoms() == [Symptom::Unwatched]
}

/// How long there is, and how that is known.
fn time_left(context: &MessageContext<'_>, outlook: &Outlook) -> String {
    if outlook.doubted {
        return "unknown: nothing falls behind as fast as this reading says; it is believed if it lasts"
            .to_owned();
    }
    let Some(retention) = outlook.retention else {
        return "unknown: the stream's retention could not be read".to_owned();
    };
    if context.symptoms().contains(&Symptom::Dropped) {
        return format!(
            "what was dropped stays in the stream for {} at most; read it again before",
            hours(retention)
        );
    }
    let pace = outlook.growth.map_or(0.0, |growth| growth * 60.0);
    match (outlook.expires_in(), outlook.growth) {
        (Some(left), _) if left.is_zero() => "none: records are expiring unread now".to_owned(),
        (Some(left), None) => {
            format!("{} until records expire unread, if nothing is read meanwhile", length(left))
        }
        (Some(left), Some(_)) if left > retention => {
            format!("more than {}; it falls behind by {pace:.0} s a minute", hours(retention))
        }
        (Some(left), Some(_)) => format!(
            "{} until records expire unread; it falls behind by {pace:.0} s a minute",
            length(left)
        ),
        (None, Some(growth)) if growth < -0.01 => {
            format!("enough: it catches up by {:.0} s a minute", -pace)
        }
        (None, _) => "enough: it falls no further behind".to_owned(),
    }
}

fn weir_lines(context: &MessageContext<'_>, say: &mut impl FnMut(&str, String)) {
    for fact in context.facts() {
        if let Sign::Weir(reason) = fact.sign {
            say("Why", format!("{} ({reason})", reason.meaning()));
            if !context.is_over() {
                say("To do", reason.remedy().to_owned());
            }
        }
    }
}

/// A retention: people set it in hours or days.
fn hours(retention: jiff::SignedDuration) -> String {
    match retention.as_hours() {
        days if days % 24 == 0 && days > 24 => format!("{} days", days / 24),
        hours => format!("{hours} h"),
    }
}

/// The first line.
fn sentence(context: &MessageContext<'_>) -> String {
    let tag = tag(context);
    match &context.incident.subject {
        Subject::Consumer { stream, .. } => {
            let kind = context.kind().map_or("consumer", ConsumerKind::words);
            let name = context.name().unwrap_or("");
            let what = match context.is_over() {
                true => "is well again".to_owned(),
                false => all_symptoms(context),
            };
            format!("{tag}: {kind} {name} of stream {stream} {what}.")
        }
        Subject::Weir { trouble, stream } => {
            let stream = stream.as_ref().map(|s| format!(" (stream {s})")).unwrap_or_default();
            let what = trouble_words(*trouble);
            match context.is_over() {
                true if context.is_test() => format!("{tag}: the test is over."),
                true => format!("{tag}: no longer: {what}{stream}."),
                false => format!("{tag}: {what}{stream}."),
            }
        }
    }
}

fn all_symptoms(context: &MessageContext<'_>) -> String {
    let happens: Vec<&str> = context.symptoms().into_iter().map(Symptom::happens).collect();
    match happens.split_last() {
        None => "fails".to_owned(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

fn tag(context: &MessageContext<'_>) -> String {
    let tag = match (context.message.occasion, context.message.severity) {
        (Occasion::Recovered, _) => "RECOVERED",
        (Occasion::Reminder, Severity::Page) => "PAGE (still)",
        (Occasion::Reminder, Severity::Notice) => "NOTICE (still)",
        (_, Severity::Page) => "PAGE",
        (_, Severity::Notice) => "NOTICE",
    };
    if context.is_test() { format!("TEST {tag}") } else { tag.to_owned() }
}

/// Who it is, in at most `room` characters.
fn who(context: &MessageContext<'_>, room: usize) -> String {
    match &context.incident.subject {
        Subject::Consumer { stream, .. } => {
            let (name, stream) = (context.name().unwrap_or(""), stream.as_str());
            let half = (room.saturating_sub(4) / 2).max(8);
            let whole = name.len() + stream.len() + 4 <= room;
            match whole {
                true => format!("{name} of {stream}"),
                false => format!("{} of {}", short(name, half), short(stream, half)),
            }
        }
        Subject::Weir { stream: Some(stream), .. } => {
            format!("Weir on {}", short(stream.as_str(), room.saturating_sub(8).max(8)))
        }
        Subject::Weir { stream: None, .. } => "Weir itself".to_owned(),
    }
}

fn happens(context: &MessageContext<'_>) -> String {
    match &context.incident.subject {
        Subject::Consumer { .. } => {
            let worst = context.symptoms().first().map_or("fails", |symptom| symptom.happens());
            worst.to_owned()
        }
        Subject::Weir { trouble, .. } => trouble_short(*trouble).to_owned(),
    }
}

fn left(context: &MessageContext<'_>) -> Option<String> {
    if !matches!(context.incident.subject, Subject::Consumer { .. }) || only_unwatched(context) {
        return None;
    }
    let outlook = context.outlook();
    // What is further off than the retention is not at stake tonight.
    let left = outlook.expires_in().filter(|left| Some(*left) <= outlook.retention)?;
    Some(match left.is_zero() {
        true => "records are expiring".to_owned(),
        false => format!("{} left", length(left)),
    })
}

fn what_follows(context: &MessageContext<'_>) -> String {
    match (context.message.occasion, context.message.severity) {
        (Occasion::Recovered, _) if lost_records(context) => {
            "This incident is over. What was dropped or expired meanwhile does not come back by itself."
                .to_owned()
        }
        (Occasion::Recovered, _) => "This incident is over; nothing is left to do.".to_owned(),
        _ if context.is_test() => "Nobody has to do anything. The end of it is told too.".to_owned(),
        (_, Severity::Page) => {
            format!("Said again at {} if it lasts. Its end is told too.", time(context.again_at()))
        }
        (_, Severity::Notice) => match context.incident.subject {
            Subject::Consumer { .. } => {
                "If it lasts or time grows short it may become a page. Its end is told too."
            }
            Subject::Weir { trouble, .. } if trouble.only_noticed() => {
                "If it lasts it is said again once a day. Its end is told too."
            }
            Subject::Weir { .. } => "If it lasts it becomes a page. Its end is told too.",
        }
        .to_owned(),
    }
}

/// Whether records were given up on the way.
fn lost_records(context: &MessageContext<'_>) -> bool {
    context.incident.facts.values().any(|fact| fact.sign == Sign::Consumer(Symptom::Dropped))
}

/// The context in one line, for a pager's screen.
pub(super) fn line(context: &MessageContext<'_>) -> String {
    let mut parts = vec![sentence(context)];
    let mut say = |what: &str, text: String| {
        parts.push(format!("{what}: {}.", text.trim_end_matches('.')));
    };
    match &context.incident.subject {
        Subject::Consumer { .. } => consumer_lines(context, &mut say),
        Subject::Weir { .. } => weir_lines(context, &mut say),
    }
    if !context.is_over() {
        parts.push(format!("Look first: {}", FirstStep::of(context).command));
    }
    plain(&parts.join(" "), limits::ALARM_REASON_CHARS_MAX)
}

fn cause_words(context: &MessageContext<'_>, cause: Cause) -> String {
    let text = match cause {
        Cause::MappingDisabled => "its event source mapping is disabled",
        Cause::PoisonRecord => {
            "a record that it cannot take: one shard is stuck and the function fails; a mapping with \
             default settings tries it again until it expires"
        }
        Cause::FunctionErrors => "the function fails",
        Cause::Throttled => match context.kind() {
            Some(ConsumerKind::Lambda) => "the function is throttled: its concurrency is used up",
            _ => "its reads are throttled",
        },
        Cause::NotRunning => match context.kind() {
            Some(ConsumerKind::Kcl) => "no worker runs, or none holds a lease",
            Some(ConsumerKind::Lambda) => {
                "its mapping is disabled or broken; neither leaves an error"
            }
            _ => "nobody runs that reads",
        },
        Cause::DrainAfterReshard => {
            "the stream was resharded; what lay in the old shards is read first"
        }
        Cause::UpstreamSurge => "far more is written than an hour ago",
        Cause::DestinationFails => "the destination does not take what is delivered",
        Cause::TooSlow => "it is slower than what is written",
        Cause::MetricMissing => {
            "it has no MillisBehindLatest of its own: a KCL before release 2.3.9, metrics switched off, or \
             sent to another namespace"
        }
    };
    text.to_owned()
}

fn cause_short(cause: Cause) -> &'static str {
    match cause {
        Cause::MappingDisabled => "mapping disabled",
        Cause::PoisonRecord => "poison record",
        Cause::FunctionErrors => "function fails",
        Cause::Throttled => "throttled",
        Cause::NotRunning => "not running",
        Cause::DrainAfterReshard => "drain after reshard",
        Cause::UpstreamSurge => "surge upstream",
        Cause::DestinationFails => "destination",
        Cause::TooSlow => "too slow",
        Cause::MetricMissing => "no metric",
    }
}

fn trouble_words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Withheld => "the stream needs another size, and Weir may not give it",
        Trouble::Blind => {
            "Weir cannot read the streams' traffic metrics, so their sizes stay as they are"
        }
        Trouble::NoMetrics => "there are no traffic metrics of the stream, so its size stays",
        Trouble::Refused => "a plan was turned down for a reason that does not pass by itself",
        Trouble::Lost => "nobody knows what became of a call that changes the stream",
        Trouble::PolicyInvalid => "a policy has a fault, so its streams are left as they are",
        Trouble::DeadLetters => "events that Weir could not work on lie in its dead-letter queue",
        Trouble::TickMissing => {
            "Weir is not woken any more, or fails when it is: nothing is guarded"
        }
        Trouble::Test => "this is a test, and nothing is wrong",
    }
}

fn trouble_short(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Withheld => "cannot give the size it needs",
        Trouble::Blind => "cannot read traffic metrics",
        Trouble::NoMetrics => "finds no traffic metrics",
        Trouble::Refused => "had a plan turned down",
        Trouble::Lost => "lost the answer to a call",
        Trouble::PolicyInvalid => "has a faulty policy",
        Trouble::DeadLetters => "could not work on events",
        Trouble::TickMissing => "is not woken any more",
        Trouble::Test => "sends a test, nothing is wrong",
    }
}

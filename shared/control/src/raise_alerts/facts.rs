//! From events to facts: what an alarm or an event of Weir's own says, and whose failure it is.
//!
//! Not here: what is made of it (`weir_core::incident`).

use jiff::{SignedDuration, Timestamp};
use weir_core::alarms::{AlarmName, AlarmPrefix, AlarmState};
use weir_core::incident::{Fact, Sign, Subject, Trouble};
use weir_core::policy::OperatingMode;
use weir_core::reasons::{HoldReason, Reason, Reporting};
use weir_core::units::StreamName;

use crate::event::{ActionFailed, ActionRefused, CapacityPlanned, PlannedAction};
use crate::incoming::AlarmEvent;

/// Plans come every few minutes while a stream lacks what it needs; silence after that means that
/// it has it.
const WITHHELD_HOLDS: SignedDuration = SignedDuration::from_mins(20);
/// Nothing says when a refusal is over; what does not come again within an hour is taken for over.
const REFUSED_HOLDS: SignedDuration = SignedDuration::from_mins(60);

/// A fact, and whom it is about.
pub type Finding = (Subject, Fact);

/// What an alarm of this installation says; `None` for the alarms of streams, and other people's.
pub fn of_alarm(prefix: &AlarmPrefix, alarm: &AlarmEvent) -> Option<Finding> {
    let fact = |sign| Fact {
        alarm: alarm.alarm_name.clone(),
        sign,
        state: alarm.state,
        state_at: alarm.state_at,
        holds_until: None,
        watched: alarm.watched.clone(),
    };
    if let Some((symptom, stream, consumer)) = AlarmName::read_consumer(prefix, &alarm.alarm_name) {
        return Some((Subject::Consumer { stream, consumer }, fact(Sign::Consumer(symptom))));
    }
    let (trouble, reason) =
        [(Trouble::DeadLetters, Reason::DeadLetters), (Trouble::TickMissing, Reason::TickMissing)]
            .into_iter()
            .find(|(trouble, _)| alarm.alarm_name == own_alarm(prefix, *trouble, None))?;
    Some((Subject::Weir { trouble, stream: None }, fact(Sign::Weir(reason))))
}

/// A plan that cannot do what it should, for a reason that the next plan cannot mend: it may not
/// give the stream the size it needs, or it knows nothing of the demand.
pub fn of_plan(prefix: &AlarmPrefix, planned: &CapacityPlanned) -> Option<Finding> {
    if planned.mode == OperatingMode::Observe {
        return None;
    }
    let stream = Some(planned.stream.clone());
    let said = |trouble, stream, reason: Reason| {
        Some(own(prefix, trouble, stream, reason, planned.planned_at, WITHHELD_HOLDS))
    };
    if let PlannedAction::Hold { reason } = planned.action
        && reason.reporting() == Reporting::Incident
        && planned.clamps.is_empty()
    {
        match reason {
            // It is the installation that cannot read: one incident, not one for each stream.
            HoldReason::MetricsUnreadable => return said(Trouble::Blind, None, reason.into()),
            HoldReason::NoMetrics => return said(Trouble::NoMetrics, stream, reason.into()),
            _ => return said(Trouble::Withheld, stream, reason.into()),
        }
    }
    let granted = match planned.action {
        PlannedAction::Hold { .. } => planned.open_shards,
        PlannedAction::Reshard { to, .. } => to,
        // The other mode is how it gets what it wants.
        PlannedAction::SwitchMode { .. } => return None,
    };
    if granted >= planned.wanted_shards {
        return None;
    }
    let mut reasons = planned.clamps.iter().map(|clamp| clamp.reason);
    let reason = reasons.find(|reason| reason.reporting() == Reporting::Incident)?;
    said(Trouble::Withheld, stream, reason.into())
}

/// A refusal that does not pass by itself. The others are the ordinary course of things.
pub fn of_refusal(prefix: &AlarmPrefix, refused: &ActionRefused) -> Option<Finding> {
    let (stream, reason) = (Some(refused.stream.clone()), refused.reason);
    (reason.reporting() == Reporting::Incident).then(|| {
        own(prefix, Trouble::Refused, stream, reason.into(), refused.refused_at, REFUSED_HOLDS)
    })
}

/// A call of which nobody knows what became.
pub fn of_failure(prefix: &AlarmPrefix, failed: &ActionFailed) -> Finding {
    let stream = Some(failed.stream.clone());
    own(prefix, Trouble::Lost, stream, failed.reason.into(), failed.failed_at, REFUSED_HOLDS)
}

/// Policies with a fault, as they are now. Said anew every ten minutes, not at every tick: each
/// time costs a write.
pub fn of_faulty_policies(prefix: &AlarmPrefix, now: Timestamp) -> Finding {
    let ten_minutes = 600;
    let second = now.as_second().div_euclid(ten_minutes) * ten_minutes;
    let at = Timestamp::from_second(second).unwrap_or(now);
    own(prefix, Trouble::PolicyInvalid, None, Reason::PolicyInvalid, at, WITHHELD_HOLDS)
}

/// A test: it lasts no longer than it takes to tell.
pub fn of_test(prefix: &AlarmPrefix, now: Timestamp) -> Finding {
    own(prefix, Trouble::Test, None, Reason::TestAlert, now, SignedDuration::from_mins(1))
}

fn own(
    prefix: &AlarmPrefix,
    trouble: Trouble,
    stream: Option<StreamName>,
    reason: Reason,
    at: Timestamp,
    holds: SignedDuration,
) -> Finding {
    let fact = Fact {
        alarm: own_alarm(prefix, trouble, stream.as_ref()),
        sign: Sign::Weir(reason),
        state: AlarmState::Alarm,
        state_at: at,
        holds_until: Some(at + holds),
        watched: None,
    };
    (Subject::Weir { trouble, stream }, fact)
}

/// The name under which pagers know a failure of Weir's own. Behind some there is an alarm.
fn own_alarm(prefix: &AlarmPrefix, trouble: Trouble, stream: Option<&StreamName>) -> String {
    match stream {
        Some(stream) => format!("{prefix}self-{trouble}-{stream}"),
        None => format!("{prefix}self-{trouble}"),
    }
}

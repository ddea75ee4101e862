//! What goes wrong, and when. Not here: what becomes of it.

use std::ops::{Range, RangeInclusive};

use weir_control::ports::Failure;
use weir_control::routing::Loop;
use weir_core::observation::CapacityMode;

use crate::chance::Dice;
use crate::operation::Operation;

/// Everything that goes wrong in a simulation. Minutes are counted from its start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Minutes in which the ledger does not answer.
    pub ledger_down: Vec<Range<usize>>,
    /// Minutes in which CloudWatch publishes nothing, answers nothing and judges no alarm.
    /// Datapoints come late, when it is back.
    pub metrics_down: Vec<Range<usize>>,
    /// Minutes in which SNS takes no message.
    pub sns_down: Vec<Range<usize>>,
    /// Minutes at the start that chance leaves alone: whether alarms are told of shows only where
    /// there are any.
    pub calm_minutes: usize,
    /// Probability that a minute's datapoints are lost.
    pub lost_minutes: f64,
    /// Probability that a call fails and certainly changed nothing.
    pub failing: f64,
    /// Probability that a call takes effect and its answer is lost.
    pub answer_lost: f64,
    /// When loops die.
    pub crash: Crash,
    /// What other people do.
    pub external_changes: Vec<ExternalChange>,
}

/// When a loop dies.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Crash {
    /// Never.
    #[default]
    Never,
    /// At any await, with this probability.
    Chance(f64),
    /// Once.
    Once(CrashPoint),
}

/// One await of one run. Every call of a loop has two: before it takes effect and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPoint {
    /// Which loop.
    pub victim: Loop,
    /// Counting its runs from this minute on.
    pub from_minute: usize,
    /// Which of those runs, from 0.
    pub run: u32,
    /// Which of its awaits, from 0.
    pub point: u32,
}

/// Something another person does to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternalChange {
    /// When.
    pub minute: usize,
    /// To which stream, as they were given to the simulation.
    pub stream: usize,
    /// What.
    pub action: ExternalAction,
}

/// What another person can do to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalAction {
    /// Ask for this many shards.
    Reshard(u32),
    /// Delete it.
    Delete,
    /// Switch it to this mode.
    Switch(CapacityMode),
}

/// How long calls take.
#[derive(Clone, Debug, PartialEq)]
pub struct CallTimes {
    /// Probability that a call takes any time worth counting, so that others come in between.
    pub slow: f64,
    /// Seconds such a call takes, half before its effect and half after.
    pub slow_seconds: RangeInclusive<i64>,
}

impl CallTimes {
    /// No time at all.
    pub const NONE: CallTimes = CallTimes { slow: 0.0, slow_seconds: 0..=0 };
}

/// What chance does to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    /// It changes nothing.
    Fails(Failure),
    /// It takes effect, and nobody hears of it.
    AnswerLost,
}

impl Faults {
    /// What becomes of a call of this operation in this minute.
    pub(crate) fn fate(&self, operation: Operation, minute: usize, dice: &mut Dice) -> Fate {
        let down = |spans: &[Range<usize>]| spans.iter().any(|span| span.contains(&minute));
        let unavailable = (operation.is_ledger() && down(&self.ledger_down))
            || (operation.is_metrics() && down(&self.metrics_down))
            || (operation == Operation::Publish && down(&self.sns_down));
        let calm = minute < self.calm_minutes;
        if unavailable || (!calm && dice.happens(self.failing)) {
            Fate::Fails(Failure::Unavailable)
        } else if !calm && operation.writes() && dice.happens(self.answer_lost) {
            Fate::AnswerLost
        } else {
            Fate::Answered
        }
    }

    /// The end of CloudWatch's outage in this minute.
    pub(crate) fn metrics_back_at(&self, minute: usize) -> Option<usize> {
        self.metrics_down.iter().filter(|span| span.contains(&minute)).map(|span| span.end).max()
    }
}

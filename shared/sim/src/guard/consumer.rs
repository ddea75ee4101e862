//! How a consumer reads a stream, falls behind, fails and catches up, minute by minute.
//!
//! Records of a minute are one parcel in each of two lanes: one shard of eight, and the others. Not
//! here: when CloudWatch tells of it (`world`).

use std::collections::VecDeque;
use std::ops::Range;

use crate::chance::Dice;

/// Share of the records that go through the one shard that a bad record can block.
const ONE_SHARD: f64 = 1.0 / 8.0;

/// How a consumer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Lambda mapping with default settings.
    Lambda,
    /// Enhanced fan-out.
    FanOut,
    /// Firehose to S3.
    Firehose,
    /// A KCL application.
    Kcl,
}

/// How a consumer fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It reads nothing and says nothing: a disabled mapping, no worker.
    Gone,
    /// It reads less than is written.
    Slow,
    /// It fails on a record, and its shard is stuck.
    Poison,
    /// It reads, and its destination takes nothing.
    Undelivered,
    /// After a reshard it reads old shards for a while: no failure at all.
    Drain,
}

/// One minute of a consumer's metrics. `None` where nothing was emitted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Minute {
    pub(crate) written: Option<f64>,
    pub(crate) read: Option<f64>,
    pub(crate) lag_seconds: Option<f64>,
    pub(crate) errors: Option<f64>,
    pub(crate) undelivered_seconds: Option<f64>,
}

/// A consumer at work.
pub(crate) struct Reader {
    pub(crate) kind: Kind,
    /// Records a minute it can read.
    speed: f64,
    failures: Vec<(Failure, Range<usize>)>,
    lanes: [VecDeque<(usize, f64)>; 2],
    undelivered_since: Option<usize>,
}

impl Reader {
    pub(crate) fn new(kind: Kind, speed: f64, failures: Vec<(Failure, Range<usize>)>) -> Reader {
        Reader { kind, speed, failures, lanes: Default::default(), undelivered_since: None }
    }

    fn fails(&self, failure: Failure, minute: usize) -> bool {
        self.failures.iter().any(|(how, when)| *how == failure && when.contains(&minute))
    }

    /// Whether anything keeps it from its work in this minute.
    pub(crate) fn enabled(&self, minute: usize) -> bool {
        !self.fails(Failure::Gone, minute)
    }

    /// Shards behind, of all.
    pub(crate) fn shards_behind(&self) -> (u32, u32) {
        match (&self.lanes[0].is_empty(), &self.lanes[1].is_empty()) {
            (true, true) => (0, 8),
            (false, true) => (1, 8),
            (true, false) => (7, 8),
            (false, false) => (8, 8),
        }
    }

    /// Lets it read for a minute in which `written` records came in.
    #[allow(clippy::cast_precision_loss)] // minutes
    pub(crate) fn minute(&mut self, minute: usize, written: f64, dice: &mut Dice) -> Minute {
        let came = (written > 0.0).then_some(written);
        if written > 0.0 {
            self.lanes[0].push_back((minute, written * ONE_SHARD));
            self.lanes[1].push_back((minute, written * (1.0 - ONE_SHARD)));
        }
        if self.fails(Failure::Gone, minute) {
            return Minute { written: came, ..Minute::default() };
        }
        let poisoned = self.fails(Failure::Poison, minute);
        let speed = match () {
            () if self.fails(Failure::Slow, minute) => written * 0.2,
            () if self.fails(Failure::Drain, minute) => self.speed * 0.05,
            () => self.speed,
        };
        // Both lanes are read at once, each by its share of the shards.
        let mut read = 0.0;
        for (lane, share) in [(0, ONE_SHARD), (1, 1.0 - ONE_SHARD)] {
            if lane == 0 && poisoned {
                continue;
            }
            let mut may = speed * share;
            while let Some((_, records)) = self.lanes[lane].front_mut() {
                if *records > may {
                    *records -= may;
                    read += may;
                    break;
                }
                may -= *records;
                read += *records;
                self.lanes[lane].pop_front();
            }
        }
        let oldest = self.lanes.iter().filter_map(|lane| lane.front()).map(|(at, _)| *at).min();
        let behind = oldest.map_or(0.0, |at| (minute + 1 - at) as f64 * 60.0);
        // A stuck shard is tried again and again; a healthy consumer fails now and then.
        let errors = if poisoned { 12.0 } else { f64::from(u8::from(dice.happens(0.02))) };
        let works = read > 0.0 || poisoned;
        let undelivered = self.fails(Failure::Undelivered, minute);
        self.undelivered_since = undelivered.then(|| self.undelivered_since.unwrap_or(minute));
        let waiting =
            self.undelivered_since.map_or(60.0, |since| (minute + 1 - since) as f64 * 60.0);
        Minute {
            written: came,
            // Lambda is invoked, and fails, on a stuck shard too.
            read: works.then_some(read.max(1.0)),
            lag_seconds: works.then_some(behind),
            errors: works.then_some(errors),
            undelivered_seconds: works.then_some(waiting),
        }
    }

    /// Whether it has read all there is.
    pub(crate) fn caught_up(&self) -> bool {
        self.lanes.iter().all(|lane| lane.len() <= 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(failure: Failure, kind: Kind) -> Vec<Minute> {
        let mut reader = Reader::new(kind, 300.0, vec![(failure, 10..40)]);
        let mut dice = Dice::new(1, "consumer");
        (0..120).map(|minute| reader.minute(minute, 100.0, &mut dice)).collect()
    }

    #[test]
    fn a_consumer_that_is_gone_says_nothing_and_catches_up_when_it_is_back() {
        let minutes = run(Failure::Gone, Kind::Lambda);
        assert!(minutes[10..40].iter().all(|m| m.lag_seconds.is_none() && m.written.is_some()));
        let lag = |minute: usize| minutes[minute].lag_seconds.expect("a lag");
        assert!(lag(9) == 0.0 && lag(40) > 1_500.0 && lag(50) < lag(40) && lag(60) == 0.0);
    }

    #[test]
    fn a_poisoned_shard_holds_the_oldest_record_while_the_others_are_read() {
        let minutes = run(Failure::Poison, Kind::Lambda);
        let at = &minutes[30];
        assert!(at.errors > Some(1.0) && at.lag_seconds == Some(21.0 * 60.0), "{at:?}");
        assert!(at.read.is_some_and(|read| read > 80.0 && read < 100.0), "{at:?}");
        assert_eq!(minutes[60].lag_seconds, Some(0.0));
    }

    #[test]
    fn a_destination_that_takes_nothing_ages_what_was_read() {
        let minutes = run(Failure::Undelivered, Kind::Firehose);
        assert_eq!(minutes[39].undelivered_seconds, Some(1_800.0));
        assert_eq!(minutes[40].undelivered_seconds, Some(60.0));
    }
}

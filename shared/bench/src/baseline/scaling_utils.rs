//! The rule of `awslabs/amazon-kinesis-scaling-utils`, with the numbers of its README: every 300
//! seconds it looks at the last 15 minutes; up by half when 5 of them were above 75 %, down by a
//! quarter when 15 were below 25 %; 15 minutes after growing before it grows again, 60 for
//! shrinking.
//!
//! Kept: minutes need not follow on each other; minutes without traffic count as low, and an empty
//! window twice; bytes or records are chosen by an average that forgets quickly; a quarter is
//! rounded down, so that below four shards nothing shrinks; when UpdateShardCount refuses, it
//! splits or merges shard by shard, half a minute each, which no daily limit stops. It waits for a
//! reshard and then sleeps on. Not kept: at most 16 shards. Only writes are watched.

use super::{Answer, Call, History, Rule, SINGLE_OPERATIONS_PER_MINUTE};
use weir_core::limits::{SHARD_WRITE_BYTES_PER_SECOND, SHARD_WRITE_RECORDS_PER_SECOND};
use weir_core::units::Shards;
use weir_sim::trace::Minute;

const CHECK_MINUTES: usize = 5;
const UP_USE: f64 = 0.75;
const UP_MINUTES: usize = 5;
const UP_FACTOR: f64 = 1.5;
const UP_REST_MINUTES: usize = 15;
const DOWN_USE: f64 = 0.25;
const DOWN_MINUTES: usize = 15;
/// One shard in so many goes.
const DOWN_PART: u32 = 4;
const DOWN_REST_MINUTES: usize = 60;
/// The longer of the two.
const WINDOW_MINUTES: usize = 15;

/// A resize under way.
#[derive(Clone, Copy, Debug)]
struct Resize {
    to: u32,
    one_by_one: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct ScalingUtils {
    next_check: usize,
    resize: Option<Resize>,
    grown: Option<usize>,
    shrunk: Option<usize>,
    growing: bool,
}

/// What a metric says of the window.
struct Votes {
    high: usize,
    low: usize,
    average: f64,
}

impl Votes {
    fn of(uses: &[f64], minutes: usize) -> Votes {
        let missing = WINDOW_MINUTES - minutes;
        let low = if uses.is_empty() {
            DOWN_MINUTES
        } else {
            uses.iter().filter(|used| **used < DOWN_USE).count()
        };
        Votes {
            high: uses.iter().filter(|used| **used > UP_USE).count(),
            low: low + missing,
            average: uses.iter().copied().reduce(|a, b| (a + b) / 2.0).unwrap_or(0.0),
        }
    }
}

fn wanted(accepted: &History, open: Shards) -> Option<bool> {
    let window: Vec<&Minute> =
        accepted.last(WINDOW_MINUTES).iter().filter(|minute| minute.records > 0.0).collect();
    let second = 60.0 * open.capacity().get();
    let used = |of: &dyn Fn(&Minute) -> f64| -> Vec<f64> {
        window.iter().map(|minute| of(minute) / second).collect()
    };
    let bytes = Votes::of(&used(&|m| m.bytes / SHARD_WRITE_BYTES_PER_SECOND), window.len());
    let records = Votes::of(&used(&|m| m.records / SHARD_WRITE_RECORDS_PER_SECOND), window.len());
    let votes = if records.average > bytes.average { records } else { bytes };
    match votes {
        Votes { high, .. } if high >= UP_MINUTES => Some(true),
        Votes { low, .. } if low >= DOWN_MINUTES => Some(false),
        _ => None,
    }
}

impl ScalingUtils {
    fn rests(&self, now: usize, growing: bool) -> bool {
        let (last, rest) = match growing {
            true => (self.grown, UP_REST_MINUTES),
            false => (self.shrunk, DOWN_REST_MINUTES),
        };
        last.is_some_and(|last| now < last + rest)
    }

    /// Goes on with a resize; `None` when it is done or only to be waited for.
    fn go_on(&mut self, resize: Resize, now: usize, open: u32) -> Option<Call> {
        if open == resize.to {
            self.resize = None;
            self.next_check = now + CHECK_MINUTES;
            if self.growing {
                self.grown = Some(now);
            } else {
                self.shrunk = Some(now);
            }
        }
        if open == resize.to || !resize.one_by_one {
            return None;
        }
        let near = |count: u32| {
            count.clamp(
                open.saturating_sub(SINGLE_OPERATIONS_PER_MINUTE),
                open + SINGLE_OPERATIONS_PER_MINUTE,
            )
        };
        Some(Call::SplitOrMerge(near(resize.to)))
    }
}

impl Rule for ScalingUtils {
    fn decide(&mut self, accepted: &History, open: Shards) -> Option<Call> {
        let (now, open_count) = (accepted.now(), open.get());
        if let Some(resize) = self.resize {
            return self.go_on(resize, now, open_count);
        }
        if now < self.next_check {
            return None;
        }
        self.next_check = now + CHECK_MINUTES;
        self.growing = wanted(accepted, open)?;
        if self.rests(now, self.growing) {
            return None;
        }
        // Truncation cannot matter: the value is whole, and small.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let to = match self.growing {
            true => (f64::from(open_count) * UP_FACTOR).ceil() as u32,
            false => open_count - open_count / DOWN_PART,
        };
        (to != open_count).then_some(Call::UpdateShardCount(to))
    }

    fn answered(&mut self, call: Call, answer: Answer) {
        if let Call::UpdateShardCount(to) = call {
            self.resize = Some(Resize { to, one_by_one: answer == Answer::Refused });
        }
    }
}

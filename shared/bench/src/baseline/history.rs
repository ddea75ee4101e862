//! Accepted traffic so far, as a rule may look at it: single minutes, and sums over periods that
//! end now or a while ago. Not here: what a rule makes of it.

use weir_core::units::{BytesPerSecond, RecordsPerSecond, ShardLoad};

use weir_sim::trace::Minute;

/// Accepted traffic, minute by minute, oldest first.
#[derive(Clone, Debug)]
pub struct History {
    minutes: Vec<Minute>,
    /// Sums from the beginning, so that a period costs a subtraction; one more than there are
    /// minutes.
    sums: Vec<Minute>,
}

impl History {
    /// Room for so many minutes.
    pub(super) fn with_capacity(minutes: usize) -> History {
        let mut sums = Vec::with_capacity(minutes + 1);
        sums.push(Minute::default());
        History { minutes: Vec::with_capacity(minutes), sums }
    }

    pub(super) fn push(&mut self, minute: Minute) {
        let sum = self.sums.last().copied().unwrap_or_default();
        self.sums.push(Minute {
            bytes: sum.bytes + minute.bytes,
            records: sum.records + minute.records,
        });
        self.minutes.push(minute);
    }

    /// Minutes there are; also the number of the minute that begins now.
    pub fn now(&self) -> usize {
        self.minutes.len()
    }

    /// The last `count` minutes, or as many as there are.
    pub fn last(&self, count: usize) -> &[Minute] {
        &self.minutes[self.minutes.len().saturating_sub(count)..]
    }

    /// Traffic of the period of `minutes` minutes that ended `back` periods ago; `None` before the
    /// beginning.
    pub fn period(&self, minutes: usize, back: usize) -> Option<Minute> {
        let end = self.minutes.len().checked_sub(back * minutes)?;
        let (from, to) = (self.sums[end.checked_sub(minutes)?], self.sums[end]);
        Some(Minute { bytes: to.bytes - from.bytes, records: to.records - from.records })
    }

    /// Load of that period in shards, mean over its time.
    #[allow(clippy::cast_precision_loss)] // a few minutes
    pub fn load(&self, minutes: usize, back: usize) -> Option<f64> {
        let sum = self.period(minutes, back)?;
        let seconds = 60.0 * minutes as f64;
        let bytes = BytesPerSecond(sum.bytes / seconds);
        Some(ShardLoad::of_rates(bytes, RecordsPerSecond(sum.records / seconds)).get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_end_now_and_slide_with_it() {
        let mut history = History::with_capacity(4);
        for records in [60_000.0, 120_000.0, 0.0, 240_000.0] {
            history.push(Minute { bytes: 0.0, records });
        }
        assert_eq!(history.load(2, 0), Some(2.0));
        assert_eq!(history.load(2, 1), Some(1.5));
        assert_eq!(history.load(2, 2), None);
        assert_eq!(history.last(1)[0].records, 240_000.0);
        assert_eq!(history.last(9).len(), 4);
    }
}

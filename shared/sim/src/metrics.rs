//! A stream's metrics as CloudWatch has published them, ready to be handed out.
//!
//! Both grids, minutes and five minutes, are kept up to date as datapoints come in; reading copies
//! a slice of each. Not here: traffic itself (`traffic`), alarms upon it (`alarms`).

use weir_core::plan::{DAYS_OBSERVED, DAYS_PERIOD_SECONDS, MINUTES_OBSERVED};
use weir_core::series::{Series, TrafficPoint};

use crate::chance::Dice;
use crate::clock::{Seconds, count, index, timestamp};

/// What is published of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Published {
    pub(crate) minutes: Series,
    pub(crate) days: Series,
}

/// How late datapoints are published.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricDelay {
    /// With the end of their minute.
    None,
    /// As lognormal chance has it.
    Around {
        /// Half of them are earlier, seconds.
        median_seconds: f64,
        /// All but one in a hundred are earlier, seconds.
        p99_seconds: f64,
        /// None is later, seconds.
        most_seconds: f64,
        /// Probability that bytes, records and the consumer's position are each late by themselves.
        apart: f64,
    },
}

/// Datapoints of one minute that are published together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Publication {
    pub(crate) delay_seconds: i64,
    pub(crate) point: TrafficPoint,
}

impl MetricDelay {
    /// When which datapoints of a minute are published.
    pub(crate) fn publications(&self, point: TrafficPoint, dice: &mut Dice) -> Vec<Publication> {
        let MetricDelay::Around { apart, .. } = self else {
            return vec![Publication { delay_seconds: 0, point }];
        };
        let none = TrafficPoint::default();
        let parts = if dice.happens(*apart) {
            vec![
                TrafficPoint { accepted_bytes: point.accepted_bytes, ..none },
                TrafficPoint { accepted_bytes: None, iterator_age_millis: None, ..point },
                TrafficPoint { iterator_age_millis: point.iterator_age_millis, ..none },
            ]
        } else {
            vec![point]
        };
        parts
            .into_iter()
            .filter(|point| !point.is_empty())
            .map(|point| Publication { delay_seconds: self.seconds(dice), point })
            .collect()
    }

    /// How late one datapoint is.
    pub(crate) fn seconds(&self, dice: &mut Dice) -> i64 {
        match self {
            MetricDelay::None => 0,
            MetricDelay::Around { median_seconds, p99_seconds, most_seconds, .. } => {
                dice.around(*median_seconds, *p99_seconds, *most_seconds)
            }
        }
    }
}

/// When the datapoints of a minute were published; `None` for those that were not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct PublishedAt {
    pub(crate) bytes: Option<Seconds>,
    pub(crate) records: Option<Seconds>,
    pub(crate) iterator_age: Option<Seconds>,
}

/// What is published of one stream.
pub(crate) struct Metrics {
    start: Seconds,
    minutes: Vec<TrafficPoint>,
    published_at: Vec<PublishedAt>,
    publications: u64,
    /// Begins with the five minutes, by the wall clock, in which `start` lies.
    fives: Vec<TrafficPoint>,
}

impl Metrics {
    pub(crate) fn new(start: Seconds, minutes: usize) -> Metrics {
        let room = minutes + 1;
        Metrics {
            start,
            publications: 0,
            minutes: Vec::with_capacity(room),
            published_at: Vec::with_capacity(room),
            fives: Vec::with_capacity(room / 5 + 2),
        }
    }

    fn fives_start(&self) -> Seconds {
        let period = i64::from(DAYS_PERIOD_SECONDS);
        self.start.div_euclid(period) * period
    }

    /// Publishes datapoints of a minute.
    pub(crate) fn publish(&mut self, minute: usize, point: TrafficPoint, now: Seconds) {
        self.publications += 1;
        if self.minutes.len() <= minute {
            self.minutes.resize(minute + 1, TrafficPoint::default());
            self.published_at.resize(minute + 1, PublishedAt::default());
        }
        if let Some(at) = self.published_at.get_mut(minute) {
            at.bytes = at.bytes.or(point.accepted_bytes.map(|_| now));
            at.records = at.records.or(point.accepted_records.map(|_| now));
            at.iterator_age = at.iterator_age.or(point.iterator_age_millis.map(|_| now));
        }
        if let Some(known) = self.minutes.get_mut(minute) {
            add(known, &point);
        }
        let since = self.start + 60 * count(minute) - self.fives_start();
        let five = index(since / i64::from(DAYS_PERIOD_SECONDS));
        if self.fives.len() <= five {
            self.fives.resize(five + 1, TrafficPoint::default());
        }
        if let Some(known) = self.fives.get_mut(five) {
            add(known, &TrafficPoint { iterator_age_millis: None, ..point }); // nobody asks for it
        }
    }

    /// How often something was published: as long as this stays, [`Metrics::traffic`] of a time
    /// stays.
    pub(crate) fn publications(&self) -> u64 {
        self.publications
    }

    /// What is published of a minute.
    pub(crate) fn minute(&self, minute: usize) -> TrafficPoint {
        self.minutes.get(minute).copied().unwrap_or_default()
    }

    /// When it was published.
    pub(crate) fn published_at(&self, minute: usize) -> PublishedAt {
        self.published_at.get(minute).copied().unwrap_or_default()
    }

    /// What GetMetricData tells at `now`: whole minutes and whole five minutes only.
    pub(crate) fn traffic(&self, now: Seconds) -> Published {
        let observed = |period| DAYS_OBSERVED * 86_400 / period;
        Published {
            minutes: window(&self.minutes, self.start, 60, MINUTES_OBSERVED, now),
            days: window(
                &self.fives,
                self.fives_start(),
                DAYS_PERIOD_SECONDS,
                observed(DAYS_PERIOD_SECONDS),
                now,
            ),
        }
    }
}

/// The last `length` whole periods before `now`. Those before the first, and those not yet
/// published, are there and empty.
fn window(
    points: &[TrafficPoint],
    start: Seconds,
    period_seconds: u32,
    length: u32,
    now: Seconds,
) -> Series {
    let period = i64::from(period_seconds);
    let end = (now - start).div_euclid(period);
    let first = end - i64::from(length);
    let length = index(end - first);
    let mut window = Vec::with_capacity(length);
    window.resize(index(-first).min(length), TrafficPoint::default());
    window.extend_from_slice(
        points.get(index(first)..index(end).min(points.len())).unwrap_or_default(),
    );
    window.resize(length, TrafficPoint::default());
    Series { start: timestamp(start + period * first), period_seconds, points: window }
}

/// Adds sums, and keeps the larger position.
fn add(known: &mut TrafficPoint, more: &TrafficPoint) {
    let sum = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    };
    known.accepted_bytes = sum(known.accepted_bytes, more.accepted_bytes);
    known.accepted_records = sum(known.accepted_records, more.accepted_records);
    known.throttled_records = sum(known.throttled_records, more.throttled_records);
    known.iterator_age_millis = match (known.iterator_age_millis, more.iterator_age_millis) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Seconds = 1_800_000_120; // two minutes past a whole five minutes

    fn bytes(bytes: f64) -> TrafficPoint {
        TrafficPoint { accepted_bytes: Some(bytes), ..TrafficPoint::default() }
    }

    /// When the first point that is not empty starts, and the values from there on.
    fn read(series: &Series) -> (i64, Vec<Option<f64>>) {
        let first = series.points.iter().position(|p| !p.is_empty()).expect("some data");
        let values = series.points[first..].iter().map(|p| p.accepted_bytes).collect();
        (series.start_of(first).as_second() - START, values)
    }

    #[test]
    fn minutes_and_five_minutes_hold_what_was_published_by_now() {
        let mut metrics = Metrics::new(START, 10);
        for (minute, value) in [(0, 1.0), (1, 2.0), (4, 16.0), (3, 8.0)] {
            metrics.publish(minute, bytes(value), START + 300);
        }
        let traffic = metrics.traffic(START + 330);
        let expected = vec![Some(1.0), Some(2.0), None, Some(8.0), Some(16.0)];
        assert_eq!(read(&traffic.minutes), (0, expected));
        assert_eq!(read(&traffic.days), (-120, vec![Some(3.0)])); // the second is not yet whole
        metrics.publish(2, bytes(4.0), START + 400);
        let traffic = metrics.traffic(START + 480);
        assert_eq!(read(&traffic.days), (-120, vec![Some(7.0), Some(24.0)]));
        assert_eq!(metrics.published_at(2).bytes, Some(START + 400));
    }

    #[test]
    fn windows_are_as_long_as_a_plan_asks_and_no_longer() {
        let mut metrics = Metrics::new(START, 30_000);
        for minute in 0..30_000 {
            metrics.publish(minute, bytes(1.0), START);
        }
        let traffic = metrics.traffic(START + 30_000 * 60);
        assert_eq!(traffic.minutes.points.len(), 240);
        assert_eq!(traffic.days.points.len(), 15 * 288);
        let young = metrics.traffic(START + 600);
        assert_eq!((young.minutes.points.len(), young.days.points.len()), (240, 15 * 288));
        assert_eq!(traffic.minutes.end(), timestamp(START + 30_000 * 60));
        assert!(traffic.days.points.iter().all(|p| p.accepted_bytes == Some(5.0)));
    }
}

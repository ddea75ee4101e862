//! Schedules: events an operator knows of, and what each needs: so many shards, or the mode
//! on-demand.
//!
//! A schedule says when, in the words people use for it: days and local times, or two instants.
//! Here: the types, and when an event takes place. Not here: reading TOML (`policy::parse`), or
//! beginning early enough (`plan::timetable`).

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::units::Shards;

/// A known event, once or again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// What people call it.
    pub name: String,
    /// When it takes place.
    pub when: When,
    /// What it needs while it does.
    pub need: Need,
}

/// What an event needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// So many shards at least.
    Shards(Shards),
    /// The capacity mode on-demand: for crowds of a size nobody knows.
    OnDemand,
}

/// When an event takes place.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// On these days of each week, from one local time until another: the next day's, where `until`
    /// is not later than `from`.
    Weekly {
        /// The days on which it begins.
        days: Vec<Weekday>,
        /// When it begins.
        from: Time,
        /// When it is over.
        until: Time,
        /// Whose times these are, daylight saving included.
        zone: TimeZone,
    },
    /// Once.
    Once(Span),
}

/// From one instant until another: never empty, because it is made only with `from < until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    from: Timestamp,
    until: Timestamp,
}

impl Span {
    /// `None` when it would end before it begins.
    pub fn new(from: Timestamp, until: Timestamp) -> Option<Span> {
        (from < until).then_some(Span { from, until })
    }
}

/// One time that an event takes place, in the time zone of those who know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// When it begins.
    pub starts: Zoned,
    /// When it is over.
    pub ends: Zoned,
}

impl Schedule {
    /// When the event takes place between `now` and `until`, or is under way then; in order.
    pub fn occurrences(&self, now: Timestamp, until: Timestamp) -> Vec<Occurrence> {
        let mut all = match &self.when {
            When::Once(span) => {
                let zoned = |at: Timestamp| at.to_zoned(TimeZone::UTC);
                vec![Occurrence { starts: zoned(span.from), ends: zoned(span.until) }]
            }
            When::Weekly { days, from, until: over, zone } => {
                let date = |at: Timestamp| at.to_zoned(zone.clone()).date();
                // Daylight saving may move the beginning of a day's event to before midnight.
                let last = date(until).tomorrow().unwrap_or(Date::MAX);
                // What began yesterday may still be under way.
                let first = date(now).yesterday().unwrap_or(Date::MIN);
                first
                    .series(jiff::Span::new().days(1))
                    .take_while(|day| *day <= last)
                    .filter(|day| days.contains(&day.weekday()))
                    .filter_map(|day| on(day, *from, *over, zone))
                    .collect()
            }
        };
        all.retain(|one| one.ends.timestamp() > now && one.starts.timestamp() < until);
        all
    }
}

/// The event of a day. Where daylight saving makes a local time mean two instants or none, the
/// event begins at the earlier reading and is over at the later one: it is never cut short.
fn on(day: Date, from: Time, until: Time, zone: &TimeZone) -> Option<Occurrence> {
    let last = if until > from { day } else { day.tomorrow().ok()? };
    let starts = zone.to_ambiguous_zoned(day.to_datetime(from)).earlier().ok()?;
    let ends = zone.to_ambiguous_zoned(last.to_datetime(until)).later().ok()?;
    (starts < ends).then_some(Occurrence { starts, ends })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_SECONDS: i64 = 86_400;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    fn weekly(days: &[Weekday], from: &str, until: &str, zone: &str) -> Schedule {
        let time = |text: &str| text.parse().expect("a time");
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).expect("a zone");
        Schedule {
            name: "market open".to_owned(),
            when: When::Weekly { days: days.to_vec(), from: time(from), until: time(until), zone },
            need: Need::Shards(Shards::at_least_one(40)),
        }
    }

    fn check(schedule: &Schedule, now: &str, days: i64, expected: &[(&str, &str)]) {
        let until = Timestamp::from_second(at(now).as_second() + days * DAY_SECONDS);
        let found: Vec<(String, String)> = schedule
            .occurrences(at(now), until.expect("a timestamp"))
            .iter()
            .map(|o| (o.starts.timestamp().to_string(), o.ends.timestamp().to_string()))
            .collect();
        let expected: Vec<(String, String)> =
            expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_weekly_event_follows_daylight_saving() {
        let days = [Weekday::Friday, Weekday::Monday];
        let market = weekly(&days, "07:45", "10:00", "Europe/Berlin");
        // Clocks go back on Sunday 2026-10-25.
        check(
            &market,
            "2026-10-23T00:00:00Z",
            4,
            &[
                ("2026-10-23T05:45:00Z", "2026-10-23T08:00:00Z"),
                ("2026-10-26T06:45:00Z", "2026-10-26T09:00:00Z"),
            ],
        );
    }

    #[test]
    fn an_event_over_midnight_belongs_to_the_day_it_begins_on() {
        let night = weekly(&[Weekday::Friday], "22:00", "02:00", "UTC");
        let friday = ("2026-11-20T22:00:00Z", "2026-11-21T02:00:00Z");
        check(&night, "2026-11-21T01:59:00Z", 1, &[friday]);
        check(&night, "2026-11-21T02:00:00Z", 1, &[]);
        check(&night, "2026-11-19T22:01:00Z", 1, &[friday]);
    }

    /// In Berlin, 02:00 to 03:00 is left out on 2027-03-28 and comes twice on 2026-10-25.
    #[test]
    fn daylight_saving_never_cuts_an_event_short() {
        let cases = [
            ("02:30", "04:00", "2027-03-28T00:30:00Z", "2027-03-28T02:00:00Z"),
            ("02:15", "03:05", "2027-03-28T00:15:00Z", "2027-03-28T01:05:00Z"),
            ("01:00", "02:30", "2027-03-28T00:00:00Z", "2027-03-28T01:30:00Z"),
            ("02:15", "02:45", "2027-03-28T00:15:00Z", "2027-03-28T01:45:00Z"),
            ("01:00", "02:30", "2026-10-24T23:00:00Z", "2026-10-25T01:30:00Z"),
            ("02:30", "04:00", "2026-10-25T00:30:00Z", "2026-10-25T03:00:00Z"),
            ("02:15", "02:45", "2026-10-25T00:15:00Z", "2026-10-25T01:45:00Z"),
        ];
        for (from, until, starts, ends) in cases {
            let event = weekly(&[Weekday::Sunday], from, until, "Europe/Berlin");
            check(&event, starts, 1, &[(starts, ends)]);
        }
    }

    /// In Cairo, 00:00 to 01:00 is left out on 2026-04-24: the event begins before that midnight.
    #[test]
    fn an_event_that_begins_before_its_day_is_seen_the_evening_before() {
        let early = weekly(&[Weekday::Friday], "00:30", "02:00", "Africa/Cairo");
        let found = early.occurrences(at("2026-04-23T21:00:00Z"), at("2026-04-23T21:45:00Z"));
        let starts: Vec<Timestamp> = found.iter().map(|one| one.starts.timestamp()).collect();
        assert_eq!(starts, [at("2026-04-23T21:30:00Z")]);
    }

    #[test]
    fn a_single_event_is_over_when_it_is_over() {
        let span = Span::new(at("2026-11-27T00:00:00Z"), at("2026-11-28T06:00:00Z"));
        let sale = Schedule {
            name: "sale".to_owned(),
            when: When::Once(span.expect("a span")),
            need: Need::Shards(Shards::ONE),
        };
        let once = ("2026-11-27T00:00:00Z", "2026-11-28T06:00:00Z");
        check(&sale, "2026-11-26T00:00:01Z", 1, &[once]);
        check(&sale, "2026-11-28T05:59:59Z", 1, &[once]);
        check(&sale, "2026-11-28T06:00:00Z", 1, &[]);
        check(&sale, "2026-11-25T00:00:00Z", 2, &[]);
    }
}

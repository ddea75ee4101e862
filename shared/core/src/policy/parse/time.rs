//! Reads when a scheduled event takes place.
//!
//! A time is `"07:45"` in a time zone, or an RFC 3339 instant; both ends of an event are of the
//! same kind. Zones come from the database that is compiled in, never from the machine: the same
//! file means the same everywhere.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use toml_span::de_helpers::TableHelper;

use super::{Parser, fix};
use crate::policy::keys::{SCHEDULE, WEEK};
use crate::policy::schedule::{Span, When};

/// A time as it may be written.
enum Moment {
    Local(Time),
    Exact(Timestamp),
}

impl Parser<'_> {
    /// When the event of a schedule takes place.
    pub(super) fn when(
        &mut self,
        table: &mut TableHelper<'_>,
        place: &Range<usize>,
    ) -> Option<When> {
        let from = self.moment(table, "from", place);
        let until_span = table.table.get("until").map_or(0..0, |value| value.span.into());
        let until = self.moment(table, "until", place);
        let weekly = ["days", "time_zone"]
            .map(|key| table.table.get(key).map(|value| (key, Range::<usize>::from(value.span))));
        let days = self.days(table);
        let zone = self.zone(table);
        match (from?, until?) {
            (Moment::Local(from), Moment::Local(until)) => {
                if weekly[1].is_none() {
                    let fix = fix(&SCHEDULE, "time_zone");
                    self.fault(place.clone(), "local times need a time_zone", fix);
                }
                Some(When::Weekly { days: days?, from, until, zone: zone? })
            }
            (Moment::Exact(from), Moment::Exact(until)) => {
                for (key, span) in weekly.into_iter().flatten() {
                    let message = format!("{key} means nothing beside an instant");
                    self.fault(span, message, format!("leave {key} out, or write local times"));
                }
                let span = Span::new(from, until);
                if span.is_none() {
                    let message = "the event ends before it begins";
                    self.fault(until_span, message, "write an until that is later than from");
                }
                span.map(When::Once)
            }
            _ => {
                let message = "from and until are not of the same kind";
                self.fault(until_span, message, "write two local times, or two instants");
                None
            }
        }
    }

    fn moment(
        &mut self,
        table: &mut TableHelper<'_>,
        key: &'static str,
        place: &Range<usize>,
    ) -> Option<Moment> {
        let value = self.of_schedule(table, key, place)?;
        // A date or seconds would be read as a time too, and passed over: the form is checked
        // first.
        let local = |text: &str| {
            let clock = text.len() == 5 && text.as_bytes()[2] == b':';
            clock.then(|| text.parse().ok().map(Moment::Local)).flatten()
        };
        let instant = |text: &str| text.parse().ok().map(Moment::Exact);
        let moment = value.as_str().and_then(|text| local(text).or_else(|| instant(text)));
        self.or_cannot_be(key, &value, moment)
    }

    /// The days of the week; all of them where none are named. `None` after a fault.
    fn days(&mut self, table: &mut TableHelper<'_>) -> Option<Vec<Weekday>> {
        let Some((_, value)) = table.take("days") else {
            return Some(WEEK.map(|(_, day)| day).to_vec());
        };
        let items = value.as_array().filter(|items| !items.is_empty());
        let items = self.or_cannot_be("days", &value, items)?;
        let mut days = Vec::new();
        for item in items {
            match WEEK.iter().find(|(name, _)| item.as_str() == Some(*name)) {
                Some((_, day)) => days.push(*day),
                None => {
                    let message = format!("{} is not a day", self.shown(item));
                    self.fault(item.span.into(), message, fix(&SCHEDULE, "days"));
                }
            }
        }
        (days.len() == items.len()).then_some(days)
    }

    fn zone(&mut self, table: &mut TableHelper<'_>) -> Option<TimeZone> {
        let (_, value) = table.take("time_zone")?;
        let zone = value.as_str().and_then(|name| TimeZoneDatabase::bundled().get(name).ok());
        self.or_cannot_be("time_zone", &value, zone)
    }
}

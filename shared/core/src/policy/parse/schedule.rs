//! Reads `[[streams.schedule]]`: the events an operator knows of.
//!
//! A time is `"07:45"` in a time zone, or an RFC 3339 instant; both ends of an event are of the same kind.
//! Zones come from the database that is compiled in, never from the machine: the same file means the same
//! everywhere.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use toml_span::de_helpers::TableHelper;
use toml_span::value::{Value, ValueInner};

use super::Reader;
use crate::limits;
use crate::policy::schedule::{Need, Schedule, Span, When};
use crate::policy::{Bounds, ModeSwitches, Policy};
use crate::units::Shards;

/// The place as faults name it.
pub(super) const PLACE: &str = "[[streams.schedule]]";

const WEEK: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

const TIME_FIX: &str = "write a local time as \"07:45\", or an instant as \"2026-11-27T00:00:00Z\"";

/// A time as it may be written.
enum Moment {
    Local(Time),
    Exact(Timestamp),
}

impl Reader<'_> {
    /// The schedules of an entry, which else says this.
    pub(super) fn schedules(
        &mut self,
        table: &mut TableHelper<'_>,
        policy: &Policy,
    ) -> Vec<Schedule> {
        let Some((_, mut value)) = table.take("schedule") else { return Vec::new() };
        let span = value.span.into();
        let ValueInner::Array(items) = value.take() else {
            let fix = "write [[streams.schedule]] with two brackets";
            self.fault(span, "schedule is not a list of tables", fix);
            return Vec::new();
        };
        items.into_iter().filter_map(|mut item| self.schedule(&mut item, policy)).collect()
    }

    fn schedule(&mut self, item: &mut Value<'_>, policy: &Policy) -> Option<Schedule> {
        let place: Range<usize> = item.span.into();
        let mut table = self.table(item, "a schedule")?;
        let name = self.name(&mut table, &place);
        let need = self.need(&mut table, &place, policy);
        let when = self.when(&mut table, &place);
        self.refuse_unknown(table, PLACE);
        Some(Schedule { name: name?, when: when?, need: need? })
    }

    fn name(&mut self, table: &mut TableHelper<'_>, place: &Range<usize>) -> Option<String> {
        let value = self.required(table, "name", place, "write name = \"what people call it\"")?;
        let name = value.as_str().filter(|name| !name.trim().is_empty());
        if name.is_none() {
            let message = format!("name cannot be {}", self.shown(&value));
            self.fault(value.span.into(), message, "write name = \"what people call it\"");
        }
        name.map(str::to_owned)
    }

    fn need(
        &mut self,
        table: &mut TableHelper<'_>,
        place: &Range<usize>,
        policy: &Policy,
    ) -> Option<Need> {
        let place_of = |key| table.table.get(key).map(|value| Range::<usize>::from(value.span));
        match (place_of("min_shards"), place_of("capacity_mode")) {
            (Some(span), None) => self.min_shards(table, span, policy.bounds).map(Need::Shards),
            (None, Some(span)) => {
                let need = self.choice(table, "capacity_mode", &[("on_demand", Need::OnDemand)])?;
                if policy.mode_switches == ModeSwitches::Never {
                    let message = "capacity_mode asks for a switch, and the stream allows none";
                    self.fault(span, message, "write mode_switches = \"automatic\" for the stream");
                    return None;
                }
                Some(need)
            }
            (Some(_), Some(span)) => {
                // Both are read, so that neither is told as unknown.
                let _ = (table.take("min_shards"), table.take("capacity_mode"));
                let message = "on demand AWS sets the shards: min_shards means nothing beside it";
                self.fault(span, message, "leave one of the two out");
                None
            }
            (None, None) => {
                let fix =
                    "write min_shards = 40, the fewest it needs, or capacity_mode = \"on_demand\"";
                self.fault(place.clone(), "this schedule does not say what it needs", fix);
                None
            }
        }
    }

    fn min_shards(
        &mut self,
        table: &mut TableHelper<'_>,
        span: Range<usize>,
        bounds: Bounds,
    ) -> Option<Shards> {
        let range = 1..=limits::SHARDS_PER_STREAM_MAX;
        let min = self.integer(table, "min_shards", range).map(Shards::at_least_one)?;
        if min > bounds.max() {
            let message =
                format!("min_shards {min} is above the stream's max_shards {}", bounds.max());
            self.fault(span, message, "raise max_shards of the stream or lower min_shards");
            return None;
        }
        Some(min)
    }

    fn when(&mut self, table: &mut TableHelper<'_>, place: &Range<usize>) -> Option<When> {
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
                    let fix = "write time_zone = \"Europe/Berlin\", \"UTC\" or another IANA name";
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
        let value = self.required(table, key, place, TIME_FIX)?;
        // A date or seconds would be read as a time too, and passed over: the form is checked first.
        let local = |text: &str| {
            let clock = text.len() == 5 && text.as_bytes()[2] == b':';
            clock.then(|| text.parse().ok().map(Moment::Local)).flatten()
        };
        let instant = |text: &str| text.parse().ok().map(Moment::Exact);
        let moment = value.as_str().and_then(|text| local(text).or_else(|| instant(text)));
        if moment.is_none() {
            let message = format!("{key} cannot be {}", self.shown(&value));
            self.fault(value.span.into(), message, TIME_FIX);
        }
        moment
    }

    /// The days of the week; all of them where none are named. `None` after a fault.
    fn days(&mut self, table: &mut TableHelper<'_>) -> Option<Vec<Weekday>> {
        let Some((_, mut value)) = table.take("days") else {
            return Some(WEEK.map(|(_, day)| day).to_vec());
        };
        let span = value.span.into();
        let fix = "write days = [\"mon\", \"tue\"] with any of mon, tue, wed, thu, fri, sat, sun";
        let shown = self.shown(&value);
        let items = match value.take() {
            ValueInner::Array(items) if !items.is_empty() => items,
            _ => {
                self.fault(span, format!("days cannot be {shown}"), fix);
                return None;
            }
        };
        let mut days = Some(Vec::new());
        for item in items {
            let day = WEEK.iter().find(|(name, _)| item.as_str() == Some(*name));
            match (day, &mut days) {
                (Some((_, day)), Some(days)) => days.push(*day),
                (Some(_), None) => {}
                (None, _) => {
                    let message = format!("{} is not a day", self.shown(&item));
                    self.fault(item.span.into(), message, fix);
                    days = None;
                }
            }
        }
        days
    }

    fn zone(&mut self, table: &mut TableHelper<'_>) -> Option<TimeZone> {
        let (_, value) = table.take("time_zone")?;
        let zone = value.as_str().and_then(|name| TimeZoneDatabase::bundled().get(name).ok());
        if zone.is_none() {
            let message = format!("time_zone cannot be {}", self.shown(&value));
            let fix = "write an IANA name, e.g. \"Europe/Berlin\", \"America/New_York\" or \"UTC\"";
            self.fault(value.span.into(), message, fix);
        }
        zone
    }

    fn required<'de>(
        &mut self,
        table: &mut TableHelper<'de>,
        key: &'static str,
        place: &Range<usize>,
        fix: &str,
    ) -> Option<Value<'de>> {
        let found = table.take(key);
        if found.is_none() {
            self.missing(key, place, fix);
        }
        found.map(|(_, value)| value)
    }

    fn missing(&mut self, key: &str, place: &Range<usize>, fix: &str) {
        self.fault(place.clone(), format!("this schedule has no {key}"), fix);
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::schedule::{Need, Schedule};
    use crate::policy::{Governance, Policy, parse};
    use crate::units::StreamName;

    fn file(schedules: &str) -> String {
        format!("version = 1\n[[streams]]\nmatch = \"orders\"\nmax_shards = 100\n{schedules}")
    }

    fn policy(schedules: &str) -> Policy {
        let (set, faults) = parse("orders.toml", &file(schedules));
        assert_eq!(faults, []);
        let orders = StreamName::new("orders").expect("a name");
        let Governance::By(policy) = set.governing(&orders) else { panic!("not governed") };
        policy.clone()
    }

    #[test]
    fn both_kinds_of_event_are_read() {
        let policy = policy(
            "[[streams.schedule]]\nname = \"market open\"\ndays = [\"mon\", \"fri\"]\nfrom = \"07:45\"\n\
             until = \"10:00\"\ntime_zone = \"Europe/Berlin\"\nmin_shards = 40\n\
             [[streams.schedule]]\nname = \"sale\"\nfrom = \"2026-11-27T00:00:00Z\"\n\
             until = \"2026-11-28T07:00:00+01:00\"\nmin_shards = 100\n",
        );
        let now = "2026-11-27T05:00:00Z".parse().expect("a timestamp");
        let until = "2026-11-28T05:00:00Z".parse().expect("a timestamp");
        let found: Vec<String> = policy
            .schedules
            .iter()
            .flat_map(|schedule| {
                schedule.occurrences(now, until).into_iter().map(move |one| {
                    let Schedule { name, need, when: _ } = schedule;
                    format!("{name}: {need:?}, {} to {}", one.starts, one.ends)
                })
            })
            .collect();
        insta::assert_snapshot!(found.join("\n"));
    }

    #[test]
    fn no_days_are_all_days() {
        let policy = policy(
            "[[streams.schedule]]\nname = \"import\"\nfrom = \"22:00\"\nuntil = \"02:00\"\n\
             time_zone = \"UTC\"\nmin_shards = 8\n",
        );
        let [now, until] = ["2026-11-23T12:00:00Z", "2026-11-30T12:00:00Z"]
            .map(|text| text.parse().expect("a timestamp"));
        assert_eq!(policy.schedules[0].occurrences(now, until).len(), 7);
    }

    #[test]
    fn all_faults_of_a_schedule_are_told_at_once() {
        let (_, faults) = parse(
            "orders.toml",
            &file(
                "[[streams.schedule]]\nname = \"\"\ndays = [\"mon\", \"friday\"]\nfrom = \"7:45\"\n\
                 until = \"10:00\"\ntime_zone = \"Berlin\"\nmin_shards = 400\nmin = 1\n\
                 [[streams.schedule]]\nfrom = \"07:45\"\nuntil = \"10:00\"\ndays = []\n\
                 [[streams.schedule]]\nname = \"sale\"\nfrom = \"2026-11-27T00:00:00Z\"\n\
                 until = \"2026-11-26T00:00:00Z\"\ntime_zone = \"UTC\"\nmin_shards = 9\n\
                 [[streams.schedule]]\nname = \"sale\"\nfrom = \"2026-11-27T00:00:00Z\"\n\
                 until = \"10:00\"\nmin_shards = 9\n",
            ),
        );
        let faults: String = faults.iter().map(|fault| format!("{fault}\n")).collect();
        insta::assert_snapshot!(faults);
    }

    #[test]
    fn an_event_may_need_the_mode_on_demand_where_switches_are_allowed() {
        let sale = "[[streams.schedule]]\nname = \"sale\"\nfrom = \"2026-11-27T00:00:00Z\"\n\
                    until = \"2026-11-28T00:00:00Z\"\ncapacity_mode = \"on_demand\"\n";
        let policy = policy(&format!("mode_switches = \"automatic\"\n{sale}"));
        assert_eq!(policy.schedules[0].need, Need::OnDemand);
        let both = sale.to_owned() + "min_shards = 9\n";
        let other = sale.replace("on_demand", "provisioned");
        let faults = [sale, both.as_str(), other.as_str()].map(|text| {
            let (_, faults) = parse("orders.toml", &file(text));
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        });
        insta::assert_snapshot!(faults.join("\n"));
    }

    #[test]
    fn schedule_is_a_list_of_tables() {
        let (_, faults) = parse("orders.toml", &file("schedule = \"07:45\"\n"));
        let faults: String = faults.iter().map(|fault| format!("{fault}\n")).collect();
        insta::assert_snapshot!(faults);
    }
}

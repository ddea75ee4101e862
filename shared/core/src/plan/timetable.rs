//! The known events ahead, and the size each asks for at any time before it: an event's shards must
//! be in force when it begins, and one call at most doubles them, so a stream that is small begins
//! early.
//!
//! A ladder leads up to each event: its size, half of it, half of that, each in force as long
//! before the next as a reshard and the look after it take. An event that needs the mode on-demand
//! has no ladder, but a time to switch. Not here: what an event is (`policy::schedule`), or what
//! else forbids a size (`clamps`).

use std::fmt;

use jiff::{SignedDuration, Timestamp, Zoned};

use crate::action::ActionRecord;
use crate::budget::Budget;
use crate::limits;
use crate::policy::schedule::{Need, Occurrence, Schedule};
use crate::reshard;
use crate::units::Shards;

/// How far ahead events are seen: as far as demand is.
const AHEAD_HOURS: i64 = 24;
/// Least minutes between two calls of a ladder: one step of the way that is planned.
const RESHARD_MINUTES_MIN: i64 = 5;
/// Minutes until a reshard that is done has been seen, and the next is called: a tick and the hop
/// after it.
const LOOK_MINUTES: i64 = 2;

/// An event as a plan sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What people call it.
    pub name: String,
    /// What it needs while it takes place.
    pub need: Need,
    /// When it begins, in the time zone of the policy.
    pub starts: Zoned,
    /// When it is over.
    pub ends: Zoned,
    /// From its size down: a size, and from when on it must be in force. The last is one shard.
    /// None on demand.
    ladder: Vec<Rung>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Rung {
    size: Shards,
    in_force_from: Timestamp,
}

/// The events of the day ahead, those under way included.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Timetable {
    pub(super) events: Vec<Event>,
}

impl Timetable {
    pub(super) fn of(schedules: &[Schedule], open: Shards, now: Timestamp) -> Timetable {
        let until = later(now, SignedDuration::from_hours(AHEAD_HOURS));
        let event = |schedule: &Schedule, occurrence| Event::of(schedule, occurrence, open);
        let mut events: Vec<Event> = schedules
            .iter()
            .flat_map(|schedule| {
                let occurrences = schedule.occurrences(now, until).into_iter();
                occurrences.map(move |occurrence| event(schedule, occurrence))
            })
            .collect();
        events.sort_by(|a, b| a.starts.cmp(&b.starts));
        Timetable { events }
    }

    /// Fewest shards that must be in force at some time between two instants; one, where no event
    /// asks.
    pub(super) fn floor(&self, from: Timestamp, until: Timestamp) -> Shards {
        let floors = self.events.iter().map(|event| event.floor(from, until));
        floors.max().unwrap_or(Shards::ONE)
    }

    /// The size to call for now, at least, if all are to be in force in time.
    pub(super) fn due(&self, now: Timestamp) -> Shards {
        self.events.iter().map(|event| event.due(now)).max().unwrap_or(Shards::ONE)
    }

    /// All sizes that a way up to an event leads over.
    pub(super) fn sizes(&self) -> impl Iterator<Item = Shards> {
        self.events.iter().flat_map(|event| event.ladder.iter().map(|rung| rung.size))
    }

    /// Calls it takes from `open` shards to the largest event.
    pub(super) fn calls_needed(&self, open: Shards) -> u32 {
        let needed = self.events.iter().map(|event| event.calls(open).count()).max();
        u32::try_from(needed.unwrap_or(0)).unwrap_or(u32::MAX)
    }

    /// Whether an event needs the mode on-demand, now or so soon that it must be called for.
    pub(super) fn needs_on_demand(&self, now: Timestamp) -> bool {
        let due = |event: &Event| event.switch_at().is_some_and(|at| at <= now);
        self.events.iter().any(|event| due(event) && now < event.ends.timestamp())
    }

    /// Whether an event of the day ahead does.
    pub(super) fn will_need_on_demand(&self) -> bool {
        self.events.iter().any(|event| event.need == Need::OnDemand)
    }

    /// When, after `now`, more than `open` shards must be called for, or the mode on-demand.
    pub(super) fn next_call(&self, open: Shards, now: Timestamp) -> Option<Timestamp> {
        let calls = self.events.iter().flat_map(|event| event.calls(open).chain(event.switch_at()));
        calls.filter(|at| *at > now).min()
    }

    /// Whether a call now that leads to `size` would leave too few for some event.
    pub(super) fn short_of_calls(
        &self,
        size: Shards,
        actions: &[ActionRecord],
        now: Timestamp,
    ) -> bool {
        self.events.iter().any(|event| {
            let mut calls: Vec<Timestamp> = event.calls(size).map(|at| at.max(now)).collect();
            calls.sort_unstable();
            // The call at hand stays in the window for a day, as do those of the ladder before this
            // one.
            calls
                .iter()
                .zip(2u32..)
                .any(|(at, used)| Budget::at(*at, actions).reshards_left() < used)
        })
    }
}

impl Event {
    fn of(schedule: &Schedule, occurrence: Occurrence, open: Shards) -> Event {
        let Occurrence { starts, ends } = occurrence;
        let ladder = match schedule.need {
            Need::Shards(size) => ladder(size, starts.timestamp(), open),
            Need::OnDemand => Vec::new(),
        };
        Event { name: schedule.name.clone(), need: schedule.need, starts, ends, ladder }
    }

    /// When it must be called for on demand, where it needs that.
    fn switch_at(&self) -> Option<Timestamp> {
        let before = SignedDuration::from_mins(limits::MODE_SWITCH_MINUTES);
        (self.need == Need::OnDemand).then(|| earlier(self.starts.timestamp(), before))
    }

    fn floor(&self, from: Timestamp, until: Timestamp) -> Shards {
        if from >= self.ends.timestamp() {
            return Shards::ONE;
        }
        let rung = self.ladder.iter().find(|rung| rung.in_force_from < until);
        rung.map_or(Shards::ONE, |rung| rung.size)
    }

    fn due(&self, now: Timestamp) -> Shards {
        if now >= self.ends.timestamp() {
            return Shards::ONE;
        }
        // A size is called for when the one below it must be in force.
        let below = self.ladder.windows(2).find(|pair| pair[1].in_force_from <= now);
        below.map_or(Shards::ONE, |pair| pair[0].size)
    }

    /// When a stream of `open` shards must call for each size up to the event's.
    fn calls(&self, open: Shards) -> impl Iterator<Item = Timestamp> {
        let above = self.ladder.windows(2).take_while(move |pair| pair[0].size > open);
        above.map(|pair| pair[1].in_force_from)
    }
}

/// The way up to an event's size, from the size down.
fn ladder(size: Shards, starts: Timestamp, open: Shards) -> Vec<Rung> {
    let mut rung = Rung { size, in_force_from: starts };
    let mut ladder = vec![rung];
    while rung.size > Shards::ONE {
        let size = rung.size.halved();
        // A stream between two rungs goes to the upper one from where it stands.
        let from = if open < rung.size { size.max(open) } else { size };
        let before = minutes_between_calls(from, rung.size);
        rung = Rung { size, in_force_from: earlier(rung.in_force_from, before) };
        ladder.push(rung);
    }
    ladder
}

/// As people read a clock where the event takes place.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { name, need, starts, ends, ladder: _ } = self;
        let need = match need {
            Need::Shards(fewest) => format!("wants {fewest} shards"),
            Need::OnDemand => "wants to be on demand".to_owned(),
        };
        let until = if starts.date() == ends.date() { "%H:%M" } else { "%a %F %H:%M" };
        let zone = starts.time_zone().iana_name().unwrap_or("UTC");
        let (from, until) = (starts.strftime("%a %F %H:%M"), ends.strftime(until));
        write!(f, "{name:?} {need} from {from} to {until} ({zone})")
    }
}

fn minutes_between_calls(from: Shards, to: Shards) -> SignedDuration {
    let minutes = reshard::expected(from, to).as_mins() + 1;
    SignedDuration::from_mins(minutes.max(RESHARD_MINUTES_MIN) + LOOK_MINUTES)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{Change, Outcome};
    use crate::policy::schedule::{Span, When};

    fn shards(count: u32) -> Shards {
        Shards::at_least_one(count)
    }

    fn noon(minutes: i64) -> Timestamp {
        let noon: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a timestamp");
        noon.checked_add(SignedDuration::from_mins(minutes)).expect("a timestamp")
    }

    /// An event at noon, of an hour.
    fn timetable(size: u32, open: u32, now: Timestamp) -> Timetable {
        let span = Span::new(noon(0), noon(60)).expect("a span");
        let when = When::Once(span);
        let need = Need::Shards(shards(size));
        let schedule = Schedule { name: "sale".to_owned(), when, need };
        Timetable::of(&[schedule], shards(open), now)
    }

    #[test]
    fn the_ladder_leaves_each_reshard_its_time() {
        let sizes = |open: u32, minutes: [i64; 7]| {
            minutes.map(|minute| timetable(40, open, noon(minute)).due(noon(minute)).get())
        };
        // Few splits take less than the five minutes that are always left, and two for the look
        // after them.
        assert_eq!(sizes(4, [-29, -28, -21, -14, -7, 59, 60]), [3, 5, 10, 20, 40, 40, 1]);
        assert_eq!(sizes(33, [-29, -21, -14, -8, -7, 59, 60]), [5, 10, 20, 40, 40, 40, 1]);
        // 77 splits and merges are ten rounds of 35 seconds.
        assert_eq!(reshard::expected(shards(38), shards(41)).as_secs(), 360);
        assert_eq!(timetable(41, 38, noon(-9)).due(noon(-9)).get(), 41);
        assert_eq!(timetable(41, 38, noon(-10)).due(noon(-10)).get(), 21);
    }

    #[test]
    fn a_stream_is_looked_at_when_the_next_call_is_due() {
        let next =
            |open, minute| timetable(40, open, noon(minute)).next_call(shards(open), noon(minute));
        assert_eq!(next(4, -300), Some(noon(-28)));
        assert_eq!(next(8, -300), Some(noon(-21)));
        assert_eq!(next(8, -21), Some(noon(-14)));
        assert_eq!(next(40, -300), None);
    }

    #[test]
    fn calls_that_are_free_again_in_time_are_not_missed() {
        let made = |minutes: &[i64]| -> Vec<ActionRecord> {
            let change = Change::Reshard { from: shards(4), to: shards(5) };
            let record = |minute: &i64| ActionRecord {
                at: noon(*minute),
                change,
                outcome: Outcome::Accepted,
            };
            minutes.iter().map(record).collect()
        };
        let short = |size, actions: &[i64]| {
            timetable(40, 8, noon(-300)).short_of_calls(shards(size), &made(actions), noon(-300))
        };
        // From 8 it takes three calls, from 4 four; with the call at hand that makes four and five.
        assert!(!short(8, &[-400; 6]));
        assert!(short(4, &[-400; 6]));
        // Those of a day and a few minutes before are free again when they are needed.
        assert!(!short(4, &[-1_475; 6]));
        assert!(short(8, &[-1_430; 7]));
    }

    #[test]
    fn an_event_is_told_as_people_read_the_clock() {
        let [event] = &timetable(40, 4, noon(-60)).events[..] else { panic!("one event") };
        insta::assert_snapshot!(event, @r#""sale" wants 40 shards from Mon 2026-11-23 12:00 to 13:00 (UTC)"#);
    }
}

//! The rows of `[[streams.schedule]]`: known events. They are read together (`policy::parse`),
//! since what one may say depends on the others. Not here: when an event takes place
//! (`policy::schedule`).

use jiff::civil::Weekday;

use super::{Key, KeyTable, Kind};

/// The days of the week as they are written.
pub const WEEK: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

const TIME: &str = "\"07:45\", a local time, or \"2026-11-27T00:00:00Z\", an instant (RFC 3339)";
const TIME_PATTERN: &str = "^([0-9]{2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}T.+)$";

/// A known event of a stream.
pub static SCHEDULE: KeyTable = KeyTable {
    place: "[[streams.schedule]]",
    does: "Known events of a stream, under its entry: when it must have more capacity than the \
           past tells. The shards are there when the event begins; one call at most doubles them, \
           so a small stream begins up to an hour before it, and keeps enough of the day's calls \
           for it. When it is over, demand decides again. Of several events at a time the largest \
           holds.",
    keys: &[
        Key {
            name: "name",
            does: "Name of the event, which plans give as their reason.",
            kind: Kind::Text {
                form: "\"what people call it\"",
                pattern: "\\S",
                example: "market open",
            },
        },
        Key {
            name: "days",
            does: "Days of the week on which it begins; all of them, if left out.",
            kind: Kind::Days,
        },
        Key {
            name: "from",
            does: "When it begins.",
            kind: Kind::Text { form: TIME, pattern: TIME_PATTERN, example: "07:45" },
        },
        Key {
            name: "until",
            does: "When it is over. Of the kind that from is; a local time not later than from is \
                   the next day's.",
            kind: Kind::Text { form: TIME, pattern: TIME_PATTERN, example: "10:00" },
        },
        Key {
            name: "time_zone",
            does: "Time zone of local times, which need one. Daylight saving is followed: a local \
                   time that comes twice or never is read so that the event is not cut short.",
            kind: Kind::Text {
                form: "\"Europe/Berlin\", \"America/New_York\", \"UTC\" or another IANA name",
                pattern: "^[A-Za-z0-9_+/-]+$",
                example: "Europe/Berlin",
            },
        },
        Key {
            name: "min_shards",
            does: "Fewest shards while it lasts, at most the stream's max_shards.",
            kind: Kind::ShardCount,
        },
        Key {
            name: "capacity_mode",
            does: "Capacity mode while it lasts, instead of min_shards, for a crowd of a size \
                   nobody knows: the stream is switched to on-demand a quarter of an hour before \
                   the event, and comes back some time after it. Needs mode_switches = \
                   \"automatic\". It takes both switches of a day, so with an event of every day \
                   it may begin minutes later each day.",
            kind: Kind::Text {
                form: "\"on_demand\"",
                pattern: "^on_demand$",
                example: "on_demand",
            },
        },
    ],
    settings: &[],
    required: &[&["name"], &["from"], &["until"], &["min_shards", "capacity_mode"]],
    example: r#"[[streams]]
match = "trades"

[[streams.schedule]]
name = "market open"
days = ["mon", "tue", "wed", "thu", "fri"]
from = "07:45"
until = "10:00"
time_zone = "Europe/Berlin"
min_shards = 40

[[streams.schedule]]
name = "sale"
from = "2026-11-27T00:00:00Z"
until = "2026-11-28T06:00:00Z"
min_shards = 120

[[streams]]
match = "votes"
mode_switches = "automatic"

[[streams.schedule]]
name = "final"
from = "2026-12-05T19:00:00Z"
until = "2026-12-05T23:00:00Z"
capacity_mode = "on_demand"
"#,
};

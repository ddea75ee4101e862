//! The rows of `[defaults]` and `[[streams]]`. Not here: those about alerts (`alerts`) and
//! schedules.

use super::{Key, KeyTable, Kind, SCHEDULE, Word, alerts};
use crate::demand::Gaps;
use crate::limits;
use crate::policy::{ModeSwitches, OperatingMode};

/// The longest window of scale-in, minutes; what is observed for a plan is longer.
pub const SCALE_IN_AFTER_MINUTES_MAX: u32 = 180;

/// What holds for all entries of a file.
pub static DEFAULTS: KeyTable = KeyTable {
    place: "[defaults]",
    does: "Settings for every entry of this file that does not state its own. All keys are \
           optional.",
    keys: &[],
    settings: &[SETTINGS, alerts::SETTINGS],
    required: &[],
    example: "",
};

/// An entry: for which streams, and what differs from the defaults.
pub static STREAMS: KeyTable = KeyTable {
    place: "[[streams]]",
    does: "An entry names streams and states what differs from the defaults. The first entry, over \
           all files in the order of their names, whose match fits a stream's name holds for it, \
           so put the particular ones first. A stream that no entry fits is left alone.",
    keys: &[
        Key {
            name: "match",
            does: "Name of the streams this entry is for.",
            kind: Kind::Text {
                form: "\"stream-name\", with * for any characters",
                pattern: "^[A-Za-z0-9_.*-]+$",
                example: "orders-*",
            },
        },
        Key { name: "schedule", does: SCHEDULE.does, kind: Kind::Tables(&SCHEDULE) },
    ],
    settings: &[SETTINGS, alerts::SETTINGS],
    required: &[&["match"]],
    example: r#"[[streams]]
match = "orders-*"
mode = "act"
min_shards = 4
max_shards = 200
throttled_gib_usd = 2.50

[[streams]]
match = "batch-import"
mode = "act"
missing_data = "idle"
scale_in_after_minutes = 20
"#,
};

const SETTINGS: &[Key] = &[
    Key {
        name: "mode",
        does: "Operating mode: what becomes of a plan. Watch the plans of a week in observe mode \
               before you let it act.",
        kind: Kind::Choice(&[
            Word {
                word: "observe",
                means: "plans are made, logged and published; nothing is changed",
                set: |policy| policy.operating_mode = OperatingMode::Observe,
            },
            Word {
                word: "act",
                means: "plans are carried out",
                set: |policy| policy.operating_mode = OperatingMode::Act,
            },
        ]),
    },
    Key {
        name: "min_shards",
        does: "Fewest open shards. AWS bills about 11 dollars a month for a shard (us-east-1).",
        kind: Kind::Shards(|policy| &mut policy.bounds.min),
    },
    Key {
        name: "max_shards",
        does: "Most open shards; not below min_shards.",
        kind: Kind::Shards(|policy| &mut policy.bounds.max),
    },
    Key {
        name: "throttled_gib_usd",
        does: "Cost to you of a GiB that is throttled: the appetite for risk. It is weighed \
               against the price of a shard for an hour: dearer keeps more headroom for what \
               nobody expected, cheaper keeps less. The default is ten times what Kinesis takes \
               for a GiB on demand.",
        kind: Kind::Dollars { range: 0.01..=100.0, field: |policy| &mut policy.throttled_gib_usd },
    },
    Key {
        name: "surge_alarm_use_percent",
        does: "Utilisation of the write capacity at which an alarm wakes the planner ahead of its \
               turn.",
        kind: Kind::Percent { range: 10..=100, field: |policy| &mut policy.surge_alarm_use },
    },
    Key {
        name: "reserved_calls",
        does: "Reshards kept for scale-out: of the 10 that AWS allows a stream in any 24 hours, so \
               many are never spent on making it smaller.",
        kind: Kind::Whole {
            unit: "Reshards",
            range: 0..=limits::RESHARDS_PER_DAY_MAX - 1,
            field: |policy| &mut policy.reserved_calls,
        },
    },
    Key {
        name: "scale_in_after_minutes",
        does: "Observation window of scale-in: so many of the latest minutes must be known without \
               a gap before shards are taken away.",
        kind: Kind::Whole {
            unit: "Minutes",
            range: 5..=SCALE_IN_AFTER_MINUTES_MAX,
            field: |policy| &mut policy.scale_in_after_minutes,
        },
    },
    Key {
        name: "hold_scale_in_at_lag_minutes",
        does: "Consumer lag from which on no shard is taken away: fewer would slow the catching \
               up. Seen are consumers that poll (GetRecords), not those with enhanced fan-out.",
        kind: Kind::Whole {
            unit: "Minutes",
            range: 1..=super::DAY_MINUTES,
            field: |policy| &mut policy.hold_scale_in_at_lag_minutes,
        },
    },
    Key {
        name: "missing_data",
        does: "Meaning of a minute without any traffic data. \"idle\" is for streams that are \
               silent for hours and are read by nobody meanwhile: where a consumer polls, its own \
               metric shows that reporting works, and a silent minute counts as idle anyway.",
        kind: Kind::Choice(&[
            Word {
                word: "hold",
                means: "nothing is known, so nothing is taken away",
                set: |policy| policy.missing_data = Gaps::Unknown,
            },
            Word {
                word: "idle",
                means: "there was no traffic",
                set: |policy| policy.missing_data = Gaps::Idle,
            },
        ]),
    },
    Key {
        name: "mode_switches",
        does: "Whether Weir may switch a stream between the capacity modes provisioned and \
               on-demand; at most twice in 24 hours, as AWS allows. On demand a GiB costs 6 to 24 \
               times as much as on well used shards, at the prices of Standard: compare first, \
               with `weir estimate`.",
        kind: Kind::Choice(&[
            Word {
                word: "never",
                means: "a provisioned stream stays so, and one on demand is left to AWS",
                set: |policy| policy.mode_switches = ModeSwitches::Never,
            },
            Word {
                word: "automatic",
                means: "to on-demand when reshards cannot meet the demand in time, or when \
                        on-demand would have been the cheaper mode for long enough; back when a \
                        surge is over",
                set: |policy| policy.mode_switches = ModeSwitches::Automatic,
            },
        ]),
    },
];

//! The rows about consumers and what is told of them. Not here: what they mean (`policy::alerts`).

use super::{DAY_MINUTES, Key, Kind, Word};
use crate::policy::AlertRouting;

pub(super) const SETTINGS: &[Key] = &[
    Key {
        name: "consumer_alerts",
        does: "Routing of alerts: how failures of the stream's consumers are told. Lambda \
               mappings, fan-out consumers and Firehose delivery streams are found by themselves.",
        kind: Kind::Choice(&[
            Word {
                word: "when_acting",
                means: "nothing while mode is observe, and no alarms, which cost money; as \
                        escalate once it is act",
                set: |policy| policy.alerts.routing = AlertRouting::WhenActing,
            },
            Word {
                word: "escalate",
                means: "a notice first; a page when it lasts, or when little time is left",
                set: |policy| policy.alerts.routing = AlertRouting::Escalate,
            },
            Word {
                word: "page",
                means: "a page at once",
                set: |policy| policy.alerts.routing = AlertRouting::Page,
            },
            Word {
                word: "notice",
                means: "notices only",
                set: |policy| policy.alerts.routing = AlertRouting::Notice,
            },
            Word {
                word: "off",
                means: "nothing; the stream's consumers get no alarms",
                set: |policy| policy.alerts.routing = AlertRouting::Off,
            },
        ]),
    },
    Key {
        name: "lag_alarm_percent",
        does: "Alarm threshold of a consumer's lag, as a share of the stream's retention: 5 \
               percent of 24 hours are 72 minutes. A consumer that stops altogether is noticed \
               after a quarter of an hour, whatever this says.",
        kind: Kind::Percent { range: 1..=90, field: |policy| &mut policy.alerts.lag_alarm },
    },
    Key {
        name: "page_at_life_percent",
        does: "Share of the retention that must be left before records expire unread; with less, \
               the failure is paged at once.",
        kind: Kind::Percent { range: 1..=99, field: |policy| &mut policy.alerts.page_at_life },
    },
    Key {
        name: "page_after_minutes",
        does: "Escalation time: when a notice becomes a page.",
        kind: Kind::Whole {
            unit: "Minutes",
            range: 0..=DAY_MINUTES,
            field: |policy| &mut policy.alerts.page_after_minutes,
        },
    },
    Key {
        name: "repeat_page_minutes",
        does: "Repeat interval: how often a page is sent again while the failure lasts.",
        kind: Kind::Whole {
            unit: "Minutes",
            range: 5..=DAY_MINUTES,
            field: |policy| &mut policy.alerts.repeat_page_minutes,
        },
    },
    Key {
        name: "kcl_applications",
        does: "KCL applications that read the stream, by the name they were given, which is where \
               their metrics are: AWS has no list of them.",
        kind: Kind::Consumers(|policy| &mut policy.alerts.kcl_applications),
    },
    Key {
        name: "polling_consumers",
        does: "Other consumers that poll the stream. Their lag shows only in the stream's own \
               metric, the slowest hiding the others.",
        kind: Kind::Consumers(|policy| &mut policy.alerts.polling_consumers),
    },
];

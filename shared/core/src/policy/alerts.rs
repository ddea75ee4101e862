//! What an operator wants to hear of a stream's consumers, and when.
//!
//! Not here: reading it from TOML (`policy::parse`), or what follows from it (`incident`).

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::percent;
use crate::consumer::ConsumerName;
use crate::units::Share;

/// How urgently a person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For a mailbox.
    Notice,
    /// For a pager.
    Page,
}

impl Severity {
    /// The word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Severity::Notice => "notice",
            Severity::Page => "page",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// How failures of a stream's consumers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertRouting {
    /// Nothing while the stream's policy observes, for alarms cost money and messages wake people;
    /// once it acts, as [`AlertRouting::Escalate`]. The default of a policy, which knows its mode;
    /// what has none escalates.
    WhenActing,
    /// A notice first; a page when it lasts, or when little time is left.
    Escalate,
    /// A page at once.
    Page,
    /// Notices only.
    Notice,
    /// Nothing: its consumers get no alarms.
    Off,
}

/// What an operator wants to hear of a stream's consumers.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertPolicy {
    /// How failures are told.
    pub routing: AlertRouting,
    /// Lag from which on a consumer counts as failing, as a share of the stream's retention.
    pub lag_alarm: Share,
    /// Share of the retention that must be left before records expire unread; with less, a page is
    /// sent.
    pub page_at_life: Share,
    /// Minutes of a failure after which a notice becomes a page.
    pub page_after_minutes: u32,
    /// Minutes after which a page is sent again while the failure lasts.
    pub repeat_page_minutes: u32,
    /// KCL applications that read the stream: AWS has no list of them.
    pub kcl_applications: Vec<ConsumerName>,
    /// Other consumers that poll the stream.
    pub polling_consumers: Vec<ConsumerName>,
}

impl AlertPolicy {
    /// What holds where a policy says nothing.
    pub const DEFAULT: AlertPolicy = AlertPolicy {
        routing: AlertRouting::WhenActing,
        lag_alarm: percent(5),
        page_at_life: percent(50),
        page_after_minutes: 30,
        repeat_page_minutes: 60,
        kcl_applications: Vec::new(),
        polling_consumers: Vec::new(),
    };

    /// How long after a page the next one of the same incident may be sent.
    pub fn repeat_page(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.repeat_page_minutes))
    }

    /// How long a failure may last before it is paged.
    pub fn page_after(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.page_after_minutes))
    }
}

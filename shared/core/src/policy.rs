//! Policies: what an operator wants for a stream, checked when it is read.
//!
//! A policy says what is wanted, never how to get there. Here: the types and the choice of the
//! policy for a stream. Not here: reading TOML (`policy::parse`) or describing faults
//! (`policy::fault`).

mod alerts;
mod fault;
mod files;
pub mod keys;
mod parse;
mod prices;
pub mod schedule;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use alerts::{AlertPolicy, AlertRouting, Severity};
pub use fault::Fault;
pub use files::{PolicyFault, PolicyFile};
pub use parse::parse;
pub use prices::AccountPrices;

use self::schedule::Schedule;
use crate::demand::Gaps;
use crate::limits;
use crate::units::{Shards, Share, StreamName, Usd};

/// Whether plans are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatingMode {
    /// Every plan is made and published; nothing is changed. The default.
    Observe,
    /// Plans are carried out.
    Act,
}

/// Whether Weir may switch a stream between the capacity modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeSwitches {
    /// The stream stays in the mode it is in; on demand, Weir leaves it to AWS. The default.
    Never,
    /// When it pays, or when reshards cannot meet the demand.
    Automatic,
}

/// The sizes a stream may have: never empty, because it is made only with `min <= max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    min: Shards,
    max: Shards,
}

impl Bounds {
    /// `None` when `min` is above `max`, or `max` above what a stream can have.
    pub fn new(min: Shards, max: Shards) -> Option<Bounds> {
        (min <= max && max.get() <= limits::SHARDS_PER_STREAM_MAX).then_some(Bounds { min, max })
    }

    /// Fewest shards.
    pub fn min(self) -> Shards {
        self.min
    }

    /// Most shards.
    pub fn max(self) -> Shards {
        self.max
    }
}

/// What an operator wants for a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Observe or act.
    pub operating_mode: OperatingMode,
    /// Fewest and most shards.
    pub bounds: Bounds,
    /// What a billable GiB that is throttled is worth: the appetite for risk. Dearer means more
    /// room.
    pub throttled_gib_usd: Usd,
    /// Reshards of the day that scale-in never takes.
    pub reserved_calls: u32,
    /// Minutes of traffic that must be known without a gap before shards are taken away.
    pub scale_in_after_minutes: u32,
    /// Consumer lag, in minutes, from which on no shard is taken away.
    pub hold_scale_in_at_lag_minutes: u32,
    /// What an unexplained gap in the data means.
    pub missing_data: Gaps,
    /// Whether the capacity mode may be switched.
    pub mode_switches: ModeSwitches,
    /// What the account pays; modes and sizes are weighed with it.
    pub prices: AccountPrices,
    /// Share of capacity in use at which the surge alarm wakes the planner ahead of its tick.
    pub surge_alarm_use: Share,
    /// Known events, and the fewest shards for each.
    pub schedules: Vec<Schedule>,
    /// What is told of the stream's consumers.
    pub alerts: AlertPolicy,
}

impl Policy {
    /// What is told of the stream's consumers, in the mode that it is in.
    pub fn alerting(&self) -> AlertPolicy {
        let routing = match (self.alerts.routing, self.operating_mode) {
            (AlertRouting::WhenActing, OperatingMode::Observe) => AlertRouting::Off,
            (AlertRouting::WhenActing, OperatingMode::Act) => AlertRouting::Escalate,
            (stated, _) => stated,
        };
        AlertPolicy { routing, ..self.alerts.clone() }
    }

    /// What holds where a policy says nothing.
    pub const DEFAULT: Policy = Policy {
        operating_mode: OperatingMode::Observe,
        bounds: Bounds { min: Shards::ONE, max: most_shards() },
        throttled_gib_usd: Usd::cents(80),
        reserved_calls: 3,
        scale_in_after_minutes: 30,
        hold_scale_in_at_lag_minutes: 15,
        missing_data: Gaps::Unknown,
        mode_switches: ModeSwitches::Never,
        prices: AccountPrices::DEFAULT,
        surge_alarm_use: percent(90),
        schedules: Vec::new(),
        alerts: AlertPolicy::DEFAULT,
    };
}

impl Default for Policy {
    fn default() -> Policy {
        Policy::DEFAULT
    }
}

/// A percentage this file states itself; checked when it is compiled.
const fn percent(percent: u32) -> Share {
    match Share::percent(percent) {
        Some(share) => share,
        None => panic!("a default is no percentage"),
    }
}

const fn most_shards() -> Shards {
    Shards::at_least_one(limits::SHARDS_PER_STREAM_MAX)
}

/// A policy's word on the streams whose names fit a pattern.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    pattern: Pattern,
    policy: Option<Policy>,
}

/// A stream name, in which `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// `None` when no stream name could ever fit.
    pub fn new(text: &str) -> Option<Pattern> {
        let literal = text.replace('*', "");
        let fits = literal.is_empty() || StreamName::new(&literal).is_ok();
        (!text.is_empty() && fits).then(|| Pattern(text.to_owned()))
    }

    /// Whether the name fits.
    pub fn fits(&self, name: &StreamName) -> bool {
        self.fits_text(name.as_str())
    }

    /// Whether every name that fits `other` fits this too.
    pub fn covers(&self, other: &Pattern) -> bool {
        // What stands for any characters there is a character that no name has: only a `*` of this
        // one can take it, and then it takes whatever stands in its place.
        self.fits_text(&other.0.replace('*', "\0"))
    }

    fn fits_text(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
            return false;
        };
        let mut last = None;
        for part in parts {
            if let Some(middle) = last.replace(part) {
                match rest.find(middle) {
                    Some(at) => rest = &rest[at + middle.len()..],
                    None => return false,
                }
            }
        }
        match last {
            Some(suffix) => rest.ends_with(suffix),
            None => rest.is_empty(),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An entry that never holds: one before it fits every stream that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenEntry {
    /// Its place among all entries, from 0.
    pub place: usize,
    /// Which streams it names.
    pub pattern: Pattern,
    /// The place of the one before it.
    pub hidden_by: usize,
    /// Which streams that one names.
    pub hiding: Pattern,
}

/// All policies of an installation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicySet {
    entries: Vec<Entry>,
    /// Whether a file did not give its entries.
    incomplete: bool,
}

/// What the policies say about one stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Governance<'a> {
    /// This policy holds.
    By(&'a Policy),
    /// A policy names it, but has a fault: the stream is left as it is rather than given another's.
    Faulty,
    /// No policy names it.
    None,
}

impl PolicySet {
    /// One policy for every stream.
    pub fn of_all_streams(policy: Policy) -> PolicySet {
        PolicySet {
            entries: vec![Entry { pattern: Pattern("*".to_owned()), policy: Some(policy) }],
            incomplete: false,
        }
    }

    /// The same policies, every one in this mode: for runs that change nothing real.
    pub fn in_mode(mut self, mode: OperatingMode) -> PolicySet {
        for policy in self.entries.iter_mut().filter_map(|entry| entry.policy.as_mut()) {
            policy.operating_mode = mode;
        }
        self
    }

    /// What the first entry that fits the name says.
    pub fn governing(&self, stream: &StreamName) -> Governance<'_> {
        match self.entries.iter().find(|entry| entry.pattern.fits(stream)) {
            Some(Entry { policy: Some(policy), .. }) => Governance::By(policy),
            Some(Entry { policy: None, .. }) => Governance::Faulty,
            None => Governance::None,
        }
    }

    /// The place, from 0, and the pattern of the entry that holds for a stream.
    pub fn holding(&self, stream: &StreamName) -> Option<(usize, &Pattern)> {
        let mut entries = self.entries.iter().map(|entry| &entry.pattern).enumerate();
        entries.find(|(_, pattern)| pattern.fits(stream))
    }

    /// Entries that never hold, in order. Faulty entries stand for streams nobody knows, and hide
    /// none.
    pub fn hidden(&self) -> Vec<HiddenEntry> {
        let sound = || self.entries.iter().enumerate().filter(|(_, entry)| entry.policy.is_some());
        let hidden = |(place, entry): (usize, &Entry)| {
            let mut before = sound().take_while(|(other, _)| *other < place);
            let (hidden_by, hiding) =
                before.find(|(_, other)| other.pattern.covers(&entry.pattern))?;
            let (pattern, hiding) = (entry.pattern.clone(), hiding.pattern.clone());
            Some(HiddenEntry { place, pattern, hidden_by, hiding })
        };
        sound().filter_map(hidden).collect()
    }

    /// Whether an entry has a fault.
    pub fn has_faults(&self) -> bool {
        self.entries.iter().any(|entry| entry.policy.is_none())
    }

    /// How many entries there are, faulty ones included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no stream is named at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_another_where_no_name_tells_them_apart() {
        let cases = [
            ("*", "orders", true),
            ("*", "*", true),
            ("orders-*", "orders-eu-*", true),
            ("orders-eu-*", "orders-*", false),
            ("orders", "orders", true),
            ("orders", "orders*", false),
            ("*-prod", "orders-*-prod", true),
            ("a*b", "a*c*b", true),
            ("a*c*b", "a*b", false),
            ("ab*ba", "aba", false),
        ];
        for (one, other, covers) in cases {
            let [one, other] = [one, other].map(|text| Pattern::new(text).expect("a pattern"));
            assert_eq!(one.covers(&other), covers, "{one} and {other}");
        }
    }

    #[test]
    fn patterns_fit_as_a_shell_user_expects() {
        let cases = [
            ("orders", "orders", true),
            ("orders", "orders-eu", false),
            ("orders*", "orders-eu", true),
            ("*-prod", "orders-prod", true),
            ("*-prod", "orders-prod-2", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxcyyb", false),
            ("ab*ba", "aba", false),
            ("*", "anything", true),
        ];
        for (pattern, name, fits) in cases {
            let pattern = Pattern::new(pattern).expect("a pattern");
            let name = StreamName::new(name).expect("a name");
            assert_eq!(pattern.fits(&name), fits, "{pattern:?} {name}");
        }
        assert_eq!(Pattern::new("a b*"), None);
    }
}

//! A plan in words, one line per stage. Every field is taken apart by name, so that a new one
//! cannot be left out in silence.

use std::fmt;

use super::report::{
    Action, Basis, Clamp, Motive, Plan, QuotaSeen, Sizing, Throttling, WantedMode,
};
use super::throttling_history;
use crate::forecast::{Forecast, LevelChange};
use crate::limits;
use crate::policy::OperatingMode;
use crate::reasons::ClampReason;
use crate::reshard::{self, Operations};
use crate::units::Shards;

impl Plan {
    /// One line per stage, in the order the stages ran.
    pub fn explain(&self) -> Vec<String> {
        let Plan {
            stream: _,
            operating_mode,
            planned_at: _,
            expires_at: _,
            revisit_at,
            open,
            sizing,
            wanted_mode,
            action,
            basis,
            events,
            learnt: _,
        } = self;
        let Basis {
            forecast: Forecast { now, soon, later, days_known, leader, level_change },
            emergency,
            throttling,
            unknown_minutes,
            idle_minutes,
            looks_like_outage,
            throttled_share,
            newest_data_age_seconds,
            consumer_lag_seconds,
            budget,
            quota,
        } = basis;
        let age = newest_data_age_seconds
            .map_or_else(|| "no data".to_owned(), |age| format!("newest data {age} s old"));
        let some = |minutes: u32, what: &str| match minutes {
            0 => String::new(),
            n => format!(", {n} min {what}"),
        };
        let gaps = some(*unknown_minutes, "unknown") + &some(*idle_minutes, "idle");
        let alarm = if *emergency { ", short of shards" } else { "" };
        let basis = match days_known {
            0 => "little history: less than a day".to_owned(),
            1 => "1 day known".to_owned(),
            n => format!("{n} days known"),
        };
        let leader = leader.map_or_else(String::new, |who| format!(", mostly {}", who.words()));
        let lag = consumer_lag_seconds
            .map_or_else(|| "no consumer reports".to_owned(), |s| format!("consumer {s} s behind"));
        let calls = budget.map_or_else(
            || "calls left unknown".to_owned(),
            |b| match b.mode_switches_used {
                0 => format!("{} reshards left", b.reshards_left()),
                _ => format!(
                    "{} reshards left, {} of {} mode switches",
                    b.reshards_left(),
                    b.mode_switches_left(),
                    limits::MODE_SWITCHES_PER_DAY_MAX
                ),
            },
        );
        let mut lines = vec![
            format!("demand: {now} shards of load on {open} open ({age}{gaps}{alarm}; {lag})"),
            format!("forecast: {soon} soon, {later} later ({basis}{leader})"),
        ];
        lines.push(throttling.to_string());
        lines.extend(level_change.map(|change| {
            let LevelChange { level, lowest, highest, days } = change;
            format!(
                "sign: the level has changed, {level} in the last half hour; at this hour of {days} \
                 days it was {lowest} to {highest}"
            )
        }));
        if *looks_like_outage {
            lines.push("sign: traffic fell as in an outage of the producers".to_owned());
        }
        lines.extend(throttling_history::describe(*throttled_share));
        lines.extend(events.iter().map(|event| format!("schedule: {event}")));
        match sizing {
            Sizing::Sized { wanted, allowed, clamps } => {
                lines.push(format!("wanted: {wanted} shards"));
                for clamp in clamps {
                    let read = match (clamp.reason, quota) {
                        (ClampReason::AccountQuota, Some(seen)) => format!(" ({seen})"),
                        _ => String::new(),
                    };
                    lines.push(format!("clamp: {clamp}{read}"));
                }
                lines.push(format!("allowed: {allowed} shards ({calls})"));
            }
            Sizing::NotOurs(reason) | Sizing::Blind(reason) => {
                lines.push(format!("size: {open} shards stay, {reason} ({calls})"));
            }
        }
        lines.extend(wanted_mode.map(|wanted| format!("mode: {wanted}")));
        let note = match operating_mode {
            OperatingMode::Observe => " (observe: nothing is changed)",
            OperatingMode::Act => "",
        };
        let work = match action {
            Action::Reshard { from, to } => format!(", {}", work(*from, *to)),
            Action::Hold(_) | Action::SwitchMode { .. } => String::new(),
        };
        lines.push(format!("action: {action}{work}{note}"));
        lines.push(format!("revisit: {revisit_at}"));
        lines
    }
}

/// From which use on writes are refused, and which of them no size takes.
impl fmt::Display for Throttling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Throttling { from_use, days, hot_key, missing_share } = *self;
        let basis = match days {
            None => "assumed, nothing is known of it".to_owned(),
            Some(0) => "learnt from less than a day".to_owned(),
            Some(1) => "learnt from 1 day".to_owned(),
            Some(days) => format!("learnt from {days} days"),
        };
        write!(f, "throttling: begins at {:.0} % of capacity ({basis})", 100.0 * from_use)?;
        if let Some(share) = hot_key {
            write!(
                f,
                "; a key with about {:.0} % of the traffic fills its shard, which more shards do not change",
                100.0 * share
            )?;
        }
        if missing_share < 0.995 {
            write!(
                f,
                "; {:.0} % of what is refused counts as missing, as earlier scale-outs brought no more of it",
                100.0 * missing_share
            )?;
        }
        Ok(())
    }
}

impl Plan {
    /// Why it does what it does, in a line: what demand is and will be, and what held it back.
    pub fn because(&self) -> String {
        let switch = match self.action {
            Action::SwitchMode { .. } => self.wanted_mode,
            Action::Reshard { .. } | Action::Hold(_) => None,
        };
        if let Some(wanted) = switch {
            return wanted.to_string();
        }
        let Forecast { now, soon, later, leader, .. } = self.basis.forecast;
        let like = leader.map_or_else(String::new, |who| format!(", {}", who.words()));
        let cause = match () {
            () if self.basis.emergency => "demand is above capacity",
            () if self.allowed() > self.open && soon > now => "demand is rising",
            () if self.allowed() > self.open => "more is needed soon",
            () => "less will do",
        };
        let clamps: Vec<&str> = self.clamps().iter().map(|clamp| clamp.reason.code()).collect();
        let clamps = match clamps.as_slice() {
            [] => String::new(),
            codes => format!("; {} wanted, {}", self.wanted(), codes.join(", ")),
        };
        format!("{cause}: {now} shards now, {soon} soon, {later} later{like}{clamps}")
    }
}

/// What a reshard takes: "about 3 min: 4 splits".
fn work(from: Shards, to: Shards) -> String {
    let some = |count: u32, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    };
    let Operations { splits, merges } = Operations::between(from, to);
    let parts: Vec<String> =
        [some(splits, "split"), some(merges, "merge")].into_iter().flatten().collect();
    let minutes = (reshard::expected(from, to).as_secs() + 59) / 60;
    format!("about {minutes} min: {}", parts.join(" and "))
}

impl fmt::Display for Clamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {} {}: {}", self.from, self.to, self.reason, self.reason.meaning())
    }
}

impl fmt::Display for QuotaSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QuotaSeen { quota, age_seconds } = self;
        write!(f, "{} of {} open, as of {age_seconds} s before", quota.open, quota.limit)
    }
}

impl fmt::Display for WantedMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WantedMode { to, motive, withheld } = self;
        let why = match motive {
            Motive::Scheduled => "a scheduled event needs it",
            Motive::Outgrown => "demand is above what reshards can reach in time",
            Motive::Cheaper => "the past days would have been cheaper there",
            Motive::Calm => "the surge is over, and it is cheaper",
        };
        write!(f, "better {to}, as {why}")?;
        match withheld {
            Some(reason) => write!(f, "; withheld, {reason}: {}", reason.meaning()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Hold(reason) => write!(f, "hold, {reason}: {}", reason.meaning()),
            Action::Reshard { from, to } => write!(f, "reshard {from} → {to}"),
            Action::SwitchMode { from, to } => write!(f, "switch mode {from} → {to}"),
        }
    }
}

//! Reads a policy file: TOML in, policies and every fault out.
//!
//! A faulty entry is kept as faulty, so that its streams are left alone and not given the next
//! entry's policy; sound entries of the same file stay in force.

mod alerts;
mod prices;
mod schedule;

use std::ops::{Range, RangeInclusive};

use toml_span::de_helpers::TableHelper;
use toml_span::value::{Value, ValueInner};

use super::{Bounds, Entry, Fault, ModeSwitches, OperatingMode, Pattern, Policy, PolicySet};
use crate::demand::Gaps;
use crate::limits;
use crate::units::{Shards, Share, Usd};

/// The version of the policy language this reads.
const VERSION: i64 = 1;
const DAY_MINUTES: u32 = 24 * 60;
/// A longer window would leave too little of what is observed to compare it with.
const SCALE_IN_AFTER_MINUTES_MAX: u32 = 180;
const _: () = assert!(SCALE_IN_AFTER_MINUTES_MAX < crate::plan::MINUTES_OBSERVED);

/// Reads the text of one policy file. `file` names it in faults.
pub fn parse(file: &str, text: &str) -> (PolicySet, Vec<Fault>) {
    let mut reader = Reader { file, text, faults: Vec::new() };
    let entries = reader.file();
    reader.faults.sort_by_key(|fault| fault.span.start);
    (PolicySet { entries }, reader.faults)
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn file(&mut self) -> Vec<Entry> {
        let mut root = match toml_span::parse(self.text) {
            Ok(root) => root,
            Err(error) => {
                let fix = "write it as TOML, e.g. min_shards = 2";
                self.fault(error.span.into(), format!("this is not TOML: {error}"), fix);
                return vec![everything_faulty()];
            }
        };
        let Some(mut table) = self.table(&mut root, "the file") else {
            return vec![everything_faulty()];
        };
        let head_sound = self.version(&mut table);
        let faults_before = self.faults.len();
        let base = Policy { prices: self.prices(&mut table), ..Policy::DEFAULT };
        let defaults = match table.take("defaults") {
            None => base,
            Some((_, mut value)) => match self.table(&mut value, "defaults") {
                None => base,
                Some(mut knobs) => {
                    let policy = self.knobs(&mut knobs, &base);
                    self.refuse_unknown(knobs, "[defaults]");
                    policy
                }
            },
        };
        let defaults_sound = head_sound && self.faults.len() == faults_before;
        let entries = match table.take("streams") {
            None => {
                self.fault(
                    0..0,
                    "no [[streams]] in this file",
                    "add [[streams]] with match = \"name\"",
                );
                vec![everything_faulty()]
            }
            Some((_, mut value)) => self.streams(&mut value, &defaults, defaults_sound),
        };
        self.refuse_unknown(table, "a policy file");
        entries
    }

    fn version(&mut self, table: &mut TableHelper<'_>) -> bool {
        let fix = format!("write version = {VERSION} at the top of the file");
        match table.take("version") {
            Some((_, value)) if value.as_integer() == Some(VERSION) => return true,
            Some((_, value)) => {
                self.fault(
                    value.span.into(),
                    "this version of the policy language is not known",
                    fix,
                );
            }
            None => self.fault(0..0, "the file does not say its version", fix),
        }
        false
    }

    fn streams(&mut self, value: &mut Value<'_>, defaults: &Policy, sound: bool) -> Vec<Entry> {
        let span = value.span.into();
        let ValueInner::Array(items) = value.take() else {
            self.fault(
                span,
                "streams is not a list of tables",
                "write [[streams]] with two brackets",
            );
            return vec![everything_faulty()];
        };
        items.into_iter().map(|mut item| self.stream(&mut item, defaults, sound)).collect()
    }

    fn stream(&mut self, item: &mut Value<'_>, defaults: &Policy, defaults_sound: bool) -> Entry {
        let span = item.span.into();
        let Some(mut table) = self.table(item, "an entry of streams") else {
            return everything_faulty();
        };
        let faults_before = self.faults.len();
        let pattern = self.pattern(&mut table, span);
        let mut policy = self.knobs(&mut table, defaults);
        policy.schedules = self.schedules(&mut table, &policy);
        self.refuse_unknown(table, "[[streams]]");
        let sound = defaults_sound && self.faults.len() == faults_before;
        match pattern {
            Some(pattern) => Entry { pattern, policy: sound.then_some(policy) },
            None => everything_faulty(),
        }
    }

    fn pattern(&mut self, table: &mut TableHelper<'_>, entry: Range<usize>) -> Option<Pattern> {
        let fix = "write match = \"stream-name\", with * for any characters";
        let Some((_, value)) = table.take("match") else {
            self.fault(entry, "this entry does not say which streams it is for", fix);
            return None;
        };
        let pattern = value.as_str().and_then(Pattern::new);
        if pattern.is_none() {
            self.fault(value.span.into(), "no stream can have such a name", fix);
        }
        pattern
    }

    /// The knobs, in the order of the reference; each falls back to `base`.
    fn knobs(&mut self, table: &mut TableHelper<'_>, base: &Policy) -> Policy {
        let modes = [("observe", OperatingMode::Observe), ("act", OperatingMode::Act)];
        let gaps = [("hold", Gaps::Unknown), ("idle", Gaps::Idle)];
        let switches = [("never", ModeSwitches::Never), ("automatic", ModeSwitches::Automatic)];
        let operating_mode = self.choice(table, "mode", &modes).unwrap_or(base.operating_mode);
        let bounds = self.bounds(table, base.bounds);
        let throttled_gib_usd = self
            .dollars(table, "throttled_gib_usd", 0.01..=100.0)
            .unwrap_or(base.throttled_gib_usd);
        let surge_alarm_use =
            self.share(table, "surge_alarm_use_percent", 10..=100).unwrap_or(base.surge_alarm_use);
        Policy {
            operating_mode,
            bounds,
            throttled_gib_usd,
            surge_alarm_use,
            reserved_calls: self
                .integer(table, "reserved_calls", 0..=limits::RESHARDS_PER_DAY_MAX - 1)
                .unwrap_or(base.reserved_calls),
            scale_in_after_minutes: self
                .integer(table, "scale_in_after_minutes", 5..=SCALE_IN_AFTER_MINUTES_MAX)
                .unwrap_or(base.scale_in_after_minutes),
            hold_scale_in_at_lag_minutes: self
                .integer(table, "hold_scale_in_at_lag_minutes", 1..=DAY_MINUTES)
                .unwrap_or(base.hold_scale_in_at_lag_minutes),
            missing_data: self.choice(table, "missing_data", &gaps).unwrap_or(base.missing_data),
            mode_switches: self
                .choice(table, "mode_switches", &switches)
                .unwrap_or(base.mode_switches),
            prices: base.prices,
            schedules: Vec::new(),
            alerts: self.alerts(table, &base.alerts),
        }
    }

    fn bounds(&mut self, table: &mut TableHelper<'_>, base: Bounds) -> Bounds {
        let range = 1..=limits::SHARDS_PER_STREAM_MAX;
        let place = ["max_shards", "min_shards"]
            .iter()
            .find_map(|key| table.table.get(*key))
            .map_or(0..0, |value| value.span.into());
        let min = self.integer(table, "min_shards", range.clone()).map(Shards::at_least_one);
        let max = self.integer(table, "max_shards", range).map(Shards::at_least_one);
        let (min, max) = (min.unwrap_or(base.min), max.unwrap_or(base.max));
        Bounds::new(min, max).unwrap_or_else(|| {
            let message = format!("min_shards {min} is above max_shards {max}");
            self.fault(place, message, "raise max_shards or lower min_shards");
            base
        })
    }

    fn share(
        &mut self,
        table: &mut TableHelper<'_>,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<Share> {
        self.integer(table, key, range).and_then(Share::percent)
    }

    fn dollars(
        &mut self,
        table: &mut TableHelper<'_>,
        key: &'static str,
        range: RangeInclusive<f64>,
    ) -> Option<Usd> {
        let (_, value) = table.take(key)?;
        let dollars = value.as_float().or_else(|| value.as_integer().map(|n| n as f64));
        if let Some(dollars) = dollars.filter(|dollars| range.contains(dollars)) {
            return Some(Usd::new(dollars));
        }
        let fix = format!("write dollars from {} to {}", range.start(), range.end());
        let message = format!("{key} cannot be {}", self.shown(&value));
        self.fault(value.span.into(), message, fix);
        None
    }

    fn integer(
        &mut self,
        table: &mut TableHelper<'_>,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let (_, value) = table.take(key)?;
        let number = value.as_integer().and_then(|n| u32::try_from(n).ok());
        if let Some(number) = number.filter(|n| range.contains(n)) {
            return Some(number);
        }
        let fix = format!("write a whole number from {} to {}", range.start(), range.end());
        let message = format!("{key} cannot be {}", self.shown(&value));
        self.fault(value.span.into(), message, fix);
        None
    }

    fn choice<T: Copy>(
        &mut self,
        table: &mut TableHelper<'_>,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let (_, value) = table.take(key)?;
        let found = value.as_str();
        if let Some((_, choice)) = choices.iter().find(|(name, _)| found == Some(*name)) {
            return Some(*choice);
        }
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let message = format!("{key} cannot be {}", self.shown(&value));
        self.fault(value.span.into(), message, format!("write {key} = {}", names.join(" or ")));
        None
    }

    fn table<'de>(&mut self, value: &mut Value<'de>, what: &str) -> Option<TableHelper<'de>> {
        let span = value.span.into();
        match TableHelper::new(value) {
            Ok(table) => Some(table),
            Err(_) => {
                self.fault(
                    span,
                    format!("{what} is not a table"),
                    "write key = value lines under it",
                );
                None
            }
        }
    }

    /// Whatever was not asked for is a fault: a misspelt knob must not be passed over.
    fn refuse_unknown(&mut self, table: TableHelper<'_>, place: &str) {
        let known =
            KNOWN_KEYS.iter().find(|(name, _)| *name == place).map_or("", |(_, keys)| *keys);
        for key in table.table.into_keys() {
            let message = format!("{} is not a key of {place}", key.name);
            self.fault(key.span.into(), message, format!("use one of {known}"));
        }
    }

    /// A value as it stands in the file.
    fn shown(&self, value: &Value<'_>) -> String {
        match value.as_str() {
            Some(text) => format!("{text:?}"),
            None => self.text.get(Range::from(value.span)).unwrap_or("this").to_owned(),
        }
    }

    fn fault(&mut self, span: Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.faults.push(Fault::at(self.file, self.text, span, message, fix));
    }
}

/// The keys a fault names as the ones to use. Kept beside the reading of them by a test.
const KNOWN_KEYS: &[(&str, &str)] = &[
    ("a policy file", "version, prices, defaults, streams"),
    (
        prices::PLACE,
        "on_demand, shard_hour_usd, put_units_million_usd, extended_retention_shard_hour_usd, \
         stream_hour_usd, in_gb_usd, out_gb_usd, extended_retention_gb_month_usd",
    ),
    (
        "[defaults]",
        "mode, min_shards, max_shards, throttled_gib_usd, surge_alarm_use_percent, reserved_calls, \
         scale_in_after_minutes, hold_scale_in_at_lag_minutes, missing_data, mode_switches, consumer_alerts, \
         lag_alarm_percent, page_at_life_percent, page_after_minutes, repeat_page_minutes, \
         kcl_applications, polling_consumers",
    ),
    (
        "[[streams]]",
        "match, mode, min_shards, max_shards, throttled_gib_usd, surge_alarm_use_percent, \
         reserved_calls, scale_in_after_minutes, hold_scale_in_at_lag_minutes, missing_data, \
         mode_switches, consumer_alerts, lag_alarm_percent, page_at_life_percent, page_after_minutes, \
         repeat_page_minutes, kcl_applications, polling_consumers, schedule",
    ),
    (schedule::PLACE, "name, days, from, until, time_zone, min_shards, capacity_mode"),
];

/// What cannot be read might have meant any stream: all that no earlier entry names are left as they are.
fn everything_faulty() -> Entry {
    Entry { pattern: Pattern("*".to_owned()), policy: None }
}

impl PolicySet {
    /// Stands for policies that could not be read at all.
    pub fn unreadable() -> PolicySet {
        PolicySet { entries: vec![everything_faulty()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Governance;
    use crate::units::StreamName;

    fn faults(text: &str) -> String {
        let (_, faults) = parse("orders.toml", text);
        faults.iter().map(|fault| format!("{fault}\n")).collect()
    }

    #[test]
    fn a_sound_file_gives_each_stream_its_policy() {
        let (set, faults) = parse(
            "orders.toml",
            "version = 1\n[defaults]\nmode = \"act\"\nreserved_calls = 4\n\
             [[streams]]\nmatch = \"orders-*\"\nmin_shards = 2\nmax_shards = 64\n\
             [[streams]]\nmatch = \"*\"\nmode = \"observe\"\n",
        );
        assert_eq!(faults, []);
        let governing = |name| set.governing(&StreamName::new(name).expect("a name"));
        let Governance::By(orders) = governing("orders-eu") else { panic!("not governed") };
        assert_eq!(
            (orders.operating_mode, orders.bounds.max().get(), orders.reserved_calls),
            (OperatingMode::Act, 64, 4)
        );
        let Governance::By(other) = governing("other") else { panic!("not governed") };
        assert_eq!((other.operating_mode, other.reserved_calls), (OperatingMode::Observe, 4));
    }

    #[test]
    fn all_faults_are_told_at_once_with_their_place_and_the_fix() {
        insta::assert_snapshot!(faults(
            "version = 1\n[defaults]\nthrottled_gib_usd = 0\n[[streams]]\nmatch = \"or ders\"\n\
             min_shards = 9\nmax_shards = 4\nmod = \"act\"\n[[streams]]\nreserved_calls = \"three\"\n\
             mode = \"auto\"\n[extra]\n"
        ), @r#"
        orders.toml:3:21: throttled_gib_usd cannot be 0; write dollars from 0.01 to 100
        orders.toml:5:10: no stream can have such a name; write match = "stream-name", with * for any characters
        orders.toml:7:14: min_shards 9 is above max_shards 4; raise max_shards or lower min_shards
        orders.toml:8:1: mod is not a key of [[streams]]; use one of match, mode, min_shards, max_shards, throttled_gib_usd, surge_alarm_use_percent, reserved_calls, scale_in_after_minutes, hold_scale_in_at_lag_minutes, missing_data, mode_switches, consumer_alerts, lag_alarm_percent, page_at_life_percent, page_after_minutes, repeat_page_minutes, kcl_applications, polling_consumers, schedule
        orders.toml:9:1: this entry does not say which streams it is for; write match = "stream-name", with * for any characters
        orders.toml:10:19: reserved_calls cannot be "three"; write a whole number from 0 to 9
        orders.toml:11:9: mode cannot be "auto"; write mode = "observe" or "act"
        orders.toml:12:2: extra is not a key of a policy file; use one of version, prices, defaults, streams
        "#);
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_place() {
        insta::assert_snapshot!(faults("version = 1\n[[streams]\n"), @"orders.toml:2:11: this is not TOML: expected a right bracket, found a newline; write it as TOML, e.g. min_shards = 2");
    }

    #[test]
    fn a_faulty_entry_leaves_its_streams_alone_and_the_others_in_force() {
        let (set, faults) = parse(
            "orders.toml",
            "version = 1\n[[streams]]\nmatch = \"orders\"\nmin_shards = 0\n\
             [[streams]]\nmatch = \"*\"\n",
        );
        assert_eq!(faults.len(), 1);
        assert_eq!(set.governing(&StreamName::new("orders").expect("a name")), Governance::Faulty);
        assert!(matches!(
            set.governing(&StreamName::new("clicks").expect("a name")),
            Governance::By(_)
        ));
    }

    #[test]
    fn every_known_key_is_read() {
        let value = |key: &str| match key {
            "match" => "\"*\"",
            "mode" => "\"act\"",
            "missing_data" => "\"idle\"",
            "mode_switches" => "\"automatic\"",
            "consumer_alerts" => "\"page\"",
            "kcl_applications" | "polling_consumers" => "[\"billing\"]",
            "version" => "1",
            "on_demand" => "\"advantage\"",
            "schedule" => "[]",
            "name" => "\"sale\"",
            "days" => "[\"mon\"]",
            "from" | "until" => "\"07:45\"",
            "time_zone" => "\"UTC\"",
            "capacity_mode" => "\"on_demand\"",
            key if key.ends_with("_usd") => "0.5",
            _ => "9",
        };
        let all = |place: &str| -> String {
            let (_, keys) = KNOWN_KEYS.iter().find(|(name, _)| *name == place).expect("a place");
            keys.split(", ").map(|key| format!("{key} = {}\n", value(key.trim()))).collect()
        };
        let text = format!(
            "version = 1\n{}\n{}[defaults]\n{}[[streams]]\n{}[[streams]]\nmatch = \"*\"\nmode_switches = \"automatic\"\n\
             {}\n{}{}\n{}",
            prices::PLACE,
            all(prices::PLACE),
            all("[defaults]").replace("use_percent = 9", "use_percent = 90"),
            all("[[streams]]").replace("use_percent = 9", "use_percent = 90"),
            schedule::PLACE,
            all(schedule::PLACE).replace("min_shards = 9", ""),
            schedule::PLACE,
            all(schedule::PLACE).replace("capacity_mode = \"on_demand\"", ""),
        );
        assert_eq!(faults(&text), "");
    }
}

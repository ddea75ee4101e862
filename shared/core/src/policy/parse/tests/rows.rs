//! Each row of `policy::keys`: what it says may be written is what is read, and nothing else.

use crate::policy::keys::{self, Key, KeyTable, Kind};
use crate::policy::{Fault, Governance, Policy, parse};
use crate::units::StreamName;

const TABLES: [&KeyTable; 5] =
    [&keys::FILE, &keys::PRICES, &keys::DEFAULTS, &keys::STREAMS, &keys::SCHEDULE];

/// The settings of every table that has some, with the table.
fn settings() -> impl Iterator<Item = (&'static KeyTable, &'static Key)> {
    let tables = [&keys::PRICES, &keys::DEFAULTS, &keys::STREAMS];
    tables.into_iter().flat_map(|table| {
        table.all_keys().filter(|key| key.is_setting()).map(move |key| (table, key))
    })
}

/// The policy that holds where a key of a table has this value.
fn read(table: &KeyTable, key: &Key, value: &str) -> (Option<Policy>, Vec<Fault>) {
    let line = format!("{} = {value}\n", key.name);
    let entry = "[[streams]]\nmatch = \"*\"\n";
    let text = match table.place {
        "[[streams]]" => format!("version = 1\n{entry}{line}"),
        place => format!("version = 1\n{place}\n{line}{entry}"),
    };
    let (set, faults) = parse("rows.toml", &text);
    let policy = match set.governing(&StreamName::new("orders").expect("a name")) {
        Governance::By(policy) => Some(policy.clone()),
        Governance::Faulty | Governance::None => None,
    };
    (policy, faults)
}

/// Values that a setting allows, each another one, and values just beyond them.
fn values(key: &Key) -> (Vec<String>, Vec<String>) {
    let whole = |least: u32, most: u32| {
        let beyond = [i64::from(least) - 1, i64::from(most) + 1].map(|n| n.to_string());
        (vec![least.to_string(), most.to_string()], beyond.to_vec())
    };
    let mut values = match &key.kind {
        Kind::Choice(choices) => {
            (choices.iter().map(|choice| format!("{:?}", choice.word)).collect(), Vec::new())
        }
        Kind::Shards(_) => whole(*keys::SHARD_COUNTS.start(), *keys::SHARD_COUNTS.end()),
        Kind::Whole { range, .. } | Kind::Percent { range, .. } => {
            whole(*range.start(), *range.end())
        }
        Kind::Dollars { range, .. } | Kind::Price { range, .. } => (
            vec![range.start().to_string(), range.end().to_string()],
            vec![(range.start() - 1e-6).to_string(), (range.end() + 1e-6).to_string()],
        ),
        Kind::Consumers(_) => {
            (vec!["[]".to_owned(), "[\"billing\"]".to_owned()], vec!["[\"a b\"]".to_owned()])
        }
        _ => (Vec::new(), Vec::new()),
    };
    values.1.extend(["\"?\"", "true", "{}", "[1]"].map(str::to_owned));
    values
}

#[test]
fn each_setting_takes_what_its_row_allows() {
    for (table, key) in settings() {
        let (allowed, _) = values(key);
        assert!(allowed.len() > 1, "{}", key.name);
        let mut held = Vec::new();
        for value in &allowed {
            let (policy, faults) = read(table, key, value);
            assert_eq!(faults, [], "{} = {value}", key.name);
            held.push(policy.and_then(|policy| key.held_by(&policy)).expect("a value"));
        }
        held.sort();
        held.dedup();
        assert_eq!(held.len(), allowed.len(), "{} does not set what it shows", key.name);
    }
}

#[test]
fn each_setting_refuses_what_its_row_does_not_allow() {
    for (table, key) in settings() {
        for value in values(key).1 {
            let (policy, faults) = read(table, key, &value);
            let fixes: Vec<&str> = faults.iter().map(|fault| fault.fix.as_str()).collect();
            assert_eq!(fixes, [key.fix()], "{} = {value}", key.name);
            assert_eq!(policy, None, "{} = {value}", key.name);
        }
    }
}

#[test]
fn each_setting_leaves_the_others_alone() {
    for (table, key) in settings().filter(|(_, key)| key.name != "on_demand") {
        for value in values(key).0 {
            let (policy, _) = read(table, key, &value);
            let policy = policy.expect("sound");
            for (_, other) in settings().filter(|(_, other)| other.name != key.name) {
                // A price of its own makes the list another one.
                if other.name != "on_demand" {
                    assert_eq!(other.held_by(&policy), other.default(), "{}", key.name);
                }
            }
        }
    }
}

#[test]
fn the_examples_are_sound_and_use_what_is_read_together() {
    for table in [&keys::STREAMS, &keys::SCHEDULE] {
        let (_, faults) = parse("example.toml", &format!("version = 1\n{}", table.example));
        assert_eq!(faults, []);
    }
    for key in keys::SCHEDULE.keys {
        let line = format!("\n{} = ", key.name);
        assert!(keys::SCHEDULE.example.contains(&line), "{}", key.name);
    }
}

#[test]
fn each_row_speaks_in_sentences() {
    let sentences = |text: &str| text.starts_with(char::is_uppercase) && text.ends_with('.');
    for table in TABLES {
        assert!(sentences(table.does), "{}", table.place);
        for group in table.required {
            assert!(group.iter().all(|key| table.key(key).is_some()), "{group:?}");
        }
        for key in table.all_keys() {
            assert!(sentences(key.does), "{}: {}", key.name, key.does);
        }
    }
}

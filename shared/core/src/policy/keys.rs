//! The policy language, one row a key.
//!
//! A row gives a key's name, what it does, what may be written, and the field of [`Policy`] it
//! sets. The rest follows from the rows: reading and faults (`policy::parse`), and what the house
//! tests generate, which is the reference page, the JSON Schema and the sample. A default is what
//! [`Policy::DEFAULT`] has.
//!
//! Not here: what a policy is (`policy`), or TOML (`policy::parse`).

mod alerts;
mod prices;
mod schedules;
mod streams;

use std::ops::RangeInclusive;

use super::Policy;
use crate::consumer::ConsumerName;
use crate::limits;
use crate::units::{Shards, Share, Usd};

pub use prices::PRICES;
pub use schedules::{SCHEDULE, WEEK};
pub use streams::{DEFAULTS, SCALE_IN_AFTER_MINUTES_MAX, STREAMS};

/// The version of the policy language.
pub const VERSION: u32 = 1;

/// A policy file.
pub static FILE: KeyTable = KeyTable {
    place: "a policy file",
    does: "A policy file is complete in itself, with its own version, prices and defaults.",
    keys: &[
        Key { name: "version", does: "Version of the policy language.", kind: Kind::Version },
        Key { name: "prices", does: PRICES.does, kind: Kind::Table(&PRICES) },
        Key { name: "defaults", does: DEFAULTS.does, kind: Kind::Table(&DEFAULTS) },
        Key { name: "streams", does: STREAMS.does, kind: Kind::Tables(&STREAMS) },
    ],
    settings: &[],
    required: &[&["version"], &["streams"]],
    example: "",
};

/// A table of the policy language.
pub struct KeyTable {
    /// The table as faults name it, such as `[defaults]`.
    pub place: &'static str,
    /// What it is for, in sentences.
    pub does: &'static str,
    /// The keys of this table alone.
    pub keys: &'static [Key],
    /// Groups of keys that it shares with other tables.
    pub settings: &'static [&'static [Key]],
    /// Of each group exactly one key must be written.
    pub required: &'static [&'static [&'static str]],
    /// Lines of TOML that show its use in a file, or nothing.
    pub example: &'static str,
}

impl KeyTable {
    /// All keys, in the order in which they are read and listed.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().chain(self.settings.iter().copied().flatten())
    }

    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.all_keys().find(|key| key.name == name)
    }
}

/// A key of the policy language.
pub struct Key {
    /// The key as it is written; its unit comes last.
    pub name: &'static str,
    /// What it does, in sentences; the first one in standard terms.
    pub does: &'static str,
    /// What may be written, and what becomes of it.
    pub kind: Kind,
}

/// The field of a policy that a key sets.
pub type Field<T> = fn(&mut Policy) -> &mut T;

/// What may be written for a key, and what becomes of it.
pub enum Kind {
    /// One word of a closed list.
    Choice(&'static [Word]),
    /// A shard count that a stream can have.
    Shards(Field<Shards>),
    /// A whole number.
    Whole {
        /// What it counts, such as `Minutes`.
        unit: &'static str,
        /// Least and most, both allowed.
        range: RangeInclusive<u32>,
        /// What it sets.
        field: Field<u32>,
    },
    /// A whole number of percent.
    Percent {
        /// Least and most, both allowed; within 1 to 100.
        range: RangeInclusive<u32>,
        /// What it sets.
        field: Field<Share>,
    },
    /// US dollars.
    Dollars {
        /// Least and most, both allowed.
        range: RangeInclusive<f64>,
        /// What it sets.
        field: Field<Usd>,
    },
    /// A price in US dollars, in place of the one in the list that the account has.
    Price {
        /// Least and most, both allowed.
        range: RangeInclusive<f64>,
        /// For how many units it is written; the field holds the price of one.
        units: f64,
        /// What it sets.
        field: Field<f64>,
    },
    /// A list of consumers' names.
    Consumers(Field<Vec<ConsumerName>>),

    // What follows sets no field by itself: `policy::parse` reads it together with the keys beside
    // it.
    /// The version of the language.
    Version,
    /// A table.
    Table(&'static KeyTable),
    /// A list of tables.
    Tables(&'static KeyTable),
    /// A string.
    Text {
        /// What to write, after `key =`.
        form: &'static str,
        /// What it must match: a regular expression.
        pattern: &'static str,
        /// One value, without quotes.
        example: &'static str,
    },
    /// A list of days of the week.
    Days,
    /// A shard count that one stream can have, for what its table describes.
    ShardCount,
}

/// A word that may be written, and what it sets.
pub struct Word {
    /// The word.
    pub word: &'static str,
    /// What it means, as half a sentence.
    pub means: &'static str,
    /// Sets it.
    pub set: fn(&mut Policy),
}

/// Every shard count that a stream can have.
pub const SHARD_COUNTS: RangeInclusive<u32> = 1..=limits::SHARDS_PER_STREAM_MAX;
const DAY_MINUTES: u32 = 24 * 60;

impl Key {
    /// What may be written, in words: `a whole number from 5 to 180`.
    pub fn allowed(&self) -> String {
        let whole = |range: &RangeInclusive<u32>| {
            format!("a whole number from {} to {}", range.start(), range.end())
        };
        match &self.kind {
            Kind::Choice(choices) => {
                let words: Vec<String> =
                    choices.iter().map(|choice| format!("{:?}", choice.word)).collect();
                words.join(" or ")
            }
            Kind::Shards(_) | Kind::ShardCount => whole(&SHARD_COUNTS),
            Kind::Whole { range, .. } | Kind::Percent { range, .. } => whole(range),
            Kind::Dollars { range, .. } | Kind::Price { range, .. } => {
                format!("dollars from {} to {}", range.start(), range.end())
            }
            Kind::Consumers(_) => {
                "[\"a-name\"], of letters, digits, '_', '.', ':' and '-'".to_owned()
            }
            Kind::Version => VERSION.to_string(),
            Kind::Table(_) | Kind::Tables(_) => "a table".to_owned(),
            Kind::Text { form, .. } => (*form).to_owned(),
            Kind::Days => {
                let days = WEEK.map(|(day, _)| day).join(", ");
                format!("[\"mon\", \"tue\"] with any of {days}")
            }
        }
    }

    /// What to do about a value that cannot be read.
    pub fn fix(&self) -> String {
        let allowed = self.allowed();
        match allowed.starts_with(char::is_alphabetic) {
            true => format!("write {allowed}"),
            false => format!("write {} = {allowed}", self.name),
        }
    }

    /// The value that holds where nothing is written, as TOML; `None` where the key sets no field
    /// by itself.
    pub fn default(&self) -> Option<String> {
        self.held_by(&Policy::DEFAULT)
    }

    /// Whether it sets a field of a policy by itself.
    pub fn is_setting(&self) -> bool {
        self.default().is_some()
    }

    /// The value that a policy has, as TOML; `None` where the key sets no field by itself.
    pub fn held_by(&self, policy: &Policy) -> Option<String> {
        let mut policy = policy.clone();
        Some(match &self.kind {
            Kind::Choice(choices) => {
                let held = choices.iter().find(|choice| {
                    let mut set = policy.clone();
                    (choice.set)(&mut set);
                    set == policy
                });
                format!("{:?}", held?.word)
            }
            Kind::Shards(field) => field(&mut policy).to_string(),
            Kind::Whole { field, .. } => field(&mut policy).to_string(),
            Kind::Percent { field, .. } => format!("{:.0}", field(&mut policy).get() * 100.0),
            Kind::Dollars { field, .. } => format!("{:.2}", field(&mut policy).get()),
            Kind::Price { units, field, .. } => {
                // A price of one unit times a million is not the round number that was written.
                let nanos = (*field(&mut policy) * units * 1e9).round();
                (nanos / 1e9).to_string()
            }
            Kind::Consumers(field) => {
                let names: Vec<String> =
                    field(&mut policy).iter().map(|name| format!("{:?}", name.as_str())).collect();
                format!("[{}]", names.join(", "))
            }
            Kind::Version
            | Kind::Table(_)
            | Kind::Tables(_)
            | Kind::Text { .. }
            | Kind::Days
            | Kind::ShardCount => return None,
        })
    }
}

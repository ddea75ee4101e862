//! Reads a policy file: TOML in, policies and every fault out.
//!
//! A faulty entry is kept as faulty, so that its streams are left alone and not given the next
//! entry's policy; sound entries of the same file stay in force.
//!
//! Not here: which keys there are, and what may be written for each (`policy::keys`).

mod schedule;
mod settings;
mod time;

use std::ops::Range;

use toml_span::de_helpers::TableHelper;
use toml_span::value::{Value, ValueInner};

use super::keys::{self, Key, KeyTable};
use super::{Entry, Fault, Pattern, Policy, PolicySet};

/// Reads the text of one policy file. `file` names it in faults.
///
/// All faults are found at once, in the order of the text. An entry with a fault governs its
/// streams as faulty, and so does the whole file where it cannot be told which entry has it.
///
/// ```
/// use weir_core::policy::{self, Governance};
/// use weir_core::units::StreamName;
///
/// let text = r#"
/// version = 1
/// [[streams]]
/// match = "orders-*"
/// max_shards = 64
/// [[streams]]
/// match = "*"
/// max_shard = 8
/// "#;
/// let (policies, faults) = policy::parse("streams.toml", text);
/// assert_eq!(
///     faults[0].to_string(),
///     "streams.toml:8:1: max_shard is not a key of [[streams]]; did you mean max_shards?"
/// );
///
/// let orders = StreamName::new("orders-eu")?;
/// let Governance::By(policy) = policies.governing(&orders) else { panic!("{faults:?}") };
/// assert_eq!(policy.bounds.max().get(), 64);
/// assert_eq!(policies.governing(&StreamName::new("clicks")?), Governance::Faulty);
/// # Ok::<(), weir_core::units::NotAStreamName>(())
/// ```
pub fn parse(file: &str, text: &str) -> (PolicySet, Vec<Fault>) {
    let mut parser = Parser { file, text, faults: Vec::new() };
    let entries = parser.file();
    parser.faults.sort_by_key(|fault| fault.span.start);
    (PolicySet { entries, incomplete: false }, parser.faults)
}

struct Parser<'a> {
    file: &'a str,
    text: &'a str,
    faults: Vec<Fault>,
}

impl Parser<'_> {
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
        self.version(&mut table);
        let mut defaults = Policy::DEFAULT;
        for (name, of) in [("prices", &keys::PRICES), ("defaults", &keys::DEFAULTS)] {
            let Some((_, mut value)) = table.take(name) else { continue };
            let Some(mut table) = self.table(&mut value, name) else { continue };
            self.settings(&mut table, of, &mut defaults);
            self.refuse_unknown(table, of);
        }
        let head_sound = self.faults.is_empty();
        let entries = match table.take("streams") {
            None => {
                let fix = "add [[streams]] with match = \"name\"";
                self.fault(0..0, "no [[streams]] in this file", fix);
                vec![everything_faulty()]
            }
            Some((_, mut value)) => self.streams(&mut value, &defaults, head_sound),
        };
        self.refuse_unknown(table, &keys::FILE);
        entries
    }

    fn version(&mut self, table: &mut TableHelper<'_>) {
        let fix = format!("write version = {} at the top of the file", keys::VERSION);
        match table.take("version") {
            Some((_, value)) if value.as_integer() == Some(i64::from(keys::VERSION)) => {}
            Some((_, value)) => {
                let message = "this version of the policy language is not known";
                self.fault(value.span.into(), message, fix);
            }
            None => self.fault(0..0, "the file does not say its version", fix),
        }
    }

    fn streams(&mut self, value: &mut Value<'_>, defaults: &Policy, sound: bool) -> Vec<Entry> {
        let span = value.span.into();
        let ValueInner::Array(items) = value.take() else {
            let fix = "write [[streams]] with two brackets";
            self.fault(span, "streams is not a list of tables", fix);
            return vec![everything_faulty()];
        };
        items.into_iter().map(|mut item| self.stream(&mut item, defaults, sound)).collect()
    }

    fn stream(&mut self, item: &mut Value<'_>, defaults: &Policy, head_sound: bool) -> Entry {
        let span = item.span.into();
        let Some(mut table) = self.table(item, "an entry of streams") else {
            return everything_faulty();
        };
        let faults_before = self.faults.len();
        let pattern = self.pattern(&mut table, span);
        let mut policy = defaults.clone();
        self.settings(&mut table, &keys::STREAMS, &mut policy);
        policy.schedules = self.schedules(&mut table, &policy);
        self.refuse_unknown(table, &keys::STREAMS);
        let sound = head_sound && self.faults.len() == faults_before;
        match pattern {
            Some(pattern) => Entry { pattern, policy: sound.then_some(policy) },
            None => everything_faulty(),
        }
    }

    fn pattern(&mut self, table: &mut TableHelper<'_>, entry: Range<usize>) -> Option<Pattern> {
        let missing = "this entry does not say which streams it is for";
        let value = self.required(table, &keys::STREAMS, "match", &entry, missing)?;
        let pattern = value.as_str().and_then(Pattern::new);
        if pattern.is_none() {
            let fix = fix(&keys::STREAMS, "match");
            self.fault(value.span.into(), "no stream can have such a name", fix);
        }
        pattern
    }

    fn table<'de>(&mut self, value: &mut Value<'de>, what: &str) -> Option<TableHelper<'de>> {
        let span = value.span.into();
        let table = TableHelper::new(value).ok();
        if table.is_none() {
            let fix = "write key = value lines under it";
            self.fault(span, format!("{what} is not a table"), fix);
        }
        table
    }

    /// The value of a key of `of`; a fault saying that it is `missing` at `place` where there is
    /// none.
    fn required<'de>(
        &mut self,
        table: &mut TableHelper<'de>,
        of: &KeyTable,
        key: &'static str,
        place: &Range<usize>,
        missing: &str,
    ) -> Option<Value<'de>> {
        let found = table.take(key);
        if found.is_none() {
            self.fault(place.clone(), missing, fix(of, key));
        }
        found.map(|(_, value)| value)
    }

    /// Whatever was not asked for is a fault: a misspelt key must not be passed over.
    fn refuse_unknown(&mut self, table: TableHelper<'_>, of: &KeyTable) {
        for key in table.table.into_keys() {
            let message = format!("{} is not a key of {}", key.name, of.place);
            let fix = match nearest(&key.name, of) {
                Some(near) => format!("did you mean {}?", near.name),
                None => {
                    let known: Vec<&str> = of.all_keys().map(|key| key.name).collect();
                    format!("use one of {}", known.join(", "))
                }
            };
            self.fault(key.span.into(), message, fix);
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

/// What to do about a value of this key.
fn fix(of: &KeyTable, key: &str) -> String {
    of.key(key).map_or_else(String::new, Key::fix)
}

/// The key that a misspelt one was probably meant to be.
fn nearest(written: &str, of: &KeyTable) -> Option<&'static Key> {
    let edits_max = written.len().div_ceil(4).min(3);
    of.all_keys()
        .map(|key| (edits(written, key.name), key))
        .filter(|(edits, _)| *edits <= edits_max)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, key)| key)
}

/// How many characters to add, drop or change to make one text the other (Levenshtein distance).
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut before = line;
        let mut left = line + 1;
        row[0] = left;
        for (cell, b) in row[1..].iter_mut().zip(to.chars()) {
            left = (before + usize::from(a != b)).min(*cell + 1).min(left + 1);
            before = std::mem::replace(cell, left);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// What cannot be read might have meant any stream: all that no earlier entry names are left as
/// they are.
pub(super) fn everything_faulty() -> Entry {
    Entry { pattern: Pattern("*".to_owned()), policy: None }
}

#[cfg(test)]
mod tests;

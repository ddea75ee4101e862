//! What is written for people and editors from the rows of the policy language: the reference page,
//! the JSON Schema and the sample. Not here: the rows (`weir_core::policy::keys`).

use std::fmt::Write;
use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};
use weir_core::policy::keys::{self, Key, KeyTable, Kind, SHARD_COUNTS, VERSION, WEEK};
use weir_core::policy::{self, Policy, PolicySet};

use crate::pages::same_or_bless;

const PAGE: &str = "docs/policy.md";
const SCHEMA: &str = "docs/policy.schema.json";
const SAMPLE: &str = "infra/policies/weir/policies/streams.toml";
const COLUMNS: usize = 100;

#[test]
fn the_policy_reference_says_what_the_code_says() {
    same_or_bless(PAGE, &page());
}

#[test]
fn the_policy_schema_says_what_the_code_says() {
    let text = serde_json::to_string_pretty(&schema()).unwrap_or_default();
    same_or_bless(SCHEMA, &(text + "\n"));
}

#[test]
fn the_sample_policy_says_what_the_code_says() {
    same_or_bless(SAMPLE, &sample());
}

/// It can be deployed as it is, and changes nothing; so can its prices, which stand in comments: in
/// force, they would hide the list of an account with Advantage.
#[test]
fn the_sample_policy_states_the_defaults() {
    let sample = sample();
    let with_prices: String = sample
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(price) if !price.starts_with(' ') && price.contains("_usd = ") => price,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let prices = keys::PRICES.keys.iter().filter(|key| matches!(key.kind, Kind::Price { .. }));
    for key in prices {
        assert!(with_prices.contains(&format!("\n{} = ", key.name)), "{}", key.name);
    }
    for text in [sample, with_prices] {
        let stated = policy::parse("the sample", &text);
        assert_eq!(stated, (PolicySet::of_all_streams(Policy::DEFAULT), Vec::new()));
    }
}

/// The reference page.
fn page() -> String {
    let mut page = format!(
        "# Policies\n\n<!-- Generated from shared/core/src/policy/keys.rs by tests/house: \
         WEIR_BLESS=1 cargo test -p weir-house -->\n\n{}\n\n{}\n",
        "A policy says what you want of your streams. Policies are TOML files: every `*.toml` of a \
         folder, in the order of their names. `weir check FILE…` finds every fault in them, with \
         line and fix. An entry with a fault leaves its streams as they are, and no later entry \
         takes them over. [The sample](../infra/policies/weir/policies/streams.toml) can be \
         deployed as it is.",
        "An editor explains and completes the keys by the [JSON Schema](policy.schema.json), which \
         `weir schema` prints too. With a language server for TOML, such as taplo (in Visual \
         Studio Code: Even Better TOML), name it in the file's first line, as a URL or a path from \
         the file:\n\n```toml\n#:schema ./policy.schema.json\n```\n\nThe schema knows each key by \
         itself; what depends on another key only `weir check` knows.",
    );
    let mut explained: Vec<&Key> = Vec::new();
    for table in [&keys::FILE, &keys::PRICES, &keys::DEFAULTS, &keys::STREAMS, &keys::SCHEDULE] {
        let heading = match table.place.starts_with('[') {
            true => format!("`{}`", table.place),
            false => "A policy file".to_owned(),
        };
        let _ = write!(page, "\n## {heading}\n\n{}\n", table.does);
        for key in table.all_keys().filter(|key| !is_table(key)) {
            if explained.iter().any(|known| std::ptr::eq(*known, key)) {
                continue;
            }
            explained.push(key);
            let _ = write!(page, "\n### `{}`\n\n{}\n\n", key.name, key.does);
            if let Kind::Choice(choices) = &key.kind {
                for choice in *choices {
                    let _ = writeln!(page, "* `\"{}\"`: {}", choice.word, choice.means);
                }
                page.push('\n');
            }
            let _ = writeln!(page, "{}{}", values(key), necessity(table, key));
        }
        if std::ptr::eq(table, &keys::STREAMS) {
            page.push_str("\nAll keys of `[defaults]` may be written here too.\n");
        }
        if !table.example.is_empty() {
            let _ = write!(page, "\n```toml\n{}```\n", table.example);
        }
    }
    page
}

fn is_table(key: &Key) -> bool {
    matches!(key.kind, Kind::Table(_) | Kind::Tables(_))
}

/// What may be written for a key, and what holds if nothing is.
fn values(key: &Key) -> String {
    let allowed = key.allowed();
    let values = match &key.kind {
        Kind::Shards(_) | Kind::ShardCount => format!("Shards: {allowed}."),
        Kind::Whole { unit, .. } => format!("{unit}: {allowed}."),
        Kind::Percent { .. } => format!("Percent: {allowed}."),
        Kind::Dollars { .. } | Kind::Price { .. } => format!("US {allowed}."),
        Kind::Consumers(_) => format!("Names: {allowed}."),
        Kind::Choice(_) => format!("One of {allowed}."),
        Kind::Version | Kind::Text { .. } | Kind::Days => format!("Write {allowed}."),
        Kind::Table(_) | Kind::Tables(_) => String::new(),
    };
    match key.default() {
        Some(default) => format!("{values} Default: {default}."),
        None => values,
    }
}

/// Whether a key must be written.
fn necessity(table: &KeyTable, key: &Key) -> String {
    let Some(group) = table.required.iter().find(|group| group.contains(&key.name)) else {
        return String::new();
    };
    let others: Vec<String> = group
        .iter()
        .filter(|other| **other != key.name)
        .map(|other| format!(", or `{other}` in its place"))
        .collect();
    format!(" Required{}.", others.concat())
}

/// The JSON Schema of a policy file. Its keywords mean the same from draft 4 to 2020-12, since
/// editors differ in what they know.
fn schema() -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("Weir policy file"));
    if let Value::Object(file) = of_table(&keys::FILE) {
        schema.extend(file);
    }
    let shared = keys::DEFAULTS.settings.iter().copied().flatten();
    let shared: Map<String, Value> = shared.map(|key| (key.name.to_owned(), of_key(key))).collect();
    schema.insert("$defs".to_owned(), Value::Object(shared));
    Value::Object(schema)
}

fn of_table(table: &KeyTable) -> Value {
    let own = table.keys.iter().map(|key| (key.name.to_owned(), of_key(key)));
    let shared = table
        .settings
        .iter()
        .copied()
        .flatten()
        .map(|key| (key.name.to_owned(), json!({ "$ref": format!("#/$defs/{}", key.name) })));
    let properties: Map<String, Value> = own.chain(shared).collect();
    let (single, several): (Vec<&[&str]>, Vec<&[&str]>) =
        table.required.iter().partition(|group| group.len() == 1);
    let mut schema = json!({
        "description": table.does,
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if !single.is_empty() {
        schema["required"] = json!(single.concat());
    }
    if let [group] = several.as_slice() {
        let each = |key: &&str| json!({ "required": [key] });
        schema["oneOf"] = json!(group.iter().map(each).collect::<Vec<_>>());
    }
    schema
}

fn of_key(key: &Key) -> Value {
    let mut does = key.does.to_owned();
    let mut schema = match &key.kind {
        Kind::Choice(choices) => {
            for choice in *choices {
                let _ = write!(does, "\n\"{}\": {}", choice.word, choice.means);
            }
            let words: Vec<&str> = choices.iter().map(|choice| choice.word).collect();
            json!({ "type": "string", "enum": words })
        }
        Kind::Shards(_) | Kind::ShardCount => whole(&SHARD_COUNTS),
        Kind::Whole { range, .. } | Kind::Percent { range, .. } => whole(range),
        Kind::Dollars { range, .. } | Kind::Price { range, .. } => {
            json!({ "type": "number", "minimum": range.start(), "maximum": range.end() })
        }
        Kind::Consumers(_) => json!({
            "type": "array",
            "items": { "type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,256}$" },
        }),
        Kind::Version => json!({ "type": "integer", "enum": [VERSION] }),
        Kind::Table(table) => return of_table(table),
        Kind::Tables(table) => {
            return json!({ "type": "array", "items": of_table(table) });
        }
        Kind::Text { pattern, example, .. } => {
            json!({ "type": "string", "pattern": pattern, "examples": [example] })
        }
        Kind::Days => json!({
            "type": "array",
            "minItems": 1,
            "items": { "type": "string", "enum": WEEK.map(|(day, _)| day) },
        }),
    };
    schema["description"] = json!(does);
    if let Some(default) = key.default() {
        // What is a default in TOML is the same in JSON.
        schema["default"] = serde_json::from_str(&default).unwrap_or(json!(default));
    }
    schema
}

fn whole(range: &RangeInclusive<u32>) -> Value {
    json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() })
}

/// The sample: a policy that states every default, and explains it.
fn sample() -> String {
    let mut sample = String::from("#:schema ../../../../docs/policy.schema.json\n#\n");
    let head = [
        "What you want of your streams. The values below are Weir's own defaults (docs/policy.md), \
         with which nothing is changed. Weir reads this file at the start of each function; check \
         a change before you deploy it:",
        "    weir check infra/policies/weir/policies",
        "Where it goes: infra/policies becomes a Lambda layer, and a layer is unpacked under /opt, \
         so the functions find this file as /opt/weir/policies/streams.toml. Add as many files as \
         you like beside it; each is complete in itself. They are read in the order of their \
         names.",
        "Faults: an entry with a fault leaves its streams as they are, and no later entry takes \
         them over. A file that is no TOML at all might have meant any stream, so it does that to \
         every stream that no earlier file names. A key that is not listed here is a fault, so \
         that a misspelt one is not passed over.",
    ];
    sample.push_str(&head.map(|paragraph| comment(paragraph, "")).join("#\n"));
    for key in keys::FILE.keys {
        match key.kind {
            Kind::Table(table) => {
                let _ = write!(sample, "\n{}{}\n", comment(table.does, ""), table.place);
                for key in table.all_keys() {
                    sample.push_str(&explained(key));
                }
            }
            Kind::Tables(table) => sample.push_str(&listed(table)),
            _ => {
                let does = format!("{} {}", key.does, values(key));
                let _ = write!(sample, "\n{}{} = {VERSION}\n", comment(&does, ""), key.name);
            }
        }
    }
    sample.push_str(
        "\n# Every other stream of the account and region: watched, and left alone.\n\
         [[streams]]\nmatch = \"*\"\n",
    );
    sample
}

/// A setting with its default. A price stands in a comment: the list holds.
fn explained(key: &Key) -> String {
    let mut text = String::from("\n");
    match &key.kind {
        Kind::Choice(choices) => {
            text.push_str(&comment(key.does, ""));
            let width = choices.iter().map(|choice| choice.word.len() + 2).max().unwrap_or(0);
            for choice in *choices {
                let default = key.default() == Some(format!("{:?}", choice.word));
                let default = if default { " (default)" } else { "" };
                let word = format!("{:width$}", format!("{:?}", choice.word));
                text.push_str(&comment(&format!("{}{default}", choice.means), &word));
            }
        }
        _ => text.push_str(&comment(&format!("{} {}", key.does, values(key)), "")),
    }
    let off = if matches!(key.kind, Kind::Price { .. }) { "# " } else { "" };
    let _ = writeln!(text, "{off}{} = {}", key.name, key.default().unwrap_or_default());
    text
}

/// A list of tables with its own keys and its example, then the lists within it: all in comments.
fn listed(table: &KeyTable) -> String {
    let mut text = format!("\n{}#\n", comment(table.does, ""));
    let keys = || table.keys.iter().filter(|key| !is_table(key));
    let width = keys().map(|key| key.name.len()).max().unwrap_or(0);
    for key in keys() {
        let name = format!("{:width$}", key.name);
        text.push_str(&comment(&format!("{} {}", key.does, values(key)), &name));
    }
    text.push_str("#\n");
    for line in table.example.lines() {
        text.push_str(format!("#     {line}").trim_end());
        text.push('\n');
    }
    for key in table.keys {
        if let Kind::Tables(inner) = key.kind {
            text.push_str(&listed(inner));
        }
    }
    text
}

/// A text as a comment in lines; with a word before it, in a column of its own.
fn comment(text: &str, word: &str) -> String {
    if text.starts_with(' ') {
        return format!("# {text}\n");
    }
    let (first, others) = match word {
        "" => ("# ".to_owned(), "# ".to_owned()),
        _ => (format!("#   {word}  "), format!("#   {:1$}", "", word.len() + 2)),
    };
    let mut lines = String::new();
    let mut line = first;
    let mut empty = true;
    for part in text.split(' ') {
        if !empty && line.chars().count() + 1 + part.chars().count() > COLUMNS {
            lines.push_str(&line);
            lines.push('\n');
            line = others.clone();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(part);
        empty = false;
    }
    lines + &line + "\n"
}

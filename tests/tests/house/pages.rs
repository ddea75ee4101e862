//! Pages and policies that say what the code says.

use std::fmt::Write;
use std::fs;

use weir_core::policy::{self, Governance, Policy};
use weir_core::reasons::Reason;
use weir_core::units::StreamName;

use crate::files::{files, read, root, shown};

#[test]
fn every_decision_stands_in_the_index() {
    let folder = root().join("docs/decisions");
    let index = read(&folder.join("README.md"));
    let mut numbers = Vec::new();
    for file in files(&folder).iter().filter(|file| !file.ends_with("README.md")) {
        let name = shown(file).rsplit('/').next().unwrap_or_default().to_owned();
        assert!(
            index.contains(&format!("]({name})")),
            "docs/decisions/README.md does not list {name}: add a line with a link to it"
        );
        let text = read(file);
        for heading in ["## Context", "## Decision", "## Consequences"] {
            assert!(text.contains(heading), "{}: {heading} is missing", shown(file));
        }
        numbers.push(name.chars().take_while(char::is_ascii_digit).collect::<String>());
    }
    let expected: Vec<String> = (0..numbers.len()).map(|number| format!("{number:04}")).collect();
    assert_eq!(
        numbers, expected,
        "decisions are numbered one by one; a number is never used again"
    );
}

#[test]
fn the_reason_reference_says_what_the_code_says() {
    let mut page = String::from(
        "# Reasons\n\n<!-- Generated from shared/core/src/reasons.rs by tests/tests/house: \
         WEIR_BLESS=1 cargo test -p weir-tests --test house -->\n\n\
         Every time Weir holds back, holds still or turns a plan down, it gives one of these codes: in its \
         events, its log and the ledger. A code never changes its meaning.\n\n\
         | code | what it means | what you can do |\n|---|---|---|\n",
    );
    for reason in Reason::ALL {
        let (code, meaning, remedy) = (reason.code(), reason.meaning(), reason.remedy());
        let _ = writeln!(page, "| `{code}` | {meaning} | {remedy} |");
    }
    same_or_bless("docs/reasons.md", &page);
}

#[test]
fn the_examples_of_messages_are_what_is_sent() {
    let page = read(&root().join("docs/alerts.md"));
    let sent = read(&root().join("shared/control/tests/snapshots/messages__lambda_lag.snap"));
    let blocks = page.split("\n```").skip(1).step_by(2);
    let examples: Vec<&str> = blocks
        .filter_map(|block| block.strip_prefix("text\n").or(block.strip_prefix("json\n")))
        .collect();
    assert_eq!(examples.len(), 5, "docs/alerts.md: one example of each form");
    for example in examples {
        assert!(sent.contains(example), "docs/alerts.md: nobody gets this any more:\n{example}");
    }
}

/// Whoever is woken by a message finds what to do under its own words.
#[test]
fn the_operating_guide_knows_every_message() {
    let guide = read(&root().join("docs/operating.md"));
    let mut found = 0;
    for file in files(&root().join("shared/control/tests/snapshots")) {
        let text = read(&file);
        let subject =
            text.lines().find_map(|line| line.strip_prefix("subject (")?.split_once("): "));
        let Some((severity, what)) = subject.and_then(|(_, subject)| subject.split_once(": "))
        else {
            continue;
        };
        let what = what.split(", ").next().unwrap_or_default();
        let what = what.split_once(" of orders ").map_or(what, |(_, what)| what);
        let what = what.replace("Weir on orders ", "");
        if ["PAGE", "NOTICE"].contains(&severity) {
            assert!(guide.contains(&what), "docs/operating.md: say what to do when {what:?}");
            found += 1;
        }
    }
    assert!(found >= 9, "subjects are written in another way than they are read: {found}");
}

#[test]
fn the_changelog_knows_this_version() {
    let heading = format!("## {}", env!("CARGO_PKG_VERSION"));
    assert!(read(&root().join("CHANGELOG.md")).contains(&heading), "CHANGELOG.md: add {heading}");
}

#[test]
fn the_policies_are_sound_and_the_sample_explains_every_key() {
    let folder = root().join("infra/policies/weir/policies");
    let (mut all, mut policies) = (String::new(), policy::PolicySet::default());
    for file in files(&folder) {
        let text = read(&file);
        let (set, faults) = policy::parse(&shown(&file), &text);
        assert!(
            faults.is_empty(),
            "mend the policies:\n{}",
            faults.iter().map(|fault| format!("{fault}\n")).collect::<String>()
        );
        policies.extend(set);
        all.push_str(&text);
    }
    let probe = "version = 1\n[prices]\nno_key = 1\n[[streams]]\nmatch = \"*\"\nno_key = 1\n\
                 [[streams.schedule]]\nno_key = 1\n";
    let (_, faults) = policy::parse("a probe", probe);
    let known: Vec<&str> = faults
        .iter()
        .filter_map(|fault| fault.fix.strip_prefix("use one of "))
        .flat_map(|keys| keys.split(", "))
        .collect();
    assert!(["match", "time_zone", "in_gb_usd"].iter().all(|key| known.contains(key)), "{known:?}");
    for key in known {
        let explained = [format!("{key} ="), format!(".{key}]]")];
        let explained = explained.iter().any(|text| all.contains(text));
        assert!(explained, "{}: explain the key {key}", shown(&folder));
    }
    let any = StreamName::new("any").ok();
    let governing = any.as_ref().map(|stream| policies.governing(stream));
    assert_eq!(
        governing,
        Some(Governance::By(&Policy::DEFAULT)),
        "{}: state the values that hold by default, so that the page cannot go stale",
        shown(&folder)
    );
}

/// They stand in comments: in force, they would hide the list of an account with Advantage.
#[test]
fn the_prices_that_the_sample_lists_are_those_that_hold() {
    let sample = read(&root().join("infra/policies/weir/policies/streams.toml"));
    let listed: Vec<&str> = sample
        .lines()
        .filter_map(|line| line.strip_prefix("#     "))
        .filter(|line| line.contains("_usd = ") && line.contains(" # "))
        .collect();
    assert_eq!(listed.len(), 7, "{listed:?}");
    let text =
        format!("version = 1\n[prices]\n{}\n[[streams]]\nmatch = \"*\"\n", listed.join("\n"));
    let stated = policy::parse("the sample's prices", &text);
    assert_eq!(stated, (policy::PolicySet::of_all_streams(Policy::DEFAULT), Vec::new()));
}

pub(crate) fn same_or_bless(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("WEIR_BLESS").is_some() {
        fs::write(&file, expected).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    assert!(
        fs::read_to_string(&file).is_ok_and(|found| found == expected),
        "{path} is not what the code says: run WEIR_BLESS=1 cargo test -p weir-tests --test house"
    );
}

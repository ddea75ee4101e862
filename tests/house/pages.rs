//! Pages that say what the code says. Not here: those about policies (`policy_pages`).

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use weir_core::reasons::{Reason, ReasonKind, Reporting};

use crate::crates::{Package, packages};
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
    let taken: BTreeSet<&String> = numbers.iter().collect();
    assert_eq!(taken.len(), numbers.len(), "a number is used once, and never again: {numbers:?}");
}

#[test]
fn the_reason_reference_says_what_the_code_says() {
    let mut page = String::from(
        "# Reasons\n\n<!-- Generated from shared/core/src/reasons.rs by tests/house: \
         WEIR_BLESS=1 cargo test -p weir-house -->\n\n\
         Every time Weir holds back, holds still or turns a plan down, it gives one of these codes: in its \
         events, its log and the ledger. A code never changes its meaning.\n\n\
         What it is given for: a *clamp* changes the size asked for, a *hold* is why a plan changes nothing, a \
         *refusal* is an order turned down, a *skip* an event or a stream without a plan, a *failure* one of \
         Weir's own, a *silence* a failure of which nothing is told. Who hears of it, besides the log: *event* \
         is subscribers of Weir's events, *incident* people as well.\n\n\
         | code | given for | what it means | what you can do |\n|---|---|---|---|\n",
    );
    for reason in Reason::ALL {
        let (code, meaning, remedy) = (reason.code(), reason.meaning(), reason.remedy());
        let kinds: Vec<String> = reason.kinds().iter().map(given_for).collect();
        let _ = writeln!(page, "| `{code}` | {} | {meaning} | {remedy} |", kinds.join(", "));
    }
    same_or_bless("docs/reasons.md", &page);
}

fn given_for((kind, reporting): &(ReasonKind, Reporting)) -> String {
    let kind = match kind {
        ReasonKind::Clamp => "clamp",
        ReasonKind::Hold => "hold",
        ReasonKind::Refusal => "refusal",
        ReasonKind::Skip => "skip",
        ReasonKind::Failure => "failure",
        ReasonKind::Silence => "silence",
    };
    match reporting {
        Reporting::Momentary | Reporting::Log => kind.to_owned(),
        Reporting::Event => format!("{kind} (event)"),
        Reporting::Incident => format!("{kind} (incident)"),
    }
}

#[test]
fn the_guides_name_what_there_is() {
    let rooms = ["shared/", "functions/", "infra/", "tests/", "docs/", ".ci/"];
    let mut found = 0;
    for page in ["README.md", "CONTRIBUTING.md", "docs/architecture.md"] {
        let text = read(&root().join(page));
        for name in text.split('`').skip(1).step_by(2).flat_map(str::split_whitespace) {
            if rooms.iter().any(|room| name.starts_with(room)) && !name.contains('*') {
                assert!(root().join(name).exists(), "{page}: there is no {name}");
                found += 1;
            }
        }
    }
    assert!(found > 20, "paths are written in another way than they are read: {found}");
}

#[test]
fn each_crate_says_what_it_is() {
    for Package { name, folder, description, .. } in packages() {
        let root = "../".repeat(folder.split('/').count());
        assert!(!description.is_empty(), "{folder}/Cargo.toml: a description is missing");
        let page = format!(
            "# {name}\n\n{description}. Its place among the others: \
             [architecture]({root}docs/architecture.md).\n"
        );
        same_or_bless(&format!("{folder}/README.md"), &page);
    }
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

pub(crate) fn same_or_bless(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("WEIR_BLESS").is_some() {
        fs::write(&file, expected).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    assert!(
        fs::read_to_string(&file).is_ok_and(|found| found == expected),
        "{path} is not what the code says: run WEIR_BLESS=1 cargo test -p weir-house"
    );
}

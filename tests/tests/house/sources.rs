//! What a source file is.

use std::path::PathBuf;

use crate::files::{files, read, root, shown};

const FILE_LINES_MAX: usize = 500;

/// What pure code does not name, and what it takes instead.
const IMPURE: [(&str, &str); 7] = [
    ("SystemTime", "take the time as an argument"),
    ("Instant", "take the time as an argument"),
    ("Timestamp::now", "take the time as an argument"),
    ("std::env", "take the setting as an argument"),
    ("std::fs", "take the text as an argument"),
    ("tokio", "return a value; waiting is the caller's business"),
    ("fastrand", "take the number as an argument"),
];

#[test]
fn every_source_file_begins_with_what_it_is() {
    let faults = sources(&["rs"])
        .into_iter()
        .filter(|file| !read(file).starts_with("//!"))
        .map(|file| shown(&file));
    none(faults, "begin each with a //! line that says what is here and what is not");
}

#[test]
fn no_source_file_is_long() {
    let faults = sources(&["rs", "py"])
        .into_iter()
        .map(|file| (shown(&file), read(&file).lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(file, lines)| format!("{file}: {lines} lines"));
    none(faults, &format!("{FILE_LINES_MAX} lines are allowed: take a part out"));
}

#[test]
fn nothing_is_left_for_later() {
    // Taken apart, or this file would find itself.
    let marks = [
        concat!("to", "do!"),
        concat!("unimpl", "emented!"),
        concat!("#[ig", "nore"),
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
    ];
    none(found(&["rs", "py"], "", &marks), "do it, or leave it out");
}

#[test]
fn core_names_nothing_impure() {
    for (name, instead) in IMPURE {
        none(found(&["rs"], "shared/core/src/", &[name]), &format!("{name}: {instead}"));
    }
}

/// All faults at once, and what to do about them.
fn none(faults: impl IntoIterator<Item = String>, remedy: &str) {
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "{remedy}:\n{}", faults.join("\n"));
}

/// The places in a room where one of the words stands.
fn found(extensions: &[&str], room: &str, words: &[&str]) -> Vec<String> {
    let mut places = Vec::new();
    for file in sources(extensions).iter().filter(|file| shown(file).starts_with(room)) {
        for (number, line) in read(file).lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                places.push(format!("{}:{}: {}", shown(file), number + 1, line.trim()));
            }
        }
    }
    places
}

fn sources(extensions: &[&str]) -> Vec<PathBuf> {
    let rooms = ["shared", "functions", "infra", "tests", ".ci"];
    let mut found: Vec<PathBuf> = rooms.iter().flat_map(|room| files(&root().join(room))).collect();
    found.retain(|file| {
        let extension = file.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    });
    assert!(!found.is_empty(), "no source files under {}", root().display());
    found
}

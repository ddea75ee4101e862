//! Every event shape that can wake a function, read from fixtures: what is understood of it, or the
//! fault.

#![allow(clippy::expect_used, clippy::print_stdout)] // the lint's own exception reaches test functions only

use std::fs;
use std::path::Path;

use serde_json::Value;
use weir_control::incoming::Incoming;

fn fixtures(folder: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut found: Vec<(String, Value)> = fs::read_dir(&folder)
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a fixture");
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, serde_json::from_str(&text).expect("JSON"))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn every_real_shape_is_understood() {
    for (name, event) in fixtures("incoming") {
        let incoming = Incoming::read(&event).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        insta::assert_debug_snapshot!(name, incoming);
    }
}

#[test]
fn what_cannot_be_read_says_where_and_why() {
    let faults: Vec<String> = fixtures("incoming/faulty")
        .into_iter()
        .map(|(name, event)| {
            let fault = Incoming::read(&event).expect_err(&name);
            format!("{name}\n    {fault}")
        })
        .collect();
    insta::assert_snapshot!("faults", faults.join("\n"));
}

/// Shapes kept outside the repo, where they are there: the same reader must take them all.
#[test]
fn recorded_events_outside_the_repo_are_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/sample_events");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: no ../shared/sample_events here");
        return;
    };
    let mut read = 0;
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        let text = fs::read_to_string(&path).expect("an event");
        let event: Value = serde_json::from_str(&text).expect("JSON");
        if event.get("NewStateValue").is_some() {
            continue; // an SNS message: what pagers receive, not what wakes a function
        }
        let incoming = Incoming::read(&event).unwrap_or_else(|f| panic!("{}: {f}", path.display()));
        assert!(matches!(incoming, Incoming::Alarm(_)), "{}: {incoming:?}", path.display());
        read += 1;
    }
    assert!(read > 0, "no events in {}", folder.display());
}

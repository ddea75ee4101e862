//! The page of a backtest in a real browser: it draws without an error and without the network, in
//! light and dark, wide and narrow, and is used by mouse and by keyboard.

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use weir_tests::{Result, World, look_at_page};

const MIB_MINUTE: f64 = 60.0 * 1_048_576.0;
const DAYS: i32 = 6;
const DAY_MINUTES: i32 = 24 * 60;

/// Days and nights, on the fifth a crowd that nobody foresaw, and half an hour without data.
fn recording() -> String {
    let first = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 20_759);
    let row = |minute: i32| {
        let at = first + SignedDuration::from_mins(minute.into());
        if (4_000..4_030).contains(&minute) {
            return format!("{at},,\n");
        }
        let hour = f64::from(minute % DAY_MINUTES) / 60.0;
        let crowd = match minute - 4 * DAY_MINUTES - 15 * 60 {
            into @ 0..60 => f64::from(60 - into),
            _ => 0.0,
        };
        let shards = 20.0 + 12.0 * ((hour - 8.0) / 24.0 * std::f64::consts::TAU).sin() + crowd;
        let bytes = shards * MIB_MINUTE;
        format!("{at},{bytes:.0},{:.0}\n", bytes / 2_000.0)
    };
    let rows: String = (0..DAYS * DAY_MINUTES).map(row).collect();
    format!("timestamp,incoming_bytes,incoming_records\n{rows}")
}

fn page(folder: &Path, more: &[&str]) -> Result<Value> {
    let (trace, html) = (folder.join("orders.csv"), folder.join("page.html"));
    let (trace, html) = (trace.display().to_string(), html.display().to_string());
    let arguments = ["backtest", "--trace", &trace, "--html", &html];
    World::start()?.weir(&[&arguments[..], more].concat(), &[])?;
    look_at_page(&folder.join("page.html"), folder)
}

#[test]
fn the_page_of_a_backtest_is_drawn_and_used_in_a_browser() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("orders.csv"), recording()).expect("a recording");
    let seen = page(folder.path(), &["--initial-shards", "40"])?;
    let none: [Value; 0] = [];
    assert_eq!((&seen["errors"], &seen["requests"]), (&none[..].into(), &none[..].into()));
    let looks = seen["looks"].as_array().expect("looks");
    assert_eq!(looks.len(), 4);
    for look in looks {
        let said = |name: &str| look[name].as_str().unwrap_or_default().to_owned();
        assert!(look["overflow"].as_i64() <= Some(0), "nothing sticks out: {look}");
        // Demand, refusals, calls; and what was learnt, once something was.
        assert!(look["charts"].as_u64() >= Some(3), "{look}");
        assert!(said("pointed").contains("demand "), "the mouse reads a point: {look}");
        assert!(said("shown").contains("shards now"), "a change says why: {look}");
        assert!(said("focused").contains("main"), "the keyboard goes on from there: {look}");
        assert_ne!(said("moved"), said("shown"), "an arrow key moves on: {look}");
        assert_eq!(look["pressed"].as_array().map(Vec::len), Some(1), "a day is shown: {look}");
        assert!(said("named").contains("Left and right"), "it says how it is used: {look}");
    }
    let paper = |scheme: &str| {
        let of = |look: &&Value| look["scheme"] == scheme;
        looks.iter().find(of).map(|look| look["paper"].clone())
    };
    assert_ne!(paper("light"), paper("dark"));
    Ok(())
}

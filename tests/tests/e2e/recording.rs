//! From a stream's history in CloudWatch to a recording: what is missing stays missing, what is
//! there is not asked for again, and a stream without traffic is told as that.

use std::fs;
use std::ops::Range;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use weir_tests::world::Minute;
use weir_tests::{AwsError, Result, World, time};

/// Minutes recorded: more than the day that warms up.
const MINUTES: u16 = 1_700;
/// Of them these are missing: a quarter of an hour.
const GAP: Range<u16> = 700..715;
const GET_METRIC_DATA: &str = "GetMetricData";

/// A stream with a gap in its history, and one without history; the first minute.
fn world() -> Result<(World, Timestamp)> {
    let world = World::start()?;
    let now = time::now();
    let into_minute = SignedDuration::new(now.as_second() % 60, now.subsec_nanosecond());
    let first = now - into_minute - minutes(MINUTES);
    let minute = Minute { throttled_records: 3.0, ..Minute::of(60_000.0, 600.0) };
    world.put_traffic_from("orders", first, &vec![minute; GAP.start.into()])?;
    let after = first + minutes(GAP.end);
    world.put_traffic_from("orders", after, &vec![minute; (MINUTES - GAP.end).into()])?;
    Ok((world, first))
}

fn minutes(count: u16) -> SignedDuration {
    SignedDuration::from_mins(count.into())
}

fn record(world: &World, folder: &Path, more: &[&str]) -> Result<String> {
    let out = folder.display().to_string();
    world.weir(&[&["record", "orders", "--days", "2", "--out", &out], more].concat(), &[])
}

/// The rows of a recording that have bytes, and those that have none.
fn rows(recording: &str) -> (Vec<&str>, Vec<&str>) {
    recording.lines().skip(1).partition(|row| row.split(',').nth(1) != Some(""))
}

#[test]
fn a_streams_history_becomes_a_recording() -> Result<()> {
    let (world, first) = world()?;
    let folder = tempfile::tempdir().expect("a folder");
    let said = record(&world, folder.path(), &[])?;
    assert!(said.contains("every minute"), "{said}");
    let file = folder.path().join("orders.csv");
    let recording = fs::read_to_string(&file).expect("a recording");
    let head = "timestamp,incoming_bytes,incoming_records,throttled_records";
    assert!(recording.starts_with(head), "{}", &recording[..120]);
    let (known, missing) = rows(&recording);
    assert!(known.contains(&&*format!("{first},60000,600,3")), "{:?}", known.first());
    let in_gap = first + minutes(GAP.start);
    assert!(missing.contains(&&*format!("{in_gap},,,")), "{missing:?}");
    // The newest minutes may still change in CloudWatch, and are left to the next time.
    let left = usize::from(MINUTES) - GAP.len() - known.len();
    assert!((2..=5).contains(&left), "{left} minutes are left");
    assert_eq!(known.len() + missing.len(), recording.lines().count() - 1);

    let trace = file.display().to_string();
    let played = world.weir(&["backtest", "--trace", &trace, "--format", "json"], &[])?;
    let missing = format!("\"missing_minutes\":{}", missing.len());
    assert!(played.contains(&missing), "{missing} in {played}");
    Ok(())
}

#[test]
fn a_recording_goes_on_where_it_was() -> Result<()> {
    let (world, _) = world()?;
    let folder = tempfile::tempdir().expect("a folder");
    record(&world, folder.path(), &[])?;
    let file = folder.path().join("orders.csv");
    let whole = fs::read_to_string(&file).expect("a recording");
    let asked = world.proxy().calls_of(GET_METRIC_DATA).len();

    let kept: String = whole.lines().take(1_900).flat_map(|row| [row, "\n"]).collect();
    fs::write(&file, kept).expect("a file");
    world.proxy().forget_calls();
    record(&world, folder.path(), &[])?;
    let again = fs::read_to_string(&file).expect("a recording");
    assert!(again.starts_with(&whole), "what was there is there again");
    assert!(world.proxy().calls_of(GET_METRIC_DATA).len() < asked, "not all was asked for");

    // CloudWatch refuses: what was there is kept.
    let part: String = whole.lines().take(1_000).flat_map(|row| [row, "\n"]).collect();
    fs::write(&file, &part).expect("a file");
    world.proxy().fail_next(1, GET_METRIC_DATA, &AwsError::refusal("AccessDenied", "no"));
    let failed = record(&world, folder.path(), &[]).expect_err("CloudWatch says no").to_string();
    assert!(failed.contains("GetMetricData"), "{failed}");
    assert_eq!(fs::read_to_string(&file).expect("the part"), part);
    Ok(())
}

#[test]
fn a_stream_without_traffic_is_told_with_what_may_be_wrong() -> Result<()> {
    let (world, _) = world()?;
    let folder = tempfile::tempdir().expect("a folder");
    let failed = record(&world, folder.path(), &["ordrs"]).expect_err("no such stream").to_string();
    assert!(failed.contains("CloudWatch has no traffic of ordrs in us-east-1"), "{failed}");
    assert!(folder.path().join("orders.csv").exists(), "the others are recorded all the same");
    assert!(!folder.path().join("ordrs.csv").exists());
    Ok(())
}

#[test]
fn every_stream_of_the_account_is_recorded() -> Result<()> {
    let (world, _) = world()?;
    world.create_stream("orders", 1)?;
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().display().to_string();
    world.weir(&["record", "--all", "--days", "1", "--out", &out], &[])?;
    assert!(folder.path().join("orders.csv").exists());
    Ok(())
}

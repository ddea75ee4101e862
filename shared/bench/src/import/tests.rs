//! Exports of every kind come out as the same recording; faults say where and how.

use super::*;

const RECORDING: &str = "timestamp,incoming_bytes,incoming_records\n\
                         2026-11-02T00:00:00Z,1000,10\n2026-11-02T00:05:00Z,2000,20.5\n\
                         2026-11-02T00:15:00Z,4000,40\n";

/// get-metric-data, newest first.
const DATA: &str = r#"{"MetricDataResults": [
 {"Id": "m1", "Label": "IncomingBytes", "StatusCode": "Complete",
  "Timestamps": ["2026-11-02T00:15:00+00:00", "2026-11-02T00:05:00+00:00", "2026-11-02T00:00:00+00:00"],
  "Values": [4000.0, 2000.0, 1000.0]},
 {"Id": "records", "Label": "of orders", "StatusCode": "Complete",
  "Timestamps": ["2026-11-02T00:15:00Z", "2026-11-02T00:05:00Z"], "Values": [40.0, 20.5]},
 {"Id": "records", "Label": "of orders", "StatusCode": "Complete",
  "Timestamps": [1793577600.0], "Values": [10.0]}], "Messages": []}"#;

/// get-metric-statistics, in no order, a file for each metric.
const BYTES: &str = r#"{"Label": "IncomingBytes", "Datapoints": [
 {"Timestamp": "2026-11-02T00:05:00+00:00", "Sum": 2000.0, "Unit": "Bytes"},
 {"Timestamp": "2026-11-02T00:15:00+00:00", "Sum": 4000.0, "Unit": "Bytes"},
 {"Timestamp": "2026-11-02T00:00:00+00:00", "Sum": 1000.0, "Unit": "Bytes"}]}"#;
const RECORDS: &str = r#"{"Label": "IncomingRecords", "Datapoints": [
 {"Timestamp": "2026-11-02T00:15:00+00:00", "Sum": 40.0, "Unit": "Count"},
 {"Timestamp": "2026-11-02T00:05:00+00:00", "Sum": 20.5, "Unit": "Count"},
 {"Timestamp": "2026-11-02T00:00:00+00:00", "Sum": 10.0, "Unit": "Count"}]}"#;

/// The console's CSV.
const CONSOLE: &str = "Full label,orders IncomingBytes,orders IncomingRecords\n\
                       Label,IncomingBytes,IncomingRecords\n\
                       2026/11/02 00:00:00,1000.0,10.0\n2026/11/02 00:05:00,2000.0,20.5\n\
                       2026/11/02 00:15:00,4000.0,40.0\n";

fn import(texts: &[&str]) -> Result<Imported, TraceFault> {
    let file =
        |(number, text): (usize, &&str)| (format!("export-{number}"), text.as_bytes().to_vec());
    let files: Vec<(String, Vec<u8>)> = texts.iter().enumerate().map(file).collect();
    read(&files, &TimeZone::UTC)
}

/// The only stream's name and recording.
fn recording(texts: &[&str]) -> (Option<String>, String) {
    let imported = import(texts).expect("an import");
    assert_eq!(imported.len(), 1, "{imported:?}");
    let (stream, history) = imported.into_iter().next().expect("one");
    (stream.map(|stream| stream.to_string()), history.to_csv())
}

#[test]
fn every_export_becomes_the_same_recording() {
    let named = Some("orders".to_owned());
    let nameless = (None, RECORDING.to_owned());
    assert_eq!(recording(&[BYTES, RECORDS]), nameless);
    assert_eq!(recording(&[RECORDS, BYTES, BYTES]), nameless);
    assert_eq!(recording(&[RECORDING]), nameless, "a recording stays what it is");
    assert_eq!(recording(&[CONSOLE]), (named, RECORDING.to_owned()));
    let data = import(&[DATA]).expect("an import");
    let csvs: Vec<String> = data.values().map(MetricHistory::to_csv).collect();
    assert_eq!(csvs, [RECORDING]);
    let semicolons = "\u{feff}Time;IncomingBytes;IncomingRecords\r\n\
                      2026-11-02 00:00;1000;10\r\n2026-11-02 00:05;2000;20,5\r\n\
                      1793578500;4000;40\r\n";
    assert_eq!(recording(&[semicolons]), nameless);
}

#[test]
fn streams_are_told_apart_by_their_labels() {
    let csv = "Label,orders IncomingBytes,orders IncomingRecords,clicks IncomingBytes,\
               clicks IncomingRecords\n2026-11-02 00:00:00,1,1,2,2\n2026-11-02 00:01:00,,,2,2\n";
    let imported = import(&[csv]).expect("an import");
    let rows = |stream: &str| {
        let stream = StreamName::new(stream).expect("a name");
        imported[&Some(stream)].to_csv().lines().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(rows("orders"), "2026-11-02T00:00:00Z,1,1 2026-11-02T00:01:00Z,,");
    assert_eq!(rows("clicks"), "2026-11-02T00:00:00Z,2,2 2026-11-02T00:01:00Z,2,2");
}

#[test]
fn times_without_a_zone_are_of_the_zone_that_is_said() {
    let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
    let files = [("console.csv".to_owned(), CONSOLE.as_bytes().to_vec())];
    let imported = read(&files, &berlin).expect("an import");
    let first = imported.values().next().and_then(MetricHistory::first);
    assert_eq!(first.map(|at| at.to_string()).as_deref(), Some("2026-11-01T23:00:00Z"));
}

#[test]
fn all_metrics_of_a_recording_are_taken() {
    let csv = "Time,IncomingBytes,IncomingRecords,WriteProvisionedThroughputExceeded,\
               GetRecords.Bytes,GetRecords.IteratorAgeMilliseconds,PutRecord.Latency\n\
               2026-11-02T00:00:00Z,1000,10,5,900,4000,3\n2026-11-02T00:01:00Z,1000,10,,,,\n";
    let imported = import(&[csv]).expect("an import");
    let history = imported.values().next().expect("one");
    let expected = "timestamp,incoming_bytes,incoming_records,throttled_records,read_bytes,\
                    iterator_age_millis\n2026-11-02T00:00:00Z,1000,10,5,900,4000\n\
                    2026-11-02T00:01:00Z,1000,10,,,\n";
    assert_eq!(history.to_csv(), expected);
    let trace = history.to_trace("orders", "x.csv").expect("a trace");
    assert_eq!(trace.minutes[0].records, 15.0);
    assert_eq!(import(&[expected]).expect("an import"), imported, "and read back");
}

#[test]
fn faults_say_where_and_how_to_mend_them() {
    let long = format!("{{\"Label\": \"{}\", \"Datapoints\": []}}", "x".repeat(4_000));
    let cases: [&[&str]; 14] = [
        &["{\"MetricDataResults\": ["],
        &["{\"Metrics\": []}"],
        &["{\"MetricDataResults\": [], \"NextToken\": \"abc\"}"],
        &["{\"MetricDataResults\": [{\"Id\": \"m1\", \"Label\": \"orders\"}]}"],
        &["{\"MetricDataResults\": [{\"Id\": \"bytes\", \"StatusCode\": \"Forbidden\"}]}"],
        &[
            "{\"MetricDataResults\": [{\"Id\": \"bytes\", \"Timestamps\": [\"soon\"], \"Values\": [1]}]}",
        ],
        &[
            "{\"Label\": \"IncomingBytes\", \"Datapoints\": [{\"Timestamp\": \"2026-11-02T00:00:00Z\", \
           \"Average\": 1.0}]}",
        ],
        &[&long],
        &["Label,CPUUtilization\n2026/11/02 00:00:00,12.0\n"],
        &["Label,IncomingBytes,IncomingRecords\n"],
        &["Label,IncomingBytes\n2026/11/02 00:00:00,12.0\nlater,1\n"],
        &["Label,IncomingBytes\n2026/11/02 00:00:00,much\n"],
        &["Label,IncomingBytes,IncomingBytes\n2026/11/02 00:00:00,1,2\n"],
        &[BYTES, "Time,IncomingBytes\n2026-11-02T00:00:00Z,3\n"],
    ];
    let fault = |texts: &&[&str]| {
        let fault = import(texts).expect_err("a fault").to_string();
        assert!(fault.len() < 500, "{fault}");
        fault
    };
    insta::assert_snapshot!(cases.iter().map(fault).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_history_that_makes_no_recording_names_the_export() {
    let csv = "Time,IncomingBytes,IncomingRecords\n2026-11-02 00:00,9,0\n2026-11-02 00:01,9,0\n";
    let imported = import(&[csv]).expect("an import");
    let history = imported.values().next().expect("one");
    let fault = history.to_trace("orders", "console.csv").expect_err("a fault").to_string();
    assert!(fault.starts_with("console.csv:2: 9 bytes in no record"), "{fault}");
    let alone = import(&[BYTES]).expect("an import");
    let fault = alone[&None].to_trace("orders", "b.json").expect_err("a fault").to_string();
    assert!(fault.contains("no row has both bytes and records"), "{fault}");
}

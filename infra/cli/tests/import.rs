//! From what CloudWatch exports to a backtest, as a person types it.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use support::{folder_with, text, weir};
use weir_sim::generate;

/// Five minutes of a stream.
struct Row {
    at: Timestamp,
    bytes: f64,
    records: f64,
}

/// Thirty hours of a made-up stream in five-minute sums.
fn rows() -> Vec<Row> {
    let start = Timestamp::from_second(1_793_577_600).expect("a time");
    let trace = generate::days(3, start, 3, 1);
    let fives = trace.minutes[..30 * 60].chunks(5).zip(0i64..);
    fives
        .map(|(minutes, index)| Row {
            at: Timestamp::from_second(start.as_second() + 300 * index).expect("a time"),
            bytes: minutes.iter().map(|minute| minute.bytes).sum::<f64>().round(),
            records: minutes.iter().map(|minute| minute.records).sum::<f64>().round(),
        })
        .collect()
}

/// In no order, the same each time.
fn shuffled(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_key(|row| row.at.as_second().wrapping_mul(7_919) % 10_007);
    rows
}

fn recording<'a>(rows: impl IntoIterator<Item = &'a Row>) -> String {
    let row = |row: &Row| format!("{},{},{}\n", row.at, row.bytes, row.records);
    let rows: String = rows.into_iter().map(row).collect();
    format!("timestamp,incoming_bytes,incoming_records\n{rows}")
}

/// `get-metric-data` gives the newest first.
fn metric_data(rows: &[Row]) -> String {
    let result = |id: &str, label: &str, value: fn(&Row) -> f64| {
        let times: Vec<String> = rows.iter().rev().map(|row| row.at.to_string()).collect();
        let values: Vec<f64> = rows.iter().rev().map(value).collect();
        json!({"Id": id, "Label": label, "Timestamps": times, "Values": values,
               "StatusCode": "Complete"})
    };
    let results = [
        result("m1", "IncomingBytes", |r| r.bytes),
        result("m2", "IncomingRecords", |r| r.records),
    ];
    json!({"MetricDataResults": results, "Messages": []}).to_string()
}

/// `get-metric-statistics` gives one metric in no order.
fn statistics(label: &str, rows: &[Row], value: fn(&Row) -> f64) -> String {
    let point = |row: &Row| json!({"Timestamp": row.at.to_string(), "Sum": value(row)});
    let points: Vec<Value> = rows.iter().map(point).collect();
    json!({"Label": label, "Datapoints": points}).to_string()
}

fn console(rows: &[Row]) -> String {
    let row = |row: &Row| {
        let at = row.at.strftime("%Y/%m/%d %H:%M:%S");
        format!("{at},{:.1},{:.1}\n", row.bytes, row.records)
    };
    let rows: String = rows.iter().map(row).collect();
    format!("Full label,orders IncomingBytes,orders IncomingRecords\n{rows}")
}

/// What a backtest of it says, but for its name.
fn backtest(folder: &Path, trace: &str) -> Value {
    let output = weir(folder, &["backtest", "--trace", trace, "--format", "json"]);
    assert!(output.status.success(), "{trace}: {}", text(&output.stderr));
    let mut said: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    said["trace"] = Value::Null;
    said
}

#[test]
fn every_export_leads_to_the_same_backtest() {
    let rows = rows();
    let newest_first = recording(rows.iter().rev());
    let in_no_order = recording(&shuffled(self::rows()));
    let mixed = shuffled(self::rows());
    let folder = folder_with(&[
        ("expected.csv", &recording(&rows)),
        ("newest.csv", &newest_first),
        ("unsorted.csv", &in_no_order),
        ("data.json", &metric_data(&rows)),
        ("bytes.json", &statistics("IncomingBytes", &mixed, |row| row.bytes)),
        ("records.json", &statistics("IncomingRecords", &mixed, |row| row.records)),
        ("console.txt", &console(&rows)),
    ]);
    let import = |arguments: &[&str]| {
        let output = weir(folder.path(), &[&["import"], arguments].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let told = [
        import(&["data.json"]),
        import(&["bytes.json", "records.json", "--stream", "orders", "--out", "statistics"]),
        import(&["console.txt", "--out", "console"]),
    ];
    insta::assert_snapshot!("imports", told.concat());
    let expected = backtest(folder.path(), "expected.csv");
    assert_eq!(expected["missing_minutes"], 0);
    let others =
        ["newest.csv", "unsorted.csv", "data.csv", "statistics/orders.csv", "console/orders.csv"];
    for other in others {
        assert_eq!(backtest(folder.path(), other), expected, "{other}");
    }
    let made = fs::read_to_string(folder.path().join("data.csv")).expect("a recording");
    assert_eq!(made, recording(&rows));
}

#[test]
fn a_gap_is_counted_and_means_what_the_policy_says() {
    let mut rows = rows();
    let whole = recording(&rows);
    rows.drain(300..312);
    let idle = "version = 1\n[[streams]]\nmatch = \"*\"\nmissing_data = \"idle\"\n";
    let hold = "version = 1\n[[streams]]\nmatch = \"*\"\nmissing_data = \"hold\"\n";
    let folder = folder_with(&[
        ("whole.csv", &whole),
        ("gap.csv", &recording(&rows)),
        ("idle.toml", idle),
        ("hold.toml", hold),
    ]);
    assert_eq!(backtest(folder.path(), "gap.csv")["missing_minutes"], 60);
    let output = weir(folder.path(), &["backtest", "--trace", "gap.csv"]);
    let table = text(&output.stdout);
    assert!(table.contains("60 of 1800 minutes are missing (3.3 %, 1 gap)"), "{table}");
    let actions = |policies: &str| {
        let arguments =
            ["backtest", "--trace", "gap.csv", "--policies", policies, "--actions", "actions.csv"];
        let output = weir(folder.path(), &arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        fs::read_to_string(folder.path().join("actions.csv")).expect("the actions")
    };
    assert_ne!(actions("idle.toml"), actions("hold.toml"));
}

#[test]
fn what_is_there_is_not_written_over() {
    let folder = folder_with(&[("data.json", &metric_data(&rows())), ("data.csv", "mine\n")]);
    let refused = weir(folder.path(), &["import", "data.json"]);
    assert!(!refused.status.success());
    let kept = fs::read_to_string(folder.path().join("data.csv")).expect("the file");
    assert_eq!(kept, "mine\n");
    assert!(weir(folder.path(), &["import", "data.json", "--force"]).status.success());
    assert_eq!(backtest(folder.path(), "data.csv")["missing_minutes"], 0);
}

/// Every way in which a newcomer's file can be wrong: what is said, and what to do next.
#[test]
fn faults_are_told_with_file_line_and_fix() {
    let utf16: Vec<u8> =
        "timestamp,incoming_bytes\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [vec![0xff, 0xfe], utf16].concat();
    let idle = rows().into_iter().map(|row| match row.at.as_second() < 1_793_577_600 + 82_800 {
        true => row,
        false => Row { bytes: 0.0, records: 0.0, ..row },
    });
    let idle: Vec<Row> = idle.collect();
    let no_records: Vec<Row> = rows().into_iter().map(|row| Row { records: 0.0, ..row }).collect();
    let folder = folder_with(&[
        ("data.json", &metric_data(&rows())),
        ("empty.csv", ""),
        ("columns.csv", "Timestamp,CPUUtilization\n2026-11-02T00:00:00Z,3\n"),
        ("console.csv", &console(&rows())),
        ("idle.csv", &recording(&idle)),
        ("no-records.csv", &recording(&no_records)),
    ]);
    fs::write(folder.path().join("utf16.csv"), utf16).expect("a file");
    let said = |arguments: &[&str]| {
        let output = weir(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = text(&output.stderr);
        assert!(said.len() < 600, "{said}");
        format!("$ weir {}\n{said}\n", arguments.join(" "))
    };
    let all = [
        said(&["backtest", "--trace", "data.json"]),
        said(&["backtest", "--trace", "utf16.csv"]),
        said(&["backtest", "--trace", "empty.csv"]),
        said(&["backtest", "--trace", "columns.csv"]),
        said(&["backtest", "--trace", "console.csv"]),
        said(&["backtest", "--trace", "idle.csv"]),
        said(&["backtest", "--trace", "no-records.csv"]),
        said(&["import", "utf16.csv", "--out", "x"]),
        said(&["import", "empty.csv", "--out", "x"]),
        said(&["import", "columns.csv", "--out", "x"]),
        said(&["import", "no-records.csv", "--out", "x"]),
        said(&["import", "none.csv"]),
        said(&["import", "data.json", "--time-zone", "Mars/Olympus"]),
        said(&["import", "console.csv", "--stream", "clicks"]),
    ];
    insta::assert_snapshot!("faulty_exports", all.concat());
}

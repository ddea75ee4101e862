//! Recordings: their periods, gaps, order and faults.

use super::*;

const HEAD: &str = "timestamp,incoming_bytes,incoming_records\n";

fn read(rows: &str) -> Result<Trace, TraceFault> {
    Trace::read("t", "t.csv", format!("{HEAD}{rows}").as_bytes())
}

/// Rows at these minutes past midnight, alike.
fn at(minutes: &[usize]) -> String {
    let row = |minute: &usize| {
        format!("2026-01-01T{:02}:{:02}:00Z,{},10\n", minute / 60, minute % 60, 600)
    };
    minutes.iter().map(row).collect()
}

fn gaps(trace: &Trace) -> Vec<(usize, usize)> {
    trace.recorded.gaps.iter().map(|gap| (gap.start, gap.end)).collect()
}

/// Lengths of periods, and gaps.
fn recorded(minutes: &[usize]) -> (Vec<usize>, Vec<(usize, usize)>) {
    let trace = read(&at(minutes)).expect("a trace");
    let gaps = gaps(&trace);
    (trace.recorded.period_minutes, gaps)
}

#[test]
fn short_periods_are_held_and_long_ones_interpolated() {
    let five = read("# a note\n2026-01-01T00:00:00Z,500,50\n2026-01-01T00:05:00Z,1000,100\n");
    let five = five.expect("a trace");
    let bytes: Vec<f64> = five.minutes.iter().map(|m| m.bytes).collect();
    assert_eq!(bytes, [100.0, 100.0, 100.0, 100.0, 100.0, 200.0, 200.0, 200.0, 200.0, 200.0]);
    let hour = read("2026-01-01T00:00:00Z,6000,60\n2026-01-01T01:00:00Z,12000,60\n");
    let hour = hour.expect("a trace");
    assert_eq!(hour.minutes[0].bytes, 100.0);
    let middle = 100.0 + 100.0 * 29.5 / 60.0;
    assert!((hour.minutes[59].bytes - middle).abs() < 1e-9, "{:?}", hour.minutes[59]);
    let after = 100.0 + 100.0 * 30.5 / 60.0;
    assert!((hour.minutes[60].bytes - after).abs() < 1e-9, "{:?}", hour.minutes[60]);
    assert_eq!(hour.minutes[119].bytes, 200.0);
}

#[test]
fn rows_are_put_in_order() {
    let (one, two, three) =
        ("2026-01-01T00:00:00Z,1,1\n", "2026-01-01T00:01:00Z,2,1\n", "2026-01-01T00:02:00Z,3,1\n");
    let sorted = read(&[one, two, three].concat()).expect("a trace");
    for rows in [[three, two, one], [two, one, three]] {
        assert_eq!(read(&rows.concat()).expect("a trace"), sorted);
    }
    assert_eq!(read(&[one, one, two, three].concat()).expect("a trace"), sorted);
    assert_eq!(sorted.recorded.missing_minutes(), 0);
}

#[test]
fn what_is_not_there_is_a_gap_and_no_traffic() {
    let rows = "2026-01-01T00:00:00Z,60,6\n2026-01-01T00:01:00Z,60,6\n2026-01-01T00:04:00Z,60,6\n\
                2026-01-01T00:05:00Z,,\n2026-01-01T00:06:00Z,60,\n2026-01-01T00:07:00Z,60,6\n\
                2026-01-01T00:08:00Z,,\n";
    let trace = read(rows).expect("a trace");
    assert_eq!(gaps(&trace), [(2, 4), (5, 7), (8, 9)]);
    assert_eq!((trace.recorded.missing_minutes(), trace.minutes.len()), (5, 9));
    let known = |minute: &usize| trace.minutes[*minute].bytes > 0.0;
    assert_eq!((0..9).filter(known).collect::<Vec<_>>(), [0, 1, 4, 7]);
}

#[test]
fn a_recording_may_become_finer_and_a_gap_is_still_a_gap() {
    assert_eq!(recorded(&[0, 5, 10, 15, 16, 17, 18]), (vec![5, 1], vec![]));
    assert_eq!(recorded(&[0, 60, 120, 125, 130, 131, 132]), (vec![60, 5, 1], vec![]));
    assert_eq!(recorded(&[0, 5, 10, 20, 25, 26, 29]), (vec![5, 1], vec![(15, 20), (27, 29)]));
    assert_eq!(recorded(&[0, 1, 2, 7, 12, 17]), (vec![1], vec![(3, 7), (8, 12), (13, 17)]));
    assert_eq!(recorded(&[0, 3, 4, 5, 6]), (vec![1], vec![(1, 3)]), "a gap after the first row");
    assert_eq!(recorded(&[0, 7, 8, 9]), (vec![1], vec![(1, 7)]));
}

#[test]
fn hours_are_not_interpolated_over_a_gap() {
    let trace = read(&at(&[0, 60, 180, 240])).expect("a trace");
    assert_eq!(gaps(&trace), [(120, 180)]);
    assert!(trace.minutes[60..120].iter().all(|minute| minute.bytes == 10.0));
    assert!(trace.minutes[120..180].iter().all(|minute| minute.bytes == 0.0));
}

#[test]
fn refused_writes_are_demand() {
    let csv = "incoming_records,timestamp,incoming_bytes,throttled_records,read_bytes\n\
               10,2026-01-01T00:00:00Z,1000,5,7\n10,2026-01-01T00:01:00Z,1000,,\n";
    let trace = Trace::read("t", "t.csv", csv.as_bytes()).expect("a trace");
    assert_eq!(trace.minutes[0], Minute { bytes: 1500.0, records: 15.0 });
    assert_eq!(trace.minutes[1], Minute { bytes: 1000.0, records: 10.0 });
}

#[test]
fn faults_say_where_and_how_to_mend_them() {
    let one = "2026-01-01T00:00:00Z,1,1\n";
    let long = "x".repeat(4_000);
    let cases: [Vec<u8>; 15] = [
        b"when,bytes,records\n2026-01-01T00:00:00Z,1,1\n".into(),
        b"timestamp,incoming_bytes\n2026-01-01T00:00:00Z,1\n".into(),
        format!("timestamp,incoming_bytes,incoming_records,{long}\n").into(),
        b"{\"MetricDataResults\": []}".into(),
        b"".into(),
        b"\xff\xfet\0i\0m\0e\0".into(),
        HEAD.into(),
        format!("{HEAD}{one}").into(),
        format!("{HEAD}{one}yesterday,1,1\n").into(),
        format!("{HEAD}{one}2026-01-01T00:01:00Z,-1,1\n").into(),
        format!("{HEAD}{one}2026-01-01T00:01:00Z,1\n").into(),
        format!("{HEAD}{one}2026-01-01T00:00:30Z,1,1\n").into(),
        format!("{HEAD}{one}2026-01-01T00:05:00Z,1,1\n2026-01-01T00:08:00Z,1,1\n").into(),
        format!("{HEAD}{one}2026-01-01T00:00:00Z,2,2\n2026-01-01T00:01:00Z,1,1\n").into(),
        format!("{HEAD}{one}2026-01-01T00:01:00Z,900,0\n").into(),
    ];
    let fault = |csv: &Vec<u8>| {
        let fault = Trace::read("t", "t.csv", csv.as_slice()).expect_err("a fault").to_string();
        assert!(fault.len() < 500, "{fault}");
        fault
    };
    let faults: Vec<String> = cases.iter().map(fault).collect();
    insta::assert_snapshot!(faults.join("\n"));
}

#[test]
fn a_recording_without_records_is_no_traffic() {
    let rows = "2026-01-01T00:00:00Z,5,\n2026-01-01T00:01:00Z,5,\n";
    let fault = read(rows).expect_err("a fault").to_string();
    assert!(fault.contains("t.csv:2: no row has both bytes and records"), "{fault}");
}

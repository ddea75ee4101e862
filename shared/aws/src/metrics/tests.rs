//! GetMetricData: windows, batches, pages, gaps and incomplete answers.

use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, answering, cbor, sent};

fn streams(count: usize) -> Vec<StreamName> {
    (0..count).map(|n| StreamName::new(&format!("s{n}")).expect("a name")).collect()
}

fn now() -> Timestamp {
    "2026-11-20T10:00:30Z".parse().expect("a time")
}

fn second(text: &str) -> i64 {
    text.parse::<Timestamp>().expect("a time").as_second()
}

fn result(id: &str, status: &str, points: &[(i64, f64)]) -> Value {
    json!({
        "Id": id, "Label": id, "StatusCode": status,
        "Timestamps": points.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
        "Values": points.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
    })
}

/// Results for every query of so many streams: without datapoints, but complete.
fn calm(ids: &[&str], streams: usize) -> Vec<Value> {
    let of = |n: usize| ids.iter().map(move |id| result(&format!("{id}_{n}"), "Complete", &[]));
    (0..streams).flat_map(of).collect()
}

fn page(results: &[Value], next: Option<&str>) -> Answer {
    let mut body = json!({"MetricDataResults": results, "Messages": []});
    if let Some(next) = next {
        body["NextToken"] = json!(next);
    }
    cbor(200, &body)
}

const MINUTES: [&str; 4] = ["bytes", "records", "throttled", "age"];
const DAYS: [&str; 3] = ["bytes", "records", "throttled"];

#[tokio::test(start_paused = true)]
async fn points_of_all_pages_lie_on_the_grid_and_gaps_stay_gaps() {
    let last = second("2026-11-20T09:59:00Z");
    let first = second("2026-11-20T06:00:00Z");
    let one = [
        result("bytes_0", "PartialData", &[(first, 1.5)]),
        result("records_0", "Complete", &[(first + 60, 7.0)]),
        result("throttled_0", "Complete", &[]),
    ];
    let two = [
        result("bytes_0", "Complete", &[(last, 2.5)]),
        result("age_0", "Complete", &[(last, 3000.0)]),
    ];
    let (aws, replay) =
        answering(vec![page(&one, Some("more")), page(&two, None), page(&calm(&DAYS, 1), None)]);
    let mut traffic = aws.read_traffic(&streams(1), now()).await;
    let Traffic { minutes, days } = traffic.remove(0).expect("traffic");
    let days = days.expect("days");
    assert_eq!(sent(&replay), 3);
    assert_eq!((minutes.start.as_second(), minutes.points.len()), (first, 240));
    assert_eq!(minutes.points[0].accepted_bytes, Some(1.5));
    assert_eq!(minutes.points[0].accepted_records, None);
    assert_eq!(minutes.points[1].accepted_records, Some(7.0));
    assert_eq!(minutes.points[239].accepted_bytes, Some(2.5));
    assert_eq!(minutes.points[239].iterator_age_millis, Some(3000.0));
    assert_eq!(minutes.points.iter().filter(|p| !p.is_empty()).count(), 3);
    assert_eq!((days.period_seconds, days.points.len()), (300, 15 * 288));
}

#[tokio::test(start_paused = true)]
async fn one_streams_failure_is_its_own() {
    let mut minutes = calm(&MINUTES, 4);
    minutes[4]["StatusCode"] = json!("InternalError");
    minutes[9]["StatusCode"] = json!("Forbidden");
    minutes.remove(12);
    let (aws, _) = answering(vec![page(&minutes, None), page(&calm(&DAYS, 4), None)]);
    let traffic = aws.read_traffic(&streams(4), now()).await;
    let failures: Vec<_> =
        traffic.iter().map(|t| t.as_ref().err().map(|error| error.failure)).collect();
    let unavailable = Some(Failure::Unavailable);
    assert_eq!(failures, [None, unavailable, Some(Failure::Denied), unavailable]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_call_costs_only_its_own_streams() {
    // 14 streams take one call for the minutes and two for the days; the first of those fails.
    let denied = json!({"__type": "com.amazonaws.cloudwatch#AccessDenied", "message": "no"});
    let (aws, replay) = answering(vec![
        page(&calm(&MINUTES, 14), None),
        cbor(403, &denied),
        page(&calm(&DAYS, 7), None),
    ]);
    let traffic = aws.read_traffic(&streams(14), now()).await;
    assert_eq!(sent(&replay), 3);
    // The minutes are there all the same: days that cannot be read cost no stream its scale-out.
    let days: Vec<&PortResult<Series>> =
        traffic.iter().map(|traffic| &traffic.as_ref().expect("minutes").days).collect();
    let read = days.iter().map(|days| days.is_ok()).collect::<Vec<_>>();
    assert_eq!(read, [[false; 7], [true; 7]].concat());
    let error = days[0].as_ref().expect_err("a failure");
    assert_eq!((error.failure, error.operation), (Failure::Denied, "GetMetricData"));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_comes_twice_ends_in_an_error() {
    let again = || page(&[], Some("again"));
    let (aws, _) = answering(vec![again(), again(), page(&calm(&DAYS, 1), None)]);
    let traffic = aws.read_traffic(&streams(1), now()).await;
    let error = traffic[0].as_ref().expect_err("a failure");
    assert!(error.message.contains("twice"), "{error}");
}

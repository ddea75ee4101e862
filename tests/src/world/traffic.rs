//! The metrics that Kinesis would publish; no emulator of it does.
//!
//! Here: writing AWS/Kinesis metrics by the minute and reading them as GetMetricData gives them.
//! Not here: records; no test needs any.

use jiff::{SignedDuration, Timestamp, ToSpan, Unit};
use serde_json::{Value, json};

use super::World;
use crate::failure::{Context, Failure, Result};
use crate::time::now;
use crate::wire::Service::CloudWatch;

/// Minutes per PutMetricData: three metrics each, 1,000 allowed.
const MINUTES_PER_CALL: usize = 300;

/// A minute of a stream's traffic, as sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minute {
    /// `IncomingBytes`.
    pub bytes: f64,
    /// `IncomingRecords`.
    pub records: f64,
    /// `WriteProvisionedThroughputExceeded`.
    pub throttled_records: f64,
}

impl Minute {
    /// A minute without throttling.
    #[must_use]
    pub fn of(bytes: f64, records: f64) -> Self {
        Self { bytes, records, throttled_records: 0.0 }
    }

    /// A minute that uses this share of so many shards' bytes, in records of a kibibyte.
    #[must_use]
    pub fn using(share: f64, of_shards: u32) -> Self {
        let bytes = share * f64::from(of_shards) * 60.0 * 1_048_576.0;
        Self::of(bytes, bytes / 1024.0)
    }
}

impl World {
    /// Puts one minute after another, the last being the last whole minute before now.
    pub fn put_traffic(&self, stream: &str, minutes: &[Minute]) -> Result<()> {
        let this_minute = now().round_down_to_minute()?;
        let count = i64::try_from(minutes.len()).context(|| "count minutes".into())?;
        let first = this_minute - SignedDuration::from_mins(count);
        self.put_traffic_from(stream, first, minutes)
    }

    /// Puts one minute after another, the first at `first`.
    pub fn put_traffic_from(
        &self,
        stream: &str,
        first: Timestamp,
        minutes: &[Minute],
    ) -> Result<()> {
        let mut at = first;
        for chunk in minutes.chunks(MINUTES_PER_CALL) {
            let mut data = Vec::new();
            for minute in chunk {
                let datum = |name: &str, unit: &str, value: f64| {
                    json!({
                        "MetricName": name,
                        "Dimensions": [{ "Name": "StreamName", "Value": stream }],
                        "Timestamp": at.as_second(),
                        "Value": value,
                        "Unit": unit,
                    })
                };
                data.push(datum("IncomingBytes", "Bytes", minute.bytes));
                data.push(datum("IncomingRecords", "Count", minute.records));
                let throttled = minute.throttled_records;
                data.push(datum("WriteProvisionedThroughputExceeded", "Count", throttled));
                at += 1.minute();
            }
            let body = json!({ "Namespace": "AWS/Kinesis", "MetricData": data });
            self.call(CloudWatch, "PutMetricData", body)?;
        }
        Ok(())
    }

    /// A metric's sums by the minute over the last `minutes`, oldest first.
    pub fn metric_sums(
        &self,
        stream: &str,
        metric: &str,
        minutes: i64,
    ) -> Result<Vec<(Timestamp, f64)>> {
        let end = now().round_down_to_minute()?;
        let start = end - SignedDuration::from_mins(minutes);
        let body = json!({
            "StartTime": start.as_second(),
            "EndTime": end.as_second(),
            "ScanBy": "TimestampAscending",
            "MetricDataQueries": [{
                "Id": "m",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/Kinesis",
                        "MetricName": metric,
                        "Dimensions": [{ "Name": "StreamName", "Value": stream }],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
            }],
        });
        let answer = self.call(CloudWatch, "GetMetricData", body)?;
        let result = &answer["MetricDataResults"][0];
        let strange = || Failure::new(format!("GetMetricData answered {answer}"));
        let numbers = |list: &Value| -> Option<Vec<f64>> {
            list.as_array()?.iter().map(Value::as_f64).collect()
        };
        let times = numbers(&result["Timestamps"]).ok_or_else(strange)?;
        let values = numbers(&result["Values"]).ok_or_else(strange)?;
        times
            .into_iter()
            .zip(values)
            .map(|(seconds, value)| {
                let at = SignedDuration::try_from_secs_f64(seconds).context(|| "time".into())?;
                Ok((Timestamp::UNIX_EPOCH + at, value))
            })
            .collect()
    }
}

trait RoundDown {
    fn round_down_to_minute(self) -> Result<Timestamp>;
}

impl RoundDown for Timestamp {
    fn round_down_to_minute(self) -> Result<Timestamp> {
        let rounding =
            jiff::TimestampRound::new().smallest(Unit::Minute).mode(jiff::RoundMode::Floor);
        self.round(rounding).context(|| "round a time down to its minute".into())
    }
}

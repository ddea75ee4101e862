//! Weir's own metrics, as CloudWatch's embedded metric format: a line of JSON on standard output, from
//! which CloudWatch Logs makes metrics. No call, no client, nothing to fail.
//!
//! Not here: what is counted; each function knows.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "Weir";

/// What the numbers are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension<'a> {
    /// A function.
    Function(&'a str),
    /// A stream.
    Stream(&'a str),
}

impl<'a> Dimension<'a> {
    fn parts(self) -> (&'static str, &'a str) {
        match self {
            Dimension::Function(name) => ("Function", name),
            Dimension::Stream(name) => ("Stream", name),
        }
    }
}

/// Numbers of one moment about one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics<'a> {
    /// When.
    pub at: Timestamp,
    /// About what.
    pub about: Dimension<'a>,
    /// Names and values.
    pub values: &'a [(&'static str, f64)],
}

impl Metrics<'_> {
    /// The line.
    pub fn line(&self) -> String {
        let (dimension, value) = self.about.parts();
        let metrics: Vec<Value> =
            self.values.iter().map(|(name, _)| json!({"Name": name, "Unit": "Count"})).collect();
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": self.at.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [[dimension]],
                    "Metrics": metrics,
                }],
            }),
        );
        line.insert(dimension.to_owned(), json!(value));
        for (name, value) in self.values {
            line.insert((*name).to_owned(), json!(value));
        }
        Value::Object(line).to_string()
    }

    /// Writes the line.
    #[allow(clippy::print_stdout)] // standard output is where the format is read from
    pub fn emit(&self) {
        println!("{}", self.line());
    }
}

/// A count as a value.
pub fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_what_cloudwatch_reads() {
        let metrics = Metrics {
            at: "2026-11-20T10:00:00Z".parse().expect("a time"),
            about: Dimension::Stream("orders"),
            values: &[("WantedShards", 8.0), ("DemandShards", 6.25)],
        };
        let line: Value = serde_json::from_str(&metrics.line()).expect("JSON");
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_795_168_800_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Weir",
                        "Dimensions": [["Stream"]],
                        "Metrics": [
                            {"Name": "WantedShards", "Unit": "Count"},
                            {"Name": "DemandShards", "Unit": "Count"},
                        ],
                    }],
                },
                "Stream": "orders",
                "WantedShards": 8.0,
                "DemandShards": 6.25,
            })
        );
    }
}

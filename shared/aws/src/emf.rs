//! Weir's own metrics, as CloudWatch's embedded metric format: a line of JSON on standard output, from
//! which CloudWatch Logs makes metrics. No call, no client, nothing to fail.
//!
//! Metrics are the functions' only, a handful for the whole installation. Each costs as much a month as three alarms,
//! so what is told of a stream stays in the log, where the dashboard reads it. Not here: what is counted; each function
//! knows.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "Weir";

const DIMENSION: &str = "Function";

/// Numbers of one moment about one function.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics<'a> {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub function: &'a str,
    /// Names and values.
    pub values: &'a [(&'static str, f64)],
}

impl Metrics<'_> {
    /// The line.
    pub fn line(&self) -> String {
        let metrics: Vec<Value> =
            self.values.iter().map(|(name, _)| json!({"Name": name, "Unit": "Count"})).collect();
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": self.at.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [[DIMENSION]],
                    "Metrics": metrics,
                }],
            }),
        );
        line.insert(DIMENSION.to_owned(), json!(self.function));
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
            function: "plan-capacity",
            values: &[("PlansMade", 8.0), ("Troubles", 1.0)],
        };
        let line: Value = serde_json::from_str(&metrics.line()).expect("JSON");
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_795_168_800_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Weir",
                        "Dimensions": [["Function"]],
                        "Metrics": [
                            {"Name": "PlansMade", "Unit": "Count"},
                            {"Name": "Troubles", "Unit": "Count"},
                        ],
                    }],
                },
                "Function": "plan-capacity",
                "PlansMade": 8.0,
                "Troubles": 1.0,
            })
        );
    }
}

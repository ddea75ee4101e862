//! Weir's own metrics, as CloudWatch's embedded metric format: a line of JSON on standard output,
//! from which CloudWatch Logs makes metrics. No call, no client, nothing to fail.
//!
//! Metrics are the functions' only, a handful for the whole installation. Each costs as much a
//! month as three alarms, so what is told of a stream stays in the log, where the dashboard reads
//! it. Not here: what is counted (`report`).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "Weir";

const DIMENSION: &str = "Function";

/// Numbers of one moment about one function.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metrics<'a> {
    /// When.
    pub(crate) at: Timestamp,
    /// Whose.
    pub(crate) function: &'a str,
    /// Names and counts.
    pub(crate) counts: &'a [(&'static str, usize)],
}

impl Metrics<'_> {
    /// The line.
    pub(crate) fn line(&self) -> String {
        let metrics: Vec<Value> =
            self.counts.iter().map(|(name, _)| json!({"Name": name, "Unit": "Count"})).collect();
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
        for (name, count) in self.counts {
            line.insert((*name).to_owned(), json!(count));
        }
        Value::Object(line).to_string()
    }

    /// Writes the line.
    #[allow(clippy::print_stdout)] // standard output is where the format is read from
    pub(crate) fn emit(&self) {
        println!("{}", self.line());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_what_cloudwatch_reads() {
        let metrics = Metrics {
            at: "2026-11-20T10:00:00Z".parse().expect("a time"),
            function: "plan-capacity",
            counts: &[("PlansMade", 8), ("Troubles", 1)],
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
                "PlansMade": 8,
                "Troubles": 1,
            })
        );
    }
}

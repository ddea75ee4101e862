//! Batches of Kinesis records as Lambda's event source mapping delivers them, and answers that fail
//! a part of one.
//!
//! A mapping with `ReportBatchItemFailures` reads the answer: from the lowest sequence number in it
//! on, the batch is delivered again; what lies before is done (Lambda developer guide, "Configuring
//! partial batch response with Kinesis Data Streams and Lambda"). Without that setting, or where a
//! function fails, all of it is. Not here: what is made of a record.

use serde::{Deserialize, Serialize};

/// A batch: records of one shard, oldest first.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct KinesisBatch {
    /// The records.
    #[serde(rename = "Records")]
    pub records: Vec<BatchRecord>,
}

/// A record, with where it is from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct BatchRecord {
    /// The record.
    pub kinesis: KinesisRecord,
    /// The shard and the sequence number, as `shardId-000000000006:4959…`.
    #[serde(rename = "eventID")]
    pub event_id: String,
    /// The stream's ARN, or that of the fan-out consumer it is read by.
    #[serde(rename = "eventSourceARN")]
    pub event_source_arn: String,
}

/// A record as the stream holds it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KinesisRecord {
    /// Its place in its shard.
    pub sequence_number: SequenceNumber,
    /// What put it into its shard.
    pub partition_key: String,
    /// What it holds, as base64.
    pub data: String,
    /// When the stream took it, in seconds since 1970, to the millisecond.
    pub approximate_arrival_timestamp: f64,
}

/// A record's place in its shard: a decimal number of up to 128 digits, as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SequenceNumber(String);

impl SequenceNumber {
    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The answer to a batch: what of it is to be delivered again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    batch_item_failures: Vec<ItemFailure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: SequenceNumber,
}

impl BatchAnswer {
    /// The answer for these results, one a record, in the order of the batch. Only the first
    /// failure is named: all that follows it is delivered again whatever became of it, so results
    /// that are made on demand are asked for no further. Without a failure the whole batch is done.
    pub fn of<E>(
        results: impl IntoIterator<Item = (SequenceNumber, Result<(), E>)>,
    ) -> BatchAnswer {
        let failed = results.into_iter().find(|(_, result)| result.is_err());
        let failed = failed.map(|(item_identifier, _)| ItemFailure { item_identifier });
        BatchAnswer { batch_item_failures: failed.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As the developer guide shows one.
    fn batch(numbers: &[&str]) -> KinesisBatch {
        let record = |number: &&str| {
            json!({
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "1",
                    "sequenceNumber": number,
                    "data": "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
                    "approximateArrivalTimestamp": 1_545_084_650.987,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": format!("shardId-000000000006:{number}"),
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
                "awsRegion": "us-east-2",
                "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
            })
        };
        let records: Vec<serde_json::Value> = numbers.iter().map(record).collect();
        serde_json::from_value(json!({ "Records": records })).expect("a batch")
    }

    /// What is answered when these records fail; and how many were tried.
    fn answered(failing: &[&str]) -> (serde_json::Value, usize) {
        let mut tried = 0;
        let results = batch(&["49590", "49591", "49592"]).records.into_iter().map(|record| {
            tried += 1;
            let number = record.kinesis.sequence_number;
            let result = if failing.contains(&number.as_str()) { Err("no") } else { Ok(()) };
            (number, result)
        });
        let answer = serde_json::to_value(BatchAnswer::of(results)).expect("JSON");
        (answer, tried)
    }

    #[test]
    fn the_batch_comes_again_from_the_first_failure_on() {
        let from = |number: &str| json!({"batchItemFailures": [{"itemIdentifier": number}]});
        assert_eq!(answered(&[]), (json!({"batchItemFailures": []}), 3));
        assert_eq!(answered(&["49590"]), (from("49590"), 1));
        assert_eq!(answered(&["49592", "49591"]), (from("49591"), 2));
    }
}

//! Consumers: what reads a stream, and what is to be known of it to watch it.
//!
//! Not here: finding them (`weir-aws`), their alarms (`alarms::consumer`), what happens when one
//! fails (`incident`).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::units::StreamName;

/// The name AWS or the operator knows a consumer by: 1 to 256 of `a-z A-Z 0-9 _ . : -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConsumerName(Arc<str>);

/// A name that no consumer can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a consumer's name: 1 to 256 letters, digits, '_', '.', ':' or '-' are")]
pub struct NotAConsumerName(pub String);

impl ConsumerName {
    /// Checks what came from outside.
    ///
    /// # Errors
    ///
    /// On a name that no consumer can have.
    pub fn new(name: &str) -> Result<ConsumerName, NotAConsumerName> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
        if (1..=256).contains(&name.len()) && name.chars().all(allowed) {
            Ok(ConsumerName(name.into()))
        } else {
            Err(NotAConsumerName(name.chars().take(200).collect()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConsumerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ConsumerName {
    type Error = NotAConsumerName;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        ConsumerName::new(&name)
    }
}

impl From<ConsumerName> for String {
    fn from(name: ConsumerName) -> String {
        name.0.as_ref().to_owned()
    }
}

/// Names one consumer of a stream in alarm names, tags and the ledger: its kind and its name, cut
/// short where that is too long for an alarm's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConsumerId(Arc<str>);

/// A text that names no consumer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a consumer's id: a kind, '-' and a name are")]
pub struct NotAConsumerId(pub String);

impl ConsumerId {
    /// Longest id; an alarm's name has room for it beside the longest prefix and stream name.
    pub const CHARS_MAX: usize = 48;

    /// The id of the consumer of this kind and name.
    pub fn of(kind: ConsumerKind, name: &ConsumerName) -> ConsumerId {
        ConsumerId::cut(format!("{kind}-{}", name.as_str().replace(':', ".")))
    }

    /// The id of one of several mappings of a function to the same stream: the mapping's UUID is
    /// part of it.
    fn of_mapping(function: &ConsumerName, uuid: &str) -> ConsumerId {
        let head: String = uuid.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
        let name = function.as_str().replace(':', ".");
        ConsumerId::cut(format!("{}-{name}-{head}", ConsumerKind::Lambda))
    }

    fn cut(whole: String) -> ConsumerId {
        if whole.len() <= ConsumerId::CHARS_MAX {
            return ConsumerId(whole.into());
        }
        // Two long names may begin alike; a hash of the whole tells them apart.
        let head: String = whole.chars().take(ConsumerId::CHARS_MAX - 17).collect();
        ConsumerId(format!("{head}-{:016x}", fnv(whole.as_bytes())).into())
    }

    /// Checks what came from outside.
    pub fn read(text: &str) -> Option<ConsumerId> {
        let known = ConsumerKind::ALL.iter().any(|kind| {
            text.strip_prefix(kind.code())
                .is_some_and(|rest| rest.len() > 1 && rest.starts_with('-'))
        });
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        (known && plain && text.len() <= ConsumerId::CHARS_MAX).then(|| ConsumerId(text.into()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its kind.
    pub fn kind(&self) -> Option<ConsumerKind> {
        ConsumerKind::ALL
            .into_iter()
            .find(|kind| self.0.strip_prefix(kind.code()).is_some_and(|rest| rest.starts_with('-')))
    }

    /// Its name, or the beginning of it.
    pub fn name(&self) -> &str {
        self.kind().and_then(|kind| self.0.get(kind.code().len() + 1..)).unwrap_or(&self.0)
    }
}

impl TryFrom<String> for ConsumerId {
    type Error = NotAConsumerId;
    fn try_from(id: String) -> Result<Self, Self::Error> {
        ConsumerId::read(&id).ok_or(NotAConsumerId(id))
    }
}

impl From<ConsumerId> for String {
    fn from(id: ConsumerId) -> String {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for ConsumerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// FNV-1a, 64 bits: the same on every machine and for ever, as ids must be.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// How a consumer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsumerKind {
    /// A Lambda function, by an event source mapping.
    Lambda,
    /// A registered consumer with enhanced fan-out.
    FanOut,
    /// A Firehose delivery stream.
    Firehose,
    /// A KCL application.
    Kcl,
    /// Anything else that polls with GetRecords.
    Polling,
}

impl ConsumerKind {
    /// Every kind.
    pub const ALL: [ConsumerKind; 5] = [
        ConsumerKind::Lambda,
        ConsumerKind::FanOut,
        ConsumerKind::Firehose,
        ConsumerKind::Kcl,
        ConsumerKind::Polling,
    ];

    /// The word for it in ids.
    pub const fn code(self) -> &'static str {
        match self {
            ConsumerKind::Lambda => "lambda",
            ConsumerKind::FanOut => "fanout",
            ConsumerKind::Firehose => "firehose",
            ConsumerKind::Kcl => "kcl",
            ConsumerKind::Polling => "polling",
        }
    }

    /// What people call it.
    pub const fn words(self) -> &'static str {
        match self {
            ConsumerKind::Lambda => "Lambda function",
            ConsumerKind::FanOut => "fan-out consumer",
            ConsumerKind::Firehose => "Firehose delivery stream",
            ConsumerKind::Kcl => "KCL application",
            ConsumerKind::Polling => "consumer",
        }
    }
}

impl fmt::Display for ConsumerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What a Lambda event source mapping is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its UUID.
    pub uuid: String,
    /// Whether it polls at all.
    pub enabled: bool,
    /// Whether it filters records, as far as is known: then an uninvoked function may be a healthy
    /// one.
    pub filters: bool,
    /// Whether it publishes event counts of its own (an option of the mapping).
    pub counts_events: bool,
    /// Whether other mappings call the same function: its metrics are then theirs as well.
    pub shares_function: bool,
    /// Whether another of those reads the same stream.
    pub one_of_several: bool,
}

/// Where a Firehose delivery stream delivers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Amazon S3.
    S3,
    /// Amazon Redshift.
    Redshift,
    /// Amazon OpenSearch Service.
    OpenSearch,
    /// Amazon OpenSearch Serverless.
    OpenSearchServerless,
    /// Splunk.
    Splunk,
    /// An HTTP endpoint.
    HttpEndpoint,
    /// Snowflake.
    Snowflake,
    /// Apache Iceberg tables, S3 Tables among them.
    Iceberg,
    /// One that this release does not know: what it reads is watched, what it delivers is not.
    Unknown,
}

impl Destination {
    /// The metric that tells how old the oldest record is that has not been delivered, seconds.
    /// Firehose developer guide, "Monitoring with CloudWatch metrics".
    pub fn freshness_metric(self) -> Option<&'static str> {
        Some(match self {
            // Redshift has none of its own; what it copies is first staged in S3.
            Destination::S3 | Destination::Redshift => "DeliveryToS3.DataFreshness",
            Destination::OpenSearch => "DeliveryToAmazonOpenSearchService.DataFreshness",
            Destination::OpenSearchServerless => {
                "DeliveryToAmazonOpenSearchServerless.DataFreshness"
            }
            Destination::Splunk => "DeliveryToSplunk.DataFreshness",
            Destination::HttpEndpoint => "DeliveryToHttpEndpoint.DataFreshness",
            Destination::Snowflake => "DeliveryToSnowflake.DataFreshness",
            Destination::Iceberg => "DeliveryToIceberg.DataFreshness",
            Destination::Unknown => return None,
        })
    }

    /// The metric that tells which share of the copies out of the staging area succeeded, 0 to 1.
    pub fn success_metric(self) -> Option<&'static str> {
        (self == Destination::Redshift).then_some("DeliveryToRedshift.Success")
    }
}

/// What a Firehose delivery stream is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where it delivers to.
    pub destination: Destination,
    /// The longest it may hold records back to fill a buffer, seconds: 0 to 900.
    pub buffering_seconds: u32,
}

/// How a consumer reads, with what its alarms have to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A Lambda event source mapping.
    Lambda(Mapping),
    /// A registered consumer with enhanced fan-out.
    FanOut,
    /// A Firehose delivery stream.
    Firehose(Delivery),
    /// A KCL application.
    Kcl(KclMetrics),
    /// Anything else that polls with GetRecords.
    Polling,
}

/// By what a KCL application can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KclMetrics {
    /// By the metric of the whole application, which reads this stream only.
    Application,
    /// By what the stream knows of all that poll it: the application reads several streams, and its
    /// metric is the worst of them.
    Stream,
    /// Likewise, because the application has no metric of its own.
    StreamOnly,
    /// By nothing: neither it nor the stream has such a metric.
    Nothing,
}

/// One consumer of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// What it reads.
    pub stream: StreamName,
    /// What AWS or the operator calls it.
    pub name: ConsumerName,
    /// How it reads.
    pub reader: Reader,
}

impl Consumer {
    /// Its kind.
    pub fn kind(&self) -> ConsumerKind {
        match self.reader {
            Reader::Lambda(_) => ConsumerKind::Lambda,
            Reader::FanOut => ConsumerKind::FanOut,
            Reader::Firehose(_) => ConsumerKind::Firehose,
            Reader::Kcl(_) => ConsumerKind::Kcl,
            Reader::Polling => ConsumerKind::Polling,
        }
    }

    /// Its id.
    pub fn id(&self) -> ConsumerId {
        match &self.reader {
            Reader::Lambda(mapping) if mapping.one_of_several => {
                ConsumerId::of_mapping(&self.name, &mapping.uuid)
            }
            _ => ConsumerId::of(self.kind(), &self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(kind: ConsumerKind, name: &str) -> ConsumerId {
        ConsumerId::of(kind, &ConsumerName::new(name).expect("a name"))
    }

    #[test]
    fn an_id_says_kind_and_name_and_long_names_stay_apart() {
        let live = id(ConsumerKind::Lambda, "billing:live");
        assert_eq!(live.as_str(), "lambda-billing.live");
        assert_eq!((live.kind(), live.name()), (Some(ConsumerKind::Lambda), "billing.live"));
        let long = |end: &str| id(ConsumerKind::FanOut, &format!("{}{end}", "x".repeat(120)));
        assert_ne!(long("a"), long("b"));
        for id in [live, long("a")] {
            assert!(id.as_str().len() <= ConsumerId::CHARS_MAX, "{id}");
            assert_eq!(ConsumerId::read(id.as_str()), Some(id));
        }
    }

    #[test]
    fn what_is_no_id_is_not_read_as_one() {
        for text in ["", "lambda", "lambda-", "billing", "lambda-a b", "lambda-a@b"] {
            assert_eq!(ConsumerId::read(text), None, "{text:?}");
        }
        assert!(ConsumerName::new("a b").is_err() && ConsumerName::new("").is_err());
    }
}

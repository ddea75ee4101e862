//! Every number that AWS sets, with its unit and source, and the relations between them.
//!
//! Sources are named in short: KDG = Kinesis Data Streams developer guide (quotas and limits,
//! monitoring, how do I size a stream), KAPI = Kinesis API reference, CWG = CloudWatch user guide,
//! CWQ = CloudWatch service quotas, EBG = EventBridge user guide. Where AWS says nothing, the
//! comment says so. Prices are in `prices`. Not here: numbers Weir chooses for itself; they live
//! beside the code that uses them.

pub mod prices;

/// Bytes (data and partition key) one shard takes per second. KDG gives "1 MB/s", the sizing
/// formula divides KiB by 1024: 1 MiB/s.
pub const SHARD_WRITE_BYTES_PER_SECOND: f64 = 1_048_576.0;
/// Records one shard takes per second. KDG.
pub const SHARD_WRITE_RECORDS_PER_SECOND: f64 = 1_000.0;
/// Bytes one shard gives per second to all consumers that poll it together. KDG.
pub const SHARD_READ_BYTES_PER_SECOND: f64 = 2_097_152.0;

/// UpdateShardCount calls per stream in any 24 hours. KAPI UpdateShardCount.
pub const RESHARDS_PER_DAY_MAX: u32 = 10;
/// UpdateShardCount may at most double the open shards, and must keep at least half. KAPI.
pub const RESHARD_FACTOR_MAX: u32 = 2;
/// Shards one stream can be brought to by UpdateShardCount. KAPI.
pub const SHARDS_PER_STREAM_MAX: u32 = 10_000;
/// Mode switches per stream in any 24 hours, either direction. KDG.
pub const MODE_SWITCHES_PER_DAY_MAX: u32 = 2;
/// Minutes after which a mode switch is taken to be in force. AWS says nothing of how long one
/// takes; ten at most is what the simulated AWS takes.
pub const MODE_SWITCH_MINUTES: i64 = 15;
/// Shards' worth of traffic that any stream on demand takes, however small. KDG gives 4 MB/s and
/// 4,000 records a second for a new stream; one that was switched has at least what its shards
/// took.
pub const ON_DEMAND_SHARDS_MIN: u32 = 4;
/// A stream on demand takes this many times the highest traffic of its last days. KDG.
pub const ON_DEMAND_FACTOR_OF_PEAK: f64 = 2.0;
/// The days of which that is the highest. KDG. How AWS comes down later is not documented.
pub const ON_DEMAND_PEAK_DAYS: u32 = 30;
/// Minutes until a new peak counts: more than double within them is throttled. KDG.
pub const ON_DEMAND_GROWTH_MINUTES: u32 = 15;
/// Bytes a stream on demand takes per second in the largest regions. KDG.
pub const ON_DEMAND_WRITE_BYTES_PER_SECOND_MAX: f64 = 10e9;
/// Bytes a stream on demand takes per second in every other region. KDG.
pub const ON_DEMAND_WRITE_BYTES_PER_SECOND_MAX_ELSEWHERE: f64 = 200e6;
/// The largest regions, as far as streams on demand go. KDG.
pub const LARGEST_REGIONS: [&str; 3] = ["us-east-1", "us-west-2", "eu-west-1"];
/// The rolling window of both limits, in seconds. KAPI says "rolling 24-hour period".
pub const BUDGET_WINDOW_SECONDS: i64 = 24 * 60 * 60;
/// Smallest shard quota an account has by default in any region (others have 6,000 or 20,000). The
/// real one is read with DescribeLimits. KDG.
pub const ACCOUNT_SHARDS_MIN: u32 = 1_000;
/// Open shards beyond max(from, to) that a reshard may need for a moment; they count towards the
/// account's quota (KAPI). Splits and merges interleave, seen on a real 4→3 reshard; undocumented.
pub const RESHARD_TEMPORARY_SHARDS: u32 = 1;

/// Seconds until a reshard shows in the stream's status. Undocumented; 9 to 30 have been seen.
pub const RESHARD_VISIBLE_AFTER_SECONDS: i64 = 60;
/// Seconds until a mode switch shows in the stream's status. Undocumented; taken as for a reshard.
pub const MODE_SWITCH_VISIBLE_AFTER_SECONDS: i64 = RESHARD_VISIBLE_AFTER_SECONDS;
/// Seconds one split or merge takes. Undocumented; derived from timed real reshards (25 to 50).
pub const RESHARD_OPERATION_SECONDS: f64 = 35.0;
/// Seconds before the first split or merge starts. Undocumented; 9 to 30 have been seen.
pub const RESHARD_START_SECONDS: f64 = 10.0;
/// Splits and merges in progress at once. Undocumented; a careful guess.
pub const RESHARD_PARALLELISM: u32 = 8;

/// Default and longest retention of a stream, hours. KDG.
pub const RETENTION_DEFAULT_HOURS: u32 = 24;
/// Longest retention, hours. KDG.
pub const RETENTION_MAX_HOURS: u32 = 8_760;

/// Seconds after the end of a minute until its metrics can be taken as final. CloudWatch promises
/// nothing; alarms on real streams saw them after 45 to 52 s, p99 is put at 180 s.
pub const METRIC_SETTLE_SECONDS: i64 = 180;
/// Days CloudWatch keeps 60-second points. CWG.
pub const METRIC_MINUTES_KEPT_DAYS: u32 = 15;
/// Days CloudWatch keeps 300-second points. CWG.
pub const METRIC_FIVE_MINUTES_KEPT_DAYS: u32 = 63;
/// Days CloudWatch keeps points of an hour. CWG.
pub const METRIC_HOURS_KEPT_DAYS: u32 = 455;
/// Queries in one GetMetricData call. CWQ.
pub const METRIC_QUERIES_PER_CALL_MAX: usize = 500;
/// Datapoints in one GetMetricData answer. CWQ.
pub const METRIC_POINTS_PER_CALL_MAX: usize = 100_800;
/// Longest alarm name. CWQ.
pub const ALARM_NAME_CHARS_MAX: usize = 255;
/// Longest reason of an alarm's state. CloudWatch API reference, SetAlarmState.
pub const ALARM_REASON_CHARS_MAX: usize = 1_023;
/// Alarms in one DescribeAlarms page, or one DeleteAlarms call. CWQ.
pub const ALARMS_PER_CALL_MAX: usize = 100;
/// An alarm's evaluation window (period × periods) for periods under an hour, seconds. CWG.
pub const ALARM_WINDOW_SECONDS_MAX: u32 = 86_400;
/// Entries in one PutEvents call. EBG.
pub const EVENTS_PER_CALL_MAX: usize = 10;

/// Longest subject of an SNS message, ASCII characters: "less than 100". SNS API reference,
/// Publish.
pub const SNS_SUBJECT_CHARS_MAX: usize = 99;
/// Largest SNS message, attributes included, bytes. SNS service quotas.
pub const SNS_MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of one SMS; SNS splits a longer one into several. SNS developer guide.
pub const SMS_CHARS_MAX: usize = 140;
/// Longest title of a custom notification in chat, characters. Amazon Q Developer in chat
/// applications administrator guide, as are the three below.
pub const CHAT_TITLE_CHARS_MAX: usize = 250;
/// Longest description of one.
pub const CHAT_DESCRIPTION_CHARS_MAX: usize = 8_000;
/// Longest next step of one.
pub const CHAT_STEP_CHARS_MAX: usize = 350;
/// Longest keyword of one.
pub const CHAT_KEYWORD_CHARS_MAX: usize = 75;

/// Calls per second an account may make. CWQ, KAPI; Lambda quotas, Firehose quotas.
pub mod calls_per_second {
    /// PutMetricAlarm. CWQ.
    pub const PUT_METRIC_ALARM: u32 = 3;
    /// SetAlarmState. CWQ.
    pub const SET_ALARM_STATE: u32 = 3;
    /// DeleteAlarms. CWQ.
    pub const DELETE_ALARMS: u32 = 3;
    /// DescribeAlarms. CWQ.
    pub const DESCRIBE_ALARMS: u32 = 9;
    /// DescribeStreamSummary. KAPI.
    pub const DESCRIBE_STREAM_SUMMARY: u32 = 20;
    /// DescribeLimits. KAPI.
    pub const DESCRIBE_LIMITS: u32 = 1;
    /// ListStreams. KAPI.
    pub const LIST_STREAMS: u32 = 5;
    /// UpdateShardCount. KAPI; of what it is counted it does not say, so of the account.
    pub const UPDATE_SHARD_COUNT: u32 = 10;
    /// Functions that resize streams at a time, as both templates reserve them: each keeps to its
    /// part of that quota.
    pub const UPDATE_SHARD_COUNT_SHARERS: u32 = 10;
    /// UpdateStreamMode. Not published; as low as the other rare calls on streams.
    pub const UPDATE_STREAM_MODE: u32 = 5;
    /// ListEventSourceMappings: all calls to Lambda's control plane together. Lambda quotas.
    pub const LIST_EVENT_SOURCE_MAPPINGS: u32 = 15;
    /// ListDeliveryStreams. Firehose quotas.
    pub const LIST_DELIVERY_STREAMS: u32 = 5;
    /// DescribeDeliveryStream. Firehose quotas.
    pub const DESCRIBE_DELIVERY_STREAM: u32 = 5;
    /// GetMetricData (older regions 50). CWQ.
    pub const GET_METRIC_DATA: u32 = 50;
    /// Datapoints asked for with GetMetricData, where they begin more than three hours ago. CWQ.
    pub const METRIC_POINTS: u32 = 396_000;
    /// ListMetrics. CWQ.
    pub const LIST_METRICS: u32 = 25;
}

// Relations between limits. Where one of these breaks, code that relies on it would be wrong.
const _: () = assert!(RESHARD_FACTOR_MAX >= 2, "a stream must be able to grow and shrink");
const _: () = assert!(
    ACCOUNT_SHARDS_MIN <= SHARDS_PER_STREAM_MAX,
    "the smallest quota must be a size one stream can have"
);
const _: () = assert!(
    RESHARDS_PER_DAY_MAX > MODE_SWITCHES_PER_DAY_MAX,
    "a mode switch is the scarcer of the two"
);
const _: () = assert!(
    METRIC_MINUTES_KEPT_DAYS < METRIC_FIVE_MINUTES_KEPT_DAYS,
    "older points must be the coarser ones"
);
const _: () = assert!(
    RETENTION_DEFAULT_HOURS <= RETENTION_MAX_HOURS,
    "the default retention must be one that can be set"
);
const _: () = assert!(
    RESHARD_START_SECONDS <= RESHARD_VISIBLE_AFTER_SECONDS as f64,
    "a reshard must have started before it is taken for lost"
);

//! The calls loops make, as AWS names them; the ledger's in Weir's words. Not here: making them
//! (`ports`), minding their quotas (`api`).

use weir_control::routing::Loop;
use weir_core::limits::calls_per_second as quota;

use crate::clock::Millis;

/// A call on the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    DescribeStreamSummary,
    ListStreams,
    ListEventSourceMappings,
    DescribeLimits,
    UpdateShardCount,
    UpdateStreamMode,
    GetMetricData,
    DescribeAlarms,
    PutMetricAlarm,
    SetAlarmState,
    DeleteAlarms,
    PutEvents,
    Publish,
    LedgerRead,
    LedgerWrite,
}

impl Operation {
    /// How many there are.
    pub(crate) const COUNT: usize = 15;

    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Operation; Operation::COUNT] = [
        Operation::DescribeStreamSummary,
        Operation::ListStreams,
        Operation::ListEventSourceMappings,
        Operation::DescribeLimits,
        Operation::UpdateShardCount,
        Operation::UpdateStreamMode,
        Operation::GetMetricData,
        Operation::DescribeAlarms,
        Operation::PutMetricAlarm,
        Operation::SetAlarmState,
        Operation::DeleteAlarms,
        Operation::PutEvents,
        Operation::Publish,
        Operation::LedgerRead,
        Operation::LedgerWrite,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::DescribeStreamSummary => "DescribeStreamSummary",
            Operation::ListStreams => "ListStreams",
            Operation::ListEventSourceMappings => "ListEventSourceMappings",
            Operation::DescribeLimits => "DescribeLimits",
            Operation::UpdateShardCount => "UpdateShardCount",
            Operation::UpdateStreamMode => "UpdateStreamMode",
            Operation::GetMetricData => "GetMetricData",
            Operation::DescribeAlarms => "DescribeAlarms",
            Operation::PutMetricAlarm => "PutMetricAlarm",
            Operation::SetAlarmState => "SetAlarmState",
            Operation::DeleteAlarms => "DeleteAlarms",
            Operation::PutEvents => "PutEvents",
            Operation::Publish => "Publish",
            Operation::LedgerRead => "ledger read",
            Operation::LedgerWrite => "ledger write",
        }
    }

    /// Requests a second that an account may make; `None` where that is more than any fleet needs.
    pub(crate) fn quota(self) -> Option<u32> {
        match self {
            Operation::DescribeStreamSummary => Some(quota::DESCRIBE_STREAM_SUMMARY),
            Operation::ListStreams => Some(quota::LIST_STREAMS),
            Operation::DescribeLimits => Some(quota::DESCRIBE_LIMITS),
            Operation::UpdateShardCount => Some(quota::UPDATE_SHARD_COUNT),
            Operation::UpdateStreamMode => Some(quota::UPDATE_STREAM_MODE),
            Operation::GetMetricData => Some(quota::GET_METRIC_DATA),
            Operation::DescribeAlarms => Some(quota::DESCRIBE_ALARMS),
            Operation::PutMetricAlarm => Some(quota::PUT_METRIC_ALARM),
            Operation::SetAlarmState => Some(quota::SET_ALARM_STATE),
            Operation::DeleteAlarms => Some(quota::DELETE_ALARMS),
            // ListStreamConsumers is counted by stream, and mappings are kept.
            Operation::ListEventSourceMappings
            | Operation::PutEvents
            | Operation::Publish
            | Operation::LedgerRead
            | Operation::LedgerWrite => None,
        }
    }

    /// Milliseconds between two of them, as `weir-aws` paces one function.
    pub(crate) fn gap(self, runs: Loop) -> Option<Millis> {
        let of_one = |quota: u32| 1_500 / i64::from(quota);
        match self {
            // Shared evenly by all that resize.
            Operation::UpdateShardCount => {
                let sharers = i64::from(quota::UPDATE_SHARD_COUNT_SHARERS);
                self.quota().map(|quota| 10_000 * sharers / (9 * i64::from(quota)))
            }
            Operation::DescribeStreamSummary if runs == Loop::SyncAlarms => {
                self.quota().map(|quota| 3 * of_one(quota))
            }
            _ => self.quota().map(of_one),
        }
    }

    /// How long it takes to be answered, milliseconds.
    pub(crate) fn millis(self) -> Millis {
        match self {
            Operation::GetMetricData => 250,
            Operation::UpdateShardCount | Operation::UpdateStreamMode => 150,
            Operation::DescribeAlarms | Operation::PutMetricAlarm => 80,
            Operation::SetAlarmState | Operation::DeleteAlarms => 50,
            Operation::DescribeStreamSummary
            | Operation::ListStreams
            | Operation::ListEventSourceMappings
            | Operation::DescribeLimits
            | Operation::Publish => 30,
            Operation::PutEvents => 20,
            // A record is its state, its profile and its actions.
            Operation::LedgerRead => 15,
            Operation::LedgerWrite => 10,
        }
    }

    /// Whether it is never repeated.
    pub(crate) fn is_once(self) -> bool {
        matches!(self, Operation::UpdateShardCount | Operation::UpdateStreamMode)
    }

    pub(crate) fn is_ledger(self) -> bool {
        matches!(self, Operation::LedgerRead | Operation::LedgerWrite)
    }

    pub(crate) fn is_metrics(self) -> bool {
        matches!(
            self,
            Operation::GetMetricData
                | Operation::DescribeAlarms
                | Operation::PutMetricAlarm
                | Operation::SetAlarmState
                | Operation::DeleteAlarms
        )
    }

    /// Whether it changes anything.
    pub(crate) fn writes(self) -> bool {
        matches!(
            self,
            Operation::UpdateShardCount
                | Operation::UpdateStreamMode
                | Operation::PutMetricAlarm
                | Operation::SetAlarmState
                | Operation::DeleteAlarms
                | Operation::PutEvents
                | Operation::Publish
                | Operation::LedgerWrite
        )
    }
}

/// How often each was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally([u64; Operation::COUNT]);

impl Tally {
    pub(crate) fn add(&mut self, operation: Operation) {
        self.0[operation as usize] += 1;
    }

    /// Those that were made at all, by name.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Operation::ALL.into_iter().map(|o| (o.name(), self.0[o as usize])).filter(|(_, n)| *n > 0)
    }
}

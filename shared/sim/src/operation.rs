//! The calls loops make, as AWS names them; the ledger's in Weir's words. Not here: making them
//! (`ports`).

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

//! What Weir would do now: the loop plan-capacity with every write left out.
//!
//! It asks for ports that read, and no other: what cannot be named cannot be called. Not here: the
//! loop (`plan_capacity`), and telling of it (`weir`).

use jiff::Timestamp;
use weir_core::action::ActionRecord;
use weir_core::alarms::AlarmPrefix;
use weir_core::observation::StreamState;
use weir_core::policy::PolicySet;
use weir_core::units::StreamName;

use super::{PlanReport, on_event};
use crate::answer::Handled;
use crate::deadline::Deadline;
use crate::event::{OperatorRequest, Request, VERSION, WeirEvent};
use crate::incoming::Incoming;
use crate::installation::Installation;
use crate::ledger::{Planned, StreamRecord};
use crate::plan_id::PlanId;
use crate::ports::{
    Clock, DescribeStream, FindDue, ListStreams, PortError, PortResult, PublishEvents,
    QuotaReading, ReadQuota, ReadRecord, ReadTraffic, RecordOutcome, RecordPlan, Reschedule,
    TakeTurns, Traffic,
};

/// Everything a preview needs.
pub trait PreviewPorts:
    Clock + DescribeStream + ListStreams + ReadTraffic + ReadQuota + ReadRecord
{
}

impl<P: Clock + DescribeStream + ListStreams + ReadTraffic + ReadQuota + ReadRecord> PreviewPorts
    for P
{
}

/// Whether there is a ledger to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// What an installation remembers: the day's calls, pauses, what was learnt.
    Ledger,
    /// Weir is not installed: each stream is as one that it sees for the first time.
    Nothing,
}

/// Plans for this stream, or for every stream that the policies name, and writes nothing.
///
/// # Errors
/// Where the streams cannot be listed. What cannot be read of one stream stands in the report.
pub async fn preview<P: PreviewPorts>(
    ports: &P,
    memory: Memory,
    policies: &PolicySet,
    stream: Option<&StreamName>,
) -> PortResult<PlanReport> {
    let installation = Installation {
        policies: policies.clone(),
        alarm_prefix: AlarmPrefix::default(),
        place: None,
    };
    let stream = stream.cloned();
    let request = OperatorRequest { version: VERSION, request: Request::Plan, stream, after: None };
    let looking = Looking { ports, memory };
    // Nobody stops it: who asked waits for all of it.
    let deadline = Deadline::at(Timestamp::MAX);
    let event = Incoming::OperatorRequest(request);
    match on_event(&looking, &installation, &event, deadline).await.result {
        Handled::Done(report) => Ok(report),
        Handled::Failed(error) => Err(error),
        // Neither is said of an operator's request for plans.
        Handled::Skipped(_) | Handled::Refused(_) => Ok(PlanReport::default()),
    }
}

/// Reads as the ports do; whatever is to be written is let go.
struct Looking<'a, P> {
    ports: &'a P,
    memory: Memory,
}

impl<P: Clock> Clock for Looking<'_, P> {
    fn now(&self) -> Timestamp {
        self.ports.now()
    }
}

impl<P: DescribeStream> DescribeStream for Looking<'_, P> {
    async fn describe_stream(&self, stream: &StreamName) -> PortResult<StreamState> {
        self.ports.describe_stream(stream).await
    }
}

impl<P: ListStreams> ListStreams for Looking<'_, P> {
    async fn list_streams(&self) -> PortResult<Vec<StreamName>> {
        self.ports.list_streams().await
    }
}

impl<P: ReadTraffic> ReadTraffic for Looking<'_, P> {
    async fn read_traffic(
        &self,
        streams: &[StreamName],
        now: Timestamp,
    ) -> Vec<Result<Traffic, PortError>> {
        self.ports.read_traffic(streams, now).await
    }
}

impl<P: ReadQuota> ReadQuota for Looking<'_, P> {
    async fn read_quota(&self) -> PortResult<QuotaReading> {
        self.ports.read_quota().await
    }
}

impl<P: ReadRecord> ReadRecord for Looking<'_, P> {
    async fn read_record(
        &self,
        stream: &StreamName,
        since: Timestamp,
    ) -> PortResult<Option<StreamRecord>> {
        match self.memory {
            Memory::Ledger => self.ports.read_record(stream, since).await,
            Memory::Nothing => Ok(None),
        }
    }
}

/// Nothing is due: it is asked for by name.
impl<P> FindDue for Looking<'_, P> {
    async fn due_streams(&self, _: Timestamp, _: usize) -> PortResult<Vec<StreamName>> {
        Ok(Vec::new())
    }
}

impl<P> Reschedule for Looking<'_, P> {
    async fn hasten(&self, _: &StreamName, _: Timestamp, _: Timestamp) -> PortResult<bool> {
        Ok(true)
    }

    async fn postpone(&self, _: &StreamName, _: Timestamp) -> PortResult<()> {
        Ok(())
    }
}

/// It takes nobody's turn.
impl<P> TakeTurns for Looking<'_, P> {
    async fn begin_turn(&self, _: Timestamp, _: Timestamp) -> PortResult<bool> {
        Ok(true)
    }

    async fn end_turn(&self, _: Timestamp) -> PortResult<()> {
        Ok(())
    }
}

impl<P> PublishEvents for Looking<'_, P> {
    async fn publish(&self, _: &[WeirEvent]) -> PortResult<()> {
        Ok(())
    }
}

impl<P> RecordPlan for Looking<'_, P> {
    async fn record_plan(&self, _: &StreamName, _: &Planned) -> PortResult<bool> {
        Ok(true)
    }
}

impl<P> RecordOutcome for Looking<'_, P> {
    async fn record_outcome(&self, _: &StreamName, _: &PlanId, _: &ActionRecord) -> PortResult<()> {
        Ok(())
    }

    async fn release(&self, _: &StreamName, _: &PlanId) -> PortResult<()> {
        Ok(())
    }
}

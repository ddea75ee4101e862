//! What a run over all streams would write, and nothing written: sync-alarms on ports that only
//! read.
//!
//! No ledger is asked either: there need not be one yet. Not here: what it costs (`weir check`).

use std::cell::RefCell;

use jiff::Timestamp;
use weir_core::alarms::{ActualAlarm, AlarmName, AlarmSpec, MetricId};
use weir_core::consumer::Consumer;
use weir_core::observation::StreamState;
use weir_core::units::StreamName;

use super::{SyncReport, fleet};
use crate::deadline::Deadline;
use crate::event::WeirEvent;
use crate::installation::Installation;
use crate::ports::{
    Clock, DescribeStream, FindConsumers, FindMetric, ListStreams, PortResult, PublishEvents,
    ReadAlarms, Register, WriteAlarms,
};

/// What a preview needs: rights to look, and none to change anything.
pub trait AlarmPreviewPorts:
    Clock + ListStreams + DescribeStream + FindConsumers + FindMetric + ReadAlarms
{
}

impl<P> AlarmPreviewPorts for P where
    P: Clock + ListStreams + DescribeStream + FindConsumers + FindMetric + ReadAlarms
{
}

/// What sync-alarms would do.
#[derive(Debug)]
pub struct Preview {
    /// Every alarm there should be.
    pub desired: Vec<AlarmSpec>,
    /// What would be written of it, and what else; as a run reports it.
    pub report: SyncReport,
}

/// Looks at everything that sync-alarms looks at, and writes nothing.
///
/// # Errors
///
/// When nothing could be compared.
pub async fn preview<P: AlarmPreviewPorts>(
    ports: &P,
    installation: &Installation,
) -> PortResult<Preview> {
    let unwritten = Unwritten { ports, desired: RefCell::default() };
    let report = fleet::run(&unwritten, installation, None, Deadline::at(Timestamp::MAX)).await?;
    Ok(Preview { desired: unwritten.desired.into_inner(), report })
}

/// Ports that pass reading on, and take writing for done.
struct Unwritten<'a, P> {
    ports: &'a P,
    desired: RefCell<Vec<AlarmSpec>>,
}

impl<P: Clock> Clock for Unwritten<'_, P> {
    fn now(&self) -> Timestamp {
        self.ports.now()
    }
}

impl<P: ListStreams> ListStreams for Unwritten<'_, P> {
    async fn list_streams(&self) -> PortResult<Vec<StreamName>> {
        self.ports.list_streams().await
    }
}

impl<P: DescribeStream> DescribeStream for Unwritten<'_, P> {
    async fn describe_stream(&self, stream: &StreamName) -> PortResult<StreamState> {
        self.ports.describe_stream(stream).await
    }
}

impl<P: FindConsumers> FindConsumers for Unwritten<'_, P> {
    async fn find_consumers(&self, stream: &StreamName) -> PortResult<Vec<Consumer>> {
        self.ports.find_consumers(stream).await
    }
}

impl<P: FindMetric> FindMetric for Unwritten<'_, P> {
    async fn metric_exists(&self, metric: &MetricId) -> PortResult<bool> {
        self.ports.metric_exists(metric).await
    }
}

impl<P: ReadAlarms> ReadAlarms for Unwritten<'_, P> {
    async fn read_alarms(&self, desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>> {
        self.desired.borrow_mut().extend(desired.iter().cloned());
        self.ports.read_alarms(desired).await
    }

    async fn read_all_alarms(&self, desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>> {
        self.ports.read_all_alarms(desired).await
    }
}

impl<P> WriteAlarms for Unwritten<'_, P> {
    async fn put_alarm(&self, _: &AlarmSpec) -> PortResult<()> {
        Ok(())
    }

    async fn rearm_alarm(&self, _: &AlarmName) -> PortResult<()> {
        Ok(())
    }

    async fn delete_alarms(&self, _: &[String]) -> PortResult<()> {
        Ok(())
    }
}

impl<P> Register for Unwritten<'_, P> {
    async fn registered(&self) -> PortResult<Vec<StreamName>> {
        Ok(Vec::new())
    }

    async fn register(&self, _: &StreamName, _: Timestamp) -> PortResult<()> {
        Ok(())
    }

    async fn retire(&self, _: &StreamName) -> PortResult<()> {
        Ok(())
    }
}

impl<P> PublishEvents for Unwritten<'_, P> {
    async fn publish(&self, _: &[WeirEvent]) -> PortResult<()> {
        Ok(())
    }
}

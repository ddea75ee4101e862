//! CloudWatch: GetMetricData, DescribeAlarms, PutMetricAlarm, SetAlarmState, DeleteAlarms.

use jiff::Timestamp;
use weir_control::ports::{Failure, PortResult, ReadAlarms, ReadTraffic, Traffic, WriteAlarms};
use weir_core::alarms::{ActualAlarm, AlarmName, AlarmSpec};
use weir_core::units::StreamName;

use super::SimulatedPorts;
use crate::operation::Operation;

impl ReadTraffic for SimulatedPorts {
    async fn read_traffic(
        &self,
        streams: &[StreamName],
        now: Timestamp,
    ) -> Vec<PortResult<Traffic>> {
        let mut answers = Vec::with_capacity(streams.len());
        for stream in streams {
            let answer = self
                .call(Operation::GetMetricData, Some(stream), |world| {
                    let unknown = || (Failure::Missing, format!("no metrics of {stream}"));
                    let place = world.account.place(stream).ok_or_else(unknown)?;
                    let metrics = &world.metrics[place];
                    Ok((metrics.traffic(now.as_second()), metrics.publications()))
                })
                .await;
            if let Some(seen) = &mut *self.run.seen.borrow_mut() {
                let publications = answer.as_ref().map(|(_, publications)| *publications);
                seen.traffic(stream, now.as_second(), publications);
            }
            answers.push(answer.map(|(published, _)| Traffic {
                minutes: published.minutes,
                days: Ok(published.days),
            }));
        }
        answers
    }
}

impl ReadAlarms for SimulatedPorts {
    async fn read_alarms(&self, desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>> {
        let names = || desired.iter().map(|spec| &spec.name);
        let about = desired.first().map(|spec| &spec.stream);
        self.call(Operation::DescribeAlarms, about, |world| Ok(world.alarms.named(names()))).await
    }

    async fn read_all_alarms(&self, _desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>> {
        self.call(Operation::DescribeAlarms, None, |world| {
            Ok(world.alarms.beginning(&world.alarm_prefix.to_string()))
        })
        .await
    }
}

impl WriteAlarms for SimulatedPorts {
    async fn put_alarm(&self, spec: &AlarmSpec) -> PortResult<()> {
        self.call(Operation::PutMetricAlarm, Some(&spec.stream), |world| {
            world.alarms.put(spec, world.clock.now());
            Ok(())
        })
        .await
    }

    async fn rearm_alarm(&self, name: &AlarmName) -> PortResult<()> {
        self.call(Operation::SetAlarmState, None, |world| {
            world.forget_alarm_state(name).ok_or_else(|| (Failure::Missing, name.to_string()))
        })
        .await
    }

    async fn delete_alarms(&self, names: &[String]) -> PortResult<()> {
        self.call(Operation::DeleteAlarms, None, |world| {
            world.alarms.delete(names);
            Ok(())
        })
        .await
    }
}

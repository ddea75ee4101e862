//! CloudWatch: GetMetricData, DescribeAlarms, PutMetricAlarm, SetAlarmState, DeleteAlarms.

use jiff::Timestamp;
use weir_control::ports::{Failure, PortResult, ReadAlarms, ReadTraffic, Traffic, WriteAlarms};
use weir_core::alarms::{ActualAlarm, AlarmName, AlarmSpec};
use weir_core::limits::ALARMS_PER_CALL_MAX;
use weir_core::units::StreamName;

use super::{SimulatedPorts, failed};
use crate::api::metric_requests;
use crate::operation::Operation;
use crate::stream::Refused;

impl ReadTraffic for SimulatedPorts {
    async fn read_traffic(
        &self,
        streams: &[StreamName],
        now: Timestamp,
    ) -> Vec<PortResult<Traffic>> {
        let mut answers = Vec::with_capacity(streams.len());
        let refused = self.metric_requests(streams).await.err();
        for stream in streams {
            let asked = async {
                if let Some((failure, message)) = &refused {
                    return Err(failed(Operation::GetMetricData, (*failure, message.clone())));
                }
                self.requested(Operation::GetMetricData, Some(stream), |world| {
                    let unknown = || (Failure::Missing, format!("no metrics of {stream}"));
                    let place = world.account.place(stream).ok_or_else(unknown)?;
                    let metrics = &world.metrics[place];
                    Ok((metrics.traffic(now.as_second()), metrics.publications()))
                })
                .await
            };
            let answer = asked.await;
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

impl SimulatedPorts {
    /// The requests for the traffic of so many streams, which run beside each other: each has its
    /// turn, by calls and by datapoints, and the last is waited for.
    async fn metric_requests(&self, streams: &[StreamName]) -> Result<(), Refused> {
        if self.world.borrow().settings.api.is_none() {
            return Ok(());
        }
        let operation = Operation::GetMetricData;
        let environment = &self.run.environment;
        let unread = environment.read_days(streams, self.now_millis().div_euclid(1_000));
        for (count, days) in [(streams.len(), false), (unread, true)] {
            let (requests, points) = metric_requests(count, days);
            for _ in 0..requests {
                let turn = environment.turn(operation, self.run.of, self.now_millis());
                self.sleep_until(turn).await;
                self.sleep_until(environment.points_turn(points, self.now_millis())).await;
                self.be_taken(operation).await?;
            }
        }
        self.sleep_until(self.now_millis() + operation.millis()).await;
        Ok(())
    }
}

impl ReadAlarms for SimulatedPorts {
    async fn read_alarms(&self, desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>> {
        let names = || desired.iter().map(|spec| &spec.name);
        let about = desired.first().map(|spec| &spec.stream);
        let operation = Operation::DescribeAlarms;
        let pages = desired.len().div_ceil(ALARMS_PER_CALL_MAX);
        self.requests(operation, pages).await.map_err(|refused| failed(operation, refused))?;
        self.requested(operation, about, |world| Ok(world.alarms.named(names()))).await
    }

    async fn read_all_alarms(&self, _desired: &[AlarmSpec]) -> PortResult<Vec<ActualAlarm>> {
        let operation = Operation::DescribeAlarms;
        let pages = self.world.borrow().alarms.len() / ALARMS_PER_CALL_MAX + 1;
        self.requests(operation, pages).await.map_err(|refused| failed(operation, refused))?;
        self.requested(operation, None, |world| {
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

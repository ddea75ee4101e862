//! Alarms as CloudWatch keeps and judges them.
//!
//! Every minute, over a window that slides. Who is told: the bus, of every change of state and of
//! nothing else, so an alarm that stays in ALARM is heard once. Here: the alarms; in files of their
//! own: the judgement (`evaluate`), what they watch (`watched`) and the event (`event`).

pub(crate) mod evaluate;
mod event;
pub(crate) mod watched;

use std::collections::BTreeMap;

use weir_core::alarms::{ActualAlarm, AlarmName, AlarmSpec, AlarmState};

use evaluate::{EXTRA_PERIODS, evaluate};
pub(crate) use event::{ACCOUNT, REGION, StateChange};

use crate::clock::Seconds;

struct Alarm {
    spec: AlarmSpec,
    state: AlarmState,
    since: Seconds,
}

/// Every alarm there is.
#[derive(Default)]
pub(crate) struct Alarms {
    by_name: BTreeMap<String, Alarm>,
    /// Room for what one alarm looks at.
    values: Vec<Option<f64>>,
}

impl Alarms {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// PutMetricAlarm: a new alarm knows nothing yet; one that is overwritten keeps its state.
    pub(crate) fn put(&mut self, spec: &AlarmSpec, now: Seconds) {
        self.by_name
            .entry(spec.name.as_str().to_owned())
            .and_modify(|alarm| alarm.spec = spec.clone())
            .or_insert_with(|| Alarm {
                spec: spec.clone(),
                state: AlarmState::InsufficientData,
                since: now,
            });
    }

    /// SetAlarmState to "insufficient data", until the next evaluation. `None`: no such alarm.
    pub(crate) fn forget_state(
        &mut self,
        name: &AlarmName,
        now: Seconds,
        told: impl FnMut(StateChange<'_>),
    ) -> Option<()> {
        let alarm = self.by_name.get_mut(name.as_str())?;
        alarm.change(AlarmState::InsufficientData, &[], now, told);
        Some(())
    }

    /// DeleteAlarms. Names that nobody knows are passed over.
    pub(crate) fn delete(&mut self, names: &[String]) {
        for name in names {
            self.by_name.remove(name);
        }
    }

    /// Alarms whose names begin so.
    pub(crate) fn beginning(&self, prefix: &str) -> Vec<ActualAlarm> {
        self.by_name
            .range(prefix.to_owned()..)
            .take_while(|(name, _)| name.starts_with(prefix))
            .map(|(_, alarm)| alarm.actual())
            .collect()
    }

    /// These alarms, as far as they exist.
    pub(crate) fn named<'a>(&self, names: impl Iterator<Item = &'a AlarmName>) -> Vec<ActualAlarm> {
        names.filter_map(|name| self.by_name.get(name.as_str())).map(Alarm::actual).collect()
    }

    /// Judges every alarm at `now`. `values` is asked for what an alarm watches in its newest
    /// periods, oldest first; `None` where nobody knows what that is.
    pub(crate) fn evaluate(
        &mut self,
        now: Seconds,
        values: impl Fn(&AlarmSpec, usize, &mut Vec<Option<f64>>) -> Option<()>,
        mut told: impl FnMut(StateChange<'_>),
    ) {
        let Alarms { by_name, values: newest } = self;
        for alarm in by_name.values_mut() {
            let periods = alarm.spec.evaluation_periods + EXTRA_PERIODS;
            newest.clear();
            if values(&alarm.spec, usize::try_from(periods).unwrap_or(0), newest).is_some() {
                alarm.judge(newest, now, &mut told);
            }
        }
    }

    /// What each alarm says, and since when.
    pub(crate) fn states(&self) -> impl Iterator<Item = (&AlarmSpec, AlarmState, Seconds)> {
        self.by_name.values().map(|alarm| (&alarm.spec, alarm.state, alarm.since))
    }
}

impl Alarm {
    fn actual(&self) -> ActualAlarm {
        ActualAlarm {
            name: self.spec.name.as_str().to_owned(),
            state: self.state,
            spec: Some(self.spec.clone()),
        }
    }

    /// Judges by these values, oldest first.
    fn judge(&mut self, values: &[Option<f64>], now: Seconds, told: impl FnMut(StateChange<'_>)) {
        let spec = &self.spec;
        let breaches = |value: &Option<f64>| value.map(|value| value >= spec.threshold);
        let (n, m) = (spec.evaluation_periods, spec.datapoints_to_alarm);
        let points = values.iter().map(breaches);
        let state = evaluate(points, n, m, spec.missing.into(), self.state);
        self.change(state, values, now, told);
    }

    fn change(
        &mut self,
        to: AlarmState,
        values: &[Option<f64>],
        at: Seconds,
        mut told: impl FnMut(StateChange<'_>),
    ) {
        if to == self.state {
            return;
        }
        let (from, from_since) = (self.state, self.since);
        (self.state, self.since) = (to, at);
        told(StateChange { spec: &self.spec, from, from_since, to, at, values, with_tags: true });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use weir_core::alarms::{AlarmPrefix, desired};
    use weir_core::observation::CapacityMode;
    use weir_core::policy::Policy;
    use weir_core::series::TrafficPoint;
    use weir_core::units::{Shards, StreamName};

    const MIB_MINUTE: f64 = 60.0 * 1_048_576.0;

    /// Runs a surge alarm over minutes of load, in shards, and returns each minute's changes.
    /// `before` may do something to the alarms ahead of a minute's evaluation.
    fn states(
        loads: &[Option<f64>],
        mut before: impl FnMut(usize, &mut Alarms, &mut Vec<(usize, AlarmState)>),
    ) -> Vec<(usize, AlarmState)> {
        let stream = StreamName::new("orders").expect("a name");
        let mut alarms = Alarms::default();
        alarms.put(&surge(&stream, 10), 0);
        let mut metrics = Metrics::new(0, loads.len());
        let mut heard = Vec::new();
        for (minute, load) in loads.iter().enumerate() {
            if let Some(load) = load {
                let point = TrafficPoint {
                    accepted_bytes: Some(load * MIB_MINUTE),
                    accepted_records: Some(1.0),
                    ..TrafficPoint::default()
                };
                metrics.publish(minute, point, 0);
            }
            before(minute, &mut alarms, &mut heard);
            alarms.evaluate(
                0,
                |spec, periods, values| {
                    watched::of_stream(spec.kind, &metrics, minute, periods, values);
                    Some(())
                },
                |change| heard.push((minute, change.to)),
            );
        }
        heard
    }

    fn surge(stream: &StreamName, open: u32) -> AlarmSpec {
        let (prefix, mode) = (AlarmPrefix::default(), CapacityMode::Provisioned);
        desired(&prefix, &Policy::DEFAULT, stream, mode, Shards::at_least_one(open)).swap_remove(0)
    }

    #[test]
    fn an_alarm_that_stays_in_alarm_is_heard_once() {
        let loads = [8.0, 9.5, 9.9, 10.0, 9.0, 8.9, 9.1].map(Some);
        let (ok, alarm) = (AlarmState::Ok, AlarmState::Alarm);
        assert_eq!(states(&loads, |_, _, _| ()), [(0, ok), (1, alarm), (5, ok), (6, alarm)]);
    }

    #[test]
    fn late_data_does_not_end_an_alarm() {
        let loads = [Some(9.5), None, None, Some(9.5)];
        assert_eq!(states(&loads, |_, _, _| ()), [(0, AlarmState::Alarm)]);
    }

    #[test]
    fn a_new_threshold_keeps_the_state_and_setting_it_back_lets_it_fire_again() {
        let stream = StreamName::new("orders").expect("a name");
        let loads = [9.5; 6].map(Some);
        let heard = states(&loads, |minute, alarms, heard| {
            if minute == 2 {
                alarms.put(&surge(&stream, 10), 0); // still breaching: nothing is heard
            }
            if minute == 4 {
                let name = surge(&stream, 10).name;
                assert!(alarms.forget_state(&name, 0, |c| heard.push((minute, c.to))).is_some());
            }
        });
        let (alarm, unknown) = (AlarmState::Alarm, AlarmState::InsufficientData);
        assert_eq!(heard, [(0, alarm), (4, unknown), (4, alarm)]);
    }
}

//! Time goes by: minutes end, alarms are judged, schedules fire, other people act.

use weir_control::routing::Loop;
use weir_core::series::TrafficPoint;

use super::{Event, World};
use crate::alarms::{StateChange, watched};
use crate::bus::Bus;
use crate::chance::Dice;
use crate::clock::{Clock, Seconds, count};
use crate::faults::{ExternalAction, ExternalChange};
use crate::metrics::MetricDelay;
use crate::record::MinuteRecord;
use crate::stream::{Caller, minutes_between};
use crate::traffic::datapoints;
use crate::world::reading::Taken;

impl World {
    /// A minute is over: its traffic meets the capacity it had, and is told to CloudWatch.
    pub(crate) fn end_minute(&mut self, minute: usize) {
        let begins = self.start + 60 * count(minute);
        for place in 0..self.runs.len() {
            let (first, trace) = &self.traces[place];
            let offered = minute.checked_sub(*first).and_then(|i| trace.get(i));
            let offered = offered.copied().unwrap_or_default();
            let stream = &mut self.account.streams[place];
            let (mode, open) = (stream.mode_at(begins), stream.mean_open(begins, begins + 60));
            let capacity = stream.capacity(mode, open);
            let evenness = self.settings.evenness.at(minute.saturating_sub(*first));
            let mut refused_share = evenness.refused_share(offered.load(), capacity);
            let mut point = datapoints(offered, refused_share);
            let deleted = stream.deleted;
            if deleted {
                point = TrafficPoint::default();
                refused_share = 1.0;
            } else if !self.consumers.is_empty() {
                let bytes = point.accepted_bytes.unwrap_or(0.0);
                let records = point.accepted_records.unwrap_or(0.0);
                point.iterator_age_millis = self.read(place, minute, Taken { bytes, records });
            }
            let there = |shards: f64| if deleted { 0.0 } else { shards };
            self.runs[place].minutes.push(MinuteRecord {
                offered_bytes: offered.bytes,
                offered_records: offered.records,
                refused_share,
                mode,
                open_shards: there(open),
                capacity_shards: there(capacity),
            });
            self.account.end_minute(place, mode, offered.load(), begins + 60);
            self.tell_metrics(place, minute, point);
        }
    }

    fn tell_metrics(&mut self, stream: usize, minute: usize, point: TrafficPoint) {
        let dice = &mut self.metric_dice;
        if point.is_empty() || dice.happens(self.settings.faults.lost_minutes) {
            return;
        }
        if self.settings.metrics == MetricDelay::None
            && self.settings.faults.metrics_down.is_empty()
        {
            self.metrics[stream].publish(minute, point, self.clock.now());
            return;
        }
        for publication in self.settings.metrics.publications(point, dice) {
            let at = self.published_at(publication.delay_seconds);
            if at <= self.clock.now() {
                self.metrics[stream].publish(minute, publication.point, at);
            } else {
                self.clock.at(at, Event::Publish { stream, minute, point: publication.point });
            }
        }
    }

    /// When a datapoint comes out that is late by so much.
    pub(super) fn published_at(&self, delay_seconds: i64) -> Seconds {
        let at = self.clock.now() + delay_seconds;
        match self.settings.faults.metrics_back_at(minutes_between(self.start, at)) {
            Some(back) => self.start + 60 * count(back) + delay_seconds,
            None => at,
        }
    }

    /// Every alarm is judged.
    pub(crate) fn judge_alarms(&mut self) {
        let (minute, now) = (self.minute(), self.clock.now());
        let Some(newest) = minute.checked_sub(1) else { return };
        if self.settings.faults.metrics_back_at(minute).is_some() {
            return;
        }
        let (account, metrics, consumers) = (&self.account, &self.metrics, &self.consumers);
        let (bus, clock, dice) = (&mut self.bus, &mut self.clock, &mut self.alarm_dice);
        self.alarms.evaluate(
            now,
            |spec, periods, values| {
                let metrics = account.place(&spec.stream).and_then(|place| metrics.get(place))?;
                match &spec.consumer {
                    None => watched::of_stream(spec.kind, metrics, newest, periods, values),
                    Some(id) => {
                        let consumer = consumers.iter().find(|known| known.is(&spec.stream, id))?;
                        let written = |minute| metrics.minute(minute).accepted_records;
                        let points = &consumer.published;
                        watched::of_consumer(spec, points, written, newest, periods, values);
                    }
                }
                Some(())
            },
            |change| tell_alarm(bus, clock, dice, change),
        );
    }

    /// A schedule fires.
    pub(crate) fn schedule(&mut self, target: Loop) {
        let calm = self.minute() < self.settings.faults.calm_minutes;
        for (delay, delivery) in self.bus.schedule(target, calm) {
            self.clock.after(delay, Event::Deliver(delivery));
        }
    }

    /// Somebody else does something.
    pub(crate) fn change_externally(&mut self, change: ExternalChange) {
        let now = self.clock.now();
        let Some(stream) = self.account.streams.get_mut(change.stream) else { return };
        match change.action {
            ExternalAction::Delete => stream.deleted = true,
            ExternalAction::Switch(to) => {
                let name = stream.name.clone();
                // What AWS refuses others is no business of Weir's.
                let _ = self.update_stream_mode(&name, to, Caller::Other);
            }
            ExternalAction::Reshard(to) => {
                let name = stream.name.clone();
                if let Ok(motion) = self.account.update_shard_count(&name, to, Caller::Other, now) {
                    self.note_accepted(change.stream, motion);
                }
            }
        }
    }
}

/// Puts an alarm's change on the bus. Half of all alarms hand their tags on.
pub(super) fn tell_alarm(
    bus: &mut Bus,
    clock: &mut Clock<Event>,
    dice: &mut Dice,
    change: StateChange<'_>,
) {
    let change = StateChange { with_tags: dice.happens(0.5), ..change };
    let resources = [change.arn()];
    let deliveries = bus.carry(
        "aws.cloudwatch",
        "CloudWatch Alarm State Change",
        &resources,
        change.detail(),
        clock.now(),
    );
    for (delay, delivery) in deliveries {
        clock.after(delay, Event::Deliver(delivery));
    }
}

//! What the checkers are shown, and the counting of calls.

use std::collections::VecDeque;

use weir_control::event::{CapacityPlanned, PlannedAction, WeirEvent};
use weir_control::plan_id::PlanId;
use weir_core::incident::Trouble;
use weir_core::limits;
use weir_core::observation::{CapacityMode, ShardQuota};
use weir_core::policy::{Governance, Policy};
use weir_core::reasons::{HoldReason, Reporting};
use weir_core::units::{Shards, StreamName};

use super::World;
use super::reading::KnownConsumer;
use crate::checkers::alerts::{ConsumerTruth, Evidenced};
use crate::checkers::counted_calls::CountedCalls;
use crate::checkers::{Asked, Broken, one_in_flight, safe_scale_in, targets};
use crate::clock::{count, timestamp};
use crate::faults::Crash;
use crate::metrics::MetricDelay;
use crate::operation::{Operation, Tally};
use crate::process::Run;
use crate::record::{AlertRecord, OwnCause, StreamRun, Violation};
use crate::stream::Caller;

/// Plans noted for each stream.
const NOTES_KEPT: usize = 16;

/// What the checkers know of one stream besides the world.
#[derive(Default)]
pub(super) struct Watch {
    pub(super) calls: CountedCalls,
    /// The quota that the newest plans rest on.
    quotas: VecDeque<(PlanId, Option<ShardQuota>)>,
    made: Tally,
    refused: Tally,
}

/// A consumer as it was.
fn truth<'a>(known: &'a KnownConsumer, runs: &'a [StreamRun]) -> ConsumerTruth<'a> {
    ConsumerTruth {
        stream: &known.stream,
        id: &known.id,
        failures: &known.reading.settings().failures,
        behind: &known.behind,
        run: &runs[known.place],
    }
}

impl World {
    /// Counts a call.
    pub(crate) fn tally(&mut self, operation: Operation, stream: Option<&StreamName>, ok: bool) {
        let place = stream.and_then(|stream| self.account.place(stream));
        let watch = place.and_then(|place| self.watches.get_mut(place));
        let watch = watch.unwrap_or(&mut self.account_calls);
        watch.made.add(operation);
        if !ok {
            watch.refused.add(operation);
        }
    }

    /// Notes what a plan rests on.
    pub(crate) fn note_plan(&mut self, planned: &CapacityPlanned, quota: Option<ShardQuota>) {
        let Some(place) = self.account.place(&planned.stream) else { return };
        let quotas = &mut self.watches[place].quotas;
        if quotas.len() >= NOTES_KEPT {
            quotas.pop_front();
        }
        quotas.push_back((planned.plan_id.clone(), quota));
    }

    pub(super) fn check_call(&mut self, place: usize, to: Shards, run: &Run) {
        let now = self.clock.now();
        let stream = &self.account.streams[place];
        let unmanaged = Policy::DEFAULT;
        let policy = match self.policies.governing(&stream.name) {
            Governance::By(policy) => policy,
            Governance::Faulty | Governance::None => &unmanaged,
        };
        let watch = &mut self.watches[place];
        let order = run.order.as_ref();
        let noted = watch.quotas.iter().find(|(plan, _)| order.is_some_and(|(id, _)| id == plan));
        let asked = Asked {
            now,
            planned_at: order.map_or(now, |(_, planned_at)| *planned_at),
            policy,
            with_ledger: !run.without_ledger.get(),
            open: stream.open_at(now).get(),
            moving: stream.moving(now).copied(),
            switching: stream.switching(now).copied(),
            to: to.get(),
            quota_seen: noted.and_then(|(_, quota)| *quota),
            metrics: &self.metrics[place],
            start: self.start,
        };
        let broken = [
            watch.calls.check(&asked),
            targets::check(&asked),
            safe_scale_in::check(&asked),
            one_in_flight::check(&asked),
        ];
        for broken in broken {
            self.note_broken(place, broken);
        }
    }

    /// Before AWS sees a switch of mode by Weir.
    pub(super) fn check_switch(&mut self, place: usize, by: Caller) {
        let now = self.clock.now();
        let stream = &self.account.streams[place];
        let broken = [
            one_in_flight::check_switch(stream, by, now),
            self.watches[place].calls.check_switch(by, now),
        ];
        for broken in broken {
            self.note_broken(place, broken);
        }
    }

    /// Checks the actions in flight.
    pub(crate) fn check_intents(&mut self, stream: &StreamName) {
        let Some(place) = self.account.place(stream) else { return };
        let broken = one_in_flight::check_actions(self.ledger.actions(stream));
        self.note_broken(place, broken);
    }

    /// Checks that the ledger counts what AWS counts.
    pub(crate) fn check_ledger(&mut self, place: usize) {
        let name = &self.account.streams[place].name;
        let (actions, now) = (self.ledger.actions(name), self.clock.now());
        let broken = self.watches[place].calls.check_ledger(actions, now);
        self.note_broken(place, broken);
    }

    /// Writes down a broken law.
    pub(crate) fn note_broken(&mut self, place: usize, broken: Option<Broken>) {
        let Some((law, what)) = broken else { return };
        let at = timestamp(self.clock.now());
        self.runs[place].violations.push(Violation { law, at, what });
    }

    /// Judges what people were told, the run being over after so many minutes.
    pub(crate) fn judge_alerts(&mut self, minutes: usize) -> AlertRecord {
        let mut record = std::mem::take(&mut self.alerts);
        record.mishaps = self.mishaps;
        if !self.settings.alerts {
            return record;
        }
        let settings = &self.settings;
        let late_seconds = match settings.metrics {
            MetricDelay::None => 0.0,
            MetricDelay::Around { most_seconds, .. } => most_seconds,
        };
        let (faults, bus) = (&settings.faults, &settings.bus);
        let chances = [
            bus.lost,
            bus.late,
            settings.calls.slow,
            faults.failing,
            faults.answer_lost,
            faults.lost_minutes,
        ];
        let outages = [&faults.ledger_down, &faults.metrics_down, &faults.sns_down];
        let chance = chances.iter().any(|chance| *chance > 0.0)
            || matches!(faults.crash, Crash::Chance(probability) if probability > 0.0);
        let evidenced = Evidenced {
            record: &record,
            consumers: self.consumers.iter().map(|known| truth(known, &self.runs)).collect(),
            policies: &self.policies,
            retention_seconds: 3_600.0 * f64::from(limits::RETENTION_DEFAULT_HOURS),
            start: self.start,
            minutes,
            #[allow(clippy::cast_possible_truncation)] // minutes
            late_minutes: (late_seconds / 60.0).ceil() as i64,
            troubled: chance || matches!(faults.crash, Crash::Once(_)),
            calm_start: !chance || faults.calm_minutes > 0,
            outage_minutes: outages.iter().copied().flatten().map(|span| count(span.len())).sum(),
        };
        let (broken, detections) = evidenced.judge();
        for (subject, broken) in broken {
            let place = subject.stream().and_then(|stream| self.account.place(stream));
            let (law, what) = broken;
            self.note_broken(place.unwrap_or(0), Some((law, format!("{subject}: {what}"))));
        }
        AlertRecord { detections, ..record }
    }

    /// Notes what Weir says of its own troubles, as causes of what it may tell people, where the
    /// world bears it out.
    pub(crate) fn note_own_cause(&mut self, event: &WeirEvent) {
        let cause = match event {
            WeirEvent::CapacityPlanned(planned) => self.cause_of_plan(planned),
            WeirEvent::ActionRefused(refused) => Some((Trouble::Refused, Some(&refused.stream))),
            WeirEvent::ActionFailed(failed) => Some((Trouble::Lost, Some(&failed.stream))),
            _ => None,
        };
        if let Some((trouble, stream)) = cause {
            let (at, stream) = (self.clock.now(), stream.cloned());
            self.alerts.own_causes.push(OwnCause { at, trouble, stream });
        }
    }

    fn cause_of_plan<'a>(
        &self,
        planned: &'a CapacityPlanned,
    ) -> Option<(Trouble, Option<&'a StreamName>)> {
        let stream = Some(&planned.stream);
        let (faults, minute) = (&self.settings.faults, self.minute());
        let place = self.account.find(&planned.stream)?;
        // On demand a stream lacks no shards, whatever a plan says.
        let provisioned =
            self.account.streams[place].mode_at(self.clock.now()) == CapacityMode::Provisioned;
        let granted = match planned.action {
            PlannedAction::Hold { reason: HoldReason::MetricsUnreadable } => {
                let down = faults.metrics_back_at(minute).is_some() || faults.failing > 0.0;
                return down.then_some((Trouble::Blind, None));
            }
            PlannedAction::Hold { reason: HoldReason::NoMetrics } => {
                let mut newest = minute.saturating_sub(60)..minute;
                let none = newest.all(|minute| self.metrics[place].minute(minute).is_empty());
                return none.then_some((Trouble::NoMetrics, stream));
            }
            PlannedAction::Hold { reason } if reason.reporting() == Reporting::Incident => {
                return provisioned.then_some((Trouble::Withheld, stream));
            }
            PlannedAction::Hold { .. } => planned.open_shards,
            PlannedAction::Reshard { to, .. } => to,
            PlannedAction::SwitchMode { .. } => return None,
        };
        (planned.wanted_shards > granted && provisioned).then_some((Trouble::Withheld, stream))
    }

    /// Everything recorded. Calls about no one stream stand with the first.
    pub(crate) fn take_records(&mut self) -> Vec<StreamRun> {
        let mut runs = std::mem::take(&mut self.runs);
        for (place, run) in runs.iter_mut().enumerate() {
            let account = (place == 0).then_some(&self.account_calls);
            for watch in self.watches.get(place).into_iter().chain(account) {
                for (name, n) in watch.made.named() {
                    *run.calls.entry(name).or_default() += n;
                }
                for (name, n) in watch.refused.named() {
                    *run.refused_calls.entry(name).or_default() += n;
                }
            }
        }
        runs
    }
}

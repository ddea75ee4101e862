//! What the checkers are shown, and the counting of calls.

use std::collections::VecDeque;

use weir_control::event::CapacityPlanned;
use weir_control::plan_id::PlanId;
use weir_core::observation::ShardQuota;
use weir_core::policy::{Governance, Policy};
use weir_core::units::{Shards, StreamName};

use super::World;
use crate::checkers::counted_calls::CountedCalls;
use crate::checkers::{Asked, Broken, one_in_flight, safe_scale_in, targets};
use crate::clock::timestamp;
use crate::operation::{Operation, Tally};
use crate::process::Run;
use crate::record::{StreamRun, Violation};
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
        let broken = one_in_flight::check_intents(self.ledger.actions(stream));
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

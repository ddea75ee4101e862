//! The ledger's ports. A write whose condition fails is an answer where the port has one, and
//! `Busy` where it has none.

use jiff::Timestamp;
use weir_control::ledger::{Claimed, PauseNote, Planned, StreamRecord};
use weir_control::plan_id::PlanId;
use weir_control::ports::{
    Failure, FindDue, Pause, PortResult, ReadRecord, RecordAction, RecordOutcome, RecordPlan,
    Register, Reschedule, TakeTurns,
};
use weir_core::action::ActionRecord;
use weir_core::units::StreamName;

use super::SimulatedPorts;
use crate::clock::timestamp;
use crate::operation::Operation;
use crate::world::World;

impl SimulatedPorts {
    async fn write<T>(
        &self,
        stream: &StreamName,
        effect: impl FnOnce(&mut World) -> T,
    ) -> PortResult<T> {
        self.call(Operation::LedgerWrite, Some(stream), |world| Ok(effect(world))).await
    }
}

impl FindDue for SimulatedPorts {
    async fn due_streams(&self, now: Timestamp, most: usize) -> PortResult<Vec<StreamName>> {
        self.call(Operation::LedgerRead, None, |world| Ok(world.ledger.due(now, most))).await
    }
}

impl Reschedule for SimulatedPorts {
    async fn hasten(
        &self,
        stream: &StreamName,
        asked_at: Timestamp,
        since: Timestamp,
    ) -> PortResult<bool> {
        self.write(stream, |world| world.ledger.hasten(stream, asked_at, since)).await
    }

    async fn postpone(&self, stream: &StreamName, at: Timestamp) -> PortResult<()> {
        self.write(stream, |world| world.ledger.postpone(stream, at)).await
    }
}

impl TakeTurns for SimulatedPorts {
    async fn begin_turn(&self, now: Timestamp, until: Timestamp) -> PortResult<bool> {
        self.call(Operation::LedgerWrite, None, |world| Ok(world.ledger.begin_turn(now, until)))
            .await
    }

    async fn end_turn(&self, until: Timestamp) -> PortResult<()> {
        self.call(Operation::LedgerWrite, None, |world| {
            world.ledger.end_turn(until);
            Ok(())
        })
        .await
    }
}

impl ReadRecord for SimulatedPorts {
    async fn read_record(
        &self,
        stream: &StreamName,
        since: Timestamp,
    ) -> PortResult<Option<StreamRecord>> {
        let answer = self
            .call(Operation::LedgerRead, Some(stream), |world| Ok(world.ledger.read(stream, since)))
            .await;
        self.run.without_ledger.set(answer.is_err());
        if let Some(seen) = &mut *self.run.seen.borrow_mut() {
            seen.record(stream, &answer);
        }
        answer
    }
}

impl RecordPlan for SimulatedPorts {
    async fn record_plan(&self, stream: &StreamName, planned: &Planned) -> PortResult<bool> {
        self.write(stream, |world| world.ledger.record_plan(stream, planned)).await
    }
}

impl RecordAction for SimulatedPorts {
    async fn claim(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        now: Timestamp,
    ) -> PortResult<Claimed> {
        self.write(stream, |world| world.ledger.claim(stream, plan, now)).await
    }

    async fn record_intent(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        action: &ActionRecord,
    ) -> PortResult<()> {
        self.call(Operation::LedgerWrite, Some(stream), |world| {
            let written = world.ledger.record_intent(stream, plan, action);
            world.check_intents(stream);
            written.map_err(|_| (Failure::Busy, format!("{plan} is not claimed")))
        })
        .await
    }

    async fn record_published(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        _action: &ActionRecord,
    ) -> PortResult<()> {
        self.write(stream, |world| world.ledger.record_published(stream, plan)).await
    }
}

impl RecordOutcome for SimulatedPorts {
    async fn record_outcome(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        action: &ActionRecord,
    ) -> PortResult<()> {
        if let Some(seen) = &mut *self.run.seen.borrow_mut() {
            seen.outcome(stream, plan, action);
        }
        // Two writes, as in DynamoDB: a run may die in between.
        self.write(stream, |world| world.ledger.record_action(stream, plan, action)).await?;
        self.release(stream, plan).await
    }

    async fn release(&self, stream: &StreamName, plan: &PlanId) -> PortResult<()> {
        self.write(stream, |world| world.ledger.release(stream, plan)).await
    }
}

impl Register for SimulatedPorts {
    async fn registered(&self) -> PortResult<Vec<StreamName>> {
        self.call(Operation::LedgerRead, None, |world| Ok(world.ledger.registered())).await
    }

    async fn register(&self, stream: &StreamName, due_at: Timestamp) -> PortResult<()> {
        self.write(stream, |world| world.ledger.register(stream, due_at)).await
    }

    async fn retire(&self, stream: &StreamName) -> PortResult<()> {
        self.write(stream, |world| world.ledger.retire(stream)).await
    }
}

impl Pause for SimulatedPorts {
    async fn set_pause(&self, stream: &StreamName, pause: Option<&PauseNote>) -> PortResult<()> {
        self.write(stream, |world| {
            let now = timestamp(world.clock.now());
            world.ledger.set_pause(stream, pause.cloned(), now);
        })
        .await
    }
}

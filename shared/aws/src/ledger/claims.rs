//! Claims and actions: what keeps a plan from being carried out twice, and a call from being
//! forgotten.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem};
use jiff::Timestamp;
use weir_control::ledger::Claimed;
use weir_control::plan_id::PlanId;
use weir_control::ports::{Failure, PortError, PortResult, RecordAction, RecordOutcome};
use weir_core::action::ActionRecord;
use weir_core::units::StreamName;

use super::item::{self, text, time};
use super::write::{UPDATE_ITEM, Update, Written, given, names};
use super::{Item, action_key};
use crate::Aws;
use crate::errors::Call;

const TRANSACT_WRITE_ITEMS: Call = Call::change("TransactWriteItems");
const PUT_ITEM: Call = Call::change("PutItem");

/// The planner may write a stream's state at the same moment; DynamoDB then cancels a transaction.
const TRIES_AT_CONFLICT: u32 = 3;

const CLAIM_IS_FREE: &str = "#latest_plan = :plan AND attribute_not_exists(#claim_at) AND \
                             (attribute_not_exists(#claimed_plan) OR #claimed_plan <> :plan)";
const CLAIM_IS_OURS: &str = "#claimed_plan = :plan AND attribute_exists(#claim_at)";

impl RecordAction for Aws {
    async fn claim(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        now: Timestamp,
    ) -> PortResult<Claimed> {
        let written = self
            .update(Update {
                key: item::state_key(stream),
                update: "SET #claimed_plan = :plan, #claim_at = :now",
                condition: CLAIM_IS_FREE,
                values: vec![(":plan", text(plan.as_str())), (":now", time(now))],
            })
            .await?;
        Ok(match written {
            Written::Done => Claimed::Ours,
            Written::Not(state) => why_not(&state, plan, now),
        })
    }

    async fn record_intent(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        action: &ActionRecord,
    ) -> PortResult<()> {
        let item = item::action(TRANSACT_WRITE_ITEMS, stream, plan, action)?;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.write_intent(stream, plan, item.clone()).await {
                Err(error) if error.failure == Failure::Busy && tries < TRIES_AT_CONFLICT => {}
                other => return other,
            }
        }
    }

    async fn record_published(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        action: &ActionRecord,
    ) -> PortResult<()> {
        let written = self
            .update(Update {
                key: item::key(stream, &action_key(action.at, plan)),
                update: "SET #published = :true",
                // Without it an action that was never written would come to be, without its
                // content.
                condition: "attribute_exists(#outcome)",
                values: vec![(":true", AttributeValue::Bool(true))],
            })
            .await?;
        match written {
            Written::Done => Ok(()),
            Written::Not(_) => Err(UPDATE_ITEM.refused(Failure::Missing, "no such action")),
        }
    }
}

/// Why the claim was not to be had, by the state as it is.
fn why_not(state: &Item, plan: &PlanId, now: Timestamp) -> Claimed {
    let claimed = state.get("claimed_plan") == Some(&text(plan.as_str()));
    match (claimed, state.get("claim_at")) {
        // The SDK sent the claim again because the first answer was lost, and the first had done
        // it.
        (true, Some(at)) if *at == time(now) => Claimed::Ours,
        (true, _) => Claimed::Before,
        (false, Some(_)) => Claimed::OtherInFlight,
        (false, None) => Claimed::Superseded,
    }
}

impl Aws {
    /// One transaction: the action is written only while the claim is ours, so that an executor
    /// that was taken for dead, and whose claim was cleared up, cannot act after all.
    async fn write_intent(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        action: Item,
    ) -> PortResult<()> {
        let table = &self.settings.ledger_table;
        let built = |error: aws_sdk_dynamodb::error::BuildError| {
            TRANSACT_WRITE_ITEMS.refused(Failure::Invalid, error.to_string())
        };
        let claim = ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(item::state_key(stream)))
            .condition_expression(CLAIM_IS_OURS)
            .set_expression_attribute_names(Some(names(&[CLAIM_IS_OURS])))
            .set_expression_attribute_values(given(vec![(":plan", text(plan.as_str()))]))
            .build()
            .map_err(built)?;
        let new = "attribute_not_exists(#pk)";
        let action = Put::builder()
            .table_name(table)
            .set_item(Some(action))
            .condition_expression(new)
            .set_expression_attribute_names(Some(names(&[new])))
            .build()
            .map_err(built)?;
        self.clients
            .dynamodb()
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().condition_check(claim).build())
            .transact_items(TransactWriteItem::builder().put(action).build())
            .send()
            .await
            .map(|_| ())
            .map_err(intent_failed)
    }
}

fn intent_failed(
    error: SdkError<TransactWriteItemsError, aws_sdk_dynamodb::config::http::HttpResponse>,
) -> PortError {
    let canceled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
        _ => return TRANSACT_WRITE_ITEMS.failed(error),
    };
    let code =
        |place: usize| canceled.cancellation_reasons().get(place).and_then(|reason| reason.code());
    let codes = [code(0).unwrap_or_default(), code(1).unwrap_or_default()];
    let (failure, message) = match codes {
        ["ConditionalCheckFailed", _] => (Failure::Invalid, "the plan's claim is not ours".into()),
        [_, "ConditionalCheckFailed"] => (Failure::Invalid, "the action was written before".into()),
        _ if codes.contains(&"TransactionConflict") => {
            (Failure::Busy, "the record was being written".into())
        }
        _ if codes.contains(&"ThrottlingError")
            || codes.contains(&"ProvisionedThroughputExceeded") =>
        {
            (Failure::Limit, codes.join(", "))
        }
        _ => (Failure::Unavailable, codes.join(", ")),
    };
    TRANSACT_WRITE_ITEMS.refused(failure, message)
}

impl RecordOutcome for Aws {
    async fn record_outcome(
        &self,
        stream: &StreamName,
        plan: &PlanId,
        action: &ActionRecord,
    ) -> PortResult<()> {
        // Two writes, the action first: a crash in between leaves a claim whose action is closed,
        // which the next look gives back. One transaction would not do: a change made by somebody
        // else has no claim, and must be written all the same.
        self.put(item::action(PUT_ITEM, stream, plan, action)?).await?;
        self.release(stream, plan).await
    }

    async fn release(&self, stream: &StreamName, plan: &PlanId) -> PortResult<()> {
        // `claimed_plan` stays: by it a second delivery of the same plan is known.
        self.update(Update {
            key: item::state_key(stream),
            update: "REMOVE #claim_at",
            condition: "#claimed_plan = :plan",
            values: vec![(":plan", text(plan.as_str()))],
        })
        .await
        .map(|_| ())
    }
}

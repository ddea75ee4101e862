//! Reading the ledger: a stream's record, the streams that are due, the registered ones.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use weir_control::ledger::{StoredAction, StreamRecord};
use weir_control::ports::{FindDue, PortResult, ReadRecord};
use weir_core::profile::StreamProfile;
use weir_core::units::StreamName;

use super::item::{self, Reading, text, time};
use super::write::{given, names};
use super::{DUE, DUE_INDEX, Item, PROFILE, actions_since, partition_of, stream_of};
use crate::Aws;
use crate::errors::Call;

pub(super) const GET_ITEM: Call = Call::read("GetItem");
const QUERY: Call = Call::read("Query");

/// A query of the table or its index.
pub(super) struct Query<'a> {
    pub(super) index: Option<&'static str>,
    pub(super) condition: &'a str,
    pub(super) values: Vec<(&'static str, AttributeValue)>,
    /// So many items, the first by their sort key; all where it is not said.
    pub(super) most: Option<usize>,
}

impl ReadRecord for Aws {
    async fn read_record(
        &self,
        stream: &StreamName,
        since: Timestamp,
    ) -> PortResult<Option<StreamRecord>> {
        // The state first: what happens between the two reads then shows as an action too many,
        // never as a claim given back without its action.
        let state = self.read_state(stream).await?;
        let actions = self.read_actions(stream, since).await?;
        let record = match &state {
            Some(state) => {
                Reading::of(GET_ITEM, &self.settings.ledger_table, state)?.record(actions)?
            }
            None if actions.is_empty() => return Ok(None),
            // Calls that were made count, whatever became of the state.
            None => StreamRecord { actions, ..StreamRecord::new(since) },
        };
        Ok(Some(StreamRecord { profile: self.read_profile(stream).await, ..record }))
    }
}

impl FindDue for Aws {
    async fn due_streams(&self, now: Timestamp, most: usize) -> PortResult<Vec<StreamName>> {
        self.index(Query {
            index: Some(DUE_INDEX),
            condition: "#due = :streams AND #revisit_at <= :now",
            values: vec![(":streams", text(DUE)), (":now", time(now))],
            most: Some(most),
        })
        .await
    }
}

impl Aws {
    pub(super) async fn registered_streams(&self) -> PortResult<Vec<StreamName>> {
        self.index(Query {
            index: Some(DUE_INDEX),
            condition: "#due = :streams",
            values: vec![(":streams", text(DUE))],
            most: None,
        })
        .await
    }

    async fn index(&self, query: Query<'_>) -> PortResult<Vec<StreamName>> {
        let items = self.query(query).await?;
        let partition = |item: &Item| match item.get("pk") {
            Some(AttributeValue::S(partition)) => stream_of(partition),
            _ => None,
        };
        // The index holds nothing but streams; another program's item is no stream of ours.
        Ok(items.iter().filter_map(partition).collect())
    }

    pub(crate) async fn read_state(&self, stream: &StreamName) -> PortResult<Option<Item>> {
        self.read_item(item::state_key(stream)).await
    }

    /// One item, read consistently.
    pub(super) async fn read_item(&self, key: Item) -> PortResult<Option<Item>> {
        let request = self
            .clients
            .dynamodb()
            .get_item()
            .table_name(&self.settings.ledger_table)
            .set_key(Some(key))
            .consistent_read(true);
        request.send().await.map(|answer| answer.item).map_err(|e| GET_ITEM.failed(e))
    }

    /// What plans have learnt. It is a cache: what cannot be read, or was written by another
    /// release, is learnt again.
    async fn read_profile(&self, stream: &StreamName) -> Option<StreamProfile> {
        let request = self
            .clients
            .dynamodb()
            .get_item()
            .table_name(&self.settings.ledger_table)
            .set_key(Some(item::key(stream, PROFILE)));
        let item = request.send().await.ok()?.item?;
        let reading = Reading::of(GET_ITEM, &self.settings.ledger_table, &item).ok()?;
        reading.json("profile").ok().flatten()
    }

    async fn read_actions(
        &self,
        stream: &StreamName,
        since: Timestamp,
    ) -> PortResult<Vec<StoredAction>> {
        let (first, last) = actions_since(since);
        let query = Query {
            index: None,
            condition: "#pk = :pk AND #sk BETWEEN :first AND :last",
            values: vec![
                (":pk", text(partition_of(stream))),
                (":first", text(first)),
                (":last", text(last)),
            ],
            most: None,
        };
        let items = self.query(query).await?;
        let table = &self.settings.ledger_table;
        items.iter().map(|item| Reading::of(QUERY, table, item)?.action()).collect()
    }

    /// All pages of it, or as many as hold what is asked for. An index cannot be read
    /// consistently; the table is.
    pub(super) async fn query(&self, query: Query<'_>) -> PortResult<Vec<Item>> {
        let Query { index, condition, values, most } = query;
        let mut items = Vec::new();
        let mut after: Option<Item> = None;
        loop {
            let left = most.map(|most| most.saturating_sub(items.len()));
            let page = self
                .clients
                .dynamodb()
                .query()
                .table_name(&self.settings.ledger_table)
                .set_index_name(index.map(str::to_owned))
                .key_condition_expression(condition)
                .set_expression_attribute_names(Some(names(&[condition])))
                .set_expression_attribute_values(given(values.clone()))
                .set_consistent_read(index.is_none().then_some(true))
                .set_limit(left.map(|left| i32::try_from(left).unwrap_or(i32::MAX)))
                .set_exclusive_start_key(after.take())
                .send()
                .await
                .map_err(|e| QUERY.failed(e))?;
            items.extend(page.items.unwrap_or_default());
            after = page.last_evaluated_key.filter(|key| !key.is_empty());
            if after.is_none() || most.is_some_and(|most| items.len() >= most) {
                return Ok(items);
            }
        }
    }
}

//! Incidents in the ledger: the newest of each subject, and which are open.
//!
//! An older incident of the same subject is overwritten: its messages tell of it. Not here: what an
//! incident is (`weir_core::incident`).

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use weir_control::ledger::StoredIncident;
use weir_control::ports::{PortResult, ReadIncidents, RecordIncident};
use weir_core::incident::{Incident, Subject};

use super::item::{Reading, json, number, text, time};
use super::read::{GET_ITEM, Query};
use super::write::{UPDATE_ITEM, Update, Written};
use super::{ACTION_KEPT_DAYS, DUE_INDEX, Item, SCHEMA, expiry};
use crate::Aws;

/// The value of `due` of open incidents.
const OPEN: &str = "incidents";
const NEWEST: &str = "newest";

impl ReadIncidents for Aws {
    async fn newest_incident(&self, subject: &Subject) -> PortResult<Option<StoredIncident>> {
        self.incident_at(key(subject)).await
    }

    /// The index lags behind by moments; what it does not show yet, its own writer is at work on.
    async fn open_incidents(&self) -> PortResult<Vec<StoredIncident>> {
        let query = Query {
            index: Some(DUE_INDEX),
            condition: "#due = :open",
            values: vec![(":open", text(OPEN))],
        };
        let mut open = Vec::new();
        for item in self.query(query).await? {
            let key = |name: &str| item.get(name).map(|part| (name.to_owned(), part.clone()));
            let Some(key) = key("pk").zip(key("sk")).map(|(pk, sk)| HashMap::from([pk, sk])) else {
                continue;
            };
            open.extend(self.incident_at(key).await?.filter(|stored| stored.incident.is_open()));
        }
        Ok(open)
    }
}

impl RecordIncident for Aws {
    async fn record_incident(
        &self,
        incident: &Incident,
        read_at_version: Option<u64>,
    ) -> PortResult<Option<u64>> {
        let version = read_at_version.unwrap_or(0) + 1;
        let as_json = json(UPDATE_ITEM, incident)?;
        let mut values = vec![
            (":schema", number(SCHEMA)),
            (":version", number(version)),
            (":incident", as_json.clone()),
        ];
        let condition = match read_at_version {
            None => "attribute_not_exists(#pk)",
            Some(read_at) => {
                values.push((":read_at", number(read_at)));
                "#version = :read_at"
            }
        };
        let update = match incident.closed_at.filter(|_| !incident.is_open()) {
            None => {
                values.push((":due", text(OPEN)));
                values.push((":at", time(incident.opened_at)));
                "SET #schema = :schema, #version = :version, #incident = :incident, \
                 #due = :due, #revisit_at = :at REMOVE #ttl_epoch_seconds"
            }
            Some(closed_at) => {
                values.push((":ttl", number(expiry(closed_at, ACTION_KEPT_DAYS))));
                "SET #schema = :schema, #version = :version, #incident = :incident, \
                 #ttl_epoch_seconds = :ttl REMOVE #due, #revisit_at"
            }
        };
        let key = key(&incident.subject);
        match self.update(Update { key, update, condition, values }).await? {
            Written::Done => Ok(Some(version)),
            // The answer to an earlier attempt was lost, and the SDK tried again: it is our own.
            Written::Not(item) if is_ours(&item, version, &as_json) => Ok(Some(version)),
            Written::Not(_) => Ok(None),
        }
    }
}

impl Aws {
    async fn incident_at(&self, key: Item) -> PortResult<Option<StoredIncident>> {
        let Some(item) = self.read_item(key).await? else { return Ok(None) };
        let reading = Reading::of(GET_ITEM, &self.settings.ledger_table, &item)?;
        let version = reading.number("version")?.unwrap_or(0);
        Ok(reading.json("incident")?.map(|incident| StoredIncident { incident, version }))
    }
}

fn key(subject: &Subject) -> Item {
    HashMap::from([
        ("pk".to_owned(), text(format!("incident#{subject}"))),
        ("sk".to_owned(), text(NEWEST)),
    ])
}

fn is_ours(item: &Item, version: u64, incident: &AttributeValue) -> bool {
    item.get("version") == Some(&number(version)) && item.get("incident") == Some(incident)
}

#[cfg(test)]
mod tests;

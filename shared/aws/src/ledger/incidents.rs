//! Incidents in the ledger: the newest of each subject, which are open, and which were of late.
//!
//! An older incident of the same subject is overwritten: its messages tell of it. Not here: what an
//! incident is (`weir_core::incident`).

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
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
/// And of those that are over, which no tick asks for.
const PAST: &str = "past-incidents";
const NEWEST: &str = "newest";

impl ReadIncidents for Aws {
    async fn newest_incident(&self, subject: &Subject) -> PortResult<Option<StoredIncident>> {
        self.incident_at(key(subject)).await
    }

    /// The index lags behind by moments; what it does not show yet, its own writer is at work on.
    async fn open_incidents(&self) -> PortResult<Vec<StoredIncident>> {
        let mut open = self.incidents_where("#due = :open", vec![(":open", text(OPEN))]).await?;
        open.retain(|stored| stored.incident.is_open());
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
        let closed_at = incident.closed_at.filter(|_| !incident.is_open());
        let condition = match read_at_version {
            None => "attribute_not_exists(#pk)",
            Some(read_at) => {
                values.push((":read_at", number(read_at)));
                "#version = :read_at"
            }
        };
        values.push((":due", text(if closed_at.is_none() { OPEN } else { PAST })));
        values.push((":at", time(closed_at.unwrap_or(incident.opened_at))));
        let update = match closed_at {
            None => {
                "SET #schema = :schema, #version = :version, #incident = :incident, \
                 #due = :due, #revisit_at = :at REMOVE #ttl_epoch_seconds"
            }
            Some(closed_at) => {
                values.push((":ttl", number(expiry(closed_at, ACTION_KEPT_DAYS))));
                "SET #schema = :schema, #version = :version, #incident = :incident, \
                 #due = :due, #revisit_at = :at, #ttl_epoch_seconds = :ttl"
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
    /// What is open, and what was over after `since`: the newest incident of each subject.
    ///
    /// # Errors
    ///
    /// When the table cannot be read, or what it holds cannot be understood.
    pub async fn incidents_since(&self, since: Timestamp) -> PortResult<Vec<Incident>> {
        let past = vec![(":past", text(PAST)), (":since", time(since))];
        let past = self.incidents_where("#due = :past AND #revisit_at >= :since", past).await?;
        let open = self.open_incidents().await?;
        // One that changes sides meanwhile is found in both places.
        let found = past.into_iter().chain(open).map(|stored| stored.incident);
        let by_subject: BTreeMap<Subject, Incident> =
            found.map(|incident| (incident.subject.clone(), incident)).collect();
        Ok(by_subject.into_values().collect())
    }

    /// Found by the index, read from the table.
    async fn incidents_where(
        &self,
        condition: &str,
        values: Vec<(&'static str, AttributeValue)>,
    ) -> PortResult<Vec<StoredIncident>> {
        let query = Query { index: Some(DUE_INDEX), condition, values, most: None };
        let mut found = Vec::new();
        for item in self.query(query).await? {
            let key = |name: &str| item.get(name).map(|part| (name.to_owned(), part.clone()));
            let Some(key) = key("pk").zip(key("sk")).map(|(pk, sk)| HashMap::from([pk, sk])) else {
                continue;
            };
            found.extend(self.incident_at(key).await?);
        }
        Ok(found)
    }

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

//! Plans, registration and pauses: writes to a stream's state that no call to Kinesis depends on.

use jiff::Timestamp;
use weir_control::ledger::{LastSeen, PauseNote, Planned};
use weir_control::ports::{Pause, PortResult, RecordPlan, Register, Reschedule, TakeTurns};
use weir_core::units::StreamName;

use super::item::{self, json, number, text, time};
use super::write::{UPDATE_ITEM, Update, Written};
use super::{DUE, PLAN_KEPT_DAYS, PROFILE, SCHEMA, expiry, plan_key};
use crate::Aws;
use crate::errors::Call;

const PUT_ITEM: Call = Call::change("PutItem");

impl RecordPlan for Aws {
    async fn record_plan(&self, stream: &StreamName, planned: &Planned) -> PortResult<bool> {
        let Planned { id, from_version, revisit_at, last_seen, learnt: _, event: _ } = planned;
        let mut update = "SET #version = :next, #latest_plan = :plan, #revisit_at = :revisit_at, \
                          #due = :streams, #schema = :schema"
            .to_owned();
        let mut values = vec![
            (":from", number(from_version)),
            (":next", number(from_version + 1)),
            (":plan", text(id.as_str())),
            (":revisit_at", time(*revisit_at)),
            (":streams", text(DUE)),
            (":schema", number(SCHEMA)),
        ];
        if let Some(seen) = last_seen {
            update.push_str(", #mode = :mode");
            values.push((":mode", json(UPDATE_ITEM, &seen.mode())?));
        }
        if let Some(LastSeen::Provisioned { open }) = last_seen {
            update.push_str(", #open_shards = :open_shards");
            values.push((":open_shards", number(open)));
        }
        // A stream that was never planned for has no version, or no item at all.
        let condition = match from_version {
            0 => "attribute_not_exists(#version) OR #version = :from",
            _ => "#version = :from",
        };
        let key = item::state_key(stream);
        match self.update(Update { key, update: &update, condition, values }).await? {
            Written::Done => {}
            // The SDK sent it again because the first answer was lost, and the first had done it.
            Written::Not(state) if state.get("latest_plan") == Some(&text(id.as_str())) => {}
            Written::Not(_) => return Ok(false),
        }
        self.keep_profile(stream, planned).await?;
        self.keep_plan(stream, planned).await?;
        Ok(true)
    }
}

impl Aws {
    /// What the plan learnt: an item of its own, as it is large and seldom changes.
    async fn keep_profile(&self, stream: &StreamName, planned: &Planned) -> PortResult<()> {
        let Some(profile) = &planned.learnt else { return Ok(()) };
        let mut kept = item::key(stream, PROFILE);
        kept.extend([
            ("schema".to_owned(), number(SCHEMA)),
            ("profile".to_owned(), json(PUT_ITEM, profile)?),
            (
                "ttl_epoch_seconds".to_owned(),
                number(expiry(profile.forecast.learnt_at, PLAN_KEPT_DAYS)),
            ),
        ]);
        self.put(kept).await
    }

    /// The plan itself, for people: after the state, which alone guards anything.
    async fn keep_plan(&self, stream: &StreamName, planned: &Planned) -> PortResult<()> {
        let Some(event) = &planned.event else { return Ok(()) };
        let mut plan = item::key(stream, &plan_key(event.planned_at, &planned.id));
        plan.extend([
            ("schema".to_owned(), number(SCHEMA)),
            ("event".to_owned(), json(PUT_ITEM, event)?),
            ("ttl_epoch_seconds".to_owned(), number(expiry(event.planned_at, PLAN_KEPT_DAYS))),
        ]);
        self.put(plan).await
    }

    pub(super) async fn put(&self, item: super::Item) -> PortResult<()> {
        let table = &self.settings.ledger_table;
        let request = self.clients.dynamodb().put_item().table_name(table).set_item(Some(item));
        request.send().await.map(|_| ()).map_err(|e| PUT_ITEM.failed(e))
    }
}

impl Reschedule for Aws {
    async fn hasten(
        &self,
        stream: &StreamName,
        asked_at: Timestamp,
        since: Timestamp,
    ) -> PortResult<bool> {
        let update = Update {
            key: item::state_key(stream),
            update: "SET #revisit_at = :since, #version = if_not_exists(#version, :zero) + :one",
            // The id of a plan begins with its time.
            condition: "attribute_exists(#due) AND #revisit_at > :since AND \
                        (attribute_not_exists(#latest_plan) OR #latest_plan < :asked_at)",
            values: vec![
                (":since", time(since)),
                (":asked_at", text(second_of(asked_at))),
                (":zero", number(0)),
                (":one", number(1)),
            ],
        };
        match self.update(update).await? {
            Written::Done => Ok(true),
            Written::Not(state) => Ok(state.contains_key("due")),
        }
    }

    async fn postpone(&self, stream: &StreamName, at: Timestamp) -> PortResult<()> {
        self.update(Update {
            key: item::state_key(stream),
            update: "SET #revisit_at = :at",
            condition: "attribute_exists(#due)",
            values: vec![(":at", time(at))],
        })
        .await
        .map(|_| ())
    }
}

impl TakeTurns for Aws {
    async fn begin_turn(&self, now: Timestamp, until: Timestamp) -> PortResult<bool> {
        let update = Update {
            key: item::turn_key(),
            update: "SET #held_until = :until",
            condition: "attribute_not_exists(#held_until) OR #held_until <= :now",
            values: vec![(":until", time(until)), (":now", time(now))],
        };
        Ok(matches!(self.update(update).await?, Written::Done))
    }

    async fn end_turn(&self, until: Timestamp) -> PortResult<()> {
        self.update(Update {
            key: item::turn_key(),
            update: "REMOVE #held_until",
            condition: "#held_until = :until",
            values: vec![(":until", time(until))],
        })
        .await
        .map(|_| ())
    }
}

/// A time, to the second, as text that is less than the id of every plan made from then on.
fn second_of(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

impl Register for Aws {
    async fn registered(&self) -> PortResult<Vec<StreamName>> {
        self.registered_streams().await
    }

    async fn register(&self, stream: &StreamName, due_at: Timestamp) -> PortResult<()> {
        // One write for a stream that was never seen and for one that was retired: the version goes
        // on. What is registered already stays as it is.
        self.update(Update {
            key: item::state_key(stream),
            update: "SET #due = :streams, #revisit_at = :due_at, \
                     #version = if_not_exists(#version, :zero), \
                     #schema = if_not_exists(#schema, :schema)",
            condition: "attribute_not_exists(#due)",
            values: vec![
                (":streams", text(DUE)),
                (":due_at", time(due_at)),
                (":zero", number(0)),
                (":schema", number(SCHEMA)),
            ],
        })
        .await
        .map(|_| ())
    }

    async fn retire(&self, stream: &StreamName) -> PortResult<()> {
        self.update(Update {
            key: item::state_key(stream),
            update: "REMOVE #due",
            condition: "attribute_exists(#due)",
            values: Vec::new(),
        })
        .await
        .map(|_| ())
    }
}

impl Pause for Aws {
    async fn set_pause(&self, stream: &StreamName, pause: Option<&PauseNote>) -> PortResult<()> {
        let key = item::state_key(stream);
        let update = match pause {
            // Pausing a stream that is not registered yet is heeded as soon as it is.
            Some(PauseNote { note, until: Some(until) }) => Update {
                key,
                update: "SET #pause_note = :note, #pause_until = :until, \
                         #schema = if_not_exists(#schema, :schema)",
                condition: ANY_KNOWN_SCHEMA,
                values: vec![
                    (":note", text(note)),
                    (":until", time(*until)),
                    (":schema", number(SCHEMA)),
                ],
            },
            Some(PauseNote { note, until: None }) => Update {
                key,
                update: "SET #pause_note = :note, #schema = if_not_exists(#schema, :schema) \
                         REMOVE #pause_until",
                condition: ANY_KNOWN_SCHEMA,
                values: vec![(":note", text(note)), (":schema", number(SCHEMA))],
            },
            None => Update {
                key,
                update: "REMOVE #pause_note, #pause_until",
                condition: "attribute_exists(#pause_note)",
                values: Vec::new(),
            },
        };
        let paused = pause.is_some();
        match self.update(update).await? {
            Written::Done => Ok(()),
            // Nothing to resume.
            Written::Not(_) if !paused => Ok(()),
            Written::Not(_) => Err(super::write::UPDATE_ITEM.refused(
                weir_control::ports::Failure::Invalid,
                format!("the record of {stream} was written by a newer Weir; deploy one release"),
            )),
        }
    }
}

const ANY_KNOWN_SCHEMA: &str = "attribute_not_exists(#schema) OR #schema <= :schema";

//! Consumers: how each reads a stream's shards, falls behind, fails and catches up, minute by
//! minute.
//!
//! What is simulated of them: a shard is read at its pace and in the order of its records, a new
//! one after its parents; metrics are emitted as the real ones are, so that silence is silence. Not
//! here: batches that wait to fill, retries that give up (a poison record is tried until it is
//! mended), read limits that consumers share, leases. When CloudWatch tells of it is in `metrics`.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use weir_core::consumer::{ConsumerKind, ConsumerName};

use crate::chance::Dice;
use crate::clock::{Seconds, count};
use crate::stream::{Shard, ShardId};

/// Records a Lambda mapping hands to its function at once by default. Lambda developer guide.
const BATCH_RECORDS: f64 = 100.0;
/// How often a batch that fails is tried again in a minute. Lambda does not say how it backs off.
const RETRIES_PER_MINUTE: f64 = 12.0;
/// Share of the minutes in which a healthy function fails once. With many more, five of ten minutes
/// would fail by chance now and then, which is what counts as a failure.
const CHANCE_ERRORS: f64 = 0.005;
/// What a slow consumer reads, as a share of what is written.
const SLOW_SHARE: f64 = 0.2;
/// Where in the hash range the poison record lies.
const POISON_PLACE: f64 = 0.3;

/// A consumer as a simulation is given it.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerSettings {
    /// The stream it reads, by its place among the streams; every stream has one of these where
    /// none is named.
    pub stream: Option<usize>,
    /// What AWS or the operator calls it. KCL applications and other pollers are known to Weir by
    /// the policy alone.
    pub name: ConsumerName,
    /// How it reads.
    pub kind: ConsumerKind,
    /// Bytes it reads of a shard per second, at most. A shard gives 2 MiB (KDG).
    pub shard_bytes_per_second: f64,
    /// Minutes until it reads a shard that a reshard opened. AWS gives no bound: KCL looks for new
    /// shards every two minutes, and takes leases by and by.
    pub new_shards_after_minutes: usize,
    /// What goes wrong with it.
    pub failures: Vec<InjectedFailure>,
}

/// A failure that is put into a consumer.
#[derive(Clone, Debug, PartialEq)]
pub struct InjectedFailure {
    /// What fails.
    pub kind: FailureKind,
    /// Minutes of the simulation.
    pub minutes: Range<usize>,
}

/// How a consumer fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// It reads nothing and says nothing: a disabled mapping, no worker.
    Gone,
    /// It asks for records and works on none; the stream's own metric of reads goes on.
    Stalled,
    /// It reads less than is written.
    Slow,
    /// It fails on a record, and its shard is stuck, with all that came from it.
    Poison,
    /// It reads, and its destination takes nothing. Firehose only.
    Undelivered,
}

impl ConsumerSettings {
    /// One that keeps up with every shard, of every stream.
    pub fn healthy(name: ConsumerName, kind: ConsumerKind) -> ConsumerSettings {
        ConsumerSettings {
            stream: None,
            name,
            kind,
            shard_bytes_per_second: weir_core::limits::SHARD_READ_BYTES_PER_SECOND,
            new_shards_after_minutes: 0,
            failures: Vec::new(),
        }
    }

    /// The same with a failure.
    pub fn failing(mut self, kind: FailureKind, minutes: Range<usize>) -> ConsumerSettings {
        self.failures.push(InjectedFailure { kind, minutes });
        self
    }
}

/// One minute of a consumer's metrics. `None` where nothing was emitted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ConsumerMinute {
    /// What tells that it reads: invocations, records, or samples, by its kind.
    pub(crate) reads: Option<f64>,
    /// Age of the oldest record that it has not read.
    pub(crate) lag_seconds: Option<f64>,
    /// Calls of its function that failed.
    pub(crate) errors: Option<f64>,
    /// Age of the oldest record that it has not delivered.
    pub(crate) undelivered_seconds: Option<f64>,
}

/// What a shard was written in a minute.
pub(crate) struct ShardWrites<'a> {
    pub(crate) shard: &'a Shard,
    pub(crate) bytes: f64,
    pub(crate) records: f64,
}

/// Records of one minute.
#[derive(Clone, Copy, Debug)]
struct Parcel {
    minute: usize,
    bytes: f64,
    records: f64,
}

/// What is unread of a shard, open or closed.
#[derive(Clone, Debug)]
struct Unread {
    parents: Vec<ShardId>,
    /// The consumer knows it from then on.
    known_at: Seconds,
    parcels: VecDeque<Parcel>,
}

/// A consumer's position in a stream.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    settings: ConsumerSettings,
    unread: BTreeMap<ShardId, Unread>,
    stuck: Option<ShardId>,
    undelivered_since: Option<usize>,
}

impl Reading {
    pub(crate) fn new(settings: ConsumerSettings) -> Reading {
        Reading { settings, unread: BTreeMap::new(), stuck: None, undelivered_since: None }
    }

    pub(crate) fn settings(&self) -> &ConsumerSettings {
        &self.settings
    }

    /// Whether it fails like this in this minute.
    pub(crate) fn fails(&self, kind: FailureKind, minute: usize) -> bool {
        let mut failures = self.settings.failures.iter();
        failures.any(|failure| failure.kind == kind && failure.minutes.contains(&minute))
    }

    /// Whether it asks the stream for records by GetRecords, which the stream's own metric shows.
    pub(crate) fn polls(&self, minute: usize) -> bool {
        self.settings.kind != ConsumerKind::FanOut && !self.fails(FailureKind::Gone, minute)
    }

    /// How far behind it is at the end of a minute, seconds, whether it says so or not.
    pub(crate) fn behind_seconds(&self, minute: usize) -> f64 {
        let oldest = self.unread.values().filter_map(|unread| unread.parcels.front());
        let behind = oldest.map(|parcel| minute + 1 - parcel.minute).max().unwrap_or(0);
        #[allow(clippy::cast_precision_loss)] // minutes
        {
            60.0 * behind as f64
        }
    }

    /// Lets it read for a minute that is over, in which shards were written to.
    pub(crate) fn minute<'a>(
        &mut self,
        minute: usize,
        ends_at: Seconds,
        writes: impl IntoIterator<Item = ShardWrites<'a>>,
        dice: &mut Dice,
    ) -> ConsumerMinute {
        let poisoned = self.fails(FailureKind::Poison, minute);
        let (mut written, mut shards) = (0.0, 0.0);
        for write in writes {
            shards += 1.0;
            written += write.bytes;
            if poisoned && self.stuck.is_none() && write.shard.range.contains(&POISON_PLACE) {
                self.stuck = Some(write.shard.id);
            }
            self.note_written(minute, write);
        }
        if !poisoned {
            self.stuck = None;
        }
        if self.fails(FailureKind::Gone, minute) || self.fails(FailureKind::Stalled, minute) {
            return ConsumerMinute::default();
        }
        let bytes = match self.fails(FailureKind::Slow, minute) {
            true => SLOW_SHARE * written / f64::max(shards, 1.0),
            false => 60.0 * self.settings.shard_bytes_per_second,
        };
        let (records, shards_read) = self.read(bytes, ends_at);
        self.emitted(minute, records, shards_read, dice)
    }

    fn note_written(&mut self, minute: usize, write: ShardWrites<'_>) {
        let ShardWrites { shard, bytes, records } = write;
        if bytes <= 0.0 && records <= 0.0 {
            return;
        }
        let later = 60 * count(self.settings.new_shards_after_minutes);
        let unread = self.unread.entry(shard.id).or_insert_with(|| Unread {
            parents: shard.parents.clone(),
            known_at: shard.opened_at + if shard.parents.is_empty() { 0 } else { later },
            parcels: VecDeque::new(),
        });
        unread.parcels.push_back(Parcel { minute, bytes, records });
    }

    /// Reads so many bytes of each shard at most; the records that were read, and of how many
    /// shards.
    fn read(&mut self, bytes: f64, now: Seconds) -> (f64, f64) {
        let (mut records, mut shards) = (0.0, 0.0);
        // Parents have smaller ids, and are gone from here once they are read.
        let ids: Vec<ShardId> = self.unread.keys().copied().collect();
        for id in ids {
            let Some(unread) = self.unread.get(&id) else { continue };
            let waits = unread.parents.iter().any(|parent| self.unread.contains_key(parent));
            if self.stuck == Some(id) || waits || unread.known_at > now {
                continue;
            }
            let Some(unread) = self.unread.get_mut(&id) else { continue };
            let mut may_read = bytes;
            shards += 1.0;
            while let Some(parcel) = unread.parcels.front_mut() {
                if parcel.bytes > may_read {
                    let share = may_read / parcel.bytes;
                    records += share * parcel.records;
                    parcel.records -= share * parcel.records;
                    parcel.bytes -= may_read;
                    break;
                }
                may_read -= parcel.bytes;
                records += parcel.records;
                unread.parcels.pop_front();
            }
            if unread.parcels.is_empty() {
                self.unread.remove(&id);
            }
        }
        (records, shards)
    }

    /// What it tells CloudWatch of a minute in which it read.
    fn emitted(
        &mut self,
        minute: usize,
        records: f64,
        shards_read: f64,
        dice: &mut Dice,
    ) -> ConsumerMinute {
        let undelivered = self.fails(FailureKind::Undelivered, minute);
        self.undelivered_since = undelivered.then(|| self.undelivered_since.unwrap_or(minute));
        let retries = if self.stuck.is_some() { RETRIES_PER_MINUTE } else { 0.0 };
        let reads = match self.settings.kind {
            // A stuck shard is tried again and again.
            ConsumerKind::Lambda => f64::max(records / BATCH_RECORDS, shards_read).ceil() + retries,
            ConsumerKind::Firehose => records,
            // A sample says where it is, whether there was anything to read or not.
            ConsumerKind::FanOut | ConsumerKind::Kcl | ConsumerKind::Polling => 1.0,
        };
        if reads <= 0.0 {
            return ConsumerMinute::default();
        }
        let chance = f64::from(u8::from(dice.happens(CHANCE_ERRORS)));
        #[allow(clippy::cast_precision_loss)] // minutes
        let waits = self.undelivered_since.map_or(60.0, |since| 60.0 * (minute + 1 - since) as f64);
        ConsumerMinute {
            reads: Some(reads),
            lag_seconds: Some(self.behind_seconds(minute)),
            errors: (self.settings.kind == ConsumerKind::Lambda).then_some(chance.max(retries)),
            undelivered_seconds: (self.settings.kind == ConsumerKind::Firehose).then_some(waits),
        }
    }
}

#[cfg(test)]
mod tests;

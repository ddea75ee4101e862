//! The alarms of all managed streams and of their consumers, round by round, by the names of the
//! streams.
//!
//! First of all the ledger gets to know the streams, so that planning need not wait for alarms.
//! What is gone loses its alarms; what could not be looked at keeps them. Not here: one stream
//! after a change of it (`streams`), what reads a stream (`consumers`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use weir_core::alarms::consumer::desired as desired_of_consumer;
use weir_core::alarms::{self, AlarmKind, AlarmName, AlarmPrefix, AlarmSpec};
use weir_core::observation::StreamStatus;
use weir_core::policy::{Governance, Policy, PolicySet};
use weir_core::units::StreamName;

use super::consumers::{self, Readers, Readings};
use super::streams::skipped;
use super::{SyncPorts, SyncReport, apply};
use crate::deadline::Deadline;
use crate::event::{OperatorRequest, Request, VERSION, WeirEvent};
use crate::installation::Installation;
use crate::ports::{Failure, PortResult};

/// Streams in a round. Written for the first time, a stream's alarms and those of a consumer take
/// four seconds at the pace of PutMetricAlarm.
const ROUND: usize = 20;
/// Seconds that a round may take.
const ROUND_SECONDS: usize = 120;
/// Streams that appear at once are due one after another, so many in a second: about half of what
/// plan-capacity looks at.
const NEW_IN_A_SECOND: usize = 5;

/// Names of alarms that there are, by stream.
type ByStream = BTreeMap<StreamName, Vec<String>>;

/// Reconciles the alarms of all streams that come after this one by name, as far as there is time.
///
/// # Errors
///
/// When nothing could be compared; then no alarm was changed.
pub(super) async fn run<P: SyncPorts>(
    ports: &P,
    installation: &Installation,
    after: Option<StreamName>,
    deadline: Deadline,
) -> PortResult<SyncReport> {
    let Installation { policies, alarm_prefix: prefix, .. } = installation;
    let mut report = SyncReport::default();
    let mut streams = ports.list_streams().await?;
    streams.sort_unstable();
    let readings = consumers::readings(policies, &streams);
    let fleet = Fleet::of(policies, streams);
    if after.is_none() {
        let faulty = fleet.faulty.iter().cloned();
        report.skipped.extend(faulty.map(|stream| skipped(stream, Governance::Faulty)));
        register(ports, &fleet, &mut report).await;
    }
    let mut alarms = by_stream(prefix, ports.read_all_alarms(&[]).await?);
    let left = fleet.managed.iter().filter(|(stream, _)| Some(stream) > after.as_ref());
    let left: Vec<_> = left.collect();
    let mut last = None;
    for round in left.chunks(ROUND) {
        if last.is_some() && deadline.seconds_left(ports.now()) < ROUND_SECONDS {
            break;
        }
        let mut todo =
            Todo { prefix, readings: &readings, desired: Vec::new(), delete: Vec::new() };
        for (stream, policy) in round {
            todo.look(ports, policy, stream, alarms.remove(stream), &mut report).await;
        }
        todo.write(ports, &mut report).await?;
        last = round.last().map(|(stream, _)| stream);
    }
    if last == left.last().map(|(stream, _)| stream) {
        let known = |stream: &StreamName| {
            let place = fleet.managed.binary_search_by(|(known, _)| known.cmp(stream));
            place.is_ok() || fleet.faulty.contains(stream)
        };
        let orphans = alarms.into_iter().filter(|(stream, _)| !known(stream));
        let delete = orphans.flat_map(|(_, names)| names).collect();
        apply(ports, alarms::AlarmChanges { delete, ..Default::default() }, &mut report).await;
    } else {
        let (request, after) = (Request::SyncAlarms, last.cloned());
        let rest = OperatorRequest { version: VERSION, request, stream: None, after };
        ports.publish(&[WeirEvent::OperatorRequest(rest)]).await?;
    }
    Ok(report)
}

/// The streams of the account, as the policies have it.
struct Fleet<'a> {
    /// Those that a policy governs, by name.
    managed: Vec<(StreamName, &'a Policy)>,
    /// Those whose policy has a fault: they are left as they are.
    faulty: BTreeSet<StreamName>,
}

impl<'a> Fleet<'a> {
    fn of(policies: &'a PolicySet, streams: Vec<StreamName>) -> Fleet<'a> {
        let (mut managed, mut faulty) = (Vec::new(), BTreeSet::new());
        for stream in streams {
            match policies.governing(&stream) {
                Governance::By(policy) => managed.push((stream, policy)),
                Governance::Faulty => drop(faulty.insert(stream)),
                Governance::None => {}
            }
        }
        Fleet { managed, faulty }
    }
}

/// The ledger knows the managed streams: the tick asks it, not Kinesis, which are due.
async fn register<P: SyncPorts>(ports: &P, fleet: &Fleet<'_>, report: &mut SyncReport) {
    let known: BTreeSet<StreamName> = match ports.registered().await {
        Ok(known) => known.into_iter().collect(),
        Err(error) => {
            report.failed_calls.push(error);
            return;
        }
    };
    let now = ports.now();
    let managed = fleet.managed.iter().map(|(stream, _)| stream);
    let new = managed.clone().filter(|stream| !known.contains(*stream));
    for (place, stream) in new.enumerate() {
        match ports.register(stream, due_at(now, place)).await {
            Ok(()) => report.registered.push(stream.clone()),
            Err(error) => report.failed_calls.push(error),
        }
    }
    let managed: BTreeSet<&StreamName> = managed.collect();
    let gone = |stream: &&StreamName| !managed.contains(stream) && !fleet.faulty.contains(*stream);
    for stream in known.iter().filter(gone) {
        retire(ports, stream, report).await;
    }
}

/// When the stream at this place among those that appeared at once is due.
fn due_at(now: Timestamp, place: usize) -> Timestamp {
    let seconds = i64::try_from(place / NEW_IN_A_SECOND).unwrap_or(i64::MAX);
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
}

async fn retire<P: SyncPorts>(ports: &P, stream: &StreamName, report: &mut SyncReport) {
    match ports.retire(stream).await {
        Ok(()) => report.retired.push(stream.clone()),
        Err(error) => report.failed_calls.push(error),
    }
}

fn by_stream(prefix: &AlarmPrefix, actual: Vec<alarms::ActualAlarm>) -> ByStream {
    let mut found = ByStream::new();
    for alarm in actual {
        if let Some(stream) = AlarmName::read_stream(prefix, &alarm.name) {
            found.entry(stream).or_default().push(alarm.name);
        }
    }
    found
}

/// What a round has to write.
struct Todo<'a> {
    prefix: &'a AlarmPrefix,
    readings: &'a Readings<'a>,
    desired: Vec<AlarmSpec>,
    delete: Vec<String>,
}

impl Todo<'_> {
    /// Looks at one stream and at what reads it. `actual` are the names of its alarms.
    async fn look<P: SyncPorts>(
        &mut self,
        ports: &P,
        policy: &Policy,
        stream: &StreamName,
        actual: Option<Vec<String>>,
        report: &mut SyncReport,
    ) {
        let prefix = self.prefix;
        let mut actual = actual.unwrap_or_default();
        let state = match ports.describe_stream(stream).await {
            Ok(state) => state,
            Err(error) if error.failure == Failure::Missing => {
                // Deleted since it was listed.
                retire(ports, stream, report).await;
                self.delete.append(&mut actual);
                return;
            }
            Err(error) => {
                report.failed_calls.push(error);
                return;
            }
        };
        let first = self.desired.len();
        let own = alarms::desired(prefix, policy, stream, state.mode, state.open_shards);
        self.desired.extend(own);
        let Readers { consumers, failed_calls } =
            consumers::of_stream(ports, &policy.alerts, stream, self.readings).await;
        let alerts = policy.alerting();
        let specs =
            |consumer| desired_of_consumer(prefix, &alerts, consumer, state.retention_hours);
        self.desired.extend(consumers.iter().flat_map(specs));
        let (mut kept, unjudged) = (BTreeSet::new(), !failed_calls.is_empty());
        report.failed_calls.extend(failed_calls);
        // A stream that is being changed shows sizes on the way from one to another. What Weir
        // changes it has told of by the size that it changes to; that alarm stays.
        let surge = AlarmName::of(prefix, AlarmKind::Surge, stream);
        if state.status != StreamStatus::Active && actual.iter().any(|n| n == surge.as_str()) {
            self.desired.retain(|spec| spec.name != surge);
            kept.insert(surge.as_str().to_owned());
        }
        let wanted = self.desired.get(first.min(self.desired.len())..).unwrap_or_default();
        kept.extend(wanted.iter().map(|spec| spec.name.as_str().to_owned()));
        actual.retain(|name| {
            let hidden = unjudged && AlarmName::read_consumer(prefix, name).is_some();
            !kept.contains(name) && !hidden
        });
        self.delete.append(&mut actual);
    }

    async fn write<P: SyncPorts>(self, ports: &P, report: &mut SyncReport) -> PortResult<()> {
        let Todo { desired, delete, .. } = self;
        let actual =
            if desired.is_empty() { Vec::new() } else { ports.read_alarms(&desired).await? };
        let changes = alarms::changes(desired, &actual);
        apply(ports, alarms::AlarmChanges { delete, ..changes }, report).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_streams_that_appear_at_once_are_not_due_at_once() {
        let now = Timestamp::UNIX_EPOCH;
        let within = |minute: i64| {
            let due = (0..1_000).map(|place| due_at(now, place).as_second());
            due.filter(|at| (60 * minute..60 * (minute + 1)).contains(at)).count()
        };
        assert_eq!([0, 1, 2, 3, 4].map(within), [300, 300, 300, 100, 0]);
    }
}

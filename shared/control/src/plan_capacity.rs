//! The loop plan-capacity: observe the streams that are due, plan, remember, publish.
//!
//! It works in rounds: the longest due first, each round written and published before the next is
//! begun, until there is no time for another. It has no right to change a stream. One stream's
//! failure never costs another its plan. Here: the rounds. In files of their own: what wakes it
//! (`wake`), a look at one stream (`look`), the plans of a round (`share`), writing them down
//! (`remember`), and all of that with nothing written (`preview`). Not here: the decision
//! (`weir_core::plan`), carrying it out (`carry_out`).

mod look;
pub mod preview;
mod remember;
mod share;
mod wake;

use std::collections::BTreeSet;

use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};
use weir_core::plan::Plan;
use weir_core::policy::{Governance, Policy, PolicySet};
use weir_core::reasons::SkipReason;
use weir_core::units::StreamName;

use crate::answer::{Answer, RedeliverOn};
use crate::deadline::Deadline;
use crate::event::{OperatorRequest, Request, VERSION, WeirEvent};
use crate::incoming::Incoming;
use crate::installation::Installation;
use crate::plan_id::PlanId;
use crate::ports::{
    Clock, DescribeStream, Failure, FindDue, ListStreams, PortError, PortResult, PublishEvents,
    ReadQuota, ReadRecord, ReadTraffic, RecordOutcome, RecordPlan, Reschedule, TakeTurns,
};
use crate::skipped::SkippedStream;
use look::look;
use remember::remember;
use share::{Shared, drafts};
use wake::{Wake, wake};

/// Streams in a round: as many as GetMetricData tells of in one call.
const ROUND: usize = 100;
/// A round smaller than this is not worth beginning while others wait.
const ROUND_LEAST: usize = 10;
/// Seconds that a round may take once its streams have been looked at: reading the days of 100
/// streams takes five at the pace of GetMetricData, and writing their plans two.
const FINISH_SECONDS: usize = 12;
/// Looks in a second, at the pace of DescribeStreamSummary and with what is read of the ledger.
const LOOKS_PER_SECOND: usize = 10;
/// An alarm that had to wait for so long is one of many. It is not planned for by itself, which
/// takes most of a second: its stream is made due, which takes a hundredth, and whoever has the
/// turn takes it with the others.
const ALARM_WAITED: SignedDuration = SignedDuration::from_secs(5);
/// What an alarm counts for among the streams that are due: as much as a wait of so long.
const ALARM_AHEAD: SignedDuration = SignedDuration::from_mins(10);
/// A stream that could not be planned for, while others wait, waits for the next tick behind them.
const POSTPONED_BY: SignedDuration = SignedDuration::from_mins(1);

/// What a run did.
#[derive(Debug, Default)]
pub struct PlanReport {
    /// Plans made, with their ids.
    pub plans: Vec<(PlanId, Plan)>,
    /// Streams without a plan.
    pub skipped: Vec<SkippedStream>,
    /// Streams that were made due, for whoever has the turn to take with the others.
    pub hastened: Vec<StreamName>,
    /// Failures that cost no stream its plan: quota unread, ledger down, events unpublished.
    pub failed_calls: Vec<PortError>,
}

/// Everything this loop needs.
pub trait PlanPorts:
    Clock
    + DescribeStream
    + ListStreams
    + ReadTraffic
    + ReadQuota
    + PublishEvents
    + FindDue
    + Reschedule
    + TakeTurns
    + ReadRecord
    + RecordPlan
    + RecordOutcome
{
}

impl<P> PlanPorts for P where
    P: Clock
        + DescribeStream
        + ListStreams
        + ReadTraffic
        + ReadQuota
        + PublishEvents
        + FindDue
        + Reschedule
        + TakeTurns
        + ReadRecord
        + RecordPlan
        + RecordOutcome
{
}

/// Handles one event. What a tick leaves undone is done by the next one, which comes sooner than a
/// redelivery; but a tick that planned nothing at all for calls that failed has failed, or nobody
/// would see that all do, and so has one whose plans could not be published. Any other event is
/// delivered again where that may help: the stream may not be due for minutes, and its alarm does
/// not go off twice.
pub async fn on_event<P: PlanPorts>(
    ports: &P,
    installation: &Installation,
    event: &Incoming,
    deadline: Deadline,
) -> Answer<PlanReport> {
    let wake = match wake(event, installation.place.as_ref()) {
        Ok(wake) => wake,
        Err(reason) => return Answer::skipped(reason),
    };
    let ticked = wake == Wake::Due;
    let redeliver = if ticked { RedeliverOn::AnyFailure } else { RedeliverOn::Retryable };
    let mut run = Run::new(ports, &installation.policies, deadline);
    let done = run.run(wake).await;
    let mut report = run.report;
    match done {
        Ok(()) if ticked && !report.plans.is_empty() => Answer::done(report, None),
        Ok(()) if ticked => {
            let redeliver = redeliver.first(report.failures());
            Answer::done(report, redeliver)
        }
        Ok(()) => {
            let redeliver = redeliver.first(report.streams_missed());
            Answer::done(report, redeliver)
        }
        // What was planned until then is told.
        Err(error) if !report.plans.is_empty() => {
            let redeliver = redeliver.first([&error]);
            report.failed_calls.push(error);
            Answer::done(report, redeliver)
        }
        Err(error) => Answer::failed(error, redeliver),
    }
}

impl PlanReport {
    /// The calls that cost a stream its plan, but for streams that are not there: of those nothing
    /// is left to do.
    fn streams_missed(&self) -> impl Iterator<Item = &PortError> {
        let of_streams = self.skipped.iter().filter_map(|skipped| skipped.error.as_ref());
        of_streams.filter(|error| error.failure != Failure::Missing)
    }

    /// All calls that failed.
    fn failures(&self) -> impl Iterator<Item = &PortError> {
        self.streams_missed().chain(&self.failed_calls)
    }
}

/// One run, round by round.
struct Run<'a, P> {
    ports: &'a P,
    policies: &'a PolicySet,
    deadline: Deadline,
    /// Whether others leave what is due to this run.
    has_turn: bool,
    /// The account's quota, from the first round on.
    shared: Option<Shared>,
    report: PlanReport,
}

impl<'a, P: PlanPorts> Run<'a, P> {
    fn new(ports: &'a P, policies: &'a PolicySet, deadline: Deadline) -> Run<'a, P> {
        let report = PlanReport::default();
        Run { ports, policies, deadline, has_turn: false, shared: None, report }
    }

    async fn run(&mut self, wake: Wake) -> PortResult<()> {
        match wake {
            Wake::Due => self.due(None).await,
            Wake::Alarm(stream, went_off_at) => {
                if self.hastened(&stream, went_off_at).await {
                    self.due(Some(stream)).await
                } else {
                    self.round(vec![stream]).await
                }
            }
            Wake::Stream(stream) => self.round(vec![stream]).await,
            Wake::All(after) => self.all(after).await,
        }
    }

    /// How many streams the next round may have; none where it is time to end.
    fn room(&self) -> usize {
        let left = self.deadline.seconds_left(self.ports.now()).saturating_sub(FINISH_SECONDS);
        let room = ROUND.min(left * LOOKS_PER_SECOND);
        if room < ROUND_LEAST { 0 } else { room }
    }

    /// Those that are due, longest first, and before them one that may not stand in the index yet.
    /// The rest is left to the next tick.
    async fn due(&mut self, first: Option<StreamName>) -> PortResult<()> {
        let done = self.due_rounds(first).await;
        if self.has_turn
            && let Err(error) = self.ports.end_turn(self.deadline.moment()).await
        {
            self.report.failed_calls.push(error);
        }
        done
    }

    /// Where more are due than one round takes, or alarms come by the dozen, one run at a time goes
    /// through them, for as long as there are any.
    async fn due_rounds(&mut self, mut first: Option<StreamName>) -> PortResult<()> {
        let mut seen: BTreeSet<StreamName> = BTreeSet::new();
        if first.is_some() && !self.begin_turn().await {
            return Ok(());
        }
        loop {
            let room = self.room();
            if room == 0 {
                return Ok(());
            }
            // The index is behind: what was planned for a moment ago may still stand in it.
            let most = room + seen.len();
            let found = match self.ports.due_streams(self.ports.now(), most).await {
                Ok(found) => found,
                Err(error) => {
                    self.report.failed_calls.push(error);
                    return self.unremembered(seen).await;
                }
            };
            let others_wait = found.len() >= most;
            if !self.has_turn && others_wait && !self.begin_turn().await {
                return Ok(());
            }
            let own = first.take();
            let unseen = found.into_iter().filter(|s| !seen.contains(s) && own.as_ref() != Some(s));
            let streams: Vec<StreamName> =
                own.clone().into_iter().chain(unseen).take(room).collect();
            if streams.is_empty() {
                return Ok(());
            }
            seen.extend(streams.iter().cloned());
            let skipped = self.report.skipped.len();
            self.round(streams).await?;
            if others_wait {
                self.postpone_from(skipped).await;
            } else if !self.has_turn {
                return Ok(());
            }
        }
    }

    /// Whether this run may go on: it has the turn, or the ledger cannot say who has.
    async fn begin_turn(&mut self) -> bool {
        match self.ports.begin_turn(self.ports.now(), self.deadline.moment()).await {
            Ok(begun) => {
                self.has_turn = begun;
                begun
            }
            Err(error) => {
                self.report.failed_calls.push(error);
                true
            }
        }
    }

    /// Puts the streams that were skipped from there on behind the others.
    async fn postpone_from(&mut self, skipped: usize) {
        let streams = self.report.skipped[skipped..].iter().map(|skipped| skipped.stream.clone());
        let now = self.ports.now();
        let at = now.checked_add(POSTPONED_BY).unwrap_or(now);
        for stream in streams.collect::<Vec<_>>() {
            if let Err(error) = self.ports.postpone(&stream, at).await {
                self.report.failed_calls.push(error);
            }
        }
    }

    /// A ledger that cannot say what is due must not stop scale-out, so then all managed streams
    /// are looked at. Nobody remembers who had a turn, so each minute begins elsewhere.
    async fn unremembered(&mut self, seen: BTreeSet<StreamName>) -> PortResult<()> {
        let mut streams = self.managed().await?;
        streams.retain(|stream| !seen.contains(stream));
        let minute = usize::try_from(self.ports.now().as_second() / 60).unwrap_or(0);
        let turn = minute.wrapping_mul(ROUND) % streams.len().max(1);
        streams.rotate_left(turn);
        self.rounds(&streams).await.map(|_| ())
    }

    /// Every managed stream that comes after this one. What there is no time for is asked for anew.
    async fn all(&mut self, after: Option<StreamName>) -> PortResult<()> {
        let mut streams = self.managed().await?;
        streams.sort_unstable();
        streams.retain(|stream| after.as_ref().is_none_or(|after| stream > after));
        let planned = self.rounds(&streams).await?;
        let last = streams.get(..planned).and_then(<[StreamName]>::last);
        if planned < streams.len() {
            let after = last.cloned().or(after);
            let (request, stream) = (Request::Plan, None);
            let rest = OperatorRequest { version: VERSION, request, stream, after };
            self.ports.publish(&[WeirEvent::OperatorRequest(rest)]).await?;
        }
        Ok(())
    }

    /// Rounds over these streams for as long as there is time; how many streams had their turn.
    async fn rounds(&mut self, streams: &[StreamName]) -> PortResult<usize> {
        let mut done = 0;
        while done < streams.len() {
            let room = self.room();
            if room == 0 {
                break;
            }
            let round = &streams[done..streams.len().min(done + room)];
            self.round(round.to_vec()).await?;
            done += round.len();
        }
        Ok(done)
    }

    async fn managed(&self) -> PortResult<Vec<StreamName>> {
        let mut streams = self.ports.list_streams().await?;
        streams.retain(|stream| self.policies.governing(stream) != Governance::None);
        Ok(streams)
    }

    /// Whether this alarm, as one of many, is left to whoever has the turn.
    async fn hastened(&mut self, stream: &StreamName, went_off_at: Timestamp) -> bool {
        if self.ports.now().duration_since(went_off_at) < ALARM_WAITED {
            return false;
        }
        let since = went_off_at.checked_sub(ALARM_AHEAD).unwrap_or(went_off_at);
        match self.ports.hasten(stream, went_off_at, since).await {
            Ok(registered) => {
                self.report.hastened.extend(registered.then(|| stream.clone()));
                registered
            }
            Err(error) => {
                self.report.failed_calls.push(error);
                false
            }
        }
    }

    /// One round: look, plan, remember, publish.
    async fn round(&mut self, streams: Vec<StreamName>) -> PortResult<()> {
        let (ports, policies) = (self.ports, self.policies);
        let mut managed: Vec<(StreamName, &Policy)> = Vec::with_capacity(streams.len());
        for stream in streams {
            let reason = match policies.governing(&stream) {
                Governance::By(policy) => {
                    managed.push((stream, policy));
                    continue;
                }
                Governance::Faulty => SkipReason::PolicyInvalid,
                Governance::None => SkipReason::Unmanaged,
            };
            self.report.skipped.push(SkippedStream { stream, reason, error: None });
        }
        if managed.is_empty() {
            return Ok(());
        }
        let mut events = Vec::new();
        let names: Vec<StreamName> = managed.iter().map(|(stream, _)| stream.clone()).collect();
        let looks = async {
            let mut looks = Vec::with_capacity(managed.len());
            for (stream, policy) in &managed {
                looks.push(look(ports, policy, stream, &mut self.report, &mut events).await);
            }
            looks
        };
        // Each has a pace of its own.
        let (looks, traffic) = join(looks, ports.read_traffic(&names, ports.now())).await;
        let mut candidates = Vec::with_capacity(names.len());
        for ((stream, look), traffic) in names.into_iter().zip(looks).zip(traffic) {
            match look {
                Ok(candidate) => candidates.push((candidate, traffic)),
                Err((reason, error)) => {
                    self.report.skipped.push(SkippedStream { stream, reason, error });
                }
            }
        }
        if !candidates.is_empty() {
            self.read_quota().await;
        }
        if let Some(shared) = &mut self.shared {
            let now = ports.now();
            for draft in drafts(candidates, shared, now, &mut self.report.failed_calls) {
                remember(ports, draft, now, &mut self.report, &mut events).await;
            }
        }
        if events.is_empty() { Ok(()) } else { ports.publish(&events).await }
    }

    /// Once in a run: its plans share what is left.
    async fn read_quota(&mut self) {
        if self.shared.is_none() {
            let read = self.ports.read_quota().await;
            self.shared = Some(Shared::of(&read));
            self.report.failed_calls.extend(read.err());
        }
    }
}

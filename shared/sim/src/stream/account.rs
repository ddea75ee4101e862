//! The account's streams, its shard quota, and the calls that change a stream: UpdateShardCount and
//! UpdateStreamMode with their rules.
//!
//! Not here: calls per second; the twin's Weir is alone in its account.

use std::collections::BTreeMap;

use weir_control::ports::Failure;
use weir_core::limits;
use weir_core::observation::{CapacityMode, ShardQuota};
use weir_core::reshard;
use weir_core::units::{ShardLoad, Shards, StreamName};

use super::{Motion, OnDemandModel, ReshardModel, Stream, Switch};
use crate::chance::Dice;
use crate::clock::Seconds;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Weir, with the ledger at hand.
    Weir,
    /// Weir, while it could not read the ledger.
    WeirWithoutLedger,
    /// Somebody else.
    Other,
}

/// The streams of an account in a region.
pub(crate) struct Account {
    pub(crate) streams: Vec<Stream>,
    by_name: BTreeMap<StreamName, usize>,
    model: ReshardModel,
    on_demand: OnDemandModel,
    quota: u32,
    dice: Dice,
}

/// A call that AWS turned down.
pub(crate) type Refused = (Failure, String);

impl Account {
    pub(crate) fn new(
        streams: Vec<Stream>,
        model: ReshardModel,
        on_demand: OnDemandModel,
        quota: u32,
        dice: Dice,
    ) -> Account {
        let by_name = streams.iter().enumerate().map(|(i, s)| (s.name.clone(), i)).collect();
        Account { streams, by_name, model, on_demand, quota, dice }
    }

    /// Where the stream stands, unless it is gone.
    pub(crate) fn find(&self, name: &StreamName) -> Option<usize> {
        let index = *self.by_name.get(name)?;
        self.streams.get(index).filter(|stream| !stream.deleted).map(|_| index)
    }

    /// Where the stream stands, gone or not.
    pub(crate) fn place(&self, name: &StreamName) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The names of all streams there are.
    pub(crate) fn names(&self) -> Vec<StreamName> {
        self.streams.iter().filter(|s| !s.deleted).map(|s| s.name.clone()).collect()
    }

    /// DescribeLimits.
    pub(crate) fn quota(&self, now: Seconds) -> ShardQuota {
        let open = self.provisioned(now).map(|stream| stream.open_at(now).get()).sum();
        ShardQuota { limit: self.quota, open, on_demand_streams_left: None }
    }

    fn provisioned(&self, now: Seconds) -> impl Iterator<Item = &Stream> {
        self.streams
            .iter()
            .filter(move |s| !s.deleted && s.mode_at(now) == CapacityMode::Provisioned)
    }

    /// UpdateShardCount.
    pub(crate) fn update_shard_count(
        &mut self,
        name: &StreamName,
        to: u32,
        by: Caller,
        now: Seconds,
    ) -> Result<Motion, Refused> {
        let missing = || (Failure::Missing, format!("Stream {name} not found."));
        let index = self.find(name).ok_or_else(missing)?;
        let in_use: u32 = self
            .provisioned(now)
            .filter(|stream| stream.name != *name)
            .map(|stream| match stream.moving(now) {
                Some(motion) => motion.from.max(motion.to) + limits::RESHARD_TEMPORARY_SHARDS,
                None => stream.open.get(),
            })
            .sum();
        let (model, dice, quota) = (&self.model, &mut self.dice, self.quota);
        let stream = self.streams.get_mut(index).ok_or_else(missing)?;
        let open = stream.open;
        still(stream, now)?;
        if stream.mode_at(now) == CapacityMode::OnDemand {
            return Err((Failure::WrongMode, format!("Stream {name} is in On-Demand mode.")));
        }
        let to = in_range(open, to).map_err(|message| (Failure::Invalid, message))?;
        if stream.reshards_in_window(now) >= limits::RESHARDS_PER_DAY_MAX as usize {
            return Err((Failure::Limit, format!("Rate exceeded for stream {name}.")));
        }
        if in_use.saturating_add(reshard::peak_open_shards(open, to)) > quota {
            let message =
                format!("Target shard count cannot be greater than the limit of {quota}.");
            return Err((Failure::Limit, message));
        }
        let mut motion = model.motion(open, to, now, dice);
        motion.remembered = by == Caller::Weir;
        stream.accept(motion, now);
        Ok(motion)
    }

    /// UpdateStreamMode. The shards stay as they are. What AWS says to the mode a stream is in
    /// already is unknown; this is the stricter reading.
    pub(crate) fn update_stream_mode(
        &mut self,
        name: &StreamName,
        to: CapacityMode,
        by: Caller,
        now: Seconds,
    ) -> Result<Switch, Refused> {
        let missing = || (Failure::Missing, format!("Stream {name} not found."));
        let index = self.find(name).ok_or_else(missing)?;
        let stream = self.streams.get_mut(index).ok_or_else(missing)?;
        still(stream, now)?;
        if stream.mode_at(now) == to {
            return Err((Failure::Invalid, format!("Stream {name} is in that mode already.")));
        }
        if stream.switches_in_window(now) >= limits::MODE_SWITCHES_PER_DAY_MAX as usize {
            // The words of a momentary throttle, at first.
            let message = format!(
                "Rate exceeded for stream {name}. You cannot update the capacity mode of your data \
                 stream more than twice within 24 hours."
            );
            return Err((Failure::Limit, message));
        }
        let mut switch = self.on_demand.switch(to, now, &mut self.dice);
        switch.remembered = by == Caller::Weir;
        stream.accept_switch(switch, now);
        Ok(switch)
    }

    /// A minute is over in which this stream was written to.
    pub(crate) fn end_minute(
        &mut self,
        index: usize,
        mode: CapacityMode,
        load: ShardLoad,
        now: Seconds,
    ) {
        let opens = self.on_demand.opens_shards && mode == CapacityMode::OnDemand;
        if let Some(stream) = self.streams.get_mut(index) {
            stream.end_minute(load, opens, now);
        }
    }
}

/// A stream that is being changed takes no other change.
fn still(stream: &Stream, now: Seconds) -> Result<(), Refused> {
    if stream.moving(now).is_none() && stream.switching(now).is_none() {
        return Ok(());
    }
    let message = format!("Stream {} not ACTIVE, instead in state UPDATING", stream.name);
    Err((Failure::Busy, message))
}

/// A target that one call may name: at most double, at least half by real division, 1 to 10,000,
/// and not the size it is (what AWS says to that is unknown; this is the stricter reading).
fn in_range(open: Shards, to: u32) -> Result<Shards, String> {
    let shown = format!("Current open shard count: {open}, Target shard count: {to}");
    match Shards::new(to) {
        None => Err(format!("Target shard count must be at least 1. {shown}")),
        Some(target) if target > open.doubled() => Err(format!(
            "UpdateShardCount cannot scale up over double your current open shard count. {shown}"
        )),
        Some(target) if u64::from(to) * 2 < u64::from(open.get()) => Err(format!(
            "UpdateShardCount cannot scale down below half your current open shard count. {shown}, {target}"
        )),
        Some(_) if to > limits::SHARDS_PER_STREAM_MAX => {
            Err(format!("Target shard count cannot be above 10000. {shown}"))
        }
        Some(target) if target == open => Err(format!("Nothing to do. {shown}")),
        Some(target) => Ok(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::observation::StreamStatus;

    const DAY: Seconds = 86_400;

    fn name(name: &str) -> StreamName {
        StreamName::new(name).expect("a name")
    }

    fn account(sizes: &[(&str, u32)], quota: u32) -> Account {
        let streams = sizes
            .iter()
            .map(|(n, open)| Stream::new(name(n), Shards::at_least_one(*open)))
            .collect();
        let model = ReshardModel::Fixed { seconds: 300 };
        let on_demand = OnDemandModel { switch_seconds: 60..=60, opens_shards: true };
        Account::new(streams, model, on_demand, quota, Dice::new(0, "reshards"))
    }

    fn ask(account: &mut Account, to: u32, now: Seconds) -> Result<(), Failure> {
        account
            .update_shard_count(&name("orders"), to, Caller::Weir, now)
            .map(|_| ())
            .map_err(|(failure, _)| failure)
    }

    #[test]
    fn a_call_may_double_and_halve_and_no_more() {
        let answers = |open, targets: &[u32]| -> Vec<bool> {
            let one = |to: &u32| ask(&mut account(&[("orders", open)], 20_000), *to, 0);
            targets.iter().map(|to| one(to) != Err(Failure::Invalid)).collect()
        };
        assert_eq!(answers(5, &[0, 2, 3, 10, 11]), [false, false, true, true, false]);
        assert_eq!(answers(8, &[3, 4, 16, 17]), [false, true, true, false]);
        assert_eq!(answers(6_000, &[10_000, 10_001]), [true, false]);
    }

    #[test]
    fn ten_calls_in_any_24_hours_and_refused_ones_do_not_count() {
        let mut account = account(&[("orders", 8)], 20_000);
        for (call, to) in (0..10).zip([9, 8].into_iter().cycle()) {
            assert_eq!(ask(&mut account, 1, call * 600), Err(Failure::Invalid));
            assert_eq!(ask(&mut account, to, call * 600), Ok(()));
        }
        assert_eq!(ask(&mut account, 9, DAY - 1), Err(Failure::Limit));
        assert_eq!(ask(&mut account, 9, DAY), Ok(())); // the first left the window
        assert_eq!(ask(&mut account, 8, DAY + 300), Err(Failure::Limit));
        assert_eq!(ask(&mut account, 8, DAY + 600), Ok(()));
    }

    #[test]
    fn a_stream_that_is_being_changed_takes_no_other_change() {
        let mut account = account(&[("orders", 8)], 20_000);
        assert_eq!(ask(&mut account, 16, 0), Ok(()));
        assert_eq!(ask(&mut account, 32, 299), Err(Failure::Busy));
        assert_eq!(ask(&mut account, 32, 300), Ok(()));
    }

    #[test]
    fn temporary_shards_of_every_stream_count_towards_the_quota() {
        let mut account = account(&[("orders", 8), ("clicks", 10)], 27);
        assert_eq!(ask(&mut account, 16, 0), Ok(())); // 10 + 16 + 1
        let clicks = |account: &mut Account, to, now| {
            account.update_shard_count(&name("clicks"), to, Caller::Other, now).map(|_| ())
        };
        assert!(clicks(&mut account, 9, 0).is_err_and(|(failure, _)| failure == Failure::Limit));
        assert!(clicks(&mut account, 9, 300).is_ok()); // 16 + 10 + 1
    }

    #[test]
    fn other_refusals_are_told_apart() {
        let mut account = account(&[("orders", 8)], 20_000);
        assert_eq!(switch(&mut account, CapacityMode::OnDemand, 0), Ok(()));
        assert_eq!(ask(&mut account, 16, 60), Err(Failure::WrongMode));
        account.streams[0].deleted = true;
        assert_eq!(ask(&mut account, 16, 60), Err(Failure::Missing));
        assert_eq!(switch(&mut account, CapacityMode::Provisioned, 60), Err(Failure::Missing));
    }

    fn switch(account: &mut Account, to: CapacityMode, now: Seconds) -> Result<(), Failure> {
        account
            .update_stream_mode(&name("orders"), to, Caller::Weir, now)
            .map(|_| ())
            .map_err(|(failure, _)| failure)
    }

    #[test]
    fn two_switches_in_any_24_hours_either_way_and_reshards_are_counted_apart() {
        use CapacityMode::{OnDemand, Provisioned};
        let mut account = account(&[("orders", 8)], 20_000);
        assert_eq!(switch(&mut account, Provisioned, 0), Err(Failure::Invalid));
        assert_eq!(switch(&mut account, OnDemand, 0), Ok(()));
        assert_eq!(switch(&mut account, Provisioned, 59), Err(Failure::Busy));
        assert_eq!(switch(&mut account, Provisioned, 3_600), Ok(()));
        assert_eq!(ask(&mut account, 9, 3_659), Err(Failure::Busy));
        assert_eq!(ask(&mut account, 9, 3_660), Ok(()));
        assert_eq!(switch(&mut account, OnDemand, 3_700), Err(Failure::Busy));
        assert_eq!(switch(&mut account, OnDemand, DAY - 1), Err(Failure::Limit));
        assert_eq!(switch(&mut account, OnDemand, DAY), Ok(()));
    }

    #[test]
    fn the_old_mode_holds_until_the_switch_is_done_and_the_shards_stay() {
        let mut account = account(&[("orders", 8)], 20_000);
        let quiet = ShardLoad::new(3.0);
        assert_eq!(switch(&mut account, CapacityMode::OnDemand, 0), Ok(()));
        let state = |account: &Account, now| account.streams[0].state_at(now);
        assert_eq!(state(&account, 59).status, StreamStatus::Updating);
        assert_eq!(state(&account, 59).mode, CapacityMode::Provisioned);
        assert_eq!(state(&account, 60).status, StreamStatus::Active);
        assert_eq!(state(&account, 60).mode, CapacityMode::OnDemand);
        assert_eq!(account.quota(60).open, 0); // shards on demand are AWS's
        for minute in 0..40 {
            let load = if minute == 10 { ShardLoad::new(15.0) } else { quiet };
            account.end_minute(0, CapacityMode::OnDemand, load, 0);
        }
        assert_eq!(account.streams[0].capacity(CapacityMode::OnDemand, 0.0), 30.0);
        assert_eq!(switch(&mut account, CapacityMode::Provisioned, 3_600), Ok(()));
        // What AWS opened is there to be paid for, and to be halved.
        assert_eq!(state(&account, 3_660).open_shards.get(), 30);
        assert_eq!(ask(&mut account, 14, 3_660), Err(Failure::Invalid));
        assert_eq!(ask(&mut account, 15, 3_660), Ok(()));
    }
}

//! The account's streams, its shard quota, and UpdateShardCount with its rules.
//!
//! Not here: calls per second; the twin's Weir is alone in its account.

use std::collections::BTreeMap;

use weir_control::ports::Failure;
use weir_core::limits;
use weir_core::observation::{CapacityMode, ShardQuota};
use weir_core::reshard;
use weir_core::units::{Shards, StreamName};

use super::{Motion, ReshardModel, Stream};
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
    Stranger,
}

/// The streams of an account in a region.
pub(crate) struct Account {
    pub(crate) streams: Vec<Stream>,
    by_name: BTreeMap<StreamName, usize>,
    model: ReshardModel,
    quota: u32,
    dice: Dice,
}

/// A call that AWS turned down.
pub(crate) type Refused = (Failure, String);

impl Account {
    pub(crate) fn new(
        streams: Vec<Stream>,
        model: ReshardModel,
        quota: u32,
        dice: Dice,
    ) -> Account {
        let by_name = streams.iter().enumerate().map(|(i, s)| (s.name.clone(), i)).collect();
        Account { streams, by_name, model, quota, dice }
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
        let open = self.provisioned().map(|stream| stream.open_at(now).get()).sum();
        ShardQuota { limit: self.quota, open }
    }

    fn provisioned(&self) -> impl Iterator<Item = &Stream> {
        self.streams
            .iter()
            .filter(|stream| !stream.deleted && stream.mode == CapacityMode::Provisioned)
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
            .provisioned()
            .filter(|stream| stream.name != *name)
            .map(|stream| match stream.moving(now) {
                Some(motion) => motion.from.max(motion.to) + limits::RESHARD_TEMPORARY_SHARDS,
                None => stream.open.get(),
            })
            .sum();
        let (model, dice, quota) = (&self.model, &mut self.dice, self.quota);
        let stream = self.streams.get_mut(index).ok_or_else(missing)?;
        let open = stream.open;
        if stream.moving(now).is_some() {
            return Err((
                Failure::Busy,
                format!("Stream {name} not ACTIVE, instead in state UPDATING"),
            ));
        }
        if stream.mode == CapacityMode::OnDemand {
            return Err((Failure::WrongMode, format!("Stream {name} is in On-Demand mode.")));
        }
        let to = in_range(open, to).map_err(|message| (Failure::Invalid, message))?;
        if stream.accepted_in_window(now) >= limits::RESHARDS_PER_DAY_MAX as usize {
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
}

impl Account {
    /// UpdateStreamMode. It is in force at once.
    pub(crate) fn update_stream_mode(
        &mut self,
        name: &StreamName,
        to: CapacityMode,
        now: Seconds,
    ) -> Result<(), Refused> {
        let refused = |failure| (failure, format!("Stream {name} cannot be switched to {to}."));
        let index = self.find(name).ok_or_else(|| refused(Failure::Missing))?;
        let stream = self.streams.get_mut(index).ok_or_else(|| refused(Failure::Missing))?;
        stream.switch(to, now).map_err(refused)
    }
}

/// A target that one call may name: at most double, at least half by real division, 1 to 10,000, and not
/// the size it is (what AWS says to that is unknown; this is the stricter reading).
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
        Account::new(streams, model, quota, Dice::new(0, "reshards"))
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
    fn two_mode_switches_in_any_24_hours_and_the_shards_stay() {
        use CapacityMode::{OnDemand, Provisioned};
        let mut account = account(&[("orders", 8)], 20_000);
        let switch = |account: &mut Account, to, now| {
            account.update_stream_mode(&name("orders"), to, now).map_err(|(failure, _)| failure)
        };
        assert_eq!(switch(&mut account, Provisioned, 0), Err(Failure::Invalid));
        assert_eq!(ask(&mut account, 16, 0), Ok(()));
        assert_eq!(switch(&mut account, OnDemand, 299), Err(Failure::Busy));
        assert_eq!(switch(&mut account, OnDemand, 300), Ok(()));
        assert_eq!(switch(&mut account, Provisioned, 600), Ok(()));
        assert_eq!(account.streams[0].open_at(600), Shards::at_least_one(16));
        assert_eq!(switch(&mut account, OnDemand, DAY + 299), Err(Failure::Limit));
        assert_eq!(switch(&mut account, OnDemand, DAY + 300), Ok(()));
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
            account.update_shard_count(&name("clicks"), to, Caller::Stranger, now).map(|_| ())
        };
        assert!(clicks(&mut account, 9, 0).is_err_and(|(failure, _)| failure == Failure::Limit));
        assert!(clicks(&mut account, 9, 300).is_ok()); // 16 + 10 + 1
    }

    #[test]
    fn other_refusals_are_told_apart() {
        let mut account = account(&[("orders", 8)], 20_000);
        account.streams[0].mode = CapacityMode::OnDemand;
        assert_eq!(ask(&mut account, 16, 0), Err(Failure::WrongMode));
        account.streams[0].deleted = true;
        assert_eq!(ask(&mut account, 16, 0), Err(Failure::Missing));
    }
}

//! One recording: what Weir does on it under a policy, why, what it costs, and what else there is.
//!
//! Not here: how it is said (`weir`), and contenders on many recordings (`jobs`).

use jiff::Timestamp;
use weir_core::limits::prices::MONTH_HOURS;
use weir_core::observation::CapacityMode;
use weir_core::plan::{Action, Plan};
use weir_core::policy::Policy;
use weir_core::units::{Shards, Usd};
use weir_sim::record::StreamRun;
use weir_sim::trace::Trace;

use crate::baseline::{fixed_at, initial_shards};
use crate::contender::{Contender, Judged};
use crate::jobs::{Observer, play_all};
use crate::recording::Recording;
use crate::replay::replay_from;
use crate::score::{NotScored, Score, score_by};
use crate::setting::{BENCH, Setting, Variants};

/// What Weir itself costs for a calm stream, a month (docs/cost.md).
pub const OWN_STREAM_MONTH: Usd = Usd::cents(59);
/// What an installation costs, a month, whatever the number of streams (docs/cost.md).
pub const OWN_INSTALLATION_MONTH: Usd = Usd::cents(849);

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The traffic.
    pub recording: &'a Recording,
    /// What Weir goes by.
    pub policy: Policy,
    /// The size the stream has today; the first hour's peak at 70 % use where nobody says.
    pub initial: Option<Shards>,
    /// What is simulated, and what it is judged by.
    pub setting: Setting,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Backtest {
    /// What Weir did.
    pub run: StreamRun,
    /// How it did.
    pub score: Score,
    /// The size of today, left alone: where somebody said it.
    pub today: Option<(Shards, Score)>,
    /// What else there is, without Weir; the optimum is the last.
    pub peers: Vec<Judged>,
}

/// One change that Weir made, with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionTaken {
    /// When it was called.
    pub called_at: Timestamp,
    /// When it was in force.
    pub effective_at: Timestamp,
    /// `reshard` or `switch_mode`.
    pub kind: &'static str,
    /// Shards, or the mode, before.
    pub from: String,
    /// Shards, or the mode, after.
    pub to: String,
    /// The size that demand needed; none where no plan of Weir's asked for it.
    pub wanted: Option<Shards>,
    /// Codes of what held the size back, or widened it.
    pub reasons: Vec<&'static str>,
    /// Why, in a line.
    pub why: String,
}

/// A reason for which something that was wanted was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// Its code in the catalogue.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// In how many plans it was given.
    pub plans: usize,
}

/// Weir's run, heard of minute by minute.
struct Silent<F: Fn(usize) + Sync>(F);

impl<F: Fn(usize) + Sync> Observer for Silent<F> {
    type Error = NotScored;

    fn minutes(&self, minutes: usize) {
        (self.0)(minutes);
    }

    fn run(&self, _: &Trace, _: Contender, _: &StreamRun) -> Result<(), NotScored> {
        Ok(())
    }
}

/// How many minutes are played in all.
pub fn minutes(trace: &Trace) -> usize {
    trace.minutes.len() * (peers().count() + 1)
}

/// Everybody but Weir.
fn peers() -> impl Iterator<Item = Contender> {
    Contender::ALL.into_iter().filter(|one| one.is_baseline() || *one == Contender::Optimum)
}

/// Plays it. `on_minutes` hears of minutes as they are done, from several threads.
///
/// # Errors
/// Where the recording is too short to be scored, or has no traffic.
pub fn backtest(
    asked: Asked<'_>,
    on_minutes: impl Fn(usize) + Sync,
) -> Result<Backtest, NotScored> {
    let Asked { recording, policy, initial, setting } = asked;
    let trace = &recording.trace;
    let open = initial.unwrap_or_else(|| initial_shards(trace));
    let run = replay_from(trace, open, policy, setting.settings(), || on_minutes(1)).run;
    let score = score_by(&run, &setting.pricing)?;
    let today = match initial {
        Some(size) => {
            let run = fixed_at(trace, size, &setting);
            Some((size, score_by(&run, &setting.pricing)?))
        }
        None => None,
    };
    let variants = [Variants { settings: vec![(BENCH, setting)] }];
    let contenders: Vec<Contender> = peers().collect();
    let outcomes =
        play_all(std::slice::from_ref(recording), &contenders, &variants, &Silent(on_minutes))?;
    let mut peers: Vec<Judged> = outcomes.into_iter().map(|outcome| outcome.judged).collect();
    peers.sort_by_key(|judged| judged.contender);
    Ok(Backtest { run, score, today, peers })
}

impl Score {
    /// The whole bill of writing, for a month.
    pub fn month(&self) -> Usd {
        Usd::new(self.bill.total().get() / (24.0 * self.days) * MONTH_HOURS)
    }
}

impl Backtest {
    /// What the stream costs without Weir, a month: at the size of today, or fixed at its peak
    /// where nobody says that size.
    pub fn before(&self) -> Usd {
        match &self.today {
            Some((_, score)) => score.month(),
            None => {
                self.peer(Contender::FixedAtPeak).map_or(Usd::new(0.0), |peer| peer.score.month())
            }
        }
    }

    /// What Weir saves a month, its own cost for the stream taken off; less than nothing where it
    /// does not pay. The installation is not counted: it is paid once.
    pub fn saves(&self) -> f64 {
        self.before().get() - self.score.month().get() - OWN_STREAM_MONTH.get()
    }

    /// What one of the others did.
    pub fn peer(&self, contender: Contender) -> Option<&Judged> {
        self.peers.iter().find(|judged| judged.contender == contender)
    }

    /// Every change, in order, with the reason that its plan gives.
    pub fn actions(&self) -> Vec<ActionTaken> {
        actions(&self.run)
    }

    /// What kept Weir from what it wanted, most often first: what made plans hold, and what made
    /// their size another than the one wanted.
    pub fn held_back(&self) -> Vec<HeldBack> {
        let mut all: Vec<HeldBack> = Vec::new();
        for plan in &self.run.plans {
            let Some(hold) = plan.withheld() else { continue };
            let clamps = plan.clamps().iter().map(|clamp| clamp.reason);
            let mut given: Vec<(&str, &str)> =
                clamps.map(|clamp| (clamp.code(), clamp.meaning())).collect();
            given.push((hold.code(), hold.meaning()));
            given.dedup();
            for (code, meaning) in given {
                match all.iter_mut().find(|held| held.code == code) {
                    Some(held) => held.plans += 1,
                    None => all.push(HeldBack { code, meaning, plans: 1 }),
                }
            }
        }
        all.sort_by_key(|held| std::cmp::Reverse(held.plans));
        all
    }
}

/// Every change of a run, in order, with the reason that its plan gives.
pub fn actions(run: &StreamRun) -> Vec<ActionTaken> {
    let reshards = run.reshards.iter().map(|reshard| ActionTaken {
        called_at: reshard.called_at,
        effective_at: reshard.effective_at,
        kind: "reshard",
        from: reshard.from.to_string(),
        to: reshard.to.to_string(),
        ..because(
            run,
            reshard.called_at,
            |action| matches!(action, Action::Reshard { to, .. } if to.get() == reshard.to),
        )
    });
    let word = |mode| match mode {
        CapacityMode::Provisioned => "provisioned".to_owned(),
        CapacityMode::OnDemand => "on_demand".to_owned(),
    };
    let switches = run.switches.iter().map(|switch| ActionTaken {
        called_at: switch.called_at,
        effective_at: switch.effective_at,
        kind: "switch_mode",
        from: word(switch.from),
        to: word(switch.to),
        ..because(
            run,
            switch.called_at,
            |action| matches!(action, Action::SwitchMode { to, .. } if *to == switch.to),
        )
    });
    let mut actions: Vec<ActionTaken> = reshards.chain(switches).collect();
    actions.sort_by_key(|action| action.called_at);
    actions
}

/// What the newest plan that asked for it says. Other scalers make no plans.
fn because(run: &StreamRun, at: Timestamp, asks: impl Fn(&Action) -> bool) -> ActionTaken {
    let plans = run.plans.iter().rev().skip_while(|plan| plan.planned_at > at);
    let plan = plans.into_iter().find(|plan| asks(&plan.action));
    ActionTaken {
        called_at: at,
        effective_at: at,
        kind: "",
        from: String::new(),
        to: String::new(),
        wanted: plan.map(Plan::wanted),
        reasons: plan
            .map(|plan| plan.clamps().iter().map(|clamp| clamp.reason.code()).collect())
            .unwrap_or_default(),
        why: plan.map(Plan::because).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use weir_core::policy::{Bounds, OperatingMode};
    use weir_sim::generate;

    use super::*;

    fn recording() -> Recording {
        let start = Timestamp::from_second(1_793_577_600).expect("a time");
        Recording { trace: generate::days(3, start, 3, 1), class: "growth".to_owned() }
    }

    fn play(policy: Policy, initial: Option<Shards>) -> Backtest {
        let recording = recording();
        let setting = Setting::BENCH;
        let asked = Asked { recording: &recording, policy, initial, setting };
        backtest(asked, |_| ()).expect("a backtest")
    }

    fn acting() -> Policy {
        Policy { operating_mode: OperatingMode::Act, ..Policy::DEFAULT }
    }

    #[test]
    fn every_change_has_its_reason() {
        let played = play(acting(), None);
        let actions = played.actions();
        assert_eq!(actions.len(), played.run.reshards.len());
        assert!(actions.len() > 3, "{actions:?}");
        assert!(actions.iter().all(|action| action.why.contains("shards now")), "{actions:?}");
        assert!(actions.windows(2).all(|two| two[0].called_at <= two[1].called_at));
    }

    #[test]
    fn a_policy_that_is_too_small_is_told_as_what_holds_the_stream_back() {
        let bounds = Bounds::new(Shards::ONE, Shards::at_least_one(4)).expect("bounds");
        let played = play(Policy { bounds, ..acting() }, None);
        let held = played.held_back();
        let codes: Vec<&str> = held.iter().map(|held| held.code).collect();
        assert!(codes.contains(&"policy_maximum"), "{codes:?}");
        assert!(held.windows(2).all(|two| two[0].plans >= two[1].plans));
        assert!(played.score.throttled_percent > 1.0);
    }

    #[test]
    fn the_size_of_today_is_what_is_saved_from() {
        let played = play(acting(), Some(Shards::at_least_one(256)));
        let (size, today) = played.today.as_ref().expect("the size of today");
        assert_eq!((size.get(), today.throttled_percent), (256, 0.0));
        let shards = 256.0 * 0.015 * 24.0 * today.days;
        assert!((today.shard_cost_usd - shards).abs() < 1e-6, "{}", today.shard_cost_usd);
        assert_eq!(played.before(), today.month());
        let saves = today.month().get() - played.score.month().get() - 0.59;
        assert!((played.saves() - saves).abs() < 1e-9);
        assert_eq!(played.run.initial_shards, 256);
    }

    #[test]
    fn peers_are_all_but_weir_and_the_optimum_is_last() {
        let played = play(acting(), None);
        let names: Vec<Contender> = played.peers.iter().map(|peer| peer.contender).collect();
        assert_eq!(names.len(), Contender::ALL.len() - 2);
        assert!(!names.contains(&Contender::Weir) && !names.contains(&Contender::WeirProvisioned));
        assert_eq!(names.last(), Some(&Contender::Optimum));
    }

    #[test]
    fn own_costs_are_those_of_the_page() {
        let page = include_str!("../../../docs/cost.md");
        for (row, usd) in [
            ("| a calm stream |", OWN_STREAM_MONTH),
            ("| the installation, whatever the number of streams |", OWN_INSTALLATION_MONTH),
        ] {
            let line = page.lines().find(|line| line.starts_with(row)).expect("the row");
            assert!(line.contains(&format!("${:.2}", usd.get())), "{line}");
        }
    }
}

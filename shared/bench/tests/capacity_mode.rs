//! Crowds that reshards cannot follow: to on-demand, back when it is calm, and the shards given
//! back that AWS opened meanwhile.
//!
//! Not here: which mode a single plan asks for (core's `capacity_mode`), and everything going wrong
//! (`chaos`).

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

use std::ops::Range;

use jiff::Timestamp;
use weir_bench::replay::replay;
use weir_bench::score::score;
use weir_core::observation::CapacityMode::{self, OnDemand, Provisioned};
use weir_core::policy::{ModeSwitches, OperatingMode, Policy};
use weir_core::reasons::HoldReason;
use weir_sim::generate;
use weir_sim::record::StreamRun;
use weir_sim::settings::Settings;
use weir_sim::trace::Trace;

const DAY: usize = 24 * 60;
const SEEDS: Range<u64> = 0..8;
/// Wednesday, 02:00, when the stream is smallest.
const CROWD: Range<usize> = 2 * DAY + 120..2 * DAY + 180;
/// What comes then, as a multiple of what else there would be, all of it within three minutes.
const CROWDED: f64 = 20.0;

/// Four days from a seed, with crowds of an hour.
fn crowded(seed: u64, crowds: &[Range<usize>]) -> Trace {
    let start = "2026-03-02T00:00:00Z".parse().expect("a time");
    // The crowd of the generator is put off to a day that never comes.
    let mut trace = generate::days(seed, start, 4, 4);
    for crowd in crowds {
        let gathers = [0.33, 0.67].into_iter().chain(std::iter::repeat(1.0));
        for (traffic, gathered) in trace.minutes[crowd.clone()].iter_mut().zip(gathers) {
            let factor = 1.0 + (CROWDED - 1.0) * gathered;
            traffic.bytes *= factor;
            traffic.records *= factor;
        }
    }
    trace
}

fn play(seed: u64, mode_switches: ModeSwitches, crowds: &[Range<usize>]) -> StreamRun {
    let policy = Policy { operating_mode: OperatingMode::Act, mode_switches, ..Policy::DEFAULT };
    let run = replay(&crowded(seed, crowds), policy, Settings::realistic(seed), || ()).run;
    assert_eq!(run.violations, [], "seed {seed}");
    run
}

fn minute(run: &StreamRun, at: Timestamp) -> usize {
    usize::try_from((at.as_second() - run.start.as_second()) / 60).expect("after the start")
}

/// Switches, with minutes since the start.
fn switches(run: &StreamRun) -> Vec<(usize, CapacityMode)> {
    run.switches.iter().map(|switch| (minute(run, switch.called_at), switch.to)).collect()
}

/// Reshards, with minutes since the start: from how many shards to how many.
fn reshards(run: &StreamRun) -> Vec<(usize, u32, u32)> {
    run.reshards.iter().map(|call| (minute(run, call.called_at), call.from, call.to)).collect()
}

/// What a run cost in all, what it lost at its price, over the bill of a stream fixed at its peak.
fn whole_bill(run: &StreamRun) -> f64 {
    score(run).expect("a score").j_total
}

#[test]
fn a_crowd_is_met_on_demand_and_what_aws_opened_is_given_back() {
    let (mut hybrid, mut provisioned) = (0.0, 0.0);
    for seed in SEEDS {
        let run = play(seed, ModeSwitches::Automatic, &[CROWD]);
        let switched = switches(&run);
        let [(out, OnDemand), (back, Provisioned)] = switched[..] else {
            panic!("seed {seed}: {switched:?}")
        };
        assert!(out < CROWD.start + 5 && back < CROWD.end + 60, "seed {seed}: {switched:?}");

        let later: Vec<_> = reshards(&run).into_iter().filter(|(at, ..)| *at >= back).collect();
        let left_by_aws = f64::from(later[0].1);
        assert!(left_by_aws > 2.0 * run.minutes[CROWD.start].open_shards, "seed {seed}: {later:?}");
        let most = run.minutes[back..].iter().map(|minute| minute.open_shards).fold(0.0, f64::max);
        let last = run.minutes.last().expect("a minute").open_shards;
        assert!(last <= most / 2.0, "seed {seed}: {last} of {most}");

        hybrid += whole_bill(&run);
        provisioned += whole_bill(&play(seed, ModeSwitches::Never, &[CROWD]));
    }
    assert!(hybrid < provisioned, "{hybrid} for {provisioned}");
}

/// Both switches of the day are gone when the next crowd comes: it is resharded for, and plans say
/// why.
#[test]
fn the_second_crowd_of_a_day_is_resharded_for_and_plans_say_why() {
    let mut withheld = 0;
    for seed in SEEDS {
        let second = CROWD.start + 6 * 60..CROWD.end + 6 * 60;
        let run = play(seed, ModeSwitches::Automatic, &[CROWD, second.clone()]);
        let day = |at: usize| at < CROWD.start + DAY;
        let of_the_day = switches(&run).into_iter().filter(|(at, _)| day(*at)).count();
        assert_eq!(of_the_day, 2, "seed {seed}: {:?}", switches(&run));
        let reasons = run.plans.iter().filter_map(|plan| plan.wanted_mode?.withheld);
        withheld +=
            usize::from(reasons.into_iter().any(|reason| reason == HoldReason::ModeSwitchesSpent));
        let grown =
            reshards(&run).into_iter().any(|(at, from, to)| second.contains(&at) && to > from);
        assert!(grown, "seed {seed}: {:?}", reshards(&run));
    }
    // What AWS opened for the first crowd may be enough for the second.
    assert!(withheld >= 2, "{withheld} of {} say so", SEEDS.count());
}

//! Crowds that reshards cannot follow: to on-demand, back when it is calm, and the shards given back that AWS
//! opened meanwhile.
//!
//! Not here: which mode a single plan asks for (core's `capacity_mode`), and everything going wrong (`chaos`).

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use std::ops::Range;

use jiff::Timestamp;
use support::{last_open, policies, reshards, run_with};
use weir_core::observation::CapacityMode::{self, OnDemand, Provisioned};
use weir_core::reasons::Reason;
use weir_twin::generate;
use weir_twin::record::StreamRun;
use weir_twin::score::score;
use weir_twin::settings::Settings;
use weir_twin::trace::Trace;

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

fn play(seed: u64, mode_switches: &str, crowds: &[Range<usize>]) -> StreamRun {
    let policies = policies(&format!("mode = \"act\"\nmode_switches = \"{mode_switches}\""));
    let run = run_with(Settings::realistic(seed), policies, crowded(seed, crowds), 8);
    assert_eq!(run.violations, [], "seed {seed}");
    run
}

/// Switches, with minutes since the start.
fn switches(run: &StreamRun) -> Vec<(usize, CapacityMode)> {
    let minute = |at: Timestamp| usize::try_from((at.as_second() - run.start.as_second()) / 60);
    run.switches.iter().map(|s| (minute(s.called_at).expect("after the start"), s.to)).collect()
}

/// What a run cost in all, what it lost at its price, over the bill of a stream fixed at its peak.
fn whole_bill(run: &StreamRun) -> f64 {
    score(run).expect("a score").j_total
}

#[test]
fn a_crowd_is_met_on_demand_and_what_aws_opened_is_halved_away() {
    let (mut hybrid, mut provisioned) = (0.0, 0.0);
    for seed in SEEDS {
        let run = play(seed, "automatic", &[CROWD]);
        let switched = switches(&run);
        let [(out, OnDemand), (back, Provisioned)] = switched[..] else {
            panic!("seed {seed}: {switched:?}")
        };
        assert!(out < CROWD.start + 5 && back < CROWD.end + 60, "seed {seed}: {switched:?}");

        let before = |at: i64| usize::try_from(at).is_ok_and(|at| at < back);
        let later: Vec<_> = reshards(&run).into_iter().filter(|(at, ..)| !before(*at)).collect();
        let halving = later.iter().find(|(_, from, to)| to < from);
        // Half is the most that one call may take away; a little more may be wanted.
        let about_half = halving.is_some_and(|(_, from, to)| 10 * to <= 6 * from);
        assert!(about_half, "seed {seed}: {later:?}");
        let left_by_aws = f64::from(later[0].1);
        assert!(left_by_aws > 2.0 * run.minutes[CROWD.start].open_shards, "seed {seed}: {later:?}");
        let most = run.minutes[back..].iter().map(|minute| minute.open_shards).fold(0.0, f64::max);
        assert!(last_open(&run) <= most / 2.0, "seed {seed}: {} of {most}", last_open(&run));

        hybrid += whole_bill(&run);
        provisioned += whole_bill(&play(seed, "never", &[CROWD]));
    }
    assert!(hybrid < provisioned, "{hybrid} for {provisioned}");
}

/// Both switches of the day are gone when the next crowd comes: it is resharded for, and plans say why.
#[test]
fn the_second_crowd_of_a_day_is_resharded_for_and_plans_say_why() {
    let mut withheld = 0;
    for seed in SEEDS {
        let second = CROWD.start + 6 * 60..CROWD.end + 6 * 60;
        let run = play(seed, "automatic", &[CROWD, second.clone()]);
        let day = |at: usize| at < CROWD.start + DAY;
        let of_the_day = switches(&run).into_iter().filter(|(at, _)| day(*at)).count();
        assert_eq!(of_the_day, 2, "seed {seed}: {:?}", switches(&run));
        let reasons = run.plans.iter().filter_map(|plan| plan.wanted_mode?.withheld);
        withheld +=
            usize::from(reasons.into_iter().any(|reason| reason == Reason::ModeSwitchesSpent));
        let during = |at: i64| usize::try_from(at).is_ok_and(|at| second.contains(&at));
        let grown = reshards(&run).into_iter().any(|(at, from, to)| during(at) && to > from);
        assert!(grown, "seed {seed}: {:?}", reshards(&run));
    }
    // What AWS opened for the first crowd may be enough for the second.
    assert!(withheld >= 4, "{withheld} of {} say so", SEEDS.count());
}

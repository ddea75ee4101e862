//! The dynamic programme against every run there is, on small random cases; and what it says
//! against what its run costs when it is made.

use fastrand::Rng;
use jiff::Timestamp;

use super::*;
use crate::score::score_by;
use weir_sim::generate;

const SEED: u64 = 20_261_121;

fn random(rng: &mut Rng) -> Problem {
    let minutes = rng.usize(10..=34);
    let first_day = rng.usize(0..=4);
    let level = rng.f64() * 4.0;
    Problem {
        minutes: (0..minutes)
            .map(|_| MinuteCost {
                load: ShardLoad::new(level + (rng.f64() - 0.5) * 4.0),
                all_refused_usd: rng.f64() * 3.0,
                shard_usd: if rng.f64() < 0.9 { 0.25 } else { 0.0 },
            })
            .collect(),
        days: (0..minutes.div_ceil(STEP_MINUTES)).map(|s| i64::from(s >= first_day)).collect(),
        sizes: rng.usize(1..=4),
        initial: 1,
        reshard_minutes: [2, 5, 8][rng.usize(0..3)],
        calls_per_day: rng.usize(0..=2),
        evenness: Evenness::with_busiest_second(if rng.bool() { 1.0 } else { 1.35 }).into(),
    }
}

/// The least that minutes from `minute` on can cost, by trying everything, minute by minute.
fn by_force(
    problem: &Problem,
    minute: usize,
    open: usize,
    moving: Option<(usize, usize)>,
    calls: [usize; 2],
) -> f64 {
    if minute >= problem.minutes.len() {
        return 0.0;
    }
    let (open, moving) = match moving {
        Some((due, to)) if due == minute => (to, None),
        other => (open, other),
    };
    let now = problem.usd(minute, open);
    let mut best = now + by_force(problem, minute + 1, open, moving, calls);
    let day = usize::from(problem.days[minute / STEP_MINUTES] > 0);
    if minute.is_multiple_of(STEP_MINUTES) && moving.is_none() && calls[day] < problem.calls_per_day
    {
        let mut calls = calls;
        calls[day] += 1;
        for to in (1..=problem.sizes).filter(|to| *to <= 2 * open && 2 * to >= open) {
            let moving = Some((minute + problem.reshard_minutes, to));
            best = best.min(now + by_force(problem, minute + 1, open, moving, calls));
        }
    }
    best
}

/// What the moves cost, minute by minute; they must be allowed.
fn cost_of(problem: &Problem, moves: &[Move]) -> f64 {
    let (mut open, mut moving, mut moves) = (problem.initial, None, moves.iter().peekable());
    let mut usd = 0.0;
    for minute in 0..problem.minutes.len() {
        if let Some((due, to)) = moving
            && due == minute
        {
            (open, moving) = (to, None);
        }
        if let Some(next) = moves.next_if(|next| next.minute == minute) {
            let to = next.to as usize;
            assert!(moving.is_none() && to <= 2 * open && 2 * to >= open, "{next:?} from {open}");
            moving = Some((minute + problem.reshard_minutes, to));
        }
        usd += problem.usd(minute, open);
    }
    assert_eq!(moves.next(), None);
    usd
}

#[test]
fn it_is_as_cheap_as_the_cheapest_of_all_runs() {
    let mut rng = Rng::with_seed(SEED);
    for case in 0..2_000 {
        let mut problem = random(&mut rng);
        problem.initial = rng.usize(1..=problem.sizes);
        let best = solve::solve(&problem);
        let truth = by_force(&problem, 0, problem.initial, None, [0, 0]);
        assert!(
            (best.usd - truth).abs() < 1e-9,
            "seed {SEED}, case {case}: {} for {truth}: {problem:?}",
            best.usd
        );
        let walked = cost_of(&problem, &best.moves);
        assert!(
            (walked - truth).abs() < 1e-6,
            "seed {SEED}, case {case}: walked {walked} for {truth}: {problem:?}"
        );
    }
}

#[test]
fn its_run_costs_what_it_says_and_nothing_is_refused() {
    let start = Timestamp::from_second(1_793_577_600 + 9 * 3_600 + 60).expect("a time");
    let trace = generate::days(7, start, 5, 2);
    for (reshard_minutes, busiest) in [(5, 1.0), (2, 1.0), (20, 1.35)] {
        let evenness = Evenness::with_busiest_second(busiest).into();
        let setting = Setting { reshard_minutes, evenness, ..Setting::BENCH };
        let best = optimum(&trace, &setting);
        let run = replay(&trace, &best, &setting);
        assert!(run.refused_calls.is_empty(), "{:?}", run.refused_calls);
        assert_eq!(run.reshards.len(), best.moves.len());
        let score = score_by(&run, &setting.pricing).expect("a score");
        let usd = score.j * score.fixed_cost_usd;
        assert!(
            (usd - best.usd).abs() < 1e-6 * usd,
            "{reshard_minutes} min: {usd} for {}",
            best.usd
        );
    }
}

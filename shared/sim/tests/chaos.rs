//! Hundreds of worlds in which everything goes wrong, each from a seed: no law is ever broken.
//!
//! A failure names its seed; `WEIR_SEED=<seed>` runs that one alone, `WEIR_SEEDS=<n>` runs so many.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use std::ops::Range;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use support::{consumer, name, on_all_cores, policies, seeds, shards, trace};
use weir_core::consumer::ConsumerKind;
use weir_core::observation::CapacityMode;
use weir_core::plan::{Action, Plan};
use weir_core::policy::PolicySet;
use weir_core::reasons::HoldReason;
use weir_core::throttling::{Evenness, HotKey};
use weir_core::units::{Shards, StreamName};
use weir_sim::record::StreamRun;
use weir_sim::settings::{
    BusSettings, CallTimes, ConsumerSettings, Crash, ExternalAction, ExternalChange, FailureKind,
    MetricDelay, ReshardModel, Settings,
};
use weir_sim::simulation::Simulation;
use weir_sim::trace::Trace;

const SEEDS: u64 = 240;
const MINUTES: usize = 32 * 60;
/// A claim that nobody clears up for so long would hold the stream for ever.
const CLAIM_STUCK: SignedDuration = SignedDuration::from_mins(60);

#[test]
fn no_law_is_broken_whatever_goes_wrong() {
    let mut broken = Vec::new();
    let (mut reshards, mut switches, mut spent, mut crashes) = (0, 0, 0, 0);
    let worlds = seeds(SEEDS);
    for (seed, (runs, died)) in on_all_cores(worlds.clone(), run) {
        crashes += died;
        for run in runs {
            reshards += run.reshards.len();
            switches += run.calls.get("UpdateStreamMode").copied().unwrap_or(0);
            let holds = |plan: &&Plan| plan.action == Action::Hold(HoldReason::ModeSwitchesSpent);
            spent += run.plans.iter().filter(holds).count();
            broken.extend(run.violations.into_iter().map(|violation| (seed, violation)));
        }
    }
    let shown: Vec<String> = broken
        .iter()
        .take(40)
        .map(|(seed, v)| format!("WEIR_SEED={seed}: law {} at {}: {}", v.law, v.at, v.what))
        .collect();
    assert!(broken.is_empty(), "{} laws broken:\n{}", broken.len(), shown.join("\n"));
    // Chaos that hinders everything would prove nothing.
    if worlds.end - worlds.start >= SEEDS {
        let done =
            format!("{reshards} reshards, {switches} switches, {spent} spent, {crashes} crashes");
        assert!(reshards > 2_000 && crashes > 2_000, "{done}");
        assert!(switches > 150 && spent > 800, "{done}");
    }
}

fn run(seed: u64) -> (Vec<StreamRun>, u64) {
    let mut rng = Rng::with_seed(seed);
    let streams = 1 + rng.usize(0..3);
    let settings = settings(seed, &mut rng, streams);
    let policies = policy(&mut rng);
    let streams: Vec<_> = (0..streams).map(|i| stream(&mut rng, i)).collect();
    let names: Vec<_> = streams.iter().map(|(name, _, _)| name.clone()).collect();
    let deleted =
        settings.faults.external_changes.iter().any(|s| s.action == ExternalAction::Delete);
    let mut simulation = Simulation::new(settings, policies, streams);
    let mut end = Timestamp::MIN;
    while let Some(progress) = simulation.step_minute() {
        end = progress.now;
    }
    for name in names.iter().filter(|_| !deleted) {
        let claim = simulation.remembered(name).and_then(|record| record.claim);
        let stuck = claim.filter(|claim| end.duration_since(claim.at) > CLAIM_STUCK);
        assert_eq!(stuck, None, "WEIR_SEED={seed}: a claim is stuck");
    }
    let crashes = simulation.crashes();
    (simulation.finish(), crashes)
}

/// Everything goes wrong, but not in every world.
fn settings(seed: u64, rng: &mut Rng, streams: usize) -> Settings {
    let mut settings = Settings::realistic(seed);
    let mut often = |most: f64| if rng.f64() < 0.6 { rng.f64() * most } else { 0.0 };
    settings.bus = BusSettings {
        delay_seconds: 0..=3,
        late: often(0.3),
        late_seconds: 20..=900,
        twice: often(0.4),
        lost: often(0.05),
    };
    settings.calls = CallTimes { slow: often(0.5), slow_seconds: 1..=12 };
    settings.faults.failing = often(0.04);
    settings.faults.answer_lost = often(0.08);
    settings.faults.lost_minutes = often(0.02);
    settings.faults.crash = Crash::Chance(often(0.08));
    if rng.bool() {
        settings.faults.ledger_down = spans(rng, 3, 90);
    }
    if rng.bool() {
        settings.faults.metrics_down = spans(rng, 2, 60);
    }
    settings.evenness = evenness(rng).into();
    settings.consumers.clear();
    if rng.bool() {
        settings.consumers = consumers(rng);
    }
    if rng.u8(0..4) == 0 {
        settings.metrics = MetricDelay::None;
    }
    if rng.u8(0..3) == 0 {
        settings.shard_quota = rng.u32(40..300);
    }
    if let ReshardModel::ByOperation { parallelism, .. } = &mut settings.reshard {
        *parallelism = [1, 8, 50][rng.usize(0..3)];
    }
    if rng.u8(0..3) == 0 {
        settings.faults.external_changes = external_changes(rng, streams);
    }
    settings
}

/// Even now and then, mostly busier in some seconds than in others; in every third world with a hot
/// key or two.
fn evenness(rng: &mut Rng) -> Evenness {
    let most = [0.0, 0.2, 0.35, 0.7, 1.0][rng.usize(0..5)];
    let factors: Vec<f64> = (0..60).map(|s| 1.0 + most * (f64::from(s) - 29.5) / 29.5).collect();
    let key = |rng: &mut Rng| HotKey { place: rng.f64(), share: 0.3 * rng.f64() };
    let keys = if rng.u8(0..3) == 0 { rng.usize(1..=2) } else { 0 };
    let keys: Vec<HotKey> = (0..keys).map(|_| key(rng)).collect();
    Evenness::new(&factors, &keys).expect("a mean of 1")
}

/// One that polls, and now and then another, each with failures.
fn consumers(rng: &mut Rng) -> Vec<ConsumerSettings> {
    let kinds = [ConsumerKind::Lambda, ConsumerKind::Firehose, ConsumerKind::FanOut];
    ["billing", "archive"]
        .into_iter()
        .take(rng.usize(1..=2))
        .map(|name| {
            let mut one = consumer(name, kinds[rng.usize(0..kinds.len())]);
            one.shard_bytes_per_second = 1_300_000.0;
            one.new_shards_after_minutes = [0, 0, 3][rng.usize(0..3)];
            let failures = [
                (FailureKind::Stalled, spans(rng, 2, 60)),
                (FailureKind::Gone, spans(rng, 1, 60)),
                (FailureKind::Slow, spans(rng, 1, 200)),
                (FailureKind::Poison, spans(rng, 1, 200)),
            ];
            failures.into_iter().fold(one, |one, (kind, spans)| {
                spans.into_iter().fold(one, |one, span| one.failing(kind, span))
            })
        })
        .collect()
}

fn spans(rng: &mut Rng, most: usize, longest: usize) -> Vec<Range<usize>> {
    let one = |rng: &mut Rng| {
        let start = rng.usize(0..MINUTES);
        start..start + rng.usize(1..longest)
    };
    (0..rng.usize(0..=most)).map(|_| one(rng)).collect()
}

fn external_changes(rng: &mut Rng, streams: usize) -> Vec<ExternalChange> {
    (0..rng.usize(1..8))
        .map(|_| ExternalChange {
            minute: rng.usize(0..MINUTES),
            stream: rng.usize(0..streams),
            action: match rng.u8(0..10) {
                0 => ExternalAction::Delete,
                1 => ExternalAction::Switch(CapacityMode::OnDemand),
                2 => ExternalAction::Switch(CapacityMode::Provisioned),
                _ => ExternalAction::Reshard(rng.u32(1..60)),
            },
        })
        .collect()
}

fn policy(rng: &mut Rng) -> PolicySet {
    let min = rng.u32(1..6);
    policies(&format!(
        "mode = \"act\"\nmin_shards = {min}\nmax_shards = {}\nthrottled_gib_usd = {}\n\
         reserved_calls = {}\nscale_in_after_minutes = {}\nhold_scale_in_at_lag_minutes = {}\n\
         missing_data = \"{}\"\nmode_switches = \"{}\"",
        min + rng.u32(0..200),
        [0.05, 0.8, 5.0][rng.usize(0..3)],
        rng.u32(0..5),
        rng.u32(5..90),
        rng.u32(2..30),
        if rng.u8(0..4) == 0 { "idle" } else { "hold" },
        if rng.bool() { "automatic" } else { "never" },
    ))
}

/// A stream with a rhythm, noise, crowds, silences and a size that may be far off.
fn stream(rng: &mut Rng, i: usize) -> (StreamName, Trace, Shards) {
    let (level, swing, noise) = (rng.f64() * 30.0, rng.f64(), rng.f64() * 0.3);
    let period = 200.0 + rng.f64() * 1_200.0;
    let crowds = spans(rng, 4, 120);
    let crowded = [3.0, 12.0][rng.usize(0..2)];
    let silences = spans(rng, 2, 120);
    let mut dice = rng.fork();
    let within = |spans: &[Range<usize>], minute| spans.iter().any(|span| span.contains(&minute));
    #[allow(clippy::cast_precision_loss)] // minutes of a day
    let trace = trace(MINUTES, |minute| {
        let rhythm = 1.0 + swing * (minute as f64 / period * std::f64::consts::TAU).sin();
        let crowd = if within(&crowds, minute) { crowded } else { 1.0 };
        let silence = if within(&silences, minute) { 0.0 } else { 1.0 };
        level * rhythm * crowd * silence * (1.0 + noise * (dice.f64() - 0.5))
    });
    (name(&format!("stream-{i}")), trace, shards(rng.u32(1..60)))
}

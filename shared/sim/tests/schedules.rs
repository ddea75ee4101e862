//! Events an operator knows of: the stream has the size when they begin, for as few calls as it
//! takes, and gives it back.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use support::{last_open, policies, reshards, run_with, trace};
use weir_core::observation::CapacityMode;
use weir_core::policy::PolicySet;
use weir_core::reasons::ClampReason;
use weir_sim::record::StreamRun;
use weir_sim::settings::Settings;

const DAY: usize = 24 * 60;
/// Wednesday, 08:00 to 10:00 UTC.
const EVENT: std::ops::Range<usize> = 2 * DAY + 480..2 * DAY + 600;

fn market(min_shards: u32, more: &str) -> PolicySet {
    policies(&format!(
        "mode = \"act\"\n{more}\n[[streams.schedule]]\nname = \"market open\"\ndays = [\"wed\"]\n\
         from = \"09:00\"\nuntil = \"11:00\"\ntime_zone = \"Europe/Berlin\"\nmin_shards = {min_shards}"
    ))
}

/// Three days and a half of a load of 2.4 shards, on four.
fn calm(settings: Settings, policies: PolicySet) -> StreamRun {
    let run = run_with(settings, policies, trace(3 * DAY + DAY / 2, |_| 2.4), 4);
    assert_eq!(run.violations, []);
    run
}

fn least_during_the_event(run: &StreamRun) -> f64 {
    run.minutes[EVENT].iter().map(|minute| minute.open_shards).fold(f64::INFINITY, f64::min)
}

#[test]
fn a_stream_has_its_size_when_the_event_begins_and_gives_it_back() {
    let realistic = (0..10).map(Settings::realistic);
    for settings in std::iter::once(Settings::bench()).chain(realistic) {
        let seed = settings.seed;
        let run = calm(settings, market(40, ""));
        assert!(least_during_the_event(&run) >= 40.0, "seed {seed}: {:?}", reshards(&run));
        // Three or four shards are doubled four times, all of them within the hour before.
        let calls = reshards(&run);
        let begins = i64::try_from(EVENT.start).expect("small");
        let before =
            |day: i64| calls.iter().filter(move |(at, _, _)| (begins - day..begins).contains(at));
        assert_eq!(before(24 * 60).count(), 4, "seed {seed}: {calls:?}");
        assert_eq!(before(60).count(), 4, "seed {seed}: {calls:?}");
        assert!(last_open(&run) <= 6.0, "seed {seed}: {} at the end", last_open(&run));
    }
}

/// Four calls up and some down are most of a day's ten: each day they must be free again in time.
#[test]
fn an_event_of_every_day_finds_its_calls_every_day() {
    let policies = policies(
        "mode = \"act\"\n[[streams.schedule]]\nname = \"import\"\nfrom = \"08:00\"\n\
         until = \"10:00\"\ntime_zone = \"UTC\"\nmin_shards = 40",
    );
    for settings in [Settings::bench(), Settings::realistic(7)] {
        let run = run_with(settings, policies.clone(), trace(6 * DAY, |_| 3.0), 4);
        assert_eq!(run.violations, []);
        for day in 0..6 {
            let event = day * DAY + 480..day * DAY + 600;
            let open = |range: std::ops::Range<usize>| {
                run.minutes[range].iter().map(|minute| minute.open_shards)
            };
            let least = open(event.clone()).fold(f64::INFINITY, f64::min);
            assert!(least >= 40.0, "day {day}: {least}, {:?}", reshards(&run));
            let later = open(event.end + 180..day * DAY + DAY).fold(0.0, f64::max);
            // Nothing is taken away before a day of the stream is known.
            assert!(day == 0 || later <= 20.0, "day {day}: {later}, {:?}", reshards(&run));
        }
    }
}

/// Half an hour before, the stream is provisioned; when the crowd comes, it is on demand, and later
/// back.
#[test]
fn an_event_on_demand_is_on_demand_from_its_first_minute() {
    let policies = policies(
        "mode = \"act\"\nmode_switches = \"automatic\"\n[[streams.schedule]]\nname = \"sale\"\n\
         from = \"2026-03-04T08:00:00Z\"\nuntil = \"2026-03-04T10:00:00Z\"\n\
         capacity_mode = \"on_demand\"",
    );
    let load = |minute: usize| if (EVENT.start..EVENT.end).contains(&minute) { 12.0 } else { 3.0 };
    for settings in std::iter::once(Settings::bench()).chain((0..10).map(Settings::realistic)) {
        let seed = settings.seed;
        let run = run_with(settings, policies.clone(), trace(3 * DAY + DAY / 2, load), 4);
        assert_eq!(run.violations, [], "seed {seed}");
        let on_demand = |minute: usize| run.minutes[minute].mode == CapacityMode::OnDemand;
        assert!(!on_demand(EVENT.start - 30), "seed {seed}");
        assert!(EVENT.clone().all(on_demand), "seed {seed}: {:?}", run.switches);
        assert!(!on_demand(EVENT.end + 120), "seed {seed}: {:?}", run.switches);
        assert_eq!(run.switches.len(), 2, "seed {seed}: {:?}", run.switches);
    }
}

#[test]
fn bounds_and_quota_hold_for_an_event_too() {
    let mut settings = Settings::bench();
    settings.shard_quota = 24;
    let run = calm(settings, market(40, ""));
    assert!((20.0..=24.0).contains(&least_during_the_event(&run)));
    let held = run.plans.iter().flat_map(|plan| plan.clamps());
    assert!(held.clone().any(|clamp| clamp.reason == ClampReason::AccountQuota));
}

#[test]
fn calls_an_event_needs_are_not_spent_before_it() {
    // A load that falls to a half and comes back every two hours would take more calls than there
    // are.
    let load = |minute: usize| if (minute / 120).is_multiple_of(2) { 12.0 } else { 5.0 };
    let policies = market(100, "reserved_calls = 0");
    let run = run_with(Settings::bench(), policies, trace(3 * DAY, load), 14);
    assert_eq!(run.violations, []);
    assert!(least_during_the_event(&run) >= 100.0, "{:?}", reshards(&run));
}

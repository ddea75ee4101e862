//! The setting in which numbers compare, and what a run promises in any setting: the same again,
//! nothing of the future, and demand met.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use support::{
    DAY, after_a_day, five_to_ten, last_open, name, policies, reshards, run, run_with, shards,
    trace,
};
use weir_core::observation::CapacityMode;
use weir_core::policy::{OperatingMode, Policy, PolicySet};
use weir_sim::generate;
use weir_sim::record::StreamRun;
use weir_sim::settings::{ExternalAction, ExternalChange, Settings};
use weir_sim::simulation::Simulation;
use weir_sim::trace::Trace;

#[test]
fn a_reshard_is_in_force_and_billed_five_minutes_after_its_call() {
    let load = trace(120, |minute| if minute < 60 { 3.0 } else { 10.0 });
    let run = run_with(Settings::bench(), five_to_ten(), load, 5);
    assert_eq!(reshards(&run), [(61, 5, 10)]);
    let reshard = run.reshards[0];
    assert_eq!(reshard.effective_at.as_second() - reshard.called_at.as_second(), 300);
    let open: Vec<f64> = run.minutes[64..68].iter().map(|minute| minute.open_shards).collect();
    assert_eq!(open, [5.0, 5.0, 10.0, 10.0]);
    assert_eq!(run.minutes[65].refused_share, 0.5);
    assert_eq!(run.minutes[66].refused_share, 0.0);
}

#[test]
fn a_plan_sees_the_minutes_before_it_and_no_other() {
    // The first minute that differs is over when the next begins: no call can be earlier.
    for jump in [50, 51, 52, 77] {
        let load = trace(120, |minute| if minute < jump { 3.0 } else { 10.0 });
        let run = run_with(Settings::bench(), five_to_ten(), load, 5);
        let called = i64::try_from(jump).expect("small") + 1;
        assert_eq!(reshards(&run), [(called, 5, 10)]);
    }
}

fn crowd() -> Trace {
    let start = "2026-03-02T00:00:00Z".parse().expect("a time");
    generate::days(11, start, 4, 2)
}

fn settings() -> [Settings; 2] {
    [Settings::bench(), Settings::realistic(42)]
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for settings in settings() {
        let [first, second] = [(); 2].map(|()| run(settings.clone(), crowd(), 12));
        assert_eq!(first, second);
    }
    let other = |seed| reshards(&run(Settings::realistic(seed), crowd(), 12));
    assert_ne!(other(42), other(43));
}

#[test]
fn the_same_past_gives_the_same_actions_whatever_comes_after() {
    for settings in settings() {
        let whole = run(settings.clone(), crowd(), 12);
        for minutes in [500, 1_700, 3_100] {
            let mut past = crowd();
            past.minutes.truncate(minutes);
            let part = run(settings.clone(), past, 12);
            assert_eq!(part.minutes, whole.minutes[..minutes]);
            let end = part.start.as_second() + 60 * minutes as i64;
            let so_far: Vec<_> =
                whole.reshards.iter().filter(|r| r.called_at.as_second() < end).collect();
            assert_eq!(part.reshards.iter().collect::<Vec<_>>(), so_far);
        }
    }
}

#[test]
fn a_flash_crowd_is_met_and_dismissed_without_breaking_a_law() {
    for settings in settings() {
        let load = |minute| match minute {
            0..300 => 8.0,
            300..312 => 8.0 + 2.0 * f64::from(u32::try_from(minute).expect("small") - 300),
            312..480 => 32.0,
            _ => 8.0,
        };
        let run = run(settings, trace(2_880, load), 10);
        assert_eq!(run.violations, []);
        let most = run.minutes.iter().map(|m| m.open_shards).fold(0.0, f64::max);
        assert!((32.0..=80.0).contains(&most), "{most} shards at most");
        // A stream that had such a crowd in its two days of life spends its calls on it, keeps the
        // last of them as the policy says, and keeps some room for the next crowd.
        assert!(last_open(&run) < most, "{} shards at the end", last_open(&run));
        let refused = run.minutes.iter().filter(|m| m.refused_share > 0.0).count();
        assert!(refused <= 24, "{refused} minutes of throttling");
    }
}

/// Law 7: sustained demand within quotas is met in bounded time, from any starting state.
#[test]
fn sustained_demand_is_met_from_any_size_as_fast_as_doubling_allows() {
    for open in [1, 3, 10, 50, 200] {
        let run = run(Settings::bench(), trace(2_000, |_| 40.0), open);
        assert_eq!(run.violations, [], "from {open}");
        let throttled = run.minutes.iter().rposition(|minute| minute.refused_share > 0.0);
        let doublings = (40.0 / f64::from(open)).log2().ceil().max(0.0);
        // A reshard, the look after it, and two minutes in which its effect is seen.
        let bound = 8.0 * doublings + 3.0;
        assert!(
            throttled.is_none_or(|minute| minute as f64 <= bound),
            "from {open}: {throttled:?}"
        );
        // How busy its seconds are is not known below the size it settles at.
        assert!((40.0..=70.0).contains(&last_open(&run)), "from {open}: {}", last_open(&run));
    }
}

#[test]
fn bounds_of_the_policy_hold_and_every_stream_is_led_into_them() {
    let led = |open, load: f64| {
        let policies = policies("mode = \"act\"\nmin_shards = 8\nmax_shards = 20");
        let run = run_with(Settings::bench(), policies, trace(1_500, move |_| load), open);
        assert_eq!(run.violations, []);
        last_open(&run)
    };
    assert_eq!([led(2, 1.0), led(10, 100.0), led(60, 1.0)], [8.0, 20.0, 8.0]);
}

#[test]
fn streams_share_a_quota_and_nothing_else() {
    let mut settings = Settings::bench();
    settings.shard_quota = 40;
    let streams = ["clicks", "orders"]
        .map(|n| (name(n), trace(600, |m| if m < 100 { 4.0 } else { 30.0 }), shards(6)));
    let policies = PolicySet::of_all_streams(Policy::default());
    let runs: Vec<StreamRun> = Simulation::new(settings, policies, streams.into()).run(|_| ());
    for minute in 0..600 {
        let open: f64 = runs.iter().map(|run| run.minutes[minute].open_shards).sum();
        assert!(open <= 40.0, "{open} shards in minute {minute}");
    }
    assert!(runs.iter().map(last_open).sum::<f64>() >= 36.0);
    assert!(runs.iter().all(|run| run.violations.is_empty()));
}

/// Somebody switches the stream's mode at these minutes.
fn switched_by_hand(settings: Settings, minutes: &[(usize, CapacityMode)]) -> Settings {
    let mut settings = settings;
    settings.faults.external_changes = minutes
        .iter()
        .map(|(minute, to)| ExternalChange {
            minute: *minute,
            stream: 0,
            action: ExternalAction::Switch(*to),
        })
        .collect();
    settings
}

#[test]
fn a_switch_of_mode_takes_five_minutes_and_a_third_is_refused() {
    use CapacityMode::{OnDemand, Provisioned};
    let by_hand = [(60, OnDemand), (200, Provisioned), (300, OnDemand)];
    let settings = Settings {
        mode: Some(OperatingMode::Observe),
        ..switched_by_hand(Settings::bench(), &by_hand)
    };
    let load = trace(400, |minute| if minute < 100 { 3.0 } else { 20.0 });
    let run = run(settings, load, 5);
    let switches: Vec<(i64, CapacityMode)> = run
        .switches
        .iter()
        .map(|switch| ((switch.called_at.as_second() - run.start.as_second()) / 60, switch.to))
        .collect();
    assert_eq!(switches, [(60, OnDemand), (200, Provisioned)]);
    let minute = |at: usize| (run.minutes[at].mode, run.minutes[at].capacity_shards);
    assert_eq!([minute(64), minute(65)], [(Provisioned, 5.0), (OnDemand, 6.0)]);
    // Twice the peak, a quarter of an hour late; more than that is refused.
    assert_eq!([minute(114), minute(115)], [(OnDemand, 6.0), (OnDemand, 40.0)]);
    assert_eq!(run.minutes[114].refused_share, 0.7);
    assert_eq!([minute(204), minute(205)], [(OnDemand, 40.0), (Provisioned, 5.0)]);
    assert!(run.minutes.iter().all(|minute| minute.open_shards == 5.0));
}

#[test]
fn what_aws_opened_on_demand_is_taken_away_after_the_way_back() {
    use CapacityMode::{OnDemand, Provisioned};
    let settings = switched_by_hand(
        Settings::realistic(42),
        &[(DAY + 60, OnDemand), (DAY + 400, Provisioned)],
    );
    let load = after_a_day(1_200, |minute| if (100..200).contains(&minute) { 20.0 } else { 3.0 });
    let run = run(settings, load, 5);
    assert_eq!(run.violations, []);
    let back = run.minutes.iter().rposition(|m| m.mode == OnDemand).expect("time on demand");
    assert_eq!(run.minutes[back].open_shards, 40.0);
    let on_demand = &run.minutes[DAY + 75..=back];
    assert!(on_demand.iter().all(|minute| minute.mode == OnDemand));
    let calls = reshards(&run);
    let day = i64::try_from(DAY).expect("small");
    let first = calls.iter().find(|(at, ..)| *at > day + 400).expect("a halving");
    assert!(first.1 == 40 && (20..=30).contains(&first.2), "{calls:?}");
    assert!(!calls.iter().any(|(at, ..)| (day + 80..=day + 400).contains(at)), "{calls:?}");
}

//! A fleet under the account's quotas. The table of larger ones is in `docs/operating.md`; this is
//! what must stay true of it.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

use weir_bench::fleet::play;
use weir_sim::record::RunUse;
use weir_sim::settings::Settings;

/// More than one tick can look at, and more alarms than one run of sync-alarms can write.
const STREAMS: usize = 1_000;
/// Until CloudWatch shows the first minute of a surge and judges its alarms, seconds.
const SHOWN_AFTER: i64 = 125;

#[test]
fn a_fleet_is_served_from_the_first_minutes_and_a_surge_of_all_is_followed() {
    let report = play(STREAMS, Settings::fleet(1));
    let shown = format!("{report:#?}");
    assert_eq!(report.violations, 0, "{shown}");
    assert!(report.at_once >= STREAMS / 4, "a first installation stands still: {shown}");
    assert!(report.all_planned.is_some_and(|minutes| minutes <= 6), "{shown}");
    assert!(report.all_alarms.is_some_and(|minutes| minutes <= 25), "{shown}");
    let (_, longest) = report.looked_at;
    assert!(longest <= 8, "a calm stream waits: {shown}");
    let within = |seconds: Option<i64>, minutes: i64| {
        seconds.is_some_and(|at| at <= SHOWN_AFTER + 60 * minutes)
    };
    assert!(within(report.planned.all, 3) && within(report.resharded.all, 5), "{shown}");
    for (function, used) in &report.api.runs {
        let RunUse { expired, stopped, .. } = used;
        assert_eq!((*expired, *stopped), (0, 0), "{function} gives up: {shown}");
    }
    let calls = report.api.calls.values();
    let refused: u64 = calls.clone().map(|used| used.refused).sum();
    let made: u64 = calls.map(|used| used.requests).sum();
    assert!(refused * 50 < made, "more than asks for itself: {shown}");
}

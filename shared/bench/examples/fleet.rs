//! Fleets of the sizes that are given, upon the quotas of one account: the table of
//! `docs/operating.md`.
//!
//! `cargo run --release -p weir-bench --example fleet -- 1000 5000 10000`
#![allow(clippy::print_stdout)] // it speaks

use weir_bench::fleet::{FleetReport, Followed, play};
use weir_sim::record::{CallUse, RunUse};
use weir_sim::settings::Settings;

fn main() {
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|n| n.parse().ok()).collect();
    for streams in if asked.is_empty() { vec![1_000] } else { asked } {
        show(&play(streams, Settings::fleet(1)));
    }
}

fn show(report: &FleetReport) {
    let FleetReport { streams, at_once, all_planned, all_alarms, .. } = report;
    let minutes = |minutes: &Option<usize>| {
        minutes.map_or("not in time".to_owned(), |minutes| format!("{minutes} min"))
    };
    println!("{streams} streams");
    println!("  planned for within two minutes: {at_once}");
    println!("  every stream planned for after {}", minutes(all_planned));
    println!("  every alarm written after {}", minutes(all_alarms));
    let (median, longest) = report.looked_at;
    println!("  calm, the last look was {median} min ago (median), {longest} min (longest)");
    println!("  surge of all, planned: {}", followed(report.planned));
    println!("  surge of all, resharded: {}", followed(report.resharded));
    println!("  laws broken: {}", report.violations);
    for (name, of) in &report.api.calls {
        let CallUse { requests, refused, busiest_second, quota } = of;
        let quota = quota.map_or("none".to_owned(), |quota| quota.to_string());
        println!(
            "  {name:24} {requests:9} requests, {refused:6} refused, busiest second {busiest_second:4} of {quota}"
        );
    }
    for (name, of) in &report.api.runs {
        let RunUse { runs, no_room, expired, stopped, longest_seconds } = of;
        println!(
            "  {name:24} {runs:9} runs, {no_room:6} found no room, {expired} expired, {stopped} stopped, longest {longest_seconds} s"
        );
    }
}

fn followed(of: Followed) -> String {
    let seconds = |at: Option<i64>| at.map_or("not in time".to_owned(), |at| format!("{at} s"));
    let Followed { half, most, all } = of;
    format!("half {}, 95 in 100 {}, all {}", seconds(half), seconds(most), seconds(all))
}

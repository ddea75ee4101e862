//! The optimum and the plain rules against what a prototype, which shares no code with this, found
//! on recorded traffic. The recordings are not part of this repository; without them the test says
//! so.
//!
//! The prototype counts days from the start of a trace, the optimum by the calendar; so traces that
//! start at midnight are looked at, and few enough sizes that it did not need to leave any out.

#![allow(clippy::print_stdout)] // a test that was skipped says so

use std::fs::File;
use std::path::PathBuf;

use serde_json::Value;
use weir_bench::baseline;
use weir_bench::contender::Contender;
use weir_bench::score::score;
use weir_bench::setting::Setting;
use weir_core::observation::CapacityMode;
use weir_core::policy::{OperatingMode, PolicySet};
use weir_core::units::StreamName;
use weir_sim::settings::{ExternalAction, ExternalChange, Settings};
use weir_sim::simulation::Simulation;
use weir_sim::trace::Trace;

/// Trace, who, what the prototype calls it, how far apart they may be.
const CASES: [(&str, Contender, &str, f64); 8] = [
    ("ms_ingress_05", Contender::Optimum, "opt5", 0.001),
    ("ms_mongo_01", Contender::Optimum, "opt5", 0.001),
    ("ms_mongo_04", Contender::Optimum, "opt5", 0.001),
    ("us_flights_2001", Contender::Optimum, "opt5", 0.001),
    ("ms_ingress_05", Contender::AwsSample, "aws_sample", 0.01),
    ("ms_mongo_01", Contender::AwsSample, "aws_sample", 0.01),
    ("ms_mongo_01", Contender::DoubleHalve, "react_fast", 0.01),
    ("us_flights_2001", Contender::Target60, "target60", 0.05),
];

#[test]
fn a_prototype_found_the_same() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/traces");
    let Ok(reference) = File::open(dir.join("reference.json")) else {
        println!("skipped: no recorded traces in ../shared/traces");
        return;
    };
    let reference: Value = serde_json::from_reader(reference).expect("JSON");
    for (name, contender, key, apart) in CASES {
        let file = File::open(dir.join(format!("{name}.csv"))).expect("a trace");
        let trace = Trace::read(name, name, file).expect("a trace");
        let run = contender.play(&trace, &Setting::BENCH, |_| {});
        let j = contender.judge(&run, &Setting::BENCH).expect("a score").score.j;
        let expected = reference[name][key].as_f64().expect("a number");
        assert!((j / expected - 1.0).abs() < apart, "{name}, {key}: {j} for {expected}");
    }
}

/// Trace; its J and J of the whole bill where it keeps its first size and somebody switches its
/// mode every 15 hours, as a scorer found that shares no code with this.
const SWITCHED: [(&str, f64, f64); 3] = [
    ("ms_mongo_01", 3.4959094, 2.1220249),
    ("tweets_aapl", 0.1477905, 0.1570248),
    ("ec2_disk_write", 0.5971359, 0.5988359),
];

#[test]
fn another_scorer_found_the_same_of_time_on_demand() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/traces");
    for (name, j, j_total) in SWITCHED {
        let Ok(file) = File::open(dir.join(format!("{name}.csv"))) else {
            println!("skipped: no recorded traces in ../shared/traces");
            return;
        };
        let trace = Trace::read(name, name, file).expect("a trace");
        let mut settings = Settings { mode: Some(OperatingMode::Observe), ..Settings::bench() };
        let modes = [CapacityMode::OnDemand, CapacityMode::Provisioned].into_iter().cycle();
        settings.faults.external_changes = (1_000..trace.minutes.len())
            .step_by(900)
            .zip(modes)
            .map(|(minute, to)| ExternalChange {
                minute,
                stream: 0,
                action: ExternalAction::Switch(to),
            })
            .collect();
        let streams = vec![(
            StreamName::new("orders").expect("a name"),
            trace.clone(),
            baseline::initial_shards(&trace),
        )];
        // Nobody looks after the stream, so that the figures stand whatever Weir would do.
        let run = Simulation::new(settings, PolicySet::default(), streams).run(|_| ()).remove(0);
        let found = score(&run).expect("a score");
        for (found, expected) in [(found.j, j), (found.j_total, j_total)] {
            assert!((found / expected - 1.0).abs() < 1e-4, "{name}: {found} for {expected}");
        }
    }
}

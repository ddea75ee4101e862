//! The demo's second half: a consumer of the same stream fails on the third day, and these are the messages
//! that a person gets.

use weir_sim::guard::{self, Failure, Kind, Scenario};
use weir_sim::trace::Trace;

/// Wednesday, ten to two in the morning, for five and a half hours.
const FAILS_AT_MINUTE: usize = 2 * 1440 + 110;
const FAILS_FOR_MINUTES: usize = 330;

/// Tells the story; returns how many laws were broken in it.
pub(super) fn tell(trace: &Trace, seed: u64) -> usize {
    let written = trace.minutes.iter().map(|minute| minute.records.floor()).collect();
    let kinds = [Kind::Lambda, Kind::FanOut, Kind::Firehose];
    let span = FAILS_AT_MINUTE..FAILS_AT_MINUTE + FAILS_FOR_MINUTES;
    let failure = (Failure::Poison, span);
    let scenario = Scenario::failing_once(seed, trace.start, &kinds, written, failure);
    println!(
        "\nThree consumers read the stream. On Wednesday at 01:50 a record comes that the function billing \
         cannot take;\nit is mended at 07:20. These messages go out, and no others in the week:\n"
    );
    let verdict = guard::run(&scenario);
    let mut newest = "";
    for (at, alert) in &verdict.sent {
        println!("{}  to {}s: {}", at.strftime("%a %H:%M"), alert.severity, alert.subject);
        // What is only said again, or to others too, is not told here in full.
        if !alert.subject.contains("(still)") && alert.subject != newest {
            for line in alert.text.lines() {
                println!("           {line}");
            }
            println!();
        }
        newest = &alert.subject;
    }
    verdict.violations.len()
}

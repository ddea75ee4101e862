//! The consumers of the demo's stream, of which one fails on the third day, and the messages that
//! people get in that week.

use weir_core::consumer::{ConsumerKind, ConsumerName};
use weir_sim::record::AlertRecord;
use weir_sim::settings::{ConsumerSettings, FailureKind};

/// Wednesday, ten to two in the morning, for five and a half hours.
const FAILS_AT_MINUTE: usize = 2 * 1440 + 110;
const FAILS_FOR_MINUTES: usize = 330;

/// Three, of which the first fails.
pub(super) fn consumers() -> Vec<ConsumerSettings> {
    let kinds = [
        ("billing", ConsumerKind::Lambda),
        ("fraud-check", ConsumerKind::FanOut),
        ("archive", ConsumerKind::Firehose),
    ];
    let named = |(name, kind)| Some(ConsumerSettings::healthy(ConsumerName::new(name).ok()?, kind));
    let mut consumers: Vec<ConsumerSettings> = kinds.into_iter().filter_map(named).collect();
    if let Some(billing) = consumers.first_mut() {
        let span = FAILS_AT_MINUTE..FAILS_AT_MINUTE + FAILS_FOR_MINUTES;
        *billing = billing.clone().failing(FailureKind::Poison, span);
    }
    consumers
}

/// Prints the messages.
pub(super) fn tell(alerts: &AlertRecord) {
    println!(
        "\nThree consumers read the stream. On Wednesday at 01:50 a record comes that the function billing \
         cannot take;\nit is mended at 07:20. These messages go out, and no others in the week:\n"
    );
    let mut newest = "";
    for sent in &alerts.sent {
        let alert = &sent.alert;
        println!("{}  to {}s: {}", sent.at.strftime("%a %H:%M"), alert.severity, alert.subject);
        // What is only said again, or to others too, is not told here in full.
        if !alert.subject.contains("(still)") && alert.subject != newest {
            for line in alert.text.lines() {
                println!("           {line}");
            }
            println!();
        }
        newest = &alert.subject;
    }
}

//! `weir check --against-aws`: what sync-alarms would write in this account and region under these
//! policies, and what that costs a month. Nothing is written.
//!
//! Not here: finding that out (`weir_control::sync_alarms::preview`).

use std::collections::BTreeMap;
use std::path::Path;

use comfy_table::{Table, presets};
use weir_aws::Settings;
use weir_control::installation::Installation;
use weir_control::sync_alarms::preview::{Preview, preview};
use weir_core::limits::prices::ALARM_METRIC_MONTH_USD;
use weir_core::units::StreamName;

use crate::faults::Failure;
use crate::live::{self, Who};
use crate::policies;

pub(crate) fn run(path: &Path, who: &Who) -> Result<(), Failure> {
    let policies = policies::read(path)?.set;
    // There need not be an installation yet, so there need not be a ledger: none is read.
    let named = |name: &str| std::env::var(name).ok();
    let ledger = |name: &str| (name == "WEIR_LEDGER_TABLE").then(|| "none".to_owned());
    let settings = Settings::read(|name| named(name).or_else(|| ledger(name)))?;
    let alarm_prefix = settings.alarm_prefix.clone();
    let installation = Installation { policies, alarm_prefix, place: None };
    let preview = live::with(who, settings, async |aws| Ok(preview(&aws, &installation).await?))?;
    println!("{}", Counted::of(&preview).text());
    Ok(())
}

/// A preview, counted.
#[derive(Debug, Default)]
struct Counted {
    /// Alarms, metrics of the stream's own, metrics of its consumers'.
    streams: BTreeMap<StreamName, (usize, usize, usize)>,
    write: usize,
    delete: usize,
    unread: Vec<String>,
}

impl Counted {
    fn of(preview: &Preview) -> Counted {
        let mut shown = Counted {
            write: preview.report.put.len(),
            delete: preview.report.deleted.len(),
            unread: preview.report.failed_calls.iter().map(ToString::to_string).collect(),
            ..Counted::default()
        };
        for spec in &preview.desired {
            let (alarms, own, consumers) = shown.streams.entry(spec.stream.clone()).or_default();
            *alarms += 1;
            let metrics = if spec.consumer.is_none() { own } else { consumers };
            *metrics += spec.billed_metrics();
        }
        shown
    }

    fn text(&self) -> String {
        let usd = |metrics: usize| format!("${:.2}", dollars(metrics));
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["stream", "alarms", "own, a month", "consumers', a month"]);
        for (stream, (alarms, own, consumers)) in &self.streams {
            table.add_row([stream.to_string(), alarms.to_string(), usd(*own), usd(*consumers)]);
        }
        let metrics: usize = self.streams.values().map(|(_, own, of)| own + of).sum();
        let mut lines = vec![
            table.to_string(),
            format!(
                "sync-alarms would write {} alarms and delete {}; all there should be cost {} a month \
                 (a metric ${ALARM_METRIC_MONTH_USD:.2}, us-east-1). Looks at a stream cost besides: \
                 docs/cost.md.",
                self.write,
                self.delete,
                usd(metrics)
            ),
        ];
        lines.extend(self.unread.iter().map(|call| format!("not known: {call}")));
        lines.join("\n")
    }
}

#[allow(clippy::cast_precision_loss)] // alarms
fn dollars(metrics: usize) -> f64 {
    metrics as f64 * ALARM_METRIC_MONTH_USD
}

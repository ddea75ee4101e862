//! What `weir estimate` says: the stream in a few lines and its bills in a table, or one JSON
//! object.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use weir_core::bill::{Bill, Choice, Estimate, Measured, Setup};
use weir_core::limits::prices::Prices;
use weir_core::observation::CapacityMode;

/// Everything there is to say.
pub(super) struct EstimateReport {
    pub(super) what: String,
    pub(super) prices: &'static Prices,
    pub(super) setup: Setup,
    pub(super) measured: Option<Measured>,
    pub(super) estimate: Estimate,
}

impl EstimateReport {
    pub(super) fn print_table(&self) {
        let mut facts = Table::new();
        facts.load_style(presets::NOTHING);
        for (name, fact) in self.facts() {
            facts.add_row([name.to_owned(), fact]);
        }
        println!("{}\n", facts.trim_fmt());
        println!("{}\n", self.bills());
        println!("Prices: {}.", self.prices.source);
        println!(
            "Advantage is a choice for all of an account's streams in the region. What traffic falls \
             short of its\ncommitment counts here as if this were the only one; where others fill it, \
             leave out its capacity."
        );
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let estimate = &self.estimate;
        let readers = self.setup.readers;
        let mut facts = vec![
            ("traffic", self.what.clone()),
            (
                "consumers",
                format!("{} polling, {} with enhanced fan-out", readers.polling, readers.fan_out),
            ),
            ("retention", format!("{} hours", self.setup.retention_hours)),
            (
                "shards",
                format!(
                    "{} at peak; {:.1} {}, in use by {:.1} %",
                    estimate.shards_at_peak,
                    estimate.shards_right_sized,
                    self.sized(),
                    100.0 * estimate.mean_use
                ),
            ),
            ("break-even", self.break_even()),
        ];
        if let Some(measured) = self.measured {
            let [provisioned, on_demand] = estimate.throttled;
            facts.push((
                "throttled",
                format!(
                    "{:.3} % by Weir, {:.3} % on demand; priced at ${:.2} and ${:.2} a month",
                    100.0 * measured.throttled,
                    100.0 * measured.throttled_on_demand,
                    provisioned.get(),
                    on_demand.get()
                ),
            ));
        }
        facts.push(("Weir chooses", self.choice().to_owned()));
        facts
    }

    fn sized(&self) -> &'static str {
        match self.measured {
            Some(_) => "sized by Weir",
            None => "right-sized",
        }
    }

    fn break_even(&self) -> String {
        match self.estimate.break_even_use {
            None => "on-demand Standard is never cheaper for so few shards".to_owned(),
            Some(share) if share >= 1.0 => "on-demand Standard is always cheaper".to_owned(),
            Some(share) => {
                format!("on-demand Standard is cheaper below {:.2} % use", 100.0 * share)
            }
        }
    }

    fn choice(&self) -> &'static str {
        match self.estimate.choice {
            Choice::Cheaper(CapacityMode::Provisioned) => "provisioned: it costs no more",
            Choice::Cheaper(CapacityMode::OnDemand) => "on-demand: it costs less",
            Choice::Only(CapacityMode::Provisioned) => {
                "provisioned: a stream on demand does not take so much"
            }
            Choice::Only(CapacityMode::OnDemand) => {
                "on-demand: a provisioned stream cannot have so many shards"
            }
            Choice::Neither => "neither: no stream takes so much, divide it among several",
        }
    }

    fn rows(&self) -> [(String, &'static str, &Bill); 4] {
        let estimate = &self.estimate;
        [
            (
                format!("provisioned, {}", self.sized()),
                "provisioned_right_sized",
                &estimate.right_sized,
            ),
            ("provisioned, at peak".to_owned(), "provisioned_at_peak", &estimate.at_peak),
            ("on-demand Standard".to_owned(), "on_demand_standard", &estimate.standard),
            ("on-demand Advantage".to_owned(), "on_demand_advantage", &estimate.advantage),
        ]
    }

    fn bills(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        let title = format!("{}, $ a month of 730 h", self.prices.region);
        let parts = ["capacity", "writes", "reads", "fan-out", "retention", "total"];
        table.set_header(std::iter::once(title.as_str()).chain(parts));
        for (name, _, bill) in self.rows() {
            let parts = bill.parts().into_iter().chain([bill.total()]);
            let cells = parts.map(|usd| format!("{:.2}", usd.get()));
            table.add_row(std::iter::once(name).chain(cells));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    pub(super) fn json(&self) -> Value {
        let estimate = &self.estimate;
        let round = |value: f64, digits: i32| {
            let scale = 10f64.powi(digits);
            (value * scale).round() / scale
        };
        let usd = |usd: weir_core::units::Usd| round(usd.get(), 2);
        let bill = |bill: &Bill| {
            json!({
                "capacity": usd(bill.capacity),
                "writes": usd(bill.writes),
                "reads": usd(bill.reads),
                "fan_out": usd(bill.fan_out),
                "retention": usd(bill.retention),
                "total": usd(bill.total()),
            })
        };
        let bills: serde_json::Map<String, Value> =
            self.rows().map(|(_, key, of)| (key.to_owned(), bill(of))).into_iter().collect();
        let [throttled, throttled_on_demand] = estimate.throttled;
        json!({
            "region": self.prices.region,
            "prices_as_of": self.prices.as_of,
            "shards_at_peak": estimate.shards_at_peak,
            "shards_right_sized": round(estimate.shards_right_sized, 2),
            "mean_use_pct": round(100.0 * estimate.mean_use, 3),
            "break_even_use_pct": estimate.break_even_use.map(|share| round(100.0 * share, 3)),
            "month_usd": bills,
            "throttled_usd": {
                "provisioned": usd(throttled), "on_demand": usd(throttled_on_demand),
            },
            "chosen_mode": estimate.choice.mode(),
            "because": self.choice(),
        })
    }
}

//! What is simulated and what it is judged by: the bench setting, and others one change away from
//! it.

use weir_sim::evenness::EvennessOverTime;
use weir_sim::settings::{MetricDelay, OnDemandModel, ReshardModel, Settings};

use crate::score::Pricing;

/// Minutes until a reshard is in force, and billed, in the bench setting.
pub const RESHARD_MINUTES: usize = 5;

/// What is simulated, and what it is judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// How evenly traffic comes, and so what a stream refuses of it, whoever sizes it.
    pub evenness: EvennessOverTime,
    /// Minutes from a call until it is in force and billed, a switch of mode included.
    pub reshard_minutes: usize,
    /// Minutes until a metric can be read. Weir alone is played with it.
    pub metric_delay_minutes: u32,
    /// What a run is judged by.
    pub pricing: Pricing,
}

impl Setting {
    /// The setting in which numbers compare.
    pub const BENCH: Setting = Setting {
        evenness: EvennessOverTime::EVEN,
        reshard_minutes: RESHARD_MINUTES,
        metric_delay_minutes: 0,
        pricing: Pricing::BENCH,
    };

    /// The simulator's settings for it.
    pub(crate) fn settings(&self) -> Settings {
        let metrics = match self.metric_delay_minutes {
            0 => MetricDelay::None,
            minutes => {
                let seconds = 60.0 * f64::from(minutes);
                MetricDelay::Around {
                    median_seconds: seconds,
                    p99_seconds: seconds,
                    most_seconds: seconds,
                    apart: 0.0,
                }
            }
        };
        let seconds = i64::try_from(60 * self.reshard_minutes).unwrap_or(i64::MAX);
        let on_demand =
            OnDemandModel { switch_seconds: seconds..=seconds, ..Settings::bench().on_demand };
        let reshard = ReshardModel::Fixed { seconds };
        let evenness = self.evenness.clone();
        Settings { evenness, reshard, on_demand, metrics, ..Settings::bench() }
    }
}

/// The name of the bench setting among the others.
pub const BENCH: &str = "bench";

/// Named settings that differ in pricing only. One run serves them all, but for the optimum, which
/// knows what it is judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct Variants {
    /// Each by its name.
    pub settings: Vec<(&'static str, Setting)>,
}

impl Variants {
    /// The bench setting alone, where traffic is that even.
    pub fn bench(evenness: &EvennessOverTime) -> Variants {
        let evenness = evenness.clone();
        Variants { settings: vec![(BENCH, Setting { evenness, ..Setting::BENCH })] }
    }

    /// The bench setting first, and then what might be otherwise, one change at a time.
    pub fn sensitivities(evenness: &EvennessOverTime) -> Vec<Variants> {
        let bench = || Setting { evenness: evenness.clone(), ..Setting::BENCH };
        let priced = |name, pricing| (name, Setting { pricing, ..bench() });
        let penalty = |factor| Pricing {
            throttled_gib_usd: factor * Pricing::BENCH.throttled_gib_usd,
            ..Pricing::BENCH
        };
        let alone = |name, setting| Variants { settings: vec![(name, setting)] };
        let reshard = |reshard_minutes| Setting { reshard_minutes, ..bench() };
        let delay = |metric_delay_minutes| Setting { metric_delay_minutes, ..bench() };
        let mut first = Variants::bench(evenness);
        first
            .settings
            .extend([priced("penalty x0.1", penalty(0.1)), priced("penalty x10", penalty(10.0))]);
        vec![
            first,
            alone("reshard 2 min", reshard(2)),
            alone("reshard 20 min", reshard(4 * RESHARD_MINUTES)),
            alone("metric delay 1 min", delay(1)),
            alone("metric delay 3 min", delay(3)),
        ]
    }
}

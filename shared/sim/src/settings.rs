//! Every knob of a simulated world. Not here: what the knobs do; that is said where each is used.

use weir_core::consumer::{ConsumerKind, ConsumerName};
use weir_core::policy::OperatingMode;
use weir_core::throttling::Evenness;

pub use weir_control::routing::Loop;

pub use crate::api::ApiSettings;
pub use crate::bus::BusSettings;
pub use crate::consumer::{ConsumerSettings, FailureKind, InjectedFailure};
pub use crate::evenness::EvennessOverTime;
pub use crate::faults::{CallTimes, Crash, CrashPoint, ExternalAction, ExternalChange, Faults};
pub use crate::metrics::MetricDelay;
pub use crate::stream::{OnDemandModel, ReshardModel};

/// How a world behaves. Everything random in it comes from `seed`.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where all chance comes from.
    pub seed: u64,
    /// The mode of every policy, whatever it says itself; `None` leaves each its own.
    pub mode: Option<OperatingMode>,
    /// How evenly traffic comes, and so what streams refuse of it.
    pub evenness: EvennessOverTime,
    /// How long reshards take.
    pub reshard: ReshardModel,
    /// How streams on demand behave.
    pub on_demand: OnDemandModel,
    /// How late metrics are.
    pub metrics: MetricDelay,
    /// What happens to events on their way.
    pub bus: BusSettings,
    /// How long calls take.
    pub calls: CallTimes,
    /// What calls cost of the account's quotas and of a function's time; `None` where they cost
    /// nothing.
    pub api: Option<ApiSettings>,
    /// What goes wrong.
    pub faults: Faults,
    /// What reads the streams.
    pub consumers: Vec<ConsumerSettings>,
    /// Whether raise-alerts is woken. It changes no stream, so a run that asks for sizes alone does
    /// without.
    pub alerts: bool,
    /// Shards the account may have.
    pub shard_quota: u32,
    /// The second of the minute at which alarms are judged.
    pub alarms_at_second: i64,
    /// One plan in so many is made a second time, to see that it is the same.
    pub replan_every: u64,
}

/// The busiest second of a minute over its mean, in the median of a recording of single seconds.
const BUSIEST_SECOND: f64 = 1.35;
/// Shards an account has by default in the largest regions.
const SHARD_QUOTA: u32 = 20_000;

impl Settings {
    /// The setting in which numbers compare: perfect bus, metrics at once, a reshard in force and
    /// billed exactly five minutes after the call, a switch of mode likewise, a stream on demand
    /// keeps the shards it came with, a tick each minute, every policy acting.
    pub fn bench() -> Settings {
        Settings {
            seed: 0,
            mode: Some(OperatingMode::Act),
            evenness: EvennessOverTime::EVEN,
            reshard: ReshardModel::Fixed { seconds: 300 },
            on_demand: OnDemandModel { switch_seconds: 300..=300, opens_shards: false },
            metrics: MetricDelay::None,
            bus: BusSettings::PERFECT,
            calls: CallTimes::NONE,
            api: None,
            faults: Faults::default(),
            consumers: Vec::new(),
            alerts: false,
            shard_quota: SHARD_QUOTA,
            alarms_at_second: 0,
            replan_every: 64,
        }
    }

    /// A fleet upon the account's quotas, each second of it: every call has its pace and its time,
    /// and functions have the room that is reserved for them. Nothing else hinders.
    pub fn fleet(seed: u64) -> Settings {
        Settings {
            seed,
            api: Some(ApiSettings::reserved()),
            reshard: ReshardModel::ByOperation {
                start_seconds: 9..=30,
                operation_seconds: 35.0,
                parallelism: 8,
                visible_after_seconds: 1..=30,
            },
            alarms_at_second: 5,
            ..Settings::bench()
        }
    }

    /// A world as AWS is on an ordinary day: late metrics, reshards that take their time, calls
    /// that take theirs, events that come twice or out of order, on demand AWS opens shards. The
    /// seconds of a minute are uneven. A function that keeps up reads every stream. Nothing fails.
    pub fn realistic(seed: u64) -> Settings {
        Settings {
            seed,
            evenness: Evenness::with_busiest_second(BUSIEST_SECOND).into(),
            reshard: ReshardModel::ByOperation {
                start_seconds: 9..=30,
                operation_seconds: 35.0,
                parallelism: 8,
                visible_after_seconds: 1..=30,
            },
            // About 10 s were seen on a tiny stream; nothing is known of larger ones.
            on_demand: OnDemandModel { switch_seconds: 10..=600, opens_shards: true },
            metrics: MetricDelay::Around {
                median_seconds: 50.0,
                p99_seconds: 180.0,
                most_seconds: 600.0,
                apart: 0.02,
            },
            bus: BusSettings {
                delay_seconds: 0..=2,
                late: 0.01,
                late_seconds: 30..=240,
                twice: 0.02,
                lost: 0.0,
            },
            calls: CallTimes { slow: 0.1, slow_seconds: 1..=4 },
            consumers: ConsumerName::new("billing")
                .map(|name| ConsumerSettings::healthy(name, ConsumerKind::Lambda))
                .into_iter()
                .collect(),
            alerts: true,
            alarms_at_second: 5,
            replan_every: 1,
            ..Settings::bench()
        }
    }
}

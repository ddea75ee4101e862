//! The bench: who competes, in which setting, and how each is played and judged. All play the same traces on
//! the same rules, so that their numbers compare.
//!
//! Here: one contender on one trace. What many of them come to is in `summary`, the whole
//! bill of a trace in `whole_bill`. Not here: reading traces,
//! threads, printing (`weir bench`).

mod summary;
mod whole_bill;

use weir_core::policy::{ModeSwitches, OperatingMode, Policy, PolicySet};
use weir_core::units::{Share, StreamName};

pub use summary::{Summary, UNDER_THROTTLED_PERCENT, is_forecastable};
pub use whole_bill::Standards;

use crate::baseline::{
    self, ApplicationAutoScaling, AwsSample, Epsagon, Rule, ScalingUtils, Substation, TargetUse,
    Thresholds,
};
use crate::optimum;
use crate::record::StreamRun;
use crate::score::{Pricing, Score, TooShort, score_by};
use crate::settings::{MetricDelay, OnDemandModel, ReshardModel, Settings, Unevenness};
use crate::simulation::Simulation;
use crate::trace::Trace;

/// What is simulated, and what it is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Minutes from a call until it is in force and billed, a switch of mode included.
    pub reshard_minutes: usize,
    /// Minutes until a metric can be read. Weir alone is played with it.
    pub metric_delay_minutes: u32,
    /// What a run is judged by.
    pub pricing: Pricing,
    /// How traffic lies over seconds and keys; none is even.
    pub evenness: Option<&'static Unevenness>,
}

impl Setting {
    /// The setting in which numbers compare.
    pub const BENCH: Setting = Setting {
        reshard_minutes: baseline::RESHARD_MINUTES,
        metric_delay_minutes: 0,
        pricing: Pricing::BENCH,
        evenness: None,
    };

    fn settings(&self) -> Settings {
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
        let evenness = self.evenness.cloned().unwrap_or_default();
        Settings { reshard, on_demand, metrics, evenness, ..Settings::bench() }
    }
}

/// Who competes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// Weir itself, with the policy that holds where nobody says anything, but that it may switch modes.
    Weir,
    /// Weir as it is where nobody says anything: it never switches modes.
    WeirProvisioned,
    /// `aws-samples/kinesis-auto-scaling`.
    AwsSample,
    /// `awslabs/amazon-kinesis-scaling-utils`.
    ScalingUtils,
    /// `aws-samples/aws-application-auto-scaling-kinesis`.
    ApplicationAutoScaling,
    /// `epsagon/kinesis-autoscaler`.
    Epsagon,
    /// `brexhq/substation`, its autoscale function.
    Substation,
    /// Double at 80 %, halve at 30 %.
    DoubleHalve,
    /// Use kept at 70 %.
    Target70,
    /// Use kept at 60 %.
    Target60,
    /// Sized for the highest minute.
    FixedAtPeak,
    /// On demand (Standard) all the time.
    OnDemand,
    /// The cheapest run there could have been.
    Optimum,
}

impl Contender {
    /// All of them.
    pub const ALL: [Contender; 13] = [
        Contender::Weir,
        Contender::WeirProvisioned,
        Contender::AwsSample,
        Contender::ScalingUtils,
        Contender::ApplicationAutoScaling,
        Contender::Epsagon,
        Contender::Substation,
        Contender::DoubleHalve,
        Contender::Target70,
        Contender::Target60,
        Contender::FixedAtPeak,
        Contender::OnDemand,
        Contender::Optimum,
    ];

    /// As it is called on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Contender::Weir => "weir",
            Contender::WeirProvisioned => "weir-provisioned",
            Contender::AwsSample => "aws-sample",
            Contender::ScalingUtils => "scaling-utils",
            Contender::ApplicationAutoScaling => "application-auto-scaling",
            Contender::Epsagon => "epsagon",
            Contender::Substation => "substation",
            Contender::DoubleHalve => "double-halve",
            Contender::Target70 => "target-70",
            Contender::Target60 => "target-60",
            Contender::FixedAtPeak => "fixed-at-peak",
            Contender::OnDemand => "on-demand",
            Contender::Optimum => "optimum",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Contender> {
        Contender::ALL.into_iter().find(|contender| contender.name() == name)
    }

    /// Plays a trace. `on_minutes` hears of minutes as they are done.
    pub fn play(
        self,
        trace: &Trace,
        setting: &Setting,
        mut on_minutes: impl FnMut(usize),
    ) -> StreamRun {
        let open = baseline::initial_shards(trace);
        let rule: &mut dyn Rule = match self {
            Contender::Weir => {
                return play_weir(trace, setting, ModeSwitches::Automatic, || on_minutes(1));
            }
            Contender::WeirProvisioned => {
                return play_weir(trace, setting, ModeSwitches::Never, || on_minutes(1));
            }
            Contender::AwsSample => &mut AwsSample::new(open),
            Contender::ScalingUtils => &mut ScalingUtils::default(),
            Contender::ApplicationAutoScaling => &mut ApplicationAutoScaling::default(),
            Contender::Epsagon => &mut Epsagon::new(open),
            Contender::Substation => &mut Substation::new(open),
            Contender::DoubleHalve => &mut Thresholds::default(),
            Contender::Target70 => &mut TargetUse::new(percent(70)),
            Contender::Target60 => &mut TargetUse::new(percent(60)),
            Contender::FixedAtPeak | Contender::OnDemand | Contender::Optimum => {
                on_minutes(trace.minutes.len());
                return match self {
                    Contender::FixedAtPeak => baseline::fixed_at_peak(trace, setting.evenness),
                    Contender::OnDemand => baseline::on_demand(trace),
                    _ => play_optimum(trace, setting),
                };
            }
        };
        let run = baseline::run_with(trace, rule, setting.reshard_minutes, setting.evenness);
        on_minutes(trace.minutes.len());
        run
    }

    /// Judges what it did.
    pub fn judge(self, run: &StreamRun, setting: &Setting) -> Result<Judged, TooShort> {
        Ok(Judged {
            contender: self,
            score: score_by(run, setting.pricing)?,
            refused: run.refused_calls.values().sum(),
            violations: run.violations.len(),
        })
    }
}

/// How a contender did on a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// Who.
    pub contender: Contender,
    /// Cost and loss.
    pub score: Score,
    /// Calls that broke a limit of the API, and so were refused.
    pub refused: u64,
    /// Laws of Weir's own that were broken; nobody else is under them.
    pub violations: usize,
}

fn play_weir(
    trace: &Trace,
    setting: &Setting,
    mode_switches: ModeSwitches,
    mut on_minute: impl FnMut(),
) -> StreamRun {
    let acting = Policy { mode: OperatingMode::Act, mode_switches, ..Policy::DEFAULT };
    let open = baseline::initial_shards(trace);
    let streams = match StreamName::new("bench") {
        Ok(name) => vec![(name, trace.clone(), open)],
        Err(_) => Vec::new(),
    };
    let policies = PolicySet::of_all_streams(acting);
    let runs = Simulation::new(setting.settings(), policies, streams).run(|_| on_minute());
    runs.into_iter().next().unwrap_or_else(|| baseline::blank_run(trace, open))
}

fn play_optimum(trace: &Trace, setting: &Setting) -> StreamRun {
    let best = optimum::optimum(trace, setting.pricing, setting.reshard_minutes, setting.evenness);
    optimum::replay(trace, &best, setting.reshard_minutes, setting.evenness)
}

/// A percentage this file states itself.
fn percent(percent: u32) -> Share {
    Share::percent(percent).unwrap_or(Share::WHOLE)
}

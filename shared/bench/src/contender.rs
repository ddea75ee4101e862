//! Who competes, and how each is played and judged. All play the same traces on the same rules, so
//! that their numbers compare.
//!
//! Here: one contender on one trace. Not here: in which setting (`setting`), many of them (`jobs`),
//! and what they come to (`summary`, `whole_bill`).

use weir_core::policy::{ModeSwitches, OperatingMode, Policy};
use weir_core::units::Share;
use weir_sim::record::StreamRun;
use weir_sim::trace::Trace;

use crate::baseline::{
    self, ApplicationAutoScaling, AwsSample, Epsagon, Rule, ScalingUtils, Substation, TargetUse,
    Thresholds,
};
use crate::optimum;
use crate::replay::replay;
use crate::score::{NotScored, Score, score_by};
use crate::setting::Setting;

/// Who competes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// Weir itself, with the policy that holds where nobody says anything, but that it may switch
    /// modes.
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
                    Contender::FixedAtPeak => baseline::fixed_at_peak(trace, setting),
                    Contender::OnDemand => baseline::on_demand(trace, setting),
                    _ => play_optimum(trace, setting),
                };
            }
        };
        let run = baseline::run(trace, rule, setting);
        on_minutes(trace.minutes.len());
        run
    }

    /// Judges what it did.
    ///
    /// # Errors
    /// Where the run is too short to be scored, or had no traffic.
    pub fn judge(self, run: &StreamRun, setting: &Setting) -> Result<Judged, NotScored> {
        Ok(Judged {
            contender: self,
            score: score_by(run, &setting.pricing)?,
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
    on_minute: impl FnMut(),
) -> StreamRun {
    let policy = Policy { operating_mode: OperatingMode::Act, mode_switches, ..Policy::DEFAULT };
    replay(trace, policy, setting.settings(), on_minute).run
}

fn play_optimum(trace: &Trace, setting: &Setting) -> StreamRun {
    optimum::replay(trace, &optimum::optimum(trace, setting), setting)
}

/// A percentage this file states itself.
fn percent(percent: u32) -> Share {
    Share::percent(percent).unwrap_or(Share::WHOLE)
}

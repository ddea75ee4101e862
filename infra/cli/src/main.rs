//! The `weir` command. Here: what can be asked of it, and the exit code. Each command has a file of
//! its own; what they share in showing things is in `chart`, `faults` and `progress`.
#![allow(clippy::print_stdout)] // a command speaks

mod actions;
#[cfg(feature = "aws")]
mod against_aws;
mod backtest;
mod bench;
mod chart;
mod check;
mod demo;
mod estimate;
mod faults;
mod html;
mod import;
#[cfg(any(feature = "aws", test))]
mod incidents;
#[cfg(feature = "aws")]
mod live;
#[cfg(feature = "aws")]
mod next_step;
#[cfg(feature = "aws")]
mod pause;
#[cfg(feature = "aws")]
mod plan;
mod played;
mod policies;
mod progress;
#[cfg(feature = "aws")]
mod record;
mod recordings;
#[cfg(feature = "aws")]
mod test_alert;
mod timeline;
#[cfg(feature = "aws")]
mod uninstall;

use std::any::Any;
use std::panic;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand, ValueEnum};
use weir_bench::contender::Contender;

#[cfg(not(feature = "aws"))]
const WITHOUT_AWS: &str = "\
`record`, `plan`, `incidents`, `test-alert`, `pause`, `resume` and `uninstall` ask AWS. This weir was built without that:
  cargo install --path infra/cli";

/// Generated from the policy language, and held to it by the house tests.
const POLICY_SCHEMA: &str = include_str!("../../../docs/policy.schema.json");

/// Keeps Amazon Kinesis data streams at the right size, and says why.
#[derive(Parser)]
#[command(name = "weir", version, about, arg_required_else_help = true)]
#[cfg_attr(not(feature = "aws"), command(after_help = WITHOUT_AWS))]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watch Weir guard a stream through a made-up week with a flash crowd, on a simulated AWS.
    Demo {
        /// Where the traffic and all chance come from.
        #[arg(long, default_value_t = 7)]
        seed: u64,
        /// How evenly traffic comes (JSON); without it, the busiest second of a minute brings 1.35
        /// times its mean.
        #[arg(long, value_name = "FILE")]
        evenness: Option<PathBuf>,
    },
    /// Read policy files and report every fault in them.
    Check {
        /// Policy files, or folders of them.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Say which entry holds for this stream.
        #[arg(long = "for", value_name = "STREAM")]
        stream: Option<String>,
        /// Fail where an entry can never hold, too.
        #[arg(long)]
        strict: bool,
        /// Look at the account and region, too: which alarms they would lead to, and what those
        /// cost a month. Nothing is written.
        #[cfg(feature = "aws")]
        #[arg(long)]
        against_aws: bool,
        #[cfg(feature = "aws")]
        #[command(flatten)]
        who: live::Who,
    },
    /// Print the JSON Schema of policy files, for editors.
    Schema,
    /// Make recordings of what CloudWatch exported: JSON of the AWS CLI, or the console's CSV.
    Import(import::ImportQuestion),
    /// Replay recorded traffic and see what Weir would have done and what it would have cost.
    Backtest(backtest::BacktestQuestion),
    /// Say how many shards some traffic needs, what a month costs in each mode, and which mode to
    /// choose.
    Estimate(estimate::Question),
    /// Compare Weir with what else there is, and with the best there could have been, on recorded
    /// traffic.
    Bench {
        /// Folder of recordings (*.csv); a .json beside one may name its class as "cls".
        #[arg(long)]
        traces: PathBuf,
        /// Whom to compare; without it, all. May be given several times.
        #[arg(long = "policy", value_name = "NAME", num_args = 1..,
              value_parser = PossibleValuesParser::new(Contender::ALL.map(Contender::name)))]
        policies: Vec<String>,
        /// How evenly traffic comes (JSON): all is played in each of these worlds. Without it,
        /// evenly.
        #[arg(long, value_name = "FILE", num_args = 1..)]
        evenness: Vec<PathBuf>,
        /// Write every action to a CSV in this folder, named by trace and policy.
        #[arg(long)]
        actions_dir: Option<PathBuf>,
        /// How to print the results.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        /// See also what becomes of Weir where reshards, metrics, bursts or penalties are
        /// otherwise.
        #[arg(long)]
        sensitivities: bool,
    },
    /// Record what CloudWatch has of streams, for backtests. It changes nothing in the account.
    #[cfg(feature = "aws")]
    Record(record::RecordQuestion),
    /// Say what Weir would do now with streams as they are, and why. It changes nothing.
    #[cfg(feature = "aws")]
    Plan(plan::PlanQuestion),
    /// List which consumers, and what of Weir itself, fail now or failed of late, and who was told.
    #[cfg(feature = "aws")]
    Incidents {
        /// How far back to look for those that are over. Of each consumer the newest is known.
        #[arg(long, default_value_t = 7)]
        days: u16,
        /// How to print them.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        #[command(flatten)]
        who: live::Who,
    },
    /// Send a message that is marked as a test, and its end, to see who gets it.
    #[cfg(feature = "aws")]
    TestAlert {
        /// Whom to send it to.
        #[arg(long, value_enum)]
        to: test_alert::Audience,
        #[command(flatten)]
        who: live::Who,
    },
    /// Leave one stream alone: plans are made and nothing is changed, from now on.
    #[cfg(feature = "aws")]
    Pause(pause::PauseQuestion),
    /// End a pause.
    #[cfg(feature = "aws")]
    Resume {
        /// The stream, by name.
        stream: String,
        #[command(flatten)]
        who: live::Who,
    },
    /// Delete the alarms Weir made, once its stack is gone, and say what is left of it.
    #[cfg(feature = "aws")]
    Uninstall {
        #[command(flatten)]
        who: live::Who,
    },
}

/// How a result is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs: JSON, one object a line.
    Json,
}

/// The code of a program that was ended by a closed pipe: 128 and the signal's number.
const CLOSED_PIPE: u8 = 141;

/// Whoever reads what is printed may stop reading: `weir demo | head` is no failure of Weir's.
fn main() -> ExitCode {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !is_closed_pipe(panic.payload()) {
            usual(panic);
        }
    }));
    match panic::catch_unwind(run) {
        Ok(code) => code,
        Err(panic) if is_closed_pipe(panic.as_ref()) => ExitCode::from(CLOSED_PIPE),
        Err(panic) => panic::resume_unwind(panic),
    }
}

/// Whether printing ended as nobody reads any more. The library says so in words alone.
fn is_closed_pipe(panic: &(dyn Any + Send)) -> bool {
    let said = panic.downcast_ref::<String>().map_or("", String::as_str);
    said.starts_with("failed printing to stdout") && said.contains("Broken pipe")
}

fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo { seed, evenness } => demo::run(seed, evenness.as_deref()),
        #[cfg(not(feature = "aws"))]
        Command::Check { paths, stream, strict } => check::run(&paths, stream.as_deref(), strict),
        #[cfg(feature = "aws")]
        Command::Check { paths, stream, strict, against_aws, who } => {
            check::run(&paths, stream.as_deref(), strict).and_then(|()| {
                let asked = paths.iter().filter(|_| against_aws);
                asked.map(PathBuf::as_path).try_for_each(|path| against_aws::run(path, &who))
            })
        }
        Command::Schema => {
            print!("{POLICY_SCHEMA}");
            Ok(())
        }
        Command::Import(question) => import::run(&question),
        #[cfg(feature = "aws")]
        Command::Record(question) => record::run(&question),
        #[cfg(feature = "aws")]
        Command::Plan(question) => plan::run(&question),
        Command::Backtest(question) => backtest::run(&question),
        Command::Estimate(question) => estimate::run(&question),
        Command::Bench { traces, policies, evenness, actions_dir, format, sensitivities } => {
            bench::run(&bench::BenchOrder {
                traces: &traces,
                policies: &policies,
                evenness: &evenness,
                actions_dir: actions_dir.as_deref(),
                format,
                sensitivities,
            })
        }
        #[cfg(feature = "aws")]
        Command::Incidents { days, format, who } => incidents::run(days, format, &who),
        #[cfg(feature = "aws")]
        Command::TestAlert { to, who } => test_alert::run(to, &who),
        #[cfg(feature = "aws")]
        Command::Pause(question) => pause::pause(&question),
        #[cfg(feature = "aws")]
        Command::Resume { stream, who } => pause::resume(&stream, &who),
        #[cfg(feature = "aws")]
        Command::Uninstall { who } => uninstall::run(&who),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            faults::tell(&failure);
            ExitCode::FAILURE
        }
    }
}

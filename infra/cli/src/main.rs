//! The `weir` command. Here: what can be asked of it, and the exit code. Each command has a file of its
//! own; what they share in showing things is in `chart`, `faults` and `progress`.
#![allow(clippy::print_stdout)] // a command speaks

mod actions;
mod backtest;
mod chart;
mod check;
mod demo;
mod faults;
mod policies;
mod progress;
mod timeline;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Keeps Amazon Kinesis data streams at the right size, and says why.
#[derive(Parser)]
#[command(name = "weir", version, about, arg_required_else_help = true)]
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
    },
    /// Read policy files and report every fault in them.
    Check {
        /// Policy files, or folders of them.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Replay recorded traffic and see what Weir would have done and what it would have cost.
    Backtest {
        /// CSV with the columns timestamp, incoming_bytes, incoming_records.
        #[arg(long)]
        trace: PathBuf,
        /// Policy file, or folder of them; the stream is named as the trace. Without it, the defaults.
        #[arg(long)]
        policies: Option<PathBuf>,
        /// Write every action to this CSV.
        #[arg(long)]
        actions: Option<PathBuf>,
        /// How to print the result.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

/// How a result is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs: one JSON object.
    Json,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo { seed } => demo::run(seed),
        Command::Check { paths } => check::run(&paths),
        Command::Backtest { trace, policies, actions, format } => {
            backtest::run(&trace, policies.as_deref(), actions.as_deref(), format)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            faults::tell(&failure);
            ExitCode::FAILURE
        }
    }
}

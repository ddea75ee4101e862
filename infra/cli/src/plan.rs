//! `weir plan`: what Weir would do now with streams as they are, and why; under other policies too.
//!
//! Here: what is asked, and how it is shown. Not here: planning
//! (`weir_control::plan_capacity::preview`), and the words of a plan (`weir_core::plan`).

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use weir_aws::Aws;
use weir_control::plan_capacity::PlanReport;
use weir_control::plan_capacity::preview::{Memory, preview};
use weir_core::plan::Plan;
use weir_core::policy::{Policy, PolicySet};
use weir_core::units::StreamName;

use crate::faults::{Failure, tell_plainly};
use crate::{Format, live, policies};

/// What is asked.
#[derive(Args)]
pub(crate) struct PlanQuestion {
    /// Streams, by name.
    #[arg(required_unless_present = "all", value_name = "STREAM")]
    streams: Vec<String>,
    /// Every stream that the policies name.
    #[arg(long, conflicts_with = "streams")]
    all: bool,
    /// Policy file, or folder of them. Without it, the defaults for every stream.
    #[arg(long, value_name = "FILE")]
    policies: Option<PathBuf>,
    /// Other policies, to see what they would change.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// How to print the plans.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    who: live::Who,
}

pub(crate) fn run(question: &PlanQuestion) -> Result<(), Failure> {
    let streams: Vec<StreamName> =
        question.streams.iter().map(|name| StreamName::new(name)).collect::<Result<_, _>>()?;
    let set = match &question.policies {
        Some(path) => policies::read(path)?.set,
        None => PolicySet::of_all_streams(Policy::DEFAULT),
    };
    let others = question.against.as_ref().map(|path| policies::read(path)).transpose()?;
    live::with_or_without_installation(&question.who, async |aws, memory| {
        let plans = report(&aws, memory, &set, &streams).await?;
        let against = match &others {
            Some(others) => Some(report(&aws, memory, &others.set, &streams).await?),
            None => None,
        };
        if memory == Memory::Nothing && question.format == Format::Table {
            println!(
                "WEIR_LEDGER_TABLE is not set: each stream is planned as one that Weir sees for the \
                 first time.\n"
            );
        }
        for (_, plan) in &plans.plans {
            let other = against.iter().flat_map(|report| &report.plans);
            let other = other.map(|(_, plan)| plan).find(|other| other.stream == plan.stream);
            match question.format {
                Format::Json => println!("{}", json_of(plan, other)),
                Format::Table => println!("{}", lines(plan, other).join("\n")),
            }
        }
        told_skipped(&plans, against.as_ref())
    })
}

async fn report(
    aws: &Aws,
    memory: Memory,
    policies: &PolicySet,
    streams: &[StreamName],
) -> Result<PlanReport, Failure> {
    if streams.is_empty() {
        return Ok(preview(aws, memory, policies, None).await?);
    }
    let mut all = PlanReport::default();
    for stream in streams {
        let one = preview(aws, memory, policies, Some(stream)).await?;
        all.plans.extend(one.plans);
        all.skipped.extend(one.skipped);
        all.failed_calls.extend(one.failed_calls);
    }
    Ok(all)
}

/// Streams without a plan, and calls that failed besides.
fn told_skipped(plans: &PlanReport, against: Option<&PlanReport>) -> Result<(), Failure> {
    let reports = || std::iter::once(plans).chain(against);
    let mut missed = 0;
    for skipped in reports().flat_map(|report| &report.skipped) {
        missed += 1;
        let (stream, reason) = (&skipped.stream, skipped.reason);
        tell_plainly(&format!("{stream}: {reason}: {}", reason.meaning()));
        if let Some(error) = &skipped.error {
            tell_plainly(error);
        }
    }
    for error in reports().flat_map(|report| &report.failed_calls) {
        tell_plainly(error);
    }
    match missed {
        0 => Ok(()),
        missed => Err(Failure::NotPlanned(missed)),
    }
}

/// A plan in the words that its stored form has; what another policy would change is marked.
fn lines(plan: &Plan, other: Option<&Plan>) -> Vec<String> {
    let own = plan.explain();
    let Some(other) = other else {
        let lines = own.into_iter().map(|line| format!("  {line}"));
        return std::iter::once(format!("{}:", plan.stream)).chain(lines).collect();
    };
    let others = other.explain();
    let mut lines = vec![format!("{}:", plan.stream)];
    lines.extend(own.iter().map(|line| match others.contains(line) {
        true => format!("  {line}"),
        false => format!("- {line}"),
    }));
    lines.extend(others.iter().filter(|line| !own.contains(line)).map(|line| format!("+ {line}")));
    lines
}

fn json_of(plan: &Plan, other: Option<&Plan>) -> serde_json::Value {
    let of = |plan: &Plan| {
        json!({
            "open": plan.open.get(),
            "wanted": plan.wanted().get(),
            "allowed": plan.allowed().get(),
            "action": plan.action.to_string(),
            "explanation": plan.explain(),
        })
    };
    json!({ "stream": plan.stream, "plan": of(plan), "against": other.map(of) })
}

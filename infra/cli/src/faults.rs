//! What goes wrong, told so that it can be mended: faults drawn under the line they are in.

use std::io::IsTerminal;
use std::path::PathBuf;

use codespan_reporting::diagnostic::{Diagnostic, Label};
use codespan_reporting::files::SimpleFile;
use codespan_reporting::term::{self, termcolor};
use thiserror::Error;
use weir_core::policy::Fault;

#[cfg(feature = "aws")]
use crate::next_step;

/// A command that could not do what it was asked.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("{path} cannot be written")]
    Unwritable { path: PathBuf, source: std::io::Error },
    #[error("{path} is there already; write it anew with --force, or elsewhere with --out FOLDER")]
    AlreadyThere { path: PathBuf },
    #[error("{zone:?} is no time zone; name one like Europe/Berlin")]
    TimeZone { zone: String, source: jiff::Error },
    #[error("the export is of {found}, not of {asked}; leave --stream out, or name one of them")]
    OtherStream { asked: String, found: String },
    #[error("entries that can never hold: {0}")]
    Hidden(usize),
    #[error("{0} in the policies")]
    Policies(FaultCount),
    #[error("no policy names a stream {stream:?}, which is the name of the trace")]
    Ungoverned { stream: String },
    #[error("the prices of {region:?} are not known; known are those of {known}")]
    NoPrices { region: String, known: String },
    #[error(
        "the traffic is not said: give two of --mib-per-second, --records-per-second and \
         --record-bytes, or a recording with --trace"
    )]
    NoTraffic,
    #[error(transparent)]
    Recording(#[from] weir_bench::recording::RecordingError),
    #[error(transparent)]
    Name(#[from] weir_core::units::NotAStreamName),
    #[error("{trace}: {why}")]
    NotScored { trace: String, why: weir_bench::score::NotScored },
    #[error(transparent)]
    Score(#[from] weir_bench::score::NotScored),
    #[error("the result cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Settings(#[from] weir_aws::SettingFaults),
    #[cfg(feature = "aws")]
    #[error(
        "nobody is said to be told: set WEIR_NOTICES_TOPIC and WEIR_PAGES_TOPIC to the ARNs of the \
         stack's topics, which are among its outputs"
    )]
    NoTopics,
    #[cfg(feature = "aws")]
    #[error(
        "Weir is still deployed: the alarm {alarm} of its stack is there. Delete the stack first, or \
         its functions would make the alarms anew"
    )]
    StillDeployed { alarm: String },
    #[cfg(feature = "aws")]
    #[error(
        "CloudWatch has no traffic of {streams} in {region} in the last {days} days: are name, \
         region and account right (aws kinesis list-streams), and did anybody write?"
    )]
    NoHistory { streams: String, region: String, days: u16 },
    #[cfg(feature = "aws")]
    #[error("{0} of the streams could not be planned for; the reasons stand above")]
    NotPlanned(usize),
    #[cfg(feature = "aws")]
    #[error(
        "{region} has no stream {stream:?}: nothing was changed. aws kinesis list-streams names those there are"
    )]
    NoSuchStream { stream: String, region: String, source: weir_control::ports::PortError },
    #[cfg(feature = "aws")]
    #[error(
        "{place} is paused already: {held}. Nothing was changed; --replace puts yours in its place"
    )]
    PausedAlready { place: String, held: String },
    #[cfg(feature = "aws")]
    #[error("this machine lets nothing run")]
    Runtime(#[source] std::io::Error),
    #[cfg(feature = "aws")]
    #[error(transparent)]
    Aws(#[from] weir_control::ports::PortError),
    #[error("a law was broken {0} times: this is a fault of Weir's, please report it")]
    LawBroken(usize),
}

/// How many faults, in words.
#[derive(Debug)]
pub(crate) struct FaultCount(pub(crate) usize);

impl std::fmt::Display for FaultCount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} fault{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}

/// Tells a failure with everything below it.
#[allow(clippy::print_stderr)]
pub(crate) fn tell(failure: &Failure) {
    let mut told = failure.to_string();
    eprintln!("error: {told}");
    let mut below = std::error::Error::source(failure);
    while let Some(cause) = below {
        let said = cause.to_string();
        // Many a cause says what was said above it.
        if !told.contains(&said) {
            eprintln!("  because: {said}");
            told.push_str(&said);
        }
        below = cause.source();
    }
    #[cfg(feature = "aws")]
    if let Failure::Aws(error) = failure
        && let Some(step) = next_step::of(error)
    {
        eprintln!("  next: {step}");
    }
}

/// Draws the faults of one policy file to standard error.
pub(crate) fn draw(file: &str, text: &str, faults: &[&Fault]) {
    let source = SimpleFile::new(file, text);
    let seen = std::io::stderr().is_terminal();
    let colours = if seen { termcolor::ColorChoice::Auto } else { termcolor::ColorChoice::Never };
    let stream = termcolor::StandardStream::stderr(colours);
    for fault in faults {
        let diagnostic = Diagnostic::error()
            .with_message(&fault.message)
            .with_labels(vec![Label::primary((), fault.span.clone()).with_message(&fault.fix)]);
        let drawn = term::emit_to_write_style(
            &mut stream.lock(),
            &term::Config::default(),
            &source,
            &diagnostic,
        );
        if drawn.is_err() {
            // A closed pipe must not hide the fault.
            tell_plainly(fault);
        }
    }
}

/// What is no fault, and hardly meant.
#[allow(clippy::print_stderr)]
pub(crate) fn warn(said: &dyn std::fmt::Display) {
    eprintln!("warning: {said}");
}

#[allow(clippy::print_stderr)]
pub(crate) fn tell_plainly(fault: &dyn std::fmt::Display) {
    eprintln!("error: {fault}");
}

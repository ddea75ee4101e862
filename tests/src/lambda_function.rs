//! A Weir function as Lambda would run it: a child process behind a local Runtime API.
//!
//! Here: starting, invoking, crashing, reading the log. Not here: the Runtime API itself
//! (`runtime_api`) and where the binary comes from (`binaries`).

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use crate::process::{Line, Stream};

use crate::binaries::bootstrap_binary;
use crate::failure::{Failure, Result};
use crate::process::{Output, Supervised};
use crate::runtime_api::{Report, ReportedError, RuntimeApi};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Why an invocation has no answer.
#[derive(Clone, Debug)]
pub enum FunctionError {
    /// The function reported an error.
    Reported {
        /// As in Lambda's `errorType`.
        error_type: String,
        /// As in Lambda's `errorMessage`.
        message: String,
    },
    /// The function reported that it could not start.
    FailedToStart {
        /// As in Lambda's `errorMessage`.
        message: String,
    },
    /// The process was gone before it answered.
    Crashed {
        /// Its exit status; 128 and the signal's number after a signal.
        status: i32,
        /// What it wrote last.
        last_lines: String,
    },
    /// It had not answered when its time was up, and was ended.
    TimedOut {
        /// The time it had.
        limit: Duration,
        /// What it wrote last.
        last_lines: String,
    },
    /// The harness could not run it.
    NotRun(Failure),
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported { error_type, message } => write!(f, "{error_type}: {message}"),
            Self::FailedToStart { message } => write!(f, "could not start: {message}"),
            Self::Crashed { status, last_lines } => {
                write!(f, "ended with status {status}; it said:\n{last_lines}")
            }
            Self::TimedOut { limit, last_lines } => {
                write!(f, "no answer within {limit:?}; it said:\n{last_lines}")
            }
            Self::NotRun(failure) => write!(f, "{failure}"),
        }
    }
}

impl std::error::Error for FunctionError {}

impl From<ReportedError> for FunctionError {
    fn from(error: ReportedError) -> Self {
        Self::Reported { error_type: error.error_type, message: error.message }
    }
}

impl From<FunctionError> for Failure {
    fn from(error: FunctionError) -> Self {
        Self::new(format!("the function failed: {error}"))
    }
}

/// Which function, and in what surroundings.
#[derive(Clone)]
pub struct FunctionSpec {
    handler: String,
    account: String,
    region: String,
    environment: Vec<(String, OsString)>,
    program: Option<(PathBuf, Vec<OsString>)>,
    timeout: Duration,
}

impl FunctionSpec {
    /// A function of the bootstrap binary, by its handler.
    #[must_use]
    pub fn of_handler(handler: &str, account: &str, region: &str) -> Self {
        Self {
            handler: handler.into(),
            account: account.into(),
            region: region.into(),
            environment: Vec::new(),
            program: None,
            timeout: DEFAULT_TIMEOUT,
        }
    }

    /// Adds an environment variable, or changes it.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The function's timeout, 30 seconds otherwise.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs another program in the binary's place.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        self.program = Some((program.into(), arguments.iter().map(OsString::from).collect()));
        self
    }

    /// Makes the binary ready; the first invocation starts it.
    pub fn deploy(self) -> Result<LambdaFunction> {
        let (program, arguments) = match self.program.clone() {
            Some(program) => program,
            None => (bootstrap_binary()?, Vec::new()),
        };
        Ok(LambdaFunction {
            spec: self,
            program,
            arguments,
            output: Output::default(),
            sandbox: Mutex::new(None),
        })
    }

    fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", self.region, self.account, self.handler)
    }

    fn full_environment(&self, runtime_api: &str) -> Vec<(String, OsString)> {
        let lambda = [
            ("_HANDLER", self.handler.as_str()),
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_LAMBDA_FUNCTION_NAME", &self.handler),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{}", self.handler)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "local"),
            // So that the proxy can tell who calls.
            ("AWS_EXECUTION_ENV", &self.handler),
            ("AWS_REGION", &self.region),
            ("AWS_DEFAULT_REGION", &self.region),
            // The emulators take a 12-digit key for the account.
            ("AWS_ACCESS_KEY_ID", &self.account),
            ("AWS_SECRET_ACCESS_KEY", "not-a-secret"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("RUST_BACKTRACE", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.into()));
        lambda.into_iter().chain(self.environment.iter().cloned()).collect()
    }
}

/// A deployed function. One sandbox at a time, as with a reserved concurrency of one.
pub struct LambdaFunction {
    spec: FunctionSpec,
    program: PathBuf,
    arguments: Vec<OsString>,
    output: Output,
    sandbox: Mutex<Option<Arc<Sandbox>>>,
}

struct Sandbox {
    api: RuntimeApi,
    process: Mutex<Supervised>,
}

impl LambdaFunction {
    /// Invokes the function and waits for its answer.
    pub fn invoke(&self, event: Value) -> std::result::Result<Value, FunctionError> {
        self.invoke_later(event).and_then(Invocation::wait)
    }

    /// Invokes the function and goes on; the answer is waited for on the `Invocation`.
    pub fn invoke_later(&self, event: Value) -> std::result::Result<Invocation<'_>, FunctionError> {
        let sandbox = self.running_sandbox().map_err(FunctionError::NotRun)?;
        let report = sandbox.api.submit(event, self.spec.timeout);
        Ok(Invocation { function: self, sandbox, report, begun: Instant::now() })
    }

    /// Kills the sandbox in whatever it is doing. The next invocation gets a new one.
    pub fn crash(&self) {
        if let Some(sandbox) = self.lock().take() {
            sandbox.process().kill();
        }
    }

    /// Every line the function wrote so far, of all its sandboxes.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.output.lines()
    }

    /// The lines that are JSON objects: the structured log.
    #[must_use]
    pub fn log(&self) -> Vec<Value> {
        let lines = self.lines();
        let parsed = lines.iter().filter_map(|line| serde_json::from_str(&line.text).ok());
        parsed.filter(Value::is_object).collect()
    }

    fn running_sandbox(&self) -> Result<Arc<Sandbox>> {
        let mut current = self.lock();
        if let Some(sandbox) = &*current
            && sandbox.process().ended().is_none()
        {
            return Ok(Arc::clone(sandbox));
        }
        let api = RuntimeApi::start(&self.spec.arn())?;
        let environment = self.spec.full_environment(api.host_and_port());
        let process =
            Supervised::start(&self.program, &self.arguments, &environment, &self.output)?;
        let sandbox = Arc::new(Sandbox { api, process: Mutex::new(process) });
        *current = Some(Arc::clone(&sandbox));
        Ok(sandbox)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Sandbox>>> {
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sandbox {
    fn process(&self) -> MutexGuard<'_, Supervised> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An invocation under way.
pub struct Invocation<'a> {
    function: &'a LambdaFunction,
    sandbox: Arc<Sandbox>,
    report: Receiver<Report>,
    begun: Instant,
}

impl Invocation<'_> {
    /// Waits for the answer, at most for the function's timeout.
    pub fn wait(self) -> std::result::Result<Value, FunctionError> {
        let limit = self.function.spec.timeout;
        loop {
            // Looked at before the report: a function may report and end at once.
            let ended = self.sandbox.process().ended();
            if let Ok(report) = self.report.recv_timeout(BETWEEN_LOOKS) {
                return report.map_err(FunctionError::from);
            }
            let last_lines = || self.function.output.last_lines(30);
            if let Some(error) = self.sandbox.api.failed_start() {
                return Err(FunctionError::FailedToStart { message: error.message });
            }
            if let Some(status) = ended {
                return Err(FunctionError::Crashed { status, last_lines: last_lines() });
            }
            if self.begun.elapsed() >= limit {
                self.function.crash();
                return Err(FunctionError::TimedOut { limit, last_lines: last_lines() });
            }
        }
    }
}

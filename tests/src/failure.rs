//! What can go wrong in the harness, as one sentence for whoever reads the test's output.
//!
//! Here: `Failure` and the `AwsError` it may carry. Not here: how a Weir function fails
//! (`lambda_function::FunctionError`).

use std::fmt;

/// The harness's result.
pub type Result<T> = std::result::Result<T, Failure>;

/// An error as an AWS service words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// The error's code, without a namespace: `LimitExceededException`.
    pub code: String,
    /// The text that comes with it.
    pub message: String,
    /// The HTTP status of the answer.
    pub status: u16,
}

impl AwsError {
    /// A client's fault: HTTP 400, as most refusals are.
    #[must_use]
    pub fn refusal(code: &str, message: &str) -> Self {
        Self { code: code.into(), message: message.into(), status: 400 }
    }

    /// The service's fault: HTTP 500.
    #[must_use]
    pub fn internal(code: &str, message: &str) -> Self {
        Self { code: code.into(), message: message.into(), status: 500 }
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (HTTP {}): {}", self.code, self.status, self.message)
    }
}

/// Why a step of a test could not be done.
#[derive(Clone)]
pub struct Failure {
    text: String,
    aws_error: Option<AwsError>,
}

impl Failure {
    /// A failure in words.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), aws_error: None }
    }

    /// A call that AWS (an emulator, or the proxy in its stead) refused.
    pub(crate) fn refused(call: &str, error: AwsError) -> Self {
        Self { text: format!("{call}: {error}"), aws_error: Some(error) }
    }

    /// The same failure, with what was being attempted in front.
    #[must_use]
    pub fn while_trying(mut self, attempt: &str) -> Self {
        self.text = format!("{attempt}: {}", self.text);
        self
    }

    /// The AWS error behind this failure, if it was one.
    #[must_use]
    pub fn aws_error(&self) -> Option<&AwsError> {
        self.aws_error.as_ref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

// A test that returns `Err` prints it with `Debug`: the sentence must stay readable.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

/// Turns any error into a `Failure` that says what was being attempted.
pub(crate) trait Context<T> {
    fn context(self, attempt: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, attempt: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure::new(format!("{}: {error}", attempt())))
    }
}

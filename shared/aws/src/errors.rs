//! What a failed call means: one table for every service.
//!
//! Two questions decide. Did the service answer? Then its error code says what it meant. If it did
//! not, can the call have taken effect? A change whose answer is lost may have; a read never has.
//! Not here: what follows from a failure (`weir_control`).

use std::error::Error;

use aws_sdk_kinesis::config::http::HttpResponse;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use weir_control::ports::{Failure, PortError};

/// Codes that mean the same wherever they come from. Throttling by calls per second and by the
/// day's limit share their codes, so both are [`Failure::Limit`].
const BY_CODE: &[(&str, Failure)] = &[
    ("LimitExceededException", Failure::Limit),
    ("LimitExceededFault", Failure::Limit),
    ("LimitExceeded", Failure::Limit),
    ("Throttling", Failure::Limit),
    ("ThrottlingException", Failure::Limit),
    ("ThrottledException", Failure::Limit),
    ("RequestThrottled", Failure::Limit),
    ("RequestThrottledException", Failure::Limit),
    ("RequestLimitExceeded", Failure::Limit),
    ("TooManyRequestsException", Failure::Limit),
    ("Throttled", Failure::Limit),
    ("KMSThrottling", Failure::Limit),
    ("ProvisionedThroughputExceededException", Failure::Limit),
    ("ResourceInUseException", Failure::Busy),
    ("ConcurrentModificationException", Failure::Busy),
    ("TransactionConflictException", Failure::Busy),
    ("TransactionInProgressException", Failure::Busy),
    ("ResourceNotFoundException", Failure::Missing),
    ("ResourceNotFound", Failure::Missing),
    ("NotFound", Failure::Missing),
    ("InvalidArgumentException", Failure::Invalid),
    ("InvalidParameter", Failure::Invalid),
    ("InvalidParameterValue", Failure::Invalid),
    ("InvalidParameterValueException", Failure::Invalid),
    ("AuthorizationError", Failure::Denied),
    ("ExpiredToken", Failure::Denied),
    ("ExpiredTokenException", Failure::Denied),
    ("InvalidClientTokenId", Failure::Denied),
    ("InvalidSignatureException", Failure::Denied),
    ("KMSAccessDenied", Failure::Denied),
    ("KMSDisabled", Failure::Denied),
    ("KMSInvalidState", Failure::Denied),
    ("KMSNotFound", Failure::Denied),
    ("KMSOptInRequired", Failure::Denied),
    ("MissingAuthenticationToken", Failure::Denied),
    ("MissingAuthenticationTokenException", Failure::Denied),
    ("NotAuthorizedForSourceException", Failure::Denied),
    ("OptInRequired", Failure::Denied),
    ("SignatureDoesNotMatch", Failure::Denied),
    ("UnauthorizedOperation", Failure::Denied),
    ("UnrecognizedClientException", Failure::Denied),
];

/// One operation of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    name: &'static str,
    changes: bool,
}

impl Call {
    /// One that changes nothing.
    pub(crate) const fn read(name: &'static str) -> Call {
        Call { name, changes: false }
    }

    /// One that changes something.
    pub(crate) const fn change(name: &'static str) -> Call {
        Call { name, changes: true }
    }

    /// The SDK's error in the terms of the ports.
    pub(crate) fn failed<E>(self, error: SdkError<E, HttpResponse>) -> PortError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        PortError {
            operation: self.name,
            failure: self.classify(&error),
            message: message(&error),
            source: Some(Box::new(error)),
        }
    }

    /// A failure that the answer itself states, without an error of the SDK.
    pub(crate) fn refused(self, failure: Failure, message: impl Into<String>) -> PortError {
        PortError { operation: self.name, failure, message: message.into(), source: None }
    }

    /// What an error code means, the message deciding where the code alone does not. `None` for
    /// codes that are not in the table.
    pub(crate) fn by_code(self, code: &str, message: &str) -> Option<Failure> {
        if code == "ValidationException" {
            let wrong_mode = self.name == "UpdateShardCount" && speaks_of_mode(message);
            return Some(if wrong_mode { Failure::WrongMode } else { Failure::Invalid });
        }
        if code.starts_with("AccessDenied") || code.ends_with("AccessDeniedException") {
            return Some(Failure::Denied);
        }
        BY_CODE.iter().find(|(known, _)| *known == code).map(|(_, failure)| *failure)
    }

    /// The failure of a call that was sent and got no usable answer.
    fn lost(self) -> Failure {
        if self.changes { Failure::AnswerLost } else { Failure::Unavailable }
    }

    fn classify<E>(self, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata,
    {
        match error {
            SdkError::ConstructionFailure(_) => Failure::Invalid,
            SdkError::DispatchFailure(dispatch) if dispatch.is_user() => Failure::Invalid,
            SdkError::DispatchFailure(dispatch) => match dispatch.as_connector_error() {
                Some(cause) if never_connected(cause) => Failure::Unavailable,
                _ => self.lost(),
            },
            SdkError::ServiceError(service) => {
                let (code, message) = (service.err().code(), service.err().message());
                code.and_then(|code| self.by_code(code, message.unwrap_or_default()))
                    .unwrap_or_else(|| self.by_status(service.raw().status().as_u16()))
            }
            SdkError::ResponseError(answer) => self.by_status(answer.raw().status().as_u16()),
            // Timeouts, and whatever a later SDK adds.
            _ => self.lost(),
        }
    }

    /// A service that failed may have failed after the work was done. A bare 404 is a wrong address
    /// or something in between, not the word of AWS that a thing is gone.
    fn by_status(self, status: u16) -> Failure {
        match status {
            401 | 403 => Failure::Denied,
            429 => Failure::Limit,
            400..500 => Failure::Invalid,
            _ => self.lost(),
        }
    }
}

fn speaks_of_mode(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["capacity mode", "on-demand", "on_demand"].iter().any(|word| message.contains(word))
}

/// Whether the connection was refused or not found, so that nothing was sent. Should the SDK change
/// its HTTP client, this finds nothing, and the answer counts as lost: the careful side.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(|error| {
        error
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect)
    })
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn message<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        // The SDK's own text is two words; what lies below says what happened.
        _ => chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": "),
    }
}

#[cfg(test)]
mod tests;

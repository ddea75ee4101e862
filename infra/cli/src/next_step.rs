//! What to do after a call to AWS that failed. The SDK's own words say why; they never say that.
//!
//! Not here: what a failure means for a plan (`weir_control::ports`).

use weir_control::ports::{Failure, PortError};

/// What the SDK says, and what to do about it; the first that fits. Tests hold the words to the SDK
/// as it is.
const BY_WORDS: [(&str, &str); 6] = [
    (
        "cached SSO token",
        "sign in: aws sso login, with the --profile that you gave here or AWS_PROFILE",
    ),
    (
        "was not defined",
        "aws configure list-profiles names the profiles there are; AWS_PROFILE counts too",
    ),
    (
        "no credentials found",
        "say who you are: --profile NAME or AWS_PROFILE; aws configure list-profiles names them",
    ),
    (
        "loading credentials",
        "aws sts get-caller-identity, with the same profile, shows whether they work",
    ),
    ("missing signing region", "say where: --region or AWS_REGION"),
    ("dispatch failure", "see whether the network, a proxy or AWS_ENDPOINT_URL lets it through"),
];

/// A sentence for the person, where there is something to do.
pub(crate) fn of(error: &PortError) -> Option<&'static str> {
    if error.message.contains("xpiredToken") {
        return Some("the credentials have expired: sign in again, for SSO with aws sso login");
    }
    let by_words = BY_WORDS.iter().find(|(words, _)| error.message.contains(words));
    match (by_words, error.failure) {
        (Some((_, step)), _) => Some(step),
        (None, Failure::Denied) => Some(
            "aws sts get-caller-identity shows who you are; the pages of the commands say which \
             rights they need (docs/backtest.md, docs/alerts.md, docs/operating.md)",
        ),
        (None, Failure::Missing) => Some(
            "are profile, region and WEIR_LEDGER_TABLE those of the installation? Its table is the \
             output LedgerTable of the stack: aws cloudformation describe-stacks --stack-name weir",
        ),
        _ => None,
    }
}

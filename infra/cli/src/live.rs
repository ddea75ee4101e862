//! A command's way to AWS: the installation that the environment names, by the settings its
//! functions have; or an account without one.
//!
//! Not here: what is done there. Only in a `weir` that is built with the feature `aws`, as it is
//! by default.

use clap::Args;
use weir_aws::{Account, Aws, Identity, Settings, load_as};
use weir_control::plan_capacity::preview::Memory;

use crate::faults::Failure;

/// Whose credentials are used, and where.
#[derive(Args, Clone, Default)]
pub(crate) struct Who {
    /// A profile of the AWS CLI, SSO and assumed roles included. Without it, AWS_PROFILE.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The region. Without it, AWS_REGION, or the profile's.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

impl From<&Who> for Identity {
    fn from(who: &Who) -> Identity {
        Identity { profile: who.profile.clone(), region: who.region.clone() }
    }
}

/// Does this with the installation that the environment names.
pub(crate) fn with_aws<T>(
    who: &Who,
    work: impl AsyncFnOnce(Aws) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with(who, Settings::read(|name| std::env::var(name).ok())?, work)
}

/// The same with settings of one's own.
pub(crate) fn with<T>(
    who: &Who,
    settings: Settings,
    work: impl AsyncFnOnce(Aws) -> Result<T, Failure>,
) -> Result<T, Failure> {
    block_on(async { work(Aws::new(load_as(who.into()).await, settings)).await })
}

/// Does this with the installation that the environment names, if it names one.
pub(crate) fn with_or_without_installation<T>(
    who: &Who,
    work: impl AsyncFnOnce(Aws, Memory) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (settings, memory) = match Settings::read(|name| std::env::var(name).ok()) {
        Ok(settings) => (settings, Memory::Ledger),
        Err(_) if std::env::var("WEIR_LEDGER_TABLE").unwrap_or_default().trim().is_empty() => {
            (Settings::without_installation(), Memory::Nothing)
        }
        Err(faults) => return Err(faults.into()),
    };
    block_on(async { work(Aws::new(load_as(who.into()).await, settings), memory).await })
}

/// Does this with an account, whether or not Weir is in it.
pub(crate) fn with_account<T>(
    who: &Who,
    work: impl AsyncFnOnce(Account) -> Result<T, Failure>,
) -> Result<T, Failure> {
    block_on(async { work(Account::new(load_as(who.into()).await)).await })
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::Runtime)?.block_on(work)
}

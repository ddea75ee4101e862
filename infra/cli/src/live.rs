//! A command's way to AWS: the installation that the environment names, by the settings its
//! functions have.
//!
//! Not here: what is done there. Only in a `weir` that is built with the feature `aws`.

use weir_aws::{Aws, Settings, load};

use crate::faults::Failure;

/// Does this with the installation that the environment names.
pub(crate) fn with_aws<T>(work: impl AsyncFnOnce(Aws) -> Result<T, Failure>) -> Result<T, Failure> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Failure::Runtime)?;
    runtime.block_on(async { work(Aws::new(load().await, settings)).await })
}

//! A progress bar for simulated minutes; silent where nobody watches.

use std::borrow::Cow;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `minutes` simulated minutes.
pub(crate) fn bar(minutes: usize, what: impl Into<Cow<'static, str>>) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(minutes).unwrap_or(u64::MAX)).with_message(what);
    match ProgressStyle::with_template("{msg} [{bar:40}] {percent:>3}% of {len} min, {elapsed}") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

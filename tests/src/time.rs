//! The harness's only clock and its only wait.
//!
//! Here: `now` and bounded polling. Not here: a wait that stands for an assertion; a test that
//! needs something to have happened polls for it with a limit.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::failure::{Failure, Result};

const BETWEEN_LOOKS: Duration = Duration::from_millis(15);

/// The time of day, which the emulators share.
#[expect(clippy::disallowed_methods, reason = "the emulators run on the machine's clock")]
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Looks again and again until there is something to see, for at most `limit`.
pub fn wait_until<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(seen) = look().map_err(|failure| failure.while_trying(what))? {
            return Ok(seen);
        }
        if start.elapsed() >= limit {
            return Err(Failure::new(format!("{what}: not within {limit:?}")));
        }
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the bounded poll that the ban points to")]
fn pause() {
    std::thread::sleep(BETWEEN_LOOKS);
}

//! The one place that asks the machine for the time.

use jiff::Timestamp;
use weir_control::ports::Clock;

use crate::{Account, Aws};

impl Clock for Aws {
    fn now(&self) -> Timestamp {
        now()
    }
}

impl Clock for Account {
    fn now(&self) -> Timestamp {
        now()
    }
}

#[allow(clippy::disallowed_methods)] // the Clock port itself
fn now() -> Timestamp {
    Timestamp::now()
}

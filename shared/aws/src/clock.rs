//! The one place that asks the machine for the time.

use jiff::Timestamp;
use weir_control::ports::Clock;

use crate::Aws;

impl Clock for Aws {
    #[allow(clippy::disallowed_methods)] // the Clock port itself
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

//! A stream that a loop leaves out of a run. Not here: what becomes of the others (the loops).

use weir_core::reasons::SkipReason;
use weir_core::units::StreamName;

use crate::ports::PortError;

/// A stream for which a run did nothing. The other streams of the run are not affected.
#[derive(Debug)]
pub struct SkippedStream {
    /// The stream.
    pub stream: StreamName,
    /// Why nothing was done for it.
    pub reason: SkipReason,
    /// The failed call, where one failed.
    pub error: Option<PortError>,
}

//! `weir pause` and `weir resume`: Weir keeps its hands off one stream, at once and without a
//! deployment.
//!
//! Not here: heeding it. The planner and the executors read the ledger's note before they act.

use jiff::SignedDuration;
use weir_control::ledger::PauseNote;
use weir_control::ports::{Clock, Pause};
use weir_core::units::StreamName;

use crate::faults::Failure;
use crate::live;

pub(crate) fn pause(stream: &str, note: &str, hours: Option<u16>) -> Result<(), Failure> {
    let stream = StreamName::new(stream)?;
    live::with_aws(async |aws| {
        let ends = |hours| aws.now().checked_add(SignedDuration::from_hours(i64::from(hours)));
        let until = hours.and_then(|hours| ends(hours).ok());
        let pause = PauseNote { note: note.to_owned(), until };
        aws.set_pause(&stream, Some(&pause)).await?;
        match until {
            Some(until) => println!("Weir leaves {stream} alone until {until}."),
            None => println!("Weir leaves {stream} alone until `weir resume {stream}`."),
        }
        println!("Its plans and alerts go on; a reshard that AWS accepted goes on too.");
        Ok(())
    })
}

pub(crate) fn resume(stream: &str) -> Result<(), Failure> {
    let stream = StreamName::new(stream)?;
    live::with_aws(async |aws| {
        aws.set_pause(&stream, None).await?;
        println!("Weir looks after {stream} again, from its next look on.");
        Ok(())
    })
}

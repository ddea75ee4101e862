//! `weir pause` and `weir resume`: Weir keeps its hands off one stream, at once and without a
//! deployment.
//!
//! A stream that is not there is refused, and a note of a colleague's is not replaced unless that
//! is asked for. Not here: heeding it. The planner and the executors read the ledger's note before
//! they act.

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use weir_aws::Aws;
use weir_control::ledger::PauseNote;
use weir_control::notification::time;
use weir_control::ports::{self, Clock, Pause as _, ReadRecord};
use weir_core::units::StreamName;

use crate::faults::Failure;
use crate::live;

/// What is asked of `weir pause`.
#[derive(Args)]
pub(crate) struct PauseQuestion {
    /// The stream, by name.
    stream: String,
    /// Who pauses, and why: it stands in the ledger.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    note: String,
    /// When it ends by itself; without it, only `weir resume` ends it.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    hours: Option<u16>,
    /// Replace a pause that holds already, and its note.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    who: live::Who,
}

pub(crate) fn pause(question: &PauseQuestion) -> Result<(), Failure> {
    let stream = StreamName::new(&question.stream)?;
    live::with_aws(&question.who, async |aws| {
        let now = aws.now();
        let place = place(&aws, &stream).await?;
        if let Some(held) = held(&aws, &stream, now).await?
            && !question.replace
        {
            return Err(Failure::PausedAlready { place, held: told(&held) });
        }
        let ends = |hours| now.checked_add(SignedDuration::from_hours(i64::from(hours)));
        let until = question.hours.and_then(|hours| ends(hours).ok());
        let pause = PauseNote { note: question.note.clone(), until };
        aws.set_pause(&stream, Some(&pause)).await?;
        match until {
            Some(until) => println!("Weir leaves {place} alone until {}.", time(until)),
            None => println!("Weir leaves {place} alone until `weir resume {stream}`."),
        }
        println!("Its plans and alerts go on; a reshard that AWS accepted goes on too.");
        Ok(())
    })
}

pub(crate) fn resume(stream: &str, who: &live::Who) -> Result<(), Failure> {
    let stream = StreamName::new(stream)?;
    live::with_aws(who, async |aws| {
        let place = place(&aws, &stream).await?;
        let Some(held) = held(&aws, &stream, aws.now()).await? else {
            println!("{place} is not paused.");
            return Ok(());
        };
        aws.set_pause(&stream, None).await?;
        println!("Weir looks after {place} again, from its next look on.");
        println!("It was paused: {}.", told(&held));
        Ok(())
    })
}

/// The stream with its account, its region and the ledger that is meant; a failure where there is
/// no such stream.
async fn place(aws: &Aws, stream: &StreamName) -> Result<String, Failure> {
    let ledger = &aws.settings().ledger_table;
    match aws.stream_place(stream).await {
        Ok(place) => {
            Ok(format!("{stream} (account {}, {}, ledger {ledger})", place.account, place.region))
        }
        Err(error) if error.failure == ports::Failure::Missing => Err(Failure::NoSuchStream {
            stream: stream.to_string(),
            region: aws.region().unwrap_or("the region").to_owned(),
            source: error,
        }),
        Err(error) => Err(error.into()),
    }
}

/// The pause that holds now.
async fn held(
    aws: &Aws,
    stream: &StreamName,
    now: Timestamp,
) -> Result<Option<PauseNote>, Failure> {
    let record = aws.read_record(stream, now).await?;
    Ok(record.and_then(|record| record.pause).filter(|pause| pause.holds(now)))
}

fn told(pause: &PauseNote) -> String {
    match pause.until {
        Some(until) => format!("{:?}, until {}", pause.note, time(until)),
        None => format!("{:?}, until it is resumed", pause.note),
    }
}

//! From periods to minutes.
//!
//! A recording may change from coarser periods to finer ones, as CloudWatch keeps them: a row is
//! played for its period, which is the shortest distance between rows up to it. Whatever lies
//! between its end and the next row is a gap. From 30 minutes on periods are interpolated between
//! their middles, below that they are held.

use jiff::Timestamp;

use super::read::TraceFaults;
use super::{Minute, Recorded, RecordedRow, Trace, TraceFault};

/// From this period on, a recording is interpolated.
const INTERPOLATED_FROM_MINUTES: usize = 30;
/// A recording longer than this many minutes is taken for a mistake: ten years.
const MINUTES_MAX: i64 = 10 * 366 * 24 * 60;

/// One row on the grid.
struct Span {
    /// Its first minute.
    start: usize,
    /// Minutes it lasts.
    length: usize,
    /// What was written in each of them, were they all alike.
    each: Option<Minute>,
}

impl Trace {
    /// From the periods of a recording, in any order. A row that comes twice must say the same.
    ///
    /// # Errors
    /// The first fault, with its line and how to mend it.
    pub fn of_rows(
        name: &str,
        file: &str,
        mut rows: Vec<RecordedRow>,
    ) -> Result<Trace, TraceFault> {
        let faults = TraceFaults { file };
        rows.sort_by_key(|row| row.at);
        let twice =
            rows.windows(2).find(|two| two[0].at == two[1].at && two[0].traffic != two[1].traffic);
        if let Some([one, other]) = twice {
            let message = format!("{} stands in line {} too, with other numbers", one.at, one.line);
            return Err(faults.at(other.line, message, "keep one of the two"));
        }
        rows.dedup_by_key(|row| row.at);
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Err(faults.at(1, "no rows", "record at least two periods"));
        };
        if rows.len() < 2 {
            return Err(faults.at(first.line, "one row alone", "record at least two periods"));
        }
        if minutes_between(first.at, last.at) > MINUTES_MAX {
            return Err(faults.at(last.line, "more than ten years", "cut the recording"));
        }
        let spans = spans(&rows, &faults)?;
        if spans.iter().all(|span| span.each.is_none()) {
            let message = "no row has both bytes and records";
            return Err(faults.at(first.line, message, "export both metrics over the same time"));
        }
        let mut recorded = Recorded::default();
        for span in &spans {
            if !recorded.period_minutes.contains(&span.length) {
                recorded.period_minutes.push(span.length);
            }
        }
        let minutes = to_minutes(&spans, &mut recorded);
        Ok(Trace { name: name.to_owned(), start: first.at, minutes, recorded })
    }
}

fn minutes_between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()) / 60
}

#[allow(clippy::cast_precision_loss)] // minutes of ten years
fn spans(rows: &[RecordedRow], faults: &TraceFaults<'_>) -> Result<Vec<Span>, TraceFault> {
    let distances = distances(rows, faults)?;
    let lone = lone_first(&distances);
    let mut length = distances.iter().copied().take(lone + 1).min().unwrap_or(1);
    let mut start = 0;
    let mut spans = Vec::with_capacity(rows.len());
    for (row, distance) in rows.iter().zip(distances.iter().copied().chain([usize::MAX])) {
        let shorter = distance.min(length);
        let whole = length.is_multiple_of(shorter)
            && (distance == usize::MAX || distance.is_multiple_of(shorter));
        if !whole {
            let message = format!("{} does not lie on a grid of {length} minutes", row.at);
            return Err(faults.at(row.line, message, "record whole periods of one length"));
        }
        length = shorter;
        let share = length as f64;
        let each = row
            .traffic
            .map(|period| Minute { bytes: period.bytes / share, records: period.records / share });
        spans.push(Span { start, length, each });
        start = start.saturating_add(if distance == usize::MAX { length } else { distance });
    }
    Ok(spans)
}

/// Minutes from each row to the next.
fn distances(rows: &[RecordedRow], faults: &TraceFaults<'_>) -> Result<Vec<usize>, TraceFault> {
    let distance = |two: &[RecordedRow]| {
        let [one, next] = two else { return Ok(0) };
        let seconds = next.at.as_second() - one.at.as_second();
        match seconds % 60 {
            0 => Ok(usize::try_from(seconds / 60).unwrap_or(usize::MAX)),
            _ => {
                let message = format!("{} is {seconds} s after the row before it", next.at);
                Err(faults.at(next.line, message, "record whole minutes"))
            }
        }
    };
    rows.windows(2).map(distance).collect()
}

/// How many rows at the beginning stand apart by a distance that does not come twice: a gap after
/// the first minutes, and no period.
fn lone_first(distances: &[usize]) -> usize {
    distances.windows(2).take_while(|two| two[0] != two[1]).count().min(2)
}

fn to_minutes(spans: &[Span], recorded: &mut Recorded) -> Vec<Minute> {
    let all = spans.last().map_or(0, |last| last.start + last.length);
    let mut minutes = vec![Minute::default(); all];
    let mut known_until = 0;
    for (index, span) in spans.iter().enumerate() {
        if span.each.is_none() {
            continue;
        }
        if known_until < span.start {
            recorded.gaps.push(known_until..span.start);
        }
        known_until = span.start + span.length;
        for (offset, minute) in minutes.iter_mut().skip(span.start).take(span.length).enumerate() {
            *minute = at(spans, index, offset);
        }
    }
    if known_until < all {
        recorded.gaps.push(known_until..all);
    }
    minutes
}

/// A minute of a row that is known.
#[allow(clippy::cast_precision_loss)] // counts of minutes, far below 2^52
fn at(spans: &[Span], index: usize, offset: usize) -> Minute {
    let span = &spans[index];
    let own = span.each.unwrap_or_default();
    if span.length < INTERPOLATED_FROM_MINUTES {
        return own;
    }
    // From the middle of the row to the middle of the minute, in lengths of the row.
    let away = (offset as f64 + 0.5) / span.length as f64 - 0.5;
    let neighbour = match away < 0.0 {
        true => index.checked_sub(1),
        false => Some(index + 1),
    };
    let neighbour = neighbour.and_then(|index| spans.get(index)).filter(|other| {
        let touches = match away < 0.0 {
            true => other.start + other.length == span.start,
            false => span.start + span.length == other.start,
        };
        touches && other.length == span.length
    });
    let other = neighbour.and_then(|neighbour| neighbour.each).unwrap_or(own);
    let between = |a: f64, b: f64| a + (b - a) * away.abs();
    Minute { bytes: between(own.bytes, other.bytes), records: between(own.records, other.records) }
}

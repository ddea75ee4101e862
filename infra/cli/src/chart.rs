//! Demand and capacity over time, drawn in the terminal.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Style};
use ratatui_core::symbols::Marker;
use ratatui_core::widgets::Widget;
use ratatui_widgets::chart::{Axis, Chart, Dataset, GraphType};
use weir_sim::record::StreamRun;

const WIDTH: u16 = 110;
const HEIGHT: u16 = 22;
/// Braille has two dots a column.
const POINTS: usize = 2 * WIDTH as usize;

/// The chart of a run, with colours where `colours` says that somebody will see them.
#[allow(clippy::cast_precision_loss)] // minutes of a few weeks
pub(crate) fn draw(run: &StreamRun, colours: bool) -> String {
    let demand: Vec<f64> = run.minutes.iter().map(|m| m.offered().load().get()).collect();
    let capacity: Vec<f64> = run.minutes.iter().map(|m| m.capacity_shards).collect();
    let (demand, capacity) = (thinned(&demand), thinned(&capacity));
    let top = demand.iter().chain(&capacity).map(|(_, y)| *y).fold(1.0, f64::max) * 1.05;
    let end = run.minutes.len() as f64;
    let set = |name, data, colour, marker| {
        Dataset::default()
            .name(name)
            .data(data)
            .marker(marker)
            .graph_type(GraphType::Line)
            .style(Style::new().fg(colour))
    };
    let chart = Chart::new(vec![
        set("capacity", &capacity, Color::Cyan, Marker::Braille),
        set("demand", &demand, Color::Yellow, Marker::Braille),
    ])
    .x_axis(Axis::default().bounds([0.0, end]).labels(days(run)))
    .y_axis(Axis::default().title("shards").bounds([0.0, top]).labels([
        "0".to_owned(),
        format!("{:.0}", top / 2.0),
        format!("{top:.0}"),
    ]));
    let area = Rect::new(0, 0, WIDTH, HEIGHT);
    let mut buffer = Buffer::empty(area);
    chart.render(area, &mut buffer);
    to_text(&buffer, area, colours)
}

/// The highest value of each of at most [`POINTS`] equal spans: a peak must not be lost.
#[allow(clippy::cast_precision_loss)] // minutes of a few weeks
fn thinned(values: &[f64]) -> Vec<(f64, f64)> {
    let span = values.len().div_ceil(POINTS).max(1);
    values
        .chunks(span)
        .enumerate()
        .map(|(index, chunk)| ((index * span) as f64, chunk.iter().copied().fold(0.0, f64::max)))
        .collect()
}

/// The days along the bottom.
fn days(run: &StreamRun) -> Vec<String> {
    let last = i64::try_from(run.minutes.len()).unwrap_or(i64::MAX).saturating_mul(60);
    let steps = 7;
    (0..=steps)
        .map(|step| {
            let second = run.start.as_second().saturating_add(last / steps * step);
            Timestamp::from_second(second)
                .map(|at| at.to_zoned(TimeZone::UTC).strftime("%a").to_string())
                .unwrap_or_default()
        })
        .collect()
}

fn to_text(buffer: &Buffer, area: Rect, colours: bool) -> String {
    let mut text = String::new();
    for y in area.rows() {
        let mut line = String::new();
        for x in y.columns() {
            let cell = &buffer[(x.x, x.y)];
            let code = match cell.fg {
                Color::Cyan => Some(36),
                Color::Yellow => Some(33),
                _ => None,
            };
            match code.filter(|_| colours && cell.symbol() != " ") {
                Some(code) => {
                    // Writing to a String cannot fail.
                    let _ = write!(line, "\x1b[{code}m{}\x1b[0m", cell.symbol());
                }
                None => line.push_str(cell.symbol()),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

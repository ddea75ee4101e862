//! The page of a backtest: one self-contained HTML file, drawn by uPlot, which is built in.
//!
//! Here: putting it together. What is said is in `page`, the numbers that are drawn are in `data`.
//! `uplot/` is uPlot 1.6.32 as it is on npm, under the MIT licence beside it.

mod data;
mod page;

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::faults::Failure;
use crate::played::Played;

/// What the page draws, as JSON in it.
#[derive(Serialize)]
struct Report {
    /// Reshards AWS allows in 24 hours.
    calls_a_day: u32,
    streams: Vec<data::StreamData>,
}

/// Writes the page of these backtests.
pub(crate) fn write(path: &Path, all: &[Played]) -> Result<(), Failure> {
    let streams: Vec<data::StreamData> = all.iter().map(data::StreamData::of).collect();
    let report = Report { calls_a_day: weir_core::limits::RESHARDS_PER_DAY_MAX, streams };
    // Within a script element only `<` could end it.
    let json = serde_json::to_string(&report)?.replace('<', "\\u003c");
    let page = page::page(all, &json).into_string();
    fs::write(path, page).map_err(|source| Failure::Unwritable { path: path.to_owned(), source })
}

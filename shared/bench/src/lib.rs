//! The benchmark: Weir, other scalers' rules and the optimum, played on the same traffic by the
//! same rules, and scored.
//!
//! Here: who competes, in which settings, playing and judging, on all cores; recordings from files.
//! Not here: the simulated AWS that Weir runs on (`weir-sim`), and printing (`weir`).

pub mod backtest;
pub mod baseline;
pub mod contender;
pub mod estimate;
pub mod fleet;
pub mod import;
pub mod jobs;
pub mod metric_history;
pub mod optimum;
pub mod recording;
pub mod replay;
pub mod score;
pub mod setting;
pub mod slices;
pub mod summary;
pub mod whole_bill;

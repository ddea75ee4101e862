//! A recording that was played, and what is set beside it: for the table and the page alike.

use serde::Serialize;
use weir_bench::backtest::Backtest;
use weir_bench::recording::Recording;
use weir_bench::score::Score;
use weir_bench::setting::Setting;

/// A recording, the setting it was played in, and what came of it.
pub(crate) struct Played {
    pub(crate) recording: Recording,
    pub(crate) setting: Setting,
    pub(crate) backtest: Backtest,
}

/// Something else that could be done.
#[derive(Serialize)]
pub(crate) struct Beside {
    pub(crate) name: String,
    pub(crate) usd_month: f64,
    pub(crate) throttled_pct: f64,
    pub(crate) calls_per_day: f64,
    pub(crate) refused_calls: u64,
}

/// What else there is: today's size, if it is known, then everybody but Weir.
pub(crate) fn beside(backtest: &Backtest) -> Vec<Beside> {
    let row = |name: &str, score: &Score, refused_calls: u64| Beside {
        name: name.to_owned(),
        usd_month: round(score.month().get(), 2),
        throttled_pct: round(score.throttled_percent, 4),
        calls_per_day: round(score.calls_per_day, 2),
        refused_calls,
    };
    let today = backtest.today.iter().map(|(_, score)| row("today", score, 0));
    let peers = backtest.peers.iter();
    let peers = peers.map(|peer| row(peer.contender.name(), &peer.score, peer.refused));
    today.chain(peers).collect()
}

/// Dollars and cents.
pub(crate) fn dollars(usd: f64) -> String {
    let sign = if usd <= -0.005 { "-" } else { "" };
    format!("{sign}${:.2}", usd.abs())
}

/// To so many digits after the point.
pub(crate) fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

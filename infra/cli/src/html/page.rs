//! What the page says: facts, charts with their controls, tables that say the same without them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use weir_bench::backtest::{ActionTaken, OWN_INSTALLATION_MONTH, OWN_STREAM_MONTH};
use weir_bench::contender::Contender;
use weir_core::limits::RESHARDS_PER_DAY_MAX;

use super::data;
use crate::played::{Beside, Played, beside, dollars};
use crate::recordings;

const UPLOT: &str = include_str!("uplot/uPlot.iife.min.js");
const UPLOT_STYLE: &str = include_str!("uplot/uPlot.min.css");
const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// The whole page; `data` is JSON without `<`.
pub(super) fn page(all: &[Played], data: &str) -> Markup {
    let title = match all {
        [one] => format!("Weir on {}", one.recording.trace.name),
        all => format!("Weir on {} streams", all.len()),
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Nothing is loaded, whatever stands in the page.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(UPLOT_STYLE)) (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p.quiet {
                        "What Weir would have done on recorded traffic, by the code that runs in Lambda, on a \
                         simulated AWS. All times are UTC; the first 24 hours warm up and are not scored."
                    }
                }
                main {
                    @match all {
                        [one] => (stream(one, 0)),
                        all => {
                            (fleet(all))
                            @for (place, one) in all.iter().enumerate() {
                                details {
                                    summary { (one.recording.trace.name) }
                                    (stream(one, place))
                                }
                            }
                        }
                    }
                }
                footer {
                    p { "Made by weir " (env!("CARGO_PKG_VERSION")) ". Charts: uPlot, MIT licence." }
                }
                script type="application/json" id="data" { (PreEscaped(data)) }
                script { (PreEscaped(UPLOT)) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// Every stream, and which are worth it.
fn fleet(all: &[Played]) -> Markup {
    let saved: f64 = all.iter().map(|one| one.backtest.saves()).filter(|saves| *saves > 0.0).sum();
    let worth = all.iter().filter(|one| one.backtest.saves() > 0.0).count();
    let mut sorted: Vec<&Played> = all.iter().collect();
    sorted.sort_by(|a, b| b.backtest.saves().total_cmp(&a.backtest.saves()));
    let installation = if worth > 0 { OWN_INSTALLATION_MONTH.get() } else { 0.0 };
    html! {
        h2 { "Which streams are worth it" }
        p {
            (worth) " of " (all.len()) " save " (dollars(saved - installation)) " a month together, Weir's own "
            (dollars(OWN_STREAM_MONTH.get())) " for each and " (dollars(installation)) " for its installation taken off."
        }
        div.wide tabindex="0" role="region" aria-label="Streams" {
            table {
                thead { tr {
                    th scope="col" { "stream" } th.n scope="col" { "before, a month" }
                    th.n scope="col" { "with Weir" } th.n scope="col" { "saves" } th.n scope="col" { "throttled" }
                } }
                tbody {
                    @for one in sorted {
                        tr {
                            th scope="row" { (one.recording.trace.name) }
                            td.n { (dollars(one.backtest.before().get())) }
                            td.n { (dollars(one.backtest.score.month().get())) }
                            td.n { (dollars(one.backtest.saves())) }
                            td.n { (format!("{:.4} %", one.backtest.score.throttled_percent)) }
                        }
                    }
                }
            }
        }
    }
}

fn stream(played: &Played, place: usize) -> Markup {
    let (backtest, trace) = (&played.backtest, &played.recording.trace);
    let before = match &backtest.today {
        Some((size, _)) => format!("against today's {size} shards"),
        None => "against fixed at peak".to_owned(),
    };
    let actions = backtest.actions();
    let most = most_calls(&actions);
    html! {
        section data-stream=(place) aria-label=(trace.name) {
            ul.facts {
                li { b { (dollars(backtest.saves())) } "saved a month " (before) }
                li { b { (dollars(backtest.score.month().get())) } "a month with Weir, and " (dollars(OWN_STREAM_MONTH.get())) " for Weir" }
                li { b { (format!("{:.4} %", backtest.score.throttled_percent)) } "of bytes throttled" }
                li { b { (actions.len()) } "changes; at most " (most) " of " (RESHARDS_PER_DAY_MAX) " calls in 24 hours" }
            }
            p.quiet { (recordings::told(trace)) "." }
            h2 { "Demand and capacity" }
            (legend(played))
            (days(trace.start, trace.minutes.len()))
            div.chart.main tabindex="0" role="application"
                aria-label="Demand and capacity over time. Left and right read a point, plus and minus zoom, page up and down move, Home shows all. The same is in the tables below." {}
            p.said role="status" aria-live="polite" {
                "Point at the chart, or move along it with the arrow keys: what was done, and why, stands here. Drag to zoom."
            }
            div.chart.refused aria-hidden="true" {}
            div.chart.budget aria-hidden="true" {}
            @if let Some(learnt) = data::learnt(&backtest.run) {
                h2 { "What was learnt of the stream" }
                p { (learnt.plan.basis.throttling.to_string()) "." }
                div.chart.curve role="img"
                    aria-label="The share of writes that is expected to be refused, by use of the open shards" {}
            }
            h2 { "What else there is" }
            (comparison(played))
            (held_back(played))
            h2 { "What was done, and why" }
            (changes(&actions))
        }
    }
}

fn legend(played: &Played) -> Markup {
    let is_even = played.setting.evenness.phases().all(|phase| phase.busiest_second() <= 1.0);
    let has_gaps = !played.recording.trace.recorded.gaps.is_empty();
    let on_demand = !played.backtest.run.switches.is_empty();
    html! {
        ul.legend {
            li { i style="border-color: var(--demand)" {} "demand, shards" }
            li { i style="border-color: var(--nominal)" {} "capacity" }
            @if !is_even { li { i style="border-color: var(--usable); border-top-style: dashed" {} "usable capacity" } }
            li { span style="color: var(--action)" aria-hidden="true" { "▲▼ " } "a change" }
            li { i.box style="background: var(--warm-up)" {} "warms up, not scored" }
            @if has_gaps { li { i.box style="background: var(--gap)" {} "missing in the recording" } }
            @if on_demand { li { i.box style="background: var(--on-demand)" {} "on demand" } }
        }
    }
}

/// A button for each day.
fn days(start: Timestamp, minutes: usize) -> Markup {
    let minutes = i64::try_from(minutes).unwrap_or(i64::MAX);
    let first = start.as_second().div_euclid(DAY) * DAY;
    let end = start.as_second().saturating_add(minutes.saturating_mul(60));
    let days: Vec<(i64, String)> = (0..)
        .map(|day| first + day * DAY)
        .take_while(|day| *day < end)
        .filter_map(|day| {
            let at = Timestamp::from_second(day).ok()?;
            Some((day, at.to_zoned(TimeZone::UTC).strftime("%a %d %b").to_string()))
        })
        .collect();
    html! {
        div.bar role="group" aria-label="Time shown" {
            button type="button" data-all="yes" { "All" }
            @for (day, name) in days { button type="button" data-day=(day) aria-pressed="false" { (name) } }
        }
    }
}

const DAY: i64 = 24 * 60 * 60;

fn comparison(played: &Played) -> Markup {
    let ours = played.backtest.score.month().get();
    let others = beside(&played.backtest);
    let most = others.iter().map(|one| one.usd_month).fold(ours, f64::max).max(0.01);
    let width = |usd: f64| format!("width: {:.1}%", 100.0 * usd / most);
    let row = |one: &Beside| {
        html! {
            tr {
                th scope="row" { (explained(&one.name)) }
                td.n { (dollars(one.usd_month)) span.share style=(width(one.usd_month)) aria-hidden="true" {} }
                td.n { (format!("{:.4} %", one.throttled_pct)) }
                td.n { (format!("{:.2}", one.calls_per_day)) }
            }
        }
    };
    html! {
        div.wide tabindex="0" role="region" aria-label="Comparison" {
            table {
                caption { "The bill of writing, a month: shards and PUT units, or on-demand's price." }
                thead { tr {
                    th scope="col" { "who" } th.n scope="col" { "a month" }
                    th.n scope="col" { "throttled" } th.n scope="col" { "changes a day" }
                } }
                tbody {
                    tr.us {
                        th scope="row" { "Weir" }
                        td.n { (dollars(ours)) span.share style=(width(ours)) aria-hidden="true" {} }
                        td.n { (format!("{:.4} %", played.backtest.score.throttled_percent)) }
                        td.n { (format!("{:.2}", played.backtest.score.calls_per_day)) }
                    }
                    @for one in &others { (row(one)) }
                }
            }
        }
    }
}

fn explained(name: &str) -> String {
    match Contender::named(name) {
        Some(Contender::Optimum) => {
            "optimum: the best there could have been, knowing the future".to_owned()
        }
        Some(Contender::FixedAtPeak) => "fixed at peak, knowing the peak".to_owned(),
        _ => name.to_owned(),
    }
}

fn held_back(played: &Played) -> Markup {
    let held = played.backtest.held_back();
    html! {
        @if !held.is_empty() {
            h2 { "What held it back" }
            ul {
                @for one in &held {
                    li { code { (one.code) } " (plans: " (one.plans) "): " (one.meaning) }
                }
            }
        }
    }
}

fn changes(actions: &[ActionTaken]) -> Markup {
    let at = |at: Timestamp| at.to_zoned(TimeZone::UTC).strftime("%a %Y-%m-%d %H:%M").to_string();
    html! {
        @if actions.is_empty() { p { "Nothing was changed." } } @else {
            table.stack {
                thead { tr {
                    th scope="col" { "when" } th scope="col" { "what" } th scope="col" { "why" } th scope="col" { "" }
                } }
                tbody {
                    @for action in actions {
                        tr {
                            td { (at(action.called_at)) }
                            td { (action.from) " → " (action.to) }
                            td { (action.why) }
                            td { button type="button" data-at=(action.called_at.as_second())
                                aria-label={ "Show " (at(action.called_at)) " in the chart" } { "show" } }
                        }
                    }
                }
            }
        }
    }
}

/// The most calls within 24 hours.
fn most_calls(actions: &[ActionTaken]) -> usize {
    let window = SignedDuration::from_hours(24);
    let within = |from: &ActionTaken| {
        let until = from.called_at.saturating_add(window).unwrap_or(Timestamp::MAX);
        let counts = |action: &&ActionTaken| (from.called_at..until).contains(&action.called_at);
        actions.iter().filter(|action| action.kind == "reshard").filter(counts).count()
    };
    actions.iter().map(within).max().unwrap_or(0)
}

//! What a backtest says of one recording and of many, in the terminal, as JSON, in files.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{folder_with, recording, text, weir};

const SMALL: &str = "version = 1\n[[streams]]\nmatch = \"*\"\nmax_shards = 4\n";

fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = weir(folder, arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn json_lines(said: &str) -> Vec<Value> {
    said.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
}

#[test]
fn a_backtest_says_what_held_weir_back_what_it_costs_and_what_else_there_is() {
    let folder = folder_with(&[("orders.csv", &recording(4_320)), ("small.toml", SMALL)]);
    let trace = ["backtest", "--trace", "orders.csv", "--initial-shards", "4"];
    let table = said(folder.path(), &[&trace[..], &["--policies", "small.toml"]].concat());
    for part in [
        "by policy_maximum: ",
        "a month against today's 4 shards",
        "every minute; nothing is missing",
        "on-demand",
        "optimum",
        "$ a month",
    ] {
        assert!(table.contains(part), "{part} in {table}");
    }
    let free = said(folder.path(), &trace);
    assert!(free.contains(" → ") && free.contains(" shards now, "), "reasons: {free}");
    let tables = free.lines().take_while(|line| !line.contains(" → "));
    let columns = tables.map(|line| line.trim_end().chars().count()).max();
    assert!(columns <= Some(80), "{free}");
}

#[test]
fn reasons_are_in_the_json_and_in_the_file_of_actions() {
    let folder = folder_with(&[("orders.csv", &recording(4_320))]);
    let arguments =
        ["backtest", "--trace", "orders.csv", "--format", "json", "--actions", "actions.csv"];
    let said = json_lines(&said(folder.path(), &arguments)).remove(0);
    let actions = said["actions"].as_array().expect("actions");
    let csv = fs::read_to_string(folder.path().join("actions.csv")).expect("the actions");
    assert!(actions.len() > 3);
    assert_eq!(csv.lines().count(), actions.len() + 2, "a head, and the start");
    for (action, row) in actions.iter().zip(csv.lines().skip(2)) {
        let why = action["why"].as_str().expect("a reason");
        assert!(why.contains("shards now") && row.contains(why), "{action} and {row}");
        assert!(action["wanted"].is_u64(), "{action}");
    }
    assert_eq!(said["beside"].as_array().map(Vec::len), Some(11));
}

#[test]
fn a_folder_says_which_streams_are_worth_it_and_the_sum() {
    let busy = recording(4_320);
    // A trickle: one shard is enough, and cannot be made fewer.
    let idle: String = busy
        .lines()
        .enumerate()
        .map(|(number, row)| match (number, row.split(',').next()) {
            (0, _) | (_, None) => format!("{row}\n"),
            (_, Some(at)) => format!("{at},1000,1\n"),
        })
        .collect();
    let folder = folder_with(&[]);
    fs::create_dir(folder.path().join("all")).expect("a folder");
    for (name, csv) in [("all/busy.csv", &busy), ("all/idle.csv", &idle)] {
        fs::write(folder.path().join(name), csv).expect("a recording");
    }
    let arguments = ["backtest", "--trace", "all", "--format", "json", "--actions", "all"];
    let lines = json_lines(&said(folder.path(), &arguments));
    let [busy, idle, sum] = &lines[..] else { panic!("{lines:?}") };
    let usd = |of: &Value, key: &str| of[key].as_f64().expect("dollars");
    assert!(usd(busy, "usd_month_saved") > 100.0);
    assert!(usd(idle, "usd_month_saved") < 0.0, "one shard cannot be made fewer: {idle}");
    let sum = &sum["sum"];
    assert_eq!((&sum["streams"], &sum["worth_it"]), (&2.into(), &1.into()));
    let saved = usd(busy, "usd_month_saved") - 8.49;
    assert!((usd(sum, "usd_month_saved") - saved).abs() < 0.011, "{sum}");
    assert!(folder.path().join("all/idle.actions.csv").exists());

    // The actions lie beside the recordings now, and are none.
    let table = said(folder.path(), &["backtest", "--trace", "all"]);
    assert!(table.contains("1 of 2 streams are worth it"), "{table}");
    assert!(table.contains("not worth it"), "{table}");
}

#[test]
fn the_page_is_one_file_with_every_reason_and_nothing_else() {
    let folder = folder_with(&[("<b>x.csv", &recording(4_320))]);
    let arguments = ["backtest", "--trace", "<b>x.csv", "--html", "page.html", "--format", "json"];
    let said = json_lines(&said(folder.path(), &arguments)).remove(0);
    let page = fs::read_to_string(folder.path().join("page.html")).expect("the page");
    assert!(!page.contains("<b>x"), "a name is no markup");
    assert!(page.contains("default-src 'none'"), "and nothing is loaded");
    assert!(!page.contains("src=\"") && !page.contains("href=\"http") && !page.contains("@import"));
    let why = said["actions"][0]["why"].as_str().expect("a reason");
    assert!(page.matches(why).count() >= 2, "in the chart and in the table");
    let data = page.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next());
    let data: Value = serde_json::from_str(data.expect("the data")).expect("JSON");
    let stream = &data["streams"][0];
    assert_eq!(stream["demand"].as_array().map(Vec::len), Some(4_320));
    assert_eq!(
        stream["actions"].as_array().map(Vec::len),
        said["actions"].as_array().map(Vec::len)
    );
}

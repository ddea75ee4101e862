//! What a policy file may say, and each fault.

mod prices;
mod rows;

use super::*;
use crate::policy::{Governance, OperatingMode};
use crate::units::StreamName;

fn faults(text: &str) -> String {
    let (_, faults) = parse("orders.toml", text);
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

#[test]
fn a_sound_file_gives_each_stream_its_policy() {
    let (set, faults) = parse(
        "orders.toml",
        "version = 1\n[defaults]\nmode = \"act\"\nreserved_calls = 4\n\
         [[streams]]\nmatch = \"orders-*\"\nmin_shards = 2\nmax_shards = 64\n\
         [[streams]]\nmatch = \"*\"\nmode = \"observe\"\n",
    );
    assert_eq!(faults, []);
    let governing = |name| set.governing(&StreamName::new(name).expect("a name"));
    let Governance::By(orders) = governing("orders-eu") else { panic!("not governed") };
    assert_eq!(
        (orders.operating_mode, orders.bounds.max().get(), orders.reserved_calls),
        (OperatingMode::Act, 64, 4)
    );
    let Governance::By(other) = governing("other") else { panic!("not governed") };
    assert_eq!((other.operating_mode, other.reserved_calls), (OperatingMode::Observe, 4));
}

#[test]
fn all_faults_are_told_at_once_with_their_place_and_the_fix() {
    insta::assert_snapshot!(faults(
        "version = 1\n[defaults]\nthrottled_gib_usd = 0\n[[streams]]\nmatch = \"or ders\"\n\
         min_shards = 9\nmax_shards = 4\nmod = \"act\"\n[[streams]]\nreserved_calls = \"three\"\n\
         mode = \"auto\"\n[extra]\n"
    ), @r#"
    orders.toml:3:21: throttled_gib_usd cannot be 0; write dollars from 0.01 to 100
    orders.toml:5:10: no stream can have such a name; write match = "stream-name", with * for any characters
    orders.toml:7:14: min_shards 9 is above max_shards 4; raise max_shards or lower min_shards
    orders.toml:8:1: mod is not a key of [[streams]]; did you mean mode?
    orders.toml:9:1: this entry does not say which streams it is for; write match = "stream-name", with * for any characters
    orders.toml:10:19: reserved_calls cannot be "three"; write a whole number from 0 to 9
    orders.toml:11:9: mode cannot be "auto"; write mode = "observe" or "act"
    orders.toml:12:2: extra is not a key of a policy file; use one of version, prices, defaults, streams
    "#);
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    insta::assert_snapshot!(faults("version = 1\n[[streams]\n"), @"orders.toml:2:11: this is not TOML: expected a right bracket, found a newline; write it as TOML, e.g. min_shards = 2");
}

#[test]
fn a_faulty_entry_leaves_its_streams_alone_and_the_others_in_force() {
    let (set, faults) = parse(
        "orders.toml",
        "version = 1\n[[streams]]\nmatch = \"orders\"\nmin_shards = 0\n\
         [[streams]]\nmatch = \"*\"\n",
    );
    assert_eq!(faults.len(), 1);
    assert_eq!(set.governing(&StreamName::new("orders").expect("a name")), Governance::Faulty);
    assert!(matches!(
        set.governing(&StreamName::new("clicks").expect("a name")),
        Governance::By(_)
    ));
}

#[test]
fn a_misspelt_key_is_told_with_the_nearest_one() {
    let near = |place: &KeyTable, key: &str| nearest(key, place).map(|key| key.name);
    let cases = [
        (&keys::STREAMS, "mod", Some("mode")),
        (&keys::STREAMS, "Max_Shards", Some("max_shards")),
        (&keys::STREAMS, "mode_switch", Some("mode_switches")),
        (&keys::STREAMS, "page_after_minute", Some("page_after_minutes")),
        (&keys::DEFAULTS, "match", None),
        (&keys::STREAMS, "x", None),
        (&keys::PRICES, "shard_hours_usd", Some("shard_hour_usd")),
        (&keys::PRICES, "fan_out_gb_usd", None),
        (&keys::SCHEDULE, "timezone", Some("time_zone")),
        (&keys::FILE, "stream", Some("streams")),
    ];
    for (place, written, meant) in cases {
        assert_eq!(near(place, written), meant, "{written} in {}", place.place);
    }
}

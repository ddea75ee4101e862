//! What demand asks for, by what a call is worth. Not here: the rules after it (`clamps`).

use super::super::case::Case;

/// The size wanted of a stream that is at 75 % of these shards, but for this share of it in so many
/// hours of each day, which begin now, after so many calls.
fn wanted(open: u32, low: f64, hours: u32, calls_made: i64) -> u32 {
    let top = f64::from(open) * 0.75;
    let load = move |age: u32| {
        let lately = age % 1_440;
        let until_then = (1_440 - lately) % 1_440;
        if until_then < hours * 60 || lately < 40 { top * low } else { top }
    };
    Case::with(open, load).calls_made(calls_made).plan().wanted().get()
}

fn check(what: &str, wanted: u32, expected: u32) {
    assert_eq!(wanted, expected, "{what}");
}

#[test]
fn each_call_of_the_day_makes_the_next_one_dearer() {
    check("worth the first call of the day", wanted(10, 0.75, 3, 0), 8);
    check("not worth the second", wanted(10, 0.75, 3, 1), 10);
    check("a saving that is worth the fifth", wanted(10, 0.75, 6, 4), 8);
    check("and not the sixth", wanted(10, 0.75, 6, 5), 10);
}

#[test]
fn the_calls_kept_for_emergencies_are_dearer_still() {
    check("four left, three of them kept", wanted(10, 0.7, 8, 6), 7);
    check("three left", wanted(10, 0.7, 8, 7), 10);
    check("two left", wanted(10, 0.7, 8, 8), 10);
}

#[test]
fn an_overflow_of_now_is_lost_and_one_to_come_may_be_mended() {
    // Demand that has just risen above the shards is taken to stay for ten minutes.
    let risen = |load| {
        let case = Case::with(10, move |age| if age < 3 { load } else { 4.0 });
        case.plan().wanted().get()
    };
    check("no more than they take", risen(7.0), 8);
    // As far as the past makes believable: half as much again.
    check("three times what they take", risen(30.0), 45);
}

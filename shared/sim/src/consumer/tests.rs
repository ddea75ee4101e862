//! A consumer alone, on shards that are written to evenly.

use super::*;
use crate::stream::ShardSet;
use weir_core::units::Shards;

const MIB: f64 = 1_048_576.0;

fn settings(kind: ConsumerKind) -> ConsumerSettings {
    ConsumerSettings::healthy(ConsumerName::new("billing").expect("a name"), kind)
}

/// Two hours on eight shards, each written half of what it takes; from minute 60 on the stream has
/// so many.
fn run(settings: ConsumerSettings, then: u32) -> Vec<ConsumerMinute> {
    let mut reading = Reading::new(settings);
    let mut dice = Dice::new(1, "consumer");
    let mut shards = ShardSet::new(Shards::at_least_one(8));
    shards.reshard(Shards::at_least_one(then), 60 * 60);
    (0..120)
        .map(|minute| {
            let ends_at = 60 * (count(minute) + 1);
            let open = shards.open_at(ends_at - 60);
            let share = 8.0 / f64::from(u32::try_from(open.len()).expect("few"));
            let writes = open.iter().map(|shard| ShardWrites {
                shard,
                bytes: 30.0 * MIB * share,
                records: 30_000.0 * share,
            });
            reading.minute(minute, ends_at, writes, &mut dice)
        })
        .collect()
}

fn lag(minutes: &[ConsumerMinute], minute: usize) -> f64 {
    minutes[minute].lag_seconds.expect("a lag")
}

#[test]
fn one_that_is_gone_says_nothing_and_catches_up_when_it_is_back() {
    let gone = settings(ConsumerKind::Lambda).failing(FailureKind::Gone, 10..40);
    let minutes = run(gone, 8);
    assert!(minutes[10..40].iter().all(|m| *m == ConsumerMinute::default()));
    assert!(lag(&minutes, 9) == 0.0 && lag(&minutes, 40) > 1_500.0);
    // Four times as fast as what is written: thirty minutes of it take ten.
    assert!(lag(&minutes, 49) == 0.0 && lag(&minutes, 47) > 0.0);
}

#[test]
fn a_poisoned_shard_holds_the_oldest_record_while_the_others_are_read() {
    let poisoned = settings(ConsumerKind::Lambda).failing(FailureKind::Poison, 10..40);
    let minutes = run(poisoned, 8);
    assert_eq!((minutes[30].errors, lag(&minutes, 30)), (Some(12.0), 21.0 * 60.0));
    let (calls, errors) = (minutes[30].reads.expect("calls"), 12.0);
    // Most calls succeed: seven shards of eight are read.
    assert!(errors / calls < 0.1, "{calls}");
    assert_eq!(lag(&minutes, 60), 0.0);
}

#[test]
fn what_came_from_a_poisoned_shard_waits_for_it() {
    let poisoned = settings(ConsumerKind::Lambda).failing(FailureKind::Poison, 50..90);
    let minutes = run(poisoned, 16);
    // Shard 2 is stuck, and its two children behind it; the other fourteen are read.
    assert_eq!(lag(&minutes, 89), 40.0 * 60.0);
    let (before, stuck) = (minutes[40].reads.expect("calls"), minutes[80].reads.expect("calls"));
    assert!(stuck < before && stuck > 0.8 * before, "{stuck} for {before}");
    assert_eq!(lag(&minutes, 110), 0.0);
}

#[test]
fn new_shards_are_read_after_a_while_and_no_record_is_lost() {
    let slow_to_see =
        ConsumerSettings { new_shards_after_minutes: 20, ..settings(ConsumerKind::Kcl) };
    let minutes = run(slow_to_see, 4);
    assert_eq!(lag(&minutes, 60), 60.0);
    assert_eq!(lag(&minutes, 78), 19.0 * 60.0);
    assert!(lag(&minutes, 119) == 0.0);
}

#[test]
fn a_slow_one_falls_behind_by_four_fifths_of_the_time() {
    let minutes = run(settings(ConsumerKind::FanOut).failing(FailureKind::Slow, 10..60), 8);
    assert!((lag(&minutes, 59) - 0.8 * 50.0 * 60.0).abs() <= 120.0, "{}", lag(&minutes, 59));
}

#[test]
fn a_destination_that_takes_nothing_ages_what_was_read() {
    let undelivered = settings(ConsumerKind::Firehose).failing(FailureKind::Undelivered, 10..40);
    let minutes = run(undelivered, 8);
    assert_eq!(minutes[39].undelivered_seconds, Some(1_800.0));
    assert_eq!(minutes[40].undelivered_seconds, Some(60.0));
    assert_eq!(minutes[39].errors, None);
}

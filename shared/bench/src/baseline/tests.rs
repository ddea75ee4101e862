//! What the rules are known for, each in a few hours of made-up traffic, and what AWS refuses.

use super::*;
use weir_core::units::Share;
use weir_sim::trace::Recorded;

/// A trace of records alone, `load` giving shards' worth by minute; 256 bytes each.
fn trace(minutes: usize, load: impl Fn(usize) -> f64) -> Trace {
    let minute = |index| {
        let records = 60_000.0 * load(index);
        Minute { bytes: 256.0 * records, records }
    };
    let minutes = (0..minutes).map(minute).collect();
    Trace {
        name: "made-up".to_owned(),
        start: Timestamp::UNIX_EPOCH,
        minutes,
        recorded: Recorded::default(),
    }
}

fn play(trace: &Trace, rule: &mut dyn Rule) -> StreamRun {
    run(trace, rule, &Setting::BENCH)
}

/// Calls that were taken: minute, from, to.
fn taken(run: &StreamRun) -> Vec<(i64, u32, u32)> {
    run.reshards.iter().map(|r| (r.called_at.as_second() / 60, r.from, r.to)).collect()
}

fn sizes(run: &StreamRun) -> Vec<u32> {
    run.reshards.iter().map(|reshard| reshard.to).collect()
}

fn refused(run: &StreamRun) -> u64 {
    run.refused_calls.values().sum()
}

/// Asks for the sizes it was given, one a minute.
struct Script(VecDeque<Option<Call>>, Vec<Answer>);

impl Rule for Script {
    fn decide(&mut self, _: &History, _: Shards) -> Option<Call> {
        self.0.pop_front().flatten()
    }
    fn answered(&mut self, _: Call, answer: Answer) {
        self.1.push(answer);
    }
}

fn answers(calls: impl IntoIterator<Item = (usize, Call)>) -> Vec<Answer> {
    let mut script = Script(VecDeque::new(), Vec::new());
    for (minute, call) in calls {
        script.0.resize(minute, None);
        script.0.push_back(Some(call));
    }
    // 2.8 shards at 70 %: it starts with four.
    play(&trace(2 * 24 * 60, |_| 2.8), &mut script);
    script.1
}

#[test]
fn aws_refuses_what_is_too_far_too_soon_or_too_often() {
    use Answer::{Accepted, Refused};
    use Call::{SplitOrMerge, UpdateShardCount as To};
    assert_eq!(answers([(0, To(9)), (1, To(1)), (2, To(8))]), [Refused, Refused, Accepted]);
    assert_eq!(answers([(0, To(5)), (4, To(6)), (5, To(6))]), [Accepted, Refused, Accepted]);
    // The eleventh within a day; the first leaves the window exactly a day after it was made.
    let to = |index: usize| To(if index.is_multiple_of(2) { 5 } else { 4 });
    let day = (0..10).map(|index| (10 * index, to(index)));
    let calls = day.chain([(1439, To(5)), (1440, To(5))]);
    let mut expected = vec![Accepted; 10];
    expected.extend([Refused, Accepted]);
    assert_eq!(answers(calls), expected);
    assert_eq!(answers([(0, SplitOrMerge(7)), (1, SplitOrMerge(6))]), [Refused, Accepted]);
}

#[test]
fn the_aws_sample_takes_25_minutes_to_double_and_halves_in_a_cascade() {
    let step = trace(24 * 60, |minute| if minute < 60 { 0.5 } else { 11.0 });
    let grown = play(&step, &mut AwsSample::new(Shards::ONE));
    assert_eq!(sizes(&grown), [2, 4, 8, 16]);
    assert!((60 + 22..=60 + 25).contains(&taken(&grown)[0].0), "{:?}", taken(&grown));
    assert!((60 + 100..=60 + 120).contains(&taken(&grown)[3].0), "{:?}", taken(&grown));
    let fall = trace(24 * 60, |minute| if minute < 60 { 11.0 } else { 0.1 });
    let shrunk = play(&fall, &mut AwsSample::new(initial_shards(&fall)));
    assert_eq!(sizes(&shrunk), [8, 4, 2, 1]);
    let (first, last) = (taken(&shrunk)[0].0, taken(&shrunk)[3].0);
    assert!(first >= 285 && last - first <= 30, "{:?}", taken(&shrunk));
}

#[test]
fn scaling_utils_cannot_shrink_three_shards_and_splits_on_when_calls_are_spent() {
    let fall = trace(24 * 60, |minute| if minute < 60 { 3.4 } else { 0.1 });
    let shrunk = play(&fall, &mut ScalingUtils::default());
    assert_eq!(sizes(&shrunk).last(), Some(&3));
    // From 1 to 81 in steps of half: the eleventh is made by splits, two a minute.
    let flood = trace(24 * 60, |minute| if minute < 60 { 0.7 } else { 200.0 });
    let grown = play(&flood, &mut ScalingUtils::default());
    assert_eq!(grown.calls[UPDATE_SHARD_COUNT] - grown.refused_calls[UPDATE_SHARD_COUNT], 10);
    assert!(grown.calls[SPLIT_OR_MERGE] > 10, "{:?}", grown.calls);
    assert!(taken(&grown).iter().skip(10).all(|(_, from, to)| to - from <= 2));
}

#[test]
fn application_auto_scaling_steps_by_one_and_does_not_see_bytes() {
    let step = trace(3 * 60, |minute| if minute < 60 { 0.5 } else { 6.0 });
    let grown = taken(&play(&step, &mut ApplicationAutoScaling::default()));
    let to_three = grown.iter().position(|call| call.0 >= 60).expect("it grows");
    let steps = &grown[to_three..];
    assert!(steps.windows(2).all(|pair| pair[1].0 - pair[0].0 == 10 && pair[1].2 == pair[0].2 + 1));
    let mut heavy = trace(2 * 24 * 60, |_| 0.1);
    for minute in &mut heavy.minutes {
        minute.bytes *= 1_000.0;
    }
    let blind = play(&heavy, &mut ApplicationAutoScaling::default());
    assert!(sizes(&blind).last().is_some_and(|size| *size < 24), "{:?}", sizes(&blind));
    assert!(blind.minutes.last().is_some_and(|minute| minute.refused_share > 0.0));
}

#[test]
fn epsagon_sets_alarms_back_while_a_reshard_is_under_way_and_goes_on_after_it() {
    let step = trace(24 * 60, |minute| if minute < 60 { 0.5 } else { 12.0 });
    let grown = play(&step, &mut Epsagon::new(Shards::ONE));
    assert_eq!(sizes(&grown), [2, 4, 6, 9, 14, 21]);
    // Growing by a quarter leaves use above 75 % of what the alarms say, while the reshard is under
    // way.
    let flood = trace(24 * 60, |minute| if minute < 60 { 42.0 } else { 200.0 });
    let grown = play(&flood, &mut Epsagon::new(initial_shards(&flood)));
    assert_eq!(sizes(&grown)[..3], [75, 94, 118]);
    assert!(refused(&grown) > 0, "it asks again before the reshard is over");
    let fall = trace(3 * 24 * 60, |minute| if minute < 60 { 11.0 } else { 0.1 });
    let shrunk = play(&fall, &mut Epsagon::new(initial_shards(&fall)));
    assert!(taken(&shrunk)[0].0 >= 24 * 60, "a day must pass first: {:?}", taken(&shrunk));
    assert_eq!(sizes(&shrunk).last(), Some(&1));
}

#[test]
fn substation_takes_silence_for_what_was_before_it() {
    let low = trace(24 * 60, |minute| if minute < 60 { 11.0 } else { 0.1 });
    assert!(!play(&low, &mut Substation::new(initial_shards(&low))).reshards.is_empty());
    let silent = trace(24 * 60, |minute| if minute < 60 { 11.0 } else { 0.0 });
    assert!(play(&silent, &mut Substation::new(initial_shards(&silent))).reshards.is_empty());
    let step = trace(24 * 60, |minute| if minute < 60 { 0.5 } else { 12.0 });
    assert_eq!(sizes(&play(&step, &mut Substation::new(Shards::ONE))), [2, 4, 8, 14, 21]);
}

#[test]
fn plain_rules_follow_a_step_and_come_back() {
    let step = trace(24 * 60, |minute| if (60..600).contains(&minute) { 6.0 } else { 1.3 });
    let doubled = play(&step, &mut Thresholds::default());
    assert_eq!(sizes(&doubled), [4, 8, 4]);
    let share = Share::percent(60).expect("a share");
    let followed = play(&step, &mut TargetUse::new(share));
    assert_eq!(sizes(&followed), [4, 7, 10, 5, 3]);
    assert_eq!(refused(&followed), 0);
}

#[test]
fn on_demand_follows_a_peak_a_quarter_of_an_hour_late() {
    let step = trace(24 * 60, |minute| if minute < 60 { 1.0 } else { 6.0 });
    let run = on_demand(&step, &Setting::BENCH);
    assert_eq!(run.minutes[59].capacity_shards, 4.0);
    assert_eq!(run.minutes[74].refused_share, 1.0 - 4.0 / 6.0);
    assert_eq!((run.minutes[75].capacity_shards, run.minutes[75].refused_share), (12.0, 0.0));
}

#[test]
fn fixed_at_peak_refuses_nothing_that_is_scored() {
    let warm_up = trace(2 * 24 * 60, |minute| if minute < 60 { 9.0 } else { 3.2 });
    let run = fixed_at_peak(&warm_up, &Setting::BENCH);
    assert_eq!(run.initial_shards, 4);
    assert!(run.minutes[60..].iter().all(|minute| minute.refused_share == 0.0));
}

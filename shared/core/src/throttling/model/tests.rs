//! What is learnt of streams whose evenness is known.

use jiff::Timestamp;

use super::*;
use crate::throttling::{Evenness, HotKey};
use crate::units::ShardLoad;

fn observed(world: &Evenness, load: f64, shards: f64) -> ObservedMinute {
    let refused = world.refused_share(ShardLoad::new(load), shards);
    ObservedMinute { ended_at: Timestamp::UNIX_EPOCH, load, shards, refused }
}

/// Two days of a load that goes from 8 to 24 shards and back, on sizes that follow it with a
/// headroom that differs from hour to hour; what is learnt every three hours.
fn two_days(model: &mut ThrottlingModel, world: &Evenness) {
    let mut minutes = Vec::new();
    for minute in 0..2_880_u32 {
        let turn = f64::from(minute) / 1_440.0 * std::f64::consts::TAU;
        let load = 16.0 + 8.0 * turn.sin() + 0.3 * f64::from(minute * 7 % 11) / 11.0;
        let headroom = 1.0 + 0.5 * f64::from(minute / 60 * 5 % 8) / 8.0;
        minutes.push(observed(world, load, (load * headroom).ceil()));
        if minute % 180 == 179 {
            model.learn(&minutes, 0.125);
            minutes.clear();
        }
    }
}

#[test]
fn what_seconds_refuse_is_learnt_as_a_function_of_use() {
    let flushes: Vec<f64> = (0..60).map(|s| if s < 10 { 1.5 } else { 0.9 }).collect();
    let flushes = Evenness::new(&flushes, &[]).expect("seconds");
    let worlds = [1.2, 1.35, 1.7].map(Evenness::with_busiest_second);
    for world in worlds.into_iter().chain([Evenness::EVEN, flushes]) {
        let mut model = ThrottlingModel::default();
        two_days(&mut model, &world);
        for shards in [18.0, 20.0, 22.0, 24.0] {
            let learnt = model.refused_share(16.0, shards);
            let truth = world.refused_share(ShardLoad::new(16.0), shards);
            assert!((learnt - truth).abs() < 0.004, "{shards} for 16: {learnt} for {truth}");
        }
        let groups = model.seconds_groups();
        let mean: f64 = groups.iter().map(|group| group.share * group.factor).sum();
        assert!((mean - 1.0).abs() < 1e-6, "{mean}");
        assert_eq!(model.hot_key(16.0, 20.0), None);
    }
}

#[test]
fn the_use_from_which_on_writes_are_refused_is_that_of_the_stream() {
    for busiest in [1.2, 1.35, 1.7] {
        let world = Evenness::with_busiest_second(busiest);
        let refused = |percent: u32| {
            let load = ShardLoad::new(f64::from(percent) / 10.0);
            world.refused_share(load, 10.0)
        };
        let truth = (1..=100).find(|percent| refused(*percent) > 0.001).map_or(1.0, f64::from);
        let mut model = ThrottlingModel::default();
        two_days(&mut model, &world);
        let learnt = 100.0 * model.refuses_from_use();
        assert!((learnt - truth).abs() < 6.0, "{busiest}: {learnt} for {truth} %");
    }
}

#[test]
fn a_hot_key_is_told_from_busy_seconds() {
    let factors: Vec<f64> = (0..60).map(|s| 1.0 + 0.2 * (f64::from(s) - 29.5) / 29.5).collect();
    let key = HotKey { place: 0.3141, share: 0.1 };
    let world = Evenness::new(&factors, &[key]).expect("a key");
    let mut model = ThrottlingModel::default();
    two_days(&mut model, &world);
    let (all, curable) = (model.refused_share(20.0, 30.0), model.curable_share(20.0, 30.0));
    let truth = world.refused_share(ShardLoad::new(20.0), 30.0);
    assert!((all - truth).abs() < 0.01, "{all} for {truth}");
    assert!(curable < 0.005, "{curable} of {all}");
    let share = model.hot_key(20.0, 30.0).expect("a hot key");
    assert!((0.05..0.2).contains(&share), "{share}");
}

#[test]
fn busier_seconds_are_noticed_within_minutes() {
    let mut model = ThrottlingModel::default();
    two_days(&mut model, &Evenness::with_busiest_second(1.2));
    assert!(model.refused_share(16.0, 21.0) < 0.002);
    let minute = observed(&Evenness::with_busiest_second(1.7), 16.0, 20.0);
    model.hear_news(&[minute; 10]);
    let learnt = model.refused_share(16.0, 20.0);
    assert!(learnt > 0.45 * minute.refused, "{learnt} for {}", minute.refused);
}

#[test]
fn little_is_assumed_and_calm_minutes_take_it_away() {
    let mut model = ThrottlingModel::default();
    assert!((0.005..0.1).contains(&model.refused_share(10.0, 12.0)));
    model.learn(&[observed(&Evenness::EVEN, 10.0, 12.0); 60], 0.0);
    let learnt = model.refused_share(10.0, 12.0);
    assert!(learnt < 0.002, "{learnt}");
    assert!(model.refused_share(10.0, 10.0) > 0.01, "what was not tried is not known");
}

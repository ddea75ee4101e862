//! What schedules may say, and each fault.

use crate::policy::schedule::{Need, Schedule};
use crate::policy::{Governance, Policy, parse};
use crate::units::StreamName;

fn file(schedules: &str) -> String {
    format!("version = 1\n[[streams]]\nmatch = \"orders\"\nmax_shards = 100\n{schedules}")
}

fn policy(schedules: &str) -> Policy {
    let (set, faults) = parse("orders.toml", &file(schedules));
    assert_eq!(faults, []);
    let orders = StreamName::new("orders").expect("a name");
    let Governance::By(policy) = set.governing(&orders) else { panic!("not governed") };
    policy.clone()
}

#[test]
fn both_kinds_of_event_are_read() {
    let policy = policy(
        "[[streams.schedule]]\nname = \"market open\"\ndays = [\"mon\", \"fri\"]\nfrom = \"07:45\"\n\
         until = \"10:00\"\ntime_zone = \"Europe/Berlin\"\nmin_shards = 40\n\
         [[streams.schedule]]\nname = \"sale\"\nfrom = \"2026-11-27T00:00:00Z\"\n\
         until = \"2026-11-28T07:00:00+01:00\"\nmin_shards = 100\n",
    );
    let now = "2026-11-27T05:00:00Z".parse().expect("a timestamp");
    let until = "2026-11-28T05:00:00Z".parse().expect("a timestamp");
    let found: Vec<String> = policy
        .schedules
        .iter()
        .flat_map(|schedule| {
            schedule.occurrences(now, until).into_iter().map(move |one| {
                let Schedule { name, need, when: _ } = schedule;
                format!("{name}: {need:?}, {} to {}", one.starts, one.ends)
            })
        })
        .collect();
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn no_days_are_all_days() {
    let policy = policy(
        "[[streams.schedule]]\nname = \"import\"\nfrom = \"22:00\"\nuntil = \"02:00\"\n\
         time_zone = \"UTC\"\nmin_shards = 8\n",
    );
    let [now, until] = ["2026-11-23T12:00:00Z", "2026-11-30T12:00:00Z"]
        .map(|text| text.parse().expect("a timestamp"));
    assert_eq!(policy.schedules[0].occurrences(now, until).len(), 7);
}

#[test]
fn all_faults_of_a_schedule_are_told_at_once() {
    let (_, faults) = parse(
        "orders.toml",
        &file(
            "[[streams.schedule]]\nname = \"\"\ndays = [\"mon\", \"friday\"]\nfrom = \"7:45\"\n\
             until = \"10:00\"\ntime_zone = \"Berlin\"\nmin_shards = 400\nmin = 1\n\
             [[streams.schedule]]\nfrom = \"07:45\"\nuntil = \"10:00\"\ndays = []\n\
             [[streams.schedule]]\nname = \"sale\"\nfrom = \"2026-11-27T00:00:00Z\"\n\
             until = \"2026-11-26T00:00:00Z\"\ntime_zone = \"UTC\"\nmin_shards = 9\n\
             [[streams.schedule]]\nname = \"sale\"\nfrom = \"2026-11-27T00:00:00Z\"\n\
             until = \"10:00\"\nmin_shards = 9\n",
        ),
    );
    let faults: String = faults.iter().map(|fault| format!("{fault}\n")).collect();
    insta::assert_snapshot!(faults);
}

#[test]
fn an_event_may_need_the_mode_on_demand_where_switches_are_allowed() {
    let sale = "[[streams.schedule]]\nname = \"sale\"\nfrom = \"2026-11-27T00:00:00Z\"\n\
                until = \"2026-11-28T00:00:00Z\"\ncapacity_mode = \"on_demand\"\n";
    let policy = policy(&format!("mode_switches = \"automatic\"\n{sale}"));
    assert_eq!(policy.schedules[0].need, Need::OnDemand);
    let both = sale.to_owned() + "min_shards = 9\n";
    let other = sale.replace("on_demand", "provisioned");
    let faults = [sale, both.as_str(), other.as_str()].map(|text| {
        let (_, faults) = parse("orders.toml", &file(text));
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    });
    insta::assert_snapshot!(faults.join("\n"));
}

#[test]
fn schedule_is_a_list_of_tables() {
    let (_, faults) = parse("orders.toml", &file("schedule = \"07:45\"\n"));
    let faults: String = faults.iter().map(|fault| format!("{fault}\n")).collect();
    insta::assert_snapshot!(faults);
}

//! Which capacity mode a plan asks for, when it holds a switch back, and what it says of it.
//!
//! Not here: what the ledger allows over a day (`mode_switches`), and whole runs (`weir-bench` has
//! them).

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

mod support;

use support::{after, history, now, observation, series, shards};
use weir_core::action::{ActionRecord, Change, Outcome};
use weir_core::history::History;
use weir_core::limits::prices::US_EAST_1;
use weir_core::observation::CapacityMode::{OnDemand, Provisioned};
use weir_core::observation::{CapacityMode, Observation, OnDemandFeature, Signal};
use weir_core::plan::{Action, DAYS_OBSERVED, DAYS_PERIOD_SECONDS, MINUTES_OBSERVED, Plan, plan};
use weir_core::policy::schedule::{Need, Schedule, Span, When};
use weir_core::policy::{AccountPrices, ModeSwitches, OperatingMode, Policy};
use weir_core::reasons::HoldReason;
use weir_core::series::TrafficPoint;

const TO_ON_DEMAND: Action = Action::SwitchMode { from: Provisioned, to: OnDemand };
const BACK: Action = Action::SwitchMode { from: OnDemand, to: Provisioned };

/// A stream, its past, and what its policy lets Weir do.
struct Case {
    policy: Policy,
    observation: Observation,
    history: History,
}

impl Case {
    /// A provisioned stream of which all days are known, by the age of its load in minutes.
    fn with(open: u32, load: impl Fn(u32) -> f64) -> Case {
        let days = series(DAYS_OBSERVED * 288, DAYS_PERIOD_SECONDS, &load);
        Case {
            policy: Policy {
                operating_mode: OperatingMode::Act,
                mode_switches: ModeSwitches::Automatic,
                ..Policy::DEFAULT
            },
            observation: observation(open, series(MINUTES_OBSERVED, 60, &load)),
            history: history(days, Vec::new()),
        }
    }

    fn on_demand(mut self) -> Case {
        self.observation.state.mode = OnDemand;
        self
    }

    fn having_made(mut self, changes: impl IntoIterator<Item = (i64, Change)>) -> Case {
        let made = changes.into_iter().map(|(minutes_ago, change)| ActionRecord {
            at: after(-minutes_ago),
            change,
            outcome: Outcome::Accepted,
        });
        self.history.actions.get_or_insert_default().extend(made);
        self
    }

    /// Switches so many minutes ago, the newest last: to the mode that it is in now.
    fn having_switched(self, minutes_ago: &[i64]) -> Case {
        let mode = self.observation.state.mode;
        let to = |index: usize| match (minutes_ago.len() - index) % 2 {
            1 => mode,
            _ => mode.other(),
        };
        let switches: Vec<_> = minutes_ago
            .iter()
            .enumerate()
            .map(|(index, ago)| (*ago, Change::SwitchMode { to: to(index) }))
            .collect();
        self.having_made(switches)
    }

    fn having_spent_all_reshards(self) -> Case {
        let open = self.observation.state.open_shards;
        let call = Change::Reshard { from: open, to: open };
        self.having_made((0..10).map(|call_at| (30 + call_at, call)))
    }

    fn plan(&self) -> Plan {
        plan(&self.policy, &self.observation, &self.history, now())
    }

    fn action(&self) -> Action {
        self.plan().action
    }
}

/// A load that stood at 4 and has been at this height for three minutes.
fn surge(to: f64) -> Case {
    Case::with(6, move |age| if age < 3 { to } else { 4.0 })
}

/// A burst of 20 shards' load for five minutes in eight hours, and silence between: the last was an
/// hour ago.
fn bursts(open: u32) -> Case {
    Case::with(open, |age| if age % 480 / 5 == 12 { 20.0 } else { 0.01 })
}

/// The same, and one shard's load in between: too much to be cheaper on demand at the prices of
/// Standard.
fn bursts_over_a_base() -> Case {
    Case::with(20, |age| if age % 480 / 5 == 12 { 20.0 } else { 1.0 })
}

/// A stream of the size it should have.
fn calm() -> Case {
    Case::with(4, |_| 2.8)
}

/// Went on demand for a crowd that has been gone for this long, with room enough in the shards that
/// wait.
fn calm_again(minutes: u32) -> Case {
    let load = move |age| if (minutes..minutes + 90).contains(&age) { 60.0 } else { 3.2 };
    Case::with(6, load).on_demand().having_switched(&[i64::from(minutes) + 88])
}

#[test]
fn a_surge_that_doubling_cannot_meet_goes_on_demand() {
    assert_eq!(surge(120.0).action(), TO_ON_DEMAND);
}

#[test]
fn a_surge_that_one_reshard_meets_is_resharded() {
    let action = surge(9.0).action();
    assert!(matches!(action, Action::Reshard { to, .. } if to >= shards(9)), "{action:?}");
}

/// What one reshard would have met is out of reach once none is left.
#[test]
fn with_the_reshards_spent_a_small_surge_goes_on_demand_too() {
    assert_eq!(surge(20.0).having_spent_all_reshards().action(), TO_ON_DEMAND);
}

#[test]
fn where_the_policy_says_never_nothing_is_switched() {
    for mut case in [surge(120.0), bursts(1), calm_again(30)] {
        assert!(matches!(case.action(), Action::SwitchMode { .. }), "{:?}", case.action());
        case.policy.mode_switches = ModeSwitches::Never;
        assert!(!matches!(case.action(), Action::SwitchMode { .. }), "{:?}", case.action());
    }
}

#[test]
fn without_a_ledger_nothing_is_switched() {
    for mut case in [surge(120.0), bursts(1), calm_again(30)] {
        case.history.actions = None;
        assert!(!matches!(case.action(), Action::SwitchMode { .. }), "{:?}", case.action());
    }
}

#[test]
fn what_is_cheaper_on_demand_goes_there_and_does_not_come_back_at_once() {
    assert_eq!(bursts(1).action(), TO_ON_DEMAND);
    let there = bursts(1).on_demand().having_switched(&[600]);
    assert_eq!(there.action(), Action::Hold(HoldReason::StreamOnDemand));
}

/// A stream that is there already and would go back at the prices of Standard stays at those of
/// Advantage too.
#[test]
fn the_mode_is_chosen_by_the_prices_that_the_account_has() {
    let mut cheaper_gb = AccountPrices::DEFAULT;
    cheaper_gb.on_demand.in_gb_usd = 0.03;
    let mut dearer_shards = AccountPrices::DEFAULT;
    dearer_shards.provisioned.shard_hour_usd = 0.05;
    let advantage = AccountPrices::advantage(&US_EAST_1);
    let priced = |case: Case, prices| Case { policy: Policy { prices, ..case.policy }, ..case };
    let there = || bursts_over_a_base().on_demand().having_switched(&[3_000]);

    let stays = bursts_over_a_base().plan();
    assert_eq!((stays.wanted_mode, there().action()), (None, BACK));
    for prices in [advantage, cheaper_gb, dearer_shards] {
        let plan = priced(bursts_over_a_base(), prices).plan();
        assert_eq!(plan.action, TO_ON_DEMAND, "{prices:?}");
        let why = "mode: better on demand, as the past days would have been cheaper there";
        assert!(plan.explain().iter().any(|line| line == why), "{:#?}", plan.explain());
        let stays = Action::Hold(HoldReason::StreamOnDemand);
        assert_eq!(priced(there(), prices).action(), stays, "{prices:?}");
    }
}

#[test]
fn saving_money_leaves_the_last_switch_and_an_emergency_takes_it() {
    let cheaper = bursts(1).having_switched(&[600]);
    assert_eq!(cheaper.action(), Action::Hold(HoldReason::ModeSwitchReserved));
    // The way back is free again in two hours.
    assert_eq!(surge(120.0).having_switched(&[22 * 60]).action(), TO_ON_DEMAND);
}

#[test]
fn with_both_switches_spent_a_provisioned_stream_goes_on_resharding() {
    let action = surge(120.0).having_switched(&[600, 300]).action();
    assert_eq!(action, Action::Reshard { from: shards(6), to: shards(12) });
    let stuck = surge(120.0).having_switched(&[600, 300]).having_spent_all_reshards();
    assert_eq!(stuck.action(), Action::Hold(HoldReason::ModeSwitchesSpent));
}

#[test]
fn with_both_switches_spent_a_stream_on_demand_stays_and_says_so() {
    let case = calm_again(30).having_switched(&[600]);
    assert_eq!(case.action(), Action::Hold(HoldReason::ModeSwitchesSpent));
}

#[test]
fn a_stream_returns_when_the_surge_has_been_over_for_a_while() {
    assert_eq!(calm_again(30).action(), BACK);
    let during = Case::with(6, |age| if age < 90 { 60.0 } else { 4.0 }).on_demand();
    assert_eq!(during.having_switched(&[88]).action(), Action::Hold(HoldReason::StreamOnDemand));
}

#[test]
fn a_stream_does_not_return_on_what_nobody_knows() {
    let mut gap = calm_again(30);
    let Signal::Known { value: minutes, .. } = &mut gap.observation.minutes else { panic!() };
    let newest = minutes.points.len() - 10;
    minutes.points[newest] = TrafficPoint::default();
    let mut blind = calm_again(30);
    blind.observation.minutes = Signal::Missing("CloudWatch is down".to_owned());
    let outage =
        Case::with(6, |age| if age < 25 { 0.1 } else { 4.0 }).on_demand().having_switched(&[88]);
    for (what, case) in [("a gap", gap), ("no metrics", blind), ("an outage", outage)] {
        assert_eq!(case.action(), Action::Hold(HoldReason::StreamOnDemand), "{what}");
    }
}

#[test]
fn a_stream_that_uses_what_only_on_demand_has_stays_and_says_so() {
    let mut case = calm_again(30);
    case.observation.state.held_on_demand_by = Some(OnDemandFeature::Channels);
    assert_eq!(case.action(), Action::Hold(HoldReason::HeldOnDemand));
}

impl Case {
    /// Two hours on demand, which begin in so many minutes, are in the policy.
    fn with_event(mut self, begins: i64) -> Case {
        let span = Span::new(after(begins), after(begins + 120)).expect("a span");
        let event =
            Schedule { name: "sale".to_owned(), when: When::Once(span), need: Need::OnDemand };
        self.policy.schedules.push(event);
        self
    }
}

#[test]
fn a_stream_is_on_demand_when_a_scheduled_event_begins_and_until_it_ends() {
    let event = |begins| calm().with_event(begins);
    let early = event(25).plan();
    assert_eq!((early.action, early.revisit_at), (Action::Hold(HoldReason::OnTarget), after(7)));
    assert_eq!(event(17).plan().revisit_at, after(2));
    assert_eq!(event(15).action(), TO_ON_DEMAND);
    assert_eq!(event(-119).action(), TO_ON_DEMAND);
    assert_eq!(event(-120).action(), Action::Hold(HoldReason::OnTarget));
    let stays = Action::Hold(HoldReason::StreamOnDemand);
    assert_eq!(calm_again(30).with_event(-60).action(), stays);
    assert_eq!(calm_again(30).with_event(-120).action(), BACK);
}

#[test]
fn a_scheduled_event_takes_the_last_switch_and_needs_no_data() {
    let mut blind = calm().with_event(10).having_switched(&[600]);
    blind.observation.minutes = Signal::Missing("CloudWatch is down".to_owned());
    blind.history.days.points.clear();
    assert_eq!(blind.action(), TO_ON_DEMAND);
    let spent = calm().with_event(10).having_switched(&[600, 300]);
    assert_eq!(spent.action(), Action::Hold(HoldReason::ModeSwitchesSpent));
}

#[test]
fn a_stream_waits_on_demand_for_an_event_it_could_not_come_back_for() {
    let reserved = Action::Hold(HoldReason::ModeSwitchReserved);
    assert_eq!(calm_again(30).with_event(300).action(), reserved);
    let mut free_again = calm_again(30).with_event(300);
    free_again.history.actions = Some(Vec::new());
    assert_eq!(free_again.action(), BACK);
}

#[test]
fn a_paused_stream_keeps_its_mode() {
    for mut case in [surge(120.0), calm_again(30)] {
        case.history.paused = true;
        assert_eq!(case.action(), Action::Hold(HoldReason::Paused));
    }
}

#[test]
fn a_switch_is_asked_for_once() {
    let asked = |mode: CapacityMode, case: Case| {
        case.having_made([(0, Change::SwitchMode { to: mode.other() })]).action()
    };
    let settling = Action::Hold(HoldReason::ModeSwitchSettling);
    assert_eq!(asked(Provisioned, surge(120.0)), settling);
    assert_eq!(asked(OnDemand, calm_again(30)), settling);
}

#[test]
fn a_plan_says_which_mode_is_better_and_why_and_what_withholds_it() {
    let said = |case: Case| {
        let lines = case.plan().explain();
        let told = |line: &String| line.starts_with("mode:") || line.starts_with("action:");
        lines.into_iter().filter(told).collect::<Vec<_>>().join("\n")
    };
    let cases = [
        surge(120.0),
        surge(120.0).having_switched(&[600, 300]),
        bursts(1).having_switched(&[600]),
        calm_again(30),
        calm().with_event(10),
    ];
    insta::assert_snapshot!(cases.map(said).join("\n"));
}

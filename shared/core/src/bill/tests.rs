//! Bills and choices against worked examples: AWS's own where it gives one, and sums done by hand.

use proptest::prelude::*;

use super::*;
use crate::limits::SHARD_WRITE_BYTES_PER_SECOND;
use crate::limits::prices::{Prices, US_EAST_1};
use crate::observation::CapacityMode;
use crate::units::{BytesPerSecond, RecordsPerSecond, Shards};

const KB: f64 = 1_024.0;

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 0.005 + 1e-4 * expected, "{found} for {expected}");
}

/// `hours` of so many records a second.
fn steady(hours: f64, records_per_second: f64, record_bytes: f64) -> Stretch {
    let records = hours * 3_600.0 * records_per_second;
    Stretch { hours, written: Written { bytes: records * record_bytes, records } }
}

fn read_by(polling: u32, fan_out: u32) -> Setup {
    Setup { readers: Readers { polling, fan_out }, ..Setup::PLAIN }
}

#[test]
fn records_are_rounded_each_for_itself() {
    let of = |bytes: f64| Written { bytes: 1_000.0 * bytes, records: 1_000.0 };
    // The examples of the pricing page: 4.5 KB count as 5 KB; 5 KB are one unit, 45 KB two, 1 MB
    // forty (41, with a MB of 1,024 KB).
    near(of(4.5 * KB).billable_gb() * GB_BYTES, 1_000.0 * 5.0 * KB);
    near(of(KB + 1e-6).billable_gb() * GB_BYTES, 1_000.0 * KB);
    near(of(KB + 1.0).billable_gb() * GB_BYTES, 2_000.0 * KB);
    let units = [5.0, 25.0, 45.0, 1_000.0, 1_024.0].map(|kb| of(kb * KB).put_units());
    assert_eq!(units, [1_000.0, 1_000.0, 2_000.0, 40_000.0, 41_000.0]);
    assert_eq!(Written::default().put_units() + Written::default().billable_gb(), 0.0);
}

/// The example of the pricing page: 100 records of 35 KB a second on four shards, for a day.
#[test]
fn a_provisioned_day_as_aws_reckons_it() {
    let Stretch { hours, written } = steady(24.0, 100.0, 35.0 * KB);
    assert_eq!(written.put_units(), 17_280_000.0);
    let bill = US_EAST_1.provisioned.bill(4.0 * hours, written, Setup::PLAIN);
    near(bill.capacity.get(), 1.44);
    near(bill.writes.get(), 0.2419);
    near(bill.total().get(), 1.68);
    // Two consumers with enhanced fan-out and a week of retention.
    let setup = Setup { retention_hours: 168, ..read_by(0, 2) };
    let bill = US_EAST_1.provisioned.bill(4.0 * hours, written, setup);
    near(bill.fan_out.get(), 2.0 * (1.44 + 288.391 * 0.013));
    near(bill.retention.get(), 96.0 * 0.020);
    // Polling is free.
    assert_eq!(US_EAST_1.provisioned.bill(96.0, written, read_by(5, 0)).reads.get(), 0.0);
}

#[test]
fn an_on_demand_month_by_hand() {
    // 1,000 records of 1.5 KB a second: 2 KB each are billed coming in, 1.5 going out.
    let Stretch { hours, written } = steady(730.0, 1_000.0, 1.5 * KB);
    let (gb, billable) = (3_759.384, 5_012.512);
    let setup = Setup { retention_hours: 30 * 24, ..read_by(2, 1) };
    let bill = US_EAST_1.standard.bill(hours, written, setup);
    near(bill.capacity.get(), 29.20);
    near(bill.writes.get(), billable * 0.08);
    near(bill.reads.get(), 2.0 * gb * 0.04);
    near(bill.fan_out.get(), gb * 0.05);
    // Each GB spends six days at one price and 23 at the other.
    near(bill.retention.get(), gb * (144.0 * 0.10 + 552.0 * 0.023) / 730.0);
    assert_eq!(bill.parts().iter().map(|usd| usd.get()).sum::<f64>(), bill.total().get());
}

#[test]
fn advantage_costs_its_commitment_until_traffic_exceeds_it() {
    let hour = |mib: f64| {
        let Stretch { hours, written } = steady(1.0, 1_000.0 * mib, KB * 1.024);
        US_EAST_1.advantage.bill(
            hours,
            Written { records: written.bytes / KB, ..written },
            read_by(1, 0),
        )
    };
    near(hour(0.0).total().get(), 4.21875);
    near(hour(25.0 / 1.024).total().get() - hour(12.0).total().get(), 0.0);
    assert!(hour(40.0).capacity.get() == 0.0 && hour(40.0).total().get() > 6.0);
}

#[test]
fn bills_add_up_over_time() {
    let rates = [(3.0, 700.0), (0.0, 700.0), (40.0, 700.0)];
    let bill = |s: Stretch| US_EAST_1.standard.bill(s.hours, s.written, read_by(1, 1));
    let parts: Bill = rates.iter().map(|(r, size)| bill(steady(2.0, *r, *size))).sum();
    let whole = bill(steady(6.0, 43.0 / 3.0, 700.0));
    near(1e6 * parts.total().get(), 1e6 * whole.total().get());
    near(parts.times(2.0).total().get(), 2.0 * whole.total().get());
}

/// Sums done elsewhere: C_od(u) = C_prov(u) for records of a size, S shards and K polling
/// consumers.
#[test]
fn the_break_even_lies_where_the_bills_cross() {
    let percent = |shards, bytes, polling| {
        break_even_use(&US_EAST_1, Shards::at_least_one(shards), bytes, read_by(polling, 0))
            .map(|share| (1e4 * share).round() / 100.0)
    };
    assert_eq!([percent(1, KB, 1), percent(2, KB, 1)], [None, None]);
    assert_eq!([percent(3, KB, 1), percent(3, 5.0 * KB, 1)], [Some(0.46), Some(0.4)]);
    assert_eq!([percent(10, KB, 1), percent(10, KB, 2)], [Some(3.04), Some(2.2)]);
    assert_eq!([percent(10, 200.0, 1), percent(3, 200.0, 1)], [Some(4.38), Some(0.66)]);
}

#[test]
fn the_cheaper_mode_is_chosen_and_a_tie_stays_provisioned() {
    use CapacityMode::{OnDemand, Provisioned};
    let cases = [
        (Offer::Usd(2.0), Offer::Usd(1.0), Choice::Cheaper(OnDemand)),
        (Offer::Usd(1.0), Offer::Usd(1.0), Choice::Cheaper(Provisioned)),
        (Offer::Impossible, Offer::Usd(9.0), Choice::Only(OnDemand)),
        (Offer::Usd(9.0), Offer::Impossible, Choice::Only(Provisioned)),
        (Offer::Impossible, Offer::Impossible, Choice::Neither),
    ];
    for (provisioned, on_demand, choice) in cases {
        assert_eq!(cheaper(provisioned, on_demand), choice);
    }
}

fn month(stretches: &[Stretch], setup: Setup, measured: Option<Measured>) -> Estimate {
    estimate(&US_EAST_1, stretches, setup, measured, Usd::cents(80))
}

#[test]
fn steady_traffic_is_provisioned_and_mostly_idle_traffic_on_demand() {
    let steady_month = month(&[steady(730.0, 8_000.0, KB)], read_by(1, 0), None);
    assert_eq!(steady_month.shards_at_peak.get(), 8);
    assert_eq!(steady_month.choice, Choice::Cheaper(CapacityMode::Provisioned));
    near(steady_month.right_sized.capacity.get(), 8.0 * 0.015 * 730.0);
    // One busy hour of a month.
    let rare = [steady(1.0, 80_000.0, KB), steady(729.0, 1.0, KB)];
    let rare = month(
        &rare,
        read_by(1, 0),
        Some(Measured { mean_open_shards: 40.0, ..Measured::default() }),
    );
    assert_eq!(rare.shards_at_peak.get(), 80);
    assert!(rare.mean_use < rare.break_even_use.expect("wide enough"));
    assert_eq!(rare.choice, Choice::Cheaper(CapacityMode::OnDemand));
}

#[test]
fn whoever_polls_needs_shards_too_and_throttling_weighs() {
    // Four consumers read 4 MiB a second: two shards' worth of reading where one takes the writes.
    let read =
        month(&[steady(730.0, 100.0, SHARD_WRITE_BYTES_PER_SECOND / 100.0)], read_by(4, 0), None);
    assert_eq!(read.shards_at_peak.get(), 2);
    let idle = |throttled| {
        let measured = Measured { mean_open_shards: 6.0, throttled, throttled_on_demand: 0.0 };
        month(&[steady(730.0, 1_000.0, KB)], Setup::PLAIN, Some(measured)).choice.mode()
    };
    assert_eq!(idle(0.0), Some(CapacityMode::Provisioned));
    assert_eq!(idle(0.5), Some(CapacityMode::OnDemand));
}

#[test]
fn what_no_stream_can_take_is_not_chosen() {
    let rates = |mb: f64| Rates { bytes: BytesPerSecond(mb * 1e6), records: RecordsPerSecond(1.0) };
    assert!(
        rates(9_999.0).fits_on_demand("us-east-1") && !rates(201.0).fits_on_demand("eu-north-1")
    );
    let huge = month(&[steady(730.0, 10_500_000.0, 900.0)], Setup::PLAIN, None);
    assert_eq!(huge.choice, Choice::Only(CapacityMode::OnDemand));
}

#[test]
fn a_region_without_prices_is_not_guessed() {
    assert_eq!(Prices::of_region("us-east-1"), Some(&US_EAST_1));
    assert_eq!(Prices::of_region("eu-west-1"), None);
}

/// What an hour at so much use costs in either mode: provisioned, on demand.
fn hour(shards: u32, record_bytes: f64, use_share: f64, setup: Setup) -> [f64; 2] {
    let per_shard = 1_000.0_f64.min(SHARD_WRITE_BYTES_PER_SECOND / record_bytes);
    let Stretch { hours, written } =
        steady(1.0, use_share * per_shard * f64::from(shards), record_bytes);
    [
        US_EAST_1.provisioned.bill(f64::from(shards), written, setup).total().get(),
        US_EAST_1.standard.bill(hours, written, setup).total().get(),
    ]
}

proptest! {
    #[test]
    fn below_the_break_even_on_demand_is_cheaper_and_above_it_is_not(
        shards in 1u32..3_000,
        record_bytes in 1.0f64..200_000.0,
        polling in 0u32..6,
        fan_out in 0u32..6,
        retention_hours in 24u32..1_000,
    ) {
        let setup = Setup { readers: Readers { polling, fan_out }, retention_hours };
        let of_shards = Shards::at_least_one(shards);
        match break_even_use(&US_EAST_1, of_shards, record_bytes, setup) {
            None => {
                let [provisioned, on_demand] = hour(shards, record_bytes, 0.0, setup);
                prop_assert!(provisioned <= on_demand);
            }
            Some(share) => {
                let [provisioned, on_demand] = hour(shards, record_bytes, 0.98 * share, setup);
                prop_assert!(on_demand < provisioned, "{} < {}", on_demand, provisioned);
                let [provisioned, on_demand] = hour(shards, record_bytes, 1.02 * share, setup);
                prop_assert!(on_demand > provisioned, "{} > {}", on_demand, provisioned);
            }
        }
    }
}

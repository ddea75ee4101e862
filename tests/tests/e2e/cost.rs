//! What Weir asks AWS for when nothing happens: the counts that docs/cost.md multiplies with
//! prices.

use std::collections::BTreeMap;

use weir_tests::{Result, Service};

use crate::installation::{Installation, STREAM, schedule};

impl Installation {
    /// Calls since the record was cleared, by name.
    fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.world.proxy().calls() {
            *counts.entry(call.operation).or_default() += 1;
        }
        counts
    }

    /// Metrics asked for: what CloudWatch bills.
    fn metrics_asked(&self) -> usize {
        let calls = self.world.proxy().calls_of("GetMetricData");
        let queries = calls.iter().filter_map(|call| call.body["MetricDataQueries"].as_array());
        queries.flatten().filter(|query| query["MetricStat"].is_object()).count()
    }
}

#[test]
fn a_calm_stream_costs_what_the_page_says() -> Result<()> {
    let installation = Installation::with_stream(4, 0.8)?;
    let proxy = installation.world.proxy();
    installation.sync_alarms.invoke(schedule())?;
    let alarms = installation.world.alarms()?;
    let metrics_of = |alarm: &serde_json::Value| {
        let metrics = alarm["Metrics"].as_array();
        metrics.map_or(1, |all| all.iter().filter(|one| one["MetricStat"].is_object()).count())
    };
    assert_eq!(alarms.iter().map(metrics_of).sum::<usize>(), 3, "metrics in its alarms");
    let synced = proxy.calls_of("PutMetricAlarm").len();
    proxy.forget_calls();
    installation.sync_alarms.invoke(schedule())?;
    let hourly = installation.counts();
    assert_eq!((synced, hourly.get("PutMetricAlarm")), (2, None), "an hour later: {hourly:?}");

    // The first look connects, learns, and reads the days for an hour; the second is one of many.
    proxy.forget_calls();
    installation.surge()?;
    assert_eq!(installation.metrics_asked(), 7, "metrics asked for in the first look at {STREAM}");
    proxy.forget_calls();
    installation.surge()?;
    let look = installation.counts();
    assert_eq!(installation.metrics_asked(), 4, "metrics asked for in a later look at {STREAM}");
    let ledger = proxy.calls().into_iter().filter(|call| call.service == Service::DynamoDb);
    assert_eq!(ledger.count(), 4, "{look:?}");

    // Nothing is due: most ticks are like this one.
    proxy.forget_calls();
    installation.plan_capacity.invoke(schedule())?;
    assert_eq!(installation.counts(), BTreeMap::from([("Query".to_owned(), 1)]));
    Ok(())
}

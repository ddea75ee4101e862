//! ListMetrics: whether a metric exists at all.
//!
//! An alarm on a metric that never was says nothing, or worse, that nothing is read. Not here:
//! values.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::types::{DimensionFilter, Metric};
use weir_control::ports::{Failure, FindMetric, PortResult};
use weir_core::alarms::MetricId;

use crate::Aws;
use crate::errors::Call;

const LIST_METRICS: Call = Call::read("ListMetrics");

impl FindMetric for Aws {
    async fn metric_exists(&self, metric: &MetricId) -> PortResult<bool> {
        let filter = |(name, value): &(String, String)| {
            DimensionFilter::builder().name(name).value(value).build()
        };
        let filters: Vec<DimensionFilter> = metric.dimensions.iter().map(filter).collect();
        let mut token: Option<String> = None;
        loop {
            self.paces.list_metrics.turn().await;
            let page = self
                .clients
                .cloudwatch()
                .list_metrics()
                .namespace(&metric.namespace)
                .metric_name(&metric.name)
                .set_dimensions(Some(filters.clone()))
                .set_next_token(token.clone())
                .send()
                .await
                .map_err(|e| LIST_METRICS.failed(e))?;
            if page.metrics().iter().any(|found| has_dimensions(found, metric)) {
                return Ok(true);
            }
            match page.next_token {
                None => return Ok(false),
                Some(next) if token.as_ref() == Some(&next) => {
                    return Err(
                        LIST_METRICS.refused(Failure::Unavailable, "the same page came twice")
                    );
                }
                Some(next) => token = Some(next),
            }
        }
    }
}

/// Whether it has these dimensions and no others: the filter lets metrics of single shards through
/// as well.
fn has_dimensions(found: &Metric, asked: &MetricId) -> bool {
    let found: BTreeSet<_> = found.dimensions().iter().map(|d| d.name().zip(d.value())).collect();
    let asked: BTreeSet<_> = asked
        .dimensions
        .iter()
        .map(|(name, value)| Some((name.as_str(), value.as_str())))
        .collect();
    found == asked
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use weir_core::alarms::consumer::kcl_lag;

    use super::*;
    use crate::testing::{Answer, answering, cbor};

    fn of_shard(shard: &str) -> Value {
        json!({"Namespace": "orders-app", "MetricName": "MillisBehindLatest", "Dimensions": [
            {"Name": "Operation", "Value": "ProcessTask"}, {"Name": "ShardId", "Value": shard},
        ]})
    }

    fn of_application(more: &[(&str, &str)]) -> Value {
        let all = [&[("Operation", "ApplicationTracker")], more].concat();
        let dimension = |(name, value): &(&str, &str)| json!({"Name": name, "Value": value});
        let dimensions: Vec<Value> = all.iter().map(dimension).collect();
        json!({
            "Namespace": "orders-app", "MetricName": "MillisBehindLatest", "Dimensions": dimensions
        })
    }

    fn page(metrics: &[Value], next: Option<&str>) -> Answer {
        let mut body = json!({"Metrics": metrics});
        if let Some(next) = next {
            body["NextToken"] = json!(next);
        }
        cbor(200, &body)
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_very_metric_is_found_whatever_page_it_is_on() {
        let exists = async |pages: Vec<Answer>| {
            let (aws, _) = answering(pages);
            aws.metric_exists(&kcl_lag("orders-app")).await.expect("an answer")
        };
        let old = [of_shard("shardId-000000000000"), of_shard("shardId-000000000001")];
        assert!(!exists(vec![page(&old, None)]).await, "a KCL that reports by shard only");
        assert!(!exists(vec![page(&[], None)]).await, "one whose metrics are off");
        let found = page(&[of_application(&[])], None);
        assert!(exists(vec![page(&old, Some("more")), found]).await);
        assert!(!exists(vec![page(&[of_application(&[("StreamId", "x")])], None)]).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_asked_is_not_absent() {
        let denied = json!({"__type": "com.amazonaws.cloudwatch#AccessDenied", "message": "no"});
        let (aws, _) = answering(vec![cbor(403, &denied)]);
        let error = aws.metric_exists(&kcl_lag("orders-app")).await.expect_err("denied");
        assert_eq!((error.operation, error.failure), ("ListMetrics", Failure::Denied));
    }
}

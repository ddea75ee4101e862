//! An alarm's spec as CloudWatch wants it, and the comparison of what CloudWatch has with it.
//!
//! Every alarm is written as metric queries, a single metric too: one form to write and compare.
//! Alarms have no actions, as EventBridge hears of every state change anyway, and their tags are
//! not propagated into those events: that would take one more right to write an alarm, and each of
//! its metrics names the stream already.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, Metric, MetricAlarm, MetricDataQuery, MetricStat, Tag,
};
use weir_core::alarms::{AlarmQuery, AlarmSpec, CONSUMER_TAG, KIND_TAG, STREAM_TAG};

use crate::metrics::{NAMESPACE, STREAM_DIMENSION};

const COMPARISON: ComparisonOperator = ComparisonOperator::GreaterThanOrEqualToThreshold;

/// Fills in the request.
pub(super) fn put(
    request: PutMetricAlarmFluentBuilder,
    spec: &AlarmSpec,
) -> PutMetricAlarmFluentBuilder {
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    // Heeded when the alarm is new; an update leaves the tags as they are, which never change.
    let consumer = spec.consumer.iter().map(|consumer| tag(CONSUMER_TAG, consumer.as_str()));
    let tags = [tag(STREAM_TAG, spec.stream.as_str()), tag(KIND_TAG, &spec.kind.to_string())];
    request
        .alarm_name(spec.name.as_str())
        .alarm_description(&spec.description)
        .set_metrics(Some(queries(spec)))
        .comparison_operator(COMPARISON)
        .threshold(spec.threshold)
        .evaluation_periods(count(spec.evaluation_periods))
        .datapoints_to_alarm(count(spec.datapoints_to_alarm))
        .treat_missing_data(spec.missing.name())
        .set_tags(Some(tags.into_iter().chain(consumer).collect()))
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn queries(spec: &AlarmSpec) -> Vec<MetricDataQuery> {
    let watched = spec.queries.len().saturating_sub(1);
    spec.queries.iter().enumerate().map(|(i, query)| form(spec, query, i == watched)).collect()
}

fn form(spec: &AlarmSpec, query: &AlarmQuery, watched: bool) -> MetricDataQuery {
    let form = MetricDataQuery::builder().return_data(watched);
    match query {
        AlarmQuery::StreamSum { id, metric } => {
            let dimension =
                Dimension::builder().name(STREAM_DIMENSION).value(spec.stream.as_str()).build();
            let metric = Metric::builder()
                .namespace(NAMESPACE)
                .metric_name(*metric)
                .dimensions(dimension)
                .build();
            let stat = MetricStat::builder()
                .metric(metric)
                .period(count(spec.period_seconds))
                .stat("Sum")
                .build();
            form.id(*id).metric_stat(stat).build()
        }
        AlarmQuery::Metric { id, metric, statistic } => {
            let dimension = |(name, value): &(String, String)| {
                Dimension::builder().name(name).value(value).build()
            };
            let dimensions = metric.dimensions.iter().map(dimension).collect();
            let metric = Metric::builder()
                .namespace(&metric.namespace)
                .metric_name(&metric.name)
                .set_dimensions(Some(dimensions))
                .build();
            let stat = MetricStat::builder()
                .metric(metric)
                .period(count(spec.period_seconds))
                .stat(statistic.name())
                .build();
            form.id(*id).metric_stat(stat).build()
        }
        AlarmQuery::Expression { id, formula, label } => {
            form.id(*id).expression(formula).label(*label).build()
        }
    }
}

/// Whether the alarm does what the spec says. Description, labels, tags and actions are not
/// compared: nothing goes off by them, and a user may well add to them.
pub(super) fn is_as_specified(alarm: &MetricAlarm, spec: &AlarmSpec) -> bool {
    let MetricAlarm {
        comparison_operator,
        threshold,
        evaluation_periods,
        datapoints_to_alarm,
        treat_missing_data,
        metrics,
        ..
    } = alarm;
    let datapoints = datapoints_to_alarm.or(*evaluation_periods);
    *comparison_operator == Some(COMPARISON)
        && *threshold == Some(spec.threshold)
        && *evaluation_periods == Some(count(spec.evaluation_periods))
        && datapoints == Some(count(spec.datapoints_to_alarm))
        && treat_missing_data.as_deref() == Some(spec.missing.name())
        && what_counts(metrics.as_deref().unwrap_or_default()) == what_counts(&queries(spec))
}

/// What of a query decides over the alarm.
#[derive(Debug, PartialEq)]
struct Counts<'a> {
    watched: bool,
    expression: Option<&'a str>,
    metric: Option<(Option<&'a str>, Option<&'a str>)>,
    dimensions: BTreeMap<Option<&'a str>, Option<&'a str>>,
    period: Option<i32>,
    statistic: Option<&'a str>,
}

/// By id, because CloudWatch may give the queries in another order.
fn what_counts(queries: &[MetricDataQuery]) -> BTreeMap<Option<&str>, Counts<'_>> {
    queries
        .iter()
        .map(|query| {
            let stat = query.metric_stat();
            let metric = stat.and_then(MetricStat::metric);
            let dimensions = metric.map(Metric::dimensions).unwrap_or_default();
            let counts = Counts {
                watched: query.return_data.unwrap_or(true),
                expression: query.expression(),
                metric: metric.map(|metric| (metric.namespace(), metric.metric_name())),
                dimensions: dimensions.iter().map(|d| (d.name(), d.value())).collect(),
                period: stat.and_then(MetricStat::period),
                statistic: stat.and_then(MetricStat::stat),
            };
            (query.id(), counts)
        })
        .collect()
}

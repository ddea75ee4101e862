//! What reads a stream, as far as AWS, its metrics and the policies tell.
//!
//! Not here: which alarms a consumer should have (`weir_core::alarms::consumer`), writing them
//! (`fleet`).

use std::collections::BTreeMap;

use weir_core::alarms::consumer::{kcl_lag, polled_lag};
use weir_core::consumer::{Consumer, ConsumerName, KclMetrics, Reader};
use weir_core::policy::{AlertPolicy, Governance, PolicySet};
use weir_core::units::StreamName;

use crate::ports::{FindConsumers, FindMetric, PortError, PortResult};

/// How many streams each KCL application reads.
pub(super) type Readings<'a> = BTreeMap<&'a ConsumerName, usize>;

/// The consumers of a stream.
pub(super) struct Readers {
    /// Those that are known.
    pub(super) consumers: Vec<Consumer>,
    /// What could not be asked: there may be others.
    pub(super) failed_calls: Vec<PortError>,
}

/// Everything that reads this stream.
pub(super) async fn of_stream<P: FindConsumers + FindMetric>(
    ports: &P,
    policy: &AlertPolicy,
    stream: &StreamName,
    readings: &Readings<'_>,
) -> Readers {
    let (mut consumers, mut failed_calls) = (polling(policy, stream), Vec::new());
    match ports.find_consumers(stream).await {
        Ok(found) => {
            consumers.extend(found);
            for name in &policy.kcl_applications {
                let several = readings.get(name).is_some_and(|streams| *streams > 1);
                match kcl(ports, stream, name, &consumers, several).await {
                    Ok(application) => consumers.extend(application),
                    Err(error) => failed_calls.push(error),
                }
            }
        }
        Err(error) => failed_calls.push(error),
    }
    Readers { consumers, failed_calls }
}

/// How many streams each KCL application reads, as the policies say.
pub(super) fn readings<'a>(policies: &'a PolicySet, streams: &[StreamName]) -> Readings<'a> {
    let mut readings = BTreeMap::new();
    for stream in streams {
        let Governance::By(policy) = policies.governing(stream) else { continue };
        for name in &policy.alerts.kcl_applications {
            *readings.entry(name).or_insert(0) += 1;
        }
    }
    readings
}

/// The consumers that poll and that only the operator knows of.
fn polling(policy: &AlertPolicy, stream: &StreamName) -> Vec<Consumer> {
    let named = policy.polling_consumers.iter().cloned();
    named.map(|name| Consumer { stream: stream.clone(), name, reader: Reader::Polling }).collect()
}

/// A KCL application, with what it can be watched by; `None` where it reads the stream by a fan-out
/// consumer of its name, which is watched as one. Its own metric need not exist, and where it reads
/// several streams says nothing of a single one: then what the stream knows of its pollers must do.
async fn kcl<P: FindMetric>(
    ports: &P,
    stream: &StreamName,
    name: &ConsumerName,
    found: &[Consumer],
    several_streams: bool,
) -> PortResult<Option<Consumer>> {
    let has_own = ports.metric_exists(&kcl_lag(name.as_str())).await?;
    let fans_out =
        |consumer: &Consumer| consumer.reader == Reader::FanOut && consumer.name == *name;
    let metrics = match (has_own, several_streams) {
        (true, false) => KclMetrics::Application,
        _ if found.iter().any(fans_out) => return Ok(None),
        (own, _) => match (own, ports.metric_exists(&polled_lag(stream)).await?) {
            (true, true) => KclMetrics::Stream,
            (false, true) => KclMetrics::StreamOnly,
            // Its own is better than none, though the streams hide each other.
            (true, false) => KclMetrics::Application,
            (false, false) => KclMetrics::Nothing,
        },
    };
    let (stream, name) = (stream.clone(), name.clone());
    Ok(Some(Consumer { stream, name, reader: Reader::Kcl(metrics) }))
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use weir_core::alarms::MetricId;

    use super::*;
    use crate::ports::{Failure, PortError};

    /// A CloudWatch that has these metrics, and no others; or one that does not answer.
    struct Metrics(Option<Vec<MetricId>>);

    impl FindMetric for Metrics {
        async fn metric_exists(&self, metric: &MetricId) -> PortResult<bool> {
            let denied = || PortError {
                operation: "ListMetrics",
                failure: Failure::Denied,
                message: "no".to_owned(),
                source: None,
            };
            self.0.as_ref().map(|known| known.contains(metric)).ok_or_else(denied)
        }
    }

    fn watched_by(
        known: Option<Vec<MetricId>>,
        fan_out: Option<&str>,
        several: bool,
    ) -> PortResult<Option<Reader>> {
        let stream = StreamName::new("orders").expect("a name");
        let name = |name| ConsumerName::new(name).expect("a name");
        let reads = |fan_out| Consumer {
            stream: stream.clone(),
            name: name(fan_out),
            reader: Reader::FanOut,
        };
        let found: Vec<Consumer> = fan_out.into_iter().map(reads).collect();
        let ports = Metrics(known);
        let asked = name("hub");
        let answer = pin!(kcl(&ports, &stream, &asked, &found, several));
        let Poll::Ready(answer) = answer.poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("nothing here waits");
        };
        answer.map(|consumer| consumer.map(|consumer| consumer.reader))
    }

    /// An application is watched by a metric that exists and that is about this stream.
    #[test]
    fn a_kcl_application_is_watched_by_what_there_is() {
        let stream = StreamName::new("orders").expect("a name");
        let (own, polled) = (kcl_lag("hub"), polled_lag(&stream));
        let both = vec![own.clone(), polled.clone()];
        let cases = [
            (both.clone(), None, false, Some(KclMetrics::Application)),
            // Its metric is the worst of all the streams that it reads.
            (both.clone(), None, true, Some(KclMetrics::Stream)),
            (vec![own], None, true, Some(KclMetrics::Application)),
            // A KCL before 2.3.9, or one whose metrics are off.
            (vec![polled], None, false, Some(KclMetrics::StreamOnly)),
            (Vec::new(), None, false, Some(KclMetrics::Nothing)),
            // What it reads by fan-out is watched as a fan-out consumer.
            (Vec::new(), Some("hub"), false, None),
            (both, Some("hub"), true, None),
            (Vec::new(), Some("another"), false, Some(KclMetrics::Nothing)),
        ];
        for (known, fan_out, several, expected) in cases {
            let case = format!("{known:?} {fan_out:?} {several}");
            let reader = watched_by(Some(known), fan_out, several).expect("an answer");
            assert_eq!(reader, expected.map(Reader::Kcl), "{case}");
        }
        let error = watched_by(None, None, false).expect_err("denied");
        assert_eq!(error.failure, Failure::Denied, "what could not be asked is not absent");
    }
}

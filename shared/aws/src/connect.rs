//! First calls, made while a function starts: start-up has a whole core and is not billed by the
//! share of memory, so a TLS handshake costs a millisecond there and twenty in the first
//! invocation.
//!
//! Any answer will do, a refusal too: what matters is the open connection.

use std::time::Duration;

use aws_sdk_cloudwatch::types::MetricDataQuery;
use aws_smithy_types::DateTime;
use tokio::time::timeout;
use weir_control::ports::{Clock, DescribeStream, Failure, PortError, PortResult};
use weir_core::units::StreamName;

use crate::Aws;
use crate::errors::Call;

const PUT_EVENTS: Call = Call::change("PutEvents");
const GET_METRIC_DATA: Call = Call::read("GetMetricData");
const DESCRIBE_ALARMS: Call = Call::read("DescribeAlarms");

/// Start-up may take 10 s in all; a service that does not answer by then is left to the first call.
const GIVE_UP_AFTER: Duration = Duration::from_secs(4);
/// A name for calls that are about no stream.
const NO_STREAM: &str = "weir-first-call";

/// A service to connect to, named by a call that the function has the right to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstCall {
    /// Kinesis, by DescribeStreamSummary.
    DescribeStream,
    /// CloudWatch, by GetMetricData.
    ReadTraffic,
    /// CloudWatch, by DescribeAlarms.
    ReadAlarms,
    /// EventBridge, by PutEvents of nothing.
    PublishEvents,
    /// DynamoDB, by reading a record.
    ReadRecord,
}

impl Aws {
    /// Connects to these services, all at once, and says which could not be reached.
    pub async fn connect(&self, calls: &[FirstCall]) -> Vec<PortError> {
        let made = tokio::join!(
            self.first(calls, FirstCall::DescribeStream),
            self.first(calls, FirstCall::ReadTraffic),
            self.first(calls, FirstCall::ReadAlarms),
            self.first(calls, FirstCall::PublishEvents),
            self.first(calls, FirstCall::ReadRecord),
        );
        [made.0, made.1, made.2, made.3, made.4].into_iter().flatten().collect()
    }

    async fn first(&self, calls: &[FirstCall], call: FirstCall) -> Option<PortError> {
        if !calls.contains(&call) {
            return None;
        }
        let unreached =
            |error: &PortError| matches!(error.failure, Failure::Unavailable | Failure::AnswerLost);
        match timeout(GIVE_UP_AFTER, self.make(call)).await {
            Ok(answer) => answer.err().filter(unreached),
            Err(_) => Some(GAVE_UP.refused(Failure::Unavailable, format!("{call:?}: no answer"))),
        }
    }

    async fn make(&self, call: FirstCall) -> PortResult<()> {
        let no_stream = StreamName::new(NO_STREAM)
            .map_err(|error| GAVE_UP.refused(Failure::Invalid, error.to_string()))?;
        match call {
            FirstCall::DescribeStream => self.describe_stream(&no_stream).await.map(|_| ()),
            FirstCall::ReadRecord => self.read_state(&no_stream).await.map(|_| ()),
            FirstCall::PublishEvents => {
                let request = self.clients.events().put_events().set_entries(Some(Vec::new()));
                request.send().await.map(|_| ()).map_err(|e| PUT_EVENTS.failed(e))
            }
            FirstCall::ReadAlarms => {
                let request = self.clients.cloudwatch().describe_alarms().max_records(1);
                let request = request.alarm_name_prefix(self.settings.alarm_prefix.to_string());
                request.send().await.map(|_| ()).map_err(|e| DESCRIBE_ALARMS.failed(e))
            }
            FirstCall::ReadTraffic => {
                // Metric math over nothing: asks for no metric, so it costs none.
                let query = MetricDataQuery::builder().id("first").expression("TIME_SERIES(0)");
                let second = self.now().as_second();
                let request = self
                    .clients
                    .cloudwatch()
                    .get_metric_data()
                    .metric_data_queries(query.period(60).build())
                    .start_time(DateTime::from_secs(second - 60))
                    .end_time(DateTime::from_secs(second));
                request.send().await.map(|_| ()).map_err(|e| GET_METRIC_DATA.failed(e))
            }
        }
    }
}

const GAVE_UP: Call = Call::read("first call");

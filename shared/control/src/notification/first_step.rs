//! Where to look first: one sentence, one command, one link. All of them work as they stand.
//!
//! Not here: how the cause was found (`weir_core::incident`).

use weir_core::consumer::ConsumerKind;
use weir_core::incident::{Cause, Subject, Symptom, Trouble};

use super::MessageContext;
use crate::installation::Place;

/// Where to look first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstStep {
    /// What to do.
    pub advice: &'static str,
    /// The exact AWS CLI command.
    pub command: String,
    /// The page of the console; none in a partition whose console's address is not known.
    pub console: Option<String>,
}

impl FirstStep {
    /// For this context.
    pub(super) fn of(context: &MessageContext<'_>) -> FirstStep {
        match &context.incident.subject {
            Subject::Consumer { .. } => consumer(context),
            Subject::Weir { trouble, .. } => weir(context, *trouble),
        }
    }
}

fn consumer(context: &MessageContext<'_>) -> FirstStep {
    let place = context.place;
    let region = &place.region;
    let stream = context.incident.subject.stream().map_or("", |stream| stream.as_str());
    let name = context.name().unwrap_or("");
    let function = name.split(':').next().unwrap_or(name);
    let stream_page = || place.console("kinesis", &format!("/streams/details/{stream}/monitoring"));
    let cause = context.cause();
    match context.kind() {
        Some(ConsumerKind::Lambda) => {
            // By the function alone: a mapping by a fan-out consumer has that consumer's ARN.
            let mappings = format!(
                "aws lambda list-event-source-mappings --function-name {name} --region {region}"
            );
            let logs = || {
                format!(
                    "aws logs tail /aws/lambda/{function} --since 30m --filter-pattern ERROR \
                     --region {region}"
                )
            };
            let (advice, command) = match cause {
                Some(Cause::MappingDisabled) => {
                    ("Find out who disabled the mapping, then enable it.", mappings)
                }
                Some(Cause::PoisonRecord) => (
                    "Find the record in the function's log. Mend the function, or let the mapping give up: \
                     set MaximumRetryAttempts and BisectBatchOnFunctionError.",
                    logs(),
                ),
                Some(Cause::FunctionErrors) => {
                    ("Read the function's log; was it deployed of late?", logs())
                }
                Some(Cause::Throttled) => (
                    "Give the function more concurrency, or other functions less.",
                    format!(
                        "aws lambda get-function-concurrency --function-name {function} \
                         --region {region}"
                    ),
                ),
                Some(Cause::NotRunning) => {
                    ("See whether the mapping is enabled, and what its last result was.", mappings)
                }
                _ if context.symptoms().contains(&Symptom::Dropped) => (
                    "See where the mapping sends what it gives up, its failure destination, and read it \
                     again from there.",
                    mappings,
                ),
                _ => (
                    "See the function's duration and the mapping's batch size and \
                     parallelization factor.",
                    mappings,
                ),
            };
            let console = place.console("lambda", &format!("/functions/{function}?tab=monitoring"));
            FirstStep { advice, command, console }
        }
        Some(ConsumerKind::FanOut) => FirstStep {
            advice: match cause {
                Some(Cause::Throttled) => {
                    "See how often the application subscribes to each shard; five calls a second are allowed."
                }
                _ => "See whether the application that subscribes runs.",
            },
            command: format!(
                "aws kinesis describe-stream-consumer --stream-arn {} --consumer-name {name} \
                 --region {region}",
                place.arn("kinesis", &format!("stream/{stream}"))
            ),
            console: stream_page(),
        },
        Some(ConsumerKind::Firehose) => FirstStep {
            advice: match cause {
                Some(Cause::DestinationFails) => {
                    "See why the destination refuses: rights, key, reachability. Firehose keeps trying."
                }
                _ => "See whether the delivery stream is active and may read the stream.",
            },
            command: format!(
                "aws firehose describe-delivery-stream --delivery-stream-name {name} --region {region}"
            ),
            console: place.console("firehose", &format!("/details/{name}/monitoring")),
        },
        Some(ConsumerKind::Kcl) if cause == Some(Cause::MetricMissing) => FirstStep {
            advice: "See which metrics there are. Take a newer KCL or switch its metrics on; or name it under \
                     polling_consumers in the policy instead, and it is seen where it is the slowest reader.",
            command: format!(
                "aws cloudwatch list-metrics --metric-name MillisBehindLatest --namespace {name} \
                 --region {region}"
            ),
            console: stream_page(),
        },
        Some(ConsumerKind::Kcl) => FirstStep {
            advice: "See whether workers run and hold leases; the lease table bears the application's name.",
            command: format!(
                "aws dynamodb scan --table-name {name} --projection-expression \
                 leaseKey,leaseOwner,checkpoint --region {region}"
            ),
            console: stream_page(),
        },
        Some(ConsumerKind::Polling) | None => FirstStep {
            advice: "See whether the application that polls runs, and how often it calls GetRecords.",
            command: format!(
                "aws kinesis describe-stream-summary --stream-name {stream} --region {region}"
            ),
            console: stream_page(),
        },
    }
}

fn weir(context: &MessageContext<'_>, trouble: Trouble) -> FirstStep {
    let place = context.place;
    let region = &place.region;
    let stream = context.incident.subject.stream();
    let about = match stream {
        Some(stream) => {
            format!("aws kinesis describe-stream-summary --stream-name {stream} --region {region}")
        }
        None => format!("aws events list-rules --region {region}"),
    };
    let console = match stream {
        Some(stream) => place.console("kinesis", &format!("/streams/details/{stream}/monitoring")),
        None => place.console("cloudwatch", "alarmsV2:"),
    };
    let (advice, command) = match trouble {
        Trouble::PolicyInvalid => ("Mend the policy and deploy it.", "weir check".to_owned()),
        Trouble::DeadLetters => (
            "Read what lies in the queue; each message says why it is there.",
            format!("aws sqs list-queues --region {region}"),
        ),
        Trouble::TickMissing => {
            ("See whether the schedule is enabled and its function runs.", about)
        }
        Trouble::Test => (
            "If it did not reach whom it should, see who subscribes.",
            format!("aws sns list-subscriptions --region {region}"),
        ),
        Trouble::Withheld => ("See why the stream is held at this size, above.", about),
        Trouble::Blind => (
            "See what CloudWatch answered, in the log of plan-capacity; the role or CloudWatch itself is \
             at fault.",
            format!(
                "aws cloudwatch list-metrics --namespace AWS/Kinesis --metric-name IncomingBytes \
                 --region {region}"
            ),
        ),
        Trouble::NoMetrics => ("See whether anything is written to the stream.", about),
        Trouble::Refused => ("See what was refused, above.", about),
        Trouble::Lost => ("See what size the stream has now.", about),
    };
    FirstStep { advice, command, console }
}

impl Place {
    /// The ARN of a thing here.
    pub(super) fn arn(&self, service: &str, thing: &str) -> String {
        let Place { partition, region, account } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{thing}")
    }

    /// A link to this page of the console. `None` where the partition's console is not known: no
    /// link is better than one that leads nowhere.
    fn console(&self, service: &str, page: &str) -> Option<String> {
        let domain = match self.partition.as_str() {
            "aws" => "console.aws.amazon.com",
            "aws-cn" => "console.amazonaws.cn",
            "aws-us-gov" => "console.amazonaws-us-gov.com",
            "aws-eusc" => "console.amazonaws-eusc.eu",
            _ => return None,
        };
        let region = &self.region;
        Some(format!("https://{region}.{domain}/{service}/home?region={region}#{page}"))
    }
}

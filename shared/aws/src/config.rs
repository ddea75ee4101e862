//! How AWS is called: one HTTP client for all services, time limits, retries, and the services'
//! clients, each made when it is first needed.
//!
//! Not here: which calls are made. UpdateShardCount sets its own limits beside its call
//! (`kinesis`).

use std::sync::OnceLock;
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_kinesis::config::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// A frozen function wakes with sockets that the other side closed long ago; AWS keeps idle ones
/// for a minute at most, so ours go sooner.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// A connection that takes longer will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// One attempt, answer included. The largest GetMetricData answers take one to two seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// All attempts of one call: it must leave a function with a limit of 30 s time to say what
/// happened.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(12);

/// Whose credentials, and where, where somebody says so; otherwise as the SDK finds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// A profile of the AWS CLI's files.
    pub profile: Option<String>,
    /// A region.
    pub region: Option<String>,
}

/// Reads region, credentials and endpoints from where the SDK looks for them.
pub async fn load() -> SdkConfig {
    load_as(Identity::default()).await
}

/// The same for somebody who says who they are.
pub async fn load_as(identity: Identity) -> SdkConfig {
    // ring, because the default provider spends 30 ms of a cold start on gathering entropy.
    let http = Builder::new()
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    // A version by name: an update of the SDK must not change what a call does.
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http.clone())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard());
    if let Some(region) = identity.region {
        loader = loader.region(Region::new(region));
    }
    let Some(profile) = identity.profile else { return loader.load().await };
    let sdk = loader.profile_name(&profile).load().await;
    // Keys in the environment would win over a profile that somebody names, and act on another
    // account.
    let config =
        ProviderConfig::without_region().with_http_client(http).with_region(sdk.region().cloned());
    let provider = ProfileFileCredentialsProvider::builder().configure(&config);
    let credentials = SharedCredentialsProvider::new(provider.profile_name(profile).build());
    sdk.into_builder().credentials_provider(credentials).build()
}

/// The services' clients. A function pays only for those it uses.
#[derive(Debug)]
pub(crate) struct Clients {
    sdk: SdkConfig,
    kinesis: OnceLock<aws_sdk_kinesis::Client>,
    cloudwatch: OnceLock<aws_sdk_cloudwatch::Client>,
    events: OnceLock<aws_sdk_eventbridge::Client>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    lambda: OnceLock<aws_sdk_lambda::Client>,
    firehose: OnceLock<aws_sdk_firehose::Client>,
    sns: OnceLock<aws_sdk_sns::Client>,
}

impl Clients {
    pub(crate) fn new(sdk: SdkConfig) -> Clients {
        Clients {
            sdk,
            kinesis: OnceLock::new(),
            cloudwatch: OnceLock::new(),
            events: OnceLock::new(),
            dynamodb: OnceLock::new(),
            lambda: OnceLock::new(),
            firehose: OnceLock::new(),
            sns: OnceLock::new(),
        }
    }

    pub(crate) fn region(&self) -> Option<&str> {
        self.sdk.region().map(AsRef::as_ref)
    }

    pub(crate) fn kinesis(&self) -> &aws_sdk_kinesis::Client {
        self.kinesis.get_or_init(|| aws_sdk_kinesis::Client::new(&self.sdk))
    }

    pub(crate) fn cloudwatch(&self) -> &aws_sdk_cloudwatch::Client {
        self.cloudwatch.get_or_init(|| aws_sdk_cloudwatch::Client::new(&self.sdk))
    }

    pub(crate) fn events(&self) -> &aws_sdk_eventbridge::Client {
        self.events.get_or_init(|| aws_sdk_eventbridge::Client::new(&self.sdk))
    }

    pub(crate) fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| aws_sdk_dynamodb::Client::new(&self.sdk))
    }

    pub(crate) fn lambda(&self) -> &aws_sdk_lambda::Client {
        self.lambda.get_or_init(|| aws_sdk_lambda::Client::new(&self.sdk))
    }

    pub(crate) fn firehose(&self) -> &aws_sdk_firehose::Client {
        self.firehose.get_or_init(|| aws_sdk_firehose::Client::new(&self.sdk))
    }

    pub(crate) fn sns(&self) -> &aws_sdk_sns::Client {
        self.sns.get_or_init(|| aws_sdk_sns::Client::new(&self.sdk))
    }
}

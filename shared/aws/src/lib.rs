//! Weir's ports on the AWS SDKs: the only crate that names them.
//!
//! [`Aws`] is every port at once; each loop takes of it what it needs. Not here: decisions of any
//! kind.

mod account;
mod alarms;
mod alerts;
mod clock;
mod config;
mod connect;
mod consumers;
mod errors;
mod events;
mod evidence;
mod kinesis;
mod ledger;
mod metrics;
mod pace;
mod settings;
#[cfg(test)]
mod testing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use jiff::Timestamp;
use weir_control::ports::QuotaReading;
use weir_control::routing::Loop;
use weir_core::units::StreamName;

pub use account::Account;
pub use config::{Identity, load, load_as};
pub use connect::FirstCall;
pub use metrics::{HistoryMetric, HistoryPoint, HistoryWindow};
pub use settings::{SettingFault, SettingFaults, Settings, Topics};

use config::Clients;
use consumers::DeliveryStream;
use metrics::KeptDays;
use pace::Paces;

/// AWS, as one installation of Weir uses it.
#[derive(Debug)]
pub struct Aws {
    clients: Clients,
    settings: Settings,
    paces: Paces,
    /// The quota: DescribeLimits may be called once a second by a whole account.
    quota: Mutex<Option<QuotaReading>>,
    /// The ARN of each stream: its name never gets another one.
    stream_arns: Mutex<HashMap<StreamName, String>>,
    /// The event source mappings of the account and when they were read.
    mappings: Mutex<Option<(Timestamp, Arc<[EventSourceMappingConfiguration]>)>>,
    /// The delivery streams and when they were read: finding those of one stream means describing
    /// all.
    delivery_streams: Mutex<Option<(Timestamp, Vec<DeliveryStream>)>>,
    /// The days of traffic and when they were read: each metric asked for costs.
    days: KeptDays,
}

impl Aws {
    /// With clients made from `sdk` (see [`load`]), each when it is first needed.
    pub fn new(sdk: SdkConfig, settings: Settings) -> Aws {
        Aws {
            clients: Clients::new(sdk),
            settings,
            paces: Paces::new(),
            quota: Mutex::new(None),
            stream_arns: Mutex::default(),
            mappings: Mutex::new(None),
            delivery_streams: Mutex::new(None),
            days: KeptDays::default(),
        }
    }

    /// Its region; `None` where nothing says one.
    pub fn region(&self) -> Option<&str> {
        self.clients.region()
    }

    /// At the pace of the function that runs this loop.
    pub fn paced_for(self, runs: Loop) -> Aws {
        Aws { paces: Paces::of(runs), ..self }
    }

    /// What this installation is set to.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

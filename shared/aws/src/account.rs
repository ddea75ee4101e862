//! An account as anybody may look at it who has the right: its streams and their metrics, without
//! an installation of Weir.

use aws_config::SdkConfig;
use weir_control::ports::{ListStreams, PortResult};
use weir_core::units::StreamName;

use crate::config::Clients;
use crate::kinesis::list_streams;
use crate::pace::Paces;

/// See the module.
#[derive(Debug)]
pub struct Account {
    pub(crate) clients: Clients,
    pub(crate) paces: Paces,
}

impl Account {
    /// With clients made from `sdk` (see [`crate::load`]), each when it is first needed.
    pub fn new(sdk: SdkConfig) -> Account {
        Account { clients: Clients::new(sdk), paces: Paces::new() }
    }

    /// Its region; `None` where nothing says one.
    pub fn region(&self) -> Option<&str> {
        self.clients.region()
    }
}

impl ListStreams for Account {
    async fn list_streams(&self) -> PortResult<Vec<StreamName>> {
        list_streams(&self.clients, &self.paces).await
    }
}

//! What a test talks to: one AWS account of its own, and words for what happens in it.
//!
//! Here: making the account, and deploying functions into it. Not here: the words, each kind in a
//! file of its own: `streams`, `traffic`, `alarms`, `ledger`, `events`, `topics`, `command`.

mod alarms;
mod command;
mod events;
mod ledger;
mod streams;
mod topics;
mod traffic;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;

pub use self::alarms::AlarmEvent;
pub use self::events::WeirEvent;
pub use self::streams::StreamSummary;
pub use self::topics::{Endpoint, Queue, message_in};
pub use self::traffic::Minute;

use self::events::Mailbox;
use crate::aws_client::AwsClient;
use crate::emulators::{Durations, Emulators};
use crate::failure::{Context, Result};
use crate::lambda_function::FunctionSpec;
use crate::proxy::Proxy;
use crate::tools::tools_dir;
use crate::wire::Service;

/// Where every world lies.
pub const REGION: &str = "us-east-1";

/// For whatever an emulator does by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// One AWS account on the emulators, seen through a proxy of its own.
pub struct World {
    account: String,
    emulators: Arc<Emulators>,
    proxy: Proxy,
    client: AwsClient,
    mailbox: Mailbox,
    folder: PathBuf,
}

impl World {
    /// A new account on the emulators that all tests share.
    pub fn start() -> Result<Self> {
        Self::on(Emulators::shared()?)
    }

    /// A new account on emulators with durations of its own; a second or so dearer.
    pub fn with_durations(durations: Durations) -> Result<Self> {
        Self::on(Arc::new(Emulators::start(durations)?))
    }

    fn on(emulators: Arc<Emulators>) -> Result<Self> {
        static WORLDS: AtomicU64 = AtomicU64::new(1);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let account = format!("{:012}", 100_000_000_000 + number);
        let proxy = Proxy::start(Arc::clone(&emulators))?;
        let client = AwsClient::of_the_harness(proxy.url(), &account, REGION);
        let folder = tools_dir().join("worlds").join(format!("{}-{number}", std::process::id()));
        let policies = folder.join("policies");
        fs::create_dir_all(&policies).context(|| format!("make {}", policies.display()))?;
        let mailbox = Mailbox::subscribe(&client, &account)?;
        Ok(Self { account, emulators, proxy, client, mailbox, folder })
    }

    /// The account's number.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// What stands between the functions and the emulators.
    #[must_use]
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Any call that has no word of its own here. It is neither recorded nor faulted.
    pub fn call(&self, service: Service, operation: &str, body: Value) -> Result<Value> {
        self.client.call(service, operation, body)
    }

    /// Writes a policy file, or replaces it, where the functions of this world look for policies.
    pub fn write_policy(&self, name: &str, toml: &str) -> Result<()> {
        let file = self.policies().join(format!("{name}.toml"));
        fs::write(&file, toml).context(|| format!("write {}", file.display()))
    }

    /// The folder given to the functions as `WEIR_POLICY_DIR`.
    #[must_use]
    pub fn policies(&self) -> PathBuf {
        self.folder.join("policies")
    }

    /// A folder of this world's own; it goes with the world.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where everything but Kinesis answers without the proxy, for tools that bring a client of
    /// their own.
    #[must_use]
    pub fn emulator_url(&self) -> &str {
        self.emulators.ministack_url()
    }

    /// A function, configured for this world; `deploy` it when its environment is complete.
    #[must_use]
    pub fn function(&self, handler: &str) -> FunctionSpec {
        let function = FunctionSpec::of_handler(handler, &self.account, REGION);
        self.settings()
            .into_iter()
            .fold(function, |function, (name, value)| function.env(name, value))
    }

    /// The environment of everything that is Weir's here.
    fn settings(&self) -> [(&'static str, OsString); 7] {
        [
            ("AWS_ENDPOINT_URL", self.proxy.url().into()),
            ("AWS_CONFIG_FILE", nowhere().into()),
            ("AWS_SHARED_CREDENTIALS_FILE", nowhere().into()),
            ("WEIR_LEDGER_TABLE", ledger::TABLE.into()),
            ("WEIR_EVENT_BUS", "default".into()),
            ("WEIR_POLICY_DIR", self.policies().into()),
            ("WEIR_ALARM_PREFIX", alarms::PREFIX.into()),
        ]
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // What is left behind lies in the target directory and harms nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn nowhere() -> &'static Path {
    Path::new("/dev/null")
}

//! The two emulators that stand for AWS: MiniStack, and kinesis-mock for Kinesis.
//!
//! Here: starting them, waiting until they are healthy, ending them. Not here: their installation
//! (`setup.py`), and what they lack (`proxy`).

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::aws_client::agent;
use crate::failure::{Context, Failure, Result};
use crate::process::{Output, Supervised};
use crate::time::wait_until;
use crate::tools::{Tools, tools_dir};

const TIME_TO_START: Duration = Duration::from_secs(60);
const ATTEMPTS: u32 = 3;

/// How long kinesis-mock lets a stream be in a passing state.
#[derive(Clone, Copy, Debug)]
pub struct Durations {
    /// `CREATING`.
    pub create_stream: Duration,
    /// `UPDATING` after UpdateShardCount.
    pub update_shard_count: Duration,
    /// `UPDATING` after UpdateStreamMode.
    pub update_stream_mode: Duration,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            create_stream: Duration::from_millis(100),
            update_shard_count: Duration::from_millis(400),
            update_stream_mode: Duration::from_millis(400),
        }
    }
}

/// Both emulators, running until this is dropped.
pub struct Emulators {
    ministack: Emulator,
    kinesis: Emulator,
}

struct Emulator {
    url: String,
    // Held for its end: dropping it kills the emulator.
    _process: Mutex<Supervised>,
}

impl Emulators {
    /// The pair that all tests of this process share. It ends with the process.
    pub fn shared() -> Result<Arc<Self>> {
        static SHARED: Mutex<Option<Arc<Emulators>>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &*shared {
            return Ok(Arc::clone(running));
        }
        let started = Arc::new(Self::start(Durations::default())?);
        *shared = Some(Arc::clone(&started));
        Ok(started)
    }

    /// A pair of its own, for a test that needs other durations.
    pub fn start(durations: Durations) -> Result<Self> {
        let tools = Tools::installed()?;
        // Both take about a second; side by side the slower one decides.
        std::thread::scope(|scope| {
            let ministack = scope.spawn(|| start_ministack(tools));
            let kinesis = start_kinesis_mock(tools, durations)?;
            let ministack =
                ministack.join().map_err(|_| Failure::new("starting MiniStack panicked"))??;
            Ok(Self { ministack, kinesis })
        })
    }

    /// Everything but Kinesis answers here.
    #[must_use]
    pub fn ministack_url(&self) -> &str {
        &self.ministack.url
    }

    /// Kinesis answers here.
    #[must_use]
    pub fn kinesis_url(&self) -> &str {
        &self.kinesis.url
    }
}

fn start_ministack(tools: &Tools) -> Result<Emulator> {
    // It leaves a small file per run, which should not lie in the machine's own.
    let scratch = tools_dir().join("tmp");
    fs::create_dir_all(&scratch).context(|| format!("make {}", scratch.display()))?;
    start("MiniStack", &tools.python, &["-m".into(), "ministack".into()], |port, _| {
        let environment = vec![
            ("PYTHONPATH".into(), tools.python_packages.clone().into()),
            ("PYTHONNOUSERSITE".into(), "1".into()),
            ("TMPDIR".into(), scratch.clone().into()),
            // Without these it listens on every interface, takes two more ports and, at start and
            // end, removes containers of other MiniStacks on this machine.
            ("BIND_HOST".into(), "127.0.0.1".into()),
            ("IOT_MTLS_ENABLED".into(), "0".into()),
            ("SFTP_ENABLED".into(), "0".into()),
            ("DOCKER_HOST".into(), "unix:///nonexistent/docker.sock".into()),
            ("LOG_LEVEL".into(), "WARNING".into()),
            ("GATEWAY_PORT".into(), port.to_string().into()),
        ];
        (environment, "/_ministack/health")
    })
}

fn start_kinesis_mock(tools: &Tools, durations: Durations) -> Result<Emulator> {
    let millis = |duration: Duration| OsString::from(format!("{}ms", duration.as_millis()));
    start("kinesis-mock", &tools.node, &[tools.kinesis_mock.clone().into()], |port, tls_port| {
        let environment = vec![
            ("KINESIS_MOCK_CERT_PATH".into(), tools.kinesis_mock_certificate.clone().into()),
            ("KINESIS_MOCK_PLAIN_PORT".into(), port.to_string().into()),
            ("KINESIS_MOCK_TLS_PORT".into(), tls_port.to_string().into()),
            ("SHARD_LIMIT".into(), "10000".into()),
            ("LOG_LEVEL".into(), "ERROR".into()),
            ("CREATE_STREAM_DURATION".into(), millis(durations.create_stream)),
            ("UPDATE_SHARD_COUNT_DURATION".into(), millis(durations.update_shard_count)),
            ("UPDATE_STREAM_MODE_DURATION".into(), millis(durations.update_stream_mode)),
        ];
        (environment, "/healthcheck")
    })
}

type Environment = Vec<(String, OsString)>;

fn start(
    name: &str,
    program: &std::path::Path,
    arguments: &[OsString],
    settings: impl Fn(u16, u16) -> (Environment, &'static str),
) -> Result<Emulator> {
    let mut last = None;
    // A free port may be taken by someone else before the emulator binds it.
    for _ in 0..ATTEMPTS {
        let [port, second_port] = free_ports()?;
        let (environment, health) = settings(port, second_port);
        let output = Output::default();
        let mut process = Supervised::start(program, arguments, &environment, &output)?;
        let url = format!("http://127.0.0.1:{port}");
        let health = format!("{url}{health}");
        let look = agent(TIME_TO_START);
        let healthy = wait_until(&format!("health of {name}"), TIME_TO_START, || {
            if let Some(status) = process.ended() {
                return Err(Failure::new(format!("ended with status {status}")));
            }
            let healthy = look.get(&health).call().is_ok_and(|answer| answer.status() == 200);
            Ok(healthy.then_some(()))
        });
        match healthy {
            Ok(_) => return Ok(Emulator { url, _process: Mutex::new(process) }),
            Err(failure) => {
                let said = output.last_lines(20);
                last = Some(failure.while_trying(&format!("{name} said:\n{said}\n")));
            }
        }
    }
    Err(last.unwrap_or_else(|| Failure::new(format!("{name} was never started"))))
}

fn free_ports() -> Result<[u16; 2]> {
    let bind = || TcpListener::bind(("127.0.0.1", 0)).context(|| "find a free port".into());
    // Held at the same time, so that they differ.
    let (first, second) = (bind()?, bind()?);
    let port = |listener: &TcpListener| {
        listener.local_addr().map(|address| address.port()).context(|| "read a port".into())
    };
    Ok([port(&first)?, port(&second)?])
}

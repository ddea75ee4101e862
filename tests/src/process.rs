//! Child processes that never outlive the tests, and what they print.
//!
//! Here: a child under `supervise.py`, its captured lines, its end. Not here: which programs are
//! run (`emulators`, `lambda_function`).

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::failure::{Context, Result};
use crate::time::wait_until;
use crate::tools::{Tools, script};

const TIME_TO_END: Duration = Duration::from_secs(10);

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A line that a child process wrote.
#[derive(Clone, Debug)]
pub struct Line {
    /// Where it was written.
    pub stream: Stream,
    /// Its text, without the line break.
    pub text: String,
}

/// Lines as they come; shared, so that they outlive the process that wrote them.
#[derive(Clone, Default)]
pub(crate) struct Output(Arc<Mutex<Vec<Line>>>);

impl Output {
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn last_lines(&self, count: usize) -> String {
        let lines = self.lines();
        let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
        texts[texts.len().saturating_sub(count)..].join("\n")
    }

    fn collect(&self, from: impl Read + Send + 'static, stream: Stream) {
        let lines = Arc::clone(&self.0);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(from);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(Line { stream, text });
                bytes.clear();
            }
        });
    }
}

pub(crate) struct Supervised {
    supervisor: Child,
    life_line: Option<ChildStdin>,
}

impl Supervised {
    /// Starts a program with this environment and nothing else of the test's own but `PATH`.
    pub(crate) fn start(
        program: &Path,
        arguments: &[OsString],
        environment: &[(String, OsString)],
        output: &Output,
    ) -> Result<Self> {
        let mut command = Command::new(&Tools::installed()?.python);
        command
            .arg(script("supervise.py"))
            .arg(program)
            .args(arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut supervisor = command.spawn().context(|| format!("start {}", program.display()))?;
        if let Some(stdout) = supervisor.stdout.take() {
            output.collect(stdout, Stream::Stdout);
        }
        if let Some(stderr) = supervisor.stderr.take() {
            output.collect(stderr, Stream::Stderr);
        }
        let life_line = supervisor.stdin.take();
        Ok(Self { supervisor, life_line })
    }

    /// The exit status, once there is one.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.supervisor.try_wait().ok().flatten().map(|status| status.code().unwrap_or(-1))
    }

    /// Kills the program, as by `kill -9`, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.life_line = None;
        let gone = wait_until("end of a child process", TIME_TO_END, || Ok(self.ended()));
        if gone.is_err() {
            // A supervisor that does not answer is beyond courtesy.
            let _ = self.supervisor.kill();
            let _ = self.supervisor.wait();
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.kill();
    }
}

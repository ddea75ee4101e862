//! The binaries as the tests run them: the one that all functions ship in, and the command.
//!
//! Here: building each once per test process, in the profile of the tests. Not here: running them
//! (`lambda_function`, `world::command`).

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::failure::{Context, Failure, Result};
use crate::tools::workspace_root;

/// The functions' binary, built first if need be.
pub fn bootstrap_binary() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| build("bootstrap")).clone()
}

/// With all that it can ask AWS.
pub(crate) fn weir_binary() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| build("weir")).clone()
}

fn build(binary: &str) -> Result<PathBuf> {
    // The whole workspace and one of its tests: only then do dependencies have the features that
    // `cargo test --workspace` gave them, and nothing but the binary itself is compiled here.
    let built = Command::new(env!("CARGO"))
        .args(["build", "--workspace", "--bin", binary, "--test", "harness"])
        .arg("--message-format=json")
        .args(["--profile", &profile()])
        .current_dir(workspace_root())
        .stdin(Stdio::null())
        .output()
        .context(|| "run cargo".into())?;
    if !built.status.success() {
        let said = String::from_utf8_lossy(&built.stderr);
        return Err(Failure::new(format!("`{binary}` does not build:\n{said}")));
    }
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == binary)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| Failure::new(format!("cargo named no executable for `{binary}`")))
}

/// The profile these tests were built in: they run from `<profile>/deps`.
fn profile() -> String {
    let directory = std::env::current_exe().ok().and_then(|test| {
        let deps = test.parent().filter(|parent| parent.file_name() == Some(OsStr::new("deps")))?;
        Some(deps.parent()?.file_name()?.to_str()?.to_owned())
    });
    match directory {
        Some(directory) if directory != "debug" => directory,
        _ => "dev".into(),
    }
}

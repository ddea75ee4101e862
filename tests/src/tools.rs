//! Where the emulators are installed, installing them first if need be.
//!
//! Here: the one call of `setup.py` per test process. Not here: what it installs (see that script).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::failure::{Context, Failure, Result};

pub(crate) struct Tools {
    pub(crate) python: PathBuf,
    pub(crate) python_packages: PathBuf,
    pub(crate) node: PathBuf,
    pub(crate) kinesis_mock: PathBuf,
    pub(crate) kinesis_mock_certificate: PathBuf,
    pub(crate) npm_packages: PathBuf,
}

impl Tools {
    pub(crate) fn installed() -> Result<&'static Self> {
        static TOOLS: OnceLock<Result<Tools>> = OnceLock::new();
        TOOLS.get_or_init(install).as_ref().map_err(Clone::clone)
    }
}

/// The repository's root: the workspace.
pub(crate) fn workspace_root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// Where everything made by the tests goes; never outside Cargo's target directory.
pub(crate) fn tools_dir() -> PathBuf {
    let root = workspace_root();
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root.join(target).join("e2e-tools")
}

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A Python with the packages of `python-requirements.txt`, for tests that compute something apart
/// from Weir.
pub fn python() -> Result<Command> {
    let tools = Tools::installed()?;
    let mut python = Command::new(&tools.python);
    python.env("PYTHONPATH", &tools.python_packages).env("PYTHONNOUSERSITE", "1");
    Ok(python)
}

/// What `look_at_page.mjs` saw of a page in Chromium; its pictures lie in `pictures`.
///
/// # Errors
/// Where the tools cannot be installed, or the browser does not run to its end.
pub fn look_at_page(page: &Path, pictures: &Path) -> Result<Value> {
    let tools = Tools::installed()?;
    let scratch = tools_dir().join("tmp");
    std::fs::create_dir_all(&scratch).context(|| format!("make {}", scratch.display()))?;
    let looked = Command::new(&tools.node)
        .arg(script("look_at_page.mjs"))
        .args([tools.npm_packages.as_path(), page, pictures])
        // Chromium is unpacked there.
        .env("TMPDIR", &scratch)
        .stdin(Stdio::null())
        .output()
        .context(|| "run node".into())?;
    if !looked.status.success() {
        return Err(Failure::new(String::from_utf8_lossy(&looked.stderr)));
    }
    serde_json::from_slice(&looked.stdout).context(|| "read what the browser saw".into())
}

fn install() -> Result<Tools> {
    let mut setup = Command::new("python3")
        .arg(script("setup.py"))
        .arg(tools_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context(|| "the end-to-end tests need `python3` (3.10 or newer) on the PATH".into())?;
    let said = setup.stderr.take().map(pass_on).unwrap_or_default();
    let done = setup.wait_with_output().context(|| "wait for setup.py".into())?;
    if !done.status.success() {
        return Err(Failure::new(said));
    }
    let stdout = String::from_utf8_lossy(&done.stdout);
    let last_line = stdout.lines().last().unwrap_or_default();
    let paths: Value =
        serde_json::from_str(last_line).context(|| format!("setup.py answered {last_line:?}"))?;
    let path = |name: &str| {
        paths[name]
            .as_str()
            .map(PathBuf::from)
            .ok_or_else(|| Failure::new(format!("setup.py named no {name}: {paths}")))
    };
    Ok(Tools {
        python: path("python")?,
        python_packages: path("python_packages")?,
        node: path("node")?,
        kinesis_mock: path("kinesis_mock")?,
        kinesis_mock_certificate: path("kinesis_mock_certificate")?,
        npm_packages: path("npm_packages")?,
    })
}

/// Shows what the set-up says as it says it, past the test runner's capture: it takes a while.
fn pass_on(stderr: ChildStderr) -> String {
    let mut said = String::new();
    for line in BufReader::new(stderr).lines().map_while(std::result::Result::ok) {
        let _ = writeln!(std::io::stderr(), "{line}");
        said.push_str(&line);
        said.push('\n');
    }
    said
}

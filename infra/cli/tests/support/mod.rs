//! The command, folders and recordings, for the tests that type it.

#![allow(dead_code)] // each test takes what it needs
#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use jiff::Timestamp;
use tempfile::TempDir;
use weir_sim::generate;

pub(crate) fn weir(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the command runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("a file");
    }
    folder
}

/// Three made-up days, as a recording.
pub(crate) fn recording(minutes: usize) -> String {
    let start = Timestamp::from_second(1_793_577_600).expect("a time");
    let trace = generate::days(3, start, 3, 1);
    let mut csv = "timestamp,incoming_bytes,incoming_records\n".to_owned();
    for (minute, index) in trace.minutes.iter().take(minutes).zip(0i64..) {
        let at = Timestamp::from_second(start.as_second() + 60 * index).expect("a time");
        writeln!(csv, "{at},{:.0},{:.0}", minute.bytes, minute.records).expect("a string takes it");
    }
    csv
}

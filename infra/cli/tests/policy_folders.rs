//! What `weir check` accepts is what the functions load: both read a folder by
//! `weir_control::policy_folder` and `PolicySet::of_files`.

#![allow(clippy::expect_used)] // the lint's own exception reaches test functions only

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use weir_control::policy_folder;
use weir_core::policy::{PolicyFault, PolicySet};

/// Whether `weir check` accepts the folder, and what it prints.
fn checked(folder: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .arg("check")
        .arg(folder)
        .output()
        .expect("the command runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn the_command_accepts_what_the_functions_load_and_tells_the_same_faults() {
    const ORDERS: &[u8] = b"version = 1\n[[streams]]\nmatch = \"orders\"\n";
    const FAULTY: &[u8] = b"version = 1\n[[streams]]\nmatch = \"clicks\"\nmin_shards = 0\n";
    /// The files of a folder, whether it is accepted, and how many faults it has.
    type Case<'a> = (&'a [(&'a str, &'a [u8])], bool, usize);
    let folders: [Case<'_>; 6] = [
        (&[("a.toml", ORDERS)], true, 0),
        (&[("a.toml", ORDERS), ("notes.md", b"[")], true, 0),
        (&[("a.toml", ORDERS), ("b.toml", FAULTY), ("c.toml", FAULTY)], false, 2),
        (&[("a.toml", ORDERS), ("b.toml", b"\xff\xfe")], false, 1),
        (&[("a.toml", b"[")], false, 1),
        (&[], false, 1),
    ];
    for (files, accepted, count) in folders {
        let folder = TempDir::new().expect("a folder");
        for (name, content) in files {
            fs::write(folder.path().join(name), content).expect("a file");
        }
        agree(folder.path(), accepted, count);
    }
    let folder = TempDir::new().expect("a folder");
    agree(&folder.path().join("not-there"), false, 1);
    fs::create_dir(folder.path().join("a.toml")).expect("a folder");
    agree(folder.path(), false, 1);
}

fn agree(folder: &Path, accepted: bool, count: usize) {
    let (_, faults) = PolicySet::of_files(&policy_folder::read(folder));
    let (accepts, printed) = checked(folder);
    assert_eq!((faults.len(), accepts), (count, accepted), "{faults:?}\n{printed}");
    for fault in faults {
        let told = match &fault {
            PolicyFault::InText(fault) => fault.message.clone(),
            PolicyFault::Unreadable { .. } => fault.to_string(),
        };
        assert!(printed.contains(&told), "weir check does not tell {told:?}:\n{printed}");
    }
}

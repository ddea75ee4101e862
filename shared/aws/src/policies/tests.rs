//! Policy files: order, faults, and what cannot be read.

use std::path::PathBuf;

use weir_core::policy::Governance;
use weir_core::units::StreamName;

use super::*;

/// A folder of this test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, files: &[(&str, &[u8])]) -> Folder {
        let folder = std::env::temp_dir().join(format!("weir-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        for (name, content) in files {
            fs::write(folder.join(name), content).expect("a file");
        }
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const ORDERS: &[u8] = b"version = 1\n[[streams]]\nmatch = \"orders\"\nmin_shards = 3\n";
const ALL: &[u8] = b"version = 1\n[[streams]]\nmatch = \"*\"\nmin_shards = 2\n";

fn least(read: &Policies, stream: &str) -> Option<u32> {
    match read.set.governing(&StreamName::new(stream).expect("a name")) {
        Governance::By(policy) => Some(policy.bounds.min().get()),
        Governance::Faulty | Governance::None => None,
    }
}

#[test]
fn files_are_read_in_the_order_of_their_names() {
    let folder =
        Folder::with("order", &[("2.toml", ALL), ("1.toml", ORDERS), ("notes.md", b"no TOML")]);
    let read = read_policies(&folder.0);
    assert!(read.complete && read.faults.is_empty(), "{read:?}");
    assert_eq!((least(&read, "orders"), least(&read, "other")), (Some(3), Some(2)));
}

/// A file that cannot be read may have been about any stream that no earlier file names: those are left
/// as they are rather than given a later file's policy.
#[test]
fn what_cannot_be_read_is_told_and_earlier_files_stay_in_force() {
    let folder = Folder::with(
        "broken",
        &[("a.toml", ORDERS), ("b.toml", b"\xff\xfe"), ("c.toml", b"["), ("d.toml", ALL)],
    );
    let read = read_policies(&folder.0);
    assert_eq!((least(&read, "orders"), least(&read, "other")), (Some(3), None));
    assert!(!read.complete);
    let faults: Vec<String> = read.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].contains("b.toml: cannot be read"), "{faults:?}");
    assert!(faults[1].starts_with("c.toml:1:"), "{faults:?}");
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let read = read_policies(Path::new("/nowhere/at/all"));
    assert!(!read.complete && least(&read, "orders").is_none());
    assert!(read.faults[0].to_string().starts_with("/nowhere/at/all: cannot be read"));
}

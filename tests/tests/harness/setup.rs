//! What the set-up installed, and that what is shipped is packed the same each time.

use std::fs;
use std::time::{Duration, SystemTime};

use weir_tests::{Result, World, python};

#[test]
fn python_comes_with_its_packages() -> Result<()> {
    let script = "import cbor2, numpy; print(numpy.arange(4).sum())";
    let output = python()?.args(["-c", script]).output().expect("Python was just installed for");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "6", "{output:?}");
    Ok(())
}

#[test]
fn the_same_files_make_the_same_package() -> Result<()> {
    let world = World::start()?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/package.py");
    let binary = world.folder().join("binary");
    let pack = |into: &str, written: SystemTime| {
        let into = world.folder().join(into);
        fs::write(&binary, "#!/bin/sh\n").expect("a file");
        let file = fs::File::options().append(true).open(&binary).expect("the file");
        file.set_modified(written).expect("a time");
        let mut packed = python().expect("Python was just installed");
        packed.arg(script).arg("--bootstrap").arg(&binary).arg("--into").arg(&into);
        let output = packed.output().expect("Python runs");
        assert!(output.status.success(), "{output:?}");
        ["functions.zip", "policies.zip"].map(|name| fs::read(into.join(name)).expect("a zip"))
    };
    let first = pack("one", SystemTime::UNIX_EPOCH);
    assert_eq!(first, pack("two", SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)));
    let look = "import sys, zipfile; print([(f.filename, oct(f.external_attr >> 16)) \
                for f in zipfile.ZipFile(sys.argv[1]).infolist()])";
    let archive = world.folder().join("one/functions.zip");
    let output = python()?.args(["-c", look]).arg(archive).output().expect("Python runs");
    let listed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(listed.trim(), "[('bootstrap', '0o755')]", "Lambda must be able to run it");
    Ok(())
}

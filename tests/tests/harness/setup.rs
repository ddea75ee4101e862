//! What the set-up installed, and that it stays installed.

use weir_tests::{Result, python};

#[test]
fn python_comes_with_its_packages() -> Result<()> {
    let script = "import cbor2, numpy; print(numpy.arange(4).sum())";
    let output = python()?.args(["-c", script]).output().expect("Python was just installed for");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "6", "{output:?}");
    Ok(())
}

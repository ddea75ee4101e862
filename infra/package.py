"""Builds what is deployed, and packs it: one artefact for all functions, and the policies.

    python3 infra/package.py [--architecture arm64|x86_64] [--bootstrap FILE]
    python3 infra/package.py --release [--bootstraps FOLDER]

Here: target/package/functions.zip and policies.zip, which infra/template.yaml and infra/terraform upload as they are. With
--release: target/release-files, with a zip for each architecture, and what release.py adds.
Same sources and compiler, same bytes: entries are sorted and carry no time, and no path of this machine is compiled in.
Not here: deploying.

Builds with cargo-lambda, which cross-compiles (`pip install cargo-lambda ziglang`). Without it, with plain cargo, on
Linux and for this machine's own processor only; its glibc must then be no newer than the runtime's, 2.34.
"""

import argparse
import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
POLICIES = ROOT / "infra" / "policies"
TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
MACHINES = {"arm64": ("aarch64", "arm64"), "x86_64": ("x86_64", "amd64")}
BUILD = ["--profile", "lambda", "--package", "weir-bootstrap", "--locked"]
# What an ELF file says at byte 18 of the processor it is for.
PROCESSORS = {"arm64": 0xB7, "x86_64": 0x3E}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--architecture", choices=sorted(TARGETS), default="arm64")
    arguments.add_argument("--bootstrap", type=Path, help="pack this binary and build none")
    arguments.add_argument("--release", action="store_true", help="make all files of a release")
    arguments.add_argument("--bootstraps", type=Path, help="pack arm64 and x86_64 of this folder and build none")
    arguments.add_argument("--into", type=Path)
    asked = arguments.parse_args()
    if asked.release:
        release(asked.bootstraps, asked.into or ROOT / "target" / "release-files")
        return
    into = asked.into or ROOT / "target" / "package"
    into.mkdir(parents=True, exist_ok=True)
    bootstrap = asked.bootstrap or built_for(asked.architecture, build(asked.architecture))
    pack(into / "functions.zip", {"bootstrap": bootstrap}, 0o755)
    pack_policies(into)


def release(bootstraps, into):
    """Both architectures, the policies, the module, and what release.py adds."""
    import release as files_of_a_release

    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    for architecture in sorted(TARGETS):
        bootstrap = bootstraps / architecture if bootstraps else build(architecture)
        pack(into / f"functions-{architecture}.zip", {"bootstrap": built_for(architecture, bootstrap)}, 0o755)
    pack_policies(into)
    module = ROOT / "infra" / "terraform"
    pack(into / "terraform.zip", {file.name: file for file in module.iterdir() if file.is_file()}, 0o644)
    files_of_a_release.make(ROOT, into, sorted(TARGETS.values()))


def built_for(architecture, bootstrap):
    """The binary, if it is one for this processor: with another one Lambda says no more than `exec format error`."""
    head = bootstrap.read_bytes()[:20]
    if head[:4] != b"\x7fELF" or int.from_bytes(head[18:20], "little") != PROCESSORS[architecture]:
        sys.exit(f"{bootstrap} is no Linux binary for {architecture}")
    return bootstrap


def pack_policies(into):
    policies = {str(file.relative_to(POLICIES)): file for file in POLICIES.rglob("*.toml")}
    pack(into / "policies.zip", policies, 0o644)


def build(architecture):
    """The binary for this processor."""
    target = target_folder()
    environment = {**os.environ, "RUSTFLAGS": " ".join(without_paths()), "CARGO_TARGET_DIR": str(target)}
    if shutil.which("cargo-lambda"):
        command = ["cargo", "lambda", "build", *BUILD, f"--{architecture.replace('_', '-')}",
                   "--lambda-dir", str(target / "package"), "--flatten", "bootstrap"]
        built = target / "package" / "bootstrap"
    elif sys.platform == "linux" and platform.machine() in MACHINES[architecture]:
        command = ["cargo", "build", *BUILD, "--target", TARGETS[architecture]]
        built = target / TARGETS[architecture] / "lambda" / "bootstrap"
    else:
        sys.exit(f"this machine cannot build for {architecture} by itself: pip install cargo-lambda ziglang, and "
                 f"rustup target add {TARGETS[architecture]}")
    print("$", *command, flush=True)
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
        sys.exit("the functions do not build; what cargo says stands above")
    return built


def target_folder():
    return (ROOT / os.environ.get("CARGO_TARGET_DIR", "target")).resolve()


def without_paths():
    """Flags that keep this machine's folders out of the binary."""
    cargo = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    return [f"--remap-path-prefix={cargo}=cargo", f"--remap-path-prefix={ROOT}=weir"]


def pack(archive, files, mode):
    """A zip that depends on nothing but its files' names and contents."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name.replace(os.sep, "/"), date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever this runs: Lambda needs the right to execute
            packed.writestr(entry, files[name].read_bytes())
    # As Lambda shows it of what it runs.
    digest = base64.b64encode(hashlib.sha256(archive.read_bytes()).digest()).decode()
    print(f"{archive}  {archive.stat().st_size} bytes  CodeSha256 {digest}")


if __name__ == "__main__":
    main()

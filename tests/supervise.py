"""Runs a command and ends it when whoever asked for it is gone.

    python3 tests/supervise.py <command> [argument ...]

Here: the guard that keeps no emulator or function alive after a test run that was interrupted or killed.
Not here: which commands are run (src/process.rs).

The asker holds the other end of this process's stdin. When that closes, for whatever reason, the command is killed.
"""

import os
import subprocess
import sys
import threading


def main():
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)

    def end_with_the_asker():
        while os.read(0, 4096):
            pass
        child.kill()

    threading.Thread(target=end_with_the_asker, daemon=True).start()
    try:
        status = child.wait()
    except KeyboardInterrupt:
        child.kill()
        status = child.wait()
    # A killed child has a negative status; a shell would say 128 + signal.
    os._exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()

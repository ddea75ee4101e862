"""A function with no Weir in it: answers the Runtime API as the event tells it to.

Here: just enough of a Lambda runtime to try the harness. Not here: anything a test of Weir should run.
"""

import json
import os
import signal
import sys
import urllib.request

ROOT = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(path, body):
    OPENER.open(urllib.request.Request(f"{ROOT}/{path}", json.dumps(body).encode(), method="POST"))


def main():
    if os.environ.get("FAIL_AT_START"):
        post("init/error", {"errorType": "Init", "errorMessage": os.environ["FAIL_AT_START"]})
        sys.exit(1)
    invocations = 0
    while True:
        with OPENER.open(f"{ROOT}/invocation/next") as answer:
            event = json.load(answer)
            request_id = answer.headers["Lambda-Runtime-Aws-Request-Id"]
            deadline_ms = int(answer.headers["Lambda-Runtime-Deadline-Ms"])
        invocations += 1
        print(json.dumps({"level": "INFO", "did": event["do"]}), flush=True)
        print("not json", file=sys.stderr, flush=True)
        if event["do"] == "sleep":
            signal.pause()
        elif event["do"] == "exit":
            sys.exit(3)
        elif event["do"] == "fail":
            post(f"invocation/{request_id}/error", {"errorType": "Told", "errorMessage": "to fail"})
        else:
            post(
                f"invocation/{request_id}/response",
                {"handler": os.environ["_HANDLER"], "invocations": invocations, "pid": os.getpid(),
                 "deadline_ms": deadline_ms, "environment": dict(os.environ)},
            )


main()

#!/usr/bin/env python3
"""Stands for the AWS CLI in the test of infra/trial.py: an account that answers every question of the trial alike.

Environment: STUB_SAYS, yes or no; STUB_LOG, a file that gets a line of each call; STUB_FAILS, an operation that AWS
refuses whatever is asked.
"""

import json
import os
import sys

service, operation, request = sys.argv[1], sys.argv[2], json.loads(sys.argv[4])
yes = os.environ["STUB_SAYS"] == "yes"
log = os.environ["STUB_LOG"]
before = [json.loads(line) for line in open(log, encoding="utf-8")] if os.path.exists(log) else []
with open(log, "a", encoding="utf-8") as lines:
    lines.write(json.dumps({"operation": operation, **request}) + "\n")


def refuse(code):
    sys.exit(f"An error occurred ({code}) when calling {operation}: refused")


def called(wanted, **fields):
    return any(call["operation"] == wanted and all(call.get(key) == value for key, value in fields.items())
               for call in before)


def summary(name):
    stream = {"StreamARN": f"arn:aws:kinesis:eu-west-1:123456789012:stream/{name}", "StreamStatus": "ACTIVE"}
    by_hand = name.endswith("-of-stack") and (yes or not called("update-stack"))
    mode = "ON_DEMAND" if called("update-stream-mode") else "PROVISIONED"
    warm = {"WarmThroughput": {"CurrentMiBps": 4}} if yes else {}
    return {**stream, "OpenShardCount": 4 if by_hand else 2, "StreamModeDetails": {"StreamMode": mode}, **warm}


def values():
    asked = request["MetricDataQueries"][-1]
    return [5.0] if yes or asked["Id"] == "written" else []


def message():
    filtered = request["QueueUrl"].endswith("-filtered")
    heard = request["QueueUrl"] == "heard"
    return {"Messages": [{"Body": "for queues"}]} if yes or not (filtered or heard) else {}


def stack():
    status = "UPDATE_COMPLETE" if called("update-stack") else "CREATE_COMPLETE"
    return {"StackStatus": status, "Outputs": [{"OutputKey": "Heard", "OutputValue": "heard"}]}


if operation == os.environ.get("STUB_FAILS"):
    refuse("LimitExceeded")
if not yes and (len(request.get("Entries", [])) > 1 or len(request.get("Subject", "")) == 100):
    refuse("InvalidParameter")
if not yes and operation == "update-shard-count" and not request["StreamName"].endswith("-of-stack"):
    refuse("AccessDeniedException")
# Refused for as long as a right takes to spread, in an account where it suffices.
if operation == "update-stream-mode" and not called("update-stream-mode"):
    refuse("AccessDeniedException")

print(json.dumps({
    "get-caller-identity": lambda: {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/owner"},
    "create-role": lambda: {"Role": {"Arn": "arn:aws:iam::123456789012:role/" + request["RoleName"]}},
    "assume-role": lambda: {"Credentials": dict.fromkeys(("AccessKeyId", "SecretAccessKey", "SessionToken"), "x")},
    "create-topic": lambda: {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:" + request["Name"]},
    "create-queue": lambda: {"QueueUrl": "https://sqs/" + request["QueueName"]},
    "describe-stream-summary": lambda: {"StreamDescriptionSummary": summary(request["StreamName"])},
    "describe-limits": lambda: {"OpenShardCount": 7 if yes or not called("update-stream-mode") else 5},
    "get-metric-data": lambda: {"MetricDataResults": [{"Values": values()}]},
    "receive-message": message,
    "describe-stacks": lambda: {"Stacks": [stack()]},
    "describe-alarms": lambda: {"MetricAlarms": [{"StateValue": "INSUFFICIENT_DATA" if yes else "ALARM"}]},
    "get-metric-statistics": lambda: {"Datapoints": [{}] * (60 if yes else 12)},
    "get-cost-and-usage": lambda: {"ResultsByTime": [{"Groups": [
        {"Keys": ["EU-CW:Requests", "DescribeAlarms" if yes else "PutMetricData"]}]}]},
}.get(operation, dict)()))

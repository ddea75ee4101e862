"""Asks an AWS account what no document settles, and prints yes or no for each question: docs/trial-on-aws.md.

    python3 infra/trial.py [--delivery-stream NAME] [--bill]

Takes up to half an hour and some twenty cents. Needs the AWS CLI with credentials that may make and delete what stands in
`Trial.prepare` and `with_rights`; makes it under names that begin with weir-trial-, and deletes it again, also after Ctrl-C. Touches
nothing else. Not here: what follows from an answer, which the page says.
"""

import argparse
import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
import time

ALLOWED = "Allow"
PERIOD_SECONDS = 60


class Refused(Exception):
    """AWS said no: `code` is its error code."""

    def __init__(self, text):
        super().__init__(text.strip())
        code = re.search(r"\((\w+)\)", text)
        self.code = code[1] if code else ""

    @property
    def denied(self):
        return "AccessDenied" in self.code


class Aws:
    """The AWS CLI, every call with its input as JSON."""

    def __init__(self, command, **credentials):
        self.command, self.environment = command, {**os.environ, **credentials}

    def __call__(self, service, operation, **request):
        command = [self.command, service, operation, "--cli-input-json", json.dumps(request), "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False)
        if done.returncode != 0:
            raise Refused(done.stderr)
        return json.loads(done.stdout or "{}")


class Trial:
    """What is made for the trial, and the questions to it. A question answers yes or no, and with what was seen."""

    def __init__(self, aws, asked, undo):
        self.aws, self.asked, self.undo = aws, asked, undo
        self.name = f"weir-trial-{secrets.token_hex(3)}"
        who = aws("sts", "get-caller-identity")
        self.account, self.partition = who["Account"], who["Arn"].split(":")[1]

    def prepare(self):
        """Everything at once: most of the half hour is spent waiting for it."""
        self.make("kinesis", "create-stream", StreamName=self.name, ShardCount=1)
        self.undo.callback(self.drop, "kinesis", "delete-stream", StreamName=self.name)
        self.put_written()
        self.stream = self.until("the stream", self.active)["StreamARN"]
        self.topic = self.make("sns", "create-topic", Name=self.name)["TopicArn"]
        self.undo.callback(self.drop, "sns", "delete-topic", TopicArn=self.topic)
        filtered = {"FilterPolicy": json.dumps({"stream": ["orders"]}), "RawMessageDelivery": "true"}
        self.queues = {"all": self.subscribed("all", {"RawMessageDelivery": "true"}),
                       "filtered": self.subscribed("filtered", filtered)}
        self.make("cloudformation", "create-stack", StackName=self.name, TemplateBody=json.dumps(stack(2)))
        self.undo.callback(self.drop, "cloudformation", "delete-stack", StackName=self.name)

    def questions(self):
        yield "fill", "FILL gives values to a metric that never was", self.fill_of_an_absent_metric
        yield "missing", "A comparison takes a metric that never was for 0", self.comparison_with_an_absent_metric
        yield "sources", "Two events in one call pass a grant that compares sets", self.two_sources
        yield "plain", "Two events in one call pass a grant with plain StringEquals", self.two_sources_plainly
        yield "reshard-arn", "UpdateShardCount is allowed by the stream's ARN", self.reshard_by_arn
        yield "switch-arn", "UpdateStreamMode is allowed by the stream's ARN", self.switch_by_arn
        yield "warm", "A stream that was switched reports a warm throughput", self.warm_throughput
        yield "shards", "Shards on demand count among the account's open shards", self.shards_on_demand
        yield "subject", "SNS takes a subject of 100 characters", self.long_subject
        yield "filter", "A filter sees the attributes of a message in JSON form", self.filter_by_attribute
        yield "deployed", "A rule made with a stack hears of the stack's end", self.rule_hears_its_stack
        yield "warm-up", "An alarm in its warm-up is not in ALARM, though it has only zeros", self.warm_up
        yield "size", "A stream resized by hand keeps its size when the stack changes its tags", self.size_is_kept
        yield "firehose", "Firehose publishes its metrics each minute", self.firehose_each_minute
        yield "bill", "DescribeAlarms is on the bill", self.alarms_on_the_bill

    # Metrics.

    def put_written(self):
        """A metric that is there, beside one that never was."""
        self.make("cloudwatch", "put-metric-data", Namespace=self.name,
                  MetricData=[{"MetricName": "written", "Value": 5, "Timestamp": int(time.time()) - 300}])

    def fill_of_an_absent_metric(self):
        values = self.values("FILL(absent, 0)")
        return bool(values), f"{len(values)} values"

    def comparison_with_an_absent_metric(self):
        values = self.until("the metric", lambda: self.values("written")) and self.values(
            "IF(written > 0 AND absent > 0, 0, written)")
        return bool(values), f"values {values}"

    def values(self, expression):
        def metric(name):
            stat = {"Metric": {"Namespace": self.name, "MetricName": name}, "Period": PERIOD_SECONDS, "Stat": "Sum"}
            return {"Id": name, "MetricStat": stat, "ReturnData": expression == name}
        queries = [metric("absent"), metric("written")]
        if expression != "written":
            queries.append({"Id": "asked", "Expression": expression})
        now = int(time.time())
        found = self.aws("cloudwatch", "get-metric-data", MetricDataQueries=queries, StartTime=now - 3600, EndTime=now)
        return [value for result in found["MetricDataResults"] for value in result["Values"]]

    # Rights.

    def two_sources(self):
        return self.published("sets", {"ForAllValues:StringEquals": {"events:source": self.name},
                                       "Null": {"events:source": "false"}})

    def two_sources_plainly(self):
        return self.published("plain", {"StringEquals": {"events:source": self.name}})

    def published(self, kind, condition):
        bus = f"arn:{self.partition}:events:{self.region()}:{self.account}:event-bus/default"
        role = self.with_rights(kind, "events:PutEvents", bus, condition)
        entry = {"Source": self.name, "DetailType": "Weir trial", "Detail": "{}"}
        # IAM takes some time to let one event through; from then on two are a question of the condition.
        self.until("the right to send one event", lambda: passes(role, "events", "put-events", Entries=[entry])[0])
        return passes(role, "events", "put-events", Entries=[entry, entry])

    def reshard_by_arn(self):
        role = self.with_rights("reshards", "kinesis:UpdateShardCount", self.stream)
        return self.eventually(role, "kinesis", "update-shard-count", StreamName=self.name, TargetShardCount=2,
                               ScalingType="UNIFORM_SCALING")

    def switch_by_arn(self):
        self.until("the stream", self.active)
        self.open_shards = self.aws("kinesis", "describe-limits")["OpenShardCount"]
        role = self.with_rights("switches", "kinesis:UpdateStreamMode", self.stream)
        return self.eventually(role, "kinesis", "update-stream-mode", StreamARN=self.stream,
                               StreamModeDetails={"StreamMode": "ON_DEMAND"})

    def with_rights(self, kind, action, resource, condition=None):
        """A role of its own for each question: a role whose rights were changed keeps the old ones for a while."""
        name = f"{self.name}-{kind}"
        root = f"arn:{self.partition}:iam::{self.account}:root"
        trust = [{"Effect": ALLOWED, "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}]
        role = self.make("iam", "create-role", RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        self.undo.callback(self.drop, "iam", "delete-role", RoleName=name)
        grant = {"Effect": ALLOWED, "Action": action, "Resource": resource, "Condition": condition or {}}
        self.make("iam", "put-role-policy", RoleName=name, PolicyName="trial", PolicyDocument=document([grant]))
        self.undo.callback(self.drop, "iam", "delete-role-policy", RoleName=name, PolicyName="trial")
        taken = self.until("the role", lambda: quietly(
            self.aws, "sts", "assume-role", RoleArn=role, RoleSessionName="trial"))["Credentials"]
        return Aws(self.aws.command, AWS_ACCESS_KEY_ID=taken["AccessKeyId"],
                   AWS_SECRET_ACCESS_KEY=taken["SecretAccessKey"], AWS_SESSION_TOKEN=taken["SessionToken"])

    def eventually(self, role, service, operation, **request):
        """A refusal counts when it is still one after two minutes."""
        for _ in range(4):
            allowed, seen = passes(role, service, operation, **request)
            if allowed:
                break
            self.minutes(0.5)
        return allowed, seen

    # Streams.

    def active(self):
        summary = self.aws("kinesis", "describe-stream-summary", StreamName=self.name)["StreamDescriptionSummary"]
        return summary if summary["StreamStatus"] == "ACTIVE" else None

    def warm_throughput(self):
        summary = self.switched()
        return "WarmThroughput" in summary, f"WarmThroughput {summary.get('WarmThroughput')}"

    def shards_on_demand(self):
        own = self.switched()["OpenShardCount"]
        now = self.aws("kinesis", "describe-limits")["OpenShardCount"]
        return now >= self.open_shards, f"{self.open_shards} before the switch of {own}, {now} after"

    def switched(self):
        summary = self.until("the stream", self.active)
        if summary["StreamModeDetails"]["StreamMode"] != "ON_DEMAND":
            raise Refused("the stream could not be switched")
        return summary

    # Messages.

    def subscribed(self, kind, attributes):
        queue = self.make("sqs", "create-queue", QueueName=f"{self.name}-{kind}")["QueueUrl"]
        self.undo.callback(self.drop, "sqs", "delete-queue", QueueUrl=queue)
        arn = f"arn:{self.partition}:sqs:{self.region()}:{self.account}:{self.name}-{kind}"
        grant = {"Effect": ALLOWED, "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
                 "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": self.topic}}}
        self.make("sqs", "set-queue-attributes", QueueUrl=queue, Attributes={"Policy": document([grant])})
        self.make("sns", "subscribe", TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return queue

    def long_subject(self):
        return passes(self.aws, "sns", "publish", TopicArn=self.topic, Message="trial", Subject="x" * 100)

    def filter_by_attribute(self):
        attributes = {"stream": {"DataType": "String", "StringValue": "orders"}}
        self.aws("sns", "publish", TopicArn=self.topic, MessageStructure="json", MessageAttributes=attributes,
                 Message=json.dumps({"default": "for all", "sqs": "for queues"}))
        everybody = self.until("the message", lambda: self.received("all", "for queues"))
        self.minutes(1)
        filtered = self.received("filtered", "for queues")
        came = "with" if everybody[0].get("MessageAttributes") else "without"
        return bool(filtered), f"unfiltered it came {came} attributes, filtered {len(filtered)} times"

    def received(self, kind, body):
        answer = self.aws("sqs", "receive-message", QueueUrl=self.queues[kind], MaxNumberOfMessages=10,
                          MessageAttributeNames=["All"], WaitTimeSeconds=1)
        return [message for message in answer.get("Messages", []) if message["Body"] == body]

    # The stack.

    def made(self):
        return self.until("the stack", lambda: self.stack_in("CREATE_COMPLETE"), minutes=8)

    def rule_hears_its_stack(self):
        outputs = {output["OutputKey"]: output["OutputValue"] for output in self.made()["Outputs"]}
        self.minutes(2)
        heard = self.aws("sqs", "receive-message", QueueUrl=outputs["Heard"], MaxNumberOfMessages=10, WaitTimeSeconds=1)
        return bool(heard.get("Messages")), f"{len(heard.get('Messages', []))} events"

    def size_is_kept(self):
        self.made()
        own = f"{self.name}-of-stack"
        self.aws("kinesis", "update-shard-count", StreamName=own, TargetShardCount=4, ScalingType="UNIFORM_SCALING")

        def size():
            return self.aws("kinesis", "describe-stream-summary", StreamName=own)["StreamDescriptionSummary"]

        self.until("the resize", lambda: size()["StreamStatus"] == "ACTIVE" and size()["OpenShardCount"] == 4)
        self.aws("cloudformation", "update-stack", StackName=self.name, TemplateBody=json.dumps(stack(2, "changed")))
        self.until("the update", lambda: self.stack_in("UPDATE_COMPLETE"), minutes=8)
        shards = size()["OpenShardCount"]
        return shards == 4, f"{shards} shards, 4 by hand, 2 in the template"

    def warm_up(self):
        self.made()
        alarms = self.aws("cloudwatch", "describe-alarms", AlarmNames=[self.name])["MetricAlarms"]
        state = alarms[0]["StateValue"]
        return state != "ALARM", state

    def stack_in(self, status):
        found = self.aws("cloudformation", "describe-stacks", StackName=self.name)["Stacks"][0]
        if found["StackStatus"].endswith(("FAILED", "ROLLBACK_COMPLETE")):
            raise Refused(f"the stack is {found['StackStatus']}: {found.get('StackStatusReason')}")
        return found if found["StackStatus"] == status else None

    # What needs something of the account's.

    def firehose_each_minute(self):
        if not self.asked.delivery_stream:
            return None, "name a busy one: --delivery-stream"
        now = int(time.time()) // 60 * 60
        found = self.aws("cloudwatch", "get-metric-statistics", Namespace="AWS/Firehose", MetricName="IncomingRecords",
                         Dimensions=[{"Name": "DeliveryStreamName", "Value": self.asked.delivery_stream}],
                         StartTime=now - 3600, EndTime=now, Period=PERIOD_SECONDS, Statistics=["Sum"])["Datapoints"]
        return len(found) > 30, f"{len(found)} of 60 minutes"

    def alarms_on_the_bill(self):
        if not self.asked.bill:
            return None, "--bill asks Cost Explorer, for one cent"
        today = time.strftime("%Y-%m-%d", time.gmtime())
        month_ago = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 30 * 86400))
        found = self.aws("ce", "get-cost-and-usage", TimePeriod={"Start": month_ago, "End": today}, Granularity="MONTHLY",
                         Metrics=["UsageQuantity", "UnblendedCost"],
                         GroupBy=[{"Type": "DIMENSION", "Key": "USAGE_TYPE"}, {"Type": "DIMENSION", "Key": "OPERATION"}])
        billed = [group for part in found["ResultsByTime"] for group in part["Groups"]
                  if "CW:Requests" in group["Keys"][0] and group["Keys"][1] == "DescribeAlarms"]
        return bool(billed), f"{len(billed)} lines CW:Requests, DescribeAlarms"

    # Making, waiting, undoing.

    def region(self):
        return self.stream.split(":")[3]

    def make(self, service, operation, **request):
        print(f"… {service} {operation}", file=sys.stderr, flush=True)
        return self.aws(service, operation, **request)

    def drop(self, service, operation, **request):
        try:
            self.make(service, operation, **request)
        except Refused as refusal:
            print(f"delete by hand: {service} {operation} {request}: {refusal}", file=sys.stderr)

    def until(self, what, found, minutes=5):
        for _ in range(int(minutes * 6)):
            answer = found()
            if answer:
                return answer
            self.minutes(1 / 6)
        raise Refused(f"waited {minutes} minutes for {what}")

    def minutes(self, count):
        time.sleep(count * self.asked.minute_seconds)


def passes(aws, service, operation, **request):
    try:
        aws(service, operation, **request)
    except Refused as refusal:
        return False, str(refusal)
    return True, "accepted"


def quietly(aws, service, operation, **request):
    try:
        return aws(service, operation, **request)
    except Refused:
        return None


def document(statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def stack(shards, tag="as made"):
    """A stream, a rule on the stack's own end with a queue, and an alarm whose expression is zero from the start."""
    heard = {"Fn::GetAtt": ["Heard", "Arn"]}
    absent = {"Metric": {"Namespace": "weir-trial", "MetricName": "absent"}, "Period": 60, "Stat": "Sum"}
    return {
        "Resources": {
            "Stream": {"Type": "AWS::Kinesis::Stream", "Properties": {
                "Name": {"Fn::Sub": "${AWS::StackName}-of-stack"}, "ShardCount": shards,
                "Tags": [{"Key": "trial", "Value": tag}]}},
            "Heard": {"Type": "AWS::SQS::Queue"},
            "HeardPolicy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {
                "Queues": [{"Ref": "Heard"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
                    "Effect": ALLOWED, "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
                    "Resource": heard, "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}}}]}}},
            "Rule": {"Type": "AWS::Events::Rule", "Properties": {
                "EventPattern": {
                    "source": ["aws.cloudformation"], "detail-type": ["CloudFormation Stack Status Change"],
                    "detail": {"stack-id": [{"Ref": "AWS::StackId"}], "status-details": {"status": ["CREATE_COMPLETE"]}}},
                "Targets": [{"Id": "heard", "Arn": heard}]}},
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
                "AlarmName": {"Ref": "AWS::StackName"}, "ComparisonOperator": "LessThanThreshold", "Threshold": 1,
                "EvaluationPeriods": 1, "TreatMissingData": "breaching",
                "WarmUpConfiguration": {
                    "WarmUpPeriodDurationInMinutes": 60, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True},
                "Metrics": [{"Id": "zero", "Expression": "FILL(absent, 0)"},
                            {"Id": "absent", "MetricStat": absent, "ReturnData": False}]}},
        },
        "Outputs": {"Heard": {"Value": {"Ref": "Heard"}}},
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--delivery-stream", help="a Firehose stream of the account's that is busy now")
    arguments.add_argument("--bill", action="store_true", help="look at the last month's bill as well")
    arguments.add_argument("--aws", default="aws", help="the AWS CLI")
    arguments.add_argument("--minute-seconds", type=float, default=60, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    with contextlib.ExitStack() as undo:
        try:
            trial = Trial(Aws(asked.aws), asked, undo)
            trial.prepare()
        except Refused as refusal:
            sys.exit(f"the trial cannot be prepared: {refusal}")
        for key, question, ask in trial.questions():
            try:
                answer, seen = ask()
            except Refused as refusal:
                answer, seen = None, str(refusal)
            said = {True: "yes", False: "no", None: "not asked"}[answer]
            print(f"{said:<10} {key:<12} {question} ({seen})", flush=True)


if __name__ == "__main__":
    main()

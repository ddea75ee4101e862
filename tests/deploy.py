"""Deploys infra/template.yaml into an emulator, as `sam deploy` deploys it to AWS.

    python3 tests/deploy.py <endpoint> <account> <region> <binary> <folder> <environment as JSON>

The template is expanded by AWS's own translator, the artefacts are packed by infra/package.py and uploaded, the stack is
created. The last line on stdout is a JSON object: the stack's status, its resources by logical id, and what the emulator
says of each function.

What the emulator cannot do, and is made up for here, all of it and nothing else:

* it knows no alarm on metric math: such an alarm gets its first metric;
* its functions are processes of this machine, with nothing under /opt and no way to AWS: the given environment says
  where the policies and the endpoint are.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import botocore.session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

INFRA = Path(__file__).resolve().parent.parent / "infra"
STACK = "weir"
PATIENCE_SECONDS = 60


def main():
    endpoint, account, region, binary, folder, environment = sys.argv[1:]
    session = botocore.session.get_session()

    def client(service):
        return session.create_client(service, region_name=region, endpoint_url=endpoint,
                                     aws_access_key_id=account, aws_secret_access_key="not-a-secret")

    subprocess.run([sys.executable, INFRA / "package.py", "--bootstrap", binary, "--into", folder],
                   check=True, stdout=sys.stderr)
    bucket = f"artefacts-{account}"  # buckets are everybody's
    upload(client("s3"), bucket, Path(folder))
    template = adapted(expanded(region, bucket), json.loads(environment))
    formation = client("cloudformation")
    formation.create_stack(StackName=STACK, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    print(json.dumps({
        "status": settled(formation),
        "events": [event.get("ResourceStatusReason") for event in
                   formation.describe_stack_events(StackName=STACK)["StackEvents"]
                   if event["ResourceStatus"].endswith("FAILED")],
        "resources": {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in
                      formation.describe_stack_resources(StackName=STACK)["StackResources"]},
        "functions": client("lambda").list_functions()["Functions"],
        "wanted": sorted(id for id, resource in template["Resources"].items() if "Condition" not in resource),
    }))


def upload(store, bucket, folder):
    store.create_bucket(Bucket=bucket)
    for name in ("functions.zip", "policies.zip"):
        store.put_object(Bucket=bucket, Key=name, Body=(folder / name).read_bytes())


def expanded(region, bucket):
    """The template after its transform, with the artefacts where they were uploaded to."""
    whole = (INFRA / "template.yaml").read_text(encoding="utf-8")
    template = yaml_parse(whole.replace("../target/package/", f"s3://{bucket}/"))
    parameters = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    return Translator({}, Parser(), boto_session=BotoSession(region)).translate(template, parameters)


class BotoSession:
    """All the translator asks of a session."""

    def __init__(self, region):
        self.region_name = region


def adapted(template, environment):
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in properties:
            watched = next(query["MetricStat"] for query in properties.pop("Metrics") if "MetricStat" in query)
            properties.update(watched["Metric"], Period=watched["Period"], Statistic=watched["Stat"])
        if resource["Type"] == "AWS::Lambda::Function":
            properties["Environment"]["Variables"].update(environment)
    return template


def settled(formation):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        status = formation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            return status
        if time.monotonic() > deadline:
            sys.exit(f"after {PATIENCE_SECONDS} s the stack is still {status}")
        time.sleep(0.1)


if __name__ == "__main__":
    main()

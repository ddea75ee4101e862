"""Deploys infra/template.yaml into an emulator, as `sam deploy` deploys it to AWS.

    python3 tests/deploy.py <endpoint> <account> <region> <binary> <folder> <environment> <parameters>

Environment and parameters are JSON objects. The template is expanded by AWS's own translator, the artefacts are packed by
infra/package.py and uploaded, the stack is created. With the parameter ArtefactBuckets, from the files of a release
instead. The last line on stdout is a JSON object: the stack's status, its resources by logical id, and what the emulator
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
    endpoint, account, region, binary, folder, environment, parameters = sys.argv[1:]
    folder, parameters = Path(folder), json.loads(parameters)
    session = botocore.session.get_session()

    def client(service):
        return session.create_client(service, region_name=region, endpoint_url=endpoint,
                                     aws_access_key_id=account, aws_secret_access_key="not-a-secret")

    store = client("s3")
    if "ArtefactBuckets" in parameters:
        template = released(store, Path(binary), folder, f"{parameters['ArtefactBuckets']}-{region}", parameters)
    else:
        template = from_sources(store, binary, folder, f"artefacts-{account}", region)
    template = adapted(template, json.loads(environment))
    formation = client("cloudformation")
    formation.create_stack(
        StackName=STACK, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()])
    conditions = met(template, parameters)
    print(json.dumps({
        "status": settled(formation),
        "events": [event.get("ResourceStatusReason") for event in
                   formation.describe_stack_events(StackName=STACK)["StackEvents"]
                   if event["ResourceStatus"].endswith("FAILED")],
        "resources": {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in
                      formation.describe_stack_resources(StackName=STACK)["StackResources"]},
        "functions": client("lambda").list_functions()["Functions"],
        "wanted": sorted(id for id, resource in template["Resources"].items()
                         if resource.get("Condition", "always") in conditions),
    }))


def met(template, parameters):
    """The conditions that hold, of those on a parameter."""
    values = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()} | parameters
    compared = {name: condition["Fn::Equals"] for name, condition in template["Conditions"].items()
                if "Fn::Equals" in condition}
    return {"always", *(name for name, (one, other) in compared.items() if values.get(one["Ref"]) == other)}


def from_sources(store, binary, folder, bucket, region):
    """As `sam deploy` does it."""
    package("--bootstrap", binary, "--into", folder)
    upload(store, bucket, folder, ["functions.zip", "policies.zip"])
    return expanded(region, bucket)


def released(store, binary, folder, bucket, parameters):
    """As who does not compile does it. There is a binary for one processor: the other's is the same, marked as another."""
    marked = bytearray(binary.read_bytes())
    machines = {0xB7: "arm64", 0x3E: "x86_64"}
    own = marked[18]
    other = next(machine for machine in machines if machine != own)
    (folder / "bootstraps").mkdir(parents=True)
    (folder / "bootstraps" / machines[own]).write_bytes(marked)
    marked[18] = other
    (folder / "bootstraps" / machines[other]).write_bytes(marked)
    parameters["Architecture"] = machines[own]
    files = folder / "release"
    package("--release", "--bootstraps", folder / "bootstraps", "--into", files)
    template = json.loads((files / "weir.template.json").read_text(encoding="utf-8"))
    upload(store, bucket, files, [file.name for file in files.iterdir()],
           f"{template['Parameters']['ArtefactFolder']['Default']}/")
    return template


def package(*arguments):
    subprocess.run([sys.executable, INFRA / "package.py", *arguments], check=True, stdout=sys.stderr)


def upload(store, bucket, folder, names, prefix=""):
    store.create_bucket(Bucket=bucket)
    for name in names:
        store.put_object(Bucket=bucket, Key=prefix + name, Body=(folder / name).read_bytes())


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

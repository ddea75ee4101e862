"""Checks infra/template.yaml: cfn-lint as written and as CloudFormation will see it, then the house's own policies.

    python3 .ci/check-template.py <template> <file to write the expanded template to>

cfn-lint reads AWS SAM's resources but checks little inside them, and no IAM action at all in a template
that has a transform. So the template is expanded by AWS's own translator first, offline. The policies, with every
exception to them, are in infrastructure.guard.
"""

import json
import os
import sys
from pathlib import Path

import cfnlint.runner.cli
from cfn_guard_rs.cfn_guard_rs import run_checks_rs
from cfnlint.decode import cfn_yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REGION = "us-east-1"
POLICIES = Path(__file__).resolve().parent / "infrastructure.guard"
# Stands for what `sam deploy` uploads.
UPLOADED = "s3://uploaded-by-sam/artefact.zip"


def expand(path):
    """The template after its transform, with every local file taken as uploaded."""
    template = plain(cfn_yaml.load(path))
    sections = [resource.get("Properties", {}) for resource in template["Resources"].values()]
    sections.extend(template.get("Globals", {}).values())
    for properties in sections:
        for key in ("CodeUri", "ContentUri"):
            if key in properties:
                properties[key] = UPLOADED
    defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    return Translator({}, Parser()).translate(template, defaults)


def plain(node):
    """cfn-lint's nodes know their lines; the translator wants plain dictionaries."""
    return json.loads(json.dumps(node, default=str))


def lint(path):
    print(f"cfn-lint {path}", flush=True)
    sys.argv = ["cfn-lint", "--regions", REGION, "--", path]
    try:
        cfnlint.runner.cli.main()
    except SystemExit as done:
        return done.code or 0
    return 0


def guard(template):
    """Whether a policy is broken, or holds for nothing at all: then what it is about was renamed."""
    print(f"cfn-guard {POLICIES.name}", flush=True)
    report = json.loads(run_checks_rs(json.dumps(template), POLICIES.read_text(encoding="utf-8"), False))
    broken = [entry["Rule"] for entry in report["not_compliant"]]
    for rule in broken:
        print(f"{rule['name']} is broken:")
        for fault in faults(rule):
            print(f"  {fault}")
    idle = report["not_applicable"]
    print(f"{len(report['compliant'])} policies hold, {len(broken)} are broken, {len(idle)} are about nothing", *idle)
    return 1 if broken or idle or not report["compliant"] else 0


def faults(node):
    """What cfn-guard says of each place, wherever in its report that stands."""
    if isinstance(node, list):
        return [fault for part in node for fault in faults(part)]
    if not isinstance(node, dict):
        return []
    messages = node.get("messages") or {}
    said = [text for text in (messages.get("custom_message"), messages.get("error_message")) if text]
    return [" ".join(" ".join(said).split())] if said else faults(list(node.values()))


def main():
    source, expanded = sys.argv[1:]
    os.environ["AWS_DEFAULT_REGION"] = REGION
    as_written = lint(source)
    try:
        template = expand(source)
    except InvalidDocumentException as fault:
        sys.exit("\n".join(f"{source}: {cause.message}" for cause in fault.causes))
    with open(expanded, "w", encoding="utf-8") as output:
        json.dump(template, output, indent=1)
    # All of it, so that all is told at once.
    sys.exit(as_written | lint(expanded) | guard(template))


if __name__ == "__main__":
    main()

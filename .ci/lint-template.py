"""Lints infra/template.yaml twice: as written, and as CloudFormation will see it.

    python3 .ci/lint-template.py <template> <file to write the expanded template to>

cfn-lint reads AWS SAM's resources but checks little inside them, and no IAM action at all in a template
that has a transform. So the template is expanded by AWS's own translator first, offline.
"""

import json
import os
import sys

import cfnlint.runner.cli
from cfnlint.decode import cfn_yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REGION = "us-east-1"
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
    # Both, so that all is told at once.
    sys.exit(as_written | lint(expanded))


if __name__ == "__main__":
    main()

"""The files of a release, so that whoever deploys it need not compile: `python3 infra/package.py --release`.

Here: the template as CloudFormation sees it after its transform (StackSets take no macro), which looks for the zips in a
bucket of each region; the bill of materials; the checksums. Same sources and compiler, same bytes: no file carries a time.
Not here: building and packing (package.py), uploading, signing.
"""

import hashlib
import json
import re
import subprocess
import sys
import uuid

TEMPLATE = "weir.template.json"
MATERIALS = "weir.cdx.json"
CHECKSUMS = "SHA256SUMS"
# Where the translated template finds the zips. Lambda takes code from a bucket of its own region only.
BUCKET = {"Fn::Sub": "${ArtefactBuckets}-${AWS::Region}"}
PARAMETERS = {
    "ArtefactBuckets": {
        "Type": "String",
        "AllowedPattern": "^[a-z0-9][a-z0-9.-]{2,40}$",
        "Description": "What the names of the buckets begin with that hold this release: BEGINNING-REGION in each region.",
    },
    "ArtefactFolder": {
        "Type": "String",
        "AllowedPattern": "^[A-Za-z0-9_./-]+$",
        "Description": "The folder in those buckets.",
    },
    "PoliciesFile": {
        "Type": "String",
        "Default": "policies.zip",
        "AllowedPattern": "^[A-Za-z0-9_.-]+$",
        "Description": "The policies, in that folder. Give changed policies a new name: CloudFormation compares names.",
    },
}


def make(root, into, targets):
    """Adds to the zips in a folder what else a release has."""
    version = found(r'^version = "(.+)"', root / "Cargo.toml")
    template = json.dumps(translated(root / "infra" / "template.yaml", version), indent=1)
    (into / TEMPLATE).write_text(template + "\n", encoding="utf-8")
    materials = json.dumps(bill(root, version, targets), indent=1)
    (into / MATERIALS).write_text(materials + "\n", encoding="utf-8")
    files = sorted(file for file in into.iterdir() if file.suffix in (".zip", ".json"))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (into / CHECKSUMS).write_text("".join(sums), encoding="utf-8")
    print(f"{into}: weir {version}, {len(files)} files and {CHECKSUMS}")


def translated(path, version):
    """The template without its transform. Its parameters stay open."""
    try:
        from samtranslator.parser.parser import Parser
        from samtranslator.translator.translator import Translator
        from samtranslator.yaml_helper import yaml_parse
    except ImportError:
        sys.exit("a release has the template after its transform: pip install aws-sam-translator")
    template = yaml_parse(path.read_text(encoding="utf-8"))
    folder = {**PARAMETERS["ArtefactFolder"], "Default": f"weir-{version}"}
    template["Parameters"].update({**PARAMETERS, "ArtefactFolder": folder})
    template["Globals"]["Function"]["CodeUri"] = {
        "Bucket": BUCKET, "Key": {"Fn::Sub": "${ArtefactFolder}/functions-${Architecture}.zip"}}
    template["Resources"]["Policies"]["Properties"]["ContentUri"] = {
        "Bucket": BUCKET, "Key": {"Fn::Sub": "${ArtefactFolder}/${PoliciesFile}"}}
    whole = Translator({}, Parser(), boto_session=AnyRegion()).translate(template, {})
    for resource in whole["Resources"].values():
        if resource["Type"] == "AWS::Lambda::LayerVersion":
            # By its name a layer is replaced in place; the version before must outlive that, for a rollback.
            resource["UpdateReplacePolicy"] = "Retain"
    return whole


class AnyRegion:
    """All the translator asks of a session; nothing in the template depends on the answer."""

    region_name = "us-east-1"


def bill(root, version, targets):
    """What the functions are linked from, in CycloneDX."""
    lock = (root / "Cargo.lock").read_text(encoding="utf-8")
    checksums = {(name, release): checksum for name, release, checksum in re.findall(
        r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"', lock)}
    crates = {crate for target in targets for crate in linked(root, target)}
    components = [component(*crate, checksums.get(crate[:2])) for crate in sorted(crates)]
    # A serial number must not be the same for two contents, nor differ for one.
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(components))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "weir", "version": version, "bom-ref": "weir"}},
        "components": components,
    }


def linked(root, target):
    """Name, version and licence of each crate in the binary for this target."""
    command = ["cargo", "tree", "--package", "weir-bootstrap", "--edges", "normal", "--prefix", "none",
               "--no-dedupe", "--locked", "--target", target, "--format", "{p}|{l}"]
    tree = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    for line in set(tree.splitlines()):
        package, licence = line.split("|")
        name, release = package.split()[:2]
        yield name, release.removeprefix("v"), licence


def component(name, version, licence, checksum):
    purl = f"pkg:cargo/{name}@{version}"
    described = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if licence:
        described["licenses"] = [{"expression": licence.replace("/", " OR ")}]
    if checksum:
        described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return described


def found(pattern, file):
    match = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    if not match:
        sys.exit(f"{file} has no {pattern}")
    return match[1]

"""Lists what is in a wheel and what it requires, as CycloneDX 1.6 beside it: `python -m lab.packaging.sbom WHEEL`.

Rules
1. The same wheel has the same list, byte for byte: its number comes from the wheel's hash, its time is the commit's.
2. What is in the wheel has its version and hash. A requirement has the range of its versions: which release is
   finally there the environment says, or `cyclonedx-py environment` of the machine.
"""

from __future__ import annotations

import email
import hashlib
import re
import uuid
import zipfile
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from toolcart.base.command_line import CommandLine, start
from lab.packaging import wheel

LABORATORY = ("test", "bench")  # extras of a checkout
UPLOT = re.compile(r"toolcart/archive/web/static/uplot-([\d.]+)\.min\.js")
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*([^;]*)(?:;\s*extra == [\"']([\w-]+)[\"'])?")


def of(file: Path) -> str:
    """Return the list of a wheel, as JSON text."""
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(file.read_bytes()).hexdigest()))
    bom.metadata.timestamp = datetime.fromtimestamp(int(wheel.environment()["SOURCE_DATE_EPOCH"]), UTC)
    with zipfile.ZipFile(file) as archive:
        [metadata_name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(archive.read(metadata_name))
        own = _component("toolcart", metadata["Version"], "MIT", file.read_bytes())
        inside = [
            _component("uplot", match[1], "MIT", archive.read(match[0]), kind="npm")
            for match in map(UPLOT.fullmatch, archive.namelist())
            if match
        ]
    bom.metadata.component = own
    requirements = _requirements(metadata)
    for component in (*inside, *requirements):
        bom.components.add(component)
    bom.register_dependency(own, [*inside, *requirements])
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2) + "\n"


def _component(name: str, version: str, licence: str, content: bytes, kind: str = "pypi") -> Component:
    return Component(
        name=name,
        version=version,
        type=ComponentType.APPLICATION if name == "toolcart" else ComponentType.LIBRARY,
        purl=PackageURL(kind, name=name, version=version),
        bom_ref=f"{kind}/{name}@{version}",
        licenses=[LicenseFactory().make_from_string(licence)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(content).hexdigest())],
    )


def _requirements(metadata: Message) -> list[Component]:
    """Return a component for each package that the wheel or one of its extras requires."""
    ranges: dict[str, set[str]] = {}
    needed = set()
    for text in metadata.get_all("Requires-Dist", []):
        match = REQUIREMENT.fullmatch(text)
        if match is None:
            raise ValueError(f"not understood: Requires-Dist: {text}")
        name, wanted, extra = match.groups()
        if extra not in LABORATORY:
            ranges.setdefault(name, set()).add(f"{wanted.strip()} ({extra or 'always'})")
            if not extra:
                needed.add(name)
    return [
        Component(
            name=name,
            purl=PackageURL("pypi", name=name),
            bom_ref=f"pypi/{name}",
            scope=ComponentScope.REQUIRED if name in needed else ComponentScope.OPTIONAL,
            properties=[Property(name="toolcart:requires", value=wanted) for wanted in sorted(ranges[name])],
        )
        for name in sorted(ranges)
    ]


def main() -> None:
    line = CommandLine(__doc__)
    line.add_argument("wheels", nargs="+", type=Path, metavar="WHEEL")
    for listed in line.parse_args().wheels:
        if not listed.is_file():
            line.error(f"there is no {listed}")
        target = listed.with_suffix(".cdx.json")
        target.write_text(of(listed), encoding="utf-8")
        print(target)


if __name__ == "__main__":
    start(main)

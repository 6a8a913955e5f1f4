"""What is in a bundle, as a CycloneDX document: the same bytes for the same bundle.

https://cyclonedx.org/docs/1.6/json/
"""

import hashlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

SPEC = "1.6"
_NAMESPACE = uuid.UUID("5f0c8a52-7a64-4c2e-9f0b-6f3d3f0f8a11")  # ours: serial numbers are made of a bundle's digest
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)[^=]*==\s*([^\s;]+)")


def document(bundle: Path, lines: Mapping[str, str], *, handlers: str, version: str) -> dict[str, Any]:
    """Describe a staged bundle; lines: its third-party requirements as they were pinned, by normalised name.

    version: of drumbeat.
    """
    digest = tree_digest(bundle)
    licences = dict(_licences(bundle))
    libraries = [_library(name, line, licences.get(name, "")) for name, line in sorted(lines.items())]
    ours: dict[str, Any] = {"type": "library", "bom-ref": "drumbeat", "name": "drumbeat", "version": version}
    ours |= {"purl": f"pkg:pypi/drumbeat@{version}", "licenses": [{"license": {"id": "Apache-2.0"}}]}
    references = ["drumbeat", *(library["bom-ref"] for library in libraries)]
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, digest)}",
        "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "component": {
                "type": "application",
                "bom-ref": "bundle",
                "name": handlers,
                "version": digest[:12],
                "hashes": [{"alg": "SHA-256", "content": digest}],
            },
        },
        "components": [ours, *libraries],
        "dependencies": [{"ref": "bundle", "dependsOn": references}, *({"ref": name} for name in references)],
    }


def text(found: Mapping[str, Any]) -> str:
    """The document as a file holds it."""
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def tree_digest(folder: Path) -> str:
    """SHA-256 over all files of a folder: names, whether they can be run, contents."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        runs = bool(path.stat().st_mode & 0o100)
        digest.update(f"{path.relative_to(folder).as_posix()}\0{runs}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _library(name: str, line: str, licence: str) -> dict[str, Any]:
    match = _PIN.match(line)
    version = match[2] if match else ""
    purl = f"pkg:pypi/{name}@{version}"
    hashes = [
        {"alg": "SHA-256", "content": found} for found in sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
    ]
    page = {"type": "distribution", "url": f"https://pypi.org/project/{name}/{version}/", "hashes": hashes}
    found = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    said = {"licenses": [{"license": {"name": licence}}]} if licence else {}
    return {**found, **said, "externalReferences": [page]}


def _licences(bundle: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(bundle.glob("*.dist-info/METADATA")):
        told = HeaderParser().parsestr(path.read_text("utf-8"))
        licence = told["License-Expression"] or told["License"] or ""
        yield re.sub(r"[-_.]+", "-", told["Name"]).lower(), licence.partition("\n")[0].strip()

"""What is in each image, as CycloneDX 1.6: one file for each in build/sbom, reproducible. ``make sbom``.

It is made from the pins that the images are made of: name, version and every hash that the build takes, for the image's own Python and
system. Licences come from the packages' metadata in this environment, as SPDX expressions. What the base image brings (Python, its
libraries) is named as the base and not taken apart: only its publisher knows.

Exit code 0: the files are written and valid. 1: they are not.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "build" / "sbom"
IMAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "operator": ("operator",),
    "engine": ("engine",),
    "engine-sentiment": ("engine", "engine-sentiment"),
}
"""Which of requirements/*.txt are in which image."""
PYTHON: Final = "3.13"
"""Of the images."""

_CONTINUED: Final = re.compile(r"\\\n\s*")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_SPDX: Final = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_VALIDATE: Final = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
for path in sys.argv[1:]:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(path).read())
    if error:
        sys.exit(f"{path}: {error}")
"""


class Pin(NamedTuple):
    """One package of an image."""

    name: str
    version: str
    hashes: tuple[str, ...]
    """SHA-256 of every file that the build would take for it, sorted."""


def read_pins(text: str) -> tuple[Pin, ...]:
    """Return what a file of requirements pins for the images' Python and system, by name."""
    return tuple(sorted(_pins(text)))


def _pins(text: str) -> Iterator[Pin]:
    environment = _image_environment()
    for line in _CONTINUED.sub(" ", text).splitlines():
        stated = line.partition("--hash")[0].strip()
        if not stated or stated.startswith("#"):
            continue
        requirement = Requirement(stated)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (specifier,) = requirement.specifier
            yield Pin(canonicalize_name(requirement.name), specifier.version, tuple(sorted(_HASH.findall(line))))


def _image_environment() -> dict[str, str]:
    system = {"os_name": "posix", "platform_system": "Linux", "sys_platform": "linux"}
    python = {"implementation_name": "cpython", "python_version": PYTHON, "python_full_version": f"{PYTHON}.0"}
    return {**{key: str(value) for key, value in default_environment().items()}, **system, **python}


def read_licence(name: str) -> str:
    """Return the licence of an installed package as an SPDX expression; empty when its metadata names none that we know.

    Raises:
        importlib.metadata.PackageNotFoundError: it is not installed.
    """
    metadata = importlib.metadata.metadata(name).json
    classifiers = [str(each).rpartition(" :: ")[2] for each in metadata.get("classifier", ()) if str(each).startswith("License ::")]
    stated = [str(metadata.get("license_expression", "")), str(metadata.get("license", "")), *classifiers]
    return next((found for text in stated if (found := _SPDX.get(text, text if _is_expression(text) else ""))), "")


def _is_expression(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9.-]*[0-9][A-Za-z0-9.-]*|MIT|.+ (AND|OR|WITH) .+", text) is not None and "\n" not in text


def build_bom(image: str, version: str, pins: tuple[Pin, ...], licences: Mapping[str, str]) -> dict[str, Any]:
    """Return the document about one image."""
    subject = {
        "bom-ref": f"tradingbot/{image}",
        "type": "container",
        "name": f"tradingbot/{image}",
        "version": version,
        "licenses": [{"expression": "Apache-2.0"}],
    }
    body: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": subject},
        "components": [_component(pin, licences[pin.name]) for pin in pins],
        "dependencies": [{"ref": subject["bom-ref"], "dependsOn": [_purl(pin) for pin in pins]}, *({"ref": _purl(pin)} for pin in pins)],
    }
    # The number is that of the content: the same content has the same one.
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    return body | {"serialNumber": f"urn:uuid:{number}"}


def _component(pin: Pin, licence: str) -> dict[str, Any]:
    # A package has a file for each system, so the hashes are those of its distribution and not of the one component.
    hashes = [{"alg": "SHA-256", "content": digest} for digest in pin.hashes]
    distribution = {"type": "distribution", "url": _purl(pin), "hashes": hashes}
    return {
        "bom-ref": _purl(pin),
        "type": "library",
        "name": pin.name,
        "version": pin.version,
        "purl": _purl(pin),
        "licenses": [{"expression": licence}],
        "externalReferences": [distribution],
    }


def _purl(pin: Pin) -> str:
    return f"pkg:pypi/{pin.name}@{pin.version}"


def pins_of(image: str) -> tuple[Pin, ...]:
    """Return all packages of an image."""
    found = (read_pins((ROOT / "requirements" / f"{name}.txt").read_text()) for name in IMAGES[image])
    return tuple(sorted({pin for pins in found for pin in pins}))


def build_boms() -> dict[str, dict[str, Any]]:
    """Return the document of each image.

    Raises:
        ValueError: a package has no licence that we know.
    """
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    licences = {pin.name: read_licence(pin.name) for image in IMAGES for pin in pins_of(image)}
    unknown = sorted(name for name, licence in licences.items() if not licence)
    if unknown:
        raise ValueError(f"find out the licence of {', '.join(unknown)} and add what its metadata says to the table of SPDX names")
    return {image: build_bom(image, version, pins_of(image), licences) for image in IMAGES}


def main() -> int:
    """Write the documents and have them validated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--validate-with", type=Path, required=True, help="Python of the environment with cyclonedx")
    given = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    paths = []
    for image, bom in build_boms().items():
        paths.append(FOLDER / f"{image}.cdx.json")
        paths[-1].write_text(json.dumps(bom, indent=1) + "\n")
        print(f"{paths[-1].relative_to(ROOT)}: {len(bom['components'])} packages")
    return subprocess.run([given.validate_with, "-c", _VALIDATE, *paths], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

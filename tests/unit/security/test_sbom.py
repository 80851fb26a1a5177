from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from sbom import IMAGES, Pin, build_bom, build_boms, pins_of, read_licence, read_pins

ROOT = Path(__file__).resolve().parents[3]
HASH = "a" * 64
OTHER = "b" * 64
TEXT = f"""\
# made by a program
plain==1.0 \\
    --hash=sha256:{OTHER} \\
    --hash=sha256:{HASH}
Odd_Name==2.0 ; sys_platform == 'linux' \\
    --hash=sha256:{HASH}
windows==3.0 ; sys_platform == 'win32' \\
    --hash=sha256:{HASH}
old==4.0 ; python_full_version < '3.12' \\
    --hash=sha256:{HASH}
"""


def test_pins_are_those_of_the_images_python_and_system() -> None:
    assert read_pins(TEXT) == (Pin("odd-name", "2.0", (HASH,)), Pin("plain", "1.0", (HASH, OTHER)))


@pytest.mark.parametrize("image", IMAGES)
def test_every_pinned_package_of_an_image_is_in_its_document_with_version_hashes_and_licence(image: str) -> None:
    components = {component["name"]: component for component in build_boms()[image]["components"]}
    pinned = {pin.name: pin for pin in pins_of(image)}
    assert components.keys() == pinned.keys()
    for name, component in components.items():
        (distribution,) = component["externalReferences"]
        assert component["version"] == pinned[name].version
        assert [each["content"] for each in distribution["hashes"]] == list(pinned[name].hashes)
        assert pinned[name].hashes
        assert component["licenses"][0]["expression"]


def test_nothing_that_is_pinned_for_an_image_is_missed() -> None:
    """Names are read in another way here: by the lines that begin one."""
    for image, files in IMAGES.items():
        lines = "\n".join((ROOT / "requirements" / f"{name}.txt").read_text() for name in files).splitlines()
        named = {match[1] for line in lines if (match := re.match(r"([a-z0-9.-]+)==\S+ \\$", line))}  # without a marker
        assert named
        assert named <= {pin.name for pin in pins_of(image)}


def test_the_same_content_has_the_same_number_and_another_one_has_another() -> None:
    pins = read_pins(TEXT)
    licences = dict.fromkeys(("odd-name", "plain"), "MIT")
    first = build_bom("engine", "1.0", pins, licences)
    assert first == build_bom("engine", "1.0", pins, licences)
    assert first["serialNumber"] != build_bom("engine", "1.1", pins, licences)["serialNumber"]


@pytest.mark.parametrize(("package", "licence"), [("kopf", "MIT"), ("psycopg", "LGPL-3.0-only"), ("certifi", "MPL-2.0"), ("redis", "MIT")])
def test_licences_are_spdx_expressions(package: str, licence: str) -> None:
    assert read_licence(package) == licence


def test_a_package_that_is_not_there_has_no_licence_to_read() -> None:
    with pytest.raises(PackageNotFoundError):
        read_licence("no-such-package")


def test_whatever_asks_for_more_than_its_own_notice_is_in_ours() -> None:
    notice = (ROOT / "NOTICE").read_text()
    for bom in build_boms().values():
        for component in bom["components"]:
            licence = component["licenses"][0]["expression"]
            if re.search(r"GPL|MPL|EPL|CDDL", licence):
                assert re.search(rf"\b{re.escape(component['name'])}\b.*\b{re.escape(licence)}", notice), f"{component['name']} {licence}"

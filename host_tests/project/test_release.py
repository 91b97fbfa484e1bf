"""What a release is: everything that one command builds, whole or not at all, and what the workflows call."""

import hashlib
import re
import shutil
import subprocess

import pytest
import yaml

from lab.cache import CHECKOUT, Unavailable
from lab.packaging import debian, release, sbom, source_archive, wheel

CHANGES = """# Changes

## 0.3.0, not released yet

- Next.

## 0.2.0

Text.

- One.

### More

## 0.2.0.1

- Two.
"""
WORKFLOWS = sorted((CHECKOUT / ".github/workflows").glob("*.yml"))


@pytest.fixture
def built(monkeypatch, tmp_path):
    """Builders that write a file with their name at once; what they build has tests of its own."""

    def builder(name):
        def build(folder):
            file = folder / name
            file.write_text(name)
            return file

        return build

    names = {
        wheel: "toolcart-0.2.0-py3-none-any.whl",
        source_archive: "toolcart-0.2.0.tar.gz",
        debian: "toolcart_0.2.0_all.deb",
    }
    for module, name in names.items():
        monkeypatch.setattr(module, "build", builder(name))
    monkeypatch.setattr(sbom, "of", lambda file: f"list of {file.name}")
    monkeypatch.setattr(release.image, "problems", lambda board, source: [])
    monkeypatch.setattr(release.image, "build", lambda board, source, folder, report: builder("firmware.uf2")(tmp_path))
    return set(names.values()) | {"toolcart-0.2.0-py3-none-any.cdx.json", "NOTES.txt", "SHA256SUMS"}


def test_a_release_is_whole_and_its_sums_are_right(built, tmp_path):
    folder = tmp_path / "release"
    files = release.build(folder)
    assert {file.name for file in files} == {file.name for file in folder.iterdir()} == built
    rows = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in rows} == built - {"SHA256SUMS"}
    for digest, name in rows:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    if shutil.which("sha256sum"):
        done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder)
        assert done.returncode == 0


def test_images_are_in_it_where_sources_are_named(built, tmp_path):
    files = release.build(tmp_path / "all", source=tmp_path)
    assert {file.name for file in files} == built | {f"toolcart-{name}.uf2" for name in release.IMAGES}
    files = release.build(tmp_path / "one", source=tmp_path, boards=("rpi_pico_w",))
    assert {file.name for file in files} == built | {"toolcart-rpi_pico_w.uf2"}


def test_what_cannot_be_built_leaves_nothing(built, monkeypatch, tmp_path):
    monkeypatch.setattr(release.image, "problems", lambda board, source: ["picotool is missing"])
    with pytest.raises(Unavailable, match=r"the images cannot be built:\npicotool is missing$"):
        release.build(tmp_path / "release", source=tmp_path)
    assert not (tmp_path / "release").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(Unavailable, match="is not empty"):
        release.build(tmp_path / "full")


def test_notes_are_the_version_s_part_of_the_changes():
    assert release.notes(CHANGES, "0.2.0") == "Text.\n\n- One.\n\n### More\n"
    assert release.notes(CHANGES, "0.2.0.1") == "- Two.\n"
    assert release.notes((CHECKOUT / "CHANGELOG.md").read_text(), wheel.version()).strip()
    with pytest.raises(Unavailable, match=r"says nothing of 0\.9\.0"):
        release.notes(CHANGES, "0.9.0")


def test_a_tag_names_its_version_released_and_unchanged(monkeypatch):
    monkeypatch.setattr(wheel, "output_of", lambda *_: "")
    release.check_tag("v0.2.0", "0.2.0", CHANGES)
    for tag, version, words in (("v0.2", "0.2.0", "is not v0.2.0"), ("v0.3.0", "0.3.0", "not released yet")):
        with pytest.raises(Unavailable, match=words):
            release.check_tag(tag, version, CHANGES)
    monkeypatch.setattr(wheel, "output_of", lambda *_: " M README.md\n")
    with pytest.raises(Unavailable, match=r"files are changed .*\n M README\.md"):
        release.check_tag("v0.2.0", "0.2.0", CHANGES)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_calls_the_project_s_own_commands_alone(file):
    jobs = yaml.safe_load(file.read_text())["jobs"].values()
    steps = [step for job in jobs for step in job["steps"]]
    for line in filter(None, "\n".join(step.get("run", "") for step in steps).splitlines()):
        if match := re.match(r"(\./|\.venv/bin/python -m )(\S+)", line.strip()):
            named = match[2] if match[1] == "./" else match[2].replace(".", "/") + ".py"
            assert (CHECKOUT / named).is_file(), line
        else:
            assert line.split()[0] in ("git", "gh"), line


def test_there_is_a_workflow_for_a_push_and_one_for_a_tag():
    assert [file.name for file in WORKFLOWS] == ["release.yml", "test.yml"]

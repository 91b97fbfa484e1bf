"""The benchmark of the codec takes every figure it names, and its plain parser reads what the catalogue reads."""

import subprocess
import sys

import pytest

from toolcart.agent import catalogue
from lab.bench import codec


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(codec, "TURNS", 4)
    monkeypatch.setattr(codec, "CALLS", 5)
    monkeypatch.setattr(codec, "IMPORT_ROUNDS", 1)


@pytest.mark.parametrize(("revision", "plain"), [(1, codec.plain_1), (999, codec.plain_999)])
def test_plain_slicing_reads_what_the_catalogue_reads(revision, plain):
    frame = codec.frame_of(revision)
    assert plain(frame) == catalogue.read(frame) == catalogue.decode(frame).fields()
    with pytest.raises(ValueError):
        plain(codec.frame_of(1000 - revision))


def test_every_figure_is_taken_and_what_is_imported_grows_with_what_is_used(short):
    shares = []
    report = codec.run(shares.append)
    figures = {figure["name"]: figure["value"] for figure in report["figures"]}
    assert all(value and value > 0 for value in figures.values()) and len(figures) == 37
    assert shares[0] == 0 and shares[-1] == 1.0
    memory = [figures[name] for name in figures if name.startswith("memory, ")]
    assert memory == sorted(memory)


def test_the_core_imports_no_category_and_no_names():
    source = "import sys; from toolcart.agent import catalogue; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=codec.CHECKOUT, capture_output=True, text=True, check=True
    )
    loaded = {name.rpartition(".")[2] for name in done.stdout.split() if name.startswith("toolcart.agent.catalogue.")}
    assert not loaded & {"tightening", "session", "pids", "units", "meanings", "compiled", "nexo"}

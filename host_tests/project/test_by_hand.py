"""Every module that a developer starts by `python -m` says what it does, and takes nothing that it does not know."""

import contextlib
import io
import runpy
import sys
import warnings

import pytest

from toolcart.base.command_line import CommandLine, start
from toolcart.base.sources import Unavailable
from lab.cache import CHECKOUT

FILES = {
    file: file.read_text(encoding="utf-8") for top in ("toolcart", "lab") for file in (CHECKOUT / top).rglob("*.py")
}
PASSES_ON = "lab.runtimes.suite"  # to pytest, whatever it does not know itself
COMMAND = "toolcart"  # test_installed.py starts it


def started():
    """The modules that can be started, without those whose name another one has as a word of a command."""
    for file, text in FILES.items():
        name = ".".join(file.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__main__")
        if 'if __name__ == "__main__":' in text and name != COMMAND:
            if not any(f'"{name}"' in other for other in FILES.values()):
                yield name


def said(monkeypatch, name, *words):
    """The exit code and what was printed, of a module as `python -m` starts it."""
    monkeypatch.setattr(sys, "argv", [name, *words])
    # pytest rewrites the asserts of what has a plugin for it, and its loader cannot start a module.
    finders = [finder for finder in sys.meta_path if "Rewriting" not in type(finder).__name__]
    monkeypatch.setattr(sys, "meta_path", finders)
    monkeypatch.delitem(sys.modules, name, raising=False)  # imported by another test, with that loader
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it was imported before, as a module
        with pytest.raises(SystemExit) as ended:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
    return ended.value.code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("name", sorted(started()))
def test_a_module_started_by_hand_says_what_it_does(monkeypatch, name):
    code, out, err = said(monkeypatch, name, "--help")
    assert (code, err) == (0, "")
    about = out.split("\n\n")[1] if "\n\n" in out else out  # behind the usage
    assert len(about.split()) > 5 and not about.startswith(("options:", "positional arguments:")), out
    if name != PASSES_ON:
        code, out, err = said(monkeypatch, name, "--no-such-option")
        assert code == 2 and (out + err).count("\n") == 1, (code, out, err)


def test_modules_that_are_started_by_hand_are_found():
    assert {"toolcart.board.unix.main", "lab.bench.board", "lab.packaging.wheel"} <= set(started())
    assert not {"lab.bench.archive_load", "toolcart.archive.beside_process"} & set(started())


def test_what_is_missing_is_one_line():
    def lacks(reason):
        def main():
            CommandLine("Measures.")
            raise reason

        with pytest.raises(SystemExit) as ended:
            start(main)
        return ended.value.code

    assert lacks(Unavailable("no Mosquitto: apt install mosquitto")) == "toolcart: no Mosquitto: apt install mosquitto"
    assert lacks(ModuleNotFoundError(name="paho")).startswith("toolcart: paho is not installed; ")

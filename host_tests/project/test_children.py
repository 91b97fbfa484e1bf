"""Children that run this program: they find it wherever the command was typed and however it was installed."""

import ast
import subprocess
from pathlib import Path

import pytest

from tools.base import child
from tools.base.sources import ROOT

PROGRAM = "import sys, tools; print(tools.__file__, sys.path.count(''))"


@pytest.mark.parametrize("is_installed", [False, True])
def test_a_child_runs_this_program_and_not_what_lies_in_the_current_folder(tmp_path, monkeypatch, is_installed):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "__init__.py").write_text("raise SystemExit('another one')\n")
    monkeypatch.setenv("PYTHONPATH", "")
    if is_installed:
        monkeypatch.setenv("PYTHONSAFEPATH", "1")  # tools.installed sets it
    told = subprocess.run(
        child.command("-c", PROGRAM),
        env=child.environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    file, blanks = told.stdout.split()
    assert Path(file).is_relative_to(ROOT)
    assert blanks == "0"


def test_whoever_starts_python_with_our_modules_does_it_in_the_one_way():
    """`python -m tools...` with `cwd` alone finds nothing when an installed `toolcart` started it."""
    loose = []
    for path in sorted((ROOT / "tools").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            words = [item.value for item in getattr(node, "elts", ()) if isinstance(item, ast.Constant)]
            if isinstance(node, ast.List) and "-m" in words and any(str(word).startswith("tools.") for word in words):
                loose.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not loose

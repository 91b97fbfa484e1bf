"""Children that run this program: they find it wherever the command was typed, and nothing that lies there."""

import subprocess
from pathlib import Path

from toolcart.base import child
from toolcart.base.sources import ROOT

PROGRAM = "import sys, json, toolcart.base; print(toolcart.base.__file__, sys.path.count(''))"


def test_child_runs_this_program_and_not_what_lies_in_the_current_folder(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('another one')\n")
    told = subprocess.run(
        child.command("-c", PROGRAM), cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    file, blanks = told.stdout.split()
    assert Path(file).is_relative_to(ROOT)
    assert blanks == "0"

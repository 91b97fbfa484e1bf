"""MicroPython's own reader of manifests takes `manifest.py`, and finds in it what an image of ours carries."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolcart.base.sources import ROOT
from toolcart.tools.flash import frozen
from lab.cache import CACHE

READERS = sorted(CACHE.glob("firmware-sources/*/micropython/tools/manifestfile.py"))


@pytest.fixture(params=["include", "require"])
def read(request, tmp_path, monkeypatch):
    """A function that returns what the manifest names for this platform: path on the chip, text, optimisation."""
    if not READERS:
        pytest.skip("MicroPython's sources are not here: python -m lab.runtimes fetch rp2040")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    spec = importlib.util.spec_from_file_location("manifestfile", READERS[-1])
    manifestfile = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(manifestfile)

    def of(platform):
        reader = manifestfile.ManifestFile(manifestfile.MODE_FREEZE, {"MPY_LIB_DIR": str(tmp_path / "lib")})
        (tmp_path / "toolcart").mkdir()  # the reader looks for a folder of that name, and follows no link
        for name in ("manifest.py", "toolcart"):
            (tmp_path / "toolcart" / name).symlink_to(ROOT / name)
        lines = f'include("{ROOT}/manifest.py", port="{platform}")'
        if request.param == "require":
            lines = f'add_library("ours", "{tmp_path}")\nrequire("toolcart", library="ours", port="{platform}")'
        own = tmp_path / "own.py"
        own.write_text(lines)
        reader.execute(str(own))
        return {file.target_path: (Path(file.full_path).read_bytes(), file.opt) for file in reader.files()}

    return of


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_the_manifest_freezes_what_an_image_carries(read, platform):
    image = frozen.files_of(platform)
    image.pop("start/_boot.py", None)  # the port's own: a firmware of one's own divides its flash as it likes
    wanted = {name.partition("/")[2]: (octets, 2 if name.startswith("frozen") else 0) for name, octets in image.items()}
    assert read(platform) == wanted


def test_it_needs_nothing_but_python_s_own_library(tmp_path):
    """A build of MicroPython runs it with whatever Python is there."""
    program = (
        "from types import SimpleNamespace as S; o = S(port='rp2', defaults=lambda **_: None)\n"
        "names = {name: lambda *a, **k: None for name in ('metadata', 'package', 'module')}\n"
        "exec(open('manifest.py').read(), {**names, 'options': o})"
    )
    env = {"XDG_CACHE_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-I", "-S", "-c", program], cwd=ROOT, env=env, check=True, timeout=60)
    assert list(tmp_path.glob("toolcart/frozen-rp2-*/frozen/toolcart_frozen.py"))

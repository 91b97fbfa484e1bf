"""The examples of docs/library/catalogue.md run as they stand there, and what the page counts is counted."""

import re
import shutil
import subprocess
import sys

import pytest

from toolcart.agent import catalogue
from toolcart.agent.catalogue import desoutter, nexo
from toolcart.base.cache import CHECKOUT

PAGE = CHECKOUT / "docs" / "library" / "catalogue.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_page_runs(number):
    first = "import toolcart\n"
    exec(compile(first + EXAMPLES[number], f"{PAGE.name}, example {number + 1}", "exec"), {})


def test_what_the_page_counts_is_so():
    assert len(EXAMPLES) >= 10
    forms = [catalogue.form(mid, revision) for mid in catalogue.mids() for revision in catalogue.revisions(mid)]
    old = {form.mid for form in forms if not (form.other or form).since}
    assert f"{len(old)} of them with every described revision" in PAGE.read_text(encoding="utf-8")
    assert catalogue.form(61, 10).since == "2.15"


def test_the_tables_of_two_vendors_are_read_and_stand_before_the_specification():
    own = catalogue.Catalogue()
    assert own.about(501).name == "Motor tuning result data"
    own.register(nexo)
    own.register(desoutter)
    assert own.about(501).name == "Output and input signals" and not own.form(501).known
    battery = own.decode(own.encode(801, capacity=55, state=3))
    assert battery.meaning("state") == "fine" and battery.unit("capacity") == "%"
    for table in (nexo, desoutter):
        for mid in re.findall(r"^MID (\d+)", table.TABLE, re.MULTILINE):
            for revision in own.revisions(int(mid)):
                form = own.form(int(mid), revision)
                assert sum(field.octets() for field in form.fields) + 20 == form.length
            assert own.about(int(mid)).name


def test_the_folder_alone_is_the_whole_library(tmp_path):
    shutil.copytree(CHECKOUT / "toolcart" / "agent" / "catalogue", tmp_path / "plant" / "messages")
    source = (
        "from plant import messages as catalogue\n"
        "forms = [catalogue.form(mid, revision) for mid in catalogue.mids() for revision in catalogue.revisions(mid)]\n"
        "assert catalogue.decode(catalogue.encode(4, failed_mid=18, error_code=2)).meaning('error_code')\n"
        "field = catalogue.data_field(2001, 1, unit=1)\n"
        "assert field.name() and field.unit_name() and catalogue.extra_data(8, 1201)\n"
        "print(len(forms), catalogue.__file__)\n"
    )
    done = subprocess.run([sys.executable, "-c", source], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and str(tmp_path) in done.stdout, done.stderr

"""The examples of docs/library/catalogue.md run as they stand there, and what the page counts is counted."""

import re
import shutil
import subprocess
import sys

import pytest

from toolcart import catalogue
from toolcart.catalogue import desoutter, nexo
from lab.cache import CHECKOUT

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


def vendors():
    own = catalogue.Catalogue()
    own.register(nexo)
    own.register(desoutter)
    return own


def test_two_vendors_tables_stand_before_the_specification():
    assert catalogue.Catalogue().about(501).name == "Motor tuning result data"
    own = vendors()
    assert own.about(501).name == "Output signals upload" and not own.form(501).known
    battery = own.decode(own.encode(801, capacity=55, state=3))
    assert battery.meaning("state") == "fine" and battery.unit("capacity") == "%"
    for table in (nexo, desoutter):
        for mid in re.findall(r"^MID (\d+)", table.TABLE, re.MULTILINE):
            for revision in own.revisions(int(mid)):
                form = own.form(int(mid), revision)
                assert form.length in (0, sum(field.octets() for field in form.fields) + 20)
            assert own.about(int(mid)).name


def test_mids_of_a_registered_table_are_listed_by_their_category():
    own = vendors()
    assert 7404 in own.mids("registered") and 61 not in own.mids("registered")


def test_examples_of_rexroths_manual_and_of_its_reader_are_read():
    trays = vendors().decode(b"00440521001         012020030040051060071080")  # 878 p. 425
    assert [trays.meaning("socket_%d" % number) for number in (1, 2, 5)] == ["not used", "in tray", "not in tray"]
    assert trays.answer() == (522, 1)
    inputs = vendors().decode(b"00360504001         0010010000000001")  # 878 p. 419
    assert inputs["signals"] == "0010010000000001"
    radio = vendors().decode(b"00260806            01-080")  # TestMid0806 of haller-erne/OpenProtocolInterpreter
    assert radio["quality"] == -80 and radio.unit("quality") == "dBm"
    job = vendors().decode(b"00490555001         010010210" + b"32015-01-12:14:43:57")  # 878 p. 428
    assert (job["job_id"], job.meaning("job_status"), job["time"]) == (1, "OK", "2015-01-12:14:43:57")


def test_desoutters_curve_keeps_the_octets_after_its_fields():
    scales = b"04%014.3f05%014.3f06%014.3f07%014.3f" % (0.001, 0.01, 0.1, 0.1)
    head = b"0101" + b"02003" + b"030000000005" + scales + b"080001" + b"0901" + b"1001"
    octets = b"\x01\xff\xfe\xff\xff\x02"
    curve = vendors().decode(b"%04d7410002         " % (20 + len(head) + len(octets)) + head + octets)
    assert (curve["tightening_id"], curve["torque_coefficient"], curve["telegram"]) == (5, 0.01, 1)
    assert curve.rest() == octets and curve.answer() == (7411, 1)


def test_the_folder_alone_is_the_whole_library(tmp_path):
    shutil.copytree(CHECKOUT / "toolcart" / "catalogue", tmp_path / "plant" / "messages")
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

"""The library's types: made from the tables, like the code they describe, and taken by mypy and pyright."""

import ast
import dataclasses
import importlib.util
import inspect
import json
import re
import subprocess
import sys
import textwrap

import pytest

import toolcart
from toolcart import catalogue, client
from toolcart.catalogue import Catalogue
from toolcart.client.options import Options
from toolcart.codec.examples import example
from host_tests.support.language_server import offered
from host_tests.toolcart.client.test_library_book import BOOK, fragments, programs
from lab.cache import CACHE, CHECKOUT
from lab.packaging import message_table as table
from lab.packaging import message_types as types
from lab.packaging import reference

STUB = ast.parse((CHECKOUT / "toolcart" / "__init__.pyi").read_text(encoding="utf-8"))
GOOD = """
import asyncio
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import toolcart
from toolcart import messages


def build() -> messages.LastTighteningResultData:
    frame = messages.last_tightening_result_data(
        revision=999, torque=Decimal("42.37"), time=datetime(2024, 3, 14), station=1
    )
    changed: bytes = toolcart.encode(toolcart.decode(frame), angle=95)
    return toolcart.decode(changed).fields(messages.LastTighteningResultData)


def several(spindles: Sequence[messages.GivenMultiSpindleResultSpindles]) -> bytes:
    return toolcart.messages.multi_spindle_result(spindle_count=len(spindles), spindles=spindles)


async def main() -> None:
    async with toolcart.connect("192.0.2.10", timeout=3) as controller:
        accepted: toolcart.Message = await controller.ask(18, pset_id=2, timeout=1)
        print(controller.started["controller_name"], len(accepted), list(accepted.items()))
        fields = accepted.fields(messages.ApplicationCommunicationPositiveAcknowledge)
        number: int | toolcart.Odd | None = fields["mid_accepted"]
        print(number, await controller.psets(), build().get("strategy"), accepted.fields()["any"])
        await controller.ask_frame(messages.select_job(job_id=2), timeout=1)
        async with controller.results() as gapless:
            async for one in gapless:
                if isinstance(one, toolcart.Missed):
                    print(one.ids[0], one.reason)
                else:
                    print(one.fetched, await one.scaled().acknowledge())
        stream: toolcart.Stream[toolcart.Received] = controller.results(fill_gaps=False)
        async with stream as results:
            async for result in results:
                when: datetime | None = result.datetime("time")
                print(result["torque"], result.number("torque"), when)
                await result.acknowledge()
            await (await results.next(timeout=5)).acknowledge()
        async with controller.connections() as events:
            async for event in events:
                print(event.is_found)


with toolcart.connect_blocking("192.0.2.10") as blocking:
    print(blocking.started["controller_name"])
    with blocking.results(False) as taken:
        for pushed in taken:
            print(pushed.acknowledge(), blocking.ask(10).fields(messages.ParameterSetIdUploadReply)["pset_ids"])
        next(taken).acknowledge()
masked = messages.last_tightening_result_data(
    revision=2, error_status=["trigger lost"], torque="42.37", torque_status="OK"
)
with toolcart.simulated.controller("nexo", silent=True, refuse={18: 3}) as simulated:
    simulated.produce(torque=1)
    simulated.assert_clean()
for telegram in toolcart.captures.read(masked, scaled=True):
    captured: toolcart.Message = telegram.message
    print(telegram.time, telegram.sent_by, captured["torque"], telegram.message.number("torque"))
    print(telegram.message.fields(messages.LastTighteningResultData)["torque"])
asyncio.run(main())
"""
# Each with the word that its error has to have.
BAD = """
import toolcart
from toolcart import messages

messages.select_parameter_set(pset=2)  # pset
messages.select_parameter_set(pset_id=object())  # pset_id
messages.select_parameter_set(pset_id=2.5)  # pset_id
messages.select_parameter_set(pset_id=2, statoin=1)  # statoin
messages.select_parameter_set(2)  # positional
messages.select_pset(pset_id=2)  # select_pset
messages.set_parameter_set_batch_size(pset_id=2, batchsize=4)  # batchsize
messages.select_job(revision=2, job=5)  # job
messages.select_job(job_id={1})  # job_id
messages.old_tightening_result_upload_request(tightening_id=[1])  # tightening_id
messages.set_calibration_value_request(calibration_unit=1, calibration_valeu="1.5")  # calibration_valeu
messages.vehicle_id_number_download_request(vin=12345)  # vin
messages.last_tightening_result_data(torque=42.37)  # torque
messages.last_tightening_result_data(revision=2, torqe=4237)  # torqe
messages.last_tightening_result_data(time=1.5)  # time
messages.last_tightening_result_data(error_status=1.5)  # error_status
messages.set_time(tme="2024-03-14:09:26:53")  # tme
messages.multi_spindle_result(spindles=[{"torqe": 1}])  # torqe
messages.operation_result_object_data(data_field=[])  # data_field
messages.trace_curve_data(samples="1 2 3")  # samples
toolcart.decode(b"").fields(messages.LastTighteningResultData)["torqe"]  # torqe
toolcart.decode(b"").fields(messages.LastTighteningResultData)["torque"] + 1  # Odd
toolcart.decode(b"").fields(61)  # fields
toolcart.connect("192.0.2.10", deadline=2)  # deadline
toolcart.simulated.controller("nexo", silnt=True)  # silnt
toolcart.connect("192.0.2.10").results().nxt(timeout=1)  # nxt
toolcart.nothing  # nothing
toolcart.connect_blocking("192.0.2.10").results().next().acknowledge()  # Missed
"""
AROUND = (
    "import toolcart\n\n\nasync def read(controller: toolcart.Controller, host: str) -> None:\n"  # a fragment of a page
)
WRONG = {number: line.split("  # ")[1] for number, line in enumerate(BAD.splitlines(), 1) if "  # " in line}
LINES_MOST = 10  # of one error
OFFERED = {
    "messages.select_para": {"select_parameter_set"},
    "messages.select_parameter_set(": {"pset_id=", "station=", "revision="},
    "messages.last_tightening_result_data(torque=1, tor": {"torque_status=", "torque_min="},
    "toolcart.decode(b'').fields(messages.JobInfo)['": {"'job_id'", "'job_status'"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the package as an installation has it, and the programs."""
    folder = tmp_path_factory.mktemp("types")
    (folder / "toolcart").mkdir()
    for part in (CHECKOUT / "toolcart").iterdir():
        if part.name not in (*types.FILES, "__pycache__"):
            (folder / "toolcart" / part.name).symlink_to(part)
    types.write(folder / "toolcart")
    (folder / "good.py").write_text(GOOD)
    (folder / "bad.py").write_text(BAD)
    for page in BOOK.glob("*.md"):
        inside = [AROUND + textwrap.indent(one, "    ") for one in fragments(page.name)]
        for index, program in enumerate(programs(page.name) + inside):
            (folder / f"page_{page.stem.replace('-', '_')}_{index}.py").write_text(program)
    return folder


def found_by_mypy(folder, *names):
    """Return what mypy writes of each (file, line) with an error."""
    options = ["--strict", "--follow-imports=silent", "--cache-dir", str(CACHE / "mypy")]  # as an installed package is
    command = [sys.executable, "-m", "mypy", *options, *names]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    found = {}
    for file, line, text in re.findall(r"^(\S+):(\d+): (.*)$", done.stdout, re.MULTILINE):
        found.setdefault((file, int(line)), []).append(text)
    return found


def found_by_pyright(folder, *names):
    """The same of pyright."""
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, *names]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(names)
    found = {}
    for one in report["generalDiagnostics"]:
        if one["severity"] == "error":
            place = one["file"].rpartition("/")[2], one["range"]["start"]["line"] + 1
            found.setdefault(place, []).extend(one["message"].splitlines())
    return found


@pytest.mark.parametrize(
    ("judge", "lines_most"),
    [
        (found_by_pyright, 100),
        pytest.param(found_by_mypy, 45, marks=pytest.mark.long("mypy reads the whole library")),
    ],
)
def test_a_right_program_has_no_error_and_each_mistake_has_a_short_one_that_names_it(folder, judge, lines_most):
    pages = [path.name for path in folder.glob("page_*.py")]
    assert {"page_consumers_0.py", "page_client_1.py"} <= set(pages)
    found = judge(folder, "good.py", "bad.py", *pages)
    assert set(found) == {("bad.py", line) for line in WRONG}
    for line, word in WRONG.items():
        error = found["bad.py", line]
        assert re.search(rf"\b{word}\b", "\n".join(error)) and len(error) <= LINES_MOST, error
    assert sum(map(len, found.values())) <= lines_most


def test_an_editor_offers_functions_fields_and_keys(folder):
    head = "import toolcart\nfrom toolcart import messages\n"
    for words, shown in zip(OFFERED.values(), offered(folder, *[head + one for one in OFFERED]), strict=True):
        assert words <= shown


def test_each_function_builds_what_encode_does_and_each_dictionary_is_that_of_its_message(folder):
    specification = importlib.util.spec_from_file_location("toolcart.messages", folder / "toolcart" / "messages.py")
    messages = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(messages)
    described = [(mid, revision) for mid in catalogue.mids() for revision in catalogue.revisions(mid)]
    for mid, revision in described:
        message = catalogue.decode(example(catalogue.form(mid, revision))[0])
        name = re.sub(r"\W+", "_", message.name.lower())
        fields = dict(message)
        built = getattr(messages, name)(revision=revision, check=False, **fields)
        assert built == catalogue.encode(mid, revision, check=False, **fields)
        if fields:
            kind = getattr(messages, name.title().replace("_", ""))
            assert message.fields(kind) == message.scaled().fields(kind) == fields
            assert kind.__required_keys__ <= set(fields) <= set(kind.__annotations__)
    with pytest.raises(toolcart.FrameError, match="MID 9999, not 0061"):
        toolcart.decode(toolcart.encode(9999)).fields(messages.LastTighteningResultData)
    with pytest.raises(toolcart.FrameError, match="found 61: a dictionary of"):
        toolcart.decode(toolcart.encode(61)).fields(61)
    with pytest.raises(toolcart.FieldError, match="MID 0018 revision 1, pset_id"):
        messages.select_parameter_set()


def test_what_an_integrator_leaves_out_is_an_error_only_if_it_is_a_number_or_a_time():
    """As types.md says."""
    seen = set()
    for mid, revision in [(number, one) for number in catalogue.mids() for one in catalogue.revisions(number)]:
        form = catalogue.form(mid, revision)
        if "I" not in form.about.sender or form.other is not None:
            continue
        wanted = any(field.kind in "NIBFD" and field.name not in form.counted for field in form.fields)
        try:
            catalogue.encode(mid, revision)
        except toolcart.FieldError:
            assert wanted, (mid, revision)
        else:
            assert not wanted, (mid, revision)
        seen.add(wanted)
    assert seen == {True, False}


def test_each_row_of_the_table_that_is_not_raw_has_a_function_but_those_of_makers():
    standard, _, makers = table.page().partition("## Bosch")
    names = [re.sub(r"\W+", "_", row[1].lower()) for row in _rows(standard) if row[3] != "raw"]
    assert len(names) > 150 and all(callable(getattr(toolcart.messages, name)) for name in names)
    assert len(_rows(makers)) > 30 and "have no\nfunctions" in standard


def _rows(page):
    return [line.strip("| ").split(" | ") for line in page.splitlines() if re.match(r"\| \d{4}", line)]


def test_the_table_of_messages_is_that_of_the_tables():
    page = (CHECKOUT / "docs" / "library" / "messages.md").read_text(encoding="utf-8")
    assert page == table.page(), "python -m lab.packaging.message_table > docs/library/messages.md"


def test_the_reference_is_that_of_the_docstrings():
    page = (CHECKOUT / "docs" / "library" / "reference.md").read_text(encoding="utf-8")
    assert page == reference.page(), "python -m lab.packaging.reference > docs/library/reference.md"
    names = {name for part in (catalogue, client) for name in part.__all__}
    assert all(f"### toolcart.{name}" in page for name in names if name != "connect_serial_blocking")
    assert not re.search(r"^### [^\n]*\n\n\n", page, re.MULTILINE), "each has a docstring"


REAL = {name: getattr(part, name) for part in (catalogue, client) for name in part.__all__}


def parameters_of(function):
    """Return (name, has a default) of each parameter of a function, without self."""
    parameters = inspect.signature(function).parameters.values()
    return [(one.name, one.default is not one.empty) for one in parameters if one.name != "self"]


def parameters_in(node):
    """The same of a function in the stub."""
    given = node.args
    plain = given.posonlyargs + given.args
    missing = [None] * (len(plain) - len(given.defaults))
    parameters = [(arg.arg, default is not None) for arg, default in zip(plain, missing + given.defaults, strict=True)]
    parameters += [(given.vararg.arg, False)] if given.vararg else []
    parameters += [
        (arg.arg, default is not None) for arg, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    ]
    if given.kwarg:
        is_options = given.kwarg.annotation is not None and ast.unparse(given.kwarg.annotation) == "Unpack[_Options]"
        parameters += parameters_of(Options) if is_options else [(given.kwarg.arg, False)]
    return [one for one in parameters if one[0] != "self"]


def compared(name, real, node):
    """Return what the stub says otherwise than the code, of a function or of a class with its methods."""
    if isinstance(node, ast.ClassDef):
        methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
        plain = [one for one in methods if not one.decorator_list and not one.name.startswith("__")]
        return [wrong for one in plain for wrong in compared(f"{name}.{one.name}", getattr(real, one.name, None), one)]
    if real is None:
        return [f"{name}: there is none"]
    if parameters_in(node) == parameters_of(real) or list(inspect.signature(real).parameters)[-1:] == ["options"]:
        return []
    return [f"{name}: {parameters_in(node)}, the code has {parameters_of(real)}"]


def named(kind):
    return [one for one in STUB.body if isinstance(one, kind)]


def test_the_stub_says_what_the_code_takes():
    wrong = [fault for one in named(ast.FunctionDef) for fault in compared(one.name, REAL[one.name], one)]
    for one in named(ast.ClassDef):
        real = REAL.get(one.name)
        if real is not None:
            wrong += compared(one.name, real, one)
    assert wrong == []


def test_the_stub_of_captures_says_what_is_in_there():
    stub = ast.parse((CHECKOUT / "toolcart" / "captures.pyi").read_text(encoding="utf-8"))
    parts = {one.name: one for one in stub.body if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    assert sorted(parts) == sorted(toolcart.captures.__all__)
    assert compared("read", toolcart.captures.read, parts["read"]) == []
    for kind in (toolcart.captures.Telegram, toolcart.captures.Problem):
        names = {one.name for one in parts[kind.__name__].body if isinstance(one, ast.FunctionDef)}
        real = {*inspect.signature(kind).parameters, *(name for name in vars(kind) if name[0] != "_")}
        assert {name for name in names if name[0] != "_"} == real


def test_a_name_that_the_stub_lacks_would_be_found():
    names = {one.name for one in named((ast.FunctionDef, ast.ClassDef))} | {"CONTROLLER", "INTEGRATOR"}
    names |= {alias.asname for one in named(ast.ImportFrom) for alias in one.names}
    assert names >= set(REAL)
    assert compared("x", Catalogue.encode, ast.parse("def x(self, mid, most): ...").body[0])


def test_the_options_of_a_client_are_those_of_a_controller():
    options = next(one for one in named(ast.ClassDef) if one.name == "_Options")
    assert {one.target.id: ast.unparse(one.annotation) for one in options.body} == {
        field.name: field.type for field in dataclasses.fields(Options)
    }
    for name in ("connect", "connect_serial", "connect_blocking", "connect_serial_blocking"):
        node = next(one for one in named(ast.FunctionDef) if one.name == name)
        assert ast.unparse(node.args.kwarg.annotation) == "Unpack[_Options]"

"""A spool or a file of lines that could not be written is told by `config check`, before anything runs."""

import json
import os
import re
import tempfile
from pathlib import Path

import pytest

from toolcart.agent.cart import config
from toolcart.agent.cart.app import App
from toolcart.board.linux import refusal as linux_refusal
from toolcart.board.linux import regular_file
from toolcart.board.linux.board import Board
from toolcart.board.linux.lines import LineFile
from toolcart.board.linux.spool_header import NO_OWNER, Header
from toolcart.tools.config import file as config_file
from toolcart.tools.config import path_checks as config_places
from toolcart.tools.config import setting_texts
from host_tests.support.running import cart_of, run_agent_while, station_at, toolcart, written
from host_tests.tools.config.test_config_file import check


def problems_with(folder, path="a.spool", **station):
    tree = cart_of(station={"spool": {"path": path}, **station})
    return config_places.unusable(config.complete(tree), Path(folder))


def test_place_that_can_be_written_is_good_and_nothing_is_left_there(tmp_path):
    assert problems_with(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_place_that_cannot_is_reported_with_its_setting_and_what_would_do(tmp_path):
    [(place, problem, allowed)] = problems_with(tmp_path, ".")
    assert place == "stations[0].spool.path" and "that is a folder" in problem and allowed == config_places.A_FILE


@pytest.mark.parametrize("path", ["x/", "x//", "x/.", "x/..", "x/./", ".", ".."])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_file_of_lines_with_a_folders_name_is_reported_as_no_agent_can_use_it(tmp_path, path, is_there):
    if is_there:
        (tmp_path / "x").touch()
    assert not LineFile(os.path.join(tmp_path, path), 1000, 1).open()
    tree = cart_of(station={"outlets": [{"kind": "toolsnet"}, {"kind": "file", "path": path}]})
    told = ("stations[0].outlets[1].path", f"{path}: that is a folder's name", "the name of a file")
    assert config_places.odd_names(config.complete(tree)) == [told]


LINKS = {  # where a file of lines leads to, and what keeps an agent from using it
    "missing": ("nonexist/x", "it leads to {folder}/nonexist/x: the folder {folder}/nonexist is not there (mkdir -p"),
    "deep": ("nonexist/deep/x", "it leads to {folder}/nonexist/deep/x: the folder {folder}/nonexist/deep is not there"),
    "through": ("second", "it leads to {folder}/nonexist/y: the folder {folder}/nonexist is not there (mkdir -p"),
    "file": ("text/x", "it leads to {folder}/text/x: {folder}/text is no folder"),
    "folder": ("there", "that is a folder"),
    "round": ("round.jsonl", "Too many levels of symbolic links"),
    "sound": ("there/new", ""),
    "existing": ("lines", ""),
}


@pytest.mark.parametrize("kind", LINKS)
def test_a_link_is_judged_by_where_it_leads_as_the_agent_uses_it(tmp_path, kind):
    (tmp_path / "there").mkdir()
    (tmp_path / "text").touch()
    (tmp_path / "lines").write_bytes(b'{"schema":2}\n')
    (tmp_path / "second").symlink_to("nonexist/y")
    target, words = LINKS[kind]
    path = tmp_path / f"{kind}.jsonl"
    path.symlink_to(target)
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": path.name}]
    found = problems_with(tmp_path, outlets=outlets)
    lines = LineFile(str(path), 1000, 1)
    assert lines.open() == (found == []) == (words == "")
    if words:
        [(place, problem, allowed)] = found
        assert place == "stations[0].outlets[1].path" and allowed == config_places.A_FILE
        words = words.format(folder=tmp_path)
        assert problem.startswith(f"{path.name}: ") and words in problem and words in lines.why, (problem, lines.why)
    lines.close()
    if kind == "existing":
        return  # a spool that is not there is one in a new file
    [(place, problem, allowed)] = problems_with(tmp_path, path.name)
    assert place == "stations[0].spool.path"
    assert "link" in problem and "leads to" not in problem


def test_the_room_of_a_link_is_that_of_where_it_leads(tmp_path, monkeypatch):
    (tmp_path / "full").mkdir()
    (tmp_path / "lines").symlink_to("full/lines")
    statvfs = os.statvfs

    def of(path):
        found = statvfs(path)
        return os.statvfs_result((*found[:3], 0, 0, *found[5:])) if str(path).endswith("full") else found

    monkeypatch.setattr("os.statvfs", of)
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": "lines"}]
    [(place, problem, allowed)] = problems_with(tmp_path, outlets=outlets)
    assert place == "stations[0].outlets[1].path" and allowed == config_places.ROOM and "full" in problem


@pytest.mark.parametrize("is_there", [False, True])
def test_what_this_user_may_not_write_names_the_user(tmp_path, monkeypatch, is_there):
    def no(*_):
        raise PermissionError(13, "Permission denied")

    if is_there:
        (tmp_path / "a.spool").touch()
    monkeypatch.setattr("os.open", no)
    monkeypatch.setattr(config_places, "user_name", lambda: "anna")
    monkeypatch.setattr(linux_refusal, "user_name", lambda uid: "anna")
    [(_, problem, _)] = problems_with(tmp_path)
    assert "anna may" in problem
    if is_there:
        mode = (tmp_path / "a.spool").stat().st_mode & 0o777
        assert f"a.spool, which belongs to anna and has mode {mode:03o}; " in problem


def test_files_of_lines_are_looked_at_too(tmp_path):
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": "nowhere/lines"}]
    [(place, problem, _)] = problems_with(tmp_path, outlets=outlets)
    assert place == "stations[0].outlets[1].path" and "mkdir" in problem


@pytest.mark.parametrize(
    ("name", "as_spool", "as_lines"),
    [
        ("text", "it does not begin as a spool", "it holds something else than the agent's lines"),
        ("short", "it was cut short within its header", "it holds something else than the agent's lines"),
        ("damaged", "it has a damaged header", "it holds something else than the agent's lines"),
        ("empty", "it is an empty file", ""),
        ("link", "that is a link, which the agent does not follow", ""),
        ("pipe", regular_file.NO_FILE, regular_file.NO_FILE),
        (
            "other",
            "it belongs to station 8 of system 1 (type 3), not to station 1 of system 1 (type 3)",
            "it holds something else than the agent's lines",
        ),
        (
            "cut",
            "it was cut short: it has 4096 bytes, and was made with 69632",
            "it holds something else than the agent's lines",
        ),
        ("spool", "", "it holds something else than the agent's lines"),
        ("linked", "it has 2 names (hard links)", "it holds something else than the agent's lines"),
        ("lines", "it does not begin as a spool", ""),
    ],
)
def test_what_is_there_already_has_to_be_what_the_agent_takes(tmp_path, name, as_spool, as_lines):
    contents = {"text": b"Dear ToolsNet", "short": b"toolcart", "empty": b"", "lines": b'{"schema":2}\n'}
    contents["damaged"] = b"toolcart" + bytes(2 * 4096)
    contents["cut"] = Header(16, 4096, 16, NO_OWNER, bytes(16)).page()
    contents["spool"] = contents["cut"] + bytes(16 * 4096)
    contents["linked"] = contents["spool"]
    contents["other"] = Header(16, 4096, 16, (3, 1, 8), bytes(16)).page()
    for file, content in contents.items():
        (tmp_path / file).write_bytes(content)
    (tmp_path / "link").symlink_to("lines")
    (tmp_path / "backup").hardlink_to(tmp_path / "linked")
    os.mkfifo(tmp_path / "pipe")
    as_outlet = [{"kind": "toolsnet"}, {"kind": "file", "path": name}]
    for expected, problems in (
        (as_spool, problems_with(tmp_path, name)),
        (as_lines, problems_with(tmp_path, outlets=as_outlet)),
    ):
        assert [problem.partition(";")[0] for _, problem, _ in problems] == (
            [f"{name}: {expected}"] if expected else []
        )
    for _, problem, allowed in problems_with(tmp_path, name):
        what = config_places.A_FILE if name == "pipe" else config_places.A_SPOOL
        assert allowed == what and (name == "pipe" or "; " in problem), "what is wrong is what there is, not where"


def test_config_check_says_it_and_json_has_it_beside_the_mistakes(tmp_path):
    cart = written(tmp_path, cart_of(station={"spool": {"path": "/proc/nothere"}}))
    output = check(cart, code=1)
    assert "cannot run as it is on this machine" in output
    assert "found /proc/nothere: no file can be made in /proc" in output
    answer = json.loads(check(cart, "--json", code=1))
    assert answer["good"] and [one["place"] for one in answer["cannot_run_yet"]] == ["stations[0].spool.path"]
    written(tmp_path, cart_of())
    assert ": good, 1 station; checked as " in check(cart)


def test_a_file_that_will_not_be_renamed_when_it_is_full_is_a_warning(tmp_path):
    cart = written(tmp_path, cart_of(station={"outlets": [{"kind": "toolsnet"}, {"kind": "file", "path": "a.jsonl"}]}))
    (tmp_path / "a.jsonl").write_bytes(b"")
    assert "renamed" not in check(cart)
    (tmp_path / "a.jsonl.1").mkdir()
    told = f"stations[0].outlets[1].path: a.jsonl: at 10 MiB it cannot be renamed to {tmp_path}/a.jsonl.1: "
    told += f"{tmp_path}/a.jsonl.1 is a folder; move it away: `mv {tmp_path}/a.jsonl.1 {tmp_path}/a.jsonl.1.away`"
    output = check(cart)
    assert f"warning: {told}\n" in output and ": good, 1 station" in output
    assert json.loads(check(cart, "--json"))["warnings"][-1] == told
    doctor = toolcart("doctor", "--offline", "--config", cart, code=0).output
    assert " ".join(told.partition("; ")[0].split()) in " ".join(doctor.split()) and "a.jsonl.1.away`" in doctor


@pytest.mark.parametrize("graphs", [0, 1, 12, 16])
@pytest.mark.parametrize("parked", [12, 16, 20, 32])
@pytest.mark.parametrize("size", [40, 44, 48, 64, 80])
def test_a_spool_that_is_good_can_be_made_and_one_that_cannot_is_none(tmp_path, size, parked, graphs):
    spool = {"path": "a.spool", "size_kib": size, "parked_kib": parked, "graphs_kib": graphs}
    tree = cart_of(station={"spool": spool})
    wrong_places = [place for place, *_ in config.check(tree)]
    completed = config.complete(cart_of(station={"spool": {"path": "a.spool"}}))
    completed["stations"][0]["spool"].update(spool)
    board = Board(str(tmp_path))
    app = App(completed, board)
    app.step(board.now())
    assert app.stations[0].mounted or wrong_places, "a start makes what the check calls good"
    board.close()


def disk_with(monkeypatch, free_kib):
    usage = os.statvfs_result((1024, 1024, 100000, free_kib, free_kib, 1, 1, 1, 0, 255))
    monkeypatch.setattr(config_places.os, "statvfs", lambda _path: usage)


@pytest.mark.parametrize(("free_kib", "words"), [(0, "its file system is full"), (20, "20 KiB are free")])
def test_a_disk_without_room_for_a_new_spool_is_reported(tmp_path, monkeypatch, free_kib, words):
    disk_with(monkeypatch, free_kib)
    [(place, problem, _)] = problems_with(tmp_path)
    assert place == "stations[0].spool.path" and words in problem and "df -h" in problem
    path = written(tmp_path, cart_of(station={"spool": {"path": "a.spool"}}))
    assert words in check(path, code=1)


@pytest.mark.parametrize(("free_kib", "lacking"), [(200, []), (196, []), (195, [2]), (131, [1, 2]), (67, [0, 1, 2])])
def test_new_spools_on_one_disk_have_to_fit_together_for_check_and_doctor(tmp_path, monkeypatch, free_kib, lacking):
    stations = [station_at(number) for number in (7, 8, 9)]  # of 64 KiB
    path = written(tmp_path, cart_of(stations=stations))
    disk_with(monkeypatch, free_kib)
    checked = json.loads(toolcart("config", "check", "--json", path, code=1 if lacking else 0).stdout)
    places = [one["place"] for one in checked["cannot_run_yet"]]
    assert places == [f"stations[{index}].spool.path" for index in lacking]
    output = toolcart("doctor", "--offline", "--json", "--config", path, code=None).output
    verdicts = {one["what"]: one["verdict"] for one in json.loads(output)["found"]}
    assert [index for index in range(3) if verdicts[f"station {7 + index} spool"] == "bad"] == lacking


def test_a_smaller_spool_fits_after_one_that_does_not(tmp_path, monkeypatch):
    stations = [station_at(7), station_at(8, size_kib=400), station_at(9)]
    path = written(tmp_path, cart_of(stations=stations))
    disk_with(monkeypatch, 200)
    [(place, problem, _)] = config_places.unusable(config.complete(json.loads(path.read_text())), tmp_path)
    assert place == "stations[1].spool.path" and "those before it in the configuration 64" in problem


@pytest.mark.parametrize(("free_kib", "words"), [(64, ""), (63, "63 KiB are free in "), (0, "its file system is full")])
def test_a_spool_that_cannot_grow_is_said_to_keep_its_size_before_a_start_does_so(
    tmp_path, monkeypatch, free_kib, words
):
    tree = cart_of(stations=[station_at(7, size_kib=128), station_at(8)])
    completed = config.complete(tree)
    settings, system = completed["stations"][0]["spool"], completed["system"]
    board = Board(str(tmp_path))
    board.flash({**settings, "size_kib": 64, "owner": (system["type"], system["number"], 7)})
    board.close()
    path = written(tmp_path, tree)
    disk_with(monkeypatch, free_kib)
    checked = json.loads(toolcart("config", "check", "--json", path, code=1).stdout)
    [lack] = checked["cannot_run_yet"]
    assert lack["place"] == "stations[1].spool.path", "a new one, which no start can be without"
    warnings = [one for one in checked["warnings"] if one.startswith("stations[0].spool.path: 7.spool ")]
    assert len(warnings) == bool(words)
    for warning in warnings:
        assert "7.spool keeps its 64 KiB: it cannot grow to 128 KiB: " + words in warning and "df -h" in warning
        assert ("the spool wants 64 more" in warning) == (free_kib > 4)
    output = toolcart("doctor", "--offline", "--json", "--config", path, code=None).output
    assert ("it cannot grow to 128 KiB: " + words in output) == bool(words)
    assert words or ", and those before it in the configuration 64" in str(lack)


def test_a_spool_that_is_there_has_its_room_and_a_file_of_lines_has_none(tmp_path, monkeypatch):
    settings = config.complete(cart_of())["stations"][0]["spool"]
    Board(str(tmp_path)).flash({**settings, "path": "a.spool", "owner": NO_OWNER})
    disk_with(monkeypatch, 0)
    lines = [{"kind": "toolsnet"}, {"kind": "file", "path": "x.jsonl"}]
    for is_there in (False, True):
        problems = problems_with(tmp_path, outlets=lines)
        full = [place for place, problem, _ in problems if "its file system is full" in problem]
        assert full == ["stations[0].outlets[1].path"], (is_there, problems)
        (tmp_path / "x.jsonl").touch()


def test_what_cannot_be_written_though_it_can_be_made_is_reported_and_not_left_there(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(config_places.os, "write", full)
    [(_, problem, _)] = problems_with(tmp_path)
    assert "Disk quota exceeded" in problem and list(tmp_path.iterdir()) == []


def stations_at(one, other):
    return cart_of(stations=[{**station_at(7), "controller": one}, {**station_at(8), "controller": other}])


def tcp(host, port=4545, **others):
    return {"host": host, "port": port, **others}


def serial(device):
    return {"link": "ascii", "device": device}


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (tcp("fe80::1"), tcp("FE80:0:0::1"), "; expected another host, port, station_id or spindle_id than"),
        (tcp("::ffff:10.0.0.5"), tcp("10.0.0.5"), "found 10.0.0.5 port 4545, which is the same as ::ffff:10.0.0.5"),
        (tcp("::1", station_id=2), tcp("0::1", station_id=2), "found 0::1 port 4545, which is the same as ::1"),
        (serial("{}/tty0"), serial("{}/by-id"), "found {}/by-id, which is the same as {}/tty0"),
        (serial("{}/tty0"), serial("{}/x/../tty0"), "found {}/x/../tty0, which is the same as {}/tty0"),
        (
            serial("socket://10.0.0.9:4001"),
            serial("rfc2217://10.0.0.9:4001"),
            "device  found rfc2217://10.0.0.9:4001, which is the same as socket://10.0.0.9:4001; expected another "
            "device than stations[0].controller.device",
        ),
        (tcp("10.0.0.9", 4001), serial("socket://10.0.0.9:4001"), "which is the same as 10.0.0.9 port 4001"),
    ],
)
def test_two_spellings_of_one_controller_are_both_reported(tmp_path, one, other, words):
    with tempfile.TemporaryDirectory() as folder:  # its name is short enough for a device
        (Path(folder) / "x").mkdir()
        (Path(folder) / "tty0").touch()
        (Path(folder) / "by-id").symlink_to("tty0")
        tree = json.dumps(stations_at(one, other)).replace("{}", folder)
        output = check(written(tmp_path, json.loads(tree)), code=2)
    assert "stations[1].controller." in output and words.replace("{}", folder) in output


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (tcp("10.0.0.5"), tcp("10.0.0.5", 4546)),  # virtual stations of a Power Focus 6000
        (tcp("10.0.0.5", station_id=1), tcp("10.0.0.5", station_id=2)),
        (tcp("10.0.0.5", spindle_id=1), tcp("10.0.0.5")),
        (serial("/dev/ttyUSB0"), serial("/dev/ttyUSB1")),
        (serial("socket://10.0.0.9:4001"), serial("socket://10.0.0.9:4002")),
    ],
)
def test_stations_of_one_controller_are_several(tmp_path, one, other):
    assert config_file.read(written(tmp_path, stations_at(one, other)))


MQTT = {"kind": "mqtt", "host": "broker", "topic": "a"}
LINES = {"kind": "file", "path": "lines"}


@pytest.mark.parametrize(
    ("named", "change"),
    [
        ("number", lambda one, other: other.update(number=one["number"])),
        ("spool", lambda one, other: other.update(spool=one["spool"])),
        (
            "serial device",
            lambda one, other: (one.update(controller=serial("a")), other.update(controller=serial("a"))),
        ),
        ("controller", lambda one, other: other.update(controller=one["controller"])),
        ("file of lines", lambda one, other: (one.update(outlets=[LINES]), other.update(outlets=[LINES]))),
        ("MQTT topic", lambda one, other: (one.update(outlets=[MQTT]), other.update(outlets=[MQTT]))),
    ],
)
def test_what_no_two_stations_share_is_listed_and_refused(tmp_path, named, change):
    tree = cart_of(stations=[station_at(7), station_at(8)])
    tree["stations"][1]["controller"] = {"host": "192.0.2.1"}
    assert config_file.read(written(tmp_path, tree))
    change(*tree["stations"])
    tree.pop("toolsnet" if "outlets" in tree["stations"][0] else "", None)
    with pytest.raises(config_file.ConfigurationError) as raised:
        config_file.read(written(tmp_path, tree))
    assert [place for place, *_ in raised.value.mistakes if place.startswith("stations[1].")]
    [listed] = re.findall(r"^- No two stations share(.*?)^- ", setting_texts.page(), re.DOTALL | re.MULTILINE)
    assert named in " ".join(listed.split())


SPELLED = ("./x/../a.spool", "a.spool/", "nowhere/../a.spool", ".//a.spool")


@pytest.mark.parametrize("spelled", SPELLED)
def test_a_spool_is_where_its_path_leads_however_it_is_spelled(tmp_path, spelled):
    """A folder that is only left again need not be there; one that is a link leads nowhere else."""
    (tmp_path / "elsewhere/sub").mkdir(parents=True)
    (tmp_path / "x").symlink_to("elsewhere/sub")
    path = written(tmp_path, cart_of(station={"spool": {"path": spelled}}))
    assert config_file.read(path)["stations"][0]["spool"]["path"] == "a.spool"
    check(path)
    _, lines = run_agent_while(path, lambda: None)
    assert not [line for line in lines if line["kind"] in ("note", "spool")], "its socket is made"
    assert (tmp_path / "a.spool").is_file() and not list((tmp_path / "elsewhere").glob("*.*"))


@pytest.mark.parametrize("spelled", SPELLED)
def test_two_spellings_of_one_spool_are_both_reported(tmp_path, spelled):
    (tmp_path / "elsewhere/sub").mkdir(parents=True)
    (tmp_path / "x").symlink_to("elsewhere/sub")
    for one, other in ((spelled, "a.spool"), ("a.spool", spelled)):
        path = written(tmp_path, cart_of(stations=[station_at(7, spool=one), station_at(8, spool=other)]))
        words = f"stations[1].spool.path  found {other}, which is the same file as {one}; expected another file than"
        assert f"{words} stations[0].spool.path" in check(path, code=2)


@pytest.mark.parametrize("kind", ["a secret", "toolsnet.tls_ca"])
@pytest.mark.parametrize("named", ["sp2/s2.spool", "./sp2/s2.spool", "{}/sp2/s2.spool", "s2.spool"])
@pytest.mark.parametrize("path", ["sp2/s2.spool", "sp2/../sp2/s2.spool"])
def test_what_is_only_read_is_named_as_the_configuration_does(tmp_path, kind, named, path):
    named = named.format(tmp_path)
    (tmp_path / "sp2").mkdir()
    (tmp_path / "sp2/s2.spool").write_text("secret\n")
    (tmp_path / "sp2/s2.spool").chmod(0o600)
    if named == "s2.spool":  # an alias in this folder
        (tmp_path / named).symlink_to("sp2/s2.spool")
    hook = {"kind": "webhook", "url": "https://hook/", "token": {"file": named}}
    outlets = [{"kind": "toolsnet"}, *[hook] * (kind == "a secret")]
    station = {**station_at(7, spool=path), "outlets": outlets}
    toolsnet = {"tls_ca": named} if kind != "a secret" else {}
    output = check(written(tmp_path, cart_of(stations=[station], toolsnet=toolsnet)), code=2)
    alias = f", which is the same file as {named}" if named != path else ""
    assert f"found {path}{alias}; expected another file than {kind}\n" in output, output


@pytest.mark.parametrize("spelled", ["cart.json", "./cart.json"])
def test_the_configuration_is_named_by_its_place(tmp_path, spelled):
    output = check(written(tmp_path, cart_of(station={"spool": {"path": spelled}})), code=2)
    alias = ", which is the same file as cart.json" if spelled != "cart.json" else ""
    assert f"found {spelled}{alias}; expected another file than this configuration\n" in output, output


def test_a_socket_elsewhere_is_named_with_its_folder(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    there = str(tmp_path / "run/cart.sock")
    monkeypatch.setattr(config_file.socket_location, "all_of", lambda _: [there])
    for spelled, alias in ((there, ""), ("run/cart.sock", f", which is the same file as {there}")):
        path = written(tmp_path, cart_of(station={"spool": {"path": spelled}}))
        with pytest.raises(config_file.ConfigurationError) as caught:
            config_file.read(path)
        words = f"found {spelled}{alias}; expected another file than the agent's status socket"
        assert str(caught.value).endswith(words)


@pytest.mark.parametrize(
    ("spelled", "words"),
    [
        ("gone/../lines", "the folder {}/gone is not there (mkdir -p {}/gone)"),
        ("./gone/../x/lines", "the folder {}/gone is not there (mkdir -p {}/gone)"),
        ("gone/a/b/lines", "the folder {}/gone/a/b is not there (mkdir -p {}/gone/a/b)"),
    ],
)
def test_a_folder_that_a_path_only_goes_through_is_named(tmp_path, spelled, words):
    [(_, problem, _)] = problems_with(tmp_path, outlets=[{"kind": "toolsnet"}, {"kind": "file", "path": spelled}])
    assert problem == f"{spelled}: {words.format(tmp_path, tmp_path)}"

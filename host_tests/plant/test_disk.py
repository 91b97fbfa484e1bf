"""A disk that refuses, each error at each call: what log, status, doctor and /metrics say is what was done to it.

What is acknowledged stays, what is not stays at the controller; it goes on by itself, and says so once.
"""

import errno
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from toolcart.tools.web.metrics import Agent, text_of
from host_tests.plant.as_installed import stored
from host_tests.plant.libc import FailingDisk
from host_tests.plant.mounts import PrivateMounts
from host_tests.support.combinations import each_choice
from host_tests.support.running import station_at, wait_for

AGAIN = "the spool can be read and written again"
TOOLSNET = {"kind": "toolsnet"}
SHORT = 0
LOG_BEGINS = 4096 + 260 * 16384  # in a spool of 16 MiB: its header, state and quarantine lie in front

# What is done to the spool's file, and a part of the words and of the advice that have to come.
REFUSALS = [
    ("write", errno.ENOSPC, "its file system is full", "df -h"),
    ("write", SHORT, "its file system is full", "df -h"),
    ("write", errno.EDQUOT, "the quota of the agent's user is used up", "raise its quota"),
    ("write,sync", errno.EROFS, "its file system is read-only", "remount,rw"),
    ("write", errno.EPERM, "may not write it", "lsattr"),
    ("write", errno.EACCES, "may not write it", "lsattr"),
    ("write", errno.EIO, "the disk reports errors", "dying or loose"),
    ("write", errno.ENODEV, "the disk reports errors", "dying or loose"),
    ("write", errno.EFBIG, "it is larger than its process, or its file system, lets a file be", "LimitFSIZE"),
    ("write", errno.ENOMEM, "the machine has no memory left for that", "free -m"),
    ("sync", errno.EIO, "the disk reports errors", "dying or loose"),
    ("sync", errno.ENOSPC, "its file system is full", "df -h"),
    ("sync", errno.EDQUOT, "the quota of the agent's user is used up", "raise its quota"),
]
USUAL = ("write ENOSPC", "sync EIO")
ALSO = pytest.mark.long("another error of a disk, said in words that another one has")


def refusals():
    names = [f"{calls} {errno.errorcode.get(number, 'short')}" for calls, number, *_ in REFUSALS]
    for name, row in zip(names, REFUSALS, strict=True):
        yield pytest.param(*row, id=name, marks=() if name in USUAL else ALSO)


@pytest.fixture
def disk(site):
    return FailingDisk(site.folder)


def status_of(site, cart, code):
    """What status says, which ends with this code."""
    return site.output("status", "--config", cart, code=code)


def refused(site, cart, **around):
    """What an agent says that cannot use its spool."""
    return site.output("run", "--plain", "--config", cart, code=3, **around)


def all_arrive(plant, more=0):
    """All results that were ever made, and so many more, are at ToolsNet."""
    plant.produce(more)
    count = len(plant.controller.produced)
    wait_for(f"{count} results at ToolsNet", lambda: len(plant.archive.tightening_ids()) >= count)
    assert plant.archive.tightening_ids() == list(range(1, count + 1)), "each once and in order"
    assert plant.complaints() == []


def produced_for(plant, seconds):
    """Have a result made every half second."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        plant.produce(1)
        time.sleep(0.5)


def needs_of(status):
    """The lines of /metrics that say what is needed."""
    page = text_of([Agent("cart", status)])
    return [line for line in page.splitlines() if line.startswith("toolcart_needs{")]


@pytest.mark.parametrize(("calls", "number", "words", "advice"), list(refusals()))
def test_each_refusal_is_reported_as_what_it_is_and_survived(site, plant, disk, calls, number, words, advice):
    spool = site.home / "7.spool"
    cart = site.cart(plant)
    agent = site.begin(cart, "ToolsNet connected", **disk.around)
    all_arrive(plant, 3)
    disk.fails(calls, number, spool)
    plant.produce(3)
    agent.wait_for("no result can be stored, the controller keeps them: ")
    assert len(plant.controller.acknowledged) == 3, "nothing is acknowledged"
    status = status_of(site, cart, 1)
    assert words in status and advice in status, status
    assert "FULL" not in status and "the spool is full" not in status, status
    doctor = site.output("doctor", "--config", cart, code=1)
    assert words in doctor and advice in doctor, doctor
    [need] = needs_of(site.status(cart))
    assert 'what="disk",level="bad"' in need
    assert agent.output.count(words) == 1 and advice in agent.output, agent.output
    disk.works()
    agent.wait_for(AGAIN)
    all_arrive(plant)
    status = status_of(site, cart, 0)
    assert words not in status and str(spool) in status, status
    assert needs_of(site.status(cart)) == []
    assert agent.output.count(AGAIN) == 1 and AGAIN not in agent.output.partition(words)[0]


def test_a_reload_on_a_disk_that_takes_nothing_shows_no_fewer_results_stored(site, plant, disk):
    cart = site.cart(plant)
    agent = site.begin(cart, "ToolsNet connected", **disk.around)
    all_arrive(plant, 5)
    shown = site.status(cart)["stations"][0]["stored"]
    disk.fails("write,sync", errno.EFBIG, site.home / "7.spool")
    agent.process.send_signal(signal.SIGHUP)
    wait_for("it began again", lambda: agent.output.count("agent started") == 2)
    agent.wait_for("larger than its process")
    again = site.status(cart)["stations"][0]
    assert again["spool"]["refused"] and (again["stored"], again["stored_at_least"]) == (shown, False)
    disk.works()
    all_arrive(plant, 1)
    assert site.status(cart)["stations"][0]["stored"] == shown + 1
    assert agent.end() == 0


def test_a_dying_disk_costs_few_lines_and_no_sessions(site, plant, disk):
    agent = site.begin(site.cart(plant), "ToolsNet connected", **disk.around)
    all_arrive(plant, 3)
    connections, length = plant.controller.connections, len(agent.output)
    disk.fails("sync", errno.EIO, site.home / "7.spool")
    produced_for(plant, 15)
    assert plant.controller.connections == connections
    assert len(agent.output[length:].splitlines()) == 2, agent.output[length:]  # that it was left, and why
    disk.works()
    all_arrive(plant)
    agent.wait_for(AGAIN)
    assert agent.output.count(AGAIN) == 1


@pytest.mark.long("another way for a disk to die")
def test_a_disk_that_errs_in_one_place_alone_makes_no_storm(site, plant, disk):
    """The state can be saved, a result cannot: the controller is asked at growing pauses."""
    agent = site.begin(site.cart(plant), "ToolsNet connected", **disk.around)
    connections, length = plant.controller.connections, len(agent.output)
    disk.fails("sync", errno.EIO, site.home / "7.spool", LOG_BEGINS)
    produced_for(plant, 12)
    assert 1 <= plant.controller.connections - connections <= 4, "at 1, 2, 4 and 8 s"
    assert agent.output[length:].count("\n") <= 20, agent.output[length:]
    assert plant.controller.acknowledged == []
    disk.works()
    all_arrive(plant)


def test_a_backlog_that_cannot_be_read_is_reported_and_goes_out_afterwards(site, plant, disk):
    cart = site.cart(plant, toolsnet={"reconnect_s": 1})
    agent = site.begin(cart, "ToolsNet connected", **disk.around)
    plant.cut_toolsnet(True)
    stored(plant, 4)
    disk.fails("read", errno.EIO, site.home / "7.spool")
    plant.cut_toolsnet(False)
    agent.wait_for("a part of the spool cannot be read, and what waits is not delivered: the disk reports errors")
    status = status_of(site, cart, 1)
    assert "toolcart spool rescue" in status and "reading " in status, status
    disk.works()
    all_arrive(plant)
    agent.wait_for(AGAIN)
    status_of(site, cart, 0)


# -- a start


@pytest.mark.parametrize(
    ("calls", "number", "words"),
    [
        ("open", errno.EROFS, "Read-only file system; look at `dmesg`: a card that wears out becomes read-only"),
        pytest.param("open", errno.EIO, "Input/output error; the card or disk is dying or loose", marks=ALSO),
        ("read", errno.EIO, "Input/output error; the card or disk is dying or loose"),
    ],
    ids=["open EROFS", "open EIO", "read EIO"],
)
def test_a_start_says_why_and_what_helps(site, plant, disk, calls, number, words):
    cart = site.cart(plant)
    first = site.begin(cart, "controller ready")
    all_arrive(plant, 2)
    assert first.end() == 0
    disk.fails(calls, number, site.home / "7.spool")
    output = refused(site, cart, **disk.around)
    assert words in output and "run the agent as" not in output


@pytest.mark.parametrize(
    ("calls", "number"), [("allocate", errno.ENOSPC), ("write", errno.ENOSPC), ("sync", errno.EIO)]
)
def test_a_spool_that_cannot_be_made_is_reported_and_not_left_behind(site, plant, disk, calls, number):
    disk.fails(calls, number, site.home / "7.spool.new")
    output = refused(site, site.cart(plant), **disk.around)
    assert f"cannot prepare {site.home}/7.spool" in output
    assert ("df -h" if number == errno.ENOSPC else "dying or loose") in output
    assert not list(site.home.glob("7.spool*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of another user")
def test_a_wrong_owner_is_named_at_a_start(site, plant):
    cart = site.cart(plant)
    spool = site.home / "7.spool"
    assert site.begin(cart, "controller ready").end() == 0
    os.chown(spool, 0, 0)
    output = refused(site, cart)
    assert f"nobody may not open {spool}, which belongs to root and has mode 600" in output
    assert f"run the agent as root, or `sudo chown nobody {spool}`" in output
    spool.unlink()
    folder = site.home / "of-root"
    folder.mkdir()
    output = refused(site, site.cart(plant, station={"spool": {"path": "of-root/7.spool"}}))
    assert f"nobody may make no file in {folder}, which belongs to root" in output


# -- real file systems


def test_a_file_made_immutable_under_the_agent_is_reported(site, plant):
    if os.geteuid() or not shutil.which("chattr"):
        pytest.skip("only root makes a file immutable")
    spool = site.home / "7.spool"
    cart = site.cart(plant)
    agent = site.begin(cart, "ToolsNet connected")
    if subprocess.run(["chattr", "+i", spool], capture_output=True).returncode:
        pytest.skip("this file system has no immutable files")
    try:
        plant.produce(2)
        agent.wait_for("the agent's user may not write it")
        status_of(site, cart, 1)
        refused(site, cart)
    finally:
        subprocess.run(["chattr", "-i", spool], check=True)
    all_arrive(plant)
    agent.wait_for(AGAIN)


def test_a_start_on_a_read_only_mount_says_so(site, plant):
    card = site.home / "card"
    card.mkdir()
    cart = site.cart(plant, station={"spool": {"path": "card/7.spool"}})
    with PrivateMounts(site) as mounts:
        mounts.can("mount", "-t", "tmpfs", "-o", "size=64m,mode=777", "none", card)
        first = site.begin(cart, "ToolsNet connected")
        plant.cut_toolsnet(True)
        stored(plant, 3)
        assert first.end() == 0
        plant.cut_toolsnet(False)
        mounts.run("mount", "-o", "remount,ro", card)
        output = refused(site, cart)
        assert f"cannot open {card}/7.spool: Read-only file system" in output
        assert "remount,rw" in output and "run the agent as" not in output
        assert "read-only" in site.output("doctor", "--offline", "--config", cart, code=1).lower()
        assert "read-only" in site.output("config", "check", cart).lower()
        # As a service it stays, says why, and uses the card when it can be written.
        service = site.begin(cart, "Read-only file system", NOTIFY_SOCKET=str(site.home / "none"))
        status = status_of(site, cart, 1)
        assert "Read-only file system; look at `dmesg`: a card that wears out" in status, status
        mounts.run("mount", "-o", "remount,rw", card)
        all_arrive(plant)
        assert service.output.count("Read-only file system") == 1
        assert service.end() == 0


def test_a_card_that_becomes_read_only_under_the_agent_loses_nothing(site, plant):
    """The kernel does so after an error: what is open says EIO, what is opened EROFS. It is mended and mounted."""
    card, image = site.home / "card", site.folder / "card.image"
    card.mkdir()
    cart = site.cart(plant, station={"spool": {"path": "card/7.spool", "size_kib": 1024}})
    with PrivateMounts(site) as mounts:
        mounts.run("truncate", "-s", "24M", image)
        mounts.can("mkfs.ext4", "-q", "-F", image)
        mounts.can("mount", "-o", "loop,errors=remount-ro", image, card)
        mounts.run("chmod", "777", card)
        device = mounts.run("findmnt", "-no", "SOURCE", card).stdout.strip().removeprefix("/dev/")
        agent = site.begin(cart, "ToolsNet connected")
        all_arrive(plant, 3)
        plant.cut_toolsnet(True)
        stored(plant, 2, [1, 2, 3])
        mounts.can("sh", "-c", f"echo 1 > /sys/fs/ext4/{device}/trigger_fs_error")
        plant.produce(3)
        agent.wait_for("its file system is read-only")
        status = status_of(site, cart, 1)
        assert "remount,rw" in status and "its file system is read-only" in status, status
        assert len(plant.controller.acknowledged) == 5
        assert agent.end() == 0
        assert "Read-only file system" in refused(site, cart)
        mounts.run("umount", card)
        mounts.run("fsck.ext4", "-fy", image, check=False)
        mounts.run("mount", "-o", "loop", image, card)
        plant.cut_toolsnet(False)
        last = site.begin(cart)
        all_arrive(plant)
        assert last.end() == 0
        mounts.run("umount", card)
    image.unlink()


# -- a folder that takes no file, beside a spool that can be written

ORDERS_AGAIN = "orders can be given again"
NO_FILE = {"mode": "Permission denied", "mount": "Read-only file system"}


@pytest.mark.parametrize(("way", "config"), each_choice(list(NO_FILE), ["cart.json", "card/cart.json"]))
def test_a_folder_that_takes_no_file_keeps_orders_out_and_no_result(site, plant, way, config):
    """Its spool can be written: only what an order needs beside it cannot be made."""
    card, spool = site.home / "card", site.home / "card/7.spool"
    card.mkdir()
    cart = site.cart(
        plant, name=config, station={"spool": {"path": "card/7.spool" if config == "cart.json" else "7.spool"}}
    )
    with PrivateMounts(site) as mounts:
        mounts.run("chmod", "777", card)
        assert site.begin(cart, "ToolsNet connected").end() == 0
        if way == "mount":
            mounts.can("mount", "--bind", card, card)
            mounts.run("mount", "--bind", spool, spool)
            mounts.run("mount", "-o", "remount,ro,bind", card)
        else:
            (card / "7.spool.new").touch()  # an interrupted start has left it
            (card / "7.spool.orders").write_text("2026-01-02 03:04:05, while no agent ran: cart ordered `drop`\n")
            for name in ("7.spool.new", "7.spool.orders"):
                site.give(card / name)
            mounts.run("chmod", "555", card)
        why = f"no file can be made in {card}: {NO_FILE[way]}"

        def doctor(code):
            return site.output("doctor", "--offline", "--config", cart, code=code)

        told = doctor(1)
        assert "1 thing does not work" in told and "no agent runs" in told, told
        assert why in told and "results can be stored" in told and "nothing can be written" not in told, told
        agent = site.begin(cart, "controller ready", "ToolsNet connected")
        all_arrive(plant, 3)
        agent.wait_for(no_orders := f"no orders can be given while the agent runs: {spool}.sock: {NO_FILE[way]}")
        if way == "mode":
            assert f"{spool}.new cannot be removed: Permission denied" in agent.output
            assert (
                "while no agent ran: cart ordered `drop`" in agent.output
                and "not be removed once they are told" in agent.output
            )
        if config == "cart.json":
            status, told = status_of(site, cart, 0), doctor(0)
            for text in (status, told):
                assert no_orders in text and "no result can be stored" not in text, text
            assert why in told and "nothing can be written" not in told
            [need] = needs_of(site.status(cart))
            assert 'what="orders",level="warn"' in need
        else:
            told = doctor(1)
            assert "no agent answers" in told and why in told and "results can be stored" in told, told
        plant.produce(1)
        all_arrive(plant)
        assert agent.output.count(no_orders) == 1 and "no result can be stored" not in agent.output, agent.output
        order = site.output("quarantine", "retry", "all", "--spool", spool, code=3)
        assert "an agent without a control socket takes no orders" in order
        mounts.run(*(["umount", card] if way == "mount" else ["chmod", "777", card]), check=way != "mount")
        if way == "mode":
            agent.wait_for(ORDERS_AGAIN)
            assert ORDERS_AGAIN not in status_of(site, cart, 0) and needs_of(site.status(cart)) == []
            site.output("quarantine", "list", "--spool", spool, code=0)
        assert agent.end() == 0


# -- the file of an outlet


@pytest.mark.parametrize(
    ("calls", "number", "words"),
    [
        pytest.param("write", errno.ENOSPC, "df -h", id="write ENOSPC"),
        pytest.param("sync", errno.EIO, "dying or loose", id="sync EIO", marks=ALSO),
        pytest.param("sync,truncate", errno.EIO, "dying or loose", id="truncate EIO", marks=ALSO),
        pytest.param("open", errno.EROFS, "remount,rw", id="open EROFS", marks=ALSO),
        pytest.param("open,write", errno.EACCES, "ls -l", id="EACCES", marks=ALSO),
    ],
)
def test_an_outlet_s_file_that_is_refused_stops_no_result(site, plant, disk, calls, number, words):
    lines = site.home / "lines.jsonl"
    cart = site.cart(plant, station={"outlets": [TOOLSNET, {"kind": "file", "path": "lines.jsonl"}]})
    agent = site.begin(cart, "ToolsNet connected", **disk.around)
    plant.produce(2)
    wait_for("two lines", lambda: lines.exists() and lines.read_text().count("\n") == 2)
    disk.fails(calls, number, lines)
    if "open" in calls:  # it is open already: only another start opens it
        assert agent.end() == 0
        agent = site.begin(cart, **disk.around)
    all_arrive(plant, 3)
    agent.wait_for("lines.jsonl cannot be used: ")
    status = status_of(site, cart, 1)
    assert os.strerror(number) in status, status
    assert os.strerror(number) in agent.output and words in agent.output, agent.output
    disk.works()
    wait_for("five lines", lambda: lines.read_text().count("\n") == 5)
    assert [json.loads(line)["number"] for line in lines.read_text().splitlines()] == [1, 2, 3, 4, 5]
    wait_for("status is well again", lambda: site.run("status", "--config", cart).returncode == 0)


@pytest.mark.parametrize(
    ("other", "is_there"),
    [
        ("./x.spool", True),
        ("sub/../x.spool", True),
        ("{home}/x.spool", True),
        ("link", True),
        ("hard", True),
        ("same/x.spool", True),
        ("same/x.spool", False),
    ],
)
def test_two_names_of_one_file_are_a_mistake(site, other, is_there):
    (site.home / "sub").mkdir()
    os.symlink(site.home, site.home / "same")
    if is_there:
        (site.home / "x.spool").write_bytes(b"")
        os.symlink(site.home / "x.spool", site.home / "link")
        os.link(site.home / "x.spool", site.home / "hard")
    other = other.format(home=site.home)
    cart = site.cart(stations=[station_at(7, spool="x.spool"), station_at(8, spool=other)])
    words = f"found {other}, which is the same file as x.spool"
    for command in (("config", "check", cart), ("run", "--plain", "--config", cart)):
        assert words in site.output(*command, code=2)


@pytest.mark.parametrize(("path", "alias"), [("./7.spool", ", which is the same file as 7.spool"), ("7.spool", "")])
def test_an_outlet_s_file_in_the_spool_s_place_is_a_mistake(site, path, alias):
    cart = site.cart(station={"outlets": [TOOLSNET, {"kind": "file", "path": path}]})
    words = f"found {path}{alias}; expected another file than stations[0].spool.path\n"
    assert words in site.output("config", "check", cart, code=2)


def test_a_spool_in_memory_is_warned_of(site):
    card = site.home / "a card"
    card.mkdir()
    cart = site.cart(station={"spool": {"path": "a card/7.spool"}})
    with PrivateMounts(site) as mounts:
        mounts.can("mount", "-t", "tmpfs", "-o", "size=64m,mode=777", "none", card)
        assert "lies in memory (tmpfs)" in site.output("config", "check", cart, code=0)
        assert len(json.loads(site.run("config", "check", "--json", cart).stdout)["warnings"]) == 1
        assert f"{card} lies in memory (tmpfs)" in site.output("doctor", "--offline", "--config", cart)
        mounts.run("umount", card)
        mounts.can("sh", "-c", 'cd "$0" && mkdir low up work', site.folder)
        layers = f"lowerdir={site.folder}/low,upperdir={site.folder}/up,workdir={site.folder}/work"
        mounts.can("mount", "-t", "overlay", "-o", layers, "none", card)
        mounts.run("chmod", "777", card)
        gone = "it is gone with its container, or after a restart where the layer is memory"
        assert f"lies in a layer (overlay): {gone}" in site.output("config", "check", cart)


def test_a_state_folder_that_systemd_makes_is_no_mistake(site):
    if os.path.exists("/var/lib/toolcart"):
        pytest.skip("a service's state folder is there")
    cart = site.cart(station={"spool": {"path": "/var/lib/toolcart/7.spool"}})
    assert "good, 1 station" in site.output("config", "check", cart, code=0)
    output = site.output("doctor", "--offline", "--config", cart)
    assert "systemd makes /var/lib/toolcart when the service starts" in output
    elsewhere = site.cart(station={"spool": {"path": "/var/lib/toolcarts/7.spool"}})
    assert "is not there (mkdir -p" in site.output("config", "check", elsewhere)

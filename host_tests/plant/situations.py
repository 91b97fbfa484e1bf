"""One situation of an installed agent, made by orders, and what its five voices say of it, held against the truth.

    with Stage(site, plants(), card="tmpfs", outlets=("toolsnet", "mqtt", "file")) as stage:
        stage.carry_out("start, make 3, toolsnet off, make 2")
        stage.judge(Truth(acknowledged=5, waiting={"ToolsNet": 2}, down={"toolsnet": "refused"}))

Rules
1. The truth is that of the other sides: what the controller made and had acknowledged, what ToolsNet, the broker's
   consumer and the file have. A row says it as well, so that both are looked at.
2. The voices are `status`, `doctor`, the page, the live view and /metrics. Each number in each of them is compared with
   the truth: a bound is not below it, a plain number is it. Each has the same needs, and the same sides are down.
3. An order waits until the agent has noticed; each wait has a deadline.
"""

from __future__ import annotations

import contextlib
import errno
import html
import json
import re
import signal
import socket
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field

from toolcart.tools.live import panels
from toolcart.tools.messages import attention, latched_conditions
from host_tests.plant.libc import FailingDisk
from host_tests.plant.mounts import PrivateMounts
from host_tests.plant.plant_words import Words
from host_tests.support.peers import Peer
from host_tests.support.running import free_port, wait_for
from lab.harness.mqtt_broker import Broker, Consumer

STATION = 7
HOLDS = ("hold", "trouble")
IDLE = ("idle", "off")  # phases of the recovery in which nothing is asked
NAME = "pim.plant.example"
NAMES = {"toolsnet": "ToolsNet", "mqtt": "MQTT"}  # of the others the kind
CARD_KIB = {"small": 1536, "large": 65536}


@dataclass
class Truth:
    """What is so at the end. Numbers that are not given are 0, sides that are not named work."""

    acknowledged: int | None = None  # None: as many as the other sides have, where nobody knows before
    left_there: int | None = 0  # made, and only the controller has them
    waiting: dict[str, int] | None = field(default_factory=dict)  # by the outlet's name, where something waits
    set_aside: int | None = 0  # None: as many as the agent says, which are no row's to know
    down: dict[str, str] = field(default_factory=dict)  # by side: the slug of the reason, "": now and then
    needs: dict[str, str] = field(default_factory=dict)  # by slug: the level
    perhaps: tuple[str, ...] = ()  # slugs of needs that may be there, or not: what has come to be so on the way
    spool_is_up: bool = True
    codes: tuple[int, int] = (0, 0)  # of status and doctor


class Outside:
    """A broker and its consumer at one port, which can be away; what the consumer has, it keeps."""

    def __init__(self):
        self.broker = Broker()
        self.consumer = Consumer(self.broker)
        self._lock = threading.Lock()
        self._peer = None
        self._open = []
        self.port = free_port()

    def on(self):
        self._peer = Peer(self._serve, self.port)
        self._peer.__enter__()

    def off(self):
        if self._peer:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)  # closing alone wakes nobody who reads
            self._open = []
            self._peer.__exit__()
            self._peer = None

    def ids(self):
        with self._lock:
            records = [record for _, _, record in self.consumer.records]
        return {int(record["tightening_id"]) for record in records if record.get("type") == "result"}

    def _serve(self, sock):
        self._open.append(sock)
        with self._lock:
            session = self.broker.endpoint()
        try:
            while octets := sock.recv(4096):
                with self._lock:
                    session.receive(octets, 0)
                    answer = session.outgoing()
                sock.sendall(answer)
                if session.wants_close:
                    return
        finally:
            with self._lock:
                session.disconnected(0)


class Stage:
    """A plant, a cart and its agent; `card` is a file system of the spool's own."""

    def __init__(self, site, plant, outlets=("toolsnet",), card="", names=False, size_kib=64, failing=False, **more):
        self.site, self.plant = site, plant
        self._stack = ExitStack()
        self._card, self._names, self._failing = card, names, failing
        self._size_kib, self._more = size_kib, more
        self.kinds = outlets
        self.outside = Outside()
        self.agent = None
        self._ends = 0

    def __enter__(self):
        site, folder = self.site, ""
        self.mounts = self._stack.enter_context(PrivateMounts(site)) if self._card or self._names else None
        if self._card:
            folder = "card/"
            (site.home / "card").mkdir()
            size = f"size={CARD_KIB[self._card]}k,mode=777"
            self.mounts.can("mount", "-t", "tmpfs", "-o", size, "none", site.home / "card")
        self.disk = FailingDisk(site.folder) if self._failing else None
        self.spool = site.home / f"{folder}{STATION}.spool"
        self.lines = site.home / f"{folder}lines.jsonl"
        if "mqtt" in self.kinds:
            self.outside.on()
            self._stack.callback(self.outside.off)
        settings = {
            "toolsnet": {},
            "mqtt": {"host": "127.0.0.1", "port": self.outside.port},
            "file": {"path": f"{folder}lines.jsonl"},
        }
        outlets = [{"kind": kind, **settings[kind]} for kind in self.kinds]
        station = {"outlets": outlets, "spool": {"path": f"{folder}{STATION}.spool", "size_kib": self._size_kib}}
        station["spool"].update(self._more.pop("spool", {}))
        toolsnet = {"reconnect_s": 0.5, **self._more.pop("toolsnet", {})} if "toolsnet" in self.kinds else False
        self.cart = site.cart(self.plant, station=station, toolsnet=toolsnet, **self._more)
        self.words = Words(site, self.cart)
        return self

    def __exit__(self, *_):
        self.site.end_all()  # before the sides that it talks to
        self._stack.close()

    # -- orders

    def carry_out(self, orders):
        """Each order is its name and its words: `make 3`, `toolsnet off`."""
        for order in orders.split(", "):
            name, *words = order.split()
            getattr(self, f"_{name}")(*words)

    def _start(self, *texts):
        around = dict(self.disk.around) if self.disk else {}
        if "service" in texts:
            around["NOTIFY_SOCKET"] = str(self.site.home / "none")
        hangup = signal.signal(signal.SIGHUP, signal.SIG_IGN if "nohup" in texts else signal.SIG_DFL)
        try:
            self.agent = self.words.agent = self.site.begin(self.cart, **around)
        finally:
            signal.signal(signal.SIGHUP, hangup)
        if "spoolless" in texts:
            wait_for("an agent without a spool", lambda: _has_no_spool(self.site.status(self.cart)))
        else:
            self._until(_have_reasons, "all sides tried")

    def _stop(self):
        assert self.agent.end() == 0, self.agent.output
        self.agent = None

    def _kill(self):
        assert self.agent.end(signal.SIGKILL) == -signal.SIGKILL
        self.agent = None

    def _reload(self):
        count = self.agent.output.count("agent started")
        self.agent.process.send_signal(signal.SIGHUP)
        wait_for("a restart", lambda: self.agent.output.count("agent started") > count)
        self._until(_have_reasons, "all sides tried")

    def _edit(self):
        """Somebody edits the configuration, and does no more."""
        self.site.write(self.cart.name, self.cart.read_text().replace('"stations"', '"board": {}, "stations"'))
        self.agent.wait_for("changed since the start")

    def _make(self, count, *fields):
        """Results that are taken where somebody can take them."""
        before = len(self.acknowledged())
        self.plant.produce(int(count))
        if "there" not in fields:
            wait_for(f"{count} taken", lambda: len(self.acknowledged()) == before + int(count))

    def _overfill(self):
        """Results until the spool has room for none."""
        self.plant.produce_rate(300)
        self._needs("full")
        self.plant.stop_producing()

    def _forgets(self, held):
        """ToolsNet names another result as its last one than it was given."""
        self.plant.toolsnet.options.reported_result = int(held)
        self.plant.loop.call(self.plant.toolsnet.drop)

    def _jump(self, first_id):
        self.plant.loop.call(lambda: self.plant.controller.reset_ids(int(first_id)))

    def _controller(self, state):
        self.plant.cut_controller(state == "off")
        if self.agent:
            self._is("controller", state)

    def _toolsnet(self, state, *words):
        if state == "refuses":
            self.plant.toolsnet.options.code_all = int(words[0])
        elif state == "takes":
            self.plant.toolsnet.options.code_all = None
        else:
            self.plant.cut_toolsnet(state == "off")
            if self.agent and "quietly" not in words:
                self._is("toolsnet", state)

    def _broker(self, state):
        getattr(self.outside, state)()
        if self.agent:
            self._is("mqtt", state)

    def _is(self, side, state):
        """Wait until this side works, or is known to refuse connections: what ended the last one is not said then."""
        at = side if side == "controller" else self.kinds.index(side)
        if state == "on":
            self._until(lambda station: _works(_side(station, at)), f"{side} works")
        else:
            self._until(lambda station: _side(station, at).get("why") == "refused", f"{side} refuses")

    def _fill(self):
        """The file system of the spool has no room for anything new."""
        self.mounts.run("sh", "-c", f"cat /dev/zero > {self.site.home}/card/filler || true")

    def _empty(self):
        self.mounts.run("rm", "-f", f"{self.site.home}/card/filler")

    def _card_is(self, mode):
        self.mounts.run("mount", "-o", f"remount,{mode}", self.site.home / "card")

    def _disk_fails(self, calls, name, path="spool"):
        self.disk.fails(calls, getattr(errno, name), getattr(self, path))

    def _disk_works(self):
        self.disk.works()

    def _name(self, state):
        """ToolsNet's name is known, or no name server answers."""
        if state == "off":
            for name, text in (("resolv.conf", "nameserver 127.0.0.9\noptions timeout:1 attempts:1\n"), ("hosts", "")):
                self.mounts.can("mount", "--bind", self.site.write(name, text), f"/etc/{name}")
        else:
            self.site.write("hosts", f"127.0.0.1 {NAME}\n")

    def _delivered(self):
        """Wait until nothing waits, here and as the agent says it."""
        wait_for(lambda: f"everything arrived, {self.waiting()}", lambda: not any(self.waiting().values()))
        self._until(_has_nothing_to_do, "and it knows")

    def _fetched(self):
        """Wait until the agent has taken everything that was made."""
        wait_for("all taken", lambda: self.acknowledged() == set(self.plant.controller.produced))

    def _taken(self, what):
        """Wait until the agent has taken so many results, or this outlet everything."""
        if what.isdigit():
            wait_for(f"{what} taken", lambda: len(self.acknowledged()) == int(what))
        else:
            at = self.kinds.index(what)
            self._until(lambda station: station["outlets"][at]["waiting"] == 0, f"{what} has all")

    def _hold(self):
        """Wait until ToolsNet is offered nothing but what it refuses, since there is no room for others."""
        self._until(lambda station: (station["outlets"][0]["refused"] or {}).get("doing") in HOLDS, "nothing is sent")

    def _aside(self, count):
        self._until(lambda station: station["parked"] == int(count), f"{count} set aside")

    def _needs(self, *slugs):
        """Wait until these are there; a blank of a slug is an underscore here."""
        wanted = {slug.replace("_", " ") for slug in slugs}
        self._until(lambda station: wanted <= _slugs(station), f"{wanted}")

    def _well(self):
        """Wait until all sides work and nothing needs anybody."""
        self._until(lambda station: not any(need.level != attention.NOTE for need in attention.needs(station)), "well")

    def _until(self, is_so, what):
        def looked(states):
            seen.append(states[STATION])
            return is_so(states[STATION])

        seen = []
        try:
            self.words.until(looked, what)
        except AssertionError:
            raise AssertionError(f"never: {what}\n{json.dumps(seen[-1:], indent=1)}") from None

    # -- the truth

    def acknowledged(self):
        """IDs that the agent has taken over: a result that was fetched as the newest shows only at an outlet."""
        controller = self.plant.controller
        return {*controller.acknowledged, *controller.fetched_by_id}.union(*map(self.stored_at, self.kinds))

    def stored_at(self, kind):
        """IDs that the other side has."""
        if kind == "toolsnet":
            return set(self.plant.archive.tightening_ids())
        if kind == "mqtt":
            return self.outside.ids()
        text = self.mounts.run("cat", self.lines, check=False).stdout if self.mounts else _text_of(self.lines)
        records = [json.loads(line) for line in text.split("\n")[:-1]]
        return {int(record["tightening_id"]) for record in records if record.get("type") == "result"}

    def waiting(self, set_aside=0):
        """How many results wait for each outlet, by its name; those set aside wait no more for ToolsNet."""
        taken = self.acknowledged()
        waiting = {NAMES.get(kind, kind): len(taken - self.stored_at(kind)) for kind in self.kinds}
        return {name: count - set_aside * (name == NAMES["toolsnet"]) for name, count in waiting.items()}

    def check_truth(self, truth):
        """What the row says is what the other sides have."""
        taken, made = self.acknowledged(), self.plant.controller.produced
        assert truth.acknowledged in (None, len(taken)), (made, taken)
        assert truth.left_there in (None, len(made) - len(taken)), (made, taken)
        set_aside = truth.set_aside
        if set_aside is None:
            set_aside = self.site.status(self.cart)["stations"][0]["parked"]
        waiting = self.waiting(set_aside)
        if truth.waiting is not None:
            assert waiting == {**dict.fromkeys(waiting, 0), **truth.waiting}, f"{waiting} wait"
        return len(taken), len(made) - len(taken), waiting

    # -- the voices

    def judge(self, truth, says=(), never=()):
        """Hold each voice against the truth and against the others; `says`: (voices, piece), voices apart by blanks."""
        before = self.check_truth(truth)
        self.words.again()
        voices = {name: text for name, text in self.words.now.items() if name != "log"}
        voices["metrics"] = "".join(line for line in voices["metrics"].splitlines(True) if line[0] != "#")
        try:
            judge = self._judge_running if truth.spool_is_up else self._judge_without_spool
            (judge if self.words.status["running"] else self._judge_stopped)(truth, voices, *before)
            for where, piece in says:
                for name in where.split():
                    assert piece in _plain(voices[name]), f"{name} does not say {piece!r}"
            for piece in never:
                saying = [name for name in voices if piece in _plain(voices[name])]
                assert not saying, f"{saying} say {piece!r}"
            code = self.site.run("status", "--config", self.cart).returncode
            codes = (code, self.words.doctor.returncode)
            assert codes == truth.codes, f"status and doctor end with {codes}"
        except AssertionError as error:
            shown = "\n".join(f"-- {name}\n{text}" for name, text in voices.items() if name != "page")
            raise AssertionError(f"{error}\n{shown}\n-- page\n{_untagged(voices['page'])}") from None
        assert self.check_truth(truth) == before, "nothing has moved meanwhile"

    def _judge_running(self, truth, voices, acknowledged, left_there, waiting):
        [station] = self.words.status["stations"]
        voices["live"] += "\n" + panels.account(station).plain
        said = {
            "status": _figures_of_text(voices["status"]),
            "doctor": _figures_of_text(voices["doctor"]),
            "page": _figures_of_page(voices["page"]),
            "live": _figures_of_live(voices["live"]),
            "metrics": _figures_of_metrics(voices["metrics"], self.kinds),
        }
        for name, figures in said.items():
            bounds = figures.pop("waiting")
            assert name == "live" or set(bounds) == set(waiting), f"{name} says {bounds}, not of each outlet"
            for outlet, bound in bounds.items():
                true = waiting[outlet] if outlet in waiting else max(waiting.values())
                assert bound.holds(true), f"{name}: {bound} wait for {outlet}, {true} do"
            assert figures["stored"] == acknowledged, f"{name}: {figures}, not {acknowledged} stored"
            if "delivered" in figures:
                delivered = len(self.stored_at("toolsnet"))
                assert figures["delivered"] == delivered, f"{name}: {figures}, not {delivered} delivered"
        self._judge_sides(truth, voices)
        self._judge_needs(truth, voices, station)
        is_well = not (truth.down or "bad" in truth.needs.values() or station["recovery"]["open_ids"])
        assert ("everything works" in voices["doctor"]) == is_well, "doctor's verdict"
        assert truth.set_aside in (None, station.get("parked", 0)), station["parked"]
        if left_there:
            assert "nothing missed" not in voices["live"], "the controller has more than was taken"

    def _judge_sides(self, truth, voices):
        labels = f'agent="cart",station="{STATION}",name=""'
        for side in ("controller", *self.kinds):
            name, why = NAMES.get(side, side), truth.down.get(side)
            if why == "":
                continue
            assert f'toolcart_connected{{{labels},side="{side}"}} {int(not why)}' in voices["metrics"], (side, why)
            found = re.findall(f'toolcart_connection_why{{{labels},side="{side}",why="(.*)"}} 1', voices["metrics"])
            assert found == ([why] if why else []), (side, found)
            lines = [one for one in voices["doctor"].splitlines() if f"station {STATION} {name}:" in one]
            assert not lines or lines[0].startswith("ok") == (not why), (side, lines)

    def _judge_needs(self, truth, voices, station):
        found = dict(re.findall(r'toolcart_needs{[^}]*what="([^"]*)",level="([^"]*)"} 1', voices["metrics"]))
        found = {slug: level for slug, level in found.items() if slug not in truth.perhaps}
        assert found == truth.needs, f"the needs are {found}"
        in_states = attention.unusable_main_connections(station)
        for need in latched_conditions.all_needs(station):
            for name in ("status", "page", *(() if need in in_states else ("doctor", "live"))):
                if name == "live" and need.level == attention.NOTE:
                    continue  # there is no room for what needs nobody
                assert _timeless(need.words) in _timeless(voices[name]), f"{name} does not say {need.words!r}"

    def _judge_without_spool(self, truth, voices, *_):
        [station] = self.words.status["stations"]
        assert not station["mounted"]
        for name in ("status", "doctor", "page", "live"):
            assert attention.spool_problem(station) in _plain(voices[name]), name
        assert f'toolcart_spool_up{{agent="cart",station="{STATION}",name=""}} 0' in voices["metrics"]
        assert "everything works" not in voices["doctor"]

    def _judge_stopped(self, truth, voices, acknowledged, left_there, waiting):
        for name in ("status", "page"):
            assert "no agent runs here" in voices[name], name
        assert 'toolcart_up{agent="cart"} 0' in voices["metrics"]
        most = max(waiting.values())
        waits = re.findall(r"up to (\d+) (?:results?|records?) waits? for", voices["doctor"])
        assert not most or (waits and int(waits[0]) >= most), f"{most} wait"
        for count in re.findall(r"(\d+) (?:are|is) to be sent", voices["doctor"]):
            assert int(count) >= waiting.get("ToolsNet", 0), f"{count} to be sent"
        assert "everything works" not in voices["doctor"]


@dataclass
class Bound:
    """A number in a sentence: exactly so many, or at most."""

    count: int
    is_bound: bool = False

    def holds(self, true):
        return self.count >= true if self.is_bound else self.count == true


def _bounds(text, alone):
    """`3 waiting for MQTT, up to 0 for ToolsNet`, or `3` where only `alone` can be meant."""
    found = re.findall(r"(up to )?(\d+)(?: waiting)?(?: for (\w+))?", text)
    return {name or alone: Bound(int(count), bool(most)) for most, count, name in found}


_RESULTS = re.compile(r"(\d+) stored, (?:(at least )?(\d+) delivered, )?(?:\d+ dropped, )?([^\n(]*)")


def _figures_of_text(text):
    match = _RESULTS.search(text)
    assert match, "no line of results"
    delivered = {"delivered": int(match[3])} if match[3] and not match[2] else {}
    return {"stored": int(match[1]), **delivered, "waiting": _bounds(match[4], "ToolsNet")}


def _figures_of_page(page):
    cells = dict(re.findall(r'data-name="(Stored|Delivered|Waiting|Set aside)">([^<]*)<', page))
    delivered = {"delivered": int(cells["Delivered"])} if cells["Delivered"].isdigit() else {}
    return {"stored": int(cells["Stored"]), **delivered, "waiting": _bounds(cells["Waiting"], "ToolsNet")}


def _figures_of_live(live):
    account = live.splitlines()[-1]
    figures = {name: int(count) for name, count in re.findall(r"(stored|delivered) (\d+)", account)}
    name, count = re.search(r"waiting((?: at most)?(?: for [\w ,]+?)?) (\d+)", account).groups()
    waiting = {"": Bound(int(count), "at most" in name)}
    for kind, most, count in re.findall(r"^(MQTT|file) +\S (up to )?(\d+) waiting", live, re.MULTILINE):
        waiting[kind] = Bound(int(count), bool(most))
    return {**figures, "waiting": waiting}


def _figures_of_metrics(text, kinds):
    found = dict(re.findall(r'toolcart_outlet_waiting{[^}]*outlet="(\w+)"} (\d+)', text))
    assert set(found) == set(kinds), found
    stored = re.search(r"toolcart_results_stored_total{[^}]*} (\d+)", text)
    return {
        "stored": int(stored[1]),
        "waiting": {NAMES.get(kind, kind): Bound(int(count), True) for kind, count in found.items()},
    }


def _side(station, side):
    return station["controller"] if side == "controller" else station["outlets"][side]


def _is_settled(connection):
    """True if it works, or says why it does not."""
    return connection.get("why") or _works(connection)


def _works(connection):
    return connection.get("is_up") or connection.get("state") in ("ready", "streaming")


def _slugs(station):
    return {need.slug for need in latched_conditions.all_needs(station)}


def _has_no_spool(status):
    return status["running"] and not any(one["mounted"] or one.get("starting") for one in status["stations"])


def _has_nothing_to_do(station):
    is_asked = station["controller"]["state"] == "ready" and station["recovery"]["phase"] not in IDLE
    return not is_asked and not any(outlet["waiting"] for outlet in station["outlets"])


def _have_reasons(station):
    return all(map(_is_settled, [station["controller"], *station["outlets"]]))


def _text_of(path):
    return path.read_text() if path.is_file() else ""


def _plain(text):
    return " ".join(text.split())


def _timeless(text):
    """The text without what is another at each moment."""
    return re.sub(r", (next try in [\w ]+|it is offered again now|and what waits is not delivered)", "", _plain(text))


def _untagged(page):
    return "\n".join(line for line in html.unescape(re.sub("<[^>]*>", "", page)).splitlines() if line.strip())

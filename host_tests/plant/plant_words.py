"""What an installed agent says of a plant, on every surface, held against what was done to that plant.

    words = Words(site, cart, agent)
    words.agree({7: Truth(controller=True, toolsnet=False, waiting=3)})    # what is known to be so
    words.assert_shown("refused the connection"); words.assert_absent("everything works")

Rules
1. Surfaces: `status`, `doctor`, the web page, the live view's panels, /metrics, and the log (what `run` has printed).
2. A test that makes a situation is marked with pieces of the sentences that are said in it: `@shows(...)`; a fixture
   checks at its end that each was.
"""

from __future__ import annotations

import functools
import html
import json
import re
import time
import typing
from dataclasses import dataclass

from toolcart.tools.live import panels, stations
from toolcart.tools.live.history import StationFigures
from toolcart.tools.web import metrics, page
from toolcart.tools.web.page import AgentState
from host_tests.support.running import wait_for

_FILLED = re.compile(r"\{[^}]*\}|%0?\d*[sd]")
ROOM = (400, 60)  # cells and lines of a live view in which nothing is cut off
STATES = ("status", "doctor", "page", "live")  # what is true now; the log also has what was true before
EVERYWHERE = (*STATES, "log")


def shows(*pieces):
    """Mark a test as one that makes the situation in which these pieces are said."""

    def marked(test):
        test.shows = pieces
        return test

    return marked


@dataclass
class Truth:
    """What is so at one station; None: not looked at."""

    controller: bool | None = True
    toolsnet: bool | None = True
    waiting: int | None = None
    set_aside: int | None = None


class Words:
    """One agent, or none, and its configuration."""

    texts: typing.ClassVar[list[str]] = []  # every text of the present test
    present: typing.ClassVar[list] = []  # those of the present test

    def __init__(self, site, cart, agent=None):
        self.site, self.cart, self.agent = site, cart, agent
        self.present.append(self)

    @functools.cached_property
    def status(self):
        """The state as `toolcart status --json` has it."""
        return json.loads(self.site.run("status", "--json", "--config", self.cart).stdout)

    @functools.cached_property
    def now(self):
        """Text by surface."""
        status = self.status
        seen = AgentState(
            "cart", status if status["running"] else None, trouble=status.get("error", ""), hint=status.get("hint", "")
        )
        self.doctor = self.site.run("doctor", "--config", self.cart)
        texts = {
            "status": self._output("status"),
            "doctor": self.doctor.stdout,
            "page": html.unescape(page.agent(seen) + page.overview([seen])),
            "live": "\n".join(map(_live, status.get("stations", ()))),
            "metrics": metrics.text_of([metrics.Agent("cart", status if status["running"] else None)]),
            "log": self.agent.output if self.agent else "",
        }
        self.texts.extend(texts.values())
        return texts

    def again(self):
        """Forget the texts: ask once more."""
        self.__dict__.pop("status", None)
        self.__dict__.pop("now", None)
        return self

    def assert_shown(self, *pieces, on=EVERYWHERE):
        """Each piece is said on each of these surfaces."""
        silent = [(where, piece) for where in on for piece in pieces if piece not in _plain(self.now[where])]
        assert not silent, f"{silent}\n" + "\n".join(f"-- {where}\n{self.now[where]}" for where, _ in silent)

    def assert_absent(self, *pieces, on=EVERYWHERE):
        """No piece is said on any of these surfaces."""
        unwanted = [(where, piece) for where in on for piece in pieces if piece in _plain(self.now[where])]
        assert not unwanted, f"{unwanted}\n" + "\n".join(f"-- {where}\n{self.now[where]}" for where, _ in unwanted)

    def until(self, is_so, what="a state"):
        """Wait until all stations have their spools and `is_so(their states by number)`."""

        def looked():
            status = self.again().status = self.site.status(self.cart)
            is_up = status["running"] and all(one["mounted"] for one in status["stations"])
            return is_up and is_so({one["number"]: one for one in status["stations"]})

        wait_for(what, looked)

    def agree(self, truths):
        """Each surface has the stations as they are; doctor's verdict is that of what is so."""
        now = self.now
        by_number = {one["number"]: one for one in self.status["stations"]}
        for number, truth in truths.items():
            station = by_number[number]
            toolsnet = next((one for one in station["outlets"] if one["kind"] == "toolsnet"), None)
            sides = {"controller": (truth.controller, station["controller"], "ready")}
            if toolsnet is not None:
                sides["toolsnet"] = (truth.toolsnet, toolsnet, "streaming")
            for side, (is_up, its, good) in sides.items():
                if is_up is None:
                    continue
                where = f"station {number} {side}"
                assert (its["state"] == good) == is_up, (where, its)
                assert (its["state"] == good) != bool(its.get("why")) or not is_up, (where, its)
                metric = f'toolcart_connected{{agent="cart",station="{number}",name="{station["name"]}",side="{side}"}}'
                assert f"{metric} {int(is_up)}" in now["metrics"], where
                [line] = [one for one in now["doctor"].splitlines() if f"{where} ".lower() in one.lower()][:1]
                assert line.startswith("ok") == is_up, line
            if truth.waiting is not None:
                assert f"{truth.waiting} waiting" in now["status"] and station["backlog"] == truth.waiting
                figure = f'toolcart_results_waiting{{agent="cart",station="{number}",name="{station["name"]}"}}'
                assert f"{figure} {truth.waiting}\n" in now["metrics"]
            if truth.set_aside is not None:
                assert station["parked"] == truth.set_aside, station["parked"]
        all_up = all(truth.controller and truth.toolsnet for truth in truths.values())
        assert all_up or (self.doctor.returncode == 1 and "everything works" not in now["doctor"]), now["doctor"]

    def _output(self, *words):
        run = self.site.run(*words, "--config", self.cart)
        return run.stdout + run.stderr


def _live(station):
    """The panel of one station and its line in the overview."""
    figures = StationFigures()
    figures.keep(station, time.monotonic())
    text = panels.links(station, {}, True, ROOM).plain
    return f"{text}\n{stations.verdict(station, stations.WHOLE)[1]}\n{stations.row(figures, ROOM[0]).plain}"


def _plain(text):
    """The text with single blanks: screens and tables pad."""
    return " ".join(text.split())


def check_shown(pieces):
    """Each of these pieces was said in the present test; forget what was."""
    logs = [one.agent.output for one in Words.present if one.agent is not None]
    text = _plain(" ".join([*Words.texts, *logs]))
    Words.texts.clear()
    Words.present.clear()
    silent = [piece for piece in pieces if _longest(piece) not in text]
    assert not silent, silent


def _longest(text):
    """The longest part of a sentence in which nothing is filled in."""
    return max(_FILLED.split(text), key=len).strip(" .,:;()")

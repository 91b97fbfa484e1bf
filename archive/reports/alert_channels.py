"""Sends alerts to a webhook and by mail (toolcart.archive.mail_commands), each once.

What was sent is kept in a file, so a restart repeats nothing.

Rules
1. A channel that fails is tried again at the next check with what is true then; the others are not held up.
2. A message takes DEADLINE_S at most. While one hangs beyond that, its channel sends no other.
3. A webhook gets a POST of JSON: {"subject": ..., "text": ..., "causes": {cause: sentence}}; redirects are not
   followed.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from toolcart.archive.reports.alerts import message
from toolcart.base import private_files

DEADLINE_S = 20.0
_ANSWER_MOST = 65536


class Channel(Protocol):
    """A way to reach people; any exception means that it failed."""

    def send(self, subject: str, text: str, causes: dict[str, str]) -> object: ...


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl) -> None:
        return None


@dataclass(frozen=True)
class Webhook:
    """A POST of JSON."""

    url: str

    def send(self, subject: str, text: str, causes: dict[str, str]) -> None:
        body = json.dumps({"subject": subject, "text": text, "causes": causes}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=DEADLINE_S / 2) as answer:
            answer.read(_ANSWER_MOST)


class Alerting:
    """Sends each channel what is new."""

    def __init__(self, channels: dict[str, Channel], kept: str, say: Callable[[str], None]) -> None:
        self._channels = channels
        self._kept = kept
        self._say = say
        self._reported: dict[str, dict[str, str]] = {name: {} for name in channels}
        self._hangs: dict[str, threading.Thread] = {}
        with suppress(FileNotFoundError), open(kept, encoding="utf-8", opener=private_files.opener) as file:
            self._reported.update({name: dict(causes) for name, causes in json.load(file).items() if name in channels})

    def reported(self) -> set[str]:
        """Return the causes that were sent and are not over."""
        return {cause for one in self._reported.values() for cause in one}

    def notify(self, causes: dict[str, str]) -> None:
        """Send what has begun or is over, given the causes there are now."""
        before = json.dumps(self._reported)
        for name, channel in self._channels.items():
            notice = message(causes, self._reported[name])
            if notice and self._is_sent(name, channel, *notice, causes):
                self._reported[name] = dict(causes)
        if json.dumps(self._reported) != before:
            private_files.put(self._kept, json.dumps(self._reported))

    def _is_sent(self, name: str, channel: Channel, subject: str, text: str, causes: dict[str, str]) -> bool:
        why = ["no answer in time"]

        def send() -> None:
            try:
                channel.send(subject, text, causes)
                why.clear()
            except Exception as wrong:  # whatever the other side may do
                why[:] = [str(wrong) or type(wrong).__name__]

        if name in self._hangs and self._hangs[name].is_alive():
            return False
        thread = self._hangs[name] = threading.Thread(target=send, daemon=True)
        thread.start()
        thread.join(DEADLINE_S)
        if not thread.is_alive() and not why:
            self._say(f"told by {name}: {subject}")
            return True
        self._say(f"{name} failed, it is tried again: {why[0] if why else 'no answer in time'}")
        return False

"""Alerts: what is one, that each is told once to a webhook and by mail, and what a bad other side does."""

import json
import socketserver
import ssl
import stat
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner
from sqlalchemy import update

from toolcart.archive import alerts, database
from toolcart.archive import tables as t
from toolcart.archive.alerts import Alerting, Limits, Webhook
from toolcart.archive.mail_commands import Mail
from toolcart.tools.cli.main import main
from host_tests.support.archive import Served, place_in, result

LIMITS = Limits(silent_s=600, nok_percent=10, nok_of=20, drift_s=120)


def local(moment):
    return moment.astimezone().strftime("%Y%m%d%H%M%S")


@pytest.fixture
def place(tmp_path):
    """A station that has just reported twenty results, with a right clock."""
    now = datetime.now(UTC)
    with Served(place_in(tmp_path)) as archive, archive.server() as server:
        for number in range(1, 21):
            assert server.ask(result(number, number, time=local(now - timedelta(seconds=20 - number))))
    with changed(place_in(tmp_path), nok(0)):
        return place_in(tmp_path)


@contextmanager
def changed(place, statement=None):
    engine = database.connect(str(place), writes=True)
    with engine.begin() as connection:
        if statement is not None:
            connection.execute(statement)
        yield connection
    engine.dispose()


def causes(place, told=(), later_s=0.0, statement=None, limits=LIMITS):
    with changed(place, statement) as connection:
        return alerts.causes(connection, limits, told, datetime.now(UTC) + timedelta(seconds=later_s))


def nok(count):
    return update(t.RESULT).values(Overall=t.RESULT.c.ResultId <= count)


def test_a_good_station_is_no_cause_and_a_silent_one_is(place):
    assert causes(place) == {}
    [(cause, text)] = causes(place, later_s=700).items()
    assert cause == "silent 3/1/10" and "Station 10 (3/1/10): silent since" in text
    assert causes(place, later_s=700, limits=Limits(silent_s=None)) == {}


def test_too_many_not_ok_are_over_below_half(place):
    assert causes(place, statement=nok(2)) == {}
    assert "15.0 % of the last 20" in causes(place, statement=nok(3))["nok 3/1/10"]
    assert causes(place, {"nok 3/1/10"}, statement=nok(2)) and not causes(place, {"nok 3/1/10"}, statement=nok(1))
    assert causes(place, statement=nok(3), limits=Limits(nok_percent=10, nok_of=21)) == {}, "too few to say"


@pytest.mark.parametrize(("seconds", "word"), [(-300, "behind"), (300, "ahead")])
def test_a_wrong_clock_is_told(place, seconds, word):
    off = local(datetime.now(UTC) + timedelta(seconds=seconds))
    assert f"s {word}" in causes(place, statement=update(t.RESULT).values(Time=off))["clock 3/1/10"]


def test_results_that_were_kept_on_their_way_are_no_wrong_clock(place):
    off = local(datetime.now(UTC) - timedelta(seconds=900))
    assert causes(place, statement=update(t.RESULT).where(t.RESULT.c.ResultId < 20).values(Time=off)) == {}


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self):
        self.server.got.append("a redirect was followed")

    def log_message(self, *_):
        pass


class Post(socketserver.StreamRequestHandler):
    """A server that speaks enough of SMTP."""

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                mail = b""
                while (line := self.rfile.readline()) != b".\r\n":
                    mail += line
                self.server.got.append(mail.decode())
            self.wfile.write(ANSWERS.get(word, b"250 well\r\n"))
            if word == b"STARTTLS":
                self.request = self.server.tls.wrap_socket(self.request, server_side=True)
                self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)


ANSWERS = {b"QUIT": b"221 bye\r\n", b"STARTTLS": b"220 go on\r\n", b"EHLO": b"250-here\r\n250 STARTTLS\r\n"}


class TlsPost(socketserver.TCPServer):
    """The same by TLS from the first octet on."""

    def get_request(self):
        connection, peer = super().get_request()
        return self.tls.wrap_socket(connection, server_side=True), peer

    def handle_error(self, *_):
        pass


@contextmanager
def listening(kind, handler):
    with kind(("127.0.0.1", 0), handler) as server:
        server.got, server.status = [], 204
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def look(place, channels, tmp_path, later_s=0.0, said=None):
    watch = Alerting(channels, str(tmp_path / "kept"), (said if said is not None else []).append)
    watch.tell(causes(place, watch.told(), later_s))


def test_each_cause_is_told_once_and_that_it_is_over_across_restarts(place, tmp_path):
    with listening(HTTPServer, Hook) as hook, listening(socketserver.TCPServer, Post) as post:
        mail = Mail("127.0.0.1", post.server_address[1], "archive@plant", ("a@plant", "b@plant"), "none")
        channels = {"webhook": Webhook(f"http://127.0.0.1:{hook.server_address[1]}/x"), "mail": mail}
        for later_s in (0, 700, 800, 0, 0):
            look(place, channels, tmp_path, later_s)
        assert [list(one["causes"]) for one in hook.got] == [["silent 3/1/10"], []]
        assert "silent since" in hook.got[0]["text"] and hook.got[1]["text"].startswith("over: Station 10")
        assert len(post.got) == 2 and "To: a@plant, b@plant" in post.got[0] and "silent since" in post.got[0]
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o600


@pytest.mark.parametrize(("how", "kind"), [("starttls", socketserver.TCPServer), ("tls", TlsPost)])
def test_mail_goes_by_tls_to_whom_authority_knows_and_to_no_other(how, kind, tmp_path, monkeypatch):
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    with listening(kind, Post) as post:
        post.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1").configure_cert(post.tls)
        post.handle_error = lambda *_: None  # a client that does not trust it
        mail = Mail("127.0.0.1", post.server_address[1], "a@plant", ("b@plant",), how)
        with pytest.raises(ssl.SSLCertVerificationError):
            mail.send("subject", "text", {})
        assert post.got == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        mail.send("subject", "text", {})
        assert len(post.got) == 1 and "Subject: subject" in post.got[0]


def test_a_channel_that_fails_is_tried_again_and_holds_up_no_other(place, tmp_path, monkeypatch):
    monkeypatch.setattr(alerts, "DEADLINE_S", 0.3)
    silent = socketserver.TCPServer(("127.0.0.1", 0), Post)  # accepts, and no one speaks
    said = []
    with listening(HTTPServer, Hook) as hook:
        channels = {
            "mail": Mail("127.0.0.1", silent.server_address[1], "a@b", ("c@d",), "none"),
            "webhook": Webhook(f"http://127.0.0.1:{hook.server_address[1]}/x"),
        }
        for status in (500, 302, 204, 204):
            hook.status = status
            look(place, channels, tmp_path, 700, said)
        assert len(hook.got) == 3 and "a redirect was followed" not in hook.got
        assert sum("webhook failed" in one for one in said) == 2
        assert sum("mail failed" in one for one in said) == 4
    silent.server_close()


def test_many_causes_are_one_bounded_message():
    now = {f"silent 3/1/{number}": f"Station {number}" for number in range(200)}
    subject, text = alerts.message(now, {})
    assert subject == "toolcart archive: 200 new, 0 over" and text.endswith("and 150 more")
    assert alerts.message(now, now) is None


def test_the_command_looks_once_and_says_what_is_missing(place, tmp_path):
    def run(*words):
        return CliRunner().invoke(main, ["archive", "alert", "--database", str(place), "--once", *words])

    assert "no one is told" in run().output
    assert "begins with http" in run("--webhook", "ftp://x").output
    assert "needs --mail-from" in run("--smtp", "127.0.0.1:25").output
    with listening(HTTPServer, Hook) as hook:
        words = ("--webhook", f"http://127.0.0.1:{hook.server_address[1]}/", "--kept", str(tmp_path / "kept"))
        done = run(*words, "--nok-percent", "0", "--nok-of", "20")
        assert done.exit_code == 0 and hook.got == [], "all are OK"
        with changed(place, nok(1)):
            pass
        done = run(*words, "--nok-percent", "0", "--nok-of", "20")
        assert done.exit_code == 0 and [list(one["causes"]) for one in hook.got] == [["nok 3/1/10"]]
    Path(tmp_path, "kept").write_text("[1]")
    assert run(*words).exit_code == 2

"""Reports: the pages' figures in a file and by mail, and a bad other side."""

import csv
import errno
import re
import smtplib
import socketserver
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, message_from_string, policy

import pytest
import trustme
from sqlalchemy import update

from toolcart.archive.database import tables as t
from toolcart.archive.mail_commands import Mail
from toolcart.archive.reports import report
from toolcart.archive.statistics.spc import USUAL
from host_tests.support.archive import Served, browsing, change, empty, place_in, reading
from host_tests.support.archive import run as command


def assert_well_formed(octets: bytes) -> None:
    """What a strict server takes without 8BITMIME: RFC 5322's headers once, 7 bits, lines of 998 octets."""
    assert octets.isascii() and b"\0" not in octets and max(map(len, octets.split(b"\r\n"))) <= 998
    assert octets.count(b"\n") == octets.count(b"\r\n") == octets.count(b"\r")
    head = message_from_bytes(octets, policy=policy.default)
    assert not head.defects
    for name in ("Date", "Message-ID", "From", "To", "Subject", "MIME-Version"):
        [value] = head.get_all(name, [])
        assert not value.defects, name
    assert abs(head["Date"].datetime - datetime.now(UTC)) < timedelta(minutes=1)
    assert re.fullmatch(r"<[^<>@\s]+@plant>", head["Message-ID"])


class Post(socketserver.StreamRequestHandler):
    """A server that speaks enough of SMTP, and takes only what is well formed."""

    def handle(self):
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                mail = b""
                while (line := self.rfile.readline()) != b".\r\n":
                    mail += line
                try:
                    assert_well_formed(mail)
                except AssertionError as why:
                    self.wfile.write(b"554 %r\r\n" % str(why)[:100].encode())
                    continue
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
            mail.send("subject", "text")
        assert post.got == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        mail.send("subject", "text")
        assert len(post.got) == 1 and "Subject: subject" in post.got[0]


def test_two_mails_have_two_ids_and_what_is_not_ascii_goes_in_seven_bits():
    with listening(socketserver.TCPServer, Post) as post:
        mail = Mail("127.0.0.1", post.server_address[1], "Archiv <archive@plant>", ("Jörg <b@plant>",), "none")
        for _ in range(2):
            mail.send("Türen", "Station Hölle" + 1100 * "x", files=[("a.csv", "text/csv", "1,5 °".encode())])
        one, other = (message_from_string(got, policy=policy.default) for got in post.got)
    assert one["Message-ID"] != other["Message-ID"] and one["Subject"] == "Türen"
    assert one.get_body().get_content().startswith("Station Hölle")


DAY = "2026-11-20"  # of all results of the plant


def run(place, *words, code=0):
    return command("report", "--database", place, *words, code=code).output


def report_of(place, kind="week", day=DAY):
    with reading(place) as connection:
        return report.report(connection, report.span_of(kind, date.fromisoformat(day)), USUAL)


@pytest.mark.parametrize(
    ("kind", "today", "name", "first", "last"),
    [
        ("day", "2026-03-01", "2026-02-28", "2026-02-28", "2026-02-28"),
        ("week", "2026-11-23", "2026-W47", "2026-11-16", "2026-11-22"),
        ("week", "2026-11-22", "2026-W46", "2026-11-09", "2026-11-15"),
        ("week", "2027-01-05", "2026-W53", "2026-12-28", "2027-01-03"),
        ("month", "2024-03-31", "2024-02", "2024-02-01", "2024-02-29"),
    ],
)
def test_last_period_that_is_over_is_reported(kind, today, name, first, last):
    span = report.last_over(kind, date.fromisoformat(today))
    assert (span.name, str(span.first), str(span.last)) == (name, first, last)


def test_figures_are_those_of_the_pages(plant):
    content = report_of(plant)
    with browsing(plant) as browser:
        ends = {"from": "2026-11-16", "to": "2026-11-22T23:59", "json": ""}
        pareto = browser.get("/pareto", params=ends).json()
        assert (content["all"]["count"], content["all"]["of"]) == (pareto["nok"], 600) and 0 < pareto["nok"]
        assert {name: content["all"][name] for name in pareto["all"]} == pareto["all"]
        assert content["screws"] == pareto["screws"]
        assert [(one["what"], one["count"]) for one in content["causes"]] == [
            (bar["what"], bar["count"]) for bar in pareto["bars"]
        ]
        assert len(content["programs"]) == 6
        for one in content["programs"]:
            trend = browser.get(f"/trend/{one['station']}", params={**ends, "program": one["program"]}).json()["trend"]
            assert (one["of"], one["count"]) == (trend["count"], trend["nok"])
            for mine, theirs in zip(one["quantities"], trend["quantities"], strict=True):
                assert mine["all"] == theirs["all"]
                charts = theirs["charts"] or {"means": {"signals": []}, "deviations": {"signals": []}}
                assert (mine["signals"] or 0) == sum(len(charts[name]["signals"]) for name in ("means", "deviations"))


def test_results_of_the_next_period_are_not_in_it(plant):
    assert report_of(plant, "day", "2026-11-19")["all"]["of"] == 0
    day, month = report_of(plant, "day"), report_of(plant, "month", "2026-11-01")
    assert day["all"]["of"] == 600 and day["causes"]
    assert all(day[name] == month[name] for name in ("all", "screws", "causes", "days", "programs"))


def test_command_writes_a_page_and_a_sheet_and_again(plant, tmp_path):
    for _ in range(2):
        output = run(plant, "--of", DAY, "--into", str(tmp_path / "made" / "here"), "--csv-semicolon")
        assert "report-2026-W47.html, csv: 600 results" in output
    page, sheet = (tmp_path / "made/here" / f"report-2026-W47.{kind}" for kind in ("html", "csv"))
    assert sorted(path.name for path in page.parent.iterdir()) == [sheet.name, page.name]
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text and "http" not in text and "NOK by cause" in text
    rows = list(csv.DictReader(sheet.open(encoding="utf-8-sig"), delimiter=";"))
    assert len(rows) == 12 and {row["quantity"] for row in rows} == {"Torque", "Angle"}
    assert float(rows[0]["cpk"].replace(",", ".")) == report_of(plant)["programs"][0]["quantities"][0]["all"][0]["cpk"]


def test_names_of_stations_are_shown_and_not_carried_out(plant, tmp_path):
    [(name,)] = Served(plant).rows("SELECT Name FROM TNMapStation WHERE Station = 1")
    here = update(t.STATION).where(t.STATION.c.Station == 1)
    change(plant, here.values(Name="<script>=1+1\x1b"))
    try:
        run(plant, "--of", DAY, "--into", str(tmp_path))
    finally:
        change(plant, here.values(Name=name))
    text = (tmp_path / "report-2026-W47.html").read_text(encoding="utf-8")
    assert "<script" not in text and "&lt;script&gt;" in text and "\x1b" not in text


def test_archive_without_results_is_reported_as_such(tmp_path):
    run(empty(place_in(tmp_path)), "--period", "month", "--of", DAY, "--into", str(tmp_path))
    assert "There are no results" in (tmp_path / "report-2026-11.html").read_text(encoding="utf-8")


def test_report_goes_by_mail_with_both_files(plant, tmp_path):
    with listening(socketserver.TCPServer, Post) as post:
        to = ("--smtp", f"127.0.0.1:{post.server_address[1]}", "--smtp-tls", "none", "--mail-from", "a@plant")
        run(plant, "--of", DAY, "--into", str(tmp_path), *to, "--mail-to", "b@plant", "--mail-to", "c@plant")
        mail = message_from_string(post.got[0])
    assert mail["To"] == "b@plant, c@plant" and mail["Subject"].startswith("toolcart archive: 2026-W47, ")
    text, page, sheet = mail.get_payload()
    assert "OK at the first attempt" in text.get_payload()
    for part in (page, sheet):
        assert part.get_payload(decode=True) == (tmp_path / part.get_filename()).read_bytes()


def test_mail_that_fails_is_reported_and_the_files_stay(plant, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise smtplib.SMTPConnectError(421, "not now")

    monkeypatch.setattr(smtplib, "SMTP", refuse)
    to = ("--smtp", "127.0.0.1:2525", "--mail-from", "a@plant", "--mail-to", "b@plant")
    assert "127.0.0.1:2525: the report was not sent" in run(plant, "--of", DAY, "--into", str(tmp_path), *to, code=1)
    assert (tmp_path / "report-2026-W47.html").exists()


def test_who_of_several_does_not_get_the_mail_is_reported(plant, tmp_path, monkeypatch):
    monkeypatch.setattr(smtplib.SMTP, "send_message", lambda *_: {"c@plant": (550, b"no such user")})
    with listening(socketserver.TCPServer, Post) as post:
        where = f"127.0.0.1:{post.server_address[1]}"
        to = ("--smtp", where, "--smtp-tls", "none", "--mail-from", "a@plant", "--mail-to", "b@plant", "--mail-to")
        output = run(plant, "--of", DAY, "--into", str(tmp_path), *to, "c@plant", code=1).splitlines()
    assert output[1:] == [f"{where} does not take mail for c@plant: 550 no such user", "sent to the others"]


@pytest.mark.parametrize(
    "words", [("--rules", "9"), ("--period", "year"), ("--of", "yesterday"), ("--smtp", "mail:25")]
)
def test_wrong_options_are_refused_before_anything_is_read(plant, tmp_path, words):
    run(plant, "--into", str(tmp_path / "no"), *words, code=2)
    assert not (tmp_path / "no").exists()


def test_folder_that_cannot_be_written_is_reported(plant, tmp_path):
    (tmp_path / "file").write_text("")
    assert "file" in run(plant, "--of", DAY, "--into", str(tmp_path / "file" / "in"), code=1)


def test_a_full_disk_is_reported_and_nothing_half_written_is_left(plant, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("toolcart.archive.file_formats.export.write_csv", full)
    assert "No space left" in run(plant, "--of", DAY, "--into", str(tmp_path), code=1)
    assert list(tmp_path.iterdir()) == []

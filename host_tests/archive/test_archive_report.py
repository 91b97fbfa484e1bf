"""The report of a day, week or month: its figures are those of the pages; it is a file, and goes by mail."""

import csv
import smtplib
import socketserver
from datetime import date
from email import message_from_string

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update
from starlette.testclient import TestClient

from toolcart.archive import database, report
from toolcart.archive import tables as t
from toolcart.archive.spc import USUAL
from toolcart.archive.web.app import make
from toolcart.archive.web.reading import Reading
from toolcart.tools.cli.main import main
from host_tests.archive.test_archive_alerts import Post, listening
from host_tests.support.archive import place_in, reading

DAY = "2026-11-20"  # of all results of the plant


def run(place, *words, code=0):
    said = CliRunner().invoke(main, ["archive", "report", "--database", str(place), *words])
    assert said.exit_code == code, said.output
    return said.output


def told(place, kind="week", day=DAY):
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
    found = told(plant)
    with TestClient(make(Reading(plant)), base_url="http://127.0.0.1:8080") as browser:
        ends = {"from": "2026-11-16", "to": "2026-11-22T23:59", "json": ""}
        pareto = browser.get("/pareto", params=ends).json()
        assert (found["all"]["count"], found["all"]["of"]) == (pareto["nok"], 600) and 0 < pareto["nok"]
        assert {name: found["all"][name] for name in pareto["all"]} == pareto["all"]
        assert found["screws"] == pareto["screws"]
        assert [(one["what"], one["count"]) for one in found["causes"]] == [
            (bar["what"], bar["count"]) for bar in pareto["bars"]
        ]
        assert len(found["programs"]) == 6
        for one in found["programs"]:
            trend = browser.get(f"/trend/{one['station']}", params={**ends, "program": one["program"]}).json()["trend"]
            assert (one["of"], one["count"]) == (trend["count"], trend["nok"])
            for mine, theirs in zip(one["quantities"], trend["quantities"], strict=True):
                assert mine["all"] == theirs["all"]
                charts = (theirs["charts"] or {}).values()
                assert (mine["signals"] or 0) == sum(len(chart["signals"]) for chart in charts)


def test_results_of_the_next_period_are_not_in_it(plant):
    assert told(plant, "day", "2026-11-19")["all"]["of"] == 0
    day, month = told(plant, "day"), told(plant, "month", "2026-11-01")
    assert day["all"]["of"] == 600 and day["causes"]
    assert all(day[name] == month[name] for name in ("all", "screws", "causes", "days", "programs"))


def test_command_writes_a_page_and_a_sheet_and_again(plant, tmp_path):
    for _ in range(2):
        said = run(plant, "--of", DAY, "--into", str(tmp_path / "made" / "here"), "--csv-semicolon")
        assert "report-2026-W47.html, csv: 600 results" in said
    page, sheet = (tmp_path / "made/here" / f"report-2026-W47.{kind}" for kind in ("html", "csv"))
    assert sorted(path.name for path in page.parent.iterdir()) == [sheet.name, page.name]
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text and "http" not in text and "NOK by cause" in text
    rows = list(csv.DictReader(sheet.open(encoding="utf-8-sig"), delimiter=";"))
    assert len(rows) == 12 and {row["quantity"] for row in rows} == {"Torque", "Angle"}
    assert float(rows[0]["cpk"].replace(",", ".")) == told(plant)["programs"][0]["quantities"][0]["all"][0]["cpk"]


def test_names_of_stations_are_shown_and_not_carried_out(plant, tmp_path):
    with database.connect(plant, writes=True).begin() as connection:
        name = connection.execute(select(t.STATION.c.Name).where(t.STATION.c.Station == 1)).scalar()
        here = update(t.STATION).where(t.STATION.c.Station == 1)
        connection.execute(here.values(Name="<script>=1+1\x1b"))
    try:
        run(plant, "--of", DAY, "--into", str(tmp_path))
    finally:
        with database.connect(plant, writes=True).begin() as connection:
            connection.execute(here.values(Name=name))
    text = (tmp_path / "report-2026-W47.html").read_text(encoding="utf-8")
    assert "<script" not in text and "&lt;script&gt;" in text and "\x1b" not in text


def test_archive_without_results_is_reported_as_such(tmp_path):
    with database.writing(str(place_in(tmp_path))):
        pass
    run(place_in(tmp_path), "--period", "month", "--of", DAY, "--into", str(tmp_path))
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


def test_mail_that_fails_is_said_and_the_files_stay(plant, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise smtplib.SMTPConnectError(421, "not now")

    monkeypatch.setattr(smtplib, "SMTP", refuse)
    to = ("--smtp", "127.0.0.1:2525", "--mail-from", "a@plant", "--mail-to", "b@plant")
    assert "127.0.0.1:2525: the report was not sent" in run(plant, "--of", DAY, "--into", str(tmp_path), *to, code=1)
    assert (tmp_path / "report-2026-W47.html").exists()


@pytest.mark.parametrize(
    "words", [("--rules", "9"), ("--period", "year"), ("--of", "yesterday"), ("--smtp", "mail:25")]
)
def test_wrong_options_are_refused_before_anything_is_read(plant, tmp_path, words):
    run(plant, "--into", str(tmp_path / "no"), *words, code=2)
    assert not (tmp_path / "no").exists()


def test_folder_that_cannot_be_written_is_said(plant, tmp_path):
    (tmp_path / "file").write_text("")
    assert "file" in run(plant, "--of", DAY, "--into", str(tmp_path / "file" / "in"), code=1)

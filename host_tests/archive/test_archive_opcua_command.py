"""`toolcart archive opcua`: what it refuses to begin with; the certificate that it makes; ResultIds and filters."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from asyncua import ua
from click.testing import CliRunner
from cryptography import x509

from host_tests.support.archive import Served, place_in
from tools.archive.opcua import filters, limits, results
from tools.archive.opcua.certificate import make
from tools.archive.opcua_commands import opcua
from tools.base import niceness


def said(*words):
    done = CliRunner().invoke(opcua, ["--seconds", "0.1", *words])
    assert done.exit_code == 2, done.output
    return done.output


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with Served(place_in(tmp_path_factory.mktemp("empty"))) as archive:
        yield archive.place


@pytest.mark.parametrize(
    "words, text",
    [
        (["--bind", "0.0.0.0:4840"], "can be reached from other machines"),
        (["--bind", "nowhere"], "HOST:PORT"),
        (["--metrics", "nowhere"], "HOST:PORT"),
        (["--users-file", "users"], "needs --certificate and --key"),
        (["--trusted", "here"], "needs --certificate and --key"),
        (["--certificate", "only"], "both or none"),
        (["--zone", "Atlantis/North"], "there is no such zone"),
        (["--self-signed"], "needs --certificate and --key"),
        (["--database", "/nowhere/archive.sqlite"], "there is no such archive"),
    ],
)
def test_what_cannot_be_is_said_before_anything_begins(tmp_path, words, text):
    assert text in said("--state", str(tmp_path / "state.sqlite"), *words)


def test_it_stands_back_behind_what_takes_results(tmp_path, monkeypatch):
    stood = []
    monkeypatch.setattr(os, "nice", stood.append)
    monkeypatch.delenv(niceness.VARIABLE)
    said("--state", str(tmp_path / "state.sqlite"), "--database", "/nowhere/archive.sqlite")
    assert stood == [limits.BEHIND_RESULTS] and stood[0] > 0


def test_a_key_that_others_may_read_is_refused(tmp_path, place):
    files = str(tmp_path / "server.pem"), str(tmp_path / "server.key")
    make(*files, "127.0.0.1")
    (tmp_path / "server.key").chmod(0o644)
    words = ["--database", place, "--state", str(tmp_path / "s"), "--certificate", files[0], "--key", files[1]]
    assert "chmod 600" in said(*words)


def test_a_certificate_is_made_once_with_the_names_that_opc_ua_wants(tmp_path):
    files = str(tmp_path / "server.pem"), str(tmp_path / "server.key")
    assert make(*files, "10.0.0.5") and not make(*files, "10.0.0.5")
    made = x509.load_pem_x509_certificate((tmp_path / "server.pem").read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier)[0].endswith(":toolcart:archive")
    assert "10.0.0.5" in [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    assert (tmp_path / "server.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "server.key").unlink()
    with pytest.raises(OSError):
        make(*files, "10.0.0.5")


# -- ResultIds and times -------------------------------------------------------------------------------------------


def test_a_result_id_names_a_row_and_nothing_else_is_one():
    row = {"SystemType": 3, "System": 1, "Station": 10, "Sequence": 17, "Time": "20240314092653", "Spindle": 2}
    assert results.id_of(row) == "3/1/10/20240314092653/17/2"
    assert results.key_of(results.id_of(row)) == (3, 1, 10, 17, "20240314092653", 2)
    for text in (None, "", "3/1/10", "3/1/10/2024/17/2", " 3/1/10/20240314092653/17/2", "3/1/10/20240314092653/17/2\n"):
        assert results.key_of(text) is None


def test_a_stations_clock_is_read_in_its_zone_and_what_is_no_time_is_1970():
    berlin = ZoneInfo("Europe/Berlin")
    assert results.moment("20240714092653", berlin) == datetime(2024, 7, 14, 7, 26, 53, tzinfo=UTC)
    assert results.digits_of(datetime(2024, 1, 14, 8, 0, 0, tzinfo=UTC), berlin) == "20240114090000"
    assert results.digits_of(datetime(2024, 1, 14, 8, 0, 0), berlin) == "20240114090000"
    for digits in ("", "00000000000000", "20241314092653", "2024031409265x"):
        assert results.moment(digits, berlin) == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_unit_that_is_known_has_its_code_and_another_its_name():
    assert results.unit("Nm").UnitId == 20053 and results.unit("deg").UnitId == 17476  # NU, DD
    odd = results.unit(" furlong ")
    assert (odd.UnitId, odd.DisplayName.Text, odd.NamespaceUri) == (-1, "furlong", "")


# -- filters -------------------------------------------------------------------------------------------------------


def element(operator, *operands):
    return ua.ContentFilterElement(FilterOperator=operator, FilterOperands=list(operands))


def field(name):
    return ua.SimpleAttributeOperand(BrowsePath=[ua.QualifiedName(name, 0)], AttributeId=ua.AttributeIds.Value)


def value(told):
    return ua.LiteralOperand(Value=ua.Variant(told))


def text_of(*elements):
    wanted = filters.condition(ua.ContentFilter(Elements=list(elements)), ZoneInfo("UTC"))
    return str(wanted.compile(compile_kwargs={"literal_binds": True}))


def test_a_filter_becomes_a_condition_of_the_database():
    operator = ua.FilterOperator
    both = [
        element(operator.And, ua.ElementOperand(Index=1), ua.ElementOperand(Index=2)),
        element(operator.GreaterThan, field("SequenceNumber"), value(17)),
        element(operator.Not, ua.ElementOperand(Index=3)),
        element(operator.InList, field("PartId"), value("A"), value("B'; DROP")),
    ]
    text = text_of(*both)
    assert '"Sequence" > 17' in text and "NOT" in text and "B''; DROP" in text
    assert text_of(element(operator.Equals, field("ResultEvaluation"), value(2))).endswith("= 1")
    assert filters.condition(None, None) is not None


@pytest.mark.parametrize(
    "elements",
    [
        [element(ua.FilterOperator.Equals, field("OperationMode"), value(1))],
        [element(ua.FilterOperator.Equals, field("SequenceNumber"), value("x"))],
        [element(ua.FilterOperator.Equals, field("ResultId"), value("x"))],
        [element(ua.FilterOperator.Like, field("PartId"), value("A%"))],
        [element(ua.FilterOperator.Equals, field("PartId"))],
        [element(ua.FilterOperator.Equals, value(1), value(1))],
        [element(ua.FilterOperator.Not, ua.ElementOperand(Index=0))],
        [element(ua.FilterOperator.Not, ua.ElementOperand(Index=7))],
        [element(ua.FilterOperator.Equals, field("SequenceNumber"), value(1))] * (filters.ELEMENTS_MOST + 1),
    ],
)
def test_a_filter_that_cannot_be_answered_is_refused(elements):
    with pytest.raises(filters.Refused):
        text_of(*elements)


def test_an_event_filter_by_type_means_its_subtypes_and_only_a_type_is_one():
    kind = ua.NodeId(1, 7)
    where = ua.ContentFilter(Elements=[element(ua.FilterOperator.OfType, value(kind))])
    filters.with_subtypes(where, lambda each: [each, ua.NodeId(2, 7)])
    [made] = where.Elements
    assert made.FilterOperator == ua.FilterOperator.InList and len(made.FilterOperands) == 3
    odd = ua.ContentFilter(Elements=[element(ua.FilterOperator.OfType, value("x"))])
    with pytest.raises(filters.Refused):
        filters.with_subtypes(odd, lambda each: [each])


def test_a_role_allows_what_is_below_it():
    from tools.archive.opcua.access import may

    anna = SimpleNamespace(name="export")
    assert may(anna, "view") and may(anna, "export")
    assert not may(SimpleNamespace(name="view"), "export") and not may(None, "view")
    assert not may(SimpleNamespace(name="Admin"), "view")

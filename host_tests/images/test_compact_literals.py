"""tools/compact/literals.py: octets and tuples stand where they are used, and nothing else has changed."""

from host_tests.images.test_compact import run
from tools.compact.literals import MOST, literals_in_place

USER = "from agent.app import go\ndef f():\n    return go()\n"


def in_place(text, **more):
    return literals_in_place({"agent.app": text, **{f"agent.{name}": source for name, source in more.items()}})


def test_octets_and_tuples_that_a_module_names_for_itself_stand_where_they_are_used():
    text = (
        "_ROW = b'abc'\n_TELL = bytes((0,) * 3)\nROWS = (_ROW, (1, None, 'x'), _TELL + b'!')\n"
        "def go():\n    return _ROW + _ROW, ROWS[2], [one for one in ROWS]\n"
    )
    app = in_place(text)["agent.app"]
    assert not any(name in app for name in ("_ROW", "_TELL", "ROWS"))
    user, _ = run({"agent": "", "agent.app": text, "user": USER}, "user")
    assert user.f() == (b"abcabc", b"\0\0\0!", [b"abc", (1, None, "x"), b"\0\0\0!"])


def test_a_local_of_the_same_name_is_another():
    text = (
        "_ROW = b'abc'\n"
        "def go():\n    _ROW = b'own'\n    return _ROW, other(), [_ROW for _ROW in (1, 2)]\n"
        "def other(_ROW=_ROW):\n    return _ROW\n"
    )
    assert "_ROW = b'abc'" not in in_place(text)["agent.app"]
    user, _ = run({"agent": "", "agent.app": text, "user": USER}, "user")
    assert user.f() == (b"own", b"abc", [1, 2])


def test_what_somebody_else_asks_for_keeps_its_name():
    text = (
        "TAKEN = b'1'\nASKED = b'2'\nBY_TEXT = b'3'\nOWN = b'4'\ndef go():\n    return (TAKEN, ASKED, BY_TEXT, OWN)\n"
    )
    other = "from agent.app import TAKEN\nimport agent.app as app\nfound = (app.ASKED, getattr(app, 'BY_TEXT'))\n"
    app = in_place(text, other=other)["agent.app"]
    assert "TAKEN = b'1'" in app and "ASKED = b'2'" in app and "BY_TEXT = b'3'" in app and "OWN" not in app
    assert "OWN = b'4'" in literals_in_place({"agent.app": text}, frozenset(("OWN",)))["agent.app"]


def test_what_is_compared_by_is_stays_one_object():
    text = "ROW = (1, b'x')\nOTHER = (2, b'x')\ndef go(row=ROW):\n    return row is ROW, row is not OTHER\n"
    assert in_place(text)["agent.app"] == text
    user, _ = run({"agent": "", "agent.app": text, "user": USER}, "user")
    assert user.f() == (True, True)


def test_what_changes_is_bound_twice_or_would_be_long_stays():
    text = (
        f"_LIST = [1]\n_DICT = {{1: 2}}\n_BUFFER = bytearray(3)\n_HOLDS = (1, _LIST)\n_LONG = b'-' * {MOST + 1}\n"
        "_CALLED = len(b'123')\n_TWICE = b'1'\n_TWICE = b'2'\n"
    )
    kept = in_place(text)["agent.app"]
    assert [line.split(" =")[0] for line in kept.splitlines()] == [line.split(" =")[0] for line in text.splitlines()]
    assert "_TEN" not in in_place("_TEN = b'-' * 10\ndef go():\n    return _TEN\n")["agent.app"]


def test_what_is_no_part_of_the_agent_and_machine_code_are_left_alone():
    text = "_ROW = b'abc'\ndef go():\n    return _ROW\n"
    sources = {"board.main": text, "agent.base.fast": text}
    assert literals_in_place(sources) == sources

"""What MID 0002 says is known only where its parameter IDs show where it is: no field is read from another's octets."""

import random

import pytest

from toolcart.agent.openprotocol.controller_identity import (
    IDENTITY_BYTES,
    REPEATS_NOTHING,
    SEVERAL_SPINDLES,
    SHARED_SYSTEM,
    read_identity,
)
from toolcart.sim import controller_frames
from toolcart.sim.controller_frames import STARTED, field, header
from toolcart.sim.controller_model import Identity
from host_tests.portable import LONG
from host_tests.support.world import Cart

PLACES = {
    "cell": slice(0, 4),
    "channel": slice(4, 6),
    "controller_name": slice(6, 31),
    "controller_serial": slice(31, 41),
    "station_number": slice(41, 51),
    "system_type": slice(51, 54),
    "sequence_numbers": slice(54, 55),
}
TEXTS = (
    "controller_name",
    "supplier",
    "protocol_version",
    "software_version",
    "tool_version",
    "rbu_type",
    "controller_serial",
    "station_name",
)
OTHER = (-8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8)  # octets that a text is too short or too long
LIVES = 40 if LONG else 6
GIVEN = {"cell": 17, "channel": 3, "system_type": 1, "sequence_numbers": 1, "station_number": 4711}
CASES = [(revision, early) for revision in range(1, 8) for early in (False, True) if revision >= 6 or not early]


def frame_of(revision, early=False, **texts):
    """Return a MID 0002 whose texts are these octets, however many."""
    source = Identity(GIVEN)
    data = b""
    for number, width, name in STARTED[revision][: 13 if early else None]:
        data += b"%02d" % number + (texts[name] if name in texts else field(getattr(source, name), width))
    return header(2, revision, len(data)) + data


def read(frame):
    identity = bytearray(IDENTITY_BYTES)
    read_identity(identity, frame, 0, len(frame))
    return {name: bytes(identity[place]).rstrip(b" ") for name, place in PLACES.items()}


def wrong_of(frame, revision, early=False, **texts):
    """Return what is read and is neither right nor unknown."""
    names = {name: width for _, width, name in STARTED[revision][: 13 if early else None]}
    source = Identity(GIVEN)
    wrong = {}
    for name, value in read(frame).items():
        right = b""
        if name in names:
            right = texts[name] if name in texts else field(getattr(source, name), names[name])
        is_begin = name == "controller_name" and right.startswith(value)  # no more than a text that is shown
        if value and value != right.rstrip(b" ") and not is_begin:
            wrong[name] = value
    return wrong


def contents(name, width, number, rng):
    """Yield texts that fit, and such as hold digits that look like the IDs of what follows."""
    yield b"Cell 4"[: width - 1]
    yield b"7"
    for _ in range(LIVES):
        yield bytes(rng.choice(b"0001234 ") for _ in range(rng.randint(1, width + 8)))
        ids = [b"%02d" % rng.choice((number + 1, number + 2, 10, 12, 14)) for _ in range(width)]
        yield b"".join(ids + [b"%d" % rng.randint(0, 99999)])[rng.randint(0, width) :][: width + rng.randint(0, 8)]
        yield b"".join(b"%02d%s" % (one, b"0" * rng.randint(1, 4)) for one in range(number + 1, number + 9))


@pytest.mark.parametrize("revision, early", CASES)
def test_every_field_of_a_message_whose_text_is_too_long_or_too_short_is_right_or_unknown(revision, early):
    rng = random.Random(revision)
    for number, width, name in STARTED[revision][: 13 if early else None]:
        if name not in TEXTS:
            continue
        for octets in OTHER:
            for content in contents(name, width, number, rng):
                text = content[: width + octets].ljust(width + octets)
                if not text:
                    continue
                frame = frame_of(revision, early, **{name: text})
                assert not wrong_of(frame, revision, early, **{name: text}), frame


@pytest.mark.parametrize("revision, early", CASES)
def test_a_name_that_is_padded_by_characters_hides_nothing_behind_it(revision, early):
    for coding in ("utf-8", "gbk"):
        for name in ("L\u00e4nge", "\u62e7\u7d27\u673a", "\u62e7\u7d27\u673a \u0430\u0431"):
            for field_name in ("controller_name", "station_name"):
                text = name.ljust(25).encode(coding, "replace")
                frame = frame_of(revision, early, **{field_name: text})
                found = read(frame)
                for one in PLACES:
                    if one in [of for _, _, of in STARTED[revision][: 13 if early else None]]:
                        assert found[one], (one, frame)
                assert not wrong_of(frame, revision, early, **{field_name: text}), frame


def test_a_message_that_ends_early_lacks_what_it_ends_in_front_of():
    whole = frame_of(7)
    known = read(whole)
    for length in range(20, len(whole)):
        for name, value in read(whole[:length]).items():
            assert value in (b"", known[name]), (length, name)


def test_what_the_revision_does_not_have_is_not_known():
    whole = frame_of(7)
    for revision in range(1, 6):
        found = read(whole[:8] + b"%03d" % revision + whole[11:])
        assert found["cell"] == b"0017" and found["controller_name"] and not found["station_number"]
        assert bool(found["controller_serial"]) == (revision >= 4) and bool(found["system_type"]) == (revision == 5)


def test_a_wrong_id_is_not_passed_over():
    whole = frame_of(6)
    for at in (163, 173):  # of the system type, of the sequence numbers
        assert read(whole)["system_type"] == b"001" and whole[at : at + 2] in (b"10", b"12")
        found = read(whole[:at] + b"99" + whole[at + 2 :])
        assert not found["station_number"] and not found["system_type"] and found["cell"] == b"0017"


# What becomes of it


def name_it(monkeypatch, name):
    """The controller writes its name so, padded by characters; return the list whose first item it is."""
    named = [name]
    written = controller_frames.start_data

    def data(identity, revision, before_2_7=False, pad=b" "):
        octets = bytes(written(identity, revision, before_2_7, pad))
        return octets[:12] + named[0].ljust(25).encode() + octets[37:]

    monkeypatch.setattr(controller_frames, "start_data", data)
    return named


@pytest.mark.parametrize("starts", ((6,), (4,), (1, 2, 3, 4, 5, 6)))
@pytest.mark.parametrize("number", (SEVERAL_SPINDLES, SHARED_SYSTEM, REPEATS_NOTHING))
def test_no_digits_of_the_serial_number_are_a_system_type(number, starts, monkeypatch):
    name_it(monkeypatch, "\u62e7\u7d27\u673a")
    identity = {"controller_serial": "SER000%03d5" % number}
    cart = Cart(controller={"identity": identity, "start_revisions": starts}, blocks=48)
    cart.until_ready(5000)
    assert cart.station.session.system_type == (0 if starts == (4,) else 1)
    cart.produce(3, 1300)
    cart.settle()
    assert sorted(cart.stored_ids()) == sorted(cart.controller.produced)


def shared_cart(**settings):
    options = {"start_revisions": (6,), "recover_revisions": (7,), "answers_below": True, "elsewhere": 2}
    return Cart(controller={"identity": {"system_type": 1}, **options}, blocks=48, **settings)


def test_results_that_name_the_station_of_a_controller_with_a_longer_name_are_fetched(monkeypatch):
    name_it(monkeypatch, "L\u00e4nge")
    cart = shared_cart()
    cart.until_ready(5000)
    for _ in range(2):
        cart.produce(3, 1300)
        cart.settle()
        cart.miss(4, 1300)
        cart.settle()
    assert sorted(cart.stored_ids()) == sorted(cart.controller.produced)


def test_what_was_not_fetched_since_the_station_was_not_known_is_fetched_when_it_is(monkeypatch):
    named = name_it(monkeypatch, "Cell 4")
    cart = shared_cart()
    cart.until_ready(5000)
    cart.produce(3, 1300)
    cart.settle()
    named[0] = "04ACT05" * 4 + "0" * 5  # too long, and the fields behind it are not found
    cart.cut()
    cart.until_ready(5000)
    cart.miss(4, 1300)
    cart.run(120000)
    named[0] = "Cell 4"
    cart.cut()
    cart.until_ready(5000)
    cart.settle()
    assert sorted(cart.stored_ids()) == sorted(cart.controller.produced)

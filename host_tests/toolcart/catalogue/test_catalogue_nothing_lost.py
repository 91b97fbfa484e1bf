"""Nothing of a message is lost without a word: separators, half a list, a good frame before a bad octet; and the
order of what is decoded changes nothing.
"""

from toolcart import catalogue
from toolcart.catalogue import FrameError, Frames, Odd
from host_tests.portable import error_of

PORTABLE = True
HEAP = "6m"

ENTRY = {"channel_id": 1, "type_id": 2, "auto_next": 1, "batch_size": 22}
DYNAMIC = {"channel_id": 1, "program_id": 2, "auto_select": 1, "batch_size": 22, "max_coherent_nok": 3}


def jobs():
    """Return a frame of each list with separators, two entries each, and the name of its list."""
    named = dict(ENTRY, step_name="name")
    for mid, revision, entry in ((33, 1, ENTRY), (33, 2, ENTRY), (33, 3, named), (33, 4, named), (33, 5, named)):
        yield catalogue.encode(mid, revision, job_list=[entry, entry])
    for revision in (1, 2, 3, 4, 999):
        yield catalogue.encode(140, revision, check=False, job_list=[DYNAMIC, DYNAMIC])


def test_another_separator_loses_nothing_and_is_reported():
    for frame in jobs():
        start = frame.index(b"001:") if b"001:" in frame else frame.index(b"01:002")
        for at in range(start, len(frame)):
            if frame[at : at + 1] in (b":", b";"):
                for wrong in (b";", b":", b" ", b"x"):
                    if wrong == frame[at : at + 1]:
                        continue
                    message = catalogue.decode(frame[:at] + wrong + frame[at + 1 :])
                    odd = message.odd()
                    assert len(odd) == 1 and message.rest() == b"", (frame, at, odd)
                    assert all(name.startswith("job_list") and odd[name].why for name in odd), odd
                    form = message.form
                    again = catalogue.encode(form.mid, form.revision, check=False, **message.fields())
                    assert again == message.frame


def test_entries_before_a_wrong_separator_keep_their_values():
    frame = catalogue.encode(33, 1, job_list=[ENTRY, ENTRY])
    spoiled = frame[:-4] + b";22;"
    message = catalogue.decode(spoiled)
    first, second = message["job_list"]
    assert first == ENTRY
    assert second["channel_id"] == 1 and second["type_id"] == 2 and second["auto_next"].raw == b"1;22;"
    assert list(message.odd()) == ["job_list[1].auto_next"]


def test_half_an_entry_is_reported_but_for_its_last_separator():
    for frame in jobs():
        message = catalogue.decode(b"%04d" % (len(frame) - 1) + frame[4:-1])
        if message.mid == 33:  # the list ends the message: nothing is missing but the last separator
            assert message.odd() == {} and message["job_list"] == catalogue.decode(frame)["job_list"]
        cut = frame[: frame.rindex(b";")][:-5]
        message = catalogue.decode(b"%04d" % len(cut) + cut[4:])
        assert message.odd(), cut
    cut = catalogue.encode(33, 1, job_list=[ENTRY])[:-3]
    message = catalogue.decode(b"%04d" % len(cut) + cut[4:])
    assert isinstance(message["job_list"][0]["batch_size"], Odd)
    assert catalogue.encode(33, 1, check=False, **message.fields()) == message.frame


def test_decoding_does_not_depend_on_what_came_before():
    for octets in (b"+020", b"0_20", b" 020", b"?020", b"020 ", b"-020"):
        frame = octets + b"0062            "
        before = error_of(lambda frame=frame: catalogue.decode(frame), FrameError)
        catalogue.decode(b"00200062            ")
        assert error_of(lambda frame=frame: catalogue.decode(frame), FrameError) == before, octets


def test_frames_before_a_bad_octet_are_not_lost():
    good = b"00200062            "
    for bad in (b"ABCD", b"00190061001         ", b"00X0"):
        frames = Frames()
        assert frames.feed(good * 3 + bad) == [good] * 3
        for _ in range(2):  # and no later call forgets it
            assert bad[:4].decode() in error_of(lambda frames=frames: frames.feed(good), FrameError)


def test_a_negative_number_has_no_bits():
    message = catalogue.decode(catalogue.encode(101, 4, torque_min=-5))
    assert message["torque_min"] == -5 and message.bits("torque_min") == []

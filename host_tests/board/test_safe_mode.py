"""The start of a chip: a new version has three tries, five failed starts are safe mode, a cut leaves a way back."""

import os
import sys

from toolcart.board import safe_mode
from toolcart.board.safe_mode import FALLEN_BACK, NONE, PROVEN, SAFE, State
from host_tests.portable import need_files

PORTABLE = True


def remove_tree(path):
    for name in os.listdir(path):
        whole = path + "/" + name
        if os.stat(whole)[0] & 0x4000:
            remove_tree(whole)
        else:
            os.remove(whole)
    os.rmdir(path)


def own_name(word):
    """A name in the present folder that no other test process uses."""
    return word + str(os.getpid()) if hasattr(os, "getpid") else word


class Place:
    """A file system's root in a folder of its own, with these versions, and this line if one is given."""

    def __init__(self, *folders, **line):
        need_files()
        self.root = own_name("safe_mode_test")
        if self.root in os.listdir("."):
            remove_tree(self.root)
        os.mkdir(self.root)
        for folder in folders:
            os.mkdir(self.root + "/" + folder)
            with open(self.root + "/" + folder + "/version.json", "w") as file:
                file.write("{}")
        if line:
            safe_mode.write(State(**line), self.root)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        remove_tree(self.root)

    def line(self):
        return safe_mode.read(self.root).text().strip()


class Runs:
    """What a start would run; it ends as `end` says."""

    def __init__(self, end=None):
        self.paths = []
        self.modes = []
        self.resets = 0
        self.waited_s = 0
        self.end = end

    def __call__(self, path, mode, confirmation):
        self.paths.append(path)
        self.modes.append(mode)
        if self.end == "healthy":
            confirmation.healthy()
            raise KeyboardInterrupt
        if self.end is not None:
            raise self.end

    def wait(self, seconds):
        self.waited_s += seconds

    def reset(self):
        self.resets += 1

    def start(self, place):
        safe_mode.start(place.root, self, self.wait, self.reset)


def test_lines_that_are_none_are_distinguished_from_those_that_are():
    for text in ("", "a", "a b 3 0", "a b x 0 -", "c - 0 0 -", "a b 3 0 - -", "a b -1 0 -"):
        assert safe_mode.parsed(text) is None


def test_a_first_version_that_fails_is_safe_mode_with_nothing_to_start():
    state = State(NONE, "a", 0)
    assert safe_mode.choose(state) == (NONE, SAFE)


def test_the_count_is_durable_before_the_version_runs():
    with Place("a", "b", confirmed="a", trial="b", tries=3) as place:
        seen = []

        def run(path, mode, confirmation):
            seen.append(place.line())
            raise RuntimeError("it cannot")

        safe_mode.start(place.root, run, Runs().wait, Runs().reset)
        assert seen == ["a b 2 0 -"]


def test_a_version_that_becomes_healthy_is_confirmed():
    with Place("a", "b", confirmed="a", trial="b", tries=3) as place:
        Runs("healthy").start(place)
        assert place.line() == "b - 0 0 -"


def test_a_version_that_raises_before_it_is_healthy_has_failed():
    with Place("a", confirmed="a") as place:
        modes, lines = [], []

        def run(path, mode, confirmation):
            modes.append(mode)
            confirmation.came_up()
            lines.append(place.line())
            raise RuntimeError("it cannot")

        for _ in range(safe_mode.FAILURES_MAX + 1):
            safe_mode.start(place.root, run, Runs().wait, Runs().reset)
        assert modes[-2:] == [PROVEN, SAFE]
        assert set(lines) == {"a - 0 0 -"}, "a power cut after it came up is no failed start"

        def later(path, mode, confirmation):
            confirmation.came_up()
            confirmation.healthy()
            raise RuntimeError("it cannot any more")

        safe_mode.start(place.root, later, Runs().wait, Runs().reset)
        assert place.line() == "a - 0 0 -"


def test_a_start_that_a_person_ends_counts_for_nothing():
    with Place("a", "b", confirmed="a", trial="b", tries=3) as place:
        runs = Runs(KeyboardInterrupt())
        runs.start(place)
        assert place.line() == "a b 3 0 -"
        assert runs.resets == 0


def test_failures_are_forgotten_by_a_healthy_start_that_a_person_ends_later():
    for failures in (3, safe_mode.FAILURES_MAX):
        with Place("a", confirmed="a", failures=failures) as place:
            Runs("healthy").start(place)
            assert place.line() == "a - 0 0 -"


def test_a_confirmed_version_that_fails_falls_back_to_the_other_once():
    with Place("a", "b", confirmed="b") as place:
        runs = Runs(RuntimeError("it cannot"))
        for _ in range(2 * safe_mode.FAILURES_MAX + 1):
            runs.start(place)
        b, a = safe_mode.FAILURES_MAX, safe_mode.FAILURES_MAX
        assert [path[-1] for path in runs.paths] == ["b"] * b + ["a"] * (a + 1)
        assert runs.modes == [PROVEN] * b + [FALLEN_BACK] + [PROVEN] * (a - 1) + [SAFE]
        assert place.line() == "a - 0 5 b"


def test_a_fallback_is_told_with_what_the_version_before_raised():
    with Place("a", "b", confirmed="b") as place:
        for _ in range(safe_mode.FAILURES_MAX):
            Runs(RuntimeError("it cannot")).start(place)
        Runs("healthy").start(place)
        assert place.line() == "a - 0 0 b"
        with open(place.root + safe_mode.FAULT_FILE) as file:
            told = file.read()
        assert told.startswith("/b failed 5 starts in a row: /a runs in its place") and "it cannot" in told


def test_there_is_no_fallback_to_a_version_that_was_rejected_or_is_not_whole():
    for folders, rejected in ((("a", "b"), "a"), (("b",), NONE)):
        with Place(*folders, confirmed="b", failures=safe_mode.FAILURES_MAX, rejected=rejected) as place:
            runs = Runs("healthy")
            runs.start(place)
            assert runs.modes == [SAFE] and runs.paths[0].endswith("/b")


def test_safe_mode_waits_and_then_tries_once_more():
    with Place("a", confirmed="a", failures=safe_mode.FAILURES_MAX) as place:
        runs = Runs(RuntimeError("still"))
        runs.start(place)
        assert safe_mode.SAFE_WAIT_S <= runs.waited_s <= safe_mode.SAFE_WAIT_S + safe_mode.RESET_WAIT_S
        assert len(runs.paths) == 1 and runs.modes == [SAFE]


def test_safe_mode_without_any_version_leaves_the_repl():
    with Place() as place:
        runs = Runs()
        runs.start(place)
        assert runs.paths == [] and runs.resets == 0


def test_key_in_safe_mode_leaves_the_repl():
    with Place("a", confirmed="a", failures=safe_mode.FAILURES_MAX) as place:
        runs = Runs()

        def wait(seconds):
            raise KeyboardInterrupt

        safe_mode.start(place.root, runs, wait, runs.reset)
        assert runs.paths == []


def test_a_missing_line_is_guessed_from_the_folders_that_are_whole():
    with Place("b") as place:
        assert place.line() == "- b 3 0 -"
    with Place("a", "b") as place:
        assert place.line() == "b a 3 0 -"
    with Place() as place:
        assert place.line() == "- - 0 0 -"


def test_a_cut_between_write_and_rename_leaves_the_old_line():
    with Place("a", confirmed="a") as place:
        with open(place.root + safe_mode.NEW_STATE_FILE, "w") as file:
            file.write("b - 0")
        assert place.line() == "a - 0 0 -"


class Unwritable:
    """A place whose state file cannot be written: a folder lies where its new line would go."""

    def __init__(self, place):
        self.path = place.root + safe_mode.NEW_STATE_FILE

    def __enter__(self):
        os.mkdir(self.path)

    def __exit__(self, *_):
        os.rmdir(self.path)


def test_what_cannot_be_counted_is_not_tried():
    with Place("a", "b", confirmed="a", trial="b", tries=3) as place:
        runs = Runs("healthy")
        with Unwritable(place):
            runs.start(place)
        assert runs.modes == [PROVEN] and runs.paths == [place.root + "/a"]
        assert place.line() == "a b 3 0 -"


def test_a_state_file_that_cannot_be_written_is_reported_and_kept():
    with Place("a", confirmed="a") as place:
        with Unwritable(place):
            Runs("healthy").start(place)
        with open(place.root + safe_mode.FAULT_FILE) as file:
            assert "cannot write /toolcart.state" in file.read()


def test_what_safe_mode_may_not_import_is_the_same_there():
    from toolcart.agent.cart import led
    from toolcart.board import console

    assert safe_mode.SAFE_MODE_BLINKS == led.SAFE_MODE
    assert safe_mode.VERSION_FILE == console.VERSION_FILE


def test_start_imports_nothing_of_the_version_before_it_has_chosen():
    with Place("a", confirmed="a") as place:
        before = len(sys.path)
        Runs(KeyboardInterrupt()).start(place)
        assert len(sys.path) == before

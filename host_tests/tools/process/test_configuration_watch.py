"""What a running agent says of its configuration while something beside the file is wrong, and after the cure."""

import json
import os

import pytest

from toolcart.tools.config import files
from toolcart.tools.live.figures import Figures
from toolcart.tools.messages import commands
from toolcart.tools.process.configuration_watch import CHECKED_EACH, ConfigurationWatch
from host_tests.support.running import cart_of, station_at, written


@pytest.fixture
def cart(tmp_path):
    return written(tmp_path, cart_of(stations=[station_at(7)]))


def with_password(tmp_path, mode):
    """A configuration that names a secret, and the secret."""
    secret = tmp_path / "tok"
    secret.write_text("secret\n")
    os.chmod(secret, mode)
    outlet = {"kind": "webhook", "url": "http://127.0.0.1:9/x", "token": {"file": "tok"}}
    written(tmp_path, cart_of(stations=[station_at(7) | {"outlets": [{"kind": "toolsnet"}, outlet]}]))
    return secret


@pytest.mark.parametrize("is_ordered", [True, False])
def test_what_is_cured_beside_the_file_is_no_mistake_any_more(tmp_path, cart, is_ordered):
    watch = ConfigurationWatch(str(cart), files.Files(cart))
    secret = with_password(tmp_path, 0o644)
    if is_ordered:
        watch.note_refused_reload(watch.problems())
    for _ in range(2):
        report = watch.check_and_report()
        assert "with mode 0644" in report["wrong"] and report["refused"] == is_ordered
    os.chmod(secret, 0o600)
    report = watch.check_and_report()
    assert report["changed"] == [str(cart)] and not report["wrong"] and not report["refused"]
    assert report["refusals"] == int(is_ordered)
    os.chmod(secret, 0o644)  # and it goes again while the file waits to be read
    report = [watch.check_and_report() for _ in range(CHECKED_EACH)][-1]
    assert not report["refused"] and "with mode 0644" in report["wrong"]


def test_what_an_agent_says_of_its_file_can_be_typed_in_any_folder(tmp_path, cart, monkeypatch):
    monkeypatch.chdir(tmp_path)
    watch = ConfigurationWatch(cart.name, files.Files(cart.name))
    cart.write_text("{")
    report = watch.check_and_report()
    assert report["wrong"] and commands.check_configuration(report) == f"toolcart config check --reload {cart}"


def test_what_is_changed_while_it_is_read_again_is_no_news_of_the_agent_that_ends(tmp_path, cart):
    watch = ConfigurationWatch(str(cart), files.Files(cart))
    assert not watch.check_and_report()["changed"]
    watch.stop()
    cart.write_text(cart.read_text() + " ")
    assert not watch.check_and_report()["changed"] and not watch.check_and_report()["wrong"]


def test_a_secret_of_the_running_configuration_that_is_cured_leaves_nothing_to_say(tmp_path, cart):
    secret = with_password(tmp_path, 0o600)
    watch = ConfigurationWatch(str(cart), files.Files(cart))
    os.chmod(secret, 0o644)
    watch.note_refused_reload(watch.problems())
    assert watch.check_and_report()["refused"] and watch.check_and_report()["wrong"]
    os.chmod(secret, 0o600)
    assert not (
        watch.check_and_report()["refused"] or watch.check_and_report()["changed"] or watch.check_and_report()["wrong"]
    )


def test_a_reload_that_failed_otherwise_stays_refused_until_the_files_are_others(tmp_path, cart):
    watch, before = ConfigurationWatch(str(cart), files.Files(cart)), cart.read_text()
    watch.note_refused_reload([], "no memory")
    for _ in range(3):
        assert watch.check_and_report()["refused"] and watch.check_and_report()["wrong"] == "no memory"
    written(tmp_path, cart_of(stations=[station_at(8)]))
    report = watch.check_and_report()
    assert report["changed"] and not (report["refused"] or report["wrong"])
    cart.write_text(before)
    assert watch.check_and_report()["refused"] and watch.check_and_report()["wrong"] == "no memory"


def obstructed(tmp_path):
    """What is in the way of the cart's spool, beside the configuration."""
    obstacle = tmp_path / f"{station_at(7)['spool']['path']}.new"
    obstacle.mkdir()
    return obstacle


CHANGES = {
    "a good one": cart_of(stations=[station_at(7) | {"name": "Hood"}]),
    "one with another spool": cart_of(stations=[station_at(8)]),
    "a mistake": {},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_refused_reload_is_known_again_when_another_file_has_changed_and_is_back(tmp_path, cart, change):
    obstacle = obstructed(tmp_path)
    watch, before = ConfigurationWatch(str(cart), files.Files(cart)), cart.read_text()
    watch.note_refused_reload(watch.problems())
    refused = watch.check_and_report()
    assert refused["refused"] and not refused["changed"] and str(obstacle) in refused["wrong"]
    written(tmp_path, CHANGES[change])
    report = watch.check_and_report()
    assert report["changed"] == [str(cart)]
    assert report["refused"] == (str(obstacle) in report["wrong"]) == (change == "a good one")
    cart.write_text(before)
    assert watch.check_and_report() == refused
    obstacle.rmdir()
    assert not (watch.check_and_report()["refused"] or watch.check_and_report()["wrong"])
    obstacle.mkdir()
    assert not watch.check_and_report()["refused"]
    written(tmp_path, CHANGES["a good one"])
    assert watch.check_and_report()["wrong"] and not watch.check_and_report()["refused"]


def test_another_obstacle_in_place_of_the_one_that_refused_the_reload_keeps_it_refused(tmp_path, cart):
    obstacle = obstructed(tmp_path)
    watch = ConfigurationWatch(str(cart), files.Files(cart))
    watch.note_refused_reload(watch.problems())
    obstacle.rmdir()
    obstacle.with_suffix("").mkdir()
    report = watch.check_and_report()
    assert report["refused"] and "that is a folder" in report["wrong"]


def test_what_refused_the_reload_is_said_before_another_mistake(tmp_path, cart):
    obstacle = obstructed(tmp_path)
    watch = ConfigurationWatch(str(cart), files.Files(cart))
    watch.note_refused_reload(watch.problems())
    written(tmp_path, cart_of(stations=[station_at(6, spool="none/6.spool"), station_at(7)]))
    report = watch.check_and_report()
    assert report["wrong"].count("(and 1 more)") == 1 and not report["refused"]  # the place has another number
    written(tmp_path, cart_of(stations=[station_at(7), station_at(8, spool="none/8.spool")]))
    report = watch.check_and_report()
    assert report["refused"] and str(obstacle) in report["wrong"] and report["wrong"].endswith("(and 1 more)")


def test_another_value_in_place_of_the_one_that_refused_the_reload_is_not_said_to_have_done_so(tmp_path, cart):
    watch, good = ConfigurationWatch(str(cart), files.Files(cart)), cart.read_text()

    def reported(port):
        tree = json.loads(good)
        tree["toolsnet"]["pim_port"] = port
        cart.write_text(json.dumps(tree))
        report = watch.check_and_report()
        return report["refused"], str(port) in report["wrong"]

    assert reported(0) == (False, True)
    watch.note_refused_reload(watch.problems())
    assert reported(0) == (True, True)
    cart.write_text(good)
    assert not watch.check_and_report()["refused"] and not watch.check_and_report()["wrong"]
    assert reported(99999) == (False, True)
    assert reported(0) == (True, True)


def test_a_changed_figure_of_what_refused_the_reload_is_no_other_mistake(tmp_path, cart):
    found = [("stations[0].spool.path", "40 KiB are free", "room for it")]
    watch = ConfigurationWatch(str(cart), files.Files(cart), lambda _: files.Checked(None, list(found)))
    watch.note_refused_reload(watch.problems())
    written(tmp_path, cart_of(stations=[station_at(7) | {"name": "Hood"}]))
    found[0] = (found[0][0], "41 KiB are free", found[0][2])
    assert watch.check_and_report()["refused"] and "41 KiB" in watch.check_and_report()["wrong"]


def said_of(*reports):
    """What the log says when the agent reports one after the other of its configuration."""
    figures = Figures()
    status = {"stations": [], "scheduler": {"faults": 0}}
    return [
        [change.text for change in figures.feed({"kind": "status", **status, "agent": {"configuration": one}}, 0.0)]
        for one in reports
    ]


def test_what_refused_a_reload_and_is_gone_says_nothing_of_the_configuration_which_was_as_it_is(tmp_path, cart):
    obstacle = obstructed(tmp_path)
    watch = ConfigurationWatch(str(cart), files.Files(cart))
    watch.note_refused_reload(watch.problems())
    reports, before = [watch.check_and_report()], cart.read_text()
    written(tmp_path, CHANGES["a good one"])
    reports.append(watch.check_and_report())
    obstacle.rmdir()
    reports.append(watch.check_and_report())
    cart.write_text(before)
    reports.append(watch.check_and_report())
    refused, both, changed, good = said_of(*reports)
    assert len(refused) == len(both) == len(changed) == 1
    assert refused[0].startswith("a reload was refused, and the agent goes on with what it has read: stations[0].spool")
    assert both[0].startswith(f"{cart} changed since the start: the agent goes on with what it has read; a reload was")
    assert "a reload" not in changed[0]
    assert good == ["the configuration is again what the agent was started with"]
    assert said_of(reports[0], reports[3])[1] == ["nothing refuses a reload any more"]


def test_a_good_file_that_changed_is_not_said_to_be_wrong_for_what_is_beside_it(tmp_path, cart):
    watch = ConfigurationWatch(str(cart), files.Files(cart))
    obstacle = obstructed(tmp_path)
    written(tmp_path, CHANGES["a good one"])
    [[text]] = said_of(watch.check_and_report())
    assert "; a reload would be refused: stations[0].spool.path: " in text and str(obstacle) in text

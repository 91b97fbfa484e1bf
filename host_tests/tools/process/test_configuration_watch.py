"""What a running agent says of its configuration while something beside the file is wrong, and after the cure."""

import os

import pytest

from toolcart.tools.config import files
from toolcart.tools.process.configuration_watch import ConfigurationWatch
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
        watch.refuse(watch.problem())
    for _ in range(2):
        report = watch.report()
        assert "with mode 0644" in report["wrong"] and report["refused"] == is_ordered
    os.chmod(secret, 0o600)
    report = watch.report()
    assert report["changed"] == [str(cart)] and not report["wrong"] and not report["refused"]
    assert report["refusals"] == int(is_ordered)
    os.chmod(secret, 0o644)
    assert not watch.report()["refused"]


def test_a_secret_of_the_running_configuration_that_is_cured_leaves_nothing_to_say(tmp_path, cart):
    secret = with_password(tmp_path, 0o600)
    watch = ConfigurationWatch(str(cart), files.Files(cart))
    os.chmod(secret, 0o644)
    watch.refuse(watch.problem())
    assert watch.report()["refused"] and watch.report()["wrong"]
    os.chmod(secret, 0o600)
    assert not (watch.report()["refused"] or watch.report()["changed"] or watch.report()["wrong"])


def test_a_reload_that_failed_otherwise_stays_refused_until_the_files_are_others(tmp_path, cart):
    watch = ConfigurationWatch(str(cart), files.Files(cart))
    watch.refuse("no memory")
    for _ in range(3):
        assert watch.report()["refused"] and watch.report()["wrong"] == "no memory"
    written(tmp_path, cart_of(stations=[station_at(8)]))
    report = watch.report()
    assert report["changed"] and not (report["refused"] or report["wrong"])

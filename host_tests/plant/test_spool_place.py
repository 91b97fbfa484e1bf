"""Where a spool lies: one file under two names, a file system that does not last, a state folder that systemd makes."""

import json
import os

import pytest

from host_tests.plant.libc import PrivateMounts
from host_tests.support.running import free_port


@pytest.mark.parametrize(
    "how", ["dot", "up and down", "absolute", "a link", "a hard link", "a folder's link", "not there"]
)
def test_two_names_of_one_file_are_a_mistake(site, how):
    spool, other = site.home / "x.spool", "./x.spool"
    if how != "not there":
        spool.write_bytes(b"")
    if how == "up and down":
        (site.home / "sub").mkdir()
        other = "sub/../x.spool"
    elif how == "absolute":
        other = spool
    elif how in ("a link", "a hard link"):
        other = "y.spool"
        (os.symlink if how == "a link" else os.link)(spool, site.home / other)
    elif how in ("a folder's link", "not there"):
        os.symlink(site.home, site.home / "same")
        other = "same/x.spool"
    # Write a configuration of two stations with these spools.
    stations = [
        {"number": number, "controller": {"host": "127.0.0.1", "port": free_port()}, "spool": {"path": str(path)}}
        for number, path in ((7, "x.spool"), (8, other))
    ]
    toolsnet = {"pim_host": "127.0.0.1", "pim_port": free_port()}
    cart = site.write("cart.json", {"toolsnet": toolsnet, "stations": stations})
    words = f"found {other}, which is the same file as x.spool"
    for command in (("config", "check", cart), ("run", "--plain", "--config", cart)):
        told = site.run(*command)
        assert told.returncode == 2 and words in told.stdout + told.stderr, told.stdout + told.stderr


def test_an_outlet_s_file_in_the_spool_s_place_is_a_mistake(site):
    outlets = [{"kind": "toolsnet"}, {"kind": "file", "path": "./7.spool"}]
    told = site.run("config", "check", site.cart(station={"outlets": outlets}))
    assert told.returncode == 2 and "which is the same file as 7.spool" in told.stderr, told.stderr


def test_a_spool_in_memory_is_warned_of(site):
    card = site.home / "a card"
    card.mkdir()
    cart = site.cart(station={"spool": {"path": "a card/7.spool"}})
    with PrivateMounts(site) as mounts:
        mounts.can("mount", "-t", "tmpfs", "-o", "size=64m,mode=777", "none", card)
        checked = site.run("config", "check", cart)
        assert checked.returncode == 0 and "lies in memory (tmpfs)" in checked.stderr, checked.stderr
        machines = json.loads(site.run("config", "check", "--json", cart).stdout)
        assert len(machines["warnings"]) == 1
        doctor = site.run("doctor", "--offline", "--config", cart)
        assert f"{card} lies in memory (tmpfs)" in doctor.stdout, doctor.stdout
        mounts.run("umount", card)
        mounts.can("sh", "-c", 'cd "$0" && mkdir low up work', site.folder)
        layers = f"lowerdir={site.folder}/low,upperdir={site.folder}/up,workdir={site.folder}/work"
        mounts.can("mount", "-t", "overlay", "-o", layers, "none", card)
        mounts.run("chmod", "777", card)
        checked = site.run("config", "check", cart)
        gone = "it is gone with its container, or after a restart where the layer is memory"
        assert f"lies in a layer (overlay): {gone}" in checked.stderr, checked.stderr


def test_a_state_folder_that_systemd_makes_is_no_mistake(site):
    if os.path.exists("/var/lib/toolcart"):
        pytest.skip("a service's state folder is there")
    cart = site.cart(station={"spool": {"path": "/var/lib/toolcart/7.spool"}})
    checked = site.run("config", "check", cart)
    assert checked.returncode == 0 and "good, 1 station" in checked.stdout, checked.stdout + checked.stderr
    doctor = site.run("doctor", "--offline", "--config", cart)
    assert "systemd makes /var/lib/toolcart when the service starts" in doctor.stdout, doctor.stdout
    elsewhere = site.cart(station={"spool": {"path": "/var/lib/toolcarts/7.spool"}})
    assert "is not there (mkdir -p" in site.run("config", "check", elsewhere).stderr

"""The role of docs/ansible brings a configuration into a chroot, with an /etc and a /var of its own."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

from toolcart.sim.serve import SimulatedPlant
from host_tests.support.running import ROOT, cart_of

NEEDED = ("ansible-playbook", "unshare", "chroot", "mount")
MISSING = [name for name in NEEDED if shutil.which(name) is None] + (["root"] if os.geteuid() else [])
LIMIT_S = 300
CONFIG = "/etc/toolcart/config.json"

pytestmark = [pytest.mark.skipif(bool(MISSING), reason=f"to play a role there is no {', '.join(MISSING)}")]

# As the service's agent would be there; the role has systemd start it, which no chroot has.
MACHINE = """
set -e
mount --rbind / root
for folder in etc run var/lib; do
    mount -t tmpfs none root/$folder
done
cp -a /etc/. root/etc
mkdir -p root/etc/toolcart root/var/lib/toolcart root/run/toolcart
echo 'toolcart:x:64999:64999::/var/lib/toolcart:/bin/sh' >> root/etc/passwd
cp -p secrets/* root/etc/toolcart 2>/dev/null || true
chown 64999 root/etc/toolcart/* 2>/dev/null || true
chroot root sh -c '
    (until test -e /etc/toolcart/config.json; do sleep 0.2; done
     exec env RUNTIME_DIRECTORY=/run/toolcart toolcart run --plain --config /etc/toolcart/config.json) >/dev/null 2>&1 &
    cd "$HERE"
    code=0
    ansible-playbook -i cart7, -c local "$@" || code=$?
    kill $! 2>/dev/null
    test ! -e /etc/toolcart/config.json || echo "in place"
    exit $code' sh "$@"
"""

SYSTEMCTL = """
case "$*" in
*show*) printf 'LoadState=loaded\\nActiveState=inactive\\n' ;;
*is-enabled*) echo enabled ;;
esac"""


def played(folder, tree, secrets, *words):
    """The exit code and output of the role, begun where it brings this configuration."""
    for name in ("root", "made", "bin", "secrets"):
        (folder / name).mkdir()
    (folder / "made/cart7.json").write_text(json.dumps(tree))
    for name, content in secrets.items():
        (folder / "secrets" / name).write_text(content)
        (folder / "secrets" / name).chmod(0o600)
    for name, text in (
        ("toolcart", f'exec {sys.executable} -m toolcart.tools.cli.main "$@"'),
        ("systemctl", SYSTEMCTL),
    ):
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / "bin" / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HERE": str(folder),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
    }
    before = ["-e", json.dumps({f"toolcart_from_{where}": {"changed": False} for where in ("file", "repository")})]
    before += ["-e", json.dumps({"toolcart_before": {"stdout": ""}})]
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", MACHINE, "sh", *before, *words]
    command += ["-e", f"ansible_python_interpreter={os.path.realpath(sys.executable)}", "-e", "toolcart_healthy_s=40"]
    command += [str(ROOT / "docs/ansible/site.yml")]
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, cwd=folder, env=environment, timeout=LIMIT_S, **options)
    if "unshare: " in done.stdout:
        pytest.skip("no mount namespace can be made here")
    return done.returncode, done.stdout


FROM_THE_CONFIGURATION = ("--start-at-task", "The configuration")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_configuration_with_a_secret_is_taken_where_the_secret_is(tmp_path, is_there):
    broker = {"kind": "mqtt", "host": "127.0.0.1", "port": 9, "user": "u", "password": {"file": "broker.password"}}
    with SimulatedPlant() as plant:
        tree = cart_of(plant, station={"outlets": [{"kind": "toolsnet"}, broker]})
        secrets = {"broker.password": "geheim\n"} if is_there else {}
        code, output = played(tmp_path, tree, secrets, *FROM_THE_CONFIGURATION)
    assert (code == 0) == is_there, output
    assert ("in place" in output) == is_there and "geheim" not in output
    if not is_there:
        assert "/etc/toolcart/broker.password: No such file or directory; expected a file that can be read" in output


def test_a_cart_without_python3_apt_is_told_what_to_install(tmp_path):
    if find_spec("apt"):
        pytest.skip("this Python has it")
    code, output = played(tmp_path, cart_of(), {})
    assert code and "cart7 has no python3-apt, which Ansible's apt needs: sudo apt install python3-apt" in output
    assert "in place" not in output

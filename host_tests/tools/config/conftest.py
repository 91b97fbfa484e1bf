"""A configuration that names other files, with all of them."""

import pytest

from host_tests.support.running import cart_of, written

BROKER = {"kind": "mqtt", "host": "b", "user": "u", "password": {"file": "secret"}, "tls_ca": "b.pem"}
TREE = cart_of(toolsnet={"tls_ca": "ca.pem"}, station={"outlets": [{"kind": "toolsnet"}, BROKER]})


@pytest.fixture
def cart_files(tmp_path):
    written(tmp_path, TREE, "cart.json")
    for name in ("secret", "ca.pem", "b.pem"):
        written(tmp_path, name, name)
    (tmp_path / "secret").chmod(0o600)
    return tmp_path / "cart.json"

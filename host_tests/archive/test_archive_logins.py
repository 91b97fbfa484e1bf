"""Every address without a log-in, with one, and by a proxy that names its visitors."""

import pytest
from starlette.testclient import TestClient

from toolcart.archive.web import users as login
from toolcart.archive.web.app import make
from toolcart.archive.web.reading import Reading
from toolcart.archive.web.users import Proxy
from host_tests.support.archive import (
    filled,
    place_in,
)
from lab.harness.archive_rows import vin

VALUES = {"{number:int}": "150", "{key:path}": "3/1/1"}
PARTS = {"/car": f"vin={vin(3)}", "/search": "q=WVW", "/limits/{key:path}": "program=1"}
FREE = ("/login", "/logout", "/static", "/metrics", "/live/events")  # no page; the last one never ends


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = filled(place_in(tmp_path_factory.mktemp("rights")), stations=3, cars=10)
    proxy = Proxy(frozenset({"testclient"}), "X-Forwarded-User")
    return make(Reading(place), login.Authenticator("correct horse"), only_here=False, proxy=proxy)


def addresses(site):
    """Every page's address with something to show."""
    for route in site.routes:
        path = route.path
        for name, value in VALUES.items():
            path = path.replace(name, value)
        if route.path not in FREE and "GET" in route.methods:
            yield route.path, path, PARTS.get(route.path, "")


def test_no_one_gets_anything_without_a_login(site):
    with TestClient(site, base_url="http://127.0.0.1", follow_redirects=False) as browser:
        for _, path, parts in addresses(site):
            assert browser.get(f"{path}?{parts}").status_code == 303
            assert browser.get(f"{path}?{parts}&json").status_code == 401


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-User": "anna"}])
def test_who_comes_in_gets_every_page(site, headers):
    with TestClient(site, base_url="http://127.0.0.1", follow_redirects=False, headers={**headers}) as browser:
        if not headers:
            assert browser.post("/login", data={"password": "correct horse"}).status_code == 303
        seen = 0
        for route, path, parts in addresses(site):
            for kind in ("", "json"):
                status = browser.get(f"{path}?{parts}&{kind}").status_code
                assert status == (404 if route.startswith("/export/") else 200) or "q=" in parts, (path, kind, status)
                seen += 1
        assert seen > 20

"""Every address with every role: who may see it, and who may take its content away."""

import pytest
from starlette.testclient import TestClient

from toolcart.archive.web import users as login
from toolcart.archive.web.app import make
from toolcart.archive.web.reading import Reading
from toolcart.archive.web.users import ROLES, UsersFile, put
from host_tests.support.archive import (
    filled,
    place_in,
)
from lab.harness.archive_rows import vin

VALUES = {"{number:int}": "150", "{key:path}": "3/1/1"}
PARTS = {"/car": f"vin={vin(3)}", "/search": "q=WVW", "/limits/{key:path}": "program=1"}
NEEDS = {"/audit": "admin", "/export/{number}": "export"}  # of the pages; all others are for everyone who may come in
FREE = ("/login", "/logout", "/static", "/metrics", "/live/events")  # no page; the last one never ends


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rights")
    place = filled(place_in(folder), stations=3, cars=10)
    for role in ROLES:
        put(str(folder / "users"), role, role, f"{role} {role}")
    built = make(Reading(place), login.Authenticator(None, UsersFile(str(folder / "users"))), only_here=False)
    built.state.site.exports._run = at_once
    return built


async def at_once(job):
    """Write an empty file; test_archive_exports.py has the process that writes real ones."""
    with open(job.path, "w", encoding="utf-8"):
        job.is_whole = True


def addresses(site):
    """Every page's address with something to show."""
    for route in site.routes:
        path = route.path
        for name, value in VALUES.items():
            path = path.replace(name, value)
        if route.path not in FREE and "GET" in route.methods:
            yield route.path, path, PARTS.get(route.path, "")


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("role", ROLES)
def test_what_role_may_not_take_away_it_gets_as_a_page_alone(site, role):
    with TestClient(site, base_url="http://127.0.0.1", follow_redirects=False) as browser:
        browser.post("/login", data={"name": role, "password": f"{role} {role}"})
        seen = 0
        for route, path, parts in addresses(site):
            for kind, least in (("", "view"), ("json", "export"), ("as=csv", "export")):
                needs = max(least, NEEDS.get(route, "view"), key=ROLES.index)
                may = ROLES.index(role) >= ROLES.index(needs)
                status = browser.get(f"{path}?{parts}&{kind}").status_code
                is_sure = kind != "as=csv" and not path.startswith("/export/")  # not every page is a list or has a file
                allowed = {200, 303} if is_sure else {200, 303, 400, 404}
                assert (status in allowed) if may else status == 403, (path, kind, status)
                seen += 1
        assert seen > 30


def test_no_one_gets_anything_without_a_login(site):
    with TestClient(site, base_url="http://127.0.0.1", follow_redirects=False) as browser:
        for _, path, parts in addresses(site):
            assert browser.get(f"{path}?{parts}").status_code == 303
            assert browser.get(f"{path}?{parts}&json").status_code == 401

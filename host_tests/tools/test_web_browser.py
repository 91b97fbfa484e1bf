"""The status page of a running agent in a real browser: up to date by itself, on a phone, in the dark, with a token."""

from contextlib import contextmanager

import pytest

from host_tests.support.memory import needed
from host_tests.support.running import cart_without_sides, free_port, page_of, started
from lab.harness.browser import browser as chromium

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
SOON_MS = 60000
TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def browser():
    with needed("browser", chromium()) as made:
        yield made


@pytest.fixture(scope="module")
def cart(tmp_path_factory):
    """The configuration of an agent that runs, and the port where its controller is awaited; ToolsNet stays away."""
    port = free_port()
    folder = tmp_path_factory.mktemp("cart")
    config = cart_without_sides(folder, "Left <b>door</b>", port)
    with started("run", "--plain", "--config", config):
        yield config, port


@contextmanager
def _page(browser, cart, *options, token="", **context):
    """A page that complains about nothing and asks no one else."""
    wrong = []
    credentials = {"username": "plant", "password": token} if token else None
    with started("web", "--port", 0, "--config", cart[0], *options) as said:
        address = page_of(said)
        made = browser.new_context(base_url=address, http_credentials=credentials, **context)
        page = made.new_page()
        page.set_default_timeout(SOON_MS)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("request", lambda asked: None if asked.url.startswith(address) else wrong.append(asked.url))
        page.goto("/")
        yield page
        made.close()
    assert [one for one in wrong if "401" not in one] == []  # what is asked for a token at first


def _soon(page, selector):
    from playwright.sync_api import expect

    return expect(page.locator(selector))


def _scrolls_aside(page):
    return page.evaluate(
        "[document.documentElement, ...document.querySelectorAll('.scroll, pre')].some("
        "one => one.scrollWidth > one.clientWidth)"
    )


def test_the_page_says_why_and_is_up_to_date_by_itself(browser, cart):
    with _page(browser, cart, viewport=DESK) as page:
        _soon(page, "tr.why").to_contain_text("refused the connection", timeout=SOON_MS)
        _soon(page, "tr.station td:first-child").to_have_text("7 Left <b>door</b>")
        with started("simulate", "controller", "--port", cart[1], "--rate", 20):
            _soon(page, "td[data-name=Controller]").to_contain_text("ready", timeout=SOON_MS)
            _soon(page, "td[data-name=Waiting]").not_to_have_text("0", timeout=SOON_MS)
        assert not _scrolls_aside(page)
        page.locator("h2 a").click()
        _soon(page, "pre").to_contain_text("station 7")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_has_to_be_moved_aside(browser, cart, scheme):
    with _page(browser, cart, viewport=PHONE, color_scheme=scheme) as page:
        _soon(page, "tr.why").to_contain_text("refused the connection", timeout=SOON_MS)
        assert not _scrolls_aside(page)
        assert page.locator("td[data-name=Stored]").bounding_box()["x"] < PHONE["width"]
        ground, ink = (
            page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color")
        )
        assert ground != ink
        page.goto("/agent/cart.json")
        assert not _scrolls_aside(page)


def test_a_browser_asks_for_the_token(browser, cart, tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN, encoding="utf-8")
    file.chmod(0o600)
    with _page(browser, cart, "--token-file", file, token=TOKEN, viewport=DESK) as page:
        _soon(page, "tr.station").to_have_count(1)
    with _page(browser, cart, "--token-file", file, token="another", viewport=DESK) as page:
        _soon(page, "tr.station").to_have_count(0)

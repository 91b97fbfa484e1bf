"""The archive's pages in a real browser: on a phone and on a wall, in both schemes, by keyboard, live, on paper."""

from itertools import chain

import pytest

from toolcart.archive.web.app import Site
from toolcart.archive.web.reading import Reading
from toolcart.base.sources import Unavailable
from host_tests.portable import LONG
from host_tests.support.archive import Served, filled, place_in, result, run
from host_tests.support.needed import needed
from lab.cache import CACHE, output_of, whole_folder
from lab.harness.archive_rows import vin
from lab.harness.browser import browser as chromium
from lab.harness.browser import pages_of

# What a list shows and its screen cuts off; one scrolls to it, but does not know that it is there.
CUT_OFF = """() => [...document.querySelectorAll(".list th, .list td, .list td *")].filter((one) => {
    const { width, right } = one.getBoundingClientRect();
    return width > 0 && right > document.documentElement.clientWidth + 1;
}).map((one) => one.innerText)"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# How many points of a picture have something on them.
INK = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
    .filter((value, at) => at % 4 == 3 && value > 100).length"""
LONGEST_VIN = "W" * 25
PHONE, WALL = {"width": 360, "height": 740}, {"width": 3840, "height": 2160}
LARGER_PHONE, DESK = {"width": 390, "height": 844}, {"width": 1400, "height": 900}
A4 = {"width": 717, "height": 1050}  # between the edges that a browser leaves
# What fits a phone of 360 points fits one of 390, but for a break of the layout between them: with --long.
ALSO = pytest.mark.long("another phone")
SIZES = [pytest.param(PHONE, id="phone"), pytest.param(LARGER_PHONE, id="larger", marks=ALSO)]
SIZES += [pytest.param(DESK, id="desk"), pytest.param(WALL, id="wall", marks=pytest.mark.long("a wall"))]
SOON_MS = 60000
NEWEST = 150
AXE = "4.14.1"
PATHS = ["/", "/live", f"/search?q={vin(0)[:-1]}", f"/car?vin={vin(2)}", f"/car?vin={LONGEST_VIN}", f"/result/{NEWEST}"]
PATHS += [f"/curves/{NEWEST}", "/station/1", "/trend/1?program=1", "/trend/1?program=1&by=month", "/pareto?by=program"]
PATHS += ["/results", "/events", "/breaches", "/audit", "/limits/1?program=1", "/pareto?by=day"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A browser, the pages' address, and the archive behind them, which goes on taking results."""
    place = filled(place_in(tmp_path_factory.mktemp("browser")), stations=3, cars=10, curves=20)
    with needed("browser", chromium()) as started, Served(place) as archive, pages_of(place) as address:
        with archive.server() as server:
            server.ask(result(9, 9, vin=LONGEST_VIN, station=1).replace("00042.370", "-9942.373"))
        yield started, address, archive


@pytest.fixture
def page(served):
    """A page that complains about nothing: no error in a script, nothing refused, nothing asked of others."""
    started, address, _ = served
    new_page = started.new_page(base_url=address)
    new_page.set_default_timeout(SOON_MS)
    wrong = []
    new_page.on("pageerror", lambda error: wrong.append(str(error)))
    new_page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    new_page.on("request", lambda request: None if request.url.startswith(address) else wrong.append(request.url))
    yield new_page
    new_page.close()
    assert wrong == []


def soon(page, selector):
    """What is waited for. Not by a line of script: what the page's own rules forbid is only let through at first."""
    from playwright.sync_api import expect

    return expect(page.locator(selector))


def wait_for_focus(page):
    """A browser gives the search its focus when it first draws the page, which may be after it is loaded."""
    soon(page, "input[name=q]").to_be_focused(timeout=SOON_MS)


def ground(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("size", SIZES)
def test_no_page_is_wider_than_its_screen(page, size):
    page.set_viewport_size(size)
    for path in visited(page):
        assert page.evaluate(WIDER) <= 0 and page.evaluate(CUT_OFF) == [], path
    tops = {one.bounding_box()["y"] // 20 for one in page.locator("nav > *").all()}
    assert len(tops) == 1, "the header's pages and its button stand in one line"


@pytest.fixture(scope="module")
def axe():
    """The script of axe-core, out of its package."""
    folder = CACHE / f"axe-core-{AXE}"
    if not (folder.is_dir() or LONG):
        pytest.skip("axe-core is fetched with --long")

    def fill(building):
        output_of(["npm", "pack", f"axe-core@{AXE}", "--silent"], 60, cwd=building)
        output_of(["tar", "xzf", f"axe-core-{AXE}.tgz", "package/axe.min.js"], 60, cwd=building)

    try:
        return whole_folder(folder, fill) / "package/axe.min.js"
    except (Unavailable, OSError) as reason:
        pytest.skip(f"no axe-core: {reason}")


def visited(page):
    """Go to each page in turn."""
    for path in PATHS:
        page.goto(path)
        yield path


@pytest.mark.parametrize("size", [LARGER_PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_shuts_anyone_out(served, axe, by_itself, size, scheme):
    started, address, _ = served
    context = started.new_context(base_url=address, viewport=size, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(SOON_MS)
    for path in chain(visited(page), routed_pages(page, by_itself)):
        page.add_script_tag(path=axe)
        violations = page.evaluate(
            "async () => (await axe.run()).violations.map(one => [one.impact, one.id, one.nodes[0].html])"
        )
        assert not [one for one in violations if one[0] in ("serious", "critical")], path
    context.close()


JOB = {"count": 7, "total": 9, "name": "results.xlsx", "why": "The process has ended."}


@pytest.fixture
def by_itself(served, tmp_path):
    """Pages that no address shows at once: of a file that is being written, and a report."""
    site = Site(Reading(served[2].place))
    pages = {
        f"/export/{state}": site.rendered("export.html", here="/", query={}, job={**JOB, "state": state}).body.decode()
        for state in ("waiting", "running", "done", "failed")
    }
    run("report", "--database", served[2].place, "--of", "2026-11-20", "--into", tmp_path)
    pages["/report"] = (tmp_path / "report-2026-W47.html").read_text(encoding="utf-8")
    return pages


def answering(text):
    return lambda route: route.fulfill(body=text, content_type="text/html")


def routed_pages(page, texts):
    """Go to each of these pages in turn."""
    for path, text in texts.items():
        page.route(f"**{path}", answering(text))
        page.goto(path)
        yield path


@pytest.mark.parametrize("size", [LARGER_PHONE, DESK], ids=["phone", "desk"])
def test_a_report_and_a_files_page_fit_their_screen(page, by_itself, size):
    page.set_viewport_size(size)
    for path in routed_pages(page, by_itself):
        assert page.evaluate(WIDER) <= 0 and page.evaluate(CUT_OFF) == [], path


def test_a_report_fits_its_paper(page, by_itself):
    page.emulate_media(media="print")
    page.set_viewport_size(A4)
    text = by_itself["/report"].replace("Wheel front left", "Underbody line 2, rear axle left")
    for _ in routed_pages(page, {"/report": text.replace("Wheel bolts", "Seat belt anchor M12x1.75 10.9")}):
        assert page.evaluate(WIDER) <= 0 and page.evaluate(CUT_OFF) == []


def test_both_schemes_and_the_key_between_them(page):
    page.emulate_media(color_scheme="light")
    page.goto("/")
    light = ground(page)
    page.emulate_media(color_scheme="dark")
    dark = ground(page)
    assert light != dark
    wait_for_focus(page)
    page.keyboard.press("Escape")  # out of the search
    page.keyboard.press("t")
    assert ground(page) == light
    page.goto("/live")
    assert ground(page) == light  # it is remembered
    page.keyboard.press("t")
    page.keyboard.press("t")
    assert ground(page) == dark


def test_a_car_is_found_and_a_result_opened_by_keyboard_alone(page):
    page.goto("/")
    wait_for_focus(page)
    page.keyboard.type(vin(2).lower())
    page.keyboard.press("Enter")
    page.wait_for_url("**/car?vin=*")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/result/*")
    first = page.url
    page.keyboard.press("[")
    page.wait_for_url(lambda url: url != first and "/result/" in url)
    page.keyboard.press("n")
    page.wait_for_url("**/results")
    page.keyboard.press("/")
    wait_for_focus(page)
    page.keyboard.type("j")  # into the search, not down the list
    assert page.input_value(".search input") == "j"


def test_a_results_curves_are_drawn_with_their_limits(page):
    page.emulate_media(color_scheme="light")
    page.goto(f"/result/{NEWEST}")
    assert page.locator(".chart:visible canvas").count() == 3
    count = """canvas => {
        const seen = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let line = 0, limit = 0;
        for (let at = 0; at < seen.length; at += 4) {
            if (seen[at + 3] < 200) continue;
            if (seen[at] < 40 && seen[at + 2] > 150) line++;
            if (seen[at] > 150 && seen[at + 1] < 60) limit++;
        }
        return [line, limit];
    }"""
    for canvas in page.locator(".chart canvas").all():
        line, limit = canvas.evaluate(count)
        assert line > 300 and limit > 300


def test_curves_are_drawn_over_one_another(page):
    page.goto(f"/result/{NEWEST}")
    page.click("text=over those before it")
    page.wait_for_url("**/curves/*")
    assert page.locator("ul li .verdict").count() > 5
    assert page.locator(".chart:visible canvas").count() == 3
    some = [canvas.evaluate(INK) for canvas in page.locator(".chart canvas").all()]
    page.goto(f"/curves/{NEWEST}?count=2")
    fewer = [canvas.evaluate(INK) for canvas in page.locator(".chart canvas").all()]
    assert all(many > few > 300 for many, few in zip(some, fewer, strict=True))


ENDS = """name => { const plot = charts.find(one => one.root.closest(`[data-curve="${name}"]`));
    return ["x", "y"].flatMap(axis => [plot.scales[axis].min, plot.scales[axis].max]); }"""
ZOOMED = [
    ("/result", "torque"),
    ("/curves", "over"),
    pytest.param("/result", "over", marks=pytest.mark.long("the same script twice")),
]


def at(page, name):
    """What gives a place on this chart on the screen, from shares of its width and height."""
    over = page.locator(f'[data-curve="{name}"] .u-over')
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    return lambda x, y: (box["x"] + box["width"] * x, box["y"] + box["height"] * y)


def shares(ends, whole):
    return [(one - whole[at]) / (whole[at + 1] - whole[at]) for one, at in zip(ends, (0, 0, 2, 2), strict=True)]


@pytest.mark.parametrize(("path", "name"), ZOOMED)
def test_dragging_zooms_into_a_curve_and_back(page, path, name):
    page.goto(f"{path}/{NEWEST}")
    place = at(page, name)
    whole = page.evaluate(ENDS, name)
    page.mouse.move(*place(0.5, 0.25))
    page.mouse.down()
    page.mouse.move(*place(0.75, 0.5), steps=5)
    page.mouse.up()
    assert shares(page.evaluate(ENDS, name), whole) == pytest.approx([0.5, 0.75, 0.5, 0.75], abs=0.02)
    page.mouse.dblclick(*place(0.5, 0.5))
    assert page.evaluate(ENDS, name) == whole


@pytest.mark.parametrize(("path", "name"), ZOOMED)
def test_two_fingers_zoom_and_move_a_curve_within_its_ends(served, path, name):
    started, address, _ = served
    context = started.new_context(base_url=address, viewport=LARGER_PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{path}/{NEWEST}")
    place = at(page, name)
    whole = page.evaluate(ENDS, name)
    fingers = context.new_cdp_session(page)

    def touch(kind, *places):
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        fingers.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    def slide(begin, end):
        touch("Start", *begin)
        touch("Move", *end)
        touch("End")
        return shares(page.evaluate(ENDS, name), whole)

    middle = [place(0.4, 0.5), place(0.6, 0.5)]
    zoomed = slide(middle, [place(0.3, 0.5), place(0.7, 0.5)])
    assert zoomed == pytest.approx([0.25, 0.75, 0.25, 0.75], abs=0.02)
    moved = slide(middle, [place(0.2, 0.7), place(0.4, 0.7)])
    assert moved == pytest.approx([0.35, 0.85, 0.35, 0.85], abs=0.02)
    assert slide(middle, [place(0.9, 0.5), place(1.0, 0.5)])[:2] == pytest.approx([0, 1], abs=0.02)
    touch("Start", place(0.5, 0.5))
    touch("Move", place(0.5, 0.2))
    touch("End")
    assert shares(page.evaluate(ENDS, name), whole) == pytest.approx([0, 1, 0, 1], abs=0.02)
    context.close()


@pytest.mark.parametrize("size", [SIZES[0], SIZES[-1]])
def test_trend_charts_values_means_and_deviations_of_each_quantity(page, size):
    page.set_viewport_size(size)
    page.goto("/trend/1?program=2")  # ten values, and charts need 25
    assert page.locator(".chart:visible canvas").count() == 2
    page.goto("/trend/1?program=1")
    assert page.locator(".chart:visible canvas").count() == 6
    for canvas in page.locator(".chart canvas").all():
        assert canvas.evaluate(INK) > 300


def test_all_charts_of_a_trend_have_one_axis_of_time_that_ends_where_results_do(page):
    page.goto("/trend/1?program=1&subgroup=hour")
    assert page.locator(".chart:visible canvas").count() == 6
    ends = page.evaluate("charts.map(one => [one.scales.x.min, one.scales.x.max].join())")
    assert len(ends) == 6 and len(set(ends)) == 1
    [first, last] = map(float, ends[0].split(","))
    times = page.evaluate("charts.flatMap(one => one.data[0])")
    assert first < min(times) and max(times) < last and last - first < 1.1 * (max(times) - min(times))


def test_a_filter_is_in_the_address(page):
    page.goto("/trend/1?program=1")
    page.select_option("select[name=by]", "week")
    page.check("input[name=only]")
    page.click("main form button")
    page.wait_for_url("**by=week**")
    assert "only=ok" in page.url and "program=1" in page.url
    page.click(".steps a >> text=30 days")
    page.wait_for_url("**from=**")
    assert "only=ok" in page.url and page.input_value("select[name=by]") == "week"


def test_what_arrives_stands_on_top_without_a_reload(page, served):
    archive = served[2]
    page.goto("/live")
    soon(page, "#feed").to_have_text("as it comes", timeout=SOON_MS)
    with archive.server() as server:
        server.ask(result(1, 1, vin="<b>LIVE</b>", station=1))
    page.wait_for_selector("tbody tr.new >> text=<b>LIVE</b>")
    assert page.locator("tbody tr").first.locator("td.vin a").inner_text() == "<b>LIVE</b>"
    page.goto("/")
    page.wait_for_selector(".tile.alive >> text=Wheel front left")


def test_paper_is_light_and_has_no_navigation(page):
    page.emulate_media(color_scheme="dark", media="print")
    page.goto(f"/car?vin={vin(2)}")
    assert ground(page) == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible() and page.locator("table").is_visible()
    assert page.pdf()[:4] == b"%PDF"

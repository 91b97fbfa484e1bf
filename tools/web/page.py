"""The pages as HTML: an overview of all stations, and one agent's status in the words of `toolcart status`.

Rules
1. No script and nothing from elsewhere: a page reloads itself. Every text of others is escaped.
2. A colour never stands alone: the word beside it says the same.
3. On a phone a station's cells stand one below the other, so that nothing has to be moved aside to be read.
"""

from __future__ import annotations

import html
from urllib.parse import quote

from tools.base.printable import visible
from tools.web.polling import Seen
from tools.words import attention, reasons
from tools.words import status as words

REFRESH_S = 5

STYLE = """
:root { color-scheme: light dark; --good: #0a7d5a; --bad: #b3261e; --dim: #6b7280; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --good: #4ec9a0; --bad: #ff8a80; --dim: #9ca3af; } }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 80rem; padding: 1rem; }
h1 { font-size: 1.4rem; } h1 a { color: inherit; text-decoration: none; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .4rem .7rem; text-align: left; }
th { color: var(--dim); font-weight: 500; } tr { border-bottom: 1px solid var(--line); }
td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
.hint { color: var(--dim); } pre { overflow-x: auto; line-height: 1.5; }
footer { color: var(--dim); margin-top: 2rem; }
tr.station:has(+ tr.why) { border-bottom: 0; }
@media (max-width: 40rem) {
  thead { display: none; } table, tbody, tr, td { display: block; } tr { padding: .4rem 0; }
  tr.station td:first-child { font-weight: 600; } tr.why td:first-child { display: none; }
  td, td.figure { padding: .1rem 0; text-align: left; } td[data-name]::before { color: var(--dim); }
  td[data-name]::before { content: attr(data-name) " "; } td br { display: none; } td .hint { margin-left: .4rem; }
  td.figure { display: inline-block; margin-right: 1rem; } pre { white-space: pre-wrap; }
}
"""

_HEAD = (
    "Station",
    "Controller",
    "ToolsNet",
    "Stored",
    "Delivered",
    "Waiting",
    "Set aside",
)


def overview(seen: list[Seen]) -> str:
    """Every station of every agent, what is wrong with it below it."""
    parts = []
    for one in seen:
        parts.append(f'<h2><a href="/agent/{_text(quote(one.name))}">{_text(one.name)}</a></h2>')
        if one.status is None:
            parts.append(
                f'<p class="bad">not running</p><p>{_text(one.trouble)}</p><p class="hint">{_text(one.hint)}</p>'
            )
            continue
        parts.append(f"<p class=hint>{_text(words.agent_lines(one.status['agent'])[0])}</p>")
        parts.append('<div class="table"><table><thead><tr>' + "".join(_headings()) + "</tr></thead><tbody>")
        parts += [row(station) for station in one.status["stations"]]
        parts.append("</tbody></table></div>")
    if not seen:
        parts.append('<p class="bad">no agent</p>')
    return page("Stations", "".join(parts))


def _headings() -> list[str]:
    return [f'<th class="figure">{name}</th>' if index > 2 else f"<th>{name}</th>" for index, name in enumerate(_HEAD)]


def row(station: dict) -> str:
    """One station's rows."""
    name = _text(f"{station['number']} {station.get('name') or ''}".strip())
    if not station["mounted"]:
        why = _text(attention.not_up(station))
        return f'<tr class="station"><td>{name}</td><td colspan="6" class="bad">{why}</td></tr>'
    toolsnet = next(outlet for outlet in station["outlets"] if outlet["kind"] == "toolsnet")
    cells = [_state("Controller", station["controller"], "ready"), _state("ToolsNet", toolsnet, "streaming")]
    figures = [station["stored"], station["delivered"], station["backlog"], station["parked"]]
    told = "".join(
        f'<td class="figure" data-name="{name}">{figure}</td>' for name, figure in zip(_HEAD[3:], figures, strict=True)
    )
    notes = []
    for reason in (reasons.of_controller(station["controller"]), reasons.of_toolsnet(toolsnet)):
        if reason:
            notes.append(f'<div>{_text(reason.words)}. <span class="hint">{_text(reason.hint)}</span></div>')
    notes += [f"<div>{_text(' '.join(line.split()))}</div>" for line in words.sorrow_lines(station)]
    below = f'<tr class="why"><td></td><td colspan="6">{"".join(notes)}</td></tr>' if notes else ""
    return f'<tr class="station"><td>{name}</td>{"".join(cells)}{told}</tr>{below}'


def _state(side: str, shown: dict, good: str) -> str:
    style, mark = ("good", "●") if shown["state"] == good else ("bad", "○")
    place = _text(f"{shown['host']}:{shown['port']}")
    state = f'<span class="{style}">{mark} {_text(shown["state"])}</span>'
    return f'<td data-name="{side}">{state}<br><span class="hint">{place}</span></td>'


def agent(one: Seen) -> str:
    """One agent, in the words of the command line."""
    if one.status is None:
        return page(one.name, f'<p class="bad">not running</p><p>{_text(one.trouble)}</p><p>{_text(one.hint)}</p>')
    lines = words.agent_lines(one.status["agent"])
    for station in one.status["stations"]:
        lines += ["", *words.station_lines(station)]
    return page(one.name, f"<pre>{_text(chr(10).join(visible(line) for line in lines))}</pre>")


def trouble(text: str) -> str:
    """A page that says what is wrong."""
    return page("Not here", f"<p>{_text(text)}</p>")


def page(title: str, body: str) -> str:
    """The frame of every page."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="{REFRESH_S}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{_text(title)} - toolcart</title><link rel="stylesheet" href="/style.css"></head><body>'
        f'<h1><a href="/">toolcart</a></h1>{body}'
        '<footer><a href="/status.json">JSON</a>, <a href="/metrics">metrics</a></footer></body></html>'
    )


def _text(text: object) -> str:
    return html.escape(visible(text) if "\n" not in str(text) else str(text))

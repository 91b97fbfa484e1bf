"""The archive's figures for Prometheus: each station's from the database, the server's own as last reported.

Rules
1. A figure that is not known is left out, never 0: pages without a server beside them know only the database. When a
   station was heard is left out until it is watched: a wrong number in a telegram would be a silent station for ever.
2. Counters begin at the server's start.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence

from toolcart.archive.consume.counters import NAMES
from toolcart.archive.database.tables import WATCHED
from toolcart.archive.web import template_filters
from toolcart.base.prometheus import COUNTER, GAUGE, Sheet
from toolcart.toolsnet import rows

STATIONS_MOST = 20_000  # those heard last
# The server's figures have the names that toolcart.archive.serving.counted gives them.
FAMILIES = {
    "toolcart_archive_start_time_seconds": (GAUGE, "When the server started, since 1970."),
    "toolcart_archive_memory_bytes": (GAUGE, "Memory of the server's process."),
    "toolcart_archive_connections": (GAUGE, "Connections to PIM and server."),
    "toolcart_archive_uncommitted_bytes": (GAUGE, "Bytes of telegrams that wait for their commit."),
    "toolcart_archive_stored_total": (COUNTER, "Telegrams that were stored and answered."),
    "toolcart_archive_repeated_total": (COUNTER, "Telegrams that had been stored before and were answered again."),
    "toolcart_archive_refused_total": (COUNTER, "Telegrams that were answered with a code."),
    "toolcart_archive_not_stored_total": (COUNTER, "Telegrams that the database did not take, which come again."),
    "toolcart_archive_breaches_total": (COUNTER, "Breaches of the document."),
    "toolcart_archive_turned_away_total": (COUNTER, "Connections for which there was no room."),
    "toolcart_archive_unread_total": (COUNTER, "Connections reset since their other side did not read."),
    "toolcart_archive_commits_total": (COUNTER, "Commits of the database."),
    "toolcart_archive_commit_time_seconds_total": (COUNTER, "Time that these took, with what they wrote."),
    "toolcart_archive_commit_most_seconds": (GAUGE, "The longest of them."),
    "toolcart_archive_consumed_connected": (GAUGE, "1: the consumer is connected to its broker."),
    "toolcart_archive_consumed_connections_total": (COUNTER, "Connections to the broker that were begun."),
    "toolcart_archive_consumed_waiting_bytes": (GAUGE, "Bytes of batches that wait for their commit."),
    "toolcart_archive_consumed_stations_online": (GAUGE, "Stations that their broker calls online."),
    **{f"toolcart_archive_consumed_{name}_total": (COUNTER, description) for name, description in NAMES.items()},
    "toolcart_archive_station_heard_timestamp_seconds": (GAUGE, "When a station was last heard, since 1970."),
    "toolcart_archive_station_results_today": (GAUGE, "Results of this day by the station's clock."),
    "toolcart_archive_station_nok_today": (GAUGE, "Those of them that are not OK."),
}


def text_of(server: Mapping[str, float] | None, systems: Sequence[dict]) -> str:
    """Return the whole page; `systems` as in asked.stations."""
    sheet = Sheet(FAMILIES)
    for name, value in (server or {}).items():
        sheet.add(f"toolcart_archive_{name}", {}, value)
    for system in systems:
        for station in system["Stations"]:
            labels = {"station": template_filters.place(station), "name": station["Name"]}
            heard_s = _seconds(station["Heard"]) if station["Watched"] == WATCHED else None
            sheet.add("toolcart_archive_station_heard_timestamp_seconds", labels, heard_s)
            sheet.add("toolcart_archive_station_results_today", labels, station["Today"])
            sheet.add("toolcart_archive_station_nok_today", labels, station["TodayNOK"])
    return sheet.text()


def _seconds(heard_at: str) -> int | None:
    """Return 14 digits in UTC as seconds since 1970; None if there are none yet."""
    then = rows.moment(heard_at)
    return calendar.timegm(then.timetuple()) if then else None

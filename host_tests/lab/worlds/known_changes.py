"""Worlds made by hand: in each of them what outlets that come and go promise was broken once."""

from lab.worlds.outlet_peers import settings_of
from lab.worlds.script import filled

TOOLSNET = {"name": "toolsnet", "kind": "toolsnet"}
CUT = {"operations": 0, "kinds": "flash", "within_ms": 1000, "dark_ms": 500, "again": []}


def outlet(name, kind="webhook", durable=True):
    """The outlet of this name, to a place of the same name."""
    return {"name": name, "kind": kind, **settings_of(kind, name), "durable": durable}


A, B, C = outlet("a", "file"), outlet("b", "file"), outlet("c", "file")
FILE, HOOK = outlet("log", "file"), outlet("hook")


def world(outlets, *events, blocks=4, unit=256, when_full="refuse", reconnect_s=1, exact=False, **controller):
    """The script of a world that begins with these outlets; `events` are [seconds, what, ...]."""
    events = [[int(1000 * at), *rest] for at, *rest in events]
    spool = {"path": "spool1", "size_kib": 4 * (7 + blocks), "parked_kib": 12, "when_full": when_full}
    station = {
        "number": 1,
        "controller": {"host": "controller1", "recover": False, "events": []},
        "spool": spool,
        "outlets": list(outlets),
    }
    toolsnet = {"pim_host": "pim", "pim_port": 6575, "reconnect_s": reconnect_s}
    return filled(
        {
            "seed": 1,
            "shape": "changes",
            "settings": {"system": {"number": 1}, "toolsnet": toolsnet, "stations": [station]},
            "stations": [{"flash": {"unit": unit, "blocks": blocks, "kept_blocks": 3}, "controller": controller}],
            "events": events,
            "exact": exact,
            "end_ms": events[-1][0] + 5000,
        }
    )


def fetching(script):
    """The same world, whose agent fetches what the controller has and the log lacks."""
    script["settings"]["stations"][0]["controller"]["recover"] = True
    return script


def with_events(script):
    """The same world, whose agent takes all events of the controller."""
    del script["settings"]["stations"][0]["controller"]["events"]
    return script


KNOWN = {
    "the_only_outlet_is_renamed_while_it_is_behind_and_the_log_refuses": world(
        [A],
        (0.5, "make", 1, 20, 30),
        (4, "side", "a", "outage", 300000),
        (5, "make", 1, 200, 30),
        (14, "outlets", [B]),
        (14, "reload", 200),
        (20, "make", 1, 1, 30),
        blocks=6,
    ),
    "a_block_is_gone_and_the_file_has_what_comes_behind_it_when_the_power_goes": world(
        [TOOLSNET, {**A, "durable": False}],
        (0.6, "stale", 1, 1, True),
        (1.46, "worn_log", 1, 0),
        (1.46, "make", 1, 32, 129),
        (1.7, "side", "a", "outage", 300000),
        (7, "reload", 200),
        (64, "make", 1, 1, 30),
        blocks=8,
        unit=16,
    ),
    "a_file_is_emptied_and_another_name_leads_to_it": world(
        [TOOLSNET, {**B, "durable": False}, A, C],
        (1, "make", 1, 1, 100),
        (2, "forgets", "b", 0),
        (2, "cut", CUT),
        (3.5, "outlets", [C, {**B, "name": "b1", "durable": False}]),
        blocks=6,
        unit=16,
    ),
    "a_block_is_gone_whose_results_no_snapshot_has_counted_and_they_are_fetched": fetching(
        world(
            [TOOLSNET, HOOK],
            (0.245, "stale", 1, 5, False),
            (1, "off", {"dark_ms": 500, "orderly": True}),
            (2.5, "make", 1, 16, 385),
            (57.5, "make", 1, 1, 385),
            blocks=5,
        )
    ),
    "what_follows_a_refused_one_was_overwritten_unsent_and_an_answer_is_lost": world(
        [TOOLSNET, {**HOOK, "durable": False}],
        (1.5, "make", 1, 40, 30),
        (1.8, "refuse_content", 1, 1),
        (6, "make", 1, 25, 100),
        (6, "lose_05", 1),
        (12.7, "off", {"dark_ms": 1000, "orderly": True}),
        blocks=5,
        when_full="overwrite",
    ),
    "its_08_names_one_that_was_overwritten_while_toolsnet_was_not_configured": world(
        [TOOLSNET, FILE],
        (2, "make", 1, 5, 50),
        (4, "lose_05", 1),
        (4.1, "make", 1, 1, 50),
        (4.2, "outlets", [FILE]),
        (4.5, "cut", CUT),
        (7, "make", 1, 80, 50),
        (15, "outlets", [TOOLSNET, FILE]),
        (16, "reload", 20),
    ),
    "the_second_outlet_is_far_behind_and_the_first_becomes_durable": world(
        [{**A, "durable": False}, B],
        (1, "side", "a", "outage", 60000),
        (2, "make", 1, 20, 50),
        (4, "outlets", [A, B]),
        (5, "reload", 20),
    ),
    "toolsnet_comes_in_front_of_a_best_effort_outlet": world(
        [{**A, "durable": False}, B],
        (1, "side", "a", "outage", 60000),
        (2, "make", 1, 20, 50),
        (4, "outlets", [TOOLSNET, {**A, "durable": False}, B]),
        (5, "reload", 20),
    ),
    "the_first_of_two_goes_while_the_second_is_behind": world(
        [A, B],
        (2, "make", 1, 50, 50),
        (6, "forgets", "b", 0),
        (6.1, "reload", 20),
        (6.2, "side", "b", "outage", 60000),
        (7, "make", 1, 20, 50),
        (9, "outlets", [B]),
        (10, "reload", 20),
    ),
    "two_become_one_of_them_and_another": world(
        [A, B],
        (1, "side", "b", "outage", 60000),
        (2, "make", 1, 20, 50),
        (4, "outlets", [B, C]),
        (5, "reload", 20),
    ),
    "a_spool_is_moved_beside_a_webhook_and_a_broker": world(
        [TOOLSNET, HOOK, outlet("m", "mqtt")],
        (2, "make", 1, 20, 50),
        (4, "take_over", 1),
        (5, "off", {"orderly": True, "dark_ms": 500}),
        (7, "make", 1, 3, 50),
    ),
    "a_spool_is_moved_when_what_was_set_aside_is_dropped": world(
        [TOOLSNET, FILE],
        (2, "refuse_content", 1, 3),
        (2.1, "make", 1, 10, 50),
        (60, "drop_kept"),
        (70, "take_over", 1),
        (71, "off", {"orderly": True, "dark_ms": 500}),
        (75, "make", 1, 3, 50),
    ),
    "an_outlet_comes_to_a_small_log_with_a_worn_block": world(
        [TOOLSNET],
        (0, "worn_log", 1, 3),
        (2, "make", 1, 60, 50),
        (6, "side", "log", "outage", 300000),
        (6, "outlets", [TOOLSNET, FILE]),
        (7, "cut", CUT),
        (9, "make", 1, 20, 50),
    ),
    "outlets_come_to_a_log_of_eight_with_two_worn_blocks": world(
        [TOOLSNET],
        (0, "worn_log", 1, 3),
        (0, "worn_log", 1, 6),
        (2, "make", 1, 140, 30),
        (9, "outlets", [TOOLSNET, FILE, HOOK]),
        (10, "cut", CUT),
        (12, "make", 1, 20, 50),
        blocks=8,
    ),
    "a_block_reads_as_blank_behind_the_last_line_of_a_file": world(
        [TOOLSNET, FILE],
        (1, "stale", 1, 4, True),
        (2, "make", 1, 70, 30),
        (6, "outage", "toolsnet", "refusing", 60000, True),
        (6, "side", "log", "outage", 60000),
        (6.5, "make", 1, 20, 50),
        (10, "cut", CUT),
        (11, "make", 1, 2, 50),
        blocks=5,
    ),
    "what_was_left_out_is_told_by_a_start_that_a_cut_ends": world(
        [A],
        (2, "make", 1, 50, 50),
        (6, "off", {"orderly": True, "dark_ms": 500}),
        (7, "make", 1, 30, 50),
        (9, "outlets", [TOOLSNET, A]),
        (9.5, "cut", {**CUT, "again": [[3, "flash"]]}),
    ),
    "a_worn_block_is_taken_for_room_by_a_start": world(
        [TOOLSNET, {**outlet("b"), "durable": False}, HOOK],
        (0, "worn_log", 1, 0),
        (0, "side", "hook", "mute", 300000),
        (0, "make", 1, 10, 100),
        (0, "make", 1, 39, 30),
        (1.15, "cut", CUT),
        blocks=5,
        reconnect_s=60,
    ),
    "a_webhook_takes_results_and_its_answers_are_lost_while_the_log_goes_round": world(
        [TOOLSNET, {**HOOK, "durable": False}],
        (1, "side", "hook", "mute", 300000),
        (2, "make", 1, 60, 50),
    ),
    "the_flash_refuses_two_reads_while_a_repeat_is_looked_for": world(
        [TOOLSNET, FILE],
        (2, "make", 1, 15, 30),
        (4, "search_fails", 1, 2, 1),
        (4, "cut", {**CUT, "operations": 1, "kinds": "send", "within_ms": 5000}),
        (4.1, "make", 1, 3, 1),
        (12, "make", 1, 2, 400),
        replays=True,
        window=3,
    ),
    "overwritten_is_counted_for_what_toolsnet_has_and_a_cut_has_forgotten": world(
        [TOOLSNET],
        (2, "make", 1, 60, 30),
        (5, "outage", "toolsnet", "refusing", 60000, True),
        (5.2, "cut", CUT),
        (7, "make", 1, 60, 50),
        when_full="overwrite",
        exact=True,
    ),
    "a_file_comes_from_a_backup_that_ends_before_the_log_begins": world(
        [TOOLSNET, FILE],
        (2, "make", 1, 20, 30),
        (4, "make", 1, 70, 30),
        (9, "forgets", "log", 0.1),
        (10, "reload", 20),
    ),
    "toolsnet_was_emptied_and_the_agent_starts_again": world(
        [TOOLSNET],
        (2, "make", 1, 10, 50),
        (5, "empty"),
        (10, "make", 1, 3, 50),
        (20, "cut", CUT),
    ),
    "events_in_a_block_that_is_given_up_while_toolsnet_is_removed_and_may_have_more_than_is_known": with_events(
        world(
            [TOOLSNET, outlet("d", "mqtt")],
            (0, "outage", "toolsnet", "refusing", 20000, True),
            (1, "make", 1, 6, 100),
            *((1.1 + index / 20, "alarm", 1) for index in range(5)),
            (2.5, "make", 1, 24, 50),
            (5, "side", "d", "away", 600000),
            (6, "make", 1, 25, 50),
            (20.498, "outlets", [outlet("d", "mqtt")]),
            (20.5, "cut", {**CUT, "within_ms": 2000}),
            (25.5, "make", 1, 84, 50),
            (40.5, "outlets", [TOOLSNET, outlet("d", "mqtt")]),
            (40.502, "off", {"dark_ms": 1000, "orderly": True}),
            blocks=8,
        )
    ),
}

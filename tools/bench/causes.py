"""What once lost, doubled or held up results, each broken again on purpose in today's code, one place at a time.

`tools/bench/hunt.py` runs worlds with each of them. `fault` is the row of docs/faults.md, 0 for a rule of
docs/decisions.md; `test` finds the cause without any world.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.bench.mutation import Mutation
from tools.bench.mutations import BLOCKS, MOUNT, MUTATIONS, READER, RING

DOUBT = "agent/outlets/toolsnet/doubt.py"
FORWARD = "agent/outlets/toolsnet/forward.py"
INTAKE = "agent/intake.py"
KNOWN = "agent/openprotocol/known.py"
OUTLET = "agent/outlets/toolsnet/outlet.py"
POSITION = "agent/outlets/toolsnet/position.py"
SWEEP = "agent/outlets/toolsnet/sweep.py"
QUARANTINE = "agent/quarantine.py"
NEWEST = "agent/openprotocol/newest.py"
RECOVERY = "agent/openprotocol/recovery.py"
SEARCH = "agent/spool/search.py"
SESSION = "agent/openprotocol/session.py"
STATUS = "agent/status.py"
STORE = "agent/store.py"
UPSTREAM = "agent/outlets/toolsnet/upstream.py"


@dataclass(frozen=True)
class Cause(Mutation):
    """One of them."""

    fault: int
    test: str


def _of_the_spool(name: str, fault: int, test: str) -> Cause:
    """One that the spool's own list has."""
    return Cause(**vars(next(one for one in MUTATIONS if one.name == name)), fault=fault, test=test)


CAUSES = (
    Cause(
        "bound-outlives-its-block",
        READER,
        "                bound = cursor.bound = self.bound(cursor.block)\n",
        '                kept = self.__dict__.setdefault("kept", [-1, -1])\n'
        "                if kept[0] != cursor.block or kept[1] < 0:\n"
        "                    kept[:] = [cursor.block, self.bound(cursor.block)]\n"
        "                bound = cursor.bound = kept[1]\n",
        "where the records of a block end is remembered by the block's number, a lap long",
        1,
        "test_blocks.py::test_an_outage_that_begins_a_lap_later_in_the_block_where_one_lay_loses_nothing",
    ),
    _of_the_spool(
        "head-grants-always",
        2,
        "test_ring.py::test_a_head_grants_nothing_unless_results_go_out_as_they_come_or_no_other_block_is_free",
    ),
    _of_the_spool("limit-early", 2, "test_ring.py::test_a_cursor_record_that_was_refused_grants_nothing"),
    Cause(
        "base-of-an-empty-log-only",
        OUTLET,
        "        if not self._flags() & FLAG_MET:\n            done",
        "        if not self._flags() & FLAG_MET and not self.waits():\n            done",
        "results that wait when the server is first met keep the numbers that they have",
        2,
        "test_outlet.py::test_whatever_waits_when_the_server_is_first_met_follows_what_it_has",
    ),
    _of_the_spool("suspect-not-copied", 3, "test_spool_power_cut.py::test_a_cut_at_every_operation_loses_nothing"),
    _of_the_spool(
        "head-alone-counts",
        3,
        "test_spool_power_cut.py::test_a_last_record_that_fades_after_its_copy_was_cut_behind_a_whole_head_leaves_no_trace",
    ),
    _of_the_spool(
        "last-result-applied",
        3,
        "test_spool_power_cut.py::test_a_fetched_result_that_fades_after_its_copy_was_cut_behind_a_whole_head_is_missing_still",
    ),
    Cause(
        "confirm-not-looked-at",
        RING,
        "        if self.suspect and not self._confirming and self._stays_suspect(spare, length):\n"
        "            return SPOOL_FAILED if self.is_free(1) else SPOOL_FULL\n",
        "        if self.suspect and not self._confirming:\n            self.confirm(spare)\n",
        "records follow one that could not be written once more",
        4,
        "test_ring.py::test_nothing_is_written_behind_a_last_record_that_could_not_be_written_once_more",
    ),
    Cause(
        "repeat-of-the-unconfirmed",
        STORE,
        "        if self.ring.suspect:\n            return NOT_KEPT\n",
        "",
        "a repeat is acknowledged though what the log holds of it may fade",
        4,
        "test_store.py::test_repeat_of_a_suspect_result_is_not_acknowledged_while_it_cannot_be_written_again",
    ),
    Cause(
        "allow-not-looked-at",
        FORWARD,
        "        if not outlet.allow(number):\n",
        "        if not outlet.allow(number) and False:\n",
        "a batch goes out though the log does not say that it may",
        4,
        "test_outlet.py::test_nothing_goes_out_beyond_what_a_refusing_flash_holds_and_nothing_counts_as_delivered",
    ),
    Cause(
        "sweep-not-looked-at",
        OUTLET,
        "                if self.ring.can_write():\n                    return False\n                # With no room",
        "                # With no room",
        "what is behind a refused result goes out though the log does not say so",
        4,
        "test_outlet.py::test_nothing_goes_out_beyond_what_a_refusing_flash_holds_and_nothing_counts_as_delivered",
    ),
    Cause(
        "base-not-looked-at",
        OUTLET,
        "        return ring.commit_memory() == 0\n\n    def _put_base",
        "        ring.commit_memory()\n        return True\n\n    def _put_base",
        "results go out under a base that the flash refused",
        4,
        "test_outlet.py::test_a_meeting_that_cannot_be_written_down_lets_nothing_go_out",
    ),
    Cause(
        "cursor-not-looked-at",
        BLOCKS,
        "        if not self._move_on(block) or self._save_passed(block) != FLASH_DONE:\n",
        "        if not self._move_on(block) or self._save_passed(block) == 1:\n",
        "a block is erased though the cursor that passed it could not be saved",
        4,
        "test_blocks.py::test_a_block_is_not_erased_while_the_cursor_that_passed_it_cannot_be_saved",
    ),
    Cause(
        "full-quarantine-stops",
        POSITION,
        "not self._passes_again() and not self._leave_in_place(before, reason, now, is_taken)\n",
        "not self._passes_again()\n",
        "what finds no room in the quarantine holds up all behind it",
        5,
        "test_quarantine.py::test_seventy_unreadable_frames_do_not_keep_five_good_results_from_arriving",
    ),
    Cause(
        "taken-not-remembered",
        SWEEP,
        "        if code != SET_ASIDE:\n            self._hold.start(now, 0 if code == SET_SOME else RETRY_MS)\n",
        "        if code != SET_ASIDE:\n            self._taken = 0\n            self._hold.start(now, RETRY_MS)\n",
        "a result that was taken goes out again while those in front of it cannot be set aside",
        5,
        "test_outlet.py::test_a_result_taken_by_a_sweep_is_delivered_only_when_those_before_it_are_set_aside",
    ),
    Cause(
        "sweep-of-one",
        SWEEP,
        "reach = self._reach = (reach if reach < most else most) or 1\n",
        "reach = self._reach = 1\n",
        "only the next one is tried behind a refused result",
        6,
        "test_forward.py::test_refused_results_in_a_row_are_passed_kept_and_the_good_ones_behind_arrive",
    ),
    Cause(
        "parts-taken-one-by-one",
        SESSION,
        "        found = self._linked.take(self.link, mid, cut_short)\n",
        "        found = linked.PART_NONE\n",
        "each part of a linked message is taken for a whole one",
        7,
        "test_linked.py::test_result_in_parts_is_one_result_as_if_it_had_come_in_one_frame",
    ),
    Cause(
        "repeat-by-id-and-time",
        SEARCH,
        "    for index in range(len(_FIELDS) - 1):\n",
        "    for index in range(0):\n",
        "two tightenings of one ID and second are one, whatever their values",
        8,
        "test_store.py::test_same_id_and_second_with_another_vin_or_value_is_another_tightening",
    ),
    Cause(
        "repeat-by-id",
        SEARCH,
        "    if not (flags | other_flags) & FLAG_EDGE_TIME and compare(",
        "    if False and compare(",
        "two tightenings of one ID are one if their values agree, whatever their times",
        8,
        "test_store.py::test_same_id_with_another_time_is_another_tightening",
    ),
    Cause(
        "blank-is-new",
        KNOWN,
        "        if not all_digits(body, at, ID_BYTES):\n            return VERDICT_LOOK\n        number",
        "        if not all_digits(body, at, ID_BYTES):\n            return VERDICT_NEW\n        number",
        "a result without an ID is new each time",
        8,
        "test_known.py::test_result_without_an_id_is_looked_for_and_changes_nothing",
    ),
    Cause(
        "gap-too-many",
        KNOWN,
        "        if not may or self._waits(number):\n",
        "        if self._waits(number):\n",
        "a gap that cannot be noted any more pushes the oldest one out",
        8,
        "test_store.py::test_more_gaps_than_are_noted_in_a_small_log_that_goes_round_store_nothing_twice",
    ),
    Cause(
        "copy-waits-for-room",
        RING,
        "        self._confirming = self.urgent = True\n",
        "        self._confirming = True\n",
        "the last record that a start found needs a block that only it could free",
        9,
        "test_blocks.py::test_three_blocks_go_on_after_a_refused_head_and_starts_that_could_confirm_nothing",
    ),
    Cause(
        "open-at-once-unseen",
        UPSTREAM,
        "        if self._opening and self.port.state() != PORT_OPENING:\n            self._look_at_opening(now)\n",
        "",
        "a connection that is open at once waits for the time of one that does not open",
        10,
        "test_forward.py::test_step_that_opens_a_server_next_door_needs_nobody_to_wake_it",
    ),
    Cause(
        "overwritten-forgotten",
        MOUNT,
        "    ring.overwritten = get_u32(page, at + rec.AT_OVERWRITTEN)\n",
        "",
        "how many were overwritten begins anew with each start",
        11,
        "test_restart.py::test_what_was_overwritten_is_still_counted_after_a_start",
    ),
    Cause(
        "delivered-is-not-waiting",
        STATUS,
        '    shown["delivered"] = ring.cursors[0].delivered\n',
        '    shown["delivered"] = ring.number - ring.backlog(0)\n',
        "what was set aside counts as delivered",
        11,
        "test_restart.py::test_every_count_of_results_says_after_a_start_what_it_said_before",
    ),
    Cause(
        "gap-closed-in-memory",
        INTAKE,
        "        if kept == NOT_KEPT or (kept == KEPT_BEFORE and not recovery.kept(CLOSED_KEPT)):\n",
        "        recovery.known.gaps.cut(int(bytes(recovery.ask_id)), 1 if kept == KEPT_BEFORE else 0)\n"
        "        if kept == NOT_KEPT:\n",
        "what the log already holds closes its gap until the next start only",
        13,
        "test_intake.py::test_what_the_log_holds_already_is_fetched_once_and_not_at_each_start",
    ),
    Cause(
        "kept-twice",
        QUARANTINE,
        "        if number <= self.last_kept():\n            from",
        "        if number < 0:\n            from",
        "what was kept and not passed durably is kept again at each start",
        14,
        "test_quarantine.py::test_every_record_lies_in_one_of_the_two_places_wherever_power_fails",
    ),
    Cause(
        "fetched-without-room",
        INTAKE,
        "        kept = self.store.put_fetched(now)\n        if kept == NOT_KEPT or (",
        "        kept = self.store.put_fetched(now)\n        if (kept == NOT_KEPT and not recovery.kept(0)) or (",
        "an ID is passed over if there is no room for its result",
        15,
        "test_intake.py::test_fetched_result_that_the_flash_refuses_once_is_asked_for_again_in_its_order",
    ),
    Cause(
        "stop-spins",
        INTAKE,
        "            if self.stopping:\n                return FOREVER\n",
        "            if self.stopping:\n                return 0\n",
        "a station that has left does not let the others sleep",
        16,
        "test_intake.py::test_orderly_stop_of_two_stations_sends_both_goodbyes_and_does_not_spin",
    ),
    Cause(
        "goodbye-overtakes",
        SESSION,
        "        if self.request.asked == 0 or self.request.unsent:\n            self._leave()\n",
        "        self._leave()\n",
        "MID 0003 goes out before what was asked is answered",
        16,
        "test_openprotocol_session.py::test_stop_waits_for_the_answer_to_what_is_out_and_hands_it_on",
    ),
    Cause(
        "witness-not-heard",
        NEWEST,
        "        if witness and (looks or is_ahead(newest, witness)):",
        "        if witness and looks:",
        "a controller that counts anew past its old highest ID is taken for the same one",
        16,
        "test_recovery.py::test_reset_that_counts_past_the_old_highest_id_has_all_its_lower_ones_fetched",
    ),
    _of_the_spool("trusts-the-tail", 0, "test_spool_power_cut.py::test_a_cut_at_every_operation_loses_nothing"),
    _of_the_spool(
        "acknowledged-before-program",
        0,
        "test_ring.py::test_a_device_that_refuses_is_no_success_and_what_it_wrote_does_not_count",
    ),
    _of_the_spool(
        "spare-not-kept", 0, "test_blocks.py::test_results_leave_one_block_free_and_two_where_there_are_many"
    ),
    _of_the_spool("cursor-ahead", 0, "test_forward.py::test_cursor_moves_only_after_the_05"),
    _of_the_spool("not-applied", 0, "test_ring.py::test_what_is_remembered_changes_by_committed_records_only"),
    _of_the_spool(
        "failed-block-not-passed", 0, "test_ring.py::test_numbers_in_a_block_that_cannot_be_erased_are_not_given_again"
    ),
    Cause(
        "gone-at-silence",
        RECOVERY,
        "        elif kind != replies.REFUSED_GONE:\n            self._again(now)\n",
        "",
        "any refusal closes an ID, not only 15",
        0,
        "test_recovery.py::test_any_other_refusal_leaves_the_id_open_and_the_order_as_it_is",
    ),
    Cause(
        "passed-before-kept",
        POSITION,
        "            if code > 0:\n                ring.advance(OUTLET)\n",
        "            ring.advance(OUTLET)\n            if code > 0:\n",
        "a refused result is passed though it could not be kept",
        0,
        "test_quarantine.py::test_seventy_unreadable_frames_do_not_keep_five_good_results_from_arriving",
    ),
    Cause(
        "08-not-believed",
        OUTLET,
        "                done = self._take_as_stored(reached, now)\n",
        "                done = True\n",
        "what the server says to have and was not acknowledged goes out again",
        0,
        "test_forward.py::test_05_lost_with_the_connection_is_learned_from_the_08_and_nothing_is_repeated",
    ),
    Cause(
        "08-believed-too-far",
        OUTLET,
        "            elif cursor.number < reached <= self.may_have:\n",
        "            elif cursor.number < reached:\n",
        "an 08 beyond what was sent skips what was never sent",
        0,
        "test_forward.py::test_server_ahead_of_all_that_was_sent_skips_nothing",
    ),
    Cause(
        "doubt-believed",
        DOUBT,
        "        return PARKED_IN_DOUBT\n",
        "        return 0\n",
        "what was sent in front of one that the 08 names counts as stored, whether its answer was read or not",
        0,
        "test_window.py::test_every_fate_of_every_result_in_a_window_of_three",
    ),
    Cause(
        "window-not-told",
        DOUBT,
        "self._flags() & ~FLAG_SWEEP | FLAG_WINDOW)",
        "self._flags() & ~FLAG_SWEEP)",
        "the log does not say that several results are out, so a connection's end leaves no doubt",
        0,
        "test_window.py::test_log_says_that_the_window_is_open_before_a_second_result_goes_out_and_when_it_is_shut",
    ),
)

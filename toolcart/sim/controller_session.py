"""One connection to the simulated controller: answers as the documents say, checks every byte it receives.

Rules:
1. Before 0001 and after 0003 nothing but 0001 is answered (OP 5.2.1 p. 70, 5.2.3 p. 73).
2. Each 0061 sent is owed one 0062, in order, even if sent again: 0062 carries no ID, so only the order
   tells them apart.
3. A breach is a complaint and the message is ignored; the connection stays open, unless nothing came for 15 s.
   Oddities of a header are not breaches.
"""

from toolcart.agent.base.ticks import FOREVER, ticks_add, ticks_diff
from toolcart.base.octets import digits_only
from toolcart.sim import controller_frames as frames
from toolcart.sim.controller_events import EventSubscriptions
from toolcart.sim.controller_link import REFUSED, UNANSWERED, UNNUMBERED, VOID_WHEN_NUMBERED, ControllerLink
from toolcart.sim.link_level import NumberedReceiver, NumberedSender
from toolcart.sim.pending_acknowledgement import PendingAcknowledgement

PORTABLE = True

RESULT = "0061"
GENERIC_MIDS = (6, 8, 9)  # what each asks for is the MID that it names


def rows(inherited, others):
    """Return rows of ANSWERS with others, of the same MIDs or more."""
    made = dict(inherited)
    made.update(others)
    return made


class ControllerSession(ControllerLink):
    """See the module; made by Controller.endpoint()."""

    # Which method answers a message: by its MID, and where it is a generic one by the MID that it names as well.
    ANSWERS = {
        1: "_start",
        3: "_stop",
        10: "_send_psets",
        12: "_send_pset",
        30: "_send_jobs",
        40: "_send_tool",
        60: "_subscribe",
        62: "_take_acknowledgement",
        63: "_unsubscribe",
        64: "_take_fetch",
        80: "_send_time",
        82: "_set_time",
        9997: "_take_numbered_acknowledgement",
        9998: "_take_numbered_rejection",
        9999: "_mirror",
    }
    # The same of a controller that has curves.
    ANSWERS_OF_CURVES = {
        5: "_take_curve_acknowledgement",
        (8, 900): "_take_curve_request",
        (8, 901): "_take_curve_request",
        (9, 900): "_take_curve_request",
        (9, 901): "_take_curve_request",
    }

    def __init__(self, controller):
        super().__init__(controller)
        self.started = False
        self.stopped = False
        self.result_revision = 0  # 0: no subscription
        self._left_revision = 0  # of what the session before has left
        self.event_subscriptions = EventSubscriptions(self)  # for everything but results
        self.unsent = []  # results for this subscriber, oldest first
        self.waiting = []  # the PendingAcknowledgement of each result that waits for its 0062, oldest first
        self.owed = []  # ids of the 0061 sent, one for each 0062 that may come
        self.unacknowledged = False  # the subscription wants no 0062
        self._no_ack = False  # the flag of the current message
        self._is_blank = False  # the revision of the current message
        self._repeats = []  # (due, times left, result)
        self._received_at = 0
        self.link_number = b"  "  # of the current message
        self._count_received = 0
        self._drop_received = 0
        self._answers = self.ANSWERS
        self.tracing = None
        if self.options.traces:
            from toolcart.sim.controller_traces import Tracing  # small stacks run this too, and few tests need it

            self.tracing = Tracing(self)
            self._answers = rows(self.ANSWERS, self.ANSWERS_OF_CURVES)

    # Endpoint

    def connected(self, now):
        super().connected(now)
        self._received_at = now
        self.controller.sessions.append(self)
        if self.options.drop_after_received:
            self._drop_received = self.options.drop_after_received.pop(0)
        if self.options.drop_after_sent:
            self.drop_sent = self.options.drop_after_sent.pop(0)

    def disconnected(self, now):
        super().disconnected(now)
        if self in self.controller.sessions:
            self.controller.sessions.remove(self)
            self._leave_unacknowledged()
            if self.started:
                self.controller.note_left()

    def tick(self, now):
        # A simulation asks at each of its steps: what there is nothing of is not looked at.
        wait = self.release(now) if self._later else FOREVER
        if self.ends.armed and self.ends.expired(now):
            self.close(REFUSED)
        if self.wants_close or not self.alive or self.options.silent:
            return wait
        left = ticks_diff(ticks_add(self._received_at, self.options.silence_ms), now)
        if left <= 0:
            if self.options.blame_silence and not self.excused:
                self.complain("nothing was sent for %d ms" % self.options.silence_ms)
            self.close("controller: integrator was silent")
            return FOREVER
        self._push(now)
        wait = self.ends.least(now, left if left < wait else wait)
        wait = min(wait, self._watch_acknowledges(now))
        if self.numbers is not None:
            wait = min(wait, self.numbers.watch(now))
        if self._repeats and not self.wants_close:
            wait = min(wait, self._send_repeats(now))
        if self.tracing is not None and not self.wants_close:
            wait = min(wait, self.tracing.tick(now))
        return wait if wait > 0 else 0

    # For the controller

    def offer(self, result):
        """Push a new result if there is a subscription."""
        if self.result_revision and self.alive:
            self._queue(result)
            if self.options.repeat:
                due = ticks_add(self.controller.clock.now, self.options.repeat_every_ms)
                self._repeats.append([due, self.options.repeat, result])
        if self.tracing is not None and self.alive:
            self.tracing.offer(result)

    # Messages

    def message(self, frame, now):
        if not digits_only(frame[4:8]):
            self.malformed("MID is not four digits")
            return
        mid = int(frame[4:8])
        messages = self.controller.messages
        messages[mid] = messages.get(mid, 0) + 1
        self._received_at = now
        self.link_number = frame[16:18]
        self._count_received += 1
        if self._count_received == self._drop_received:
            self.close("controller: drops after message %d" % self._count_received)
            return
        read = self.read_header(frame, mid)
        if read is None or self.options.silent:
            return
        if mid != 1 and not self.started:
            self.complain("%04d %s 0001" % (mid, "after 0003 and before" if self.stopped else "before"))
            return
        if self.numbers is not None and mid in VOID_WHEN_NUMBERED:
            self.complain("%04d though messages are numbered" % mid)
            return
        if self.numbers is None and mid in (9997, 9998):
            self.complain("%04d though messages are not numbered" % mid)
            return
        number = self.link_number
        if self.numbers is not None and mid != 1 and mid not in UNNUMBERED and digits_only(number) and number != b"00":
            if not self.received_numbers.admits(int(number), mid):
                return
        if self.options.blank_revision_only and frame[8:11] != b"   " and mid not in UNNUMBERED:
            if mid in UNANSWERED:
                self.complain("%04d with a revision" % mid)
            else:
                self.refuse(mid, 97)
            return
        self._is_blank = frame[8:11] == b"   "
        if not self._refused(mid):
            self._no_ack = frame[11:12] == b"1" and self.numbers is None and self.options.no_ack
            self._answer(mid, read[0], read[1], now)

    def accepts_refusals(self, mid):
        return (self.started or mid == 1) and not self.options.silent

    def _refused(self, mid):
        """Answer as the options' refusals say; True if that was all."""
        options = self.options
        code = options.refuse.get(mid, -1)
        for index in range(len(options.refuse_once)):
            if options.refuse_once[index][0] == mid:
                code = options.refuse_once.pop(index)[1]
                break
        if mid in options.unknown_mids:
            code = 99
        if code == -1:
            return False
        if code is not None and mid not in UNANSWERED:
            self.refuse(mid, code)
        return True

    # Answers

    def _answer(self, mid, revision, text, now):
        """Do what the row of this message says; what has none is about events, or is not known."""
        named = int(text[:4]) if mid in GENERIC_MIDS and digits_only(text[:4]) else 0
        method = self._answers.get((mid, named) if named else mid)
        if method is not None:
            getattr(self, method)(mid, revision, text, now)
        elif not self.event_subscriptions.handles(mid, revision, text) and mid not in UNANSWERED:
            self.refuse(mid, 99)

    def parse_request(self, mid, text):
        """Return MID, revision and extra data of a 0006, 0008 or 0009; if it has none, complain and return None."""
        if digits_only(text[:9]) and len(text) == 9 + int(text[7:9]):
            return int(text[:4]), int(text[4:7]), text[9:]
        return self.complain("%04d: %s" % (mid, text))

    def _start(self, mid, revision, text, now):
        options = self.options
        is_busy = self.controller.clients(self) >= options.max_clients
        is_unknown = revision not in options.start_revisions
        if self.rejects(1, (is_busy, options.busy_code), (is_unknown, options.start_refusal_code)):
            return
        self.started = True
        self.stopped = False
        revision = options.answer_start_revision or revision
        numbered = revision >= 6 and self.controller.identity.sequence_numbers == 1
        self.numbers = NumberedSender(self) if numbered else None
        self.received_numbers = NumberedReceiver(self) if numbered else None
        self.say(2, revision, frames.start_data(self.controller.identity, revision, options.before_2_7, options.pad))
        left, self.controller.unacknowledged = self.controller.unacknowledged, []
        for left_revision, result in left:
            self._left_revision = left_revision
            self.waiting.append(PendingAcknowledgement(self, RESULT, self._send_result, result, now))

    def _stop(self, mid, revision, text, now):
        self.accept(3)
        if self.tracing is not None:
            self.tracing.ended()
        self.started = False
        self.stopped = True
        self._leave_unacknowledged()
        self.end_subscription()
        self.owed = []
        self.event_subscriptions.leave()

    def _take_curve_request(self, mid, revision, text, now):
        self.tracing.handle_request(mid, text)

    def _take_curve_acknowledgement(self, mid, revision, text, now):
        self.tracing.acknowledged(text, now)

    def _subscribe(self, mid, revision, text, now):
        options = self.options
        exists = self.result_revision and not options.accepts_again
        is_unknown = revision not in options.result_revisions and not (self._is_blank and options.blank_results)
        if self.rejects(60, (exists, 9), (is_unknown, options.result_refusal_code)):
            return
        self.result_revision = options.pushed_revision or revision
        self.unacknowledged = self._no_ack
        if options.push_last_result and self.controller.latest() is not None:
            self._queue(self.controller.latest())
        if not options.push_instead_of_answer:
            self.accept(60)

    def _unsubscribe(self, mid, revision, text, now):
        if not self.rejects(63, (not self.result_revision, 10)):
            self.end_subscription()
            self.accept(63)

    def _leave_unacknowledged(self):
        """Leave what was pushed and not acknowledged to the next session."""
        if self.options.push_unacknowledged:
            self.controller.unacknowledged += [(self.pushed_revision(), one.item) for one in self.waiting]
            self.waiting = []

    def end_subscription(self):
        """Push no more results; whoever subscribed is not told."""
        self.result_revision = 0
        self.unsent = []
        self.waiting = []
        self._repeats = []

    def _take_fetch(self, mid, revision, text, now):
        self._recover(revision, int(text[:10]))

    def _recover(self, revision, tightening_id):
        """Answer 0064; ID 0 means the latest (OP 5.8.5 p. 146)."""
        options = self.options
        controller = self.controller
        find = controller.newest_at_or_below if options.answers_below else controller.result
        if tightening_id and options.ids_higher == "kept":
            tightening_id -= options.ids_off_by
            result = find(tightening_id) if tightening_id > 0 else None
        else:
            result = controller.latest() if tightening_id == 0 else find(tightening_id)
        if not self.rejects(64, (revision not in options.recover_revisions, 97), (result is None, 15)):
            controller.note_fetched(result.tightening_id, tightening_id != 0)
            self._say_old(result, options.answer_recover_revision or revision)

    def _say_old(self, result, revision, spindle=None):
        options = self.options
        instead = options.fetched_as
        if options.ids_higher != "no":
            instead = dict(instead, tightening_id=(result.tightening_id + options.ids_off_by) % 2**32)
        octets = frames.old_result_data(result, revision, options.pad, instead)
        self.say(65, revision, octets, None, spindle)

    def _send_psets(self, mid, revision, text, now):
        numbers = sorted(self.controller.psets)
        self.say(11, 1, ("%03d" % len(numbers) + "".join(["%03d" % one for one in numbers])).encode())

    def _send_pset(self, mid, revision, text, now):
        pset = self.controller.psets.get(int(text))
        if not self.rejects(12, (revision not in self.options.pset_data_revisions, 97), (pset is None, 2)):
            self.say(13, revision, frames.parameters(frames.PSET[revision], pset, self.options.pad))

    def _send_jobs(self, mid, revision, text, now):
        """Answer 0030: every job that 0038 takes (OP 5.5.2 p. 109-110)."""
        if not self.rejects(30, (revision not in (1, 2), 97)):
            width = 2 * revision
            numbers = [len(frames.JOBS)] + list(frames.JOBS)
            self.say(31, revision, b"".join([frames.field(number, width) for number in numbers]))

    def _send_tool(self, mid, revision, text, now):
        self.say(41, 1, frames.parameters(frames.TOOL_1, self.controller.identity, self.options.pad))

    def _send_time(self, mid, revision, text, now):
        self.say(81, 1, self.controller.stamp().encode())

    def _set_time(self, mid, revision, text, now):
        if self.controller.set_clock(text):
            self.accept(82)
        else:
            self.refuse(82, 1)

    def _take_numbered_acknowledgement(self, mid, revision, text, now):
        settled = self.numbers.acknowledged(int(self.link_number), int(text))
        if settled is not None:
            self.controller.note_acknowledged(settled)

    def _take_numbered_rejection(self, mid, revision, text, now):
        self.numbers.refused(int(self.link_number), int(text[4:]), now)

    def _mirror(self, mid, revision, text, now):
        how = self.options.keepalive
        if how == "mirror":
            self.say(9999, 1, b"")
        elif how == "blank":
            self.deliver(b"00209999            ")
        elif how == "refuse":
            self.refuse(9999, 99)

    # Results

    def _take_acknowledgement(self, mid, revision, text, now):
        if not self.owed:
            self.complain("0062 without an outstanding 0061")
            return
        tightening_id = self.owed.pop(0)
        code = self.options.ack_refusal_code
        if self.rejects(62, (code, code)):
            return
        self.controller.note_acknowledged(tightening_id)
        for index in range(len(self.waiting)):
            if self.waiting[index].item.tightening_id == tightening_id:
                self.waiting.pop(index)
                break
        self._push(now)

    def _queue(self, result):
        """Have this result sent when its turn comes."""
        self.unsent.append(result)

    def _push(self, now):
        """Send as many results as the window allows; numbered ones wait in their own queue."""
        while self.numbers is not None and self.unsent and self.alive:
            self._say_result(self.unsent.pop(0))
        while self.unacknowledged and self.unsent and self.alive and not self.wants_close:
            self._say_result(self.unsent.pop(0))
        while self.unsent and len(self.waiting) < self.options.window and self.alive and not self.wants_close:
            self.waiting.append(PendingAcknowledgement(self, RESULT, self._send_result, self.unsent.pop(0), now))

    def _send_result(self, result):
        self.owed.append(result.tightening_id)
        self._say_result(result)

    def _say_result(self, result):
        self.say(61, self.pushed_revision(), self._data_of(result), result.tightening_id)

    def pushed_revision(self):
        return self.result_revision or self._left_revision

    def _data_of(self, result):
        return frames.result_data(result, self.pushed_revision(), self.options.pad, self.options.pushed_as)

    def _watch_acknowledges(self, now):
        """Send again what was not acknowledged in time, finally close; return ms until the next check."""
        wait = FOREVER
        for sent in self.waiting:
            wait = min(wait, sent.watch(now))
            if self.wants_close or not self.waiting:
                return FOREVER
        return wait

    def give_up(self, what):
        """Close, or push no more results if the options say so."""
        if what == RESULT and self.options.gives_up != "closes":
            self.end_subscription()
        else:
            super().give_up(what)

    def _send_repeats(self, now):
        wait = FOREVER
        for repeat in list(self._repeats):
            left = ticks_diff(repeat[0], now)
            if left <= 0:
                repeat[0] = ticks_add(now, self.options.repeat_every_ms)
                repeat[1] -= 1
                if repeat[1] <= 0:
                    self._repeats.remove(repeat)
                self._send_result(repeat[2])
                left = self.options.repeat_every_ms
            wait = min(wait, left)
        return wait

"""A client of one controller: `async with connect(host) as controller`, built on the agent's session machine.

Rules
1. It connects, starts the session in the first revision that the controller accepts, keeps it alive, ends it with MID
   0003, and connects again after a loss: after `pause_s`, twice as long each time up to `pause_most_s`, or after
   `busy_pause_s` if the controller's slots are taken; up to a quarter longer, so that many do not come at once. It
   subscribes again to everything that was subscribed to.
2. A request waits for the connection and for its answer, `timeout` in all; it is sent once. One is outstanding at a
   time, as the protocol wants it, so callers take turns; one whose caller has gone keeps its turn for as long as an
   answer may come.
3. A topic is subscribed to while it is read (toolcart.client.stream), and ended with MID 0063 or the like afterwards.
   If that is not answered, the connection is ended: another one begins without the topic.
4. Nothing is acknowledged automatically: a result that is not acknowledged explicitly may come again, and one that was
   acknowledged by leaving a loop's body would be lost with the exception that ended it.
"""

import asyncio
import contextlib
import errno
import functools
import logging
import random
import socket
from datetime import date, datetime
from typing import Any

from toolcart import catalogue
from toolcart.agent.link.header_layouts import header_of
from toolcart.agent.linux.mid0900 import TraceSubscription
from toolcart.agent.openprotocol.link_level_send import LinkLevelSender
from toolcart.agent.openprotocol.requests import FLAGGED_FIRST
from toolcart.agent.openprotocol.session import Session
from toolcart.agent.openprotocol.session_states import WHY_BUSY, WHY_NOTHING, WHY_STOPPED
from toolcart.agent.openprotocol.subscriptions import NAMED, UNSUBSCRIBE_MID, Subscription
from toolcart.client.connection_event import Connection
from toolcart.client.conversation import CLOSED, LOGGER, Conversation
from toolcart.client.errors import ConnectionLost, NotSent, OptionError, Refused, StateError, Unanswered, WrongAnswer
from toolcart.client.gap_fill import GapFill
from toolcart.client.options import CURVES, Options, not_empty, one_of, seconds_of, whole
from toolcart.client.requests import check_request
from toolcart.client.stream import Stream, Topic
from toolcart.client.topics import TOPICS
from toolcart.client.traffic import Traffic

BUFFER_BYTES = 131072  # a message in nine parts has 89,841, and the next one may be behind it
MESSAGE_BYTES = 9999
CONNECT_TIMEOUT_S = 5.0
_STOP_WAIT_MS = 1000
_EVENTS_KEPT = 100
_ID_MOST = 9999999999  # ten digits
_NOT_ENTERED = "this client is not connected yet: use it inside `async with`"
# What waiting does not change: a first connection that fails so is not tried again.
_AT_ONCE = (errno.ECONNREFUSED, errno.ENOENT, errno.ENOTDIR, errno.EACCES)


class Controller:
    """One controller. Made by `connect` or `connect_serial`, and used with `async with`, once or several times.

    >>> import asyncio, toolcart
    >>> async def name(host, port):
    ...     async with toolcart.connect(host, port) as controller:
    ...         return controller.started["controller_name"]
    >>> with toolcart.simulated.controller(identity={"controller_name": "line 3"}) as simulated:
    ...     asyncio.run(name(simulated.host, simulated.port))
    'line 3'
    """

    def __init__(self, make_link, open_line, where: str, options: Options) -> None:
        self.timeout = options.timeout
        self._started: catalogue.Message | None = None
        self._make_link = make_link
        self._open_line = open_line
        self._where = where
        self._options = options
        self._task: asyncio.Task | None = None
        self._conversation: Any = None  # a Conversation, from the first `async with` on
        self._gaps: GapFill | None = None  # from then on

    def __repr__(self) -> str:
        is_left = self._task is None or self._leaving.is_set()
        state = "not entered" if is_left else "connected" if self._is_found else "not connected"
        return f"<Controller {self._where}, {state}>"

    def _begin(self) -> None:
        """Make what belongs to one `async with`, and to the loop that it runs in."""
        options = self._options
        self._started = None
        self._topics: dict[str, Topic] = {}
        self._extents: dict[str, tuple[int, int]] = {}  # of a topic's subscriptions: first, one past the last
        self._listeners: list[Topic] = []
        self._is_found = False
        self._last_reason = ""  # why there is no connection
        self._hopeless = ""  # why it makes no sense to try the first connection again
        self._leaving = asyncio.Event()
        self._turn = asyncio.Lock()
        self._first = asyncio.get_running_loop().create_future()
        places: list[Topic] = []  # by the place of a subscription
        session = self._session(self._subscriptions(places))
        self._conversation = Conversation(
            session, places, self._note_start, self._note_ready, Traffic(self._where), options.scaled
        )
        seconds = min(options.timeout, options.response_s)
        self._gaps = GapFill(self._conversation, self.old_result, seconds, self._gaps)
        self._topics["results"].fill = self._gaps

    def _session(self, subscriptions: tuple) -> Session:
        options = self._options
        starts = tuple(options.start_revisions)
        link = self._make_link()
        link.header = header_of(options.header)
        session = Session(
            link,
            subscriptions,
            start_revisions=(6, *(one for one in starts if one != 6)) if options.link_level else starts,
            keepalive_ms=int(options.keep_alive_s * 1000),
            response_timeout_ms=int(options.response_s * 1000),
            silence_ms=int(options.silence_s * 1000),
            stop_wait_ms=_STOP_WAIT_MS,
        )
        if options.link_level:
            session.link_level_send = LinkLevelSender()
        session.station_id, session.spindle_id = options.station, options.spindle
        return session

    def _subscriptions(self, places: list[Topic]) -> tuple:
        options = self._options
        all_subscriptions: list[Subscription] = []

        def add(name, subscriptions):
            topic = self._topics[name] = Topic(self._check_loop, self._subscribe, self._unsubscribe, name)
            self._extents[name] = len(all_subscriptions), len(all_subscriptions) + len(subscriptions)
            places.extend([topic] * len(subscriptions))
            all_subscriptions.extend(subscriptions)

        revisions = {name: tuple(wanted) for name, wanted in (options.revisions or {}).items()}
        for name, rows in TOPICS.items():
            add(name, [Subscription(definition, revisions.get(name, usual)) for definition, usual in rows])
        add("curves", [TraceSubscription([CURVES[name] for name in options.curves])])
        for name, (subscribe, end, pushes) in (options.also or {}).items():
            definition = (subscribe, end, 0, b"", False, tuple(tuple(push) for push in pushes))
            add(name, [Subscription(definition, revisions.get(name, (1,)))])
        for subscription in all_subscriptions:
            subscription.wanted = False
        return tuple(all_subscriptions)

    # -- the connection ------------------------------------------------------------------------------------------

    async def __aenter__(self) -> "Controller":
        """Connect and begin the session; ConnectionLost if none stands within `timeout` seconds."""
        while self._task is not None:  # two may wait for its end
            await self._wait_for_end(self._task)
        self._begin()
        self._task = asyncio.create_task(self._stay_connected())
        reason = ""
        try:
            async with asyncio.timeout(self.timeout):
                while not self._is_found:
                    reason = await asyncio.shield(self._first) or reason
                    if self._hopeless:
                        raise ConnectionLost(self._hopeless)
                    if not self._is_found:
                        self._first = asyncio.get_running_loop().create_future()
        except TimeoutError:
            reason = reason or self._conversation.what_came() or "no answer"
            await self.close()
            raise ConnectionLost(f"no session within {self.timeout:g} s: {reason}") from None
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def close(self) -> None:
        """End the session in order, with MID 0003, and close the connection: what leaving `async with` does."""
        task = self._task
        if task is None:
            return
        conversation = self._conversation
        conversation.check_loop()
        if not self._leaving.is_set():
            self._leaving.set()
            conversation.stop()
            try:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(2 * _STOP_WAIT_MS / 1000):
                        await asyncio.shield(conversation.over) if self._is_found else None
            finally:  # also where whoever waits here is cancelled: what has begun is ended
                task.cancel()
                conversation.lost(CLOSED)
                conversation.free.set()  # who waits for a turn sees that there is none any more
                for topic in [*self._topics.values(), *self._listeners]:
                    topic.end()
        await self._wait_for_end(task)

    async def _wait_for_end(self, task: asyncio.Task) -> None:
        """Wait until the session that is being left has ended; StateError if none is, or not in this loop."""
        if not task.get_loop().is_closed():  # else nothing of it runs any more
            if not self._leaving.is_set():
                raise StateError("this client is connected already: make another one for a second connection")
            if not task.done():
                self._conversation.check_loop()
                await asyncio.wait({task})
        if self._task is task:
            self._task = None
        if task.done() and not task.cancelled():
            task.result()

    async def _stay_connected(self) -> None:
        pause_s = self._options.pause_s
        conversation = self._conversation
        while not self._leaving.is_set():
            connection = conversation.connection
            reason = await self._connect_once()
            if conversation.is_readied:
                pause_s = self._options.pause_s
            # A connection ended as a revision was rejected: for the next one the pause is the same.
            is_searching = (
                conversation.connection != connection
                and not conversation.is_readied
                and conversation.session.result_mode.has_alternative_left
            )
            self._report_connection(Connection(False, reason, self._started))
            if conversation.why == WHY_STOPPED:
                continue  # our own doing: it begins again in the revision that suits this controller
            wait_s = self._options.busy_pause_s if conversation.why == WHY_BUSY else pause_s
            if not is_searching:
                pause_s = min(pause_s * 2, self._options.pause_most_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), wait_s * random.uniform(1, 1.25))

    async def _connect_once(self) -> str:
        """Connect; return why that failed or how it ended."""
        conversation = self._conversation
        conversation.is_readied = False
        conversation.why = WHY_NOTHING
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                line = await self._open_line(conversation)
        except (OSError, TimeoutError) as error:
            reason = str(error) or "no connection within %g s" % CONNECT_TIMEOUT_S
            if error.errno == errno.ECONNREFUSED:
                reason = f"nothing listens at {self._where}: is Open Protocol switched on, and is it this port?"
            is_no_name = isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN
            if is_no_name or error.errno in _AT_ONCE:
                self._hopeless = reason
            return reason
        conversation.begin(line)
        try:
            return await asyncio.shield(conversation.over)
        except asyncio.CancelledError:  # the loop ends, and no one has left the client
            conversation.stop()
            conversation.lost(CLOSED)
            raise

    def _note_start(self, started: catalogue.Message) -> None:
        self._started = started

    def _note_ready(self) -> None:
        for topic in self._topics.values():
            topic.wake()
        if not self._is_found:
            self._report_connection(Connection(True, "", self._started))

    def _report_connection(self, event: Connection) -> None:
        was_found, self._is_found = self._is_found, event.is_found
        if was_found and not event.is_found:
            for topic in self._topics.values():
                topic.lose()
        self._last_reason = event.reason
        if event.is_found:
            LOGGER.info("%s: connected", self._where)
        elif not self._leaving.is_set():
            # Before the first connection whoever enters the client is told, by an error.
            level = logging.INFO if self._started is None else logging.WARNING
            LOGGER.log(level, "%s: %s: %s", self._where, "lost" if was_found else "not connected", event.reason)
        if not self._first.done():
            self._first.set_result(event.reason)
        if was_found or event.is_found:
            for listener in self._listeners:
                listener.put(event)

    @property
    def started(self) -> catalogue.Message:
        """The MID 0002 of the present connection, or of the last one; StateError before the first."""
        if self._started is None:
            raise StateError(_NOT_ENTERED)
        return self._started

    @property
    def unexpected(self) -> dict[int, int]:
        """Return how many messages came, by MID, that no one reads or asked for, or that cannot be read."""
        return dict(self._conversation.unexpected) if self._conversation is not None else {}

    # -- requests ------------------------------------------------------------------------------------------------

    async def ask(self, mid: int, revision: int = 1, *, timeout: float | None = None, **fields: Any):
        """Send a message built from these fields (`toolcart.encode`) and return the Message that answers it.

        The answer is the one that the catalogue knows for this MID, else 0005. `timeout` is in seconds; None: the
        client's own. Refused if a MID 0004 came, Unanswered after `timeout`, NotSent if its turn did not come by then,
        ConnectionLost if the connection was lost meanwhile or did not come; FieldError for a field that cannot be
        built: nothing is sent then. A MID 0004 with code 00, "no error", is returned where MID 0005 would be the
        answer: it is a yes (docs/internals/protocol.md 4.2).
        """
        return await self.ask_frame(catalogue.encode(mid, revision, **fields), timeout=timeout)

    async def ask_frame(self, frame: bytes, answer: int = 0, *, timeout: float | None = None):
        """Send this frame and return its answer: a message with MID `answer`; 0: the one in the catalogue.

        FrameError if it is none; the other errors are those of `ask`.
        """
        whole("answer", answer, 0, 9999)
        request = catalogue.decode(frame)
        self._usable_conversation(request.mid)
        wanted = request.answer()
        answer = answer or (wanted[0] if wanted else 5)
        named = request.get("subscribed_mid") or request.get("requested_mid") or 0
        check_request(request, self._topics_by_mid())
        seconds = self.timeout if timeout is None else seconds_of("timeout", timeout)
        async with self._when_free(request.mid, seconds, named, answer) as deadline:
            return await self._conversation.ask(request.frame, answer, named, deadline)

    def _check_loop(self) -> None:
        self._conversation.check_loop()

    def _topics_by_mid(self) -> dict[int, str]:
        """Return the topics by the MIDs that subscribe and end them; of a generic one, by the MID that it is for."""
        subscriptions = self._conversation.session.subscriptions if self._conversation is not None else ()
        topics = {}
        for name, (first, behind) in (self._extents if self._conversation is not None else {}).items():
            for one in subscriptions[first:behind]:
                named = one.row[NAMED]
                topics.update(dict.fromkeys((named,) if named else (one.mid, one.row[UNSUBSCRIBE_MID]), name))
        return topics

    @contextlib.asynccontextmanager
    async def _when_free(self, mid: int, seconds: float, named: int = 0, answer: int = 0):
        """Wait until a request may be sent, and limit the whole to `seconds`."""
        conversation = self._usable_conversation(mid)
        deadline = asyncio.get_running_loop().time() + seconds
        is_sent = False
        try:
            async with asyncio.timeout_at(deadline), self._turn:
                await conversation.until_free()
                self._usable_conversation(mid)
                if conversation.may_be_answered_late(mid, named, answer):
                    conversation.begin_again("MID %04d was not answered, and is asked again" % mid)
                    await conversation.until_free()
                    self._usable_conversation(mid)
                is_sent = True
                yield deadline
        except TimeoutError:
            if is_sent and not conversation.is_withdrawn:
                raise Unanswered(mid, seconds) from None
            if not self._is_found:
                raise ConnectionLost(f"no connection within {seconds:g} s: {self._last_reason}", mid) from None
            raise NotSent(mid, seconds, conversation.why_not_free()) from None

    def _entered(self, mid: int = 0) -> Any:
        """Return the conversation; StateError before `async with`, ConnectionLost after it."""
        if self._conversation is None:
            raise StateError(_NOT_ENTERED)
        if self._leaving.is_set():
            raise ConnectionLost(CLOSED, mid)
        return self._conversation

    def _usable_conversation(self, mid: int = 0) -> Any:
        """Return the conversation for use in this loop; the errors are those above."""
        conversation = self._entered(mid)
        conversation.check_loop()
        return conversation

    async def select_pset(self, number: int, *, timeout: float | None = None):
        """Select a parameter set by its number, 0 to 999 (MID 0018, OP 5.3.9 p. 88)."""
        return await self.ask(18, pset_id=number, timeout=timeout)

    async def set_batch_size(self, number: int, size: int, *, timeout: float | None = None):
        """Set the batch size, 0 to 99, of a parameter set (MID 0019, OP 5.3.12 p. 90)."""
        return await self.ask(19, pset_id=number, batch_size=size, timeout=timeout)

    async def select_job(self, number: int, revision: int = 1, *, timeout: float | None = None):
        """Select a job, 0 to 99; revision 2 takes numbers up to 9999 (MID 0038, OP 5.5.9 p. 120)."""
        return await self.ask(38, revision, job_id=number, timeout=timeout)

    async def abort_job(self, *, timeout: float | None = None):
        """Abort the running job (MID 0127, OP 5.15.8 p. 200)."""
        return await self.ask(127, timeout=timeout)

    async def send_vin(self, vin: str, *, timeout: float | None = None):
        """Announce the next vehicle (MID 0050, OP 5.7.1 p. 130)."""
        not_empty("vin", vin)
        return await self.ask(50, vin=vin, timeout=timeout)

    async def send_identifier(self, identifier: str, *, timeout: float | None = None):
        """Send an identifier of up to 100 characters (MID 0150, OP 5.16.1 p. 207)."""
        not_empty("identifier", identifier)
        return await self.ask(150, identifier=identifier, timeout=timeout)

    async def disable_tool(self, *, timeout: float | None = None):
        """Lock the tool (MID 0042, OP 5.6.3 p. 125)."""
        return await self.ask(42, timeout=timeout)

    async def enable_tool(self, *, timeout: float | None = None):
        """Unlock the tool (MID 0043, OP 5.6.4 p. 125)."""
        return await self.ask(43, timeout=timeout)

    async def old_result(self, tightening_id: int = 0, revision: int = 1, *, timeout: float | None = None):
        """Return a result that the controller still has, as MID 0065; 0: the newest (MID 0064, OP 5.8.5 p. 146).

        From revision 10 on a controller is asked for the newest of all, not for the newest that was made offline.
        WrongAnswer if it answers with another result.
        """
        flag = {"offline": 0} if isinstance(revision, int) and revision >= FLAGGED_FIRST else {}
        answer = await self.ask(64, revision, tightening_id=tightening_id, timeout=timeout, **flag)
        found = answer.raw().get("tightening_id")
        if tightening_id not in (0, found):
            raise WrongAnswer(64, "tightening_id", found, str(tightening_id))
        return answer

    async def psets(self, *, timeout: float | None = None) -> list[int]:
        """Return the numbers of the parameter sets; WrongAnswer if they cannot be read (MID 0010, OP 5.3.1 p. 81)."""
        found = (await self.ask(10, timeout=timeout)).raw()["pset_ids"]
        if not isinstance(found, list) or not all(isinstance(one, int) for one in found):
            raise WrongAnswer(10, "pset_ids", found, "a list of whole numbers")
        return found

    async def time(self, *, timeout: float | None = None) -> datetime | None:
        """Return the controller's clock, which has no zone; None if it is not set (MID 0080, OP 5.11.1 p. 169).

        Not set: blanks or zeros. WrongAnswer for anything else that is no time.
        """
        answer = await self.ask(80, timeout=timeout)
        time, found = answer.datetime("time"), answer.raw()["time"]
        if time is None and found is not None and (not isinstance(found, str) or found.strip("0-: ")):
            raise WrongAnswer(80, "time", found, "YYYY-MM-DD:HH:MM:SS")
        return time

    async def set_time(self, time: datetime, *, timeout: float | None = None):
        """Set the controller's clock, which has no zone (MID 0082, OP 5.11.3 p. 169).

        OptionError for a date without a time of day.
        """
        if isinstance(time, date) and not isinstance(time, datetime):
            raise OptionError("time", time, "a datetime: a date has no time of day")
        return await self.ask(82, time=time, timeout=timeout)

    async def acknowledge_alarm(self, *, timeout: float | None = None):
        """Acknowledge the alarm on the controller (MID 0078, OP 5.10.9 p. 168)."""
        return await self.ask(78, timeout=timeout)

    # -- what the controller pushes ------------------------------------------------------------------------------

    def connections(self) -> Stream:
        """Return the changes of the connection while it is read: one Connection each; the last hundred are kept."""
        self._entered()
        return Stream(Topic(self._check_loop, self._listen, self._unlisten, "connections", _EVENTS_KEPT))

    def results(self, fill_gaps: bool = True, after: int | None = None) -> Stream:
        """Return the results: MID 0061 (OP 5.8.2 p. 133), or 1201 and 1202, 0106 and 0107, 0101 in its place.

        Read them inside `with` or `async with`, and acknowledge each when what you keep of it is safe. With `fill_gaps`
        those that were made while there was no connection are fetched first after a reconnect, in order, as MID 0065
        with `fetched` True; what cannot be fetched comes as a Missed with its IDs. It needs MID 0064 of the controller:
        without it a Missed tells what a later result shows to be missing.

        `after` is the ID of the last result that the program has, 0 if it has none: what the controller has made since
        is missing, too. Without it what is missing begins when this client first reads, and behind what it has
        acknowledged when it reads again, also where the client itself was left and entered again.
        """
        one_of("fill_gaps", fill_gaps, (False, True))
        if after is not None:
            whole("after", after, 0, _ID_MOST)
            one_of("fill_gaps", fill_gaps, (True,))
        self._entered()
        gaps = self._topics["results"].fill
        begin = functools.partial(gaps.begin, last=after) if fill_gaps else None
        return Stream(self._topics["results"], begin)

    def alarms(self) -> Stream:
        """Return alarms (MID 0071, 1000), their acknowledgements (0074) and states (0076, OP 5.10 p. 163)."""
        return self.stream("alarms")

    def parameter_sets(self) -> Stream:
        """Return each parameter set that is selected (MID 0015, OP 5.3.6 p. 86)."""
        return self.stream("parameter_sets")

    def jobs(self) -> Stream:
        """Return the changes of jobs (MID 0035, OP 5.5.6 p. 115)."""
        return self.stream("jobs")

    def vins(self) -> Stream:
        """Return each vehicle that is announced (MID 0052, OP 5.7.3 p. 131)."""
        return self.stream("vins")

    def curves(self) -> Stream:
        """Return the curves of tightenings (MID 0900, OP 5.27.1 p. 257), of the kinds in the option `curves`.

        Refused by a controller without curves; the simulated ones have them with `traces=(1,)`.
        """
        return self.stream("curves")

    def stream(self, name: str) -> Stream:
        """Return the messages of a topic by its name: of those above, `identifiers`, `selectors`, `tool_tags`,
        `modes`, `user_data`, or one of the option `also`; OptionError if there is none."""
        self._entered()
        one_of("name", name, tuple(self._topics))
        return Stream(self._topics[name])

    async def _subscribe(self, topic: Topic) -> None:
        first, behind = self._extents[topic.name]
        conversation = self._usable_conversation()
        if conversation.has_left_some(first, behind):
            conversation.begin_again(f"{topic.name}: some were not acknowledged when it was left")
        async with self._when_free(conversation.session.subscriptions[first].mid, self.timeout):
            connection = conversation.connection
            try:
                await conversation.subscribe(first, behind)
            except BaseException as error:
                conversation.leave(first, behind)
                if conversation.connection == connection and not isinstance(error, Refused):
                    conversation.begin_again(f"{topic.name}: no one waits for its subscription any more")
                raise

    async def _unsubscribe(self, topic: Topic) -> None:
        first, behind = self._extents[topic.name]
        conversation = self._conversation
        connection = conversation.connection
        is_held_up = conversation.is_held_up()
        conversation.leave(first, behind)
        if self._leaving.is_set() or not self._is_found:
            return
        try:
            if is_held_up:
                raise Unanswered(0, 0)
            async with self._when_free(conversation.session.subscriptions[first].mid, self.timeout) as deadline:
                if conversation.connection == connection:
                    await conversation.unsubscribe(first, behind, deadline)
        except ConnectionLost:
            return
        except BaseException as error:
            if conversation.connection == connection:
                conversation.begin_again(f"{topic.name}: left, and the controller did not end the subscription")
            if not isinstance(error, Unanswered | NotSent):
                raise

    async def _listen(self, topic: Topic) -> None:
        self._listeners.append(topic)

    async def _unlisten(self, topic: Topic) -> None:
        self._listeners.remove(topic)

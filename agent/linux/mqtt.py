"""The MQTT outlet on Linux: with TLS, events and curves as topics of their own, records of any length.

Rules
1. An event goes out in its place between the results, one line a message; a curve when nothing else waits.
2. One curve is outstanding at a time, and its PUBACK moves the cursor whatever `confirm` says: it gets no receipt.
"""

from toolcart.agent.base import counters as counter
from toolcart.agent.linux.json_line import ExtendedLine, line_of
from toolcart.agent.mqtt.packets import front_bytes
from toolcart.agent.outlets.batch import HEAD_MOST
from toolcart.agent.outlets.mqtt import Mqtt, topic_of
from toolcart.agent.record import KIND_EVENT

CPYTHON_ONLY = True  # boards have toolcart.agent.outlets.mqtt

OCTETS_MOST = 65536  # of a batch; one record may be longer, and then goes alone
CURVE_TAG = -1


class ExtendedMqtt(Mqtt):
    """One broker of one station, on Linux."""

    octets_most = OCTETS_MOST
    receipt_bytes = 4096  # a consumer may say more in it than on a board

    def __init__(self, port, station, index, settings, owner):
        before = front_bytes((topic_of(settings, owner[1], owner[2]) + "/results").encode())
        line = ExtendedLine(bytearray(before + HEAD_MOST + 1024))
        Mqtt.__init__(self, port, line, station, index, settings, owner)
        self.alarms_topic = (self.topics.topic + "/alarms").encode()
        self.curves_topic = (self.topics.topic + "/curves").encode()
        self.alarms = self.curves = 0  # published
        self._graphs = None
        self._curve_is_out = False

    def take_graphs(self, graphs):
        """Publish the curves of this log as well."""
        from toolcart.agent.linux.curve_assembly import GraphLines  # hardly any station has one

        self._graphs = GraphLines(graphs, self.index)
        self._graphs.begin(b"")

    def publish_other(self, kind, now):
        """Publish an event."""
        log, scout = self.log, self.progress.scout
        if kind != KIND_EVENT:
            Mqtt.publish_other(self, kind, now)
            return
        number = scout.found
        line = line_of(log.page, log.at, kind, log.flags, log.length)
        scout.advance()
        self._publish_line(line, self.alarms_topic, number, now)
        self.alarms += 1

    def publish_extra(self, now):
        """Publish the next curve, if there is one; True if it did."""
        graphs = self._graphs
        if graphs is None or self._curve_is_out or not graphs.log.settle():
            return False
        graphs.restart()
        line = graphs.next(self.progress.scout.number, self.log.number)
        if line is None:
            return False
        graphs.advance()
        self._curve_is_out = True
        self._publish_line(line, self.curves_topic, CURVE_TAG, now)
        return True

    def acked_extra(self):
        """The broker has the curve that was outstanding."""
        graphs = self._graphs
        if graphs is not None and self._curve_is_out:
            graphs.settle()
            self._curve_is_out = False
            self.curves += 1

    def forget_extra(self):
        """Publish the curve again later."""
        self._curve_is_out = False

    def stop(self):
        """Close, and make durable how far it is in both logs."""
        Mqtt.stop(self)
        if self._graphs is not None and not self.log.state.save_cursor(self._graphs.cursor):
            self.counters.count(counter.NOT_SAVED)

    def put_state(self, report):
        Mqtt.put_state(self, report)
        if "why" not in report:  # it is the port's
            report["why_code"] = self.fault.code
        report["alarms"] = self.alarms
        if self._graphs is not None:
            report["curves"] = self.curves
            report["graph_pieces_waiting"] = self._graphs.log.backlog_of(self._graphs.cursor)

    def _publish_line(self, line, topic, tag, now):
        buf = bytearray(self.topics.before) + line[:-1]
        self.publish(buf, len(buf), topic, 0, tag, now)

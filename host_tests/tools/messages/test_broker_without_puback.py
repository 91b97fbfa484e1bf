"""A broker that leaves something without a PUBACK is told of once, and by every way, until it acknowledges it."""

import pytest

pytest.importorskip("textual")
pytest.importorskip("starlette")

from toolcart.tools.live.figures import Figures
from host_tests.support.agent_lines import status_of
from host_tests.support.mqtt import BROKER, TOPIC, MqttBench
from host_tests.tools.messages.test_one_truth import of_doctor, of_metrics
from host_tests.tools.messages.test_two_of_a_kind import station


@pytest.mark.parametrize("topics", [("/results",), ("/state",), ("/results", "/state")])
@pytest.mark.parametrize("is_mute", [False, True])
def test_broker_without_a_puback_is_told_of_once_over_all_its_connections(topics, is_mute):
    bench, figures, said = MqttBench(), Figures(), []

    def hear():
        report = bench.status()
        shown = {name: report[name] for name in ("state", "why") if name in report}
        reported = station(is_up=bench.forward.is_up(), waiting=bench.log.backlog_of(bench.cursor), **shown)
        for change in figures.feed(status_of(reported), bench.clock.total_ms / 1000):
            if change.text.startswith("MQTT main"):
                said.append(change.text)
        return reported

    bench.store(3)
    bench.until_confirmed()
    hear()
    bench.broker.unacked = dict.fromkeys([TOPIC + topic for topic in topics], 0)
    bench.consumer.mute = is_mute
    bench.network.cut(*BROKER)
    for second in range(120):
        bench.store(1)
        bench.run(1000)
        reported = hear()
        if second >= 20:
            assert any("MQTT main" in row["words"] for row in of_doctor(reported)), second
            lines = [line for line in of_metrics(reported).splitlines() if line.startswith("toolcart_connected")]
            assert [line[-2:] for line in lines if 'side="main"' in line] == [" 0"], (second, lines)
    unacknowledged = [text for text in said if "the broker does not acknowledge" in text]
    assert len(unacknowledged) == 1 and not any("takes records again" in text for text in said[1:]), said
    bench.broker.unacked = {}
    bench.consumer.mute = False
    for _ in range(140):
        bench.store(1)
        bench.run(1000)
        hear()
    assert [text for text in said if "takes records again" in text] == said[-1:], said

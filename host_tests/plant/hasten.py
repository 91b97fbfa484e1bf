"""The waits of an installed agent, shortened: a module in its venv, loaded where HASTEN is in the environment.

The waits are constants; with them a silent controller would take half a minute a time. `toolsnet.reconnect_s` is a
setting and is not changed. Who plays ToolsNet is in the process of the tests: its 05 has the time of a stall there, or
the agent says truly of another result that it was not acknowledged in time.
"""

from functools import partial

from toolcart.agent.openprotocol import recovery
from toolcart.agent.openprotocol import session as controller
from toolcart.agent.outlets import mqtt
from toolcart.agent.station import intake
from toolcart.agent.toolsnet import session as toolsnet

controller.Session = partial(controller.Session, keepalive_ms=1000, response_timeout_ms=500, silence_ms=2000, tries=1)
recovery.Recovery = partial(recovery.Recovery, retry_ms=1000)
intake.BACKOFF_MS, intake.BACKOFF_MOST_MS = 300, 600
intake.BUSY_MS, intake.BUSY_MOST_MS = 300, 600
toolsnet.VERIFY_TIMEOUT_MS = 500
toolsnet.ACK_TIMEOUT_MS = 2000
toolsnet.RETRANSMISSIONS = 0
mqtt.Mqtt.receipt_timeout_ms = 1000
mqtt.RECONNECT_MS = 2000

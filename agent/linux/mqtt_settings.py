"""The settings of an MQTT broker as an outlet; its code is loaded where one is configured."""

from toolcart.agent.linux import tls_settings

CPYTHON_ONLY = True  # boards have toolcart.agent.outlets.mqtt

SETTINGS = """host host - 1 253
port int 1883 1 65535
user text ~ 1 100
password text ~ 1 1000
topic text "toolcart/{system}/{station}" 1 128
confirm one consumer consumer,broker
retain bool true
durable bool true
graphs bool false
tls_ca text ~ 1 128
tls_name host ~ 1 253
tls_certificate text ~ 1 128
tls_key text ~ 1 128"""

MEANINGS = {
    "host": "MQTT: host of the broker.",
    "port": "MQTT: its port; 8883 is usual with TLS.",
    "topic": (
        "MQTT: what all topics of the station begin with, such as `graz/axle2/{station}`; the numbers {system} and "
        "{station} are filled in. Behind it come /results, /receipt, /state, /alarms, /curves."
    ),
    "confirm": (
        "MQTT: what a result is delivered by: the consumer's receipt after its commit, or the broker's PUBACK, which "
        "says little."
    ),
    "retain": (
        "MQTT: whether the broker keeps the state and the last will for those who come later; false for a broker that "
        "refuses retained messages."
    ),
}


def make(settings, station, index, kind=None):
    """Make the outlet of these settings (toolcart.agent.linux.outlets); `kind` is ExtendedMqtt or made of it."""
    from toolcart.agent.linux.mqtt import ExtendedMqtt

    port = station.board.tls(settings) if settings["tls_ca"] else station.board.tcp()
    made = (kind or ExtendedMqtt)(port, station, index, settings, station.settings["spool"]["owner"])
    if settings["graphs"] and station.graphs is not None:
        made.take_graphs(station.graphs)
    return made


def wrong(settings):
    """Return (key, what is allowed) for faults that the rows of settings cannot express."""
    faults = []
    if settings["password"] and not settings["user"]:
        faults.append(("user", "a user, as there is a password"))
    topic = settings["topic"] or "x"
    if "+" in topic or "#" in topic:  # 4.7.1
        faults.append(("topic", "without + and #"))
    for name in ("{system}", "{station}"):
        topic = topic.replace(name, "x")
    if "{" in topic or "}" in topic or topic[:1] in ("$", "/") or topic[-1:] == "/" or "//" in topic:
        faults.append(("topic", "{system} and {station} alone in braces; no empty level, no $ in front"))
    return faults + tls_settings.faults(settings, "" if settings["tls_ca"] else "without tls_ca")


def place(settings, system, station):
    """Return what no other outlet may share."""
    if not settings.get("topic") or not settings.get("host"):
        return None
    from toolcart.agent.outlets.mqtt import topic_of

    return "%s:%s/%s" % (settings["host"].lower(), settings.get("port"), topic_of(settings, system, station))

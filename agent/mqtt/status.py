"""The status of an MQTT outlet; loaded only when that is asked for."""

from toolcart.agent.mqtt import session as ms

REFUSALS = {  # 3.2.2.3
    1: "the broker does not speak MQTT 3.1.1",
    2: "the broker refuses the client identifier",
    3: "the broker is not available",
    4: "user or password is wrong",
    5: "the broker does not let this user in",
    ms.NOT_SUBSCRIBED: "the broker refuses the subscription to the receipts",
}
SILENCES = {
    ms.OPENING: "timed out",
    ms.CONNECTING: "the broker does not answer CONNECT",
    ms.SUBSCRIBING: "the broker does not answer SUBSCRIBE",
    ms.UP: "the broker does not acknowledge",
}
NO_PINGRESP = "the broker does not answer PINGREQ"
NO_RECEIPT = "no receipt from a consumer"
ODD = (  # by `odd` of the receipts (toolcart.agent.outlets.mqtt)
    "",
    "the receipts that come name another spool",
    "what comes as receipts is none, or is too long: one JSON object with `identity` and a whole `number` of its own, "
    "of at most {most} octets",
    "a receipt names more than this spool has: the consumer's database is another, or it is newer than the spool, "
    "which was restored: all that the spool has was sent to it again, and {until}",
)

RETAINED = "the broker ends the connection %s; then set `retain` to false"

COUNTED = (
    "batches",
    "resent",
    "receipts",
    "receipts_other",
    "receipts_unreadable",
    "receipts_above",
    "receipts_below",
)


def put_outlet(status, outlet):
    """Add its state, where it leads, why it does not work, and what was counted."""
    session = outlet.session
    progress = outlet.progress
    waits_for_flash = status.get("waits_for_flash")  # then nothing goes out that a PUBACK or a receipt could come for
    is_without_puback = outlet.without_puback and session.state == ms.UP and not waits_for_flash
    state = ms.STATE_NAMES[session.state]
    if is_without_puback:
        state = "no MQTT" if outlet.reason == ms.EV_MALFORMED else "no PUBACK"
    is_overdue = progress.is_overdue and not waits_for_flash
    status["state"] = "no receipts" if is_overdue else state
    status["place"] = "mqtt://%s:%d/%s" % (outlet.host, outlet.port_number, outlet.topics.topic)
    status["identity"] = outlet.identity
    status["confirm"] = "consumer" if progress.needs_receipt else "broker"
    status["receipt"] = progress.base
    status["sent"] = progress.highest if outlet.counts.batches else 0
    for name in COUNTED:
        status[name] = getattr(outlet.counts, name)
    status["skipped"] = outlet.counts.unpublished + outlet.counts.unexpected
    status["given_again"] = progress.redelivery.given
    status["batch_limit"] = outlet.limit.octets
    why = "" if waits_for_flash and session.state == ms.UP else _why(outlet, is_overdue)
    if why is not None:
        status["why"] = why


def _why(outlet, is_overdue):
    """Return in words why it does not work; None if the port knows."""
    session = outlet.session
    progress = outlet.progress
    if is_overdue and progress.odd:
        text = ODD[progress.odd].replace("{most}", str(outlet.receipt_bytes))
        return text.replace("{until}", progress.redelivery.above_words())
    if is_overdue and (progress.receipt_came or progress.receipts_repeat):
        return "the consumer confirms nothing new: its receipts name %d" % progress.receipt
    if is_overdue:
        return NO_RECEIPT
    failure, lost_in = outlet.failure, session.lost_in
    if outlet.without_puback and session.state == ms.UP:  # it may have been out of reach since
        failure, lost_in = outlet.reason, ms.UP
    if failure == ms.EV_NONE:
        return ""
    if failure == ms.EV_TAKES_NONE:
        return (
            "the broker ends the connection when results or alarms are published, and acknowledges none: "
            "may this client publish to each topic of the station?"
        )
    if failure == ms.EV_UNRETAINED:
        if lost_in == ms.CONNECTING:
            return RETAINED % "at CONNECT: perhaps it refuses a retained will"
        return RETAINED % "right behind the first retained message: perhaps it refuses these"
    if failure == ms.EV_REFUSED:
        return REFUSALS.get(session.code, "the broker refuses with code %d" % session.code)
    if failure == ms.EV_MALFORMED:
        return "what answers does not speak MQTT"
    if failure == ms.EV_SILENT and not (lost_in == ms.OPENING and outlet.fault.why):
        return SILENCES.get(lost_in, NO_PINGRESP)
    return None

"""A message as one line for people: its values with their units and names; what is blank is left out.

<MID 0061 revision 999, Last tightening result data: torque=4237 (42.37 Nm), tightening_status=1 (OK)>
"""

from .errors import Odd

TEXT_MOST = 60  # characters or octets of one value
LIST_MOST = 4


def describe(message):
    """Return a message as one line."""
    raw = message.raw()
    texts = []
    if not raw.form.known and not raw.form.fields:
        texts.append("data=%s" % _plain(raw.data()))
    for field in raw.form.fields:
        if field.kind != "'" and raw[field.name] is not None:
            texts.append("%s=%s" % (field.name, _value(raw, field)))
    name = raw.form.about.name or "not in the catalogue"
    return "<MID %04d revision %d, %s%s>" % (raw.mid, raw.revision, name, (": " + ", ".join(texts)) if texts else "")


def _value(message, field):
    value = message[field.name]
    text = _plain(value)
    if not isinstance(value, int):
        return text
    if field.kind == "B" and field.values:
        return "%s (%s)" % (text, ", ".join(message.bits(field.name)) or "none")
    words = message.meaning(field.name) if field.values else ""
    unit = message.unit(field.name)
    if field.scale != 1 or unit:
        words = ("%s %s" % (message.decimal(field.name), unit)).strip()
    return "%s (%s)" % (text, words) if words else text


def _plain(value):
    if isinstance(value, (bytes, str)) and len(value) > TEXT_MOST:
        return "%r... (%d)" % (value[:TEXT_MOST], len(value))
    if isinstance(value, dict):
        return "{%s}" % ", ".join(["%s=%s" % (name, _plain(value[name])) for name in value if value[name] is not None])
    if isinstance(value, list):
        more = ", ... (%d)" % len(value) if len(value) > LIST_MOST else ""
        return "[%s%s]" % (", ".join([_plain(one) for one in value[:LIST_MOST]]), more)
    if isinstance(value, Odd):
        return "Odd(%s, %r)" % (_plain(value.raw), value.why)
    return "%r" % (value,)

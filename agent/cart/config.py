"""Checks every setting and fills in defaults before the agent is built; reports all mistakes at once.

Rules
1. Gets the parsed JSON tree and does no I/O. Relative spool paths are relative to the configuration file: the
   caller, who knows where that is, resolves them. Here paths are compared as they are written.
2. The tables of toolcart.agent.cart.settings are the only place with names, types, defaults and ranges; check(),
   complete(), describe() and docs/configuration.md all read them. They are walked once at a start. The caller may drop
   both modules afterwards.
3. Times are seconds in the file (fractions allowed) and whole milliseconds, half up, in the result:
   `reconnect_s` comes out under its name with _ms. Ranges apply to what was written, before rounding.
4. check() never raises and never recurses into the tree: any depth and numbers of any size are just mistakes.
5. What is shown of a tree is short, printable, and never a secret.
6. Chips have neither this module nor the tables: `toolcart flash` gives them the completed tree
   (toolcart.tools.flash.package).
"""

from toolcart.agent.base.compat import ON_CPYTHON, const
from toolcart.agent.base.host_names import is_host
from toolcart.agent.cart import settings
from toolcart.agent.cart.secrets import is_secret
from toolcart.agent.link.port import decimal

_OUTLETS_MAX = const(4)  # the log has that many cursors, one of them for the kinds of settings.SHARED
_PARKED_KIB_LEAST = const(12)
_STATE_AND_LOG = const(7)  # blocks at least, as the next two
_KEPT_LEAST = const(3)
_GRAPHS_LEAST = const(4)
_NAME_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
_NAME_WORDS = "a name of 1 to 24 of a to z, 0 to 9 and -"
_SHOWN_MAX = const(40)  # characters of a text in a mistake: enough to recognise it, short enough for one line
_GONE = {"toolsnet.window": "one telegram is outstanding at a time, always"}  # what was a setting once
OWN_CONTROLLER = "another host, port, station_id or spindle_id than those of stations[%d].controller"
STATIONS_MAX = 16  # a cart has one to four controllers, and a chip has no memory for more
if ON_CPYTHON:
    STATIONS_MAX = 250  # a line's carts in one file: one process can serve that many (docs/internals/figures.md)


class ConfigError(Exception):
    """The configuration has mistakes; `mistakes` is the list that check() returns."""

    mistakes: "list[tuple[str, str, str]]"


def check(tree):
    """Return a list of (place, found, allowed), one for each mistake; empty if the configuration is good."""
    return _walk(tree)[1]


def complete(tree):
    """Return a new tree with every default filled in and times in milliseconds; raise ConfigError for any mistake."""
    done, mistakes = _walk(tree)
    if mistakes:
        lines = []
        for place, what, allowed in mistakes:
            lines.append("%s: %s" % (place, "found %s; expected %s" % (what, allowed) if what else allowed))
        error = ConfigError("\n".join(lines))
        error.mistakes = mistakes
        raise error
    return done


def describe():
    """Yield (place, type, unit, default, allowed), all text; the default is as the table writes it."""
    for place, table in settings.TABLES:
        for line in table.split("\n"):
            row = line.split()
            yield place + "." + row[0], row[1], unit(row[0]), row[2], allowed(row)


def outlet_fault(outlet, key):
    """Return what is allowed under this key of a completed outlet, "" if what it has there is."""
    for line in settings.OUTLETS[outlet["kind"]].split("\n"):
        row = line.split()
        if row[0] == key and _fault(row, outlet[key]):
            return allowed(row)
    look = settings.OUTLET_FAULTS.get(outlet["kind"])
    for name, words in look(outlet) if look else ():
        if name == key:
            return words
    return ""


def milliseconds(seconds):
    """Return seconds, whole or not, as whole milliseconds, half up: 0.1 is 100 in a 32-bit float as well."""
    return int(seconds * 1000 + 0.5)


def unit(key):
    """Return the unit that a key's name carries; "" if none."""
    word = key.split("_")[-1]
    return "KiB" if word == "kib" else word if word in ("s", "ms", "min", "bytes", "baud") else ""


def value_text(value, key=None):
    """Return the value found (under this key) in a few printable characters."""
    kind = type(value)
    if is_secret(key):
        return "***"
    if kind is str:
        value = _without_secrets(value)
        text = "".join([c if " " <= c <= "~" else "\\u%04x" % ord(c) for c in value[:_SHOWN_MAX]])
        return '"%s%s"' % (text, "..." if len(value) > _SHOWN_MAX else "")
    if kind is list:
        return "a list of %d" % len(value)
    if kind in (int, float) and (value <= -(1 << 60) or value >= 1 << 60):
        return "a huge number"  # CPython refuses to write an integer of more than 4300 digits
    if kind in (bool, int, float):
        return str(value).lower()
    return "null" if value is None else "an object"


def _without_secrets(text):
    """Return the text without the user of an address, who may have a password there, and without a URL's query."""
    user, at, rest = text.rpartition("@")
    if at and ":" in user:
        scheme, separator, _ = user.partition("://")
        text = (scheme + separator if separator else "") + "***@" + rest
    address, _, query = text.partition("?")
    return address + "?***" if "://" in address and query else text


def allowed(row):
    """Return the range in words, with its unit."""
    key, kind, default = row[:3]
    if kind == "bool":
        return "true or false"
    low = row[3]
    if kind in ("one", "list", "any"):
        words = low.replace(",", ", ")
        words = "one of " + words if kind == "one" else "a list with any of %s, each once" % words
        if kind == "any":
            words += ", or an empty list"
    elif kind == "host":
        words = "a name or an address alone, such as 10.0.0.5"
    else:
        what = unit(key)
        if kind == "hosts":
            what = "different hosts, in a list"
        elif kind == "text":
            what = "printable ASCII characters"
        words = ("%s to %s %s" % (low, row[4], what)).strip()
        if kind == "int":
            words = "a whole number from " + words
    return words + (" or null" if default == "~" else "")


def _walk(tree):
    """Return the completed tree and the mistakes; if there are any, the tree has holes and must not be used."""
    mistakes = []
    done = {}
    if _is_object(tree, "(file)", mistakes):
        _unknown(tree, ["$schema", "system", "toolsnet", "stations", "board"], "", mistakes)
        done["system"] = _section(settings.SYSTEM, tree.get("system", {}), "system", mistakes)
        done["board"] = _section(settings.BOARD, tree.get("board", {}), "board", mistakes)
        if done["board"].get("network") == "wifi" and done["board"].get("ssid") == "":
            mistakes.append(("board.ssid", "nothing", "the name of the network, as network is wifi"))
        stations = tree.get("stations")
        good = type(stations) is list
        if not good or not 0 < len(stations) <= STATIONS_MAX:
            shown = value_text(stations) if "stations" in tree else "nothing"
            mistakes.append(("stations", shown, "a list of 1 to %d stations" % STATIONS_MAX))
        stations = stations[:STATIONS_MAX] if good else []
        alone = [{"kind": kind} for kind in settings.SHARED if kind in tree]  # the outlets of a station without a list
        done["stations"] = [_station(stations[i], "stations[%d]" % i, alone, mistakes) for i in range(len(stations))]
        done["toolsnet"] = _shared("toolsnet", settings.TOOLSNET, tree, done["stations"], mistakes)
        _toolsnet(done["toolsnet"] or {}, done["stations"], mistakes)
        _duplicates(done["stations"], done["system"].get("number"), mistakes)
    return done, mistakes


def _shared(kind, table, tree, stations, mistakes):
    """Return the section with the settings that all outlets of this kind share; None if no station has one."""
    kinds = [outlet.get("kind") for station in stations for outlet in station["outlets"]]
    is_known = stations and None not in kinds and [] not in [station["outlets"] for station in stations]
    if kind in kinds or (kind in tree and not is_known):
        return _section(table, tree.get(kind, {}), kind, mistakes)
    if kind not in tree:
        return None
    words = 'no station uses it: name {"kind": "%s"} among the outlets of a station, or delete the section' % kind
    mistakes.append((kind, "", words))
    return None


def _toolsnet(section, stations, mistakes):
    """Note what ToolsNet's settings do not allow together."""
    _refused("toolsnet", section, "toolsnet", mistakes)
    for i in range(len(stations)) if section.get("events") else ():
        outlets = stations[i]["outlets"]
        if len(outlets) > 2 and "toolsnet" in [outlet.get("kind") for outlet in outlets]:
            words = "one at most, as toolsnet.events is set"
            mistakes.append(("stations[%d].outlets" % i, "a second one beside ToolsNet", words))


def _station(tree, place, alone, mistakes):
    done = _section(settings.STATION, tree, place, mistakes)
    for key, table in (("controller", settings.CONTROLLER), ("spool", settings.SPOOL)):
        # A station that is not an object is one mistake; what it lacks is not counted as well.
        is_object = type(tree) is dict
        done[key] = _section(table, tree.get(key, {}), place + "." + key, mistakes) if is_object else {}
    done["outlets"] = _outlets(tree.get("outlets", alone or None), place, mistakes) if type(tree) is dict else []
    takes_quarter = False  # the quarantine grows with the spool
    if done["spool"].get("parked_kib", 0) is None and done["spool"].get("size_kib"):
        takes_quarter = True in [outlet.get("kind") in settings.SHARED for outlet in done["outlets"]]
        done["spool"]["parked_kib"] = _usual_parked(done["spool"]["size_kib"] if takes_quarter else 0)
    for key, what, words in _clashes(done["controller"], done["spool"], takes_quarter):
        mistakes.append((place + "." + key, what, words))
    return done


def _usual_parked(size):
    """Return the KiB of the quarantine in a spool of this size, if nothing is set."""
    return max(_PARKED_KIB_LEAST, size // 4)


def _size_least(parked, graphs, takes_quarter):
    """Return how many KiB a spool needs with so many for these; what `takes_quarter` grows with it."""
    size, least = 0, 1
    while size < least:
        size = least
        parked = _usual_parked(size) if takes_quarter else parked
        least = max(4 * _blocks_least(parked, graphs), parked * 2)
        if graphs:
            least = max(least, -(-(graphs + parked) * 4 // 3))
    return size


def _blocks_least(parked, graphs):
    """Return how many blocks of 4 KiB a spool needs with so many KiB for these (toolcart.agent.cart.storage)."""
    return _STATE_AND_LOG + max(parked // 4, _KEPT_LEAST) + (max(graphs // 4, _GRAPHS_LEAST) if graphs else 0)


def _clashes(controller, spool, takes_quarter):
    """Yield (key, what was found, what is allowed) of the settings of a station that do not go together."""
    parked, kib, size = [spool.get(key) for key in ("parked_kib", "graphs_kib", "size_kib")]
    if parked and size and parked * 2 > size:  # results need it more than dead letters
        yield "spool.parked_kib", "%d KiB" % parked, "at most half of size_kib (%d KiB)" % size
    if parked and size and kib is not None and size // 4 < _blocks_least(parked, kib):
        words = "room for the log of results beside parked_kib and graphs_kib: %d KiB or more"
        yield "spool.size_kib", "%d KiB" % size, words % _size_least(parked, kib, takes_quarter)
    traces, link, rs485 = [controller.get(key) for key in ("traces", "link", "rs485")]
    if traces and link not in ("tcp", None):
        yield "controller.traces", value_text(traces), "null on a serial line, where results would wait"
    if traces and kib == 0:
        yield "spool.graphs_kib", "0 KiB", "more than 0 KiB, as controller.traces asks for curves"
    if kib and parked and size and (kib + parked) * 4 > size * 3:
        words = "at most three quarters of size_kib (%d KiB), with parked_kib" % size
        yield "spool.graphs_kib", "%d KiB" % kib, words
    if rs485 and controller.get("flow") == "rts_cts":  # RTS can have only one meaning
        yield "controller.rs485", value_text(rs485), '"", as controller.flow is rts_cts'
    if link != "tcp" and "://" in (controller.get("device") or ""):
        from toolcart.agent.link.serial_server import setting_errors  # few carts have it

        for name, words in setting_errors(controller):
            yield "controller." + name, value_text(controller[name]), words


def _outlets(tree, place, mistakes):
    """Return the outlets in their order, each with a name."""
    place += ".outlets"
    if type(tree) is not list or not 0 < len(tree) <= _OUTLETS_MAX:
        words = "a list of 1 to %d outlets: at least one has to take the results" % _OUTLETS_MAX
        if tree is None:
            words = (
                'at least one outlet: the section toolsnet, or a list such as [{"kind": "mqtt", "host": "10.0.0.5"}]'
            )
        mistakes.append((place, "nothing" if tree is None else value_text(tree), words))
        return []
    done = []
    for i in range(len(tree)):
        kind = tree[i].get("kind") if type(tree[i]) is dict else None
        rows = settings.OUTLETS.get(kind) if type(kind) is str else None
        table = settings.KIND + "\n" + rows if rows else settings.KIND
        # Of an unknown kind nothing is said about the rest: what it may have depends on its kind.
        one = tree[i] if rows is not None or kind is None else {"kind": kind}
        one = _section(table, one, "%s[%d]" % (place, i), mistakes, rows is not None)
        if rows is not None:
            _refused(kind, one, "%s[%d]" % (place, i), mistakes)
        done.append(one)
    _name(tree, done, place, mistakes)
    _count(done, place, mistakes)
    return done


def _refused(kind, outlet, place, mistakes):
    """Note what the outlet's own code would refuse of these settings, where the form of each is right."""
    look = settings.OUTLET_FAULTS.get(kind)
    known = [mistake[0] for mistake in mistakes]
    for key, words in look(outlet) if look and outlet else ():
        own = place + "." + key
        if own not in known:
            shown = "nothing" if outlet[key] is None else value_text(outlet[key], key)
            mistakes.append((own, shown, words))


def _name(tree, outlets, place, mistakes):
    """Give each outlet its name: the kind of one that has none. Note those that cannot be told apart."""
    from toolcart.agent.cart.outlet_places import hash_of

    kinds = [outlet.get("kind") for outlet in outlets]
    names = []
    hashes = []
    for i in range(len(outlets)):
        own = "%s[%d].name" % (place, i)
        name = outlets[i].get("name")
        if kinds[i] is None or (name is None and tree[i].get("name") is not None):
            continue  # that is a mistake already
        if name is None:
            name = outlets[i]["name"] = kinds[i]
            if kinds.count(name) > 1:
                words = '%s, as there are several of kind %s; the one that was there before keeps its place as "%s"'
                if name not in settings.SHARED:  # of which there may be one at most
                    mistakes.append((own, "nothing", words % (_NAME_WORDS, name, name)))
                continue
        if name.strip(_NAME_LETTERS):
            mistakes.append((own, value_text(name), _NAME_WORDS))
        elif name in names:
            mistakes.append((own, value_text(name), "a name that no other outlet of the station has"))
        elif hash_of(name) in hashes:
            words = "another name: a spool cannot tell it from %s" % names[hashes.index(hash_of(name))]
            mistakes.append((own, value_text(name), words))
        names.append(name)
        hashes.append(hash_of(name))


def _count(outlets, place, mistakes):
    """Note which outlets are too many, and if none is durable."""
    kinds = [outlet.get("kind") for outlet in outlets]
    for kind in settings.SHARED:
        if kinds.count(kind) > 1:
            mistakes.append((place, "%d times %s" % (kinds.count(kind), kind), kind + " once at most"))
    if len(kinds) == _OUTLETS_MAX and not [kind for kind in kinds if kind in settings.SHARED]:
        words = "%d at most besides %s" % (_OUTLETS_MAX - 1, " and ".join(settings.SHARED))
        mistakes.append((place, "a list of %d" % len(kinds), words))
    durable = [outlet.get("durable", True) is not False for outlet in outlets]
    if True not in durable:
        words = "at least one outlet that is durable: what the controller was told to forget has to reach someone"
        mistakes.append((place, "best-effort outlets alone", words))


def _duplicates(stations, system, mistakes):
    """Note what two stations must not share: results would be mixed, or two would talk on one line."""
    first = {}
    topics = []
    wrong = [mistake[0] for mistake in mistakes]  # what is left out for a mistake is no value that two share
    for i in range(len(stations)):
        controller = stations[i]["controller"]
        for place, value in (
            ("number", stations[i].get("number")),
            ("spool.path", stations[i]["spool"].get("path")),
            ("controller.device", controller.get("link") != "tcp" and controller.get("device")),
            ("controller.host", controller.get("link") == "tcp" and _peer(controller, i, wrong)),
        ):
            place = "stations[%d]." + place
            other = first.setdefault((place, value), i) if value else i
            if other != i:
                is_peer = place.endswith("host")
                words = OWN_CONTROLLER % other if is_peer else "one of its own, not that of " + place % other
                mistakes.append((place % i, value_text(value), words))
        for j in range(len(stations[i]["outlets"])):
            outlet = stations[i]["outlets"][j]
            place_of = settings.OUTLET_PLACES.get(outlet.get("kind"))
            if _is_wrong("stations[%d].outlets[%d]." % (i, j), ("host", "port", "topic"), wrong):
                place_of = None
            place = place_of and place_of(outlet, system, stations[i].get("number"))
            if place and place in topics:
                mistakes.append(("stations[%d].outlets" % i, value_text(place), "a topic of its own for each station"))
            topics.append(place)


def _is_wrong(place, keys, wrong):
    """True if one of these settings at this place has a mistake."""
    return bool([key for key in keys if place + key in wrong])


def _peer(controller, index, wrong):
    """Return host, port, and the station in the header: if all are the same it is the same station twice.

    None if one of them is not known, of the station of this index.
    """
    if _is_wrong("stations[%d].controller." % index, ("port", "station_id", "spindle_id"), wrong):
        return None
    peer = "%s port %s" % (_host_key(controller.get("host") or ""), controller.get("port"))
    for key in ("station_id", "spindle_id"):
        if controller.get(key):
            peer += " %s %d" % (key, controller[key])
    return peer if controller.get("host") else None


def _is_object(tree, place, mistakes):
    if type(tree) is dict:
        return True
    mistakes.append((place, value_text(tree), "an object"))
    return False


def _section(table, tree, place, mistakes, whole=True):
    """Return the table's settings from the tree; None in place of a mistake, so that it is not reported twice."""
    done = {}
    if not _is_object(tree, place, mistakes):
        return done
    place += "."
    known = ["controller", "spool", "outlets"] if table is settings.STATION else []
    for line in table.split("\n"):
        row = line.split()
        key, kind, default = row[:3]
        known.append(key)
        value = tree.get(key)
        if key in tree and (value is not None or default[0] not in "~-"):
            fault = _fault(row, value)
        else:
            value = _default(row)
            link = done.get("link")
            kind_of = "tcp" if link == "tcp" else "serial" if link else ""
            required = default == "-" or (kind_of and default == "-" + kind_of)
            fault = ("null" if key in tree else "nothing") if required else None
        if fault:
            mistakes.append((place + key, fault, allowed(row)))
            value = None
        elif kind == "host" and value is not None:
            value = decimal(value)
        elif kind == "hosts" and value is not None:
            value = [decimal(host) for host in value]
        elif kind in ("list", "any") and value is not None:
            value = value.copy()
        elif kind == "time":
            key = _in_ms(key)
            value = milliseconds(value)
        done[key] = value
    if whole:
        _unknown(tree, known, place, mistakes)
    return done


def _host_key(host):
    """Return what all spellings of a name have in common."""
    return host.lower().rstrip(".")


def _in_ms(key):
    return key[:-1] + "ms" if key.endswith("_s") else key


def _unknown(tree, known, prefix, mistakes):
    for key in tree:
        if key not in known:
            near = _nearest(key, known)
            words = "unknown setting; did you mean %s?" % near if near else "unknown setting"
            if prefix + str(key) in _GONE:
                words = "unknown setting; it is gone and may be deleted: " + _GONE[prefix + key]
            if prefix and key in settings.SHARED:
                words = "misplaced: it is a section of its own, beside `stations`"
            mistakes.append((prefix + (value_text(key).strip('"') or '""'), "", words))


def _fault(row, value):
    """Return what was found if it is not allowed; None if it is."""
    kind = row[1]
    if kind == "bool":
        good = type(value) is bool
    elif kind in ("one", "list", "any"):
        choices = _words(row[3])
        items = [value] if kind == "one" else value
        good = type(items) is list and (len(items) > 0 or kind == "any")
        for item in items if good else ():
            if type(item) not in (int, str) or item not in choices:
                return value_text(item)
            choices.remove(item)  # a second one is a mistake
    elif kind == "hosts":
        good = type(value) is list and int(row[3]) <= len(value) <= int(row[4])
        for i in range(len(value) if good else 0):
            item = value[i]
            text = value_text(item)
            for other in value[:i]:
                if type(item) is type(other) is str and _host_key(item) == _host_key(other):
                    return "[%s, %s]" % (value_text(other), text)
            if _fault((row[0], "host", "-", "1", "253"), item):
                return "[%s]" % text
    else:
        size = value
        good = type(value) is int or (kind == "time" and type(value) is float)  # True is an int to isinstance()
        if kind == "text" or kind == "host":
            good = type(value) is str
            size = len(value) if good else 0
            for c in value if good else "":
                good = good and " " <= c <= "~"
            good = good and (kind == "text" or is_host(value))
        may_be_empty = row[2] == '""' and size == 0
        good = good and (may_be_empty or float(row[3]) <= size <= float(row[4]))  # a NaN is in no range
    return None if good else value_text(value, row[0])


def _default(row):
    """Return the default as a file would write it."""
    kind, word = row[1:3]
    if word[0] in "~-":
        return None
    if kind == "time":
        return float(word)
    if kind == "bool":
        return word == "true"
    words = _words(row[3] if word == "*" else word.strip('"'))
    return words if kind == "list" or kind == "any" else words[0]


def _words(words):
    return [int(word) if word.isdigit() else word for word in words.split(",")]


def _nearest(key, known):
    """Return the known key most likely meant: begins with `key`, or differs in one place by at most two characters."""
    best = None
    least = 3
    for name in known if type(key) is str and len(key) > 1 else ():
        start = end = 0
        short = min(len(key), len(name))
        while start < short and key[start] == name[start]:
            start += 1
        while end < short - start and key[-1 - end] == name[-1 - end]:
            end += 1
        edits = 1 if start == len(key) else max(len(key), len(name)) - start - end
        if edits < least and edits < short:
            best = name
            least = edits
    return best

"""Every setting is known, in range and filled in before the agent is built; all mistakes are told at once.

Rules
1. Gets the parsed JSON tree and does no I/O. Relative spool paths are relative to the configuration file: the
   caller, who knows where that lies, resolves them. Here paths are compared as they are written.
2. The tables are the only place with names, types, defaults and ranges; check(), complete(), describe() and
   docs/configuration.md all read them. They are text: the smallest thing a .mpy can hold, and walked once at
   start. The caller may drop the module afterwards.
3. Times are seconds in the file (fractions allowed) and whole milliseconds, half up, in the result:
   `keepalive_s` is read, `keepalive_ms` comes out. Ranges hold for what was written, before rounding.
4. check() never raises and never recurses into the tree: any depth, numbers of any size are only mistakes.
5. What is shown of a tree is short, printable, and never a secret.

A row is `key type default low high` or `key type default choices`.
  types     int, time (low and high value), text, host (least and most characters), bool,
            one (of the choices), list (of different choices)
  defaults  `-` is required, `-tcp` and `-serial` are required for that kind of link, `~` is null,
            `""` is empty text, `*` is every choice
They come from DIGEST C.1, C.2, D.6, F, G.5 and G.9; their reasons stand there.
"""

from agent.base.compat import const

_SYSTEM = """type int 3 1 9999
number int 1 1 9999
name text "" 0 25"""

_TOOLSNET = """pim_host host - 1 253
pim_port int - 1 65535
connect_timeout_s time 5 0.1 60
verify_timeout_s time 5 0.1 60
ack_timeout_s time 5 0.1 600
retransmissions int 2 0 10
keepalive_s time 30 1 55
reconnect_s time 60 0.1 3600
ack_12 one auto auto,always,never
keepalive_ack one auto auto,always,never
refused one park park,block
refused_attempts int 3 1 10
refused_wait_s time 5 0.1 600
host_override host ~ 1 253
rewind bool false
server_empty one continue continue,resend
program_for_zero int 9999 1 9999
parameters list * tightening_id,job,batch_size,batch_counter,batch_status,pset_change,source"""

_STATION = """number int - 1 9999
name text "" 0 25"""

_CONTROLLER = """link one tcp tcp,ascii,3964r
host host -tcp 1 253
port int 4545 1 65535
device text -serial 1 64
baud one 9600 1200,2400,4800,9600,19200,38400,57600,115200
parity one none none,even,odd
stop_bits one 1 1,2
priority one low low,high
payload one auto auto,v0,v1,v2,v3
qvz_ms int 2000 10 60000
zvz_ms int 100 5 10000
attempts int 6 1 10
keepalive_s time 7 1 14
response_timeout_s time 5 0.1 60
connect_timeout_s time 5 0.1 60
silence_s time 15 2 600
frame_timeout_s time 5 0.1 60
stop_wait_s time 1 0 10
tries int 3 1 10
backoff_s time 1 0.05 60
backoff_max_s time 30 0.1 600
busy_backoff_s time 10 0.1 600
busy_backoff_max_s time 60 0.1 3600
start_revisions list 5,6,4,3,2,1 1,2,3,4,5,6,7
result_revisions list 999,1 1,2,3,4,5,6,7,998,999
station_id int ~ 1 99
spindle_id int ~ 1 99
recover bool true
recover_revisions list 2,1 1,2,3,4,5,6,7
recover_round int 500 1 100000
recover_retry_s time 30 1 3600
store_newest bool false
buffer_bytes int 1024 256 9999"""

_SPOOL = """path text - 1 128
size_kib int 1024 16 65536
when_full one refuse refuse,overwrite
parked_kib int 16 8 1024
unit one 16 16,64,256,512
cursor_batch int 32 1 1000"""

_BOARD = """network one none none,wifi,ethernet
ssid text "" 0 32
password text "" 0 63
country text "" 0 2
hostname text toolcart 1 32
address text "" 0 18
gateway text "" 0 15
ntp_host host ~ 1 253
utc_offset_min int 0 -720 840
watchdog bool true
lamp text "" 0 8"""

_STATIONS_MAX = const(16)  # the scheduler's slots are made at start; a cart carries one to four controllers
_SHOWN_MAX = const(40)  # characters of a text in a mistake: enough to recognise it, short enough for one line

TABLES = (
    ("system", _SYSTEM),
    ("toolsnet", _TOOLSNET),
    ("stations[]", _STATION),
    ("stations[].controller", _CONTROLLER),
    ("stations[].spool", _SPOOL),
    ("board", _BOARD),
)

# Less, factor, margin, more, in words: less * factor + margin <= more, wherever a section has both.
_RULES = (
    ("keepalive_s", 1, 1, "silence_s", "less than"),  # else a quiet controller is taken for a dead one
    ("backoff_s", 1, 0, "backoff_max_s", "at most"),
    ("busy_backoff_s", 1, 0, "busy_backoff_max_s", "at most"),
    ("parked_kib", 2, 0, "size_kib", "at most half of"),  # results need the room more than dead letters
)


class ConfigError(Exception):
    """The configuration has mistakes; `mistakes` is the list that check() gives."""


def check(tree):
    """List of (place, found, allowed), one for each mistake; empty when the configuration is good."""
    return _walk(tree)[1]


def complete(tree):
    """A new tree with every default filled in and times in milliseconds, or ConfigError for any mistake."""
    done, mistakes = _walk(tree)
    if mistakes:
        error = ConfigError("\n".join(["%s: found %s, allowed: %s" % mistake for mistake in mistakes]))
        error.mistakes = mistakes  # type: ignore
        raise error
    return done


def redacted(tree):
    """The same structure with every value under a secret's key as ***, whatever its depth."""
    top = [tree]
    work = [top]
    while work:
        part = work.pop()
        for key in list(part) if type(part) is dict else range(len(part)):
            value = part[key]
            if is_secret(key):
                part[key] = "***"
            elif type(value) in (dict, list):
                part[key] = value.copy()
                work.append(part[key])
    return top[0]


def describe():
    """Iterates (place, type, unit, default, allowed), all text; the default is as the table writes it."""
    for place, table in TABLES:
        for line in table.split("\n"):
            row = line.split()
            yield place + "." + row[0], row[1], unit(row[0]), row[2], allowed(row)


def milliseconds(seconds):
    """Seconds, whole or not, as whole milliseconds, half up: 0.1 is 100 in a 32-bit float as well."""
    return int(seconds * 1000 + 0.5)


def unit(key):
    """The unit that a key's name carries, or empty text."""
    word = key.split("_")[-1]
    return "KiB" if word == "kib" else word if word in ("s", "ms", "min", "bytes", "baud") else ""


def is_secret(key):
    """Whether a value under this key must never be shown."""
    for word in ("password", "secret", "token", "key") if type(key) is str else ():
        if word in key.lower():
            return True
    return False


def found(value, key=None):
    """What stands there (under this key), in a few printable characters."""
    kind = type(value)
    if is_secret(key):
        return "***"
    if kind is str:
        shown = "".join([c if " " <= c <= "~" else "?" for c in value[:_SHOWN_MAX]])
        return '"%s%s"' % (shown, "..." if len(value) > _SHOWN_MAX else "")
    if kind is list:
        return "a list of %d" % len(value)
    if kind is int and not -(1 << 60) < value < 1 << 60:
        return "a huge number"  # CPython refuses to write an integer of more than 4300 digits
    if kind in (bool, int, float):
        return str(value).lower()
    return "nothing" if value is None else "an object"


def allowed(row):
    """The range in words, with its unit."""
    key, kind, default = row[:3]
    if kind == "bool":
        return "true or false"
    low = row[3]
    if kind == "one" or kind == "list":
        words = ("one of " if kind == "one" else "different ones of ") + low.replace(",", ", ")
    else:
        what = unit(key)
        if kind == "text" or kind == "host":
            what = "printable ASCII characters" + (", no blanks" if kind == "host" else "")
        words = ("%s to %s %s" % (low, row[4], what)).strip() + (", whole" if kind == "int" else "")
    return words + (" or null" if default == "~" else "")


def _walk(tree):
    """The completed tree and the mistakes; where there are any, the tree has holes and is not for use."""
    mistakes = []
    done = {}
    if _is_object(tree, "(file)", mistakes):
        _unknown(tree, ["system", "toolsnet", "stations", "board"], "", mistakes)
        done["system"] = _section(_SYSTEM, tree.get("system", {}), "system", mistakes)
        done["toolsnet"] = _section(_TOOLSNET, tree.get("toolsnet", {}), "toolsnet", mistakes)
        done["board"] = _section(_BOARD, tree.get("board", {}), "board", mistakes)
        if done["board"].get("network") == "wifi" and done["board"].get("ssid") == "":
            mistakes.append(("board.ssid", "nothing", "the name of the network, as network is wifi"))
        stations = tree.get("stations")
        good = type(stations) is list
        if not good or not 0 < len(stations) <= _STATIONS_MAX:
            mistakes.append(("stations", found(stations), "a list of 1 to %d stations" % _STATIONS_MAX))
        stations = stations[:_STATIONS_MAX] if good else []
        done["stations"] = [_station(stations[i], "stations[%d]" % i, mistakes) for i in range(len(stations))]
        _duplicates(done["stations"], mistakes)
    return done, mistakes


def _station(tree, place, mistakes):
    done = _section(_STATION, tree, place, mistakes)
    for key, table in (("controller", _CONTROLLER), ("spool", _SPOOL)):
        # A station that is no object is one mistake, and what it lacks is not counted again.
        is_object = type(tree) is dict
        done[key] = _section(table, tree.get(key, {}), place + "." + key, mistakes) if is_object else {}
    return done


def _duplicates(stations, mistakes):
    """Notes what two stations may not share: results would be mixed, or two would talk on one line."""
    first = {}
    for i in range(len(stations)):
        controller = stations[i]["controller"]
        for place, value in (
            ("stations[%d].number", stations[i].get("number")),
            ("stations[%d].spool.path", stations[i]["spool"].get("path")),
            ("stations[%d].controller.device", controller.get("link") != "tcp" and controller.get("device")),
        ):
            if value and first.setdefault((place, value), i) != i:
                mistakes.append((place % i, found(value), "not the same as " + place % first[place, value]))


def _is_object(tree, place, mistakes):
    if type(tree) is dict:
        return True
    mistakes.append((place, found(tree), "an object"))
    return False


def _section(table, tree, place, mistakes):
    """The table's settings out of the tree; None where there is a mistake, so that no second one follows."""
    done = {}
    if not _is_object(tree, place, mistakes):
        return done
    place += "."
    known = ["controller", "spool"] if table is _STATION else []
    for line in table.split("\n"):
        row = line.split()
        key, kind, default = row[:3]
        known.append(key)
        value = tree.get(key)
        if key in tree and (value is not None or default[0] not in "~-"):
            shown = _fault(row, value)
        else:
            value = _default(row)
            link = done.get("link")
            required = default in ("-", "-tcp" if link == "tcp" else "-serial" if link else "")
            shown = "nothing" if required else None
        if shown:
            mistakes.append((place + key, shown, allowed(row)))
            value = None
        elif kind == "list":
            value = value.copy()  # type: ignore
        elif kind == "time":
            key = _in_ms(key)
            value = milliseconds(value)
        done[key] = value
    _relations(done, place, mistakes)
    _unknown(tree, known, place, mistakes)
    return done


def _relations(done, place, mistakes):
    for less, factor, margin, more, words in _RULES:
        low = done.get(_in_ms(less))
        high = done.get(_in_ms(more))
        if low is not None and high is not None and low * factor + margin > high:
            words = "%s %s (%d %s)" % (words, more, high, unit(_in_ms(more)))
            mistakes.append((place + less, "%d %s" % (low, unit(_in_ms(less))), words))


def _in_ms(key):
    return key[:-1] + "ms" if key.endswith("_s") else key


def _unknown(tree, known, prefix, mistakes):
    for key in tree:
        if key not in known:
            near = _nearest(key, known)
            words = "no such setting; did you mean %s?" % near if near else "no such setting"
            mistakes.append((prefix + (found(key).strip('"') or '""'), found(tree[key], key), words))


def _fault(row, value):
    """What stands there where it is not allowed; None where it is."""
    kind = row[1]
    if kind == "bool":
        good = type(value) is bool
    elif kind == "one" or kind == "list":
        choices = _words(row[3])
        items = value if kind == "list" else [value]
        good = type(items) is list and len(items) > 0
        for item in items if good else ():
            if type(item) not in (int, str) or item not in choices:
                return found(item)
            choices.remove(item)  # a second time is a mistake
    else:
        size = value
        good = type(value) is int or (kind == "time" and type(value) is float)  # True is an int to isinstance()
        if kind == "text" or kind == "host":
            good = type(value) is str
            size = len(value) if good else 0  # type: ignore
            for c in value if good else "":  # type: ignore
                good = good and ("!" <= c <= "~" or (c == " " and kind == "text"))
        good = good and float(row[3]) <= size <= float(row[4])  # a NaN is in no range
    return None if good else found(value)


def _default(row):
    """The default as a file would write it."""
    kind, word = row[1:3]
    if word[0] in "~-":
        return None
    if kind == "time":
        return float(word)
    if kind == "bool":
        return word == "true"
    words = _words(row[3] if word == "*" else word.strip('"'))
    return words if kind == "list" else words[0]


def _words(words):
    return [int(word) if word.isdigit() else word for word in words.split(",")]


def _nearest(key, known):
    """The known key most likely meant: it begins so, or differs in one place by at most two characters."""
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

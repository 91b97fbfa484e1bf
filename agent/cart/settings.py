"""Every setting: its name, type, default and range, as tables of text, the smallest thing a .mpy can hold.

A row is `key type default low high` or `key type default choices`.
  types     int, time (low and high value), text, host (least and most characters), bool,
            one (of the choices), list (of different choices), any (the same, or none of them),
            hosts (a list of them, with its least and greatest length)
            A text whose default is empty may be empty, whatever the least is: without a password a network is open
  defaults  `-` is required, `-tcp` and `-serial` are required for that kind of link, `~` is null, `""` is empty text,
            `*` is every choice
They come from protocol.md 4, 5.6, 7 and 8, which has the reasons.
"""

from toolcart.agent.base.compat import ON_CPYTHON

SYSTEM = """type int 3 1 9999
number int 1 1 9999
name text "" 0 25"""

TOOLSNET = """pim_host host - 1 253
pim_port int - 1 65535
reconnect_s time 60 0.1 3600
refused one park park,block
host_override host ~ 1 253
allow_hosts hosts ~ 1 8
tls_ca text ~ 1 128
tls_name host ~ 1 253
tls_certificate text ~ 1 128
tls_key text ~ 1 128
rewind bool false
clock one off off,check,set
parameters list * tightening_id,job,batch_size,batch_counter,batch_status,pset_change,source
events any ~ alarms,pset,job,vin,gone,commands
extras any ~ targets,names,curves"""

STATION = """number int - 1 9999
name text "" 0 25"""

CONTROLLER = """link one tcp tcp,ascii,3964r
host host -tcp 1 253
port int 4545 1 65535
device text -serial 1 64
baud one 9600 1200,2400,4800,9600,19200,38400,57600,115200
parity one none none,even,odd
stop_bits one 1 1,2
flow one none none,rts_cts
rs485 text "" 0 8
invert bool false
priority one low low,high
payload one auto auto,v0,v1,v2,v3
start_revisions list 5,6,4,3,2,1,7 1,2,3,4,5,6,7
header one standard standard,op-ford,op-bmw
result_revisions list 999,3,4,5,6,7,8,9,10,11,2,1,998 1,2,3,4,5,6,7,8,9,10,11,998,999
results one auto auto,operations,sync,powermacs,powermacs-bolts
station_id int ~ 1 99
spindle_id int ~ 1 99
recover bool true
tightening_ids one auto auto,own,shared
events any alarms alarms,job,pset,vin
commands any ~ select-pset,batch-size,reset-batch,job,abort-job,batch-up,batch-down,job-off,job-on,disable,enable,vin,\
identifier,ack-alarm
clock one off off,check,set
limits one off off,ask
buffer_bytes int 1024 256 9999
traces list ~ angle,torque,current,gradient,stroke,force"""

SPOOL = """path text - 1 128
size_kib int 1024 40 65536
when_full one refuse refuse,overwrite
parked_kib int 16 12 1024
graphs_kib int 0 0 32768
unit one 16 16,64,256,512"""

SPOOL_OF_CHIPS = {"size_kib": 1024, "parked_kib": 16}  # if nothing is given; Linux has more room
SERIAL = "device baud parity stop_bits flow rs485 invert priority payload".split()

# What each kind of outlet has besides its `kind`.
OUTLETS = {"toolsnet": ""}
OUTLET_PLACES = {}  # what no two outlets may share
OUTLET_FAULTS = {}  # what the form of each setting does not show (toolcart.agent.linux.outlets: `wrong`)
SHARED = ("toolsnet",)  # kinds with a section of their own, the same for all stations; one of them at most in a station

if ON_CPYTHON:
    SPOOL = SPOOL.replace("size_kib int 1024", "size_kib int 16384")
    SPOOL = SPOOL.replace("parked_kib int 16 12 1024", "parked_kib int ~ 12 16384")
    from toolcart.agent.linux.outlets import OUTLETS as WIDE

    for _kind in WIDE:
        OUTLETS[_kind] = WIDE[_kind].SETTINGS
        OUTLET_PLACES[_kind] = getattr(WIDE[_kind], "place", None)
        OUTLET_FAULTS[_kind] = getattr(WIDE[_kind], "wrong", None)

KIND = "kind one - " + ",".join(OUTLETS) + "\nname text ~ 1 24"


def _all_of(outlets):
    """Return the rows of all kinds; one that two kinds share only once."""
    rows = KIND.split("\n")
    for table in outlets.values():
        rows += [row for row in table.split("\n") if row and row not in rows]
    return "\n".join(rows)


BOARD = """network one none none,wifi,ethernet
ssid text "" 0 32
password text "" 8 63
country text "" 0 2
address text "" 0 60
ntp_hosts hosts ~ 1 4
time_zone text "" 0 64
lamp text "" 0 8
ethernet_pins text "" 0 100
supply text "" 0 40"""

TABLES = (
    ("system", SYSTEM),
    ("toolsnet", TOOLSNET),
    ("stations[]", STATION),
    ("stations[].controller", CONTROLLER),
    ("stations[].spool", SPOOL),
    ("stations[].outlets[]", _all_of(OUTLETS)),
    ("board", BOARD),
)

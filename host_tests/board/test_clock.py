"""A chip's clock takes the best time it hears, leaves small differences alone, and asks servers without waiting."""

from toolcart.base.clock import SimClock
from toolcart.board import clock as board_clock
from toolcart.board import ntp
from toolcart.board.clock import Clock
from toolcart.board.zone import fixed, parsed

PORTABLE = True

MOMENT = (2024, 3, 14, 9, 26, 53)
LATER = (2024, 3, 14, 9, 30, 0)


class Rtc:
    def __init__(self, moment=(2021, 1, 1, 0, 0, 0)):
        self.moment = moment

    def read(self):
        return self.moment

    def write(self, moment):
        self.moment = moment


def test_an_unset_clock_says_so_and_a_kept_one_too():
    assert Clock(Rtc(), 0).source == board_clock.SOURCE_NONE
    assert Clock(Rtc(MOMENT), 0).source == board_clock.SOURCE_RTC


def test_a_better_source_wins_and_a_worse_one_is_ignored():
    rtc = Rtc()
    clock = Clock(rtc, 0)
    assert clock.offer(board_clock.SOURCE_CONTROLLER, MOMENT, 0)
    assert clock.offer(board_clock.SOURCE_NTP, LATER, 1000) and rtc.moment == LATER
    assert not clock.offer(board_clock.SOURCE_TOOLSNET, MOMENT, 2000) and rtc.moment == LATER


def test_two_seconds_over_midnight_are_left_alone_too():
    rtc = Rtc((2024, 3, 14, 23, 59, 59))
    clock = Clock(rtc, 0)
    clock.offer(board_clock.SOURCE_NTP, (2024, 3, 15, 0, 0, 1), 0)
    assert clock.jumps == 0


class Server:
    """A datagram socket to a time server that answers after so many looks."""

    def __init__(self, unix_s=1710408413, looks=2):
        self.unix_s = unix_s
        self.looks = looks
        self.sent = None
        self.closed = False
        self.head = 0x24
        self.stratum = 2
        self.echoes = True
        self.dispersion = (0, 0, 0, 0)

    def write(self, buf):
        self.sent = bytes(buf)

    def readinto(self, buf):
        self.looks -= 1
        if self.looks > 0:
            return None
        for index in range(48):
            buf[index] = 0
        buf[0] = self.head
        buf[1] = self.stratum
        for index in range(4):
            buf[8 + index] = self.dispersion[index]
        if self.echoes:
            buf[24:32] = self.sent[40:48]
        buf[40:44] = (self.unix_s + 2208988800).to_bytes(4, "big")
        return 48

    def close(self):
        self.closed = True


class Asking:
    """A client and its servers by name, None for one that cannot be reached."""

    def __init__(self, server, offset_min=0, zone=None, **others):
        self.clock = SimClock()
        self.server = server
        self.servers = {"ntp": server}
        self.servers.update(others)
        self.times = []
        self.requests = []
        zone = fixed(offset_min) if zone is None else zone
        self.ntp = ntp.Ntp(self.open, ["ntp"] + list(others), zone, self.clock.now)

    @property
    def opened(self):
        return len(self.requests)

    def open(self, host):
        self.requests.append(host)
        return self.servers[host]

    def go(self, seconds, is_up=True):
        end_ms = self.clock.total_ms + seconds * 1000
        while self.clock.total_ms < end_ms:
            wait_ms = self.ntp.tick(self.clock.now, is_up, self.times.append)
            assert wait_ms > 0
            self.clock.advance(wait_ms)


def test_the_offset_makes_it_local_time():
    asking = Asking(Server(), 60)
    asking.go(10)
    assert asking.times == [1710408413 + 3600]


def test_no_one_is_asked_without_a_network():
    asking = Asking(Server())
    asking.go(600, is_up=False)
    assert asking.opened == 0


def test_answers_of_somebody_else_and_of_unsynchronised_servers_do_not_count():
    for change in ({"echoes": False}, {"stratum": 0}, {"head": 0xE4}, {"head": 0x23}):
        server = Server()
        for name in change:
            setattr(server, name, change[name])
        asking = Asking(server)
        asking.go(60)
        assert asking.times == []


def test_the_next_server_is_asked_where_one_does_not_answer():
    asking = Asking(None, mute=Server(looks=1 << 20), good=Server())
    asking.go(300)
    assert asking.requests == ["ntp", "mute", "good"] and asking.times == [1710408413]
    assert asking.ntp.silent == 2 and asking.ntp.last_server == "good"
    asking.go(2 * 3600)
    assert asking.requests[3:] == ["good", "good"]


def test_the_status_says_how_good_the_time_is():
    server = Server()
    server.dispersion = (0, 0, 0x80, 0)  # half a second, in 65,536ths
    asking = Asking(server)
    assert asking.ntp.about(asking.clock.now)["answers"] == 0
    asking.go(60)
    figures = asking.ntp.about(asking.clock.now)
    assert (figures["server"], figures["stratum"], figures["dispersion_ms"]) == ("ntp", 2, 500)
    assert (figures["answers"], figures["silent"]) == (1, 0)


BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
SPRING = 1711846800  # 2024-03-31 01:00 UTC


def test_summer_time_begins_on_the_second_though_no_server_answers_any_more():
    server = Server(SPRING - 600)
    asking = Asking(server, zone=parsed(BERLIN))
    asking.go(60)
    assert asking.times == [SPRING - 600 + 3600]
    asking.servers["ntp"] = None
    asking.go(3 * 3600)
    assert len(asking.times) == 2 and asking.times[1] - (SPRING + 7200) in (0, 1)

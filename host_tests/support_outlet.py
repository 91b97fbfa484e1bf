"""What an outlet needs beside its ring, where a test is not about that."""

from agent.outlets.toolsnet.outlet import Outlet
from agent.quarantine import NO_ROOM, PRESSURE_NONE
from agent.log.flash import FLASH_DONE
from host_tests.support_spool import append, mounted
from tools.sim.flash import SimFlash

PORTABLE = True

BATCH = 5  # results that one cursor record lets go out


class NoHealth:
    """Counts nothing."""

    def count(self, _counter):
        pass

    def log(self, _counter, _value, _now):
        pass

    note = log


class NoRoom:
    """A quarantine that is full: what is set aside stays where it is. It says so before it is asked if `told`."""

    moves = False
    told = PRESSURE_NONE
    in_vain = False  # all was moved on round the log

    def pressure(self):
        return self.told

    def has_gone_round(self, _main):
        return self.in_vain

    def keep(self, _main, _reason):
        return NO_ROOM

    def last_kept(self):
        return 0


def outlet_of(ring, batch=BATCH):
    """An outlet of this ring, beside a quarantine that is full."""
    return Outlet(ring, NoRoom(), NoHealth(), batch, False, False)


def full(blocks, unit=16, met=True):
    """A chip whose log takes no result any more and has met the server unless told otherwise, and how many it has."""
    flash = SimFlash(blocks, 1024 if unit < 256 else 4096, unit)
    ring = mounted(flash)
    assert not met or outlet_of(ring).resume(700, 0)
    count = 0
    while append(ring, count + 1) == FLASH_DONE:
        count += 1
    return flash, count

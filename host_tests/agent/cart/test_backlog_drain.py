"""How fast a backlog drains, on the simulated clock: exact, no timing involved."""

from host_tests.support import toolsnet

PORTABLE = True
HEAP = "4m"

RESULTS = 100
ROUND_TRIPS_MS = (0, 20, 100)
SHARE = 0.98  # of what one outstanding telegram allows


def drained(round_trip_ms):
    """The ms from the first result in the archive to the last one."""
    outlet = toolsnet.Outlet()
    for address in (toolsnet.PIM, toolsnet.SERVER):
        outlet.network.line(*address).delay_ms = round_trip_ms // 2
    outlet.store(RESULTS)
    outlet.until_stored(1)
    begun_ms = outlet.clock.total_ms
    outlet.until_stored(RESULTS)
    took_ms = outlet.clock.total_ms - begun_ms
    outlet.run(round_trip_ms)
    assert outlet.waiting() == 0
    return took_ms


def test_backlog_drains_at_one_result_per_round_trip():
    for round_trip_ms in ROUND_TRIPS_MS:
        took_ms = drained(round_trip_ms)
        best_ms = (RESULTS - 1) * round_trip_ms
        print("drained %d results in %d ms, %d ms are possible" % (RESULTS, took_ms, best_ms))
        assert best_ms <= took_ms <= best_ms / SHARE

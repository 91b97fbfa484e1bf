"""Runs on the RP2040 image: the whole agent with the frozen core in a given free heap, its log on the flash.

Argument: the heap in bytes. Prints `through` when results and a backlog got through. The script is loaded before.
The configuration is read as a board is given it.
"""

import gc
import json
import sys

BLOCKS = 16
RESULTS = 10
BACKLOG = 20


def leave(octets):
    """Take all of the heap except these; what is left is at its end, in one piece."""
    taken = []
    size = gc.mem_free()
    while size >= 64:
        room = gc.mem_free() - octets
        if size > room:
            size = room
        try:
            taken.append(bytearray(size - 32))
        except MemoryError:
            size -= size // 8
    return taken


def run():
    __import__("toolcart.agent.cart.app")
    with open("/rom/config.json") as file:  # like toolcart.board.main
        settings = json.load(file)

    from toolcart.agent.log.flash import Partition
    from toolcart.board.rp2 import flash as rp2_flash

    device = Partition(rp2_flash.ring(), 0, BLOCKS)
    gc.collect()
    from lab.harness.allocation_free_peers import Workbench

    bench = Workbench(settings, device)
    del settings  # like toolcart.board.main
    bench.settle()
    gc.collect()
    print("in use", gc.mem_alloc())
    through = bench.many_results(RESULTS) and bench.backlog(BACKLOG) and bench.sound()
    fault = bench.app.scheduler.last_fault
    if fault:
        sys.print_exception(fault)
    print("through" if through else "stuck")


gc.collect()
taken = leave(int(sys.argv[1])) if sys.argv[1] != "0" else []
gc.collect()
print("free", gc.mem_free(), "taken before", gc.mem_alloc())
run()

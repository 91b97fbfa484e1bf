"""The PC side. Installed is the product: the toolcart command and what it calls. A checkout has the laboratory as well.

    product      cli, demo, live (the view), flash with compact, service, spool, quarantine, line, sim, worlds
    laboratory   bench (measurements, fuzz), firmware (our own images), runtimes (MicroPythons, ./tools/test)
    installed    what site-packages gets as `toolcart`; the trees lie below it there

The product imports nothing of the laboratory (host_tests/test_architecture.py); `compact` is product because
`toolcart flash` makes a board's program on the user's machine.
"""

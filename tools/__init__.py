"""The PC side. Installed is the product: the toolcart command and what it calls. A checkout has the laboratory as well.

    product      cli (the command), run by process; config, spool, status, doctor; archive and toolsnet (its telegrams);
                 live, web and words (what both say); flash; sim, harness and worlds
    laboratory   bench (measurements, fuzz), firmware (our own images), packaging, runtimes (./tools/test)
    installed    what site-packages gets as `toolcart`; the trees lie below it there

The product imports nothing of the laboratory (host_tests/project/test_architecture.py).
"""

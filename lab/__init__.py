"""The laboratory, which is never installed: what measures and proves the product, and what packs it.

bench (measurements, fuzz), worlds (hostile ones), harness (carts in simulated time), chips (simulated ones), firmware
(our own images), packaging, runtimes (./tools/test and its interpreters).
"""

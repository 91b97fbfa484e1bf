"""What an append returns, and what a log does when it is full."""

from toolcart.agent.base.compat import const

LOG_DONE = const(0)
LOG_FULL = const(-3)
LOG_FAILED = const(-4)  # the device refused, or nothing may be written any more

WHEN_FULL_REFUSE = const(0)
WHEN_FULL_OVERWRITE = const(1)

BLOCKS_TRIED = const(3)  # how many may fail for one record

TOP = const(0x3FFFFFFF)  # first number of a block that is not there
WORN = const(0x3FFFFFFE)  # of one in which nothing ever counts

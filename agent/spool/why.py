"""Says in words why an area that holds a spool is left alone (`ring.why`); loaded only when somebody asks."""

WHY_NAMES = (
    "",
    "it was written by another version of the format",
    "it was written with another program unit",
    "it was written with another size of erase blocks",
    "it was larger: give it its former size again, or let it run empty and erase it",
    "parked and waiting results would change places: give parked_kib its former value again",
)

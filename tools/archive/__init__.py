"""A ToolsNet-compatible archive: PIM and server, a database.

server    asyncio: connections, framing, answers; faults on demand
places    who may be connected; turns: when those are served that have brought nothing yet
guide     what a PIM answers; servers: which of several takes a station
tls       certificates for ports and pages
writer    one thread that commits what has come, many at once; no one is answered before
known     what the writer knows of the database: alone from memory, among others asked under a lock
tables    the database; migrations/ brings an older one up
spc       capability, charts of means and deviations with their signals
pareto    what is to be mended first
periods   days, weeks and shifts
alerts    what someone should hear of; alerting tells it
queries   what commands and pages ask
retention what is old moves out while the archive is served
changes   results lost on purpose, results taken from another archive
beside    the same in a thread, as the demo's ToolsNet
web/      the pages, a process of their own
"""

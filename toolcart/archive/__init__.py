"""A ToolsNet-compatible archive: PIM, server and database.

server    asyncio: connections, framing, answers; faults on demand
places    who may be connected; turns: when connections are served that have brought nothing yet
guide     what a PIM answers; servers: which of several servers takes a station
tls       certificates for ports and pages
writer    one thread that commits what has arrived, many at once; nothing is answered before its commit
known     what the writer knows of the database: from memory if it is the only one, else read under a lock
tables    the database; migrations/ brings an older one up to date
spc       capability, charts of means and deviations with their signals
pareto    what to fix first
periods   days, weeks and shifts
alerts    what people should hear of, and who tells them; mailing by mail
report    a day, a week or a month in figures, as a file and by mail
queries   what commands and pages ask
retention moves old rows out while the archive is served
changes   results lost on purpose, results imported from another archive
beside    the same in a thread, as the demo's ToolsNet
web/      the pages, in a process of their own
"""

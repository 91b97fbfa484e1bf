"""The archive's web pages: read-only, in a process of their own, so that nothing they do delays a 05.

command    `toolcart archive web`, and the same process beside `serve --web`
login      passwords, tokens, and who has logged out; users: who they are and what they may do
serving    where the pages listen, and with which password
app        addresses, headers, who may come in
pages      what each page shows; each is also JSON (`?json`)
trends     the pages of a program's trend, and of what was not OK, by frequency
filters    what addresses say
asked      the queries to the database, each bounded in rows and time
day        a station's day in figures: verdicts, spread and capability of torque and angle
trend      a program over time in figures: values, charts, periods, causes
live       what arrives, as server-sent events
metrics    the figures for Prometheus
shown      templates, and how values are displayed
"""

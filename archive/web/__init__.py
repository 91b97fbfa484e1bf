"""The archive's web pages: read-only, in a process of their own, so that nothing they do delays a 05.

A question goes from app.py (addresses, and who may come in) to a function in pages.py, statistics_pages.py or edits.py,
which reads what the address says by request_arguments.py and asks the database by page_queries.py, bounded in rows and
time (reading.py).
"""

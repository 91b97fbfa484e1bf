"""The archive over OPC UA for joining (OPC 40450-1, 40451-1): a process of its own that reads the database.

nodesets   types from the OPC Foundation's files          results    rows of the database as result structures
space      a JoiningSystem for each station               feed       what is new, as events
methods    GetResultById, RequestResults and others       taken      which results were acknowledged
sessions, wire    what a client may use up                serving    all of it together
"""

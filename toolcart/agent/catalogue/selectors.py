"""MIDs 0250 to 0255, 1900 and 1901: selectors of sockets (003:11193-11562)."""

TABLE = """
MID 0250 I S 0005 Selector socket info subscribe @003:11194
REV 1 20

MID 0251 C E 0252 Selector socket info @003:11203
REV 1 @003:11210
01 device_id N2
02 socket_count N2
03 sockets N1[socket_count] =SOCKET

MID 0252 I A - Selector socket info acknowledge @003:11237
REV 1 20

MID 0253 I S 0005 Selector socket info unsubscribe @003:11244
REV 1 20

MID 0254 I C 0005 Selector control green lights @003:11249
REV 1 34 @003:11259
01 device_id N2
02 lights N1[8] =LIGHT
REV 2 @003:11277
01 device_id N2
02 socket_count N2
03 lights N1[socket_count] =LIGHT

MID 0255 I C 0005 Selector control red lights @003:11300
REV 1 34 @003:11309
01 device_id N2
02 lights N1[8] =LIGHT
REV 2 @003:11327
01 device_id N2
02 socket_count N2
03 lights N1[socket_count] =LIGHT

MID 1900 C E 0005 Selector socket info, variable fields @003:11351
REV 1 @003:11359
-- data_field_count N3
-- data_fields V[data_field_count]

MID 1901 I C 0005 Selector socket control @003:11444
REV 1 @003:11453
-- data_field_count N3
-- data_fields V[data_field_count]
"""

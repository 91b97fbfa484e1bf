"""MIDs 0200 to 0225: relays and digital inputs (OP 5.16.8 p. 210-229)."""

TABLE = """
MID 0200 I C! 0005 Set externally controlled relays @OP 5.17.1 p. 210
REV 1 30 @OP 5.17.1 p. 210
-- relays N1[10] =RELAY

MID 0210 I S 0005 Status externally monitored inputs subscribe [20] @OP 5.17.2 p. 211

MID 0211 C E 0212 Status externally monitored inputs @OP 5.17.3 p. 212
REV 1 28 @OP 5.17.3 p. 212
-- inputs N1[8] =ON

MID 0212 I A - Status externally monitored inputs acknowledge [20] @OP 5.17.4 p. 212
MID 0213 I S 0005 Status externally monitored inputs unsubscribe [20] @OP 5.17.5 p. 212

MID 0214 I Q 0215r IO device status request @OP 5.17.6 p. 213
REV 1,2 22 @OP 5.17.6 p. 213
-- device_id N2 0 the controller's own, 1 to 15 I/O expanders

MID 0215 C P - IO device status reply @OP 5.17.7 p. 213
REV 1 92 @OP 5.17.7 p. 214
01 device_id N2
02 relays G[8]
. function N3 =RELAY_FUNCTION
. status N1 =ON
03 inputs G[8]
. function N3 =INPUT_FUNCTION
. status N1 =ON
REV 2 @OP 5.17.7 p. 214
01 device_id N2
02 relay_count N2
03 relays G[relay_count]
. function N3 =RELAY_FUNCTION
. status N1 =ON
04 input_count N2
05 inputs G[input_count]
. function N3 =INPUT_FUNCTION
. status N1 =ON

MID 0216 I S 0005 Relay function subscribe @OP 5.17.7 p. 224
REV 1 23 @OP 5.17.8 p. 224
-- function N3 =RELAY_FUNCTION

MID 0217 C E 0218 Relay function @OP 5.17.8 p. 224
REV 1 28 @OP 5.17.9 p. 225
01 function N3 =RELAY_FUNCTION
02 status N1 =ACTIVE

MID 0218 I A - Relay function acknowledge [20] @OP 5.17.10 p. 225

MID 0219 I S 0005 Relay function unsubscribe @OP 5.17.11 p. 226
REV 1 23 @OP 5.17.11 p. 226
-- function N3 =RELAY_FUNCTION

MID 0220 I S 0005 Digital input function subscribe @OP 5.17.11 p. 226
REV 1 23 @OP 5.17.12 p. 226
-- function N3 =INPUT_FUNCTION

MID 0221 C E 0222 Digital input function @OP 5.17.13 p. 226
REV 1 28 @OP 5.17.13 p. 227
01-02 function status

MID 0222 I A - Digital input function acknowledge [20] @OP 5.17.14 p. 228

MID 0223 I S 0005 Digital input function unsubscribe @OP 5.17.15 p. 228
REV 1 23 @OP 5.17.15 p. 228
-- function N3 =INPUT_FUNCTION

MID 0224 I C! 0005 Set digital input function @OP 5.17.16 p. 229
REV 1 23 @OP 5.17.16 p. 229
-- function N3 =INPUT_FUNCTION

MID 0225 I C! 0005 Reset digital input function @OP 5.17.17 p. 229
REV 1 23 @OP 5.17.17 p. 229
-- function N3 =INPUT_FUNCTION
"""

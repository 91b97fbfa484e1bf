"""MIDs 0200 to 0225: relays and digital inputs (003:9602-10970)."""

TABLE = """
MID 0200 I C! 0005 Set externally controlled relays @003:9604
REV 1 30 @003:9614
-- relays N1[10] =RELAY

MID 0210 I S 0005 Status externally monitored inputs subscribe [20] @003:9672

MID 0211 C E 0212 Status externally monitored inputs @003:9684
REV 1 28 @003:9692
-- inputs N1[8] =ON

MID 0212 I A - Status externally monitored inputs acknowledge [20] @003:9728
MID 0213 I S 0005 Status externally monitored inputs unsubscribe [20] @003:9733

MID 0214 I Q 0215r IO device status request @003:9742
REV 1,2 22 @003:9750
-- device_id N2 0 the controller's own, 1 to 15 I/O expanders

MID 0215 C P - IO device status reply @003:9758
REV 1 92 @003:9774
01 device_id N2
02 relays G[8]
. function N3 =RELAY_FUNCTION
. status N1 =ON
03 inputs G[8]
. function N3 =INPUT_FUNCTION
. status N1 =ON
REV 2 @003:9806
01 device_id N2
02 relay_count N2
03 relays G[relay_count]
. function N3 =RELAY_FUNCTION
. status N1 =ON
04 input_count N2
05 inputs G[input_count]
. function N3 =INPUT_FUNCTION
. status N1 =ON

MID 0216 I S 0005 Relay function subscribe @003:10797
REV 1 23 @003:10810
-- function N3 =RELAY_FUNCTION

MID 0217 C E 0218 Relay function @003:10816
REV 1 28 @003:10827
01 function N3 =RELAY_FUNCTION
02 status N1 =ACTIVE

MID 0218 I A - Relay function acknowledge [20] @003:10843

MID 0219 I S 0005 Relay function unsubscribe @003:10850
REV 1 23 @003:10858
-- function N3 =RELAY_FUNCTION

MID 0220 I S 0005 Digital input function subscribe @003:10865
REV 1 23 @003:10876
-- function N3 =INPUT_FUNCTION

MID 0221 C E 0222 Digital input function @003:10885
REV 1 28 @003:10896
01-02 function status

MID 0222 I A - Digital input function acknowledge [20] @003:10914

MID 0223 I S 0005 Digital input function unsubscribe @003:10919
REV 1 23 @003:10926
-- function N3 =INPUT_FUNCTION

MID 0224 I C! 0005 Set digital input function @003:10937
REV 1 23 @003:10944
-- function N3 =INPUT_FUNCTION

MID 0225 I C! 0005 Reset digital input function @003:10952
REV 1 23 @003:10962
-- function N3 =INPUT_FUNCTION
"""

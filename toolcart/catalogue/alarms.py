"""MIDs 0070 to 0078, 1000 and 1001: alarms (OP 5.10 p. 163-169; protocol.md 10.9)."""

TABLE = """
MID 0070 I S 0005 Alarm subscribe @OP 5.10.1 p. 163
REV 1,2 20
REV 3 +1 20 since=2.9 @later 9

MID 0071 C E 0072 Alarm @OP 5.10.2 p. 163
REV 1 53 @OP 5.10.2 p. 163
01 error_code T4
02 controller_ready N1 =OK
03 tool_ready N1 =OK
04 time D19
REV 2 +1 106 @OP 5.10.2 p. 163
01 error_code T5
05 alarm_text T50
!OP 5.10.2 p. 164 printed 57-107: 50 characters end at 106. Since 2.9 the time ends it, 54 octets (protocol.md 10.9)
REV 3 +2 -alarm_text 109 since=2.9 @later 9
05 tool_health N1 =HEALTH
06 alarm_text T50

MID 0072 I A - Alarm acknowledge [20] @OP 5.10.3 p. 165
MID 0073 I S 0005 Alarm unsubscribe [20] @OP 5.10.4 p. 165

MID 0074 C E 0075 Alarm acknowledged on controller @OP 5.10.5 p. 166
REV 1 24 @OP 5.10.5 p. 166
-- error_code T4
REV 2 25 since=2.9 @later 9
-- error_code T5

MID 0075 I A - Alarm acknowledged on controller acknowledge [20] @OP 5.10.5 p. 166

MID 0076 C E 0077 Alarm status @OP 5.10.7 p. 166
REV 1 56 @OP 5.10.7 p. 166
01 alarm_active N1 =YES
02 error_code T4
03-05 controller_ready tool_ready time
REV 2 +1 57 @OP 5.10.7 p. 167
02 error_code T5
REV 3 +2 60 since=2.9 @later 9
06 tool_health N1 =HEALTH

MID 0077 I A - Alarm status acknowledge [20] @OP 5.10.8 p. 167
MID 0078 I C! 0005 Acknowledge alarm remotely on controller [20] @OP 5.10.9 p. 168

MID 1000 C E 1001 Generic alarm @later 9
REV 1 since=2.9 @later 9
-- error_code time
-- data_field_count N3
-- data_fields V[data_field_count]

MID 1001 I A - Generic alarm acknowledge @later 9
REV 1 20 since=2.9 @later 9
"""

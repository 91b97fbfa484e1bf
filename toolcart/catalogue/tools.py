"""MIDs 0040 to 0049 and 0700 to 0704: tools (OP 5.6 p. 122-129)."""

TABLE = """
MID 0040 I Q 0041r Tool data upload request @OP 5.6.1 p. 122
REV 1-5 20
REV 6 26 since=2.9 @later 9
01 tool_number N4
REV 7 +6 26 since=2.10 @later 9

MID 0041 C P - Tool data upload reply @OP 5.6.2 p. 122
REV 1 81 @OP 5.6.2 p. 122
01 tool_serial T14
02 tightenings N10 number of tightenings of the tool
03 calibration_date D19
04 controller_serial T10
REV 2 +1 156 @OP 5.6.2 p. 122
05 calibration_value N6 */100
06 service_date D19
07 tightenings_since_service N10
08 tool_type N2 =TOOL
09 motor_size N2
10 open_end N3 use of open end, direction, motor rotation: one digit each
11 software_version T19
REV 3 +2 180 @OP 5.6.2 p. 123
12 max_torque N6 *Nm/100
13 gear_ratio N6 */100
14 full_speed N6 *rpm/100
REV 4 +3 184 @OP 5.6.2 p. 124
15 primary_tool N2 =PRIMARY_TOOL
REV 5 +4 198 @OP 5.6.2 p. 124
16 tool_model T12
REV 6 +5 236 since=2.9 @later 9
17 tool_number N4
18 article_number T30
REV 7 +6 260 since=2.10 @later 9
19 speed_1 N6 */100 the first of three speeds
20 speed_2 N6 */100
21 speed_3 N6 */100

MID 0042 I C! 0005 Disable tool [20] @OP 5.6.3 p. 125
REV 2 30 since=2.9 @later 9
01 tool_number N4 9999 for all
02 disable_type N2

MID 0043 I C! 0005 Enable tool [20] @OP 5.6.4 p. 125
REV 2 26 since=2.9 @later 9
01 tool_number N4 9999 for all

MID 0044 I C! 0005 Disconnect tool request [20] @OP 5.6.5 p. 126

MID 0045 I C! 0005 Set calibration value request @OP 5.6.6 p. 126
REV 1 31 @OP 5.6.6 p. 126
01 calibration_unit N1 =TORQUE_UNIT
!OP 5.6.6 p. 126 until release 2.8 unit 5 was Ncm (protocol.md 10.17): send none before the release is known
02 calibration_value N6 */100
REV 2 +1 35 since=2.9 @later 9
03 channel_id N2

MID 0046 I C! 0005 Set primary tool request @OP 5.6.7 p. 126
REV 1 24 @OP 5.6.7 p. 127
01 primary_tool N2 =PRIMARY_TOOL

MID 0047 I C! 0005 Tool pairing handling @OP 5.6.8 p. 127
REV 1 24 @OP 5.6.8 p. 127
01 pairing N2 =PAIRING

MID 0048 C E - Tool pairing status @OP 5.6.9 p. 128
!OP 5.6.9 p. 128 "Answer: N/A", and Table 7 lists 0049 for it, which is described nowhere
REV 1 45 @OP 5.6.9 p. 128
01 pairing_status N2 =PAIRING_STATUS
02 time D19

MID 0049 I A - Tool pairing status acknowledge @OP 4.5 p. 64

MID 0700 C E 0005 Tightening data download status @OP 5.6.10 p. 129
REV 1 @OP 5.6.10 p. 129
-- data_field_count N3
-- data_fields V[data_field_count]
!OP 5.6.10 p. 129 printed 23-x: the three digits before it end there

MID 0701 C P - Tool list @later 9
REV 1 since=2.9 @later 9
-- tool_count N3
-- tools G[tool_count]
. tool_number N4
. serial T30
. model T30
. article T30

MID 0702 C P - Generic tool data @later 15
REV 1 since=2.10 @later 15
-- data_field_count data_fields
REV 1 other since=2.10 @later 15
01 tool_number N4
-- data_field_count N2
-- data_fields V[data_field_count]

MID 0703 I C! 0005 Generic tool calibration @later 15
REV 1 since=2.10 @later 15
01 tool_number N4
-- data_field_count N3
!protocol.md 10.15 printed as two digits: a number of data fields has three everywhere else
-- data_fields V[data_field_count]
REV 1 other since=2.10 @later 15
01 tool_number N4
-- data_field_count N2
-- data_fields V[data_field_count]

MID 0704 C P - Generic tool status @later 15
REV 1 since=2.17 @later 15
-- data_field_count N3
-- data_fields V[data_field_count]
"""

"""MIDs 0105 to 0109: results of a PowerMACS, or of its presses since revision 4 (OP 5.12.9 p. 179-195)."""

TABLE = """
MID 0105 I S 0005 Last PowerMACS tightening result data subscribe [20] @OP 5.13.1 p. 180
REV 2 30 @OP 5.13.1 p. 181
-- data_number N10 the cycle to rewind to, 0 the oldest
REV 3,4 +2 31 @OP 5.13.1 p. 181
-- only_new N1 =YES

MID 0106 C E 0108r Last PowerMACS tightening result station data @OP 5.13.2 p. 181
REV 1-3 @OP 5.13.2 p. 181
01 message_count N2
02 message_number N2
03 data_number N10
04 station_number N2
05 station_name T20
06 time D19
07 mode_number N2
08 mode_name T20
09 simple_status N1 =OK
10 pm_status N1 =POWERMACS
11 workpiece_id T40
12 bolt_count N2
-- bolts G[bolt_count]
.13 ordinal N2
.14 simple_status N1 =OK
.15 torque_status N1 =LEVEL
.16 angle_status N1 =LEVEL
.17 torque F7 *Nm
.18 angle F7 *deg
.19 torque_max F7 *Nm
.20 torque_min F7 *Nm
.21 angle_max F7 *deg
.22 angle_min F7 *deg
23 special_count N2
-- special_values G[special_count]
. name T20
. type T2
. length N2
!OP 5.13.2 p. 184 printed 23-34: two digits at 23-24
. value T[length]
REV 4 +1 @OP 5.13.2 p. 184
24 system_subtype N3 =SUBSYSTEM

MID 0107 C E 0108r Last PowerMACS tightening result bolt data @OP 5.13.3 p. 187
REV 1-3 @OP 5.13.3 p. 188
01-05 message_count message_number data_number station_number time
!OP 5.13.3 p. 188 printed 47-55: the text says 19 octets, so all that follow stand ten octets behind their places
06 bolt_number N4
07 bolt_name T20
08 program_name T20
09 pm_status N1 =POWERMACS
10 errors T50
11 customer_error T4
12 bolt_result_count N2
-- bolt_results G[bolt_result_count]
. name T20
. type T2 I or F
. value T7
13 step_result_count N3
14 all_steps_sent N1 =YES
-- step_results G[step_result_count]
. name type value
. step N2
15 special_count N2
-- special_values G[special_count]
. name T20
. type T2
. length N2
. value T[length]
. step N2
REV 4 +1 @OP 5.13.3 p. 191
16 system_subtype N3 =SUBSYSTEM

MID 0108 I A - Last PowerMACS tightening result data acknowledge @OP 5.13.4 p. 195
!OP 5.13.4 p. 195 with bolt_data 1 the next MID 0107 follows, if there is one left
REV 1-4 21 @OP 5.13.4 p. 195
-- bolt_data N1 =YES

MID 0109 I S 0005 Last PowerMACS tightening result data unsubscribe [20] @OP 5.13.5 p. 195
"""

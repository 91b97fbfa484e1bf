"""MIDs 0090 to 0104: status and results of several spindles at once (OP 5.11.3 p. 170-179)."""

TABLE = """
MID 0090 I S 0005 Multi-spindle status subscribe [20] @OP 5.12.1 p. 170

MID 0091 C E 0092 Multi-spindle status @OP 5.12.2 p. 170
REV 1 @OP 5.12.2 p. 170
01 spindle_count N2
02 sync_tightening_id N5
03 time D19
04 sync_status N1 =OK
!OP 5.12.2 p. 171 printed 33-54, 35 and 36-37: 53-54, 55 and 56-57, as the example of 0067 octets shows
05 spindles G[spindle_count]
. spindle N2
. channel_id N2
. status N1 =OK

MID 0092 I A - Multi-spindle status acknowledge [20] @OP 5.12.3 p. 172
MID 0093 I S 0005 Multi-spindle status unsubscribe [20] @OP 5.12.4 p. 172

MID 0100 I S 0005 Multi-spindle result subscribe [20] @OP 5.12.6 p. 172
REV 2 30 @OP 5.12.6 p. 172
-- data_number N10 the cycle to rewind to, 0 the oldest
REV 3-5 +2 31 @OP 5.12.6 p. 173
-- only_new N1 =YES
REV 6 +5 31 since=2.17 @later 8

MID 0101 C E 0102 Multi-spindle result @OP 5.12.7 p. 173
REV 1-3 @OP 5.12.7 p. 173
01 spindle_count N2
02 vin T25
03 job_id N2
04 pset_id N3
05 batch_size N4
06 batch_counter N4
07 batch_status N1 =BATCH_LIGHT
08 torque_min N6 *Nm/100
09 torque_max N6 *Nm/100
10 torque_target N6 *Nm/100
11 angle_min N5 *deg
12 angle_max N5 *deg
13 angle_target N5 *deg
14 pset_change D19
15-17 time sync_tightening_id sync_status
18 spindles G[spindle_count]
!OP 5.12.7 p. 175 printed 175 - 175 + 18 x n: it ends at 174 + 18 x n
. spindle channel_id
!OP 5.12.7 p. 175 octets 3 and 4 are not described here: the channel ID, as in revision 4 (OP 5.12.7 p. 177)
. status N1 =OK
. torque_status N1 =LEVEL
. torque N6 *Nm/100
. angle_status N1 =OK
!OP 5.12.7 p. 175 0 is NOK and not low
. angle N5 *deg
REV 4 +1 @OP 5.12.7 p. 175
08 torque_min I6 *Nm/100 torque or force
09 torque_max I6 *Nm/100 torque or force
10 torque_target I6 *Nm/100 torque or force
11 angle_min I5 *deg angle, or stroke in hundredths of a millimetre
12 angle_max I5 *deg angle or stroke
13 angle_target I5 *deg angle or stroke
. spindles.torque_status N1 =OK
. spindles.torque I6 *Nm/100 torque, or force in hundredths of a kilonewton
. spindles.angle I5 *deg angle, or stroke in hundredths of a millimetre
19 system_subtype N3 =SUBSYSTEM
REV 5 +4 @OP 5.12.7 p. 178
20 job_sequence N5
REV 6 +5 since=2.17 @later 8
07 batch_status N1 =BATCH

MID 0102 I A - Multi-spindle result acknowledge [20] @OP 5.12.8 p. 179
MID 0103 I S 0005 Multi-spindle result unsubscribe [20] @OP 5.12.9 p. 179

MID 0104 I Q 0101r Old multi-spindle result request @later 6
REV 1-6 32 since=2.17 @later 6
01 index N10 as MID 0067 tells it
"""

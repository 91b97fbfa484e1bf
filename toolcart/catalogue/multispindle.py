"""MIDs 0090 to 0104: status and results of several spindles at once (003:7667-8173)."""

TABLE = """
MID 0090 I S 0005 Multi-spindle status subscribe [20] @003:7671

MID 0091 C E 0092 Multi-spindle status @003:7679
REV 1 @003:7687
01 spindle_count N2
02 sync_tightening_id N5
03 time D19
04 sync_status N1 =OK
!003:7713 printed 33-54, 35 and 36-37: 53-54, 55 and 56-57, as the example of 0067 octets shows
05 spindles G[spindle_count]
. spindle N2
. channel_id N2
. status N1 =OK

MID 0092 I A - Multi-spindle status acknowledge [20] @003:7732
MID 0093 I S 0005 Multi-spindle status unsubscribe [20] @003:7737

MID 0100 I S 0005 Multi-spindle result subscribe [20] @003:7746
REV 2 30 @003:7758
-- data_number N10 the cycle to rewind to, 0 the oldest
REV 3-5 +2 31 @003:7774
-- only_new N1 =YES
REV 6 +5 31 since=2.17 @beyond 3.6

MID 0101 C E 0102 Multi-spindle result @003:7787
REV 1-3 @003:7798
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
!003:7938 printed 175 - 175 + 18 x n: it ends at 174 + 18 x n
. spindle channel_id
!003:7943 octets 3 and 4 are not described here: the channel ID, as in revision 4 (003:8104)
. status N1 =OK
. torque_status N1 =LEVEL
. torque N6 *Nm/100
. angle_status N1 =OK
!003:7954 0 is NOK and not low
. angle N5 *deg
REV 4 +1 @003:7964
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
REV 5 +4 @003:8140
20 job_sequence N5
REV 6 +5 since=2.17 @beyond 3.6
07 batch_status N1 =BATCH

MID 0102 I A - Multi-spindle result acknowledge [20] @003:8164
MID 0103 I S 0005 Multi-spindle result unsubscribe [20] @003:8169

MID 0104 I Q 0101r Old multi-spindle result request @beyond 3.4
REV 1-6 32 since=2.17 @beyond 3.4
01 index N10 as MID 0067 tells it
"""

"""MIDs 0010 to 0025, 2504 and 2505: parameter sets, read and selected (003:3617-4089)."""

TABLE = """
MID 0010 I Q 0011r Parameter set ID upload request @003:3618
REV 1-3 20
REV 4 +1 20 since=2.14 @beyond 4
!003:668 the history of 2.8.0 names a revision 4 that it does not describe

MID 0011 C P - Parameter set ID upload reply @003:3625
REV 1 @003:3634
-- pset_count N3
-- pset_ids N3[pset_count]
!003:3646 printed 24-(Npset*3): it ends at 23 + 3N, as the example of 0029 octets shows
REV 2 +1 @003:3650
-- stages N2[pset_count] cycles of each parameter set or multistage
!003:3658 printed (24+Npset*3)-(24+Npset*5): it ends at 23 + 5N
REV 3 +2 @003:3667
-- types T4[pset_count] Pset or Mset
REV 4 +3 since=2.14 @beyond 4
-- changes D19[pset_count] last change of each

MID 0012 I Q 0013r Parameter set data upload request @003:3675
REV 1,2 23 @003:3685
-- pset_id N3
REV 3,4 +2 31 @003:3693
-- file_version N8 special use of Toyota
REV 5 +2 23 since=2.14 @beyond 4

MID 0013 C P - Parameter set data upload reply @003:3699
REV 1 104 @003:3707
01 pset_id N3
02 pset_name T25
03 rotation N1 =ROTATION
04 batch_size N2
05 torque_min N6 *Nm/100
06 torque_max N6 *Nm/100
07 torque_target N6 *Nm/100
08 angle_min N5 *deg
09 angle_max N5 *deg
10 angle_target N5 *deg
REV 2 +1 120 @003:3778
11 first_target N6 *Nm/100
12 start_final_angle N6 *Nm/100 torque to reach the snug level
REV 3,4 @003:3799
-- file_version N8
-- toyota_data T* see Toyota's appendix
REV 5 +2 141 since=2.14 @beyond 4
13 pset_change D19

MID 0014 I S 0005 Parameter set selected subscribe @003:3812
REV 1,2 20

MID 0015 C E 0016 Parameter set selected @003:3821
REV 1 42 @003:3828
-- pset_id pset_change
REV 2 141 @003:3839
01-08 pset_id pset_name pset_change rotation batch_size torque_min torque_max torque_target
09-10 angle_min angle_max
!003:3905 printed 111-112/113-117, and octet 111 is the angle min's: 112-113/114-118, so that the total is 141
11-13 angle_target first_target start_final_angle

MID 0016 I A - Parameter set selected acknowledge [20] @003:3935
MID 0017 I S 0005 Parameter set selected unsubscribe [20] @003:3940

MID 0018 I C! 0005 Select parameter set @003:3946
REV 1 23 @003:3960
-- pset_id N3

MID 0019 I C! 0005 Set parameter set batch size @003:4021
REV 1 25 @003:4027
-- pset_id batch_size
REV 2 +1 27 since=2.16 @beyond 4
-- batch_size N4

MID 0020 I C! 0005 Reset parameter set batch counter @003:4039
REV 1 23 @003:4046
-- pset_id N3

MID 0021 I S 0005 Lock at batch done subscribe [20] @003:4053

MID 0022 C E 0023 Lock at batch done upload @003:4062
REV 1 21 @003:4067
-- relay_status N1 =ON

MID 0023 I A - Lock at batch done upload acknowledge [20] @003:4074
!003:4077 "Answer: MID 0005": it is an acknowledgement itself, and those are not answered

MID 0024 I S 0005 Lock at batch done unsubscribe [20] @003:4081

MID 0025 I C - Parameter user set download request @003:4086
!003:2298 reserved for Ford there, for Toyota at 003:4087; neither says what is in it

MID 2504 I C 0005 Select parameter set, dynamic job included @003:3966
REV 1 23 @003:3976
-- pset_id N3

MID 2505 I C 0005 Select parameter set dynamically @003:3982
REV 1 @003:3990
-- pset_id N3
-- data_field_count N3
-- data_fields V[data_field_count]
"""

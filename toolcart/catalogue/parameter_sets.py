"""MIDs 0010 to 0025, 2504 and 2505: parameter sets, read and selected (OP 5.3 p. 81-94)."""

TABLE = """
MID 0010 I Q 0011r Parameter set ID upload request @OP 5.3.1 p. 81
REV 1-3 20
REV 4 +1 20 since=2.14 @later 9
!OP 1.1 p. 14 the history of 2.8.0 names a revision 4 that it does not describe

MID 0011 C P - Parameter set ID upload reply @OP 5.3.2 p. 82
REV 1 @OP 5.3.2 p. 82
-- pset_count N3
-- pset_ids N3[pset_count]
!OP 5.3.2 p. 82 printed 24-(Npset*3): it ends at 23 + 3N, as the example of 0029 octets shows
REV 2 +1 @OP 5.3.2 p. 82
-- stages N2[pset_count] cycles of each parameter set or multistage
!OP 5.3.2 p. 82 printed (24+Npset*3)-(24+Npset*5): it ends at 23 + 5N
REV 3 +2 @OP 5.3.2 p. 82
-- types T4[pset_count] Pset or Mset
REV 4 +3 since=2.14 @later 9
-- changes D19[pset_count] last change of each

MID 0012 I Q 0013r Parameter set data upload request @OP 5.3.3 p. 82
REV 1,2 23 @OP 5.3.3 p. 83
-- pset_id N3
REV 3,4 +2 31 @OP 5.3.3 p. 83
-- file_version N8 special use of Toyota
REV 5 +2 23 since=2.14 @later 9

MID 0013 C P - Parameter set data upload reply @OP 5.3.4 p. 83
REV 1 104 @OP 5.3.4 p. 83
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
REV 2 +1 120 @OP 5.3.4 p. 84
11 first_target N6 *Nm/100
12 start_final_angle N6 *Nm/100 torque to reach the snug level
REV 3,4 @OP 5.3.4 p. 84
-- file_version N8
-- toyota_data T* see Toyota's appendix
REV 5 +2 141 since=2.14 @later 9
13 pset_change D19

MID 0014 I S 0005 Parameter set selected subscribe @OP 5.3.5 p. 85
REV 1,2 20
REV 3 +2 20 since=2.18 @later 19

MID 0015 C E 0016 Parameter set selected @OP 5.3.6 p. 86
REV 1 42 @OP 5.3.6 p. 86
-- pset_id pset_change
REV 2 141 @OP 5.3.6 p. 86
01-08 pset_id pset_name pset_change rotation batch_size torque_min torque_max torque_target
09-10 angle_min angle_max
!OP 5.3.6 p. 87 printed 111-112/113-117, and octet 111 is the angle min's: 112-113/114-118, so that the total is 141
11-13 angle_target first_target start_final_angle
REV 3 +2 174 since=2.18 @later 19
14 selected_identifier N4 number of the identifier that is selected
15 joint_id T25

MID 0016 I A - Parameter set selected acknowledge [20] @OP 5.3.7 p. 88
MID 0017 I S 0005 Parameter set selected unsubscribe [20] @OP 5.3.8 p. 88

MID 0018 I C! 0005 Select parameter set @OP 5.3.9 p. 88
REV 1 23 @OP 5.3.9 p. 88
-- pset_id N3

MID 0019 I C! 0005 Set parameter set batch size @OP 5.3.12 p. 90
REV 1 25 @OP 5.3.12 p. 90
-- pset_id batch_size
REV 2 +1 27 since=2.16 @later 9
-- batch_size N4

MID 0020 I C! 0005 Reset parameter set batch counter @OP 5.3.13 p. 91
REV 1 23 @OP 5.3.13 p. 91
-- pset_id N3

MID 0021 I S 0005 Lock at batch done subscribe [20] @OP 5.3.14 p. 91

MID 0022 C E 0023 Lock at batch done upload @OP 5.3.14.1 p. 92
REV 1 21 @OP 5.3.14.1 p. 92
-- relay_status N1 =ON

MID 0023 I A - Lock at batch done upload acknowledge [20] @OP 5.3.15 p. 92
!OP 5.3.15 p. 92 "Answer: MID 0005": it is an acknowledgement itself, and those are not answered

MID 0024 I S 0005 Lock at batch done unsubscribe [20] @OP 5.3.16 p. 93

MID 0025 I C - Parameter user set download request @OP 5.3.17 p. 93
!OP 4.5 p. 64 reserved for Ford there, for Toyota at OP 5.3.17 p. 93; neither says what is in it

MID 2504 I C 0005 Select parameter set, dynamic job included @OP 5.3.10 p. 88
REV 1 23 @OP 5.3.10 p. 89
-- pset_id N3

MID 2505 I C 0005 Select parameter set dynamically @OP 5.3.11 p. 89
REV 1 @OP 5.3.11 p. 89
-- pset_id N3
-- data_field_count N3
-- data_fields V[data_field_count]
"""

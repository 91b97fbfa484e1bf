"""MIDs 0060 to 0067: results of tightenings, pushed and fetched (OP 5.8.1 p. 133-152)."""

TABLE = """
MID 0060 I S 0005 Last tightening result data subscribe @OP 5.8.1 p. 133
REV 1-7,998,999 20
REV 8 +1 20 since=2.10 @later 3
REV 9 +1 20 since=2.13 @later 3
REV 10 +1 20 since=2.15 @later 3
REV 11 +1 20 since=2.17 @later 3
REV 12 +1 20 since=2.18 @later 19

MID 0061 C E 0062 Last tightening result data @OP 5.8.2 p. 133
REV 1 231 @OP 5.8.2 p. 134
01 cell_id N4
02 channel_id N2
03 controller_name T25
04 vin T25 VIN number
05 job_id N2
06 pset_id N3 parameter set ID
07 batch_size N4
08 batch_counter N4
09 tightening_status N1 =OK
10 torque_status N1 =LEVEL
11 angle_status N1 =LEVEL
12 torque_min N6 *Nm/100 torque min limit
13 torque_max N6 *Nm/100 torque max limit
14 torque_target N6 *Nm/100 torque final target
15 torque N6 *Nm/100
16 angle_min N5 *deg
17 angle_max N5 *deg
18 angle_target N5 *deg final angle target
19 angle N5 *deg
20 time D19 time stamp
21 pset_change D19 last change in parameter set settings
22 batch_status N1 =BATCH
23 tightening_id N10
REV 2 385 @OP 5.8.2 p. 136
01-04 cell_id channel_id controller_name vin
05 job_id N4
06 pset_id N3 parameter set ID
07 strategy N2 =STRATEGY
08 strategy_options B5 =OPTIONS
09-14 batch_size batch_counter tightening_status batch_status torque_status angle_status
15 rundown_angle_status N1 =LEVEL
16 current_status N1 =LEVEL current monitoring status
17 self_tap_status N1 =LEVEL
18 pvt_status N1 =LEVEL prevail torque monitoring status
19 pvt_compensate_status N1 =LEVEL prevail torque compensate status
20 error_status B10 =ERRORS tightening error bits
21-24 torque_min torque_max torque_target torque
25 angle_min N5 *deg~angle_numerator~angle_denominator
26 angle_max N5 *deg~angle_numerator~angle_denominator
27 angle_target N5 *deg~angle_numerator~angle_denominator final angle target
28 angle N5 *deg~angle_numerator~angle_denominator
29 rundown_angle_min N5 *deg~angle_numerator~angle_denominator
30 rundown_angle_max N5 *deg~angle_numerator~angle_denominator
31 rundown_angle N5 *deg~angle_numerator~angle_denominator
32 current_min N3 *% current monitoring min
33 current_max N3 *% current monitoring max
34 current N3 *% current monitoring value
35 self_tap_min N6 *Nm/100
36 self_tap_max N6 *Nm/100
37 self_tap_torque N6 *Nm/100
38 pvt_min N6 *Nm/100 prevail torque monitoring min
39 pvt_max N6 *Nm/100 prevail torque monitoring max
40 pvt_torque N6 *Nm/100 prevail torque
41 tightening_id N10
42 job_sequence N5 job sequence number
43 sync_tightening_id N5
44 tool_serial T14 tool serial number
45-46 time pset_change
REV 3 +2 419 @OP 5.8.2 p. 140
47 pset_name T25 parameter set name
48 torque_unit N1 =TORQUE_UNIT torque values unit
49 result_type N2 =RESULT_TYPE
REV 4 +3 500 @OP 5.8.2 p. 141
50 identifier_2 T25 identifier result part 2
51 identifier_3 T25 identifier result part 3
52 identifier_4 T25 identifier result part 4
REV 5 +4 506 @OP 5.8.2 p. 141
53 customer_error T4 customer tightening error code
REV 6 +5 526 @OP 5.8.2 p. 141
54 pvt_compensate N6 *Nm/100 prevail torque compensate value
55 error_status_2 B10 =ERRORS_2 tightening error bits 2
REV 7 +6 544 @OP 5.8.2 p. 142
56 compensated_angle N7 *deg/100
57 angle_hundredths N7 *deg/100 final angle with decimals
REV 8 +7 571 since=2.10 @later 3
58 start_final_angle N6 *Nm/100 torque at which the final angle starts
59 post_view N1 =POST_VIEW post view torque on
60 post_view_high N6 *Nm/100
61 post_view_low N6 *Nm/100
REV 9 +8 592 since=2.13 @later 3
62 current_amperes N5 *A/100 current monitoring value
63 current_amperes_min N5 *A/100
64 current_amperes_max N5 *A/100
REV 10 +9 662 since=2.15 @later 3
65 angle_numerator N5 every angle in degrees of this message is to be multiplied by it
66 angle_denominator N5 and divided by this
67 overall_angle_status N1 =LEVEL
68 overall_angle_min I5 *deg~angle_numerator~angle_denominator
69 overall_angle_max I5 *deg~angle_numerator~angle_denominator
70 overall_angle I5 *deg~angle_numerator~angle_denominator
71 peak_torque N6 *Nm/100
72 residual_breakaway_torque N6 *Nm/100
73 rundown_start_torque N6 *Nm/100 start rundown angle
74 rundown_complete_torque N6 *Nm/100 rundown angle complete
REV 11 +10 677 since=2.17 @later 3
75 click_torque N6 *Nm/100
76 click_angle N5 *deg~angle_numerator~angle_denominator
REV 12 +11 710 since=2.18 @later 19
77 selected_identifier N4 number of the identifier that is selected
78 joint_id T25
REV 998 +6 @OP 5.8.2 p. 142
56 stages N2 number of stages in the multistage
!OP 5.8.2 p. 142-143 the parameter IDs 56 and 57 are those of revision 7 as well, with another meaning
57 stage_count N2 number of stage results
58 stage_results G[stage_count]
. torque N6 *Nm/100
. angle N5 *deg
REV 999 121 @OP 5.8.2 p. 144
-- vin T25 VIN number
-- job_id N2
-- pset_id batch_size batch_counter
-- batch_status N1 =BATCH_LIGHT
-- tightening_status torque_status angle_status torque
-- angle N5 *deg
-- time pset_change tightening_id

MID 0062 I A - Last tightening result data acknowledge [20] @OP 5.8.3 p. 145
MID 0063 I S 0005 Last tightening result data unsubscribe [20] @OP 5.8.4 p. 145

MID 0064 I Q 0065r Old tightening result upload request @OP 5.8.5 p. 146
REV 1-7 30 @OP 5.8.5 p. 146
-- tightening_id N10 0 is the latest
!OP 5.8.5 p. 146 one table, for revision 1: the header's revision chooses that of 0065 (OP 5.8.5 p. 146)
REV 8 +7 30 since=2.10 @later 4
REV 9 +8 30 since=2.13 @later 4
REV 10 +9 31 since=2.15 @later 4
-- offline N1 =YES with ID 0: the latest made offline
REV 11 +10 31 since=2.17 @later 4
REV 12 +11 31 since=2.18 @later 19

MID 0065 C P - Old tightening result upload reply @OP 5.8.6 p. 146
REV 1 118 @OP 5.8.6 p. 147
01 tightening_id N10
02-10 vin pset_id batch_counter tightening_status torque_status angle_status torque angle time
11 batch_status N1 =BATCH
REV 2 226 @OP 5.8.6 p. 147
01-02 tightening_id vin
03 job_id N4
!OP 5.8.6 p. 148 four digits with the range 00-99: the width counts
04-10 pset_id strategy strategy_options batch_size batch_counter tightening_status batch_status
11-16 torque_status angle_status rundown_angle_status current_status self_tap_status pvt_status
17-19 pvt_compensate_status error_status torque
20 angle N5 *deg~angle_numerator~angle_denominator
21-26 rundown_angle current self_tap_torque pvt_torque job_sequence sync_tightening_id
27-28 tool_serial time
REV 3 +2 233 @OP 5.8.6 p. 151
29-30 torque_unit result_type
REV 4 +3 314 @OP 5.8.6 p. 151
31-33 identifier_2 identifier_3 identifier_4
REV 5 +4 320 @OP 5.8.6 p. 152
34 customer_error T4 customer tightening error code
REV 6 +5 340 @OP 5.8.6 p. 152
35-36 pvt_compensate error_status_2
!OP 5.8.6 p. 152 bits 7 to 32 are called reserved: 18 are used, as in 0061 (protocol.md 10.5)
REV 7 +6 379 @OP 5.8.6 p. 152
37 station_id N10
38 station_name T25
REV 8 +7 406 since=2.10 @later 4
39-42 start_final_angle post_view post_view_high post_view_low
REV 9 +8 427 since=2.13 @later 4
43-45 current_amperes current_amperes_min current_amperes_max
REV 10 +9 497 since=2.15 @later 4
46-50 angle_numerator angle_denominator overall_angle_status overall_angle_min overall_angle_max
51-54 overall_angle peak_torque residual_breakaway_torque rundown_start_torque
55 rundown_complete_torque N6 *Nm/100 rundown angle complete
REV 11 +10 512 since=2.17 @later 4
56-57 click_torque click_angle
REV 12 +11 545 since=2.18 @later 19
58-59 selected_identifier joint_id

MID 0066 C P - Number of offline results @later 6
REV 1 24 since=2.10 @later 6
01 offline_results N2
REV 2 30 since=2.16 @later 6
01 offline_results N3
02 offline_curves N3

MID 0067 C P - Tightening result list @later 6
REV 1 since=2.11 @later 6, MT "Special MT Focus 6000 considerations, per mid"
-- result_count N3
-- results G[result_count]
. index N10
. time D19 start time
. status N1 =OK
"""

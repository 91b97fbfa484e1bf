"""MIDs 0030 to 0039, 0120 to 0133, 0140: jobs, line control, jobs sent (OP 5.5 p. 109-122, 5.15 p. 198-207)."""

TABLE = """
MID 0030 I Q 0031r Job ID upload request @OP 5.5.1 p. 109
REV 1,2 20

MID 0031 C P - Job ID upload reply @OP 5.5.2 p. 109
REV 1 @OP 5.5.2 p. 109
-- job_count N2
-- job_ids N2[job_count]
REV 2 @OP 5.5.2 p. 109
-- job_count N4
!OP 5.5.2 p. 109 the example has three digits of it, and a length that fits neither
-- job_ids N4[job_count]

MID 0032 I Q 0033r Job data upload request @OP 5.5.3 p. 111
REV 1 22 @OP 5.5.3 p. 111
-- job_id N2
REV 2,3 24 @OP 5.5.3 p. 111
-- job_id N4
REV 4 +3 24 since=2.10 @later 12
REV 5 +3 24 since=2.16 @later 12

MID 0033 C P - Job data upload reply @OP 5.5.4 p. 112
REV 1 @OP 5.5.4 p. 112
01 job_id N2
02 job_name T25
03 forced_order N1 =JOB_ORDER
04 max_time_first N4 *s max time for the first tightening, 0 not used
05 max_time N5 *s max time to complete the job, 0 not used
06 batch_mode N1 =JOB_COUNT
07 lock_at_done N1 =YES
08 line_control N1 =YES
09 repeat N1 =YES
10 loosening N1 =LOOSENING
11 reserved T1 =0:E|1:G for job repair; the digit is printed, letters are met too
12 pset_count N2
13 job_list G[pset_count]
. channel_id N2 ':'
. type_id N3 ':' parameter set or multistage ID
. auto_next N1 =YES ':'
. batch_size N2 ';'
REV 2 +1 @OP 5.5.4 p. 113
01 job_id N4
REV 3 +2 @OP 5.5.4 p. 115
13 job_list G[pset_count]
!OP 5.5.4 p. 115 "(41 bytes)" beside N x 44: the parts and their separators are 44
. channel_id type_id auto_next
. batch_size N2 ':'
. socket N2 ':'
. step_name T25 ':'
. step_type N2 =JOB_STEP ';'
REV 4 +2 since=2.10 @later 12
13 job_list G[pset_count]
. channel_id type_id
. auto_next N1 =AUTO_NEXT ':'
. batch_size N2 ':'
. identifier_number N4 ':' socket or end fitting
. step_name T25 ':'
. step_type N2 =JOB_STEP ':'
. max_coherent_nok N2 ';'
REV 5 +4 since=2.16 @later 12
. job_list.batch_size N4 ':'

MID 0034 I S 0005 Job info subscribe @OP 5.5.5 p. 115
REV 1-5 20
REV 6 +5 20 since=2.18 @later 19

MID 0035 C E 0036 Job info @OP 5.5.6 p. 115
REV 1 63 @OP 5.5.6 p. 116
01 job_id N2
02 job_status N1 =JOB_STATUS
03 batch_mode N1 =JOB_COUNT
04 batch_size N4
05 batch_counter N4
06 time D19
REV 2 +1 65 @OP 5.5.6 p. 116
01 job_id N4
04 batch_size N4
!OP 5.5.6 p. 117 printed 35-37: four octets, and the next one begins at 39
REV 3 +2 79 @OP 5.5.6 p. 118
07 step N3 current step
08 step_count N3
09 step_type N2 =JOB_STEP
REV 4 +3 83 @OP 5.5.6 p. 118
03 batch_mode N1 =JOB_COUNT
!OP 5.5.6 p. 118 the batch mode's ID is printed at 301-31: 30-31
10 tightening_status N2 =JOB_TIGHTENING
REV 5 +4 198 @OP 5.5.6 p. 119
11 job_sequence N5
12 vin T25
13-15 identifier_2-4 T25
REV 6 +5 225 since=2.18 @later 19
16 joint_id T25

MID 0036 I A - Job info acknowledge [20] @OP 5.5.7 p. 120
MID 0037 I S 0005 Job info unsubscribe [20] @OP 5.5.8 p. 120

MID 0038 I C! 0005 Select job @OP 5.5.9 p. 120
REV 1 22 @OP 5.5.9 p. 120
-- job_id N2
REV 2 24 @OP 5.5.9 p. 120
-- job_id N4

MID 0039 I C! 0005 Job restart @OP 5.5.10 p. 120
REV 1 22 @OP 5.5.10 p. 121
-- job_id N2
REV 2 24 @OP 5.5.10 p. 121
-- job_id N4

MID 0120 I S 0005 Job line control info subscribe [20] @OP 5.15.1 p. 198
MID 0121 C E 0125 Job line control started [20] @OP 5.15.2 p. 198
MID 0122 C E 0125 Job line control alert 1 [20] @OP 5.15.3 p. 198
MID 0123 C E 0125 Job line control alert 2 [20] @OP 5.15.4 p. 198
MID 0124 C E 0125 Job line control done [20] @OP 5.15.5 p. 199
MID 0125 I A - Job line control info acknowledge [20] @OP 5.15.6 p. 200
MID 0126 I S 0005 Job line control info unsubscribe [20] @OP 5.15.7 p. 200
MID 0127 I C! 0005 Abort job [20] @OP 5.15.8 p. 200
MID 0128 I C! 0005 Job batch increment [20] @OP 5.15.9 p. 200

MID 0129 I C! 0005 Job batch decrement [20] @OP 5.15.10 p. 201
REV 2 29 @OP 5.15.10 p. 201
01 channel_id N2
02 pset_id N3

MID 0130 I C! 0005 Job off @OP 5.15.11 p. 202
REV 1 21 @OP 5.15.11 p. 202
-- job_off N1 =0:set_job_off|1:reset_job_off

MID 0131 I C 0005 Set job line control start [20] @OP 5.15.12 p. 202
MID 0132 I C 0005 Set job line alert 1 [20] @OP 5.15.13 p. 203
MID 0133 I C 0005 Set job line alert 2 [20] @OP 5.15.14 p. 203

MID 0140 I C! 0005 Execute dynamic job request @OP 5.15.15 p. 203
REV 1 @OP 5.15.15 p. 204
01-03 job_id job_name pset_count
04 job_list G[pset_count]
. channel_id N2 ':'
. program_id N3 ':' parameter set or multistage ID
. auto_select N1 =YES ':'
. batch_size max_coherent_nok
05-09 forced_order lock_at_done loosening repeat batch_mode
10 status_at_increment N1 =0:OK|1:NOK batch status at increment or bypass
11 decrement_at_loosening N1 =YES decrement the batch at an OK loosening
12-13 max_time_first max_time
14 display_time N4 *s display of the result at auto select, 0 not used
15 line_control N1 =YES
16 identifier_part_1 N1 =0:job_VIN_number|1:other
17 result_of_non_tightenings N1 =YES
18 reset_identifiers N1 =YES reset all identifiers when the job is done
19 reserved T1 =0:E|1:G for job repair; the digit is printed, letters are met too
REV 999 +1 @OP 5.15.15 p. 206
. job_list.max_coherent_nok N2 ':'
. job_list.batch_counter N2 ';'
REV 2 +999 since=2.10 @later 13
. job_list.auto_select N1 =AUTO_NEXT ':'
. job_list.batch_counter N2 ':'
. job_list.identifier_number N4 ':' socket or end fitting
. job_list.step_name T25 ':'
. job_list.step_type N2 =JOB_STEP ';'
20 job_sequence N5 0 to 65535
REV 3 since=2.13 @later 13
01-03 job_id job_name pset_count
04 job_list G[pset_count]
. channel_id program_id
. auto_select N2 =AUTO_NEXT ':'
. batch_size N2 ':'
. max_coherent_nok N2 ':'
. batch_counter N2 ':'
. identifier_number step_name step_type
. loosening N1 =LOOSENING ':'
. batch_mode N1 =JOB_COUNT ':'
. status_at_increment N1 =0:OK|1:NOK ':' batch status at increment or bypass
. decrement_at_loosening N1 =0:never|1:always|2:after_OK ':'
. batch_status N1 =0:not_begun|1:OK|2:NOK ';' batch status now
05-11 forced_order lock_at_done repeat max_time_first max_time display_time line_control
12-16 identifier_part_1 result_of_non_tightenings reset_identifiers reserved job_sequence
REV 4 +3 since=2.16 @later 13
. job_list.batch_size N4 ':'
. job_list.batch_counter N4 ':'
"""

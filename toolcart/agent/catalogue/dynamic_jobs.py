"""MID 0140: a job that is sent and run at once (003:9292-9493)."""

TABLE = """
MID 0140 I C! 0005 Execute dynamic job request @003:9292
REV 1 @003:9314
01 job_id N4
02 job_name T25
03 pset_count N2
04 job_list G[pset_count]
. channel_id N2 ':'
. program_id N3 ':' parameter set or multistage ID
. auto_select N1 =YES ':'
. batch_size N2 ':'
. max_coherent_nok N2 ';'
05 forced_order N1 =JOB_ORDER
06 lock_at_done N1 =YES
07 loosening N1 =LOOSENING
08 repeat N1 =YES
09 batch_mode N1 =JOB_COUNT
10 status_at_increment N1 =0:OK|1:NOK batch status at increment or bypass
11 decrement_at_loosening N1 =YES decrement the batch at an OK loosening
12 max_time_first N4 *s max time for the first tightening, 0 not used
13 max_time N5 *s max time to complete the job, 0 not used
14 display_time N4 *s display of the result at auto select, 0 not used
15 line_control N1 =YES
16 identifier_part_1 N1 =0:job_VIN_number|1:other
17 result_of_non_tightenings N1 =YES
18 reset_identifiers N1 =YES reset all identifiers when the job is done
19 reserved T1 =0:E|1:G for job repair; the digit is printed, letters are met too
REV 999 +1 @003:9458
. job_list.max_coherent_nok N2 ':'
. job_list.batch_counter N2 ';'
REV 2 +999 since=2.10 @beyond 8.2
. job_list.auto_select N1 =AUTO_NEXT ':'
. job_list.batch_counter N2 ':'
. job_list.identifier_number N4 ':' socket or end fitting
. job_list.step_name T25 ':'
. job_list.step_type N2 =JOB_STEP ';'
20 job_sequence N5 0 to 65535
REV 3 since=2.13 @beyond 8.2
01 job_id N4
02 job_name T25
03 pset_count N2
04 job_list G[pset_count]
. channel_id N2 ':'
. program_id N3 ':' parameter set or multistage ID
. auto_select N2 =AUTO_NEXT ':'
. batch_size N2 ':'
. max_coherent_nok N2 ':'
. batch_counter N2 ':'
. identifier_number N4 ':' socket or end fitting
. step_name T25 ':'
. step_type N2 =JOB_STEP ':'
. loosening N1 =LOOSENING ':'
. batch_mode N1 =JOB_COUNT ':'
. status_at_increment N1 =0:OK|1:NOK ':' batch status at increment or bypass
. decrement_at_loosening N1 =0:never|1:always|2:after_OK ':'
. batch_status N1 =0:not_begun|1:OK|2:NOK ';' batch status now
05 forced_order N1 =JOB_ORDER
06 lock_at_done N1 =YES
07 repeat N1 =YES
08 max_time_first N4 *s max time for the first tightening, 0 not used
09 max_time N5 *s max time to complete the job, 0 not used
10 display_time N4 *s display of the result at auto select, 0 not used
11 line_control N1 =YES
12 identifier_part_1 N1 =0:job_VIN_number|1:other
13 result_of_non_tightenings N1 =YES
14 reset_identifiers N1 =YES reset all identifiers when the job is done
15 reserved T1 =0:E|1:G for job repair; the digit is printed, letters are met too
16 job_sequence N5 0 to 65535
REV 4 +3 since=2.16 @beyond 8.2
. job_list.batch_size N4 ':'
. job_list.batch_counter N4 ':'
"""

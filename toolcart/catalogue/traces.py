"""MIDs 0900 to 0902: traces and what is kept of them (OP 5.26.5 p. 257-264; protocol.md 6, 10.11)."""

TABLE = """
MID 0900 C E 0005 Trace curve data @OP 5.27.1 p. 257
REV 1 @OP 5.27.1 p. 257
-- result_id N10
-- time D19
-- data_field_count N3
-- data_fields V[data_field_count] common to all traces
-- trace_type N2 =TRACE
!OP 5.27.1 p. 258 two digits here, three in the data of 0006, 0008 and 0009 (OP 5.27.1.1 p. 261)
-- transducer N2
-- unit N3
-- parameter_count N3
-- parameters V[parameter_count] 02213 divides the samples, 02214 multiplies them
!OP 5.27.1 p. 259 5610 x 0.001 is not 56.1: the example's factor would be 0.01
-- resolution_count N3
-- resolutions R[resolution_count]
-- sample_count N5
-- samples Z[sample_count] two octets each, two's complement
REV 2 +1 since=2.11 @later 11
-- request_mid N4 <parameter_count 0006 or 0008
REV 3 +2 since=2.16 @later 11
-- object_id N4 <data_field_count
-- object_type N1 =OBJECT <data_field_count
-- reference_object N4 <data_field_count
-- trace_count N2 <transducer number of traces
-- transducer N2 0 is none

MID 0901 C E 0005 Traces plot parameters @OP 5.27.2 p. 263
!OP 5.27.2 p. 263 the example's header says 0009
REV 1 @OP 5.27.2 p. 263
-- result_id time data_field_count
-- data_fields V[data_field_count]
REV 2 +1 since=2.11 @later 11
-- request_mid N4 <data_fields between the count and the fields
REV 3 +2 since=2.16 @later 11
-- object_id N4 <data_fields
-- object_type N1 =OBJECT <data_fields
-- reference_object N4 <data_fields
-- trace_type N2 =TRACE <data_fields

MID 0902 C P - Stored traces @later 6
REV 1 since=2.17 @later 6
-- capacity N10
-- oldest_index N10
-- oldest_time D19
-- newest_index N10
-- newest_time D19
-- data_field_count N3
-- data_fields U[data_field_count] printed without a step number
"""

"""MIDs 1201 to 1203: results with variable data fields (003:7022-7311; beyond-2.8.md 3.5)."""

TABLE = """
MID 1201 C E 1203 Operation result overall data @003:7042
!003:2083 called 1200 in Table 6
REV 1 @003:7160
-- message_count N3
-- message_number N3 always 1
-- result_id N10
-- time D19 cycle start
-- result_status N1 =OK
-- operation_type N2 =OPERATION
-- object_count N3
-- objects G[object_count]
. object_id N4
. status N1 =OK
-- data_field_count N3
-- data_fields V[data_field_count]
REV 2 +1 since=2.11 @beyond 3.5
-- request_mid N4 <object_count 0006 or 0008
REV 3 +2 since=2.16 @beyond 3.5
. objects.object_type N1 =OBJECT
. objects.reference_object N4

MID 1202 C E 1203 Operation result object data @003:7244
REV 1 @003:7260
-- message_count N3
-- message_number N3 from 2 on
-- result_id N10 that of MID 1201
-- object_id N4
-- data_field_count N3
-- data_fields V[data_field_count]
REV 2 +1 since=2.16 @beyond 3.5
-- node_guid T36 <data_field_count

MID 1203 I A - Operation result data acknowledge [20] @003:7308
"""

"""MIDs 0001 to 0009: start and stop of a session, answers, and the generic requests (003:3074-3613)."""

TABLE = """
MID 0001 I S 0002r Application communication start @003:3074
REV 1-6 20 @003:3080
REV 7 23 since=2.9 @beyond 2
01 keep_alive_optional N1 =0:mandatory|1:ignored

MID 0002 C P - Application communication start acknowledge @003:3083
REV 1 57 @003:3095
01 cell_id N4
02 channel_id N2
!003:3112 range 00-20 here, 00-99 in 0061 (003:5733)
03 controller_name T25
REV 2 +1 62 @003:3119
04 supplier_code T3
REV 3 +2 125 @003:3129
05 protocol_version T19 version of Open Protocol that is implemented
06 controller_software T19 controller software version
07 tool_software T19 tool software version
REV 4 +3 163 @003:3153
08 rbu_type T24
09 controller_serial T10 controller serial number
REV 5 +4 173 @003:3169
10 system_type N3 =SYSTEM
11 system_subtype N3 =SUBSYSTEM
REV 6 +5 221 @003:3196
12 sequence_numbers N1 =YES sequence numbers are supported
13 linking N1 =YES linked messages are supported
14 station_id N10 station or cell ID
!003:749 controllers before release 2.7 end here, with 179 octets
15 station_name T25 station or cell name
16 client_id N1
REV 7 +6 224 since=2.9 @beyond 2
17 keep_alive_optional N1 =0:mandatory|1:ignored

MID 0003 I C 0005 Application communication stop [20] @003:3233
!003:3235 "sent by Controller": Table 7 says integrator (003:2196)

MID 0004 IC A - Application communication negative acknowledge @003:3241
REV 1 26 @003:3258
-- failed_mid N4
-- error_code N2 =ERROR_CODE
!003:1690 the texts of 16 and 35 differ there; a code of three digits leaves one octet behind the table
REV 2 +1 27 since=2.17 @beyond 2
-- error_code N3 =ERROR_CODE

MID 0005 IC A - Application communication positive acknowledge @003:3464
REV 1 24 @003:3480
-- mid_accepted N4

MID 0006 I Q requested Application data message request @003:3487
REV 1 @003:3500
-- requested_mid N4
-- requested_revision N3
-- extra_length N2
-- extra T[extra_length] extra data, as the requested MID defines it

MID 0007 IC X - Reserved @003:2212

MID 0008 I S 0005 Application data message subscription @003:3528
REV 1 @003:3541
-- subscribed_mid N4
-- subscribed_revision N3
-- extra_length N2
-- extra T[extra_length] extra data, as the subscribed MID defines it

MID 0009 I S 0005 Application data message unsubscribe @003:3574
REV 1 @003:3586
-- subscribed_mid N4
-- extra_revision N3 revision of the extra data
-- extra_length N2
!003:12456 the example for 0900 announces 06 for five octets
-- extra T[extra_length] extra data, as the MID defines it
"""

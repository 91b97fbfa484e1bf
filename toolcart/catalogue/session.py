"""MIDs 0001 to 0009: start and stop of a session, answers, and the generic requests (OP 5.2.1 p. 70-80)."""

TABLE = """
MID 0001 I S 0002r Application communication start @OP 5.2.1 p. 70
REV 1-6 20 @OP 5.2.1 p. 70
REV 7 23 since=2.9 @later 2
01 keep_alive_optional N1 =0:mandatory|1:ignored
REV 8 +7 32 since=2.18 @later 19
02 tool_lock_optional N1 tool lock at disconnection is optional
03 early_lock N4

MID 0002 C P - Application communication start acknowledge @OP 5.2.2 p. 70
REV 1 57 @OP 5.2.2 p. 71
01 cell_id N4
02 channel_id N2
!OP 5.2.2 p. 71 range 00-20 here, 00-99 in 0061 (OP 5.8.2 p. 134)
03 controller_name T25
REV 2 +1 62 @OP 5.2.2 p. 71
04 supplier_code T3
REV 3 +2 125 @OP 5.2.2 p. 71
05 protocol_version T19 version of Open Protocol that is implemented
06 controller_software T19 controller software version
07 tool_software T19 tool software version
REV 4 +3 163 @OP 5.2.2 p. 71
08 rbu_type T24
09 controller_serial T10 controller serial number
REV 5 +4 173 @OP 5.2.2 p. 72
10 system_type N3 =SYSTEM
11 system_subtype N3 =SUBSYSTEM
REV 6 +5 221 @OP 5.2.2 p. 72
12 sequence_numbers N1 =YES sequence numbers are supported
13 linking N1 =YES linked messages are supported
14 station_id N10 station or cell ID
!OP 1.1 p. 15 controllers before release 2.7 end here, with 179 octets
15 station_name T25 station or cell name
16 client_id N1
REV 7 +6 224 since=2.9 @later 2
17 keep_alive_optional N1 =0:mandatory|1:ignored
REV 8 +7 230 since=2.18 @later 19
18 tool_lock_optional N1 tool lock at disconnection is optional
19 early_lock N1
!protocol.md 10.19 one octet here, four in 0001

MID 0003 I C 0005 Application communication stop [20] @OP 5.2.3 p. 73
!OP 5.2.3 p. 73 "sent by Controller": Table 7 says integrator (OP 4.5 p. 63)

MID 0004 IC A - Application communication negative acknowledge @OP 5.2.4 p. 74
REV 1 26 @OP 5.2.4 p. 74
-- failed_mid N4
-- error_code N2 =ERROR_CODE
!OP 3.3.4 p. 44 the texts of 16 and 35 differ there; a code of three digits leaves one octet behind the table
REV 2 +1 27 since=2.17 @later 2
-- error_code N3 =ERROR_CODE

MID 0005 IC A - Application communication positive acknowledge @OP 5.2.5 p. 77
REV 1 24 @OP 5.2.5 p. 77
-- mid_accepted N4

MID 0006 I Q requested Application data message request @OP 5.2.6 p. 77
REV 1 @OP 5.2.6 p. 78
-- requested_mid N4
-- requested_revision N3
-- extra_length N2
-- extra T[extra_length] extra data, as the requested MID defines it

MID 0007 IC X - Reserved @OP 4.5 p. 63

MID 0008 I S 0005 Application data message subscription @OP 5.2.7 p. 79
REV 1 @OP 5.2.7 p. 79
-- subscribed_mid N4
-- subscribed_revision N3
-- extra_length N2
-- extra T[extra_length] extra data, as the subscribed MID defines it

MID 0009 I S 0005 Application data message unsubscribe @OP 5.2.8 p. 80
REV 1 @OP 5.2.8 p. 80
-- subscribed_mid N4
-- extra_revision N3 revision of the extra data
-- extra_length N2
!OP 5.27.1.2 p. 262 the example for 0900 announces 06 for five octets
-- extra T[extra_length] extra data, as the MID defines it
"""

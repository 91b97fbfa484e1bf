"""The categories of a few messages each, in one file: a category is read when one of its MIDs comes."""

TABLES = {
    # MIDs 0050 to 0054: the vehicle's number and the other identifiers (003:5592-5694).
    "vin": """
MID 0050 I C! 0005 Vehicle ID number download request @003:5595
REV 1 @003:5602
-- vin T*25

MID 0051 I S 0005 Vehicle ID number subscribe @003:5609
REV 1,2 20

MID 0052 C E 0053 Vehicle ID number @003:5627
REV 1 @003:5639
-- vin T25*40 on a PowerMACS up to 40 characters, never less than 25
REV 1 other @LIT-MAN177
01 vin T25
!LIT-MAN177 "Send MID with ID" of an AcraDyne Gen IV: some versions of the specification have the ID
REV 2 128 @003:5650
01 vin T25
02 identifier_2 T25
03 identifier_3 T25
!003:5672 printed 77-91 and the ones behind it 92-93/94-128: 25 octets each, 75-76/77-101 and 102-103/104-128
04 identifier_4 T25

MID 0053 I A - Vehicle ID number acknowledge [20] @003:5683
MID 0054 I S 0005 Vehicle ID number unsubscribe [20] @003:5688
""",
    # MIDs 0080 to 0082: the controller's clock (003:7636-7666).
    "clock": """
MID 0080 I Q 0081 Read time upload request [20] @003:7637

MID 0081 C P - Read time upload reply @003:7642
REV 1 39 @003:7648
-- time D19

MID 0082 I C! 0005 Set time @003:7654
REV 1 39 @003:7659
-- time D19
""",
    # MIDs 0110 to 0113: texts and lights for the operator (003:9097-9175).
    "display": """
MID 0110 I C! 0005 Display user text on compact @003:9098
REV 1 24 @003:9113
-- text T4

MID 0111 I C! 0005 Display user text on graph @003:9119
REV 1 137 @003:9132
01 duration N4 *s
02 removal N1 =0:acknowledge_or_time|1:acknowledge
03 line_1 T25 header, in upper case
04-06 line_2-4 T25

MID 0113 I C! 0005 Flash green light on tool [20] @003:9168
""",
    # MIDs 0240 to 0245: data of the PLC in a PowerMACS (003:10971-11192).
    "plc": """
MID 0240 I C 0005 User data download @003:11099
!003:2747 Table 7 has no mark of a category for it, nor for 0245
REV 1 @003:11107
-- user_data H* two hexadecimal digits a byte, at most 200 digits

MID 0241 I S 0005 User data subscribe [20] @003:11117

MID 0242 C E 0243 User data @003:11125
REV 1 @003:11131
-- user_data H* two hexadecimal digits a byte, at most 200 digits

MID 0243 I A - User data acknowledge [20] @003:11142

MID 0244 I S 0005 User data unsubscribe [20] @003:11147
!003:11151 the refusal is called "subscription already exists": it does not exist

MID 0245 I C 0005 User data download with offset @003:11153
REV 1 @003:11174
-- offset N3 bytes behind address 13000
!003:11172 the example shows the data of 0240's, without an offset
-- user_data H* two hexadecimal digits a byte
""",
    # MIDs 0260 to 0265: the tool location system (003:11562-11636).
    "tool_tags": """
MID 0260 I Q 0262 Tool tag ID request [20] @003:11564
MID 0261 I S 0005 Tool tag ID subscribe [20] @003:11570

MID 0262 C E 0263 Tool tag ID @003:11578
!003:11582 acknowledged when subscribed; after a request it wants no answer
REV 1 30 @003:11584
01 tag_id H8 hexadecimal, 3200078D is 50-0-7-141

MID 0263 I A - Tool tag ID acknowledge [20] @003:11598
MID 0264 I S 0005 Tool tag ID unsubscribe [20] @003:11603

MID 0265 I C 0005 External tool tag ID and status @003:11613
REV 1 34 @003:11620
01 tag_id H8 hexadecimal, 3200078D is 50-0-7-141
02 status N2 =1:operable|2:inoperable
""",
    # MIDs 0270, 2100 and 8000 to 8003: the controller as a device (003:11637-11730, 003:12013).
    "controller": """
MID 0270 I C! 0005 Controller reboot request [20] @003:11638

MID 2100 I C 0005 Device command @003:11650
REV 1 @003:11662
-- command N4 =1:reboot|2:enter_standby|3:leave_standby
-- data_field_count N3
-- data_fields V[data_field_count]

MID 8000 I S - Audi emergency status subscribe @003:2989
MID 8001 C E 8002 Audi emergency status @003:2993
MID 8002 I A - Audi emergency status acknowledge @003:2997
MID 8003 I S - Audi emergency status unsubscribe @003:3001
""",
    # MIDs 0300 and 0301: histograms (003:11732-11887).
    "statistics": """
MID 0300 I Q 0301 Histogram upload request @003:11733
REV 1 29 @003:11744
01 pset_id N3
02 histogram_type N2 =HISTOGRAM

MID 0301 C P - Histogram upload reply @003:11767
REV 1 107 @003:11776
01-02 pset_id histogram_type
03 sigma N6 */100
04 mean N6 */100
05 class_range N6 */100 six sigma divided by nine
06-14 bar_1-9 N4
""",
    # MIDs 0500 to 0504: motor tuning (003:12015-12061).
    "tuning": """
MID 0500 I S 0005 Motor tuning result data subscribe [20] @003:12017
!003:12022 0005 is not named as the answer: every other subscription has it

MID 0501 C E 0502 Motor tuning result data @003:12025
REV 1 23 @003:12029
01 motor_tuning N1 =0:failed|1:success

MID 0502 I A - Motor tuning result data acknowledge [20] @003:12040
MID 0503 I S 0005 Motor tuning result data unsubscribe [20] @003:12047
MID 0504 I C 0005 Motor tuning request [20] @003:12053
""",
    # MIDs 9997 to 9999: the link level and the keep alive (003:3026-3072, 003:12526).
    "link": """
MID 9997 IC L - Communication acknowledge @003:3056
!003:1145 called 0997 there and 0007 at 003:1221: 9997 in all other places
REV 1 24 @003:3066
-- acknowledged_mid N4

MID 9998 IC L - Communication acknowledge error @003:3026
REV 1 28 @003:3034
-- failed_mid N4
-- error_code N4 =LINK_ERROR
!003:3051 "not 0 to 99": revisions 998 and 999 are none the less requested

MID 9999 IC X * Keep alive [20] @003:12526
!003:12538 the controller mirrors it; what comes back is not answered again
""",
    # MIDs 2500 to 2503 and 2506: tightening programs as trees of nodes (003:4090-4474).
    "programs": """
MID 2500 I C 0005 Tightening program message download @003:4090
REV 1 @003:4158
-- nodes G[*] the tree from its root on: a node, then its children one by one
. node_type N3 =NODE
. parameter_count N3
. parameters V[parameter_count]
. child_count N2
REV 2 +1 since=2.11 @beyond 8.3
. nodes.json_length N4
. nodes.json T[json_length]

MID 2501 C E 0005 Tightening program message upload @003:4413
REV 1 @003:4470
-- nodes G[*] the tree from its root on: a node, then its children one by one
. node_type parameter_count parameters child_count
REV 2 +1 since=2.11 @beyond 8.3
. nodes.json_length nodes.json

MID 2502 C X 2503 Password request [20] @003:4331

MID 2503 I X - Password response @003:4334
REV 1 @003:4335
-- password T*

MID 2506 I C 0005 Tightening program delete @beyond 8.3
REV 1 27 since=2.17 @beyond 8.3
-- program_id N4 0 is refused
-- node_type N3 =NODE only multistep programs can be deleted
""",
    # MIDs 0250 to 0255, 1900 and 1901: selectors of sockets (003:11193-11562).
    "selectors": """
MID 0250 I S 0005 Selector socket info subscribe [20] @003:11194

MID 0251 C E 0252 Selector socket info @003:11203
REV 1 @003:11210
01 device_id N2
02 socket_count N2
03 sockets N1[socket_count] =SOCKET

MID 0252 I A - Selector socket info acknowledge [20] @003:11237
MID 0253 I S 0005 Selector socket info unsubscribe [20] @003:11244

MID 0254 I C 0005 Selector control green lights @003:11249
REV 1 34 @003:11259
01 device_id N2
02 lights N1[8] =LIGHT
REV 2 @003:11277
01-02 device_id socket_count
03 lights N1[socket_count] =LIGHT

MID 0255 I C 0005 Selector control red lights @003:11300
REV 1 34 @003:11309
01 device_id N2
02 lights N1[8] =LIGHT
REV 2 @003:11327
01-02 device_id socket_count
03 lights N1[socket_count] =LIGHT

MID 1900 C E 0005 Selector socket info, variable fields @003:11351
REV 1 @003:11359
-- data_field_count N3
-- data_fields V[data_field_count]

MID 1901 I C 0005 Selector socket control @003:11444
REV 1 @003:11453
-- data_field_count data_fields
""",
    # MIDs 0150 to 0157, 1601 and 1602: identifiers and work orders (003:9494-9602; beyond-2.8.md 4).
    "identifiers": """
MID 0150 I C! 0005 Identifier download request @003:9495
REV 1 @003:9501
-- identifier T*100

MID 0151 I S 0005 Multiple identifier and result parts subscribe [20] @003:9508

MID 0152 C E 0153 Multiple identifier and result parts @003:9517
REV 1 148 @003:9525
01 type_1 N1 identifier type number
-- included_1 N2 =YES included in the work order
-- status_1 N2 =IDENTIFIER status in the work order
-- part_1 T25 result part 1
02 type_2 N1 identifier type number
-- included_2 N2 =YES included in the work order
-- status_2 N2 =IDENTIFIER status in the work order
-- part_2 T25 result part 2
03 type_3 N1 identifier type number
-- included_3 N2 =YES included in the work order
-- status_3 N2 =IDENTIFIER status in the work order
-- part_3 T25 result part 3
04 type_4 N1 identifier type number
!003:9564 parameter ID 03 is printed a second time: the fourth is 04
-- included_4 N2 =YES included in the work order
-- status_4 N2 =IDENTIFIER status in the work order
-- part_4 T25 result part 4

MID 0153 I A - Multiple identifiers and result parts acknowledge [20] @003:9571
MID 0154 I S 0005 Multiple identifier and result parts unsubscribe [20] @003:9577
MID 0155 I C! 0005 Bypass identifier [20] @003:9585
MID 0156 I C! 0005 Reset latest identifier [20] @003:9590
MID 0157 I C! 0005 Reset all identifiers [20] @003:9596

MID 1601 C E 1602 Dynamic identifier @beyond 4, 002:1329
REV 1 since=2.9 @beyond 4
-- message_count N3
-- message_number N3
-- format N1
-- data_field_count N3
-- data_fields V[data_field_count]

MID 1602 I A - Dynamic identifier acknowledge @beyond 4, 002:1329
REV 1 20 since=2.9 @beyond 4
""",
    # MIDs 1201 to 1203: results with variable data fields (003:7022-7311; beyond-2.8.md 3.5).
    "results": """
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
-- data_field_count data_fields
REV 2 +1 since=2.16 @beyond 3.5
-- node_guid T36 <data_field_count

MID 1203 I A - Operation result data acknowledge [20] @003:7308
""",
}

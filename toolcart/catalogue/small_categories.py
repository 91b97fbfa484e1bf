"""The categories of a few messages each, in one file: a category is read when one of its MIDs comes."""

TABLES = {
    # MIDs 0050 to 0054: the vehicle's number and the other identifiers (OP 5.6.10 p. 129-132).
    "vin": """
MID 0050 I C! 0005 Vehicle ID number download request @OP 5.7.1 p. 130
REV 1 @OP 5.7.1 p. 130
-- vin T*25

MID 0051 I S 0005 Vehicle ID number subscribe @OP 5.7.2 p. 130
REV 1,2 20

MID 0052 C E 0053 Vehicle ID number @OP 5.7.3 p. 131
REV 1 @OP 5.7.3 p. 131
-- vin T25*40 on a PowerMACS up to 40 characters, never less than 25
REV 1 other @LIT-MAN177
01 vin T25
!LIT-MAN177 "Send MID with ID" of an AcraDyne Gen IV: some versions of the specification have the ID
REV 2 128 @OP 5.7.3 p. 131
01 vin T25
02 identifier_2 T25
03 identifier_3 T25
!OP 5.7.3 p. 131 printed 77-91 and the ones behind it 92-93/94-128: 25 octets each, 75-76/77-101 and 102-103/104-128
04 identifier_4 T25

MID 0053 I A - Vehicle ID number acknowledge [20] @OP 5.7.4 p. 132
MID 0054 I S 0005 Vehicle ID number unsubscribe [20] @OP 5.7.5 p. 132
""",
    # MIDs 0080 to 0082: the controller's clock (OP 5.11 p. 169).
    "clock": """
MID 0080 I Q 0081 Read time upload request [20] @OP 5.11.1 p. 169

MID 0081 C P - Read time upload reply @OP 5.11.2 p. 169
REV 1 39 @OP 5.11.2 p. 169
-- time D19

MID 0082 I C! 0005 Set time @OP 5.11.3 p. 169
REV 1 39 @OP 5.11.3 p. 169
-- time D19
""",
    # MIDs 0110 to 0113: texts and lights for the operator (OP 5.14 p. 196-198).
    "display": """
MID 0110 I C! 0005 Display user text on compact @OP 5.14.1 p. 196
REV 1 24 @OP 5.14.1 p. 196
-- text T4

MID 0111 I C! 0005 Display user text on graph @OP 5.14.2 p. 196
REV 1 137 @OP 5.14.2 p. 197
01 duration N4 *s
02 removal N1 =0:acknowledge_or_time|1:acknowledge
03 line_1 T25 header, in upper case
04-06 line_2-4 T25

MID 0113 I C! 0005 Flash green light on tool [20] @OP 5.14.3 p. 197
""",
    # MIDs 0240 to 0245: data of the PLC in a PowerMACS (OP 5.17.17 p. 230-234).
    "plc": """
MID 0240 I C 0005 User data download @OP 5.18.1 p. 231
!OP 4.5 p. 66 Table 7 has no mark of a category for it, nor for 0245
REV 1 @OP 5.18.1 p. 231
-- user_data H* two hexadecimal digits a byte, at most 200 digits

MID 0241 I S 0005 User data subscribe [20] @OP 5.18.2 p. 232

MID 0242 C E 0243 User data @OP 5.18.3 p. 232
REV 1 @OP 5.18.3 p. 232
-- user_data H* two hexadecimal digits a byte, at most 200 digits

MID 0243 I A - User data acknowledge [20] @OP 5.18.4 p. 233

MID 0244 I S 0005 User data unsubscribe [20] @OP 5.18.5 p. 233
!OP 5.18.5 p. 233 the refusal is called "subscription already exists": it does not exist

MID 0245 I C 0005 User data download with offset @OP 5.18.6 p. 233
REV 1 @OP 5.18.6 p. 233
-- offset N3 bytes behind address 13000
!OP 5.18.6 p. 233 the example shows the data of 0240's, without an offset
-- user_data H* two hexadecimal digits a byte
""",
    # MIDs 0260 to 0265: the tool location system (OP 5.20 p. 242-244).
    "tool_tags": """
MID 0260 I Q 0262 Tool tag ID request [20] @OP 5.20.1 p. 242
MID 0261 I S 0005 Tool tag ID subscribe [20] @OP 5.20.2 p. 242

MID 0262 C E 0263 Tool tag ID @OP 5.20.3 p. 242
!OP 5.20.3 p. 242 acknowledged when subscribed; after a request it wants no answer
REV 1 30 @OP 5.20.3 p. 242
01 tag_id H8 hexadecimal, 3200078D is 50-0-7-141

MID 0263 I A - Tool tag ID acknowledge [20] @OP 5.20.4 p. 243
MID 0264 I S 0005 Tool tag ID unsubscribe [20] @OP 5.20.5 p. 243

MID 0265 I C 0005 External tool tag ID and status @OP 5.20.6 p. 244
REV 1 34 @OP 5.20.6 p. 244
01 tag_id H8 hexadecimal, 3200078D is 50-0-7-141
02 status N2 =1:operable|2:inoperable
""",
    # MIDs 0270, 2100 and 8000 to 8003: the controller as a device (OP 5.20.6 p. 244-246, OP 5.25 p. 255).
    "controller": """
MID 0270 I C! 0005 Controller reboot request [20] @OP 5.20.6 p. 245

MID 2100 I C 0005 Device command @OP 5.21.2 p. 245
REV 1 @OP 5.21.2 p. 246
-- command N4 =1:reboot|2:enter_standby|3:leave_standby
-- data_field_count N3
-- data_fields V[data_field_count]

MID 8000 I S - Audi emergency status subscribe @OP 4.5 p. 68
MID 8001 C E 8002 Audi emergency status @OP 4.5 p. 68
MID 8002 I A - Audi emergency status acknowledge @OP 4.5 p. 68
MID 8003 I S - Audi emergency status unsubscribe @OP 4.5 p. 68
""",
    # MIDs 0300 and 0301: histograms (OP 5.22 p. 247-250).
    "statistics": """
MID 0300 I Q 0301 Histogram upload request @OP 5.22.1 p. 247
REV 1 29 @OP 5.22.1 p. 247
01 pset_id N3
02 histogram_type N2 =HISTOGRAM

MID 0301 C P - Histogram upload reply @OP 5.22.2 p. 247
REV 1 107 @OP 5.22.2 p. 248
01-02 pset_id histogram_type
03 sigma N6 */100
04 mean N6 */100
05 class_range N6 */100 six sigma divided by nine
06-14 bar_1-9 N4
""",
    # MIDs 0500 to 0504: motor tuning (OP 5.26 p. 255-256).
    "tuning": """
MID 0500 I S 0005 Motor tuning result data subscribe [20] @OP 5.26.1 p. 255
!OP 5.26.1 p. 255 0005 is not named as the answer: every other subscription has it

MID 0501 C E 0502 Motor tuning result data @OP 5.26.2 p. 255
REV 1 23 @OP 5.26.2 p. 255
01 motor_tuning N1 =0:failed|1:success

MID 0502 I A - Motor tuning result data acknowledge [20] @OP 5.26.3 p. 255
MID 0503 I S 0005 Motor tuning result data unsubscribe [20] @OP 5.26.4 p. 256
MID 0504 I C 0005 Motor tuning request [20] @OP 5.26.5 p. 256
""",
    # MIDs 9997 to 9999: the link level and the keep alive (OP 5.1.1 p. 69-70, OP 5.28.1 p. 265).
    "link": """
MID 9997 IC L - Communication acknowledge @OP 5.1.2 p. 69
!OP 2.2.2 p. 27 called 0997 there and 0007 at OP 2.2.5 p. 28: 9997 in all other places
REV 1 24 @OP 5.1.2 p. 70
-- acknowledged_mid N4

MID 9998 IC L - Communication acknowledge error @OP 5.1.1 p. 69
REV 1 28 @OP 5.1.1 p. 69
-- failed_mid N4
-- error_code N4 =LINK_ERROR
!OP 5.1.1 p. 69 "not 0 to 99": revisions 998 and 999 are none the less requested

MID 9999 IC X * Keep alive [20] @OP 5.28.1 p. 265
!OP 5.28.1 p. 265 the controller mirrors it; what comes back is not answered again
""",
    # MIDs 2500 to 2503 and 2506: tightening programs as trees of nodes (OP 5.3.18 p. 94-104).
    "programs": """
MID 2500 I C 0005 Tightening program message download @OP 5.3.18 p. 94
REV 1 @OP 5.3.18.2 p. 96
-- nodes G[*] the tree from its root on: a node, then its children one by one
. node_type N3 =NODE
. parameter_count N3
. parameters V[parameter_count]
. child_count N2
REV 2 +1 since=2.11 @later 14
. nodes.json_length N4
. nodes.json T[json_length]

MID 2501 C E 0005 Tightening program message upload @OP 5.3.19 p. 102
REV 1 @OP 5.3.19.2 p. 103
-- nodes G[*] the tree from its root on: a node, then its children one by one
. node_type parameter_count parameters child_count
REV 2 +1 since=2.11 @later 14
. nodes.json_length nodes.json

MID 2502 C X 2503 Password request [20] @OP 5.3.18.6 p. 99

MID 2503 I X - Password response @OP 5.3.18.7 p. 99
REV 1 @OP 5.3.18.7 p. 99
-- password T*

MID 2506 I C 0005 Tightening program delete @later 14
REV 1 27 since=2.17 @later 14
-- program_id N4 0 is refused
-- node_type N3 =NODE only multistep programs can be deleted
""",
    # MIDs 0250 to 0255, 1900 and 1901: selectors of sockets (OP 5.18.6 p. 235-242).
    "selectors": """
MID 0250 I S 0005 Selector socket info subscribe [20] @OP 5.19 p. 235

MID 0251 C E 0252 Selector socket info @OP 5.19.2 p. 235
REV 1 @OP 5.19.2 p. 235
01 device_id N2
02 socket_count N2
03 sockets N1[socket_count] =SOCKET

MID 0252 I A - Selector socket info acknowledge [20] @OP 5.19.3 p. 235
MID 0253 I S 0005 Selector socket info unsubscribe [20] @OP 5.19.4 p. 236

MID 0254 I C 0005 Selector control green lights @OP 5.19.4 p. 236
REV 1 34 @OP 5.19.5 p. 236
01 device_id N2
02 lights N1[8] =LIGHT
REV 2 @OP 5.19.5 p. 236
01-02 device_id socket_count
03 lights N1[socket_count] =LIGHT

MID 0255 I C 0005 Selector control red lights @OP 5.19.6 p. 237
REV 1 34 @OP 5.19.6 p. 237
01 device_id N2
02 lights N1[8] =LIGHT
REV 2 @OP 5.19.6 p. 237
01-02 device_id socket_count
03 lights N1[socket_count] =LIGHT

MID 1900 C E 0005 Selector socket info, variable fields @OP 5.19.7 p. 238
REV 1 @OP 5.19.7 p. 238
-- data_field_count N3
-- data_fields V[data_field_count]

MID 1901 I C 0005 Selector socket control @OP 5.19.8 p. 240
REV 1 @OP 5.19.8 p. 240
-- data_field_count data_fields
""",
    # MIDs 0150 to 0157, 1601 and 1602: identifiers and work orders (OP 5.16 p. 207-210; protocol.md 10.9).
    "identifiers": """
MID 0150 I C! 0005 Identifier download request @OP 5.16.1 p. 207
REV 1 @OP 5.16.1 p. 207
-- identifier T*100

MID 0151 I S 0005 Multiple identifier and result parts subscribe [20] @OP 5.16.2 p. 207

MID 0152 C E 0153 Multiple identifier and result parts @OP 5.16.3 p. 207
REV 1 148 @OP 5.16.3 p. 207
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
!OP 5.16.3 p. 208 parameter ID 03 is printed a second time: the fourth is 04
-- included_4 N2 =YES included in the work order
-- status_4 N2 =IDENTIFIER status in the work order
-- part_4 T25 result part 4

MID 0153 I A - Multiple identifiers and result parts acknowledge [20] @OP 5.16.4 p. 208
MID 0154 I S 0005 Multiple identifier and result parts unsubscribe [20] @OP 5.16.5 p. 208
MID 0155 I C! 0005 Bypass identifier [20] @OP 5.16.6 p. 209
MID 0156 I C! 0005 Reset latest identifier [20] @OP 5.16.7 p. 209
MID 0157 I C! 0005 Reset all identifiers [20] @OP 5.16.8 p. 209

MID 1601 C E 1602 Dynamic identifier @later 9, MT notes on MID 1601
REV 1 since=2.9 @later 9
-- message_count N3
-- message_number N3
-- format N1
-- data_field_count N3
-- data_fields V[data_field_count]

MID 1602 I A - Dynamic identifier acknowledge @later 9, MT notes on MID 1601
REV 1 20 since=2.9 @later 9
""",
    # MIDs 1201 to 1203: results with variable data fields (OP 5.9 p. 153-158; protocol.md 10.7).
    "results": """
MID 1201 C E 1203 Operation result overall data @OP 5.9.1 p. 154
!OP 3.9.5 p. 59 called 1200 in Table 6
REV 1 @OP 5.9.1.3 p. 156
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
REV 2 +1 since=2.11 @later 7
-- request_mid N4 <object_count 0006 or 0008
REV 3 +2 since=2.16 @later 7
. objects.object_type N1 =OBJECT
. objects.reference_object N4

MID 1202 C E 1203 Operation result object data @OP 5.9.2 p. 157
REV 1 @OP 5.9.2.3 p. 157
-- message_count N3
-- message_number N3 from 2 on
-- result_id N10 that of MID 1201
-- object_id N4
-- data_field_count data_fields
REV 2 +1 since=2.16 @later 7
-- node_guid T36 <data_field_count

MID 1203 I A - Operation result data acknowledge [20] @OP 5.9.3 p. 158
""",
}

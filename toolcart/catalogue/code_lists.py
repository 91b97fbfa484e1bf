"""Long lists: codes of MID 0004 (OP 5.2.4 p. 74-77), relay functions (OP 5.17.7 p. 215-220), input functions.

Those of digital inputs are OP 5.17.7 p. 220-224 and later 18.
"""

SETS = {
    "ERROR_CODE": """0 no error|1 invalid data|2 parameter set ID not present|3 parameter set can not be set
4 parameter set not running|6 VIN upload subscription already exists|7 VIN upload subscription does not exist
8 VIN input source not granted|9 last tightening result subscription already exists
10 last tightening result subscription does not exist|11 alarm subscription already exists
12 alarm subscription does not exist|13 parameter set selection subscription already exists
14 parameter set selection subscription does not exist|15 tightening ID requested not found
16 connection rejected, protocol busy|17 job ID not present|18 job info subscription already exists
19 job info subscription does not exist|20 job can not be set|21 job not running
22 not possible to execute dynamic job request|23 job batch decrement failed|24 not possible to create parameter set
25 programming control not granted|26 wrong tool type to parameter set download connected|27 tool is inaccessible
28 job abortion is in progress|29 tool does not exist|30 controller is not a sync master/station controller
31 multi-spindle status subscription already exists|32 multi-spindle status subscription does not exist
33 multi-spindle result subscription already exists|34 multi-spindle result subscription does not exist
35 other master client already connected|36 lock type not supported
40 job line control info subscription already exists|41 job line control info subscription does not exist
42 identifier input source not granted|43 multiple identifiers work order subscription already exists
44 multiple identifiers work order subscription does not exist
50 status external monitored inputs subscription already exists
51 status external monitored inputs subscription does not exist|52 IO device not connected|53 faulty IO device ID
54 tool tag ID unknown|55 tool tag ID subscription already exists|56 tool tag ID subscription does not exist
57 tool motor tuning failed|58 no alarm present|59 tool currently in use|60 no histogram available|61 pairing failed
62 pairing denied|63 pairing or pairing abortion attempt on wrong tool type|64 pairing abortion denied
65 pairing abortion failed|66 pairing disconnection failed|67 pairing in progress or already done
68 pairing denied, no program control|69 unsupported extra data revision|70 calibration failed
71 subscription already exists|72 subscription does not exist|73 subscribed MID unsupported
74 subscribed MID revision unsupported|75 requested MID unsupported|76 requested MID revision unsupported
77 requested on specific data not supported|78 subscription on specific data not supported|79 command failed
80 Audi emergency status subscription exists|81 Audi emergency status subscription does not exist
82 automatic/manual mode subscription already exists|83 automatic/manual mode subscription does not exist
84 relay function subscription already exists|85 relay function subscription does not exist
86 selector socket info subscription already exists|87 selector socket info subscription does not exist
88 digital input info subscription already exists|89 digital input info subscription does not exist
90 lock at batch done subscription already exists|91 lock at batch done subscription does not exist
92 Open Protocol commands disabled|93 Open Protocol commands disabled subscription already exists
94 Open Protocol commands disabled subscription does not exist|95 reject request, Power MACS is in manual mode
96 reject connection, client already connected|97 MID revision unsupported|98 controller internal request timeout
99 unknown MID|100 illegal PID|101 tightening in progress|102 deleting not possible|103 illegal program ID
104 illegal node type""",
    "RELAY_FUNCTION": """0 Off|1 OK|2 NOK|3 Low|4 High|5 Low Torque|6 High Torque|7 Low angle|8 High angle
9 Cycle complete|10 Alarm|11 Batch NxOK|12 Job OK|13 Job NOK|14 Job running|17 Tool counters OK
18 POWER FOCUS ready|19 Tool ready
20 Tool start switch|21 Dir. switch = CW|22 Dir. switch = CCW|23 Tightening direction CCW|24 Tool tightening
25 Tool loosening|26 Tool running|27 Tool running CW|28 Tool running CCW|29 Statistic alarm|30 Tool locked
31 Received identifier|32 Running Pset bit 0|33 Running Pset bit 1|34 Running Pset bit 2|35 Running Pset bit 3
36 Running Job bit 0|37 Running Job bit 1|38 Running Job bit 2|39 Running Job bit 3|44 Line control OK
45 Line control alert 1|46 Line control alert 2|47 Service indicator|48 Fieldbus relay 1|49 Fieldbus relay 2
50 Fieldbus relay 3|51 Fieldbus relay 4|52 Tool red light|53 Tool green light|54 Tool yellow light
59 Running Pset bit 4|60 Running Pset bit 5|61 Running Pset bit 6|62 Running Pset bit 7|63 Running Job bit 4
64 Running Job bit 5|65 Running Job bit 6|66 Running Job bit 7|67 Sync OK|68 Sync NOK|69 Sync spindle 1 OK
70 Sync spindle 1 NOK|71 Sync spindle 2 OK|72 Sync spindle 2 NOK|73 Sync spindle 3 OK|74 Sync spindle 3 NOK
75 Sync spindle 4 OK|76 Sync spindle 4 NOK|77 Sync spindle 5 OK|78 Sync spindle 5 NOK|79 Sync spindle 6 OK
80 Sync spindle 6 NOK|81 Sync spindle 7 OK|82 Sync spindle 7 NOK|83 Sync spindle 8 OK|84 Sync spindle 8 NOK
85 Sync spindle 9 OK|86 Sync spindle 9 NOK|87 Sync spindle 10 OK|88 Sync spindle 10 NOK|91 Line Control Start
92 Job Aborted|93 External controlled 1|94 External controlled 2|95 External controlled 3|96 External controlled 4
97 External controlled 5|98 External controlled 6|99 External controlled 7|100 External controlled 8
101 External controlled 9|102 External controlled 10|103 ToolsNet connection lost|104 Open Protocol connection lost
105 FieldBus Offline|106 Home position|107 Batch NOK|108 Selected Channel in Job|109 Safe to disconnect tool
110 Running Job bit 8|111 Running Pset bit 8|112 Calibration Alarm|113 Cycle start|114 Low current|115 High current
116 Low PVT monitoring|117 High PVT monitoring|118 Low PVT self-tap|119 High PVT self-tap|120 Low tightening angle
121 High tightening angle|122 Identifier identified|123 Identifier type 1 received|124 Identifier type 2 received
125 Identifier type 3 received|126 Identifier type 4 received|129 Ring button ack.|130 DigIn controlled 1
131 DigIn controlled 2|132 DigIn controlled 3|133 DigIn controlled 4|134 Fieldbus carried signals disabled
135 Illuminator|136 New parameter set selected|137 New Job selected|138 Job OFF relay|139 Logic relay 1
140 Logic relay 2|141 Logic relay 3|142 Logic relay 4|143 Max coherent NOK reached|144 Batch done
145 Start trigger active|251 Completed Batch bit 0|252 Completed Batch bit 1|253 Completed Batch bit 2
254 Completed Batch bit 3|255 Completed Batch bit 4|256 Completed Batch bit 5|257 Completed Batch bit 6
259 Remaining Batch bit 0|260 Remaining Batch bit 1|261 Remaining Batch bit 2|262 Remaining Batch bit 3
263 Remaining Batch bit 4|264 Remaining Batch bit 5|265 Remaining Batch bit 6|275 Open Protocol commands disabled
276 Cycle abort|277 Effective loosening|278 Logic relay 5|279 Logic relay 6|280 Logic relay 7|281 Logic relay 8
282 Logic relay 9|283 Logic relay 10|284 Lock at batch done|287 Battery low|288 Battery empty|289 Tool connected
290 No tool connected|293 Function button|294 Rehit|295 Tightening disabled|296 Loosening disabled
297 Positioning disabled|298 Motor tuning disabled|299 Open End tuning disabled|300 Tracking disabled
302 Automatic mode|303 PLUS Emergency mode|304 Wear indicator|305 Direction alert|306 PLUS Bolt reworked
307 Line stop|308 Running pset bit 9|309 Active XML Result Ack|310 Tool in work space|311 Tool in product space
312 XML protocol active|313 Tool enabled by XML|314 Necking failure|315 PLUS protocol not active
316 PLUS No tightening|317 Tag ID error|318 Job abortion in progress|319 Stop Tightening|320 Slow down tightening
351 Middle course trigger active|352 Front trigger active|353 Reverse trigger active
354 Running job bit 9|355 Tool unlocked|356 License server lost|357 Tightening enabled from outside
358 Tightening disabled from outside|359 Loosening enabled from outside|360 Loosening disabled from outside
361 Program end|362 Pulse tool oil empty|363 Tightening time high|364 Tightening time low|365 Tool button""",
    "INPUT_FUNCTION": """0 Off|1 Reset batch|2 Unlock tool|3 Tool disable n.o.|4 Tool disable n.c.
5 Tool tightening disable|6 Tool loosening disable|7 Remote start pulse|8 Remote start cont.|9 Tool start loosening
10 Batch increment|11 Bypass Pset|12 Abort Job|13 Job off|14 Parameter set toggle|15 Reset relays
16 Parameter set select bit 0|17 Parameter set select bit 1|18 Parameter set select bit 2
19 Parameter set select bit 3|20 Job select bit 0|21 Job select bit 1|22 Job select bit 2|23 Job select bit 3
28 Line control start|29 Line control alert 1|30 Line control alert 2|31 Ack error message|32 Fieldbus digin 1
33 Fieldbus digin 2|34 Fieldbus digin 3|35 Fieldbus digin 4|36 Flash tool green light|43 Manual mode
45 Parameter set select bit 4
46 Parameter set select bit 5|47 Parameter set select bit 6|48 Parameter set select bit 7|49 Job select bit 4
50 Job select bit 5|51 Job select bit 6|52 Job select bit 7|53 Batch decrement|54 Job restart|55 End of cycle
62 Click wrench 1|63 Click wrench 2|64 Click wrench 3|65 Click wrench 4|66 ID Card|67 Automatic mode
68 External monitored 1|69 External monitored 2|70 External monitored 3|71 External monitored 4
72 External monitored 5|73 External monitored 6|74 External monitored 7|75 External monitored 8
76 Select next parameter set|77 Select previous parameter set|79 Timer enable tool|80 Master unlock tool
81 ST Scan request|82 Disconnect tool|83 Job select bit 8|84 Parameter set select bit 8|85 Request ST scan
86 Reset NOK counter|87 Bypass identifier|88 Reset latest identifier|89 Reset all identifier|90 Set home position
91 DigOut monitored 1|92 DigOut monitored 2|93 DigOut monitored 3|94 DigOut monitored 4|95 Disable ST Scanner
96 Disable fieldbus carried signals|97 Toggle CW/CCW|98 Toggle CW/CCW for next run|99 Set CCW
104 Open Protocol commands disable|105 Logic dig In 1|106 Logic dig In 2|107 Logic dig In 3|108 Logic dig In 4
109 Logic dig In 5|110 Logic dig In 6|111 Logic dig In 7|112 Logic dig In 8|113 Logic dig In 9|114 Logic dig In 10
120 Forced CCW once|121 Forced CCW toggle|122 Forced CW once|123 Forced CW toggle|129 Pset select bit 9
130 Store current tightening program in the tool|131 Active XML result send|132 Tool in work space
133 Tool in product space|134 Flash tool yellow light|135 XML Emergency mode|136 MFU Test|137 Tool in park position
138 Enable operation|139 Stop tightening|140 Start loosening pulse
150 Pulsor Tool enable|151 Perform air hose test|152 Last Digin|201 Tool blue light IO controlled
202 Tool blue light|203 Tool green light IO controlled|204 Tool green light|205 Tool red light IO controlled
206 Tool red light|207 Tool yellow light IO controlled|208 Tool yellow light|209 Tool white light IO controlled
210 Tool white light""",
}

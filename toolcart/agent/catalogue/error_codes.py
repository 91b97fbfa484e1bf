"""The codes of MID 0004 (003:3267-3463), with those of later releases (beyond-2.8.md 2)."""

SETS = {
    "ERROR_CODE": """0 no error
1 invalid data
2 parameter set ID not present
3 parameter set can not be set
4 parameter set not running
6 VIN upload subscription already exists
7 VIN upload subscription does not exist
8 VIN input source not granted
9 last tightening result subscription already exists
10 last tightening result subscription does not exist
11 alarm subscription already exists
12 alarm subscription does not exist
13 parameter set selection subscription already exists
14 parameter set selection subscription does not exist
15 tightening ID requested not found
16 connection rejected, protocol busy
17 job ID not present
18 job info subscription already exists
19 job info subscription does not exist
20 job can not be set
21 job not running
22 not possible to execute dynamic job request
23 job batch decrement failed
24 not possible to create parameter set
25 programming control not granted
26 wrong tool type to parameter set download connected
27 tool is inaccessible
28 job abortion is in progress
29 tool does not exist
30 controller is not a sync master/station controller
31 multi-spindle status subscription already exists
32 multi-spindle status subscription does not exist
33 multi-spindle result subscription already exists
34 multi-spindle result subscription does not exist
35 other master client already connected
36 lock type not supported
40 job line control info subscription already exists
41 job line control info subscription does not exist
42 identifier input source not granted
43 multiple identifiers work order subscription already exists
44 multiple identifiers work order subscription does not exist
50 status external monitored inputs subscription already exists
51 status external monitored inputs subscription does not exist
52 IO device not connected
53 faulty IO device ID
54 tool tag ID unknown
55 tool tag ID subscription already exists
56 tool tag ID subscription does not exist
57 tool motor tuning failed
58 no alarm present
59 tool currently in use
60 no histogram available
61 pairing failed
62 pairing denied
63 pairing or pairing abortion attempt on wrong tool type
64 pairing abortion denied
65 pairing abortion failed
66 pairing disconnection failed
67 pairing in progress or already done
68 pairing denied, no program control
69 unsupported extra data revision
70 calibration failed
71 subscription already exists
72 subscription does not exist
73 subscribed MID unsupported
74 subscribed MID revision unsupported
75 requested MID unsupported
76 requested MID revision unsupported
77 requested on specific data not supported
78 subscription on specific data not supported
79 command failed
80 Audi emergency status subscription exists
81 Audi emergency status subscription does not exist
82 automatic/manual mode subscription already exists
83 automatic/manual mode subscription does not exist
84 relay function subscription already exists
85 relay function subscription does not exist
86 selector socket info subscription already exists
87 selector socket info subscription does not exist
88 digital input info subscription already exists
89 digital input info subscription does not exist
90 lock at batch done subscription already exists
91 lock at batch done subscription does not exist
92 Open Protocol commands disabled
93 Open Protocol commands disabled subscription already exists
94 Open Protocol commands disabled subscription does not exist
95 reject request, Power MACS is in manual mode
96 reject connection, client already connected
97 MID revision unsupported
98 controller internal request timeout
99 unknown MID
100 illegal PID
101 tightening in progress
102 deleting not possible
103 illegal program ID"""
}

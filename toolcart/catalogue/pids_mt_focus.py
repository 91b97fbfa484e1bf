"""Parameter IDs of MT Focus 6000 (MT notes on MID 0901), and the barcode of MID 1601 (MT notes on MID 1601)."""

NAMES = """00060 Scanned Barcode|30001 Step count|30002 Pset name|30003 Pset revision|30004 Pset created
30005 Pset modified|30006 Configured tool type|30007 Configured tool name|30008 Minimum time|30009 Maximum time
30010 Min total angle|30011 Max total angle|30012 Loosening torque|30013 Loosening angle|30014 Loosening speed
30015 Loosening vacuum enabled|30016 Loosening graph enabled|30017 Loosening start delay|30018 Graph start step
30019 Torque tuning|30020 Final report step|30021 Final report torque type|30022 Final report angle type
30023 Bit slip detection|30024 Loosening max time|30025 Trigger lost torque|30026 Custom field count
30027 Custom field 1 type|30028 Custom field 1 data|30029 Custom field 1 step number|30030 Custom field 1 step data
30031 Custom field 2 type|30032 Custom field 2 data|30033 Custom field 2 step number|30034 Custom field 2 step data
30035 Custom field 3 type|30036 Custom field 3 data|30037 Custom field 3 step number|30038 Custom field 3 step data
30039 Custom field 4 type|30040 Custom field 4 data|30041 Custom field 4 step number|30042 Custom field 4 step data
30043 Pset GUID|30044 Screw pickup enabled|30045 Screw pickup vacuum|30046 Screw pickup rotation
30047 Screw pickup timeout|30048 Damaged thread detection|30049 Not aligned limit|30050 Aligned limit
30051 Screw pickup guiding|30052 Pset type|30053 Verification Program size|30054 Control Limit
30056 On verification complete|30057 Verification mode|30058 Measurement evaluation method|30059 Minimum CMK
30060 Operator ID required|30061 Angle range start step|30062 Angle range stop step|30063 Minimum angle range angle
30064 Maximum angle range angle|30065 Tool Rehit|30100 Step type|30101 Step speed|30102 Step transition torque
30103 Step transition angle|30104 Step direction|30105 Step start delay|30106 Min step time|30107 Max step time
30108 Step vacuum enabled|30109 Step target angle|30110 Step min torque limit|30111 Step max torque limit
30112 Step target torque|30113 Step min angle limit|30114 Step max angle limit|30115 Step tightening angle trigger
30116 Step min tightening angle limit|30117 Step max tightening angle limit|30118 Step seating angle displacement
30119 Step gradient trigger point|30120 Step min clamp torque limit|30121 Step max clamp torque limit
30122 Step min clamp angle limit|30123 Step max clamp angle limit|30124 Step final tightening method
30125 Step clamp torque|30126 Step clamp angle|30127 Fast speed change|30128 Rescinding torque limit
30129 Step min average torque|30130 Step max average torque|30131 Step input signal|30132 Step input trigger
30134 Step output signal|30135 Step output signal level|30136 Step output signal mode
30137 Step output signal duration|30138 Step engagement torque|30139 Step validation angle|30140 Step retry action
30141 Step retry limit|30142 Step loosening angle method|30143 Step loosening angle|30144 Step loosening torque
30145 Step loosening speed|30199 Step type extended|30200 Result identifier|30201 Result type|30202 Result code
30203 Tightening start time|30204 Error step number|30205 Error code|30206 Error value|30207 Controller serial number
30208 Controller name|30209 Controller ID|30210 Station name|30211 Station ID|30212 Line name|30213 Line ID
30214 Tool serial number|30215 Tool name|30216 Pset number|30217 Pset name|30218 Pset revision
30219 Pset created date|30220 Pset modified date|30221 Batch sequence number|30222 Batch sequence name
30223 Batch sequence revision|30224 Batch sequence created date|30225 Batch sequence modified date
30226 Batch sequence step count|30227 Batch sequence step number|30228 Batch size|30229 Batch count|30230 Peak torque
30231 Total angle|30232 Total duration|30233 Tool temperature|30234 Total angle status|30235 Total duration status
30236 Final torque type|30237 Final torque|30238 Final angle|30239 Final angle type|30240 Final report step
30241 Final torque status|30242 Final angle status|30243 Torque tuning|30244 Custom identifier key 1
30245 Custom identifier value 1|30246 Custom identifier key 2|30247 Custom identifier value 2
30248 Custom identifier key 3|30249 Custom identifier value 3|30250 Custom identifier key 4
30251 Custom identifier value 4|30252 Screw pickup attempts|30253 Total pickup time|30254 Batch screw number
30255 Final max torque limit|30256 Final min torque limit|30257 Final max angle limit|30258 Final min angle limit
30259 Final seating point|30260 Not aligned limit|30261 Aligned limit|30262 Not aligned status|30263 Aligned status
30264 Pset type|30265 Verification size|30266 Verification count|30267 Tool calibration date
30268 Tool configuration revision|30269 Tool torque estimation type|30270 Angle range angle|30271 Angle range status
30272 Range angle start step|30273 Range angle stop step|30301 Step type|30302 Step peak torque|30303 Step angle
30304 Step duration|30305 Step transition torque|30306 Step tightening method|30307 Step tightening angle
30308 Step clamp torque|30309 Step clamp angle|30310 Step torque status|30311 Step angle status
30312 Step duration status|30313 Step tightening angle status|30314 Step clamp torque status
30315 Step clamp angle status|30316 Step seating point|30317 Step lowest torque|30318 Step average torque
30319 Step average torque status|30320 Step start angle|30321 Step start tightening angle
30322 Step seating point angle|30323 Step engagement angle|30324 Step engagement attempts
30400 Graph marker seating index|30401 Graph marker seating detected index|30402 Graph marker snug index
30403 Graph marker snug detected index|30404 Graph marker final peak torque index
30405 Graph marker final clamp torque index|30420 Graph marker seating value
30421 Graph marker seating detected value|30422 Graph marker snug value|30423 Graph marker snug detected value
30424 Graph marker final peak torque value|30425 Graph marker final clamp torque value|30500 Measurement ID
30501 Measurement Type|30502 Measurement Code|30503 Measurement Start time
30507 Measurement QA Controller Serial number|30508 Measurement QA Controller name|30509 Measurement QA Controller ID
30510 Measurement QA Station name|30511 Measurement QA Station ID|30512 Measurement QA Line name
30513 Measurement QA Line ID|30514 Measurement Transducer serial number|30515 Measurement Transducer name
30516 Measurement Transducer model|30517 Measurement Transducer calibration date
30518 Measurement Traceability source|30519 Measurement Tool Operator ID|30520 Measurement Tool Target torque
30521 Measurement Tool Control limit|30522 Measurement Tool Reference peak torque
30523 Measurement Tool Reference angle|30524 Measurement Tool Duration|30525 Measurement Tool Target deviation [%]
30526 Measurement Tool Target deviation status|30529 Measurement Tool Evaluation mode
30530 Measurement Tool Verification mode|30601 Measurement Tightening Controller Serial number
30602 Measurement Tightening Controller name|30603 Measurement Tightening Controller ID
30604 Measurement Tightening Station name|30605 Measurement Tightening Station ID
30606 Measurement Tightening Line name|30607 Measurement Tightening Line ID|30608 Measurement Tool Serial number
30609 Measurement Tool Name|30610 Measurement Tool Calibration date|30611 Measurement Tool Configuration revision
30612 Measurement Tool Torque type|30613 Measurement Tool Cycle count (statistics)
30614 Measurement Tool OK count (statistics)|30615 Measurement Tool NOK count (statistics)
30616 Measurement Tool Average Torque (statistics)|30617 Measurement Tool Average Temperature (statistics)
30618 Measurement Tool Average Max Speed (statistics)|30619 Measurement Tool Average Torque over Angle (statistics)
30620 Measurement Tool Average cycle duration (statistics)|30621 Measurement Tool Lifetime Cycle count (statistics)
30622 Measurement Tool Lifetime OK count (statistics)|30623 Measurement Tool Lifetime NOK count (statistics)
30624 Measurement Tool Lifetime average Torque|30625 Measurement Tool Lifetime average Temperature
30626 Measurement Tool Lifetime average Max Speed|30627 Measurement Tool Lifetime average Torque over Angle
30628 Measurement Tool Lifetime average cycle duration|30700 Measurement Tool Verification program number
30701 Measurement Tool Verification program name|30702 Measurement Tool Verification program revision
30703 Measurement Tool Verification program created date|30704 Measurement Tool Verification program modified date
30705 Measurement Tool Verification size|30706 Measurement Tool Verification criteria
30707 Measurement Tool Verification max allowed NOK|30708 Measurement Tool Verification min allowed CMK
30709 Measurement Tool Verification count|30710 Measurement Tool Verification NOK count
30711 Measurement Tool Verification final result|30800 Measurement Verification result average reference peak torque
30801 Measurement Verification result average target deviation [%]|30802 Measurement Verification result CMK
30803 Measurement Verification result control limit [%]
30804 Measurement Verification result average tool peak torque
30805 Measurement Verification result average tool deviation [%]|30900 Parameter trace source"""

# Named by the document of 2025, whose table of their types is not at hand: first and last PID, whose.
NOT_DESCRIBED = ((30274, 30279, "MT Focus 6000"),)

"""Names of the parameter IDs of variable data fields, common to all systems (OP 6.4 p. 270-282)."""

# 00105 since release 2.10; 00005, 00104, 01042 to 01044 and the like by 2.17 (later 18). Of 02008, 02009, 02161 to
# 02167 and 05160 to 05173 what kind of value they have is known, and no name of their own (later 18).
NAMES = """00001 Tightening Status|00002 Station ID|00003 Station Name|00005 Reason beside the tightening status
00010 VIN Number|00011 Identifier 1|00012 Identifier 2|00013 Identifier 3|00014 Identifier 4|00015 Identifier 5
00016 Identifier 6|00017 Identifier 7|00018 Identifier 8|00019 Identifier 9|00020 Identifier 10
00030 Tightening Identifier|00031 Identifier handling|00040 Events|00050 Oldest result Id|00051 Latest result Id
00052 Oldest result Time|00053 Latest result Time|00100 Batch size|00101 Batch counter|00102 Batch status
00103 Batch count|00104 Batch count NOK|00105 Batch status|01000 Tightening program Number
01001 Tightening program Name|01002 Control Tightening program Strategy
01003 Time of last change in tightening program settings|01004 Number of steps|01005 Tightening Strategy
01006 Trace Tool Start|01007 Cycle Tool Start|01008 Remove fastener limit|01009 Measure Torque at
01010 Monitor Angle High limit|01011 Measure Angle to|01012 Re-hit Angle|01013 Zoom Step Speed|01014 Ergo Ramp
01016 Tool Idle time|01017 End Time|01018 Monitor End Time from|01019 Tight time out sec|01020 Max Coherent NOK
01021 High Speed Rundown Used|01022 High Speed Rundown Speed|01023 High Speed Rundown Interval
01024 High Speed Rundown Ramp at High Speed|01025 High Speed Rundown Disable High Speed at NOK|01026 Options Used
01027 Options Soft Stop|01028 Options Re-hit Detect|01029 Options Torque < Target Detect
01030 Options Lost trigger detect|01031 Options Socket Release Detect|01032 Self-Tap Monitoring Speed Rpm
01033 Measured Delay Time|01034 Ds Tuning value|01035 Options Timeout detect|01036 Used strategies
01037 Tightening error bits 1|01038 Tightening error bits 2|01039 Result type|01040 Dynamic Pset Id
01041 Dynamic Pset Name|01042 Tightening error bits of the device|01043 Loosening
01044 Tightening program valid until|01100 Torque controller Name|01101 Torque controller Number
01102 Torque controller type name|01103 Torque controller article number|01104 Torque controller serial number
01200 Tool type name|01201 Tool article number|01202 Tool serial number|01203 Tool type|01204 Speed Factor
01205 Tool number|01210 Tool total number of tightenings|01211 Tool total number of tightenings since service
01212 Tool total number of tightenings to service|01213 Tool temperature|01214 Tool service interval
01215 Tool battery charge|01216 Tool health|01217 Tool product number|01218 Tool first day of use|01300 Bolt Name
01301 Bolt Number|01302 Bolt Status|01400 Tightening Status|01401 Tightening error codes|01402 Torque status
01403 Angle status|01404 Rundown Monitor status|01405 Current Monitor status|01406 Self Tap Status
01407 PVT Monitor status|01408 PVT Comp status|01420 Reason beside the bolt's tightening status
01421 First tightening error|01422 Step that failed|01500 Job ID|01501 Job sequence number|01502 Job stage number
01503 Job time stamp|01504 Sync Group ID|01505 Sync Group Name|01506 Sync Group Status|01507 Sync Tightening Id
01508 Job Start Time|01509 Job Reference Mac address|01510 Job result Id|01511 Auto Pset change|01512 Pset/Mset type
01513 Pset/Mset channel Id|01514 Stop time|01515 First NOK Event|01516 Job done status|01700 Alarm text
01701 Alarm severity|01702 Alarm maintenance|02000 Torque, final target|02001 Torque, measured value
02002 Torque, final upper limit|02003 Torque, final lower limit|02004 Torque, first target|02005 Torque, cycle start
02006 Torque, cycle complete|02008 Torque|02009 Torque|02010 Angle, target|02011 Angle, measured value
02012 Angle, upper limit
02013 Angle, lower limit|02014 Angle target threshold torque cycle start
02015 Angle target threshold torque cycle end|02016 Angle Max Rundown|02017 Angle Min Rundown
02018 Angle max to monitor|02019 Torque, Rundown complete torque|02020 Current, target|02021 Current, measured value
02022 Current, upper limit|02023 Current, lower limit|02030 Torque 2nd, measured value|02031 Torque 2nd, upper limit
02032 Torque 2nd, lower limit|02040 Angle 2nd, measured value|02041 Angle 2nd, upper limit
02042 Angle 2nd, lower limit|02043 Rundown Angle|02044 Rundown Angle measured value|02050 Speed, target
02051 Speed, measured|02052 Step Speed|02054 Soft start time|02055 Soft start speed|02056 Step Ramp
02058 Lock at batch done|02059 Necking shut off|02060 Rotate Direction|02061 Self-tap
02062 Number of self-tap windows|02064 Necking drop torque from peak|02070 Self-tap Max Torque
02071 Self-tap Min Torque|02072 Prevail Torque Max|02073 Prevail Torque Min|02074 Yield Max|02075 Yield Min
02076 Prevail|02077 Prevail Comp|02078 Prevail comp point angle|02079 Number of prevail windows
02080 Post View Torque Min Limit|02081 Post View Torque Max Limit|02082 Prevail Comp Measured Torque
02084 Self-tap monitor interval|02085 Prevail Torque Delay Interval|02086 Prevail Torque Monitor Interval
02087 Post View Torque Monitor Min Start|02088 Post View Torque Monitor Min Interval
02089 Post View Torque Monitor Max Start|02090 Post View Torque Monitor Max Interval|02091 Post View Torque
02092 Self-tap Torque measured value|02093 Prevail Torque measured value|02094 Attachment Gear ratio
02095 Attachment tuning. Efficiency tuning|02100 Loosening limit torque|02101 Loosening speed|02102 Loosening ramp
02103 Speed unit|02110 Force, final target|02111 Force, measured value|02112 Force, final upper limit
02113 Force, final lower limit|02120 Stroke, target|02121 Stroke, measured value|02122 Stroke, upper limit
02123 Stroke, lower limit|02124 Free Event Text|02129 Four stage status torque measured value
02130 Four stage soft start angle|02131 Four stage soft start angle torque max
02132 Four stage first target angle min|02133 Four stage first target angle max
02134 Four stage torque, measured value|02135 Four stage angle, measured value
02136 Four stage status angle, measured value|02137 Gradient monitoring|02138 Gradient torque min
02139 Gradient torque max|02140 Gradient Joint hardness|02141 Gradient Start torque|02142 Gradient Angle offset
02143 Yield control Start torque|02144 Yield control Step angle|02145 Yield control window angle
02146 Yield slope ratio|02147 Yield control Extra Angle step|02150 Positioning Adjustable limit
02151 Positioning limit|02152 Snug gradient delta angle|02153 Snug gradient delta torque
02154 Snug gradient Torque limit|02155 Snug gradient PVT distance|02156 Snug gradient PVT interval
02157 Snug gradient Compensate|02158 Snug PVT Monitoring min|02159 Snug PVT Monitoring max
02160 Delay monitoring after cycle start|02161 Four stage limit|02162 Four stage limit|02163 Four stage limit
02164 Four stage limit|02165 Four stage limit|02166 Four stage limit|02167 Four stage limit
02170 Time of the tightening|02171 Turns|02201 Trace type
02213 Coefficient
02214 Coefficient|02215 Stage one number of samples|02216 Stage two number of samples
02217 Stage three number of samples|02218 Stage four number of samples|04000 Tool latest Pset status
04001 Tool latest Identifier status|04002 Tool lock/unlock status|05000 Tightening step strategy
05001 Step error codes|05002 Step name|05003 Step status|05004 Step first error|05100 Step Torque, target
05101 Step Torque, measured value|05102 Step Torque, upper limit|05103 Step Torque, lower limit
05110 Step Angle, target|05111 Step Angle target threshold torque|05112 Step Angle, measured value
05113 Step Angle, upper limit|05114 Step Angle, lower limit|05120 Step Current, target
05121 Step Current, measured value|05122 Step Current, upper limit|05123 Step Current, lower limit
05130 Step Force, target|05131 Step Force, measured value|05132 Step Force, upper limit
05133 Step Force, lower limit|05140 Step Stroke, target|05141 Step Stroke target threshold force
05142 Step Stroke, measured value|05143 Step Stroke, upper limit|05144 Step Stroke, lower limit|05150 Step Start
05151 Step Stop|05160 Step measured value|05161 Step measured value|05162 Step measured value
05163 Step measured value|05164 Step measured value|05165 Step measured value|05166 Step measured value
05167 Step measured value|05168 Step measured value|05169 Step measured value|05170 Step measured value
05171 Step measured value|05172 Step measured value|05173 Step measured value"""

_names = {}


def name_of(pid):
    """Return the name of a PID, empty if the documents have none."""
    if not _names:
        from .pids_mt_focus import NAMES as MT_FOCUS

        for text in (NAMES, MT_FOCUS):
            for one in text.replace("\n", "|").split("|"):
                _names[int(one[:5])] = one[6:]
    return _names.get(pid, "")

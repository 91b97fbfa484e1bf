"""MIDs 0400 to 0423 and 2600 to 2606: automatic and manual mode, disabled commands (OP 5.23 p. 250, 5.4 p. 104)."""

TABLE = """
MID 0400 I S 0005 Automatic/manual mode subscribe [20] @OP 5.23.1 p. 250

MID 0401 C E 0402 Automatic/manual mode @OP 5.23.2 p. 250
REV 1 21 @OP 5.23.2 p. 250
-- manual N1 =0:automatic_mode|1:manual_mode

MID 0402 I A - Automatic/manual mode acknowledge [20] @OP 5.23.3 p. 250
MID 0403 I S 0005 Automatic/manual mode unsubscribe [20] @OP 5.23.4 p. 251
MID 0410 I Q 0411 Auto disable settings request [20] @OP 5.23.5 p. 251

MID 0411 C P - Auto disable settings reply @OP 5.23.6 p. 251
REV 1 24 @OP 5.23.6 p. 252
-- auto_disable N2 0 is not used
-- current_batch N2

MID 0420 I S 0005 Open Protocol commands disabled subscribe [20] @OP 5.24 p. 253

MID 0421 C E 0422 Open Protocol commands disabled @OP 5.24.2 p. 253
REV 1 21 @OP 5.24.2 p. 253
-- disabled N1 =YES

MID 0422 I A - Open Protocol commands disabled acknowledge [20] @OP 5.24.2 p. 254
MID 0423 I S 0005 Open Protocol commands disabled unsubscribe [20] @OP 5.24.3 p. 254
MID 2600 I Q 2601 Mode ID upload request [20] @OP 5.4.1 p. 106

MID 2601 C P - Mode ID upload reply @OP 5.4.3 p. 106
REV 1 since=2.9 @later 16
-- mode_count N3
-- modes G[mode_count]
. mode_id N4
. name_length N2
. mode_name T[name_length]
REV 1 other @OP 5.4.3 p. 106
-- mode_count N3
-- modes G[mode_count]
. mode_id N4
. mode_name T100

MID 2602 I Q 2603 Mode data upload request @OP 5.4.4 p. 106
REV 1 24 @OP 5.4.4 p. 106
-- mode_id N4

MID 2603 C P - Mode data upload reply @OP 5.4.5 p. 106
REV 1 since=2.9 @later 16
-- mode_id N4
-- name_length N2
-- mode_name T[name_length]
-- bolt_count N3
-- bolts G[bolt_count]
. pset_id N3
. tool_number N3
. bolt_number N4
. name_length N2
. bolt_name T[name_length]
REV 1 other @OP 5.4.5 p. 107
-- mode_id N4
-- time D19 last change of the mode
-- bolt_count N3
-- bolts G[bolt_count]
. pset_id N3
. spindle_id N3

MID 2604 C E 2605 Mode selected @OP 5.4.5 p. 107
!OP 5.4.6 p. 107 "Answer: MID 0016": 2605 is its acknowledgement (OP 5.4.7 p. 108)
REV 1 46 @OP 5.4.6 p. 107
-- mode_id time bolt_count

MID 2605 I A - Mode selected acknowledge [20] @OP 5.4.7 p. 108

MID 2606 I C 0005 Select mode @OP 5.4.8 p. 108
REV 1 24 @OP 5.4.8 p. 108
-- mode_id N4
"""

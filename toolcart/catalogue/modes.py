"""MIDs 0400 to 0423 and 2600 to 2606: automatic and manual mode, disabled commands, modes (003:11888, 003:4475)."""

TABLE = """
MID 0400 I S 0005 Automatic/manual mode subscribe [20] @003:11891

MID 0401 C E 0402 Automatic/manual mode @003:11900
REV 1 21 @003:11906
-- manual N1 =0:automatic_mode|1:manual_mode

MID 0402 I A - Automatic/manual mode acknowledge [20] @003:11914
MID 0403 I S 0005 Automatic/manual mode unsubscribe [20] @003:11921
MID 0410 I Q 0411 Auto disable settings request [20] @003:11927

MID 0411 C P - Auto disable settings reply @003:11933
REV 1 24 @003:11956
-- auto_disable N2 0 is not used
-- current_batch N2

MID 0420 I S 0005 Open Protocol commands disabled subscribe [20] @003:11971

MID 0421 C E 0422 Open Protocol commands disabled @003:11982
REV 1 21 @003:11989
-- disabled N1 =YES

MID 0422 I A - Open Protocol commands disabled acknowledge [20] @003:11997
MID 0423 I S 0005 Open Protocol commands disabled unsubscribe [20] @003:12003
MID 2600 I Q 2601 Mode ID upload request [20] @003:4505

MID 2601 C P - Mode ID upload reply @003:4512
REV 1 since=2.9 @beyond 8.5
-- mode_count N3
-- modes G[mode_count]
. mode_id N4
. name_length N2
. mode_name T[name_length]
REV 1 other @003:4517
-- mode_count N3
-- modes G[mode_count]
. mode_id N4
. mode_name T100

MID 2602 I Q 2603 Mode data upload request @003:4538
REV 1 24 @003:4544
-- mode_id N4

MID 2603 C P - Mode data upload reply @003:4555
REV 1 since=2.9 @beyond 8.5
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
REV 1 other @003:4562
-- mode_id N4
-- time D19 last change of the mode
-- bolt_count N3
-- bolts G[bolt_count]
. pset_id N3
. spindle_id N3

MID 2604 C E 2605 Mode selected @003:4590
!003:4595 "Answer: MID 0016": 2605 is its acknowledgement (003:4622)
REV 1 46 @003:4600
-- mode_id time bolt_count

MID 2605 I A - Mode selected acknowledge [20] @003:4622

MID 2606 I C 0005 Select mode @003:4628
REV 1 24 @003:4633
-- mode_id N4
"""

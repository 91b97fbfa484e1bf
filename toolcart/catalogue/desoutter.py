"""Desoutter CVIxII and CVI3: MIDs of their own. `catalogue.register(desoutter)`.

A message without a revision is described by the maker, but not in the documents at hand: its data is kept raw. The
samples of 7410 follow its fields (`message.rest()`): one was added to every octet, 0x00 and 0xFF are FF FE and FF FF
then; torque has two octets, angle four, in revision 2 speed two, the lowest first. It has no NUL in front, so it is
no MID 0900. Sources: `later N` is clause 10.N of docs/internals/protocol.md; `bibla` is joaholzen/bibla-op; `op` is
masami10/rush and `curve` is winta2011/LeetxOpenProtocolDemo, which read the same octets. The lengths 0277 and 0140 are
of the maker's document.
"""

TABLE = """
MID 7402 I S 0005 Phase and cycle results subscribe [20] @qniff/OpenProtocolInterpreter.Messages.Desoutter Mid7402.cs
MID 7403 I S 0005 Phase and cycle results unsubscribe [20] @qniff/OpenProtocolInterpreter.Messages.Desoutter Mid7403.cs
MID 7404 C E 7405 Phase result @bibla; op; later 10
REV 1 277
01 spindle N2
02 cycle N3 the program
03 phase N2
04 phase_name T2
05 method_name T2
06 torque_min I6 *Nm/100
07 torque_max I6 *Nm/100
08 torque_safety I6 *Nm/100
09 angle_threshold I6 *Nm/100 torque from which the angle counts
10 torque_target I6 *Nm/100
11 torque I6 *Nm/100
12 angle_min I6 *deg/10
13 angle_max I6 *deg/10
14 angle_safety I6 *deg/10
15 angle_target I6 *deg/10
16 angle I6 *deg/10
17-20 reserved_17-20 T6
21 speed I6 *%
22 reserved_22 T6
23 reserved_23 T6
24 reserved_24 T2
25-26 reserved_25-26 T6
27-28 curve_index_1-2 N4
29-34 reserved_29-34 T6
35 report T10
MID 7405 I A - Phase result acknowledge [20] @later 10
MID 7406 C E 7407 Cycle result @op; curve Mid7406.cs; later 10
REV 1 140
01-02 spindle cycle
03 vin T25
04 time D19
05 spindle_name T11
06 spindle_serial T11
07 tightenings N10 of the tool, all
08 tightenings_partly N10 of the tool, since its counter was set
09 batch_size N3
10 batch_counter N3
-- not_described T3
!three octets up to the length of the maker's document; no source at hand says what they are
MID 7407 I A - Cycle result acknowledge [20] @later 10
MID 7408 I S 0005 Curves subscribe @later 10; curve Mid7408.cs
REV 1,2 20
MID 7409 IC X - Curves @later 10
MID 7410 C E 7411 Curve @bibla; op; curve Mid7410.cs; later 10
REV 1
01 tool N2
02 pset_id N3
03 time_coefficient F14
04 torque_coefficient F14
05 angle_coefficient F14
06 point_count N4
07 telegram_count N2
08 telegram N2
REV 2
01-02 tool pset_id
03 tightening_id N10
04-06 time_coefficient torque_coefficient angle_coefficient
07 speed_coefficient F14
08-10 point_count telegram_count telegram
MID 7411 I A - Curve acknowledge [20] @later 10; op
MID 7412-7414,7418-7429 IC X - Parameters, selection, information and files @later 10
"""

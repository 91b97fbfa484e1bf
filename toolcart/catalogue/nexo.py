"""Bosch Rexroth Nexo and System 350: MIDs of their own. `catalogue.register(nexo)`.

0500 to 0504 are their signals here, in place of motor tuning. A message without a revision is described by the maker,
but not in the documents at hand: its data is kept raw. Sources: `878` is the System 350 manual 3 608 878 300 of
2019-03 with its page; `HE` is haller-erne/OpenProtocolInterpreter 6.1.1, whose layouts come from the specification of
Nexo V1400; `later N` is clause 10.N of docs/internals/protocol.md.
"""

TABLE = """
MID 0404 I C 0005 Select mode @later 10; 878 p. 415
REV 1 21
-- manual N1 =0:automatic|1:manual

MID 0500 I S 0005 Output signals subscribe [20] @878 p. 416
MID 0501 C E 0502 Output signals upload @878 p. 416
MID 0502 I A - Output signals acknowledge @878 p. 416
MID 0503 I S 0005 Output signals unsubscribe [20] @878 p. 419
MID 0504 I C 0005 Set input signals @878 p. 419
REV 1 36
-- signals T16 a digit for each of the 16 inputs of the PLC's module, 1 is active

MID 0510 I S 0005 Operator panel's buttons subscribe [20] @878 p. 420
MID 0511 C E 0512 Operator panel's button upload @878 p. 420
REV 1 21
-- button N1 =0:reset_pressed|1:railnet_bypass_pressed|2:railnet_bypass_released
MID 0512 I A - Operator panel's button acknowledge [20] @878 p. 421
MID 0513 I S 0005 Operator panel's buttons unsubscribe [20] @878 p. 421
MID 0514 IC X - Operator panel @later 10
MID 0515 I C 0005 Set operator panel's lights @878 p. 421
REV 1 32
01-04 light_1-4 N1 =0:off|1:on|2:unchanged|3:flashing
REV 2 30 @HE Hvo/Mid0515.cs
01 light N3 number of the light
02 status N3

MID 0520 I S 0005 Socket tray subscribe [20] @HE SocketTray/SocketTrayMessages.cs; 878 p. 426
MID 0521 C E 0522 Socket tray upload @878 p. 424
REV 1 44
01-08 socket_1-8 N1 =0:in_tray|1:not_in_tray|2:not_used
MID 0522 I A - Socket tray acknowledge [20] @878 p. 425
MID 0523 I S 0005 Socket tray unsubscribe [20] @878 p. 426
MID 0524 I C 0005 Set socket tray's lights @878 p. 426
REV 1 44
01-08 light_1-8 N1 =YES

MID 0554 I S 0005 Job result subscribe [20] @878 p. 428
MID 0555 C E 0556 Job result upload @878 p. 428
REV 1 49
01 job_id N3
02 job_status N1 =0:NOK|1:OK
03 time D19
MID 0556 I A - Job result acknowledge [20] @878 p. 429
MID 0557 I S 0005 Job result unsubscribe [20] @878 p. 429

MID 0570 I C 0005 Activate the job function @878 p. 429
REV 1 23
01 active N1 =YES
MID 0571 I C 0005 Start the job @878 p. 429
REV 1 23 @HE RexrothJob/Mid0571.cs
01 start N1 =YES 0 stops it
MID 0573 I C 0005 Select a job @HE RexrothJob/Mid0573.cs
REV 1 23
-- job_id N3
MID 0574 I C - Change the running job @HE RexrothJob/Mid0574.cs
REV 1 24
01 action N2 =1:abort|2:next_step|3:previous_step

MID 0800 I Q 0801 Battery request [20] @later 10
MID 0801 C P - Battery reply @later 10
REV 1 28
01 capacity N3 *%
02 state N1 =0:no_pack|1:critical|2:too_low_to_tighten|3:fine|4:put_in_again|5:warning
MID 0802 I S 0005 Battery subscribe @later 10
REV 1 22
-- change N2 *% change that is told
MID 0803 C E - Battery upload @later 10
REV 1 28
01-02 capacity state
MID 0804 I S 0005 Battery unsubscribe [20] @later 10
MID 0805 I Q 0806 Radio quality request [20] @HE Wifi/Mid0805.cs
MID 0806 C P - Radio quality reply @HE Wifi/Mid0806.cs
REV 1 26
01 quality I4 *dBm
MID 0807 I S 0005 Radio quality subscribe @HE Wifi/Mid0807.cs
REV 1 22
-- change N2 *dBm change that is told
MID 0808 C E - Radio quality upload @HE Wifi/Mid0808.cs
REV 1 26
01 quality I4 *dBm
MID 0809 I S 0005 Radio quality unsubscribe [20] @HE Wifi/WifiMessages.cs
"""

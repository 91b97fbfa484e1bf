"""Bosch Rexroth Nexo and System 350: MIDs of their own (beyond-2.8.md 5). `catalogue.register(nexo)`.

0500 to 0504 are their signals here, in place of motor tuning. Where only a name is known the message is kept raw.
"""

TABLE = """
MID 0404 I C 0005 Select mode @beyond 5
REV 1 21
-- manual N1 =0:automatic|1:manual

MID 0500 IC X - Output and input signals @beyond 5
MID 0501 IC X - Output and input signals @beyond 5
MID 0502 IC X - Output and input signals @beyond 5
MID 0503 IC X - Output and input signals @beyond 5
MID 0504 IC X - Output and input signals @beyond 5

MID 0554 IC X - Job results, job control @beyond 5
MID 0555 C E - Job result @beyond 5
REV 1 49
01 job_id N3
02 job_status N1
03 time D19
MID 0556 IC X - Job results, job control @beyond 5
MID 0570 IC X - Job results, job control @beyond 5
MID 0571 IC X - Job results, job control @beyond 5
MID 0573 IC X - Job results, job control @beyond 5

MID 0800 I Q 0801 Battery request @beyond 5
REV 1 20
MID 0801 C P - Battery reply @beyond 5
REV 1 28
01 capacity N3 *%
02 state N1 =0:no_pack|1:critical|2:too_low_to_tighten|3:fine|4:put_in_again|5:warning
MID 0802 I S 0005 Battery subscribe @beyond 5
REV 1 22
-- change N2 *% change that is told
MID 0803 C E - Battery upload @beyond 5
REV 1 28
01 capacity N3 *%
02 state N1 =0:no_pack|1:critical|2:too_low_to_tighten|3:fine|4:put_in_again|5:warning
MID 0804 I S 0005 Battery unsubscribe @beyond 5
REV 1 20
MID 0805 I Q 0806 Radio quality request @beyond 5
MID 0806 C P - Radio quality reply @beyond 5
MID 0807 I S 0005 Radio quality subscribe @beyond 5
MID 0808 C E - Radio quality upload @beyond 5
MID 0809 I S 0005 Radio quality unsubscribe @beyond 5
"""

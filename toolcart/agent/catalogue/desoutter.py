"""Desoutter CVIxII and CVI3: MIDs of their own (beyond-2.8.md 5 and 6.2). `catalogue.register(desoutter)`.

What their numbers are for is known, their layouts are not, or only in part: the data is kept raw. A curve of MID 7410
has no NUL in front of its samples and escapes two octets, so it is no trace of MID 0900.
"""

TABLE = """
MID 7402 IC X - Phase results and cycle results @beyond 5
MID 7403 IC X - Phase results and cycle results @beyond 5
MID 7404 IC X - Phase results and cycle results @beyond 5
MID 7405 IC X - Phase results and cycle results @beyond 5
MID 7406 IC X - Phase results and cycle results @beyond 5
MID 7407 IC X - Phase results and cycle results @beyond 5
MID 7408 IC X - Curves @beyond 6.2
MID 7409 IC X - Curves @beyond 6.2
MID 7410 IC X - Curves @beyond 6.2
MID 7411 IC X - Curves @beyond 6.2
MID 7412 IC X - Parameters, selection, information and files @beyond 5
MID 7413 IC X - Parameters, selection, information and files @beyond 5
MID 7414 IC X - Parameters, selection, information and files @beyond 5
MID 7418 IC X - Parameters, selection, information and files @beyond 5
MID 7419 IC X - Parameters, selection, information and files @beyond 5
MID 7420 IC X - Parameters, selection, information and files @beyond 5
MID 7421 IC X - Parameters, selection, information and files @beyond 5
MID 7422 IC X - Parameters, selection, information and files @beyond 5
MID 7423 IC X - Parameters, selection, information and files @beyond 5
MID 7424 IC X - Parameters, selection, information and files @beyond 5
MID 7425 IC X - Parameters, selection, information and files @beyond 5
MID 7426 IC X - Parameters, selection, information and files @beyond 5
MID 7427 IC X - Parameters, selection, information and files @beyond 5
MID 7428 IC X - Parameters, selection, information and files @beyond 5
MID 7429 IC X - Parameters, selection, information and files @beyond 5
"""

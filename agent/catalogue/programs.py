"""MIDs 2500 to 2503 and 2506: tightening programs as trees of nodes (003:4090-4474)."""

TABLE = """
MID 2500 I C 0005 Tightening program message download @003:4090
REV 1 @003:4158
-- nodes G[*] the tree from its root on: a node, then its children one by one
. node_type N3 =NODE
. parameter_count N3
. parameters V[parameter_count]
. child_count N2

MID 2501 C E 0005 Tightening program message upload @003:4413
REV 1 @003:4470
-- nodes G[*] the tree from its root on: a node, then its children one by one
. node_type N3 =NODE
. parameter_count N3
. parameters V[parameter_count]
. child_count N2

MID 2502 C X 2503 Password request @003:4331
REV 1 20

MID 2503 I X - Password response @003:4334
REV 1 @003:4335
-- password T*

MID 2506 I C 0005 Tightening program delete @beyond 4
"""

"""MIDs 2500 to 2503 and 2506: tightening programs as trees of nodes (003:4090-4474)."""

TABLE = """
MID 2500 I C 0005 Tightening program message download @003:4090
REV 1 @003:4158
-- nodes G[*] the tree from its root on: a node, then its children one by one
. node_type N3 =NODE
. parameter_count N3
. parameters V[parameter_count]
. child_count N2
REV 2 since=2.11 @beyond 8.3
-- nodes G[*] the tree from its root on: a node, then its children one by one
. node_type N3 =NODE
. parameter_count N3
. parameters V[parameter_count]
. child_count N2
. json_length N4
. json T[json_length]

MID 2501 C E 0005 Tightening program message upload @003:4413
REV 1 @003:4470
-- nodes G[*] the tree from its root on: a node, then its children one by one
. node_type N3 =NODE
. parameter_count N3
. parameters V[parameter_count]
. child_count N2
REV 2 since=2.11 @beyond 8.3
-- nodes G[*] the tree from its root on: a node, then its children one by one
. node_type N3 =NODE
. parameter_count N3
. parameters V[parameter_count]
. child_count N2
. json_length N4
. json T[json_length]

MID 2502 C X 2503 Password request @003:4331
REV 1 20

MID 2503 I X - Password response @003:4334
REV 1 @003:4335
-- password T*

MID 2506 I C 0005 Tightening program delete @beyond 8.3
REV 1 27 since=2.17 @beyond 8.3
-- program_id N4 0 is refused
-- node_type N3 =NODE only multistep programs can be deleted
"""

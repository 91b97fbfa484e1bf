"""MIDs 0300 and 0301: histograms (003:11732-11887)."""

TABLE = """
MID 0300 I Q 0301 Histogram upload request @003:11733
REV 1 29 @003:11744
01 pset_id N3
02 histogram_type N2 =HISTOGRAM

MID 0301 C P - Histogram upload reply @003:11767
REV 1 107 @003:11776
01 pset_id N3
02 histogram_type N2 =HISTOGRAM
03 sigma N6 */100
04 mean N6 */100
05 class_range N6 */100 six sigma divided by nine
06 bar_1 N4
07 bar_2 N4
08 bar_3 N4
09 bar_4 N4
10 bar_5 N4
11 bar_6 N4
12 bar_7 N4
13 bar_8 N4
14 bar_9 N4
"""

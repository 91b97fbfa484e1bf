"""The tables of the simulated ToolsNet's archive: the document's map, results, events, graphs, a view.

Rules:
1. The map's tables have the names of 004 section 6; the other tables' names and all columns are our own.
2. Times are kept as they came, 14 digits; ResultView shows them and the statuses in readable form.
"""

# 004:336-362
SYSTEM_TYPES = {
    0: "PF3000",
    1: "PF2000",
    2: "pMACS",
    3: "Open Protocol",
    16: "Cooper Tools System",
    17: "Stanley Air Tools",
    18: "SPX Cooperation",
    19: "Ingersoll Rand",
    20: "Hickok",
    21: "AIMCO",
}

SCHEMA = """
CREATE TABLE IF NOT EXISTS TNMapSystemType (SystemType INTEGER PRIMARY KEY, Name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS TNMapSystem (
    SystemType INTEGER, System INTEGER, Name TEXT NOT NULL, IP TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (SystemType, System));
CREATE TABLE IF NOT EXISTS TNMapStation (
    SystemType INTEGER, System INTEGER, Station INTEGER, Name TEXT NOT NULL, IP TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (SystemType, System, Station));
CREATE TABLE IF NOT EXISTS TNMapSpindle (
    SystemType INTEGER, System INTEGER, Station INTEGER, Spindle INTEGER, Name TEXT NOT NULL,
    PRIMARY KEY (SystemType, System, Station, Spindle));
CREATE TABLE IF NOT EXISTS TNMapProgram (
    SystemType INTEGER, System INTEGER, Station INTEGER, Spindle INTEGER, Program INTEGER, Name TEXT NOT NULL,
    PRIMARY KEY (SystemType, System, Station, Spindle, Program));
CREATE TABLE IF NOT EXISTS Result (
    ResultId INTEGER PRIMARY KEY, SystemType INTEGER NOT NULL, System INTEGER NOT NULL,
    Station INTEGER NOT NULL,
    Sequence INTEGER NOT NULL, Time TEXT NOT NULL, VIN TEXT NOT NULL, Spindle INTEGER NOT NULL,
    SpindleSerial TEXT NOT NULL, Program INTEGER NOT NULL, Overall INTEGER NOT NULL,
    TorqueLow REAL, Torque REAL, TorqueHigh REAL, TorqueStatus INTEGER,
    AngleLow REAL, Angle REAL, AngleHigh REAL, AngleStatus INTEGER, TimeStatus INTEGER,
    TighteningId INTEGER, Arrivals INTEGER NOT NULL DEFAULT 1, OutOfOrder INTEGER NOT NULL DEFAULT 0,
    UNIQUE (SystemType, System, Station, Sequence, Time, Spindle));
CREATE INDEX IF NOT EXISTS ResultByTighteningId ON Result (TighteningId);
CREATE INDEX IF NOT EXISTS ResultByVIN ON Result (VIN);
CREATE TABLE IF NOT EXISTS ResultVIN (
    ResultId INTEGER NOT NULL REFERENCES Result, Identifier INTEGER NOT NULL, VIN TEXT NOT NULL,
    PRIMARY KEY (ResultId, Identifier));
CREATE TABLE IF NOT EXISTS ResultParameter (
    ResultId INTEGER NOT NULL REFERENCES Result, Spindle INTEGER, Program INTEGER,
    ParameterId INTEGER NOT NULL,
    Name TEXT NOT NULL, Value TEXT NOT NULL, Type INTEGER NOT NULL, Unit TEXT NOT NULL,
    Step INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS ParameterByResult ON ResultParameter (ResultId);
CREATE TABLE IF NOT EXISTS Event (
    EventId INTEGER PRIMARY KEY, SystemType INTEGER NOT NULL, System INTEGER NOT NULL,
    Station INTEGER NOT NULL,
    Sequence INTEGER NOT NULL, Time TEXT NOT NULL, Code INTEGER NOT NULL, Level INTEGER NOT NULL,
    Arrivals INTEGER NOT NULL DEFAULT 1, UNIQUE (SystemType, System, Station, Sequence, Time));
CREATE TABLE IF NOT EXISTS EventParameter (
    EventId INTEGER NOT NULL REFERENCES Event, ParameterId INTEGER, Type INTEGER, Value TEXT);
CREATE TABLE IF NOT EXISTS Graph (
    GraphId INTEGER PRIMARY KEY, SystemType INTEGER, System INTEGER, Station INTEGER, Spindle INTEGER,
    Program INTEGER, Sequence INTEGER, Time TEXT, GraphType INTEGER, BitShift INTEGER, FactorDom INTEGER,
    FactorNom INTEGER, SampleMs REAL, Samples BLOB);
CREATE VIEW IF NOT EXISTS ResultView AS
    SELECT r.ResultId, t.Name AS SystemTypeName, s.Name AS SystemName, st.Name AS StationName,
        sp.Name AS SpindleName, p.Name AS ProgramName, r.Sequence,
        substr(r.Time, 1, 4) || '-' || substr(r.Time, 5, 2) || '-' || substr(r.Time, 7, 2) || ' ' ||
        substr(r.Time, 9, 2) || ':' || substr(r.Time, 11, 2) || ':' || substr(r.Time, 13, 2) AS Time,
        r.VIN, CASE r.Overall WHEN 0 THEN 'OK' ELSE 'NOK' END AS Overall,
        r.TorqueLow, r.Torque, r.TorqueHigh,
        CASE r.TorqueStatus WHEN 0 THEN 'OK' WHEN 1 THEN 'NOK' WHEN 2 THEN 'low' ELSE 'high' END
            AS TorqueStatus,
        r.AngleLow, r.Angle, r.AngleHigh,
        CASE r.AngleStatus WHEN 0 THEN 'OK' WHEN 1 THEN 'NOK' WHEN 2 THEN 'low' ELSE 'high' END
            AS AngleStatus,
        r.TighteningId, r.Arrivals
    FROM Result r
    LEFT JOIN TNMapSystemType t USING (SystemType)
    LEFT JOIN TNMapSystem s USING (SystemType, System)
    LEFT JOIN TNMapStation st USING (SystemType, System, Station)
    LEFT JOIN TNMapSpindle sp USING (SystemType, System, Station, Spindle)
    LEFT JOIN TNMapProgram p USING (SystemType, System, Station, Spindle, Program)
    ORDER BY r.ResultId;
"""

"""The address space: a JoiningSystem for each station, below Machinery's folder of machines.

    Objects/Machines/3/1/10 Left front
        Identification           its name and place in the map
        AssetManagement          a controller, and a tool for each spindle
        ResultManagement         methods, Results/Result (the latest), Results/RequestedResult
        MachineryBuildingBlocks  refers to Identification and ResultManagement (OPC 40001-1, 11)

Rules
1. What a type requires of its instances is read from the types (tools.archive.opcua.declared), not repeated here.
2. A mandatory property that is not known is there, but empty: nothing is made up.
3. A station has about 60 nodes, whatever it reports. There are at most SYSTEMS_MOST stations; others are counted.
"""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asyncua import Node, Server, ua

from tools.archive.opcua import nodesets
from tools.archive.opcua.declared import Declared, object_attributes
from tools.archive.opcua.results import Made, encoded
from tools.archive.opcua.rows import Place, Station

URI = "urn:toolcart:archive"
SYSTEMS_MOST = 1000
METHODS = (
    "GetLatestResult",
    "GetResultById",
    "GetResultIdListFiltered",
    "ReleaseResultHandle",
    "AcknowledgeResults",
    "RequestResults",
    "RequestUnacknowledgedResults",
)
_FOLDERS = (
    "Accessories",
    "Batteries",
    "Cables",
    "Feeders",
    "MemoryDevices",
    "PowerSupplies",
    "Sensors",
    "Servos",
    "SoftwareComponents",
    "SubComponents",
    "Tools",
    "VirtualStations",
)
_IDENTIFICATION = (
    "Description",
    "JoiningTechnology",
    "Manufacturer",
    "ManufacturerUri",
    "ProductInstanceUri",
    "SystemId",
)
_WANTED = frozenset(
    [f"Identification/{name}" for name in _IDENTIFICATION]
    + ["AssetManagement", "AssetManagement/MethodSet", *(f"AssetManagement/Assets/{name}" for name in _FOLDERS)]
    + ["ResultManagement", "ResultManagement/Results", *(f"ResultManagement/{name}" for name in METHODS)]
)
_ASSET = frozenset(["Identification/ProductInstanceUri", "Parameters/Type"])
_RESULT = frozenset(["ResultContent"])
_MANUFACTURERS = {"PF3000": "Atlas Copco", "PF2000": "Atlas Copco", "pMACS": "Atlas Copco"}  # 004:336-362
_NO_MAKER = ("Open Protocol", "")  # a protocol is not a manufacturer
_PROCESS_CONTROLLER = 4  # OPC 40450-1, 7.10: JOINING_PROCESS_CONTROLLER


@dataclass
class System:
    """A joining system: its nodes, and the latest result."""

    station: Station
    name: str
    node: ua.NodeId
    management: ua.NodeId
    variables: dict[str, ua.NodeId]  # Result, RequestedResult
    known: str = ""  # ResultId of the value of Result
    tools: dict[int, ua.NodeId] = field(default_factory=dict)  # by spindle: its serial number


class Space:
    """Makes the systems and gives their variables values."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.systems: dict[Station, System] = {}
        self.left_out = 0  # stations beyond SYSTEMS_MOST
        self._system, self._controller, self._tool, self._result = (Declared(server) for _ in range(4))

    async def prepare(self) -> None:
        """Read the types."""
        self._index = await self.server.register_namespace(URI)
        self._uris = await self.server.get_namespace_array()
        base = [await self._type(nodesets.BASE, number) for number in (1005, 1003, 1004, 2014)]
        await self._system.read(base[:1], _WANTED)
        await self._controller.read(base[1:2], _ASSET)
        await self._tool.read(base[2:3], _ASSET)
        await self._result.read(base[3:], _RESULT)

    async def _type(self, uri: str, number: int) -> Node:
        return self.server.get_node(self.node(uri, number))

    def node(self, uri: str, number: int) -> ua.NodeId:
        """Return a node of a companion specification by its number there."""
        return ua.NodeId(number, self._uris.index(uri))

    @property
    def methods(self) -> Mapping[str, ua.NodeId]:
        """The declared methods that systems refer to."""
        return {name: node for name, (_, _, node) in self._system.methods.items() if name in METHODS}

    # -- systems -----------------------------------------------------------------------------------------------------

    async def add(self, place: Place) -> System | None:
        """Make a station's system; None if it has one, or if there is no room for more."""
        if place.station in self.systems:
            return None
        if len(self.systems) >= SYSTEMS_MOST:
            self.left_out += 1
            return None
        name = "/".join(str(number) for number in place.station)
        root = ua.NodeId(name, self._index)
        shown = ua.LocalizedText(place.name.strip() or name, "en")
        items = [self._root(name, root, shown)]
        items += self._system.items(name, root, _identified(place, name))
        items += self._assets(place, name)
        items += self._variables(name)
        for done in await self.server.iserver.isession.add_nodes(items):
            done.StatusCode.check()
        await self._refer(name, root, [number for number, _ in place.spindles])
        management = ua.NodeId(f"{name}/ResultManagement", self._index)
        results = f"{name}/ResultManagement/Results"
        system = System(
            place.station,
            place.name.strip() or name,
            root,
            management,
            {each: ua.NodeId(f"{results}/{each}", self._index) for each in ("Result", "RequestedResult")},
            tools={
                number: ua.NodeId(f"{_tool_name(name, number)}/Identification/SerialNumber", self._index)
                for number, _ in place.spindles
            },
        )
        self.systems[place.station] = system
        return system

    def _root(self, name: str, root: ua.NodeId, shown: ua.LocalizedText) -> ua.AddNodesItem:
        item = ua.AddNodesItem(
            ParentNodeId=self.node(nodesets.MACHINERY, 1001),
            ReferenceTypeId=ua.NodeId(ua.ObjectIds.Organizes),
            RequestedNewNodeId=root,
            BrowseName=ua.QualifiedName(name, self._index),
            NodeClass=ua.NodeClass.Object,
            TypeDefinition=self.node(nodesets.BASE, 1005),
        )
        item.NodeAttributes = object_attributes(shown, 1)
        return item

    def _assets(self, place: Place, name: str) -> list[ua.AddNodesItem]:
        controller = f"{name}/AssetManagement/Assets/Controllers/Controller"
        type_ = {"Parameters/Type": ua.Variant(_PROCESS_CONTROLLER, ua.VariantType.Byte)}
        found = self._asset(controller, "Controller", self._controller, place, type_)
        for number, spindle in place.spindles:
            shown = spindle.strip() or f"Tool {number}"
            found += self._asset(_tool_name(name, number), shown, self._tool, place, {})
        return found

    def _asset(
        self, name: str, shown: str, declared: Declared, place: Place, values: dict[str, ua.Variant]
    ) -> list[ua.AddNodesItem]:
        """Return an asset and what is below it."""
        node = ua.NodeId(name, self._index)
        item = ua.AddNodesItem(
            ParentNodeId=ua.NodeId(name.rpartition("/")[0], self._index),
            ReferenceTypeId=ua.NodeId(ua.ObjectIds.HasComponent),
            RequestedNewNodeId=node,
            BrowseName=ua.QualifiedName(name.rpartition("/")[2], self._index),
            NodeClass=ua.NodeClass.Object,
            TypeDefinition=ua.NodeId(ua.ObjectIds.BaseObjectType),
        )
        item.NodeAttributes = object_attributes(ua.LocalizedText(shown, "en"))
        known = {
            "Identification/Manufacturer": ua.Variant(ua.LocalizedText(_manufacturer(place), "en")),
            "Identification/SerialNumber": ua.Variant("", ua.VariantType.String),
            "Identification/ProductInstanceUri": ua.Variant(f"{URI}:{name}"),
            "Parameters/Type": ua.Variant(0, ua.VariantType.Byte),  # OTHER
        }
        return [item, *declared.items(name, node, {**known, **values})]

    def _variables(self, name: str) -> list[ua.AddNodesItem]:
        """Return Result and RequestedResult, still empty."""
        found = []
        for browse_name in ("Result", "RequestedResult"):
            path = f"{name}/ResultManagement/Results/{browse_name}"
            node = ua.NodeId(path, self._index)
            item = ua.AddNodesItem(
                ParentNodeId=ua.NodeId(path.rpartition("/")[0], self._index),
                ReferenceTypeId=ua.NodeId(ua.ObjectIds.HasComponent),
                RequestedNewNodeId=node,
                BrowseName=ua.QualifiedName(browse_name, self._index),
                NodeClass=ua.NodeClass.Variable,
                TypeDefinition=self.node(nodesets.BASE, 2014),
            )
            attributes = ua.VariableAttributes(
                DisplayName=ua.LocalizedText(browse_name, "en"), AccessLevel=1, UserAccessLevel=1, ValueRank=-1
            )
            attributes.DataType = self.node(nodesets.RESULT, 3008)
            attributes.Value = ua.Variant()
            item.NodeAttributes = attributes
            found += [item, *self._result.items(path, node, {})]
        return found

    async def _refer(self, name: str, root: ua.NodeId, spindles: list[int]) -> None:
        """Add references to the types' methods, from building blocks to what they mean, from assets to interfaces."""
        at = self._index
        found = []
        for method in METHODS:
            path, reference, node = self._system.methods[method]
            found.append(_reference(ua.NodeId(f"{name}/{path}", at), reference, node, ua.NodeClass.Method))
        blocks = ua.NodeId(f"{name}/MachineryBuildingBlocks", at)
        item = ua.AddNodesItem(
            ParentNodeId=root,
            ReferenceTypeId=ua.NodeId(ua.ObjectIds.HasComponent),
            RequestedNewNodeId=blocks,
            BrowseName=ua.QualifiedName("MachineryBuildingBlocks", self._uris.index(nodesets.MACHINERY)),
            NodeClass=ua.NodeClass.Object,
            TypeDefinition=ua.NodeId(ua.ObjectIds.FolderType),
        )
        item.NodeAttributes = object_attributes(ua.LocalizedText("MachineryBuildingBlocks", "en"))
        (await self.server.iserver.isession.add_nodes([item]))[0].StatusCode.check()
        for each in ("Identification", "ResultManagement"):
            add_in = ua.NodeId(ua.ObjectIds.HasAddIn)
            found.append(_reference(blocks, add_in, ua.NodeId(f"{name}/{each}", at), ua.NodeClass.Object))
        server = ua.NodeId(ua.ObjectIds.Server)
        found.append(_reference(server, ua.NodeId(ua.ObjectIds.HasNotifier), root, ua.NodeClass.Object))
        assets = {f"{name}/AssetManagement/Assets/Controllers/Controller": 1003}
        assets.update((_tool_name(name, number), 1004) for number in spindles)
        for asset, interface in assets.items():
            type_ = self.node(nodesets.BASE, interface)
            has = ua.NodeId(ua.ObjectIds.HasInterface)
            found.append(_reference(ua.NodeId(asset, at), has, type_, ua.NodeClass.ObjectType))
        for done in await self.server.iserver.isession.add_references(found):
            done.check()

    # -- values ------------------------------------------------------------------------------------------------------

    async def put(self, system: System, variable: str, made: Made) -> None:
        """Give Result or RequestedResult this value, and their parts too."""
        node = system.variables[variable]
        path = str(node.Identifier)
        values = {
            path: ua.Variant(made.whole),
            f"{path}/ResultMetaData": ua.Variant(encoded(made.meta)),
            f"{path}/ResultMetaData/ResultId": ua.Variant(made.id, ua.VariantType.String),
            f"{path}/ResultContent": ua.Variant([made.content], ua.VariantType.ExtensionObject),
        }
        for name, value in values.items():
            value_now = ua.DataValue(value, SourceTimestamp=made.time)
            await self.server.iserver.write_attribute_value(ua.NodeId(name, self._index), value_now)
        if variable == "Result":
            system.known = made.id

    async def put_serial(self, system: System, spindle: int, serial: str) -> None:
        """Set the serial number of a spindle's tool to that of its latest result."""
        node = system.tools.get(spindle)
        had = self.server.iserver.read_attribute_value(node).Value if node is not None else None
        if node is not None and (had is None or had.Value != serial):
            await self.server.iserver.write_attribute_value(node, ua.DataValue(ua.Variant(serial)))


def _identified(place: Place, name: str) -> dict[str, ua.Variant]:
    known = {
        "Name": ua.Variant(place.name.strip() or name),
        "Description": ua.Variant(ua.LocalizedText(f"{place.kind} {place.system}".strip(), "en")),
        "JoiningTechnology": ua.Variant(ua.LocalizedText("Tightening", "en")),
        "Manufacturer": ua.Variant(ua.LocalizedText(_manufacturer(place), "en")),
        "ManufacturerUri": ua.Variant("", ua.VariantType.String),
        "ProductInstanceUri": ua.Variant(f"{URI}:{name}"),
        "SystemId": ua.Variant(name),
    }
    return {f"Identification/{each}": value for each, value in known.items()}


def _manufacturer(place: Place) -> str:
    return "" if place.kind in _NO_MAKER else _MANUFACTURERS.get(place.kind, place.kind)


def _tool_name(name: str, spindle: int) -> str:
    return f"{name}/AssetManagement/Assets/Tools/Tool{spindle}"


def _reference(source: ua.NodeId, kind: ua.NodeId, target: ua.NodeId, node_class: ua.NodeClass) -> ua.AddReferencesItem:
    item = ua.AddReferencesItem(SourceNodeId=source, ReferenceTypeId=kind, IsForward=True)
    item.TargetNodeId, item.TargetNodeClass = target, node_class
    return item

"""What an instance of a type must have: declarations, read once from the address space and used for each instance.

Rules
1. A child is made if its modelling rule is mandatory, or if its path is wanted. Declarations come from the node itself,
   its type, the types above that, and their interfaces; the nearest one counts (OPC 10000-3, 6.2 and 6.4.4).
2. Methods are not made for each instance: the instance refers to the declared one (OPC 10000-3, 6.2.7), which
   `methods` has.
3. Node identifiers are text: the instance's name and the path. So a client finds a node again after a restart.
"""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asyncua import Node, Server, ua

_MANDATORY = ua.NodeId(ua.ObjectIds.ModellingRule_Mandatory)
_READ = 1  # AccessLevel: CurrentRead
_ATTRIBUTES = {
    ua.NodeClass.Variable: (
        ua.AttributeIds.DataType,
        ua.AttributeIds.ValueRank,
        ua.AttributeIds.ArrayDimensions,
        ua.AttributeIds.Value,
    ),
    ua.NodeClass.Object: (),
}


@dataclass(frozen=True)
class Part:
    """A node below the instance, or a method that it refers to."""

    path: str
    node_class: ua.NodeClass
    browse_name: ua.QualifiedName
    display_name: ua.LocalizedText
    reference: ua.NodeId
    type_definition: ua.NodeId
    attributes: Mapping[ua.AttributeIds, Any]


class Declared:
    """The parts of an instance, in an order in which they can be made."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.parts: list[Part] = []
        self.methods: dict[str, tuple[str, ua.NodeId, ua.NodeId]] = {}  # name: path of its object, reference, method

    async def read(self, sources: list[Node], wanted: frozenset[str], below: str = "") -> None:
        """Read what these nodes declare."""
        seen: set[str] = set()
        for source in await self._with_types(sources):
            for found in await source.get_children_descriptions():
                path = f"{below}{found.BrowseName.Name}"
                if path in seen or not (await self._is_mandatory(found.NodeId) or path in wanted):
                    continue
                seen.add(path)
                node = self._server.get_node(found.NodeId)
                if found.NodeClass == ua.NodeClass.Method:
                    self.methods[found.BrowseName.Name] = (below.rstrip("/"), found.ReferenceTypeId, found.NodeId)
                    continue
                self.parts.append(await self._part(path, found, node))
                await self.read([node], wanted, f"{path}/")

    async def _with_types(self, sources: list[Node]) -> list[Node]:
        """Return these nodes, and every type and interface that they have to follow, each once."""
        found: dict[ua.NodeId, Node] = {}
        waiting = list(sources)
        while waiting:
            node = waiting.pop(0)
            if node.nodeid in found or node.nodeid in (
                ua.NodeId(ua.ObjectIds.BaseObjectType),
                ua.NodeId(ua.ObjectIds.BaseVariableType),
            ):
                continue
            found[node.nodeid] = node
            for reference, way in (
                (ua.ObjectIds.HasTypeDefinition, ua.BrowseDirection.Forward),
                (ua.ObjectIds.HasSubtype, ua.BrowseDirection.Inverse),
                (ua.ObjectIds.HasInterface, ua.BrowseDirection.Forward),
            ):
                waiting += await node.get_referenced_nodes(reference, way)
        return list(found.values())

    async def _is_mandatory(self, node: ua.NodeId) -> bool:
        rules = await self._server.get_node(node).get_referenced_nodes(ua.ObjectIds.HasModellingRule)
        return any(rule.nodeid == _MANDATORY for rule in rules)

    async def _part(self, path: str, found: ua.ReferenceDescription, node: Node) -> Part:
        attributes = {}
        for attribute in _ATTRIBUTES[ua.NodeClass(found.NodeClass)]:
            read = await node.read_attribute(attribute, raise_on_bad_status=False)
            if read.StatusCode is not None and read.StatusCode.is_good() and read.Value is not None:
                attributes[attribute] = read.Value
        kind = found.TypeDefinition
        return Part(
            path,
            ua.NodeClass(found.NodeClass),
            found.BrowseName,
            found.DisplayName,
            found.ReferenceTypeId,
            ua.NodeId(kind.Identifier, kind.NamespaceIndex),
            attributes,
        )

    def items(self, name: str, root: ua.NodeId, values: Mapping[str, ua.Variant]) -> list[ua.AddNodesItem]:
        """Return the instance's nodes below `root`; their identifiers begin with `name`."""
        index = root.NamespaceIndex
        found = []
        for part in self.parts:
            above = part.path.rpartition("/")[0]
            item = ua.AddNodesItem(
                ParentNodeId=ua.NodeId(f"{name}/{above}", index) if above else root,
                ReferenceTypeId=part.reference,
                RequestedNewNodeId=ua.NodeId(f"{name}/{part.path}", index),
                BrowseName=part.browse_name,
                NodeClass=part.node_class,
                TypeDefinition=part.type_definition,
            )
            is_object = part.node_class == ua.NodeClass.Object
            item.NodeAttributes = (
                object_attributes(part.display_name) if is_object else _variable(part, values.get(part.path))
            )
            found.append(item)
        return found


def object_attributes(name: ua.LocalizedText, event_notifier: int = 0) -> ua.ObjectAttributes:
    """Return an object's attributes; `event_notifier` is 1 if clients may subscribe to its events."""
    attributes = ua.ObjectAttributes(DisplayName=name, EventNotifier=event_notifier)
    attributes.SpecifiedAttributes |= ua.NodeAttributesMask.EventNotifier
    return attributes


def _variable(part: Part, value: ua.Variant | None) -> ua.VariableAttributes:
    declared = part.attributes
    attributes = ua.VariableAttributes(DisplayName=part.display_name, AccessLevel=_READ, UserAccessLevel=_READ)
    attributes.Value = value if value is not None else declared.get(ua.AttributeIds.Value, ua.Variant())
    attributes.DataType = declared[ua.AttributeIds.DataType].Value
    attributes.ValueRank = declared[ua.AttributeIds.ValueRank].Value
    dimensions = declared.get(ua.AttributeIds.ArrayDimensions)
    attributes.ArrayDimensions = (dimensions.Value if dimensions is not None else None) or []
    return attributes

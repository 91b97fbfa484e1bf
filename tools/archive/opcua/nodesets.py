"""Loads the companion specifications' types: the OPC Foundation's files, in the order of their dependencies.

Rules
1. What the library's importer cannot take is removed first: nodes for design tools, and default values of structures
   in declarations.
2. A file names only the fields that a structure adds; a server must show those of the base type first (OPC 10000-3,
   8.48), and whether a field may be a subtype. The library leaves that to us.
"""

# asyncua has classes of its own for numbers and texts (Int32), which it takes for granted and its callers do not.
# pyright: reportArgumentType=false, reportPrivateImportUsage=false

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import is_dataclass
from pathlib import Path

from asyncua import Node, Server, ua

DI = "http://opcfoundation.org/UA/DI/"
MACHINERY = "http://opcfoundation.org/UA/Machinery/"
RESULT = "http://opcfoundation.org/UA/Machinery/Result/"
BASE = "http://opcfoundation.org/UA/IJT/Base/"

FOLDER = Path(__file__).with_name("nodesets")
FILES = tuple(
    f"Opc.Ua.{name}.NodeSet2.xml"
    for name in ("Di", "IA", "AMB", "Machinery", "Machinery_Result", "Ijt.Base", "Ijt.Tightening")
)
Field = tuple[str, str]  # names of a structure and of one of its fields
_SCHEMA = "{http://opcfoundation.org/UA/2011/03/UANodeSet.xsd}"


async def load(server: Server) -> None:
    """Put every type into the server's address space, and the structures into the library's `ua`."""
    ElementTree.register_namespace("", _SCHEMA[1:-1])
    subtyped: set[Field] = set()
    for file in FILES:
        root = ElementTree.parse(FOLDER / file).getroot()
        subtyped |= _subtyped(root)
        await server.import_xml(xmlstring=_taken(root), auto_load_definitions=False)
    await _complete(server.get_node(ua.ObjectIds.Structure), [], subtyped)
    await server.load_data_type_definitions()
    subtypes_as_objects(subtyped)


def subtypes_as_objects(subtyped: set[Field] | None = None) -> None:
    """Have asyncua write and read fields whose value may be a subtype as ExtensionObjects (OPC 10000-6, 5.2.7).

    Its structures mark these with `Annotated`, which `typing.get_type_hints` drops again (asyncua 2.1.0). A client that
    uses asyncua calls this after `load_data_type_definitions`, before it reads a result.
    """
    if subtyped is None:
        subtyped = {field for file in FILES for field in _subtyped(ElementTree.parse(FOLDER / file).getroot())}
    for name, field in subtyped:
        made = getattr(ua, name, None)
        if made is not None and is_dataclass(getattr(ua, _structure_of(field), None)):
            made.__annotations__[field] = ua.ExtensionObject


def _structure_of(field: str) -> str:
    return f"{field}Type"  # ResultMetaData is of ResultMetaDataType


def _subtyped(root: ElementTree.Element) -> set[Field]:
    return {
        (of.get("BrowseName", "").rpartition(":")[2], field.get("Name", ""))
        for of in root.iter(f"{_SCHEMA}UADataType")
        for field in of.iter(f"{_SCHEMA}Field")
        if field.get("AllowSubTypes") == "true"
    }


def _taken(root: ElementTree.Element) -> str:
    """Return the file without what the importer cannot take."""
    for node in list(root):
        if node.get("DesignToolOnly") == "true":
            root.remove(node)
            continue
        value = node.find(f"{_SCHEMA}Value")
        named = [] if value is None else [each for each in value.iter() if each.tag.endswith("}Identifier")]
        if value is not None and any("ns=" in (each.text or "") for each in named):
            node.remove(value)
    return ElementTree.tostring(root, encoding="unicode")


async def _complete(node: Node, inherited: list[ua.StructureField], subtyped: set[Field]) -> None:
    """Give each structure below this node the fields of its base, and go on below it."""
    for below in await node.get_children(refs=ua.ObjectIds.HasSubtype):
        fields = inherited
        if below.nodeid.NamespaceIndex != 0:
            fields = await _completed(below, inherited, subtyped)
        await _complete(below, fields, subtyped)


async def _completed(node: Node, inherited: list[ua.StructureField], subtyped: set[Field]) -> list[ua.StructureField]:
    read = await node.read_attribute(ua.AttributeIds.DataTypeDefinition, raise_on_bad_status=False)
    definition = read.Value.Value if read.Value else None
    name = (await node.read_browse_name()).Name
    if not isinstance(definition, ua.StructureDefinition):
        definition = ua.StructureDefinition()
    own = [field for field in definition.Fields if field.Name not in {each.Name for each in inherited}]
    for field in own:
        if (name, field.Name) in subtyped:  # if no field is optional, this flag means that (OPC 10000-3, 8.51)
            field.IsOptional = True
            definition.StructureType = ua.StructureType.StructureWithSubtypedValues
    definition.Fields = [*inherited, *own]
    if any(field.IsOptional for field in inherited):
        definition.StructureType = ua.StructureType.StructureWithOptionalFields
    bases = await node.get_referenced_nodes(ua.ObjectIds.HasSubtype, ua.BrowseDirection.Inverse)
    definition.BaseDataType = bases[0].nodeid
    for encoding in await node.get_referenced_nodes(ua.ObjectIds.HasEncoding):
        if (await encoding.read_browse_name()).Name == "Default Binary":
            definition.DefaultEncodingId = encoding.nodeid
    await node.write_attribute(ua.AttributeIds.DataTypeDefinition, ua.DataValue(ua.Variant(definition)))
    return definition.Fields

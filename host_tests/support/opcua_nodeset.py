"""What the OPC Foundation's files want of an instance, read from them alone: mandatory children by their path.

A node is named by its namespace and number, a child by its namespace and name. What a file refers to in the base
namespace (http://opcfoundation.org/UA/) is no type of ours and ends a way.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

_SCHEMA = "{http://opcfoundation.org/UA/2011/03/UANodeSet.xsd}"
CORE = "http://opcfoundation.org/UA/"
MANDATORY = (CORE, "i=78")
_WAYS_DOWN = {"HasComponent", "HasProperty", "HasAddIn", "HasOrderedComponent", "HasStructuredComponent", "Organizes"}
_NUMBERS = {  # as files write them that give no alias
    "i=46": "HasProperty",
    "i=47": "HasComponent",
    "i=37": "HasModellingRule",
    "i=40": "HasTypeDefinition",
    "i=45": "HasSubtype",
    "i=17603": "HasInterface",
    "i=17604": "HasAddIn",
    "i=24136": "HasStructuredComponent",
    "i=35": "Organizes",
}

Name = tuple[str, str]


class Nodesets:
    """All files of a folder as one graph."""

    def __init__(self, folder: Path) -> None:
        self.names: dict[Name, Name] = {}
        self.classes: dict[Name, str] = {}
        self._out: dict[Name, list[tuple[str, Name]]] = {}
        for file in sorted(folder.glob("*.xml")):
            self._read(ElementTree.parse(file).getroot())

    def _read(self, root: ElementTree.Element) -> None:
        uris = [CORE, *(each.text or "" for each in root.iterfind(f"{_SCHEMA}NamespaceUris/{_SCHEMA}Uri"))]
        aliases = {each.get("Alias"): each.text for each in root.iterfind(f"{_SCHEMA}Aliases/{_SCHEMA}Alias")}

        def node(text: str) -> Name:
            text = aliases.get(text, text) or ""
            index, _, rest = text.partition(";") if text.startswith("ns=") else ("ns=0", "", text)
            return uris[int(index[3:])], rest

        for each in root:
            if each.get("NodeId") is None or each.get("DesignToolOnly") == "true":
                continue
            me = node(each.get("NodeId", ""))
            index, has, name = each.get("BrowseName", "").partition(":")
            self.names[me] = (uris[int(index)], name) if has else (CORE, index)
            self.classes[me] = each.tag.removeprefix(_SCHEMA)
            for reference in each.iterfind(f"{_SCHEMA}References/{_SCHEMA}Reference"):
                word = aliases.get(reference.get("ReferenceType"), reference.get("ReferenceType"))
                kind = _NUMBERS.get(word or "", word or "")
                ends = me, node(reference.text or "")
                if reference.get("IsForward") == "false":
                    ends = ends[1], ends[0]
                self._out.setdefault(ends[0], []).append((kind, ends[1]))

    def named(self, uri: str, name: str) -> Name:
        """The type of this name."""
        [found] = [me for me, has in self.names.items() if has == (uri, name) and self.classes[me].endswith("Type")]
        return found

    def mandatory(self, *types: Name) -> set[tuple[Name, ...]]:
        """Paths of what an instance of these has wherever it has what is above it, which may be optional.

        Each child is named by its namespace and name; what stands for others (`<Tool>`) is left out.
        """
        found: set[tuple[Name, ...]] = set()
        self._below(list(types), (), found)
        return found

    def _below(self, sources: list[Name], path: tuple[Name, ...], found: set[tuple[Name, ...]]) -> None:
        seen: set[Name] = set()
        for source in self._with_types(sources):
            for kind, child in self._out.get(source, ()):
                if kind not in _WAYS_DOWN or child not in self.names or self.names[child] in seen:
                    continue
                rules = [end for rule, end in self._out.get(child, ()) if rule == "HasModellingRule"]
                if not rules or self.names[child][1].startswith("<"):
                    continue
                seen.add(self.names[child])
                if MANDATORY in rules:
                    found.add((*path, self.names[child]))
                if self.classes[child] != "UAMethod":
                    self._below([child], (*path, self.names[child]), found)

    def _with_types(self, sources: list[Name]) -> list[Name]:
        found, waiting = [], list(sources)
        while waiting:
            me = waiting.pop(0)
            if me in found:
                continue
            found.append(me)
            out = self._out.get(me, ())
            waiting += [end for kind, end in out if kind in ("HasTypeDefinition", "HasInterface")]
            waiting += [start for start, ends in self._out.items() if ("HasSubtype", me) in ends]
        return found

"""Whether a graph does more than compute its outputs from its inputs.

Only a graph that changes nothing and draws nothing may be called twice for one request, or once for several.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# Operations that TensorFlow calls stateful although they only read, check, or create what was there at loading.
_HARMLESS = {
    "Assert",
    "AssetPath",
    "HashTableV2",
    "If",
    "LookupTableFindV2",
    "LookupTableSizeV2",
    "MutableHashTableV2",
    "PartitionedCall",
    "Placeholder",
    "Print",
    "PrintV2",
    "ReadVariableOp",
    "ResourceGather",
    "ResourceGatherNd",
    "StatefulPartitionedCall",
    "VarHandleOp",
    "VarIsInitializedOp",
    "VariableShape",
    "While",
}
# Random operations of given seeds are functions of them and are not stateful in TensorFlow's registry.


def changes_state(graph: Any, fetches: Iterable[str]) -> bool:
    """Whether fetching tensors of a ``GraphDef`` may change a variable, draw a random number or touch a file.

    Args:
        graph: with its library of functions.
        fetches: names of tensors.
    """
    nodes = {node.name: node for node in graph.node}
    functions = {function.signature.name: function for function in graph.library.function}
    todo, seen_functions = _upstream(nodes, fetches), set()
    while todo:
        node = todo.pop()
        if _is_stateful(node.op) and node.op not in functions:
            return True
        called = [node.op, *(name for value in node.attr.values() for name in _functions_in(value))]
        for name in called:
            if name in functions and name not in seen_functions:
                seen_functions.add(name)
                todo.extend(functions[name].node_def)  # control outputs count, so all of it
    return False


def _upstream(nodes: dict[str, Any], fetches: Iterable[str]) -> list[Any]:
    todo, seen, found = [_node(name) for name in fetches], set(), []
    while todo:
        name = todo.pop()
        if name in seen or name not in nodes:
            continue
        seen.add(name)
        found.append(nodes[name])
        todo.extend(_node(source) for source in nodes[name].input)
    return found


def _node(tensor: str) -> str:
    return tensor.lstrip("^").split(":")[0]


def _functions_in(value: Any) -> list[str]:
    kind = value.WhichOneof("value")
    if kind == "func":
        return [value.func.name]
    return [function.name for function in value.list.func] if kind == "list" else []


def _is_stateful(operation: str) -> bool:
    from tensorflow.python.framework import op_def_registry

    definition = op_def_registry.get(operation)
    return operation not in _HARMLESS and (definition is None or definition.is_stateful)

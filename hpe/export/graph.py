"""A thin view of an ONNX graph for surgery: weights by name, who makes a tensor, who reads it."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper


class Graph:
    """Wraps a ModelProto and edits it in place; `copy_of` gives a private one first."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.proto = model.graph
        self._names = {n.name for n in self.proto.node} | {o for n in self.proto.node for o in n.output}

    @classmethod
    def copy_of(cls, model: onnx.ModelProto) -> "Graph":
        copied = onnx.ModelProto()
        copied.CopyFrom(model)
        return cls(copied)

    def nodes(self, op_type: str) -> list[onnx.NodeProto]:
        return [n for n in self.proto.node if n.op_type == op_type]

    def weight(self, name: str) -> NDArray[np.generic]:
        """The value of an initializer."""
        for tensor in self.proto.initializer:
            if tensor.name == name:
                return numpy_helper.to_array(tensor)
        raise KeyError(name)

    def is_weight(self, name: str) -> bool:
        return any(t.name == name for t in self.proto.initializer)

    def add_weight(self, name: str, value: NDArray[np.generic]) -> str:
        """Stores a copy under a fresh name like `name` -> that name."""
        fresh = self.fresh(name)
        self.proto.initializer.append(numpy_helper.from_array(np.array(value, order="C"), fresh))
        return fresh

    def fresh(self, stem: str) -> str:
        taken = self._names | {t.name for t in self.proto.initializer}
        name, count = stem, 0
        while name in taken:
            count += 1
            name = f"{stem}_{count}"
        self._names.add(name)
        return name

    def readers(self, tensor: str) -> list[onnx.NodeProto]:
        return [n for n in self.proto.node if tensor in n.input]

    def sole_reader(self, tensor: str, op_type: str) -> onnx.NodeProto | None:
        """The one node that reads `tensor`, if it is one, of that type, and the tensor is no graph output."""
        readers = self.readers(tensor)
        is_output = any(o.name == tensor for o in self.proto.output)
        return readers[0] if len(readers) == 1 and readers[0].op_type == op_type and not is_output else None

    def maker(self, tensor: str) -> onnx.NodeProto | None:
        return next((n for n in self.proto.node if tensor in n.output), None)

    def replace(self, old: list[onnx.NodeProto], new: list[onnx.NodeProto]) -> None:
        """Puts `new` where the first of `old` stood; order stays topological for our straight-line graphs."""
        gone = {o.output[0] for o in old}  # by output: protobuf hands out a new object at every look
        place = min(i for i, n in enumerate(self.proto.node) if n.output[0] in gone)
        kept = [n for n in self.proto.node if n.output[0] not in gone]
        result = [_copy(n) for n in (*kept[:place], *new, *kept[place:])]
        del self.proto.node[:]
        self.proto.node.extend(result)

    def unshare_weights(self) -> None:
        """Stores equal weights once each: the exporter keeps one and makes Identity nodes for the others.

        A shared bias would otherwise have to serve layers of different int8 scales.
        """
        for alias in self.nodes("Identity"):
            if self.is_weight(alias.input[0]):
                self.proto.initializer.append(numpy_helper.from_array(self.weight(alias.input[0]), alias.output[0]))
                self.proto.node.remove(alias)

    def drop_unused_nodes(self) -> None:
        """Leaves out, from the end on, every node whose outputs nobody reads."""
        used = {o.name for o in self.proto.output}
        kept: list[onnx.NodeProto] = []
        for node in reversed(self.proto.node):
            if used.intersection(node.output):
                used.update(node.input)
                kept.append(_copy(node))
        del self.proto.node[:]
        self.proto.node.extend(reversed(kept))

    def drop_unused_weights(self) -> None:
        used = {name for n in self.proto.node for name in n.input}
        kept = [t for t in self.proto.initializer if t.name in used]
        del self.proto.initializer[:]
        self.proto.initializer.extend(kept)


def _copy(node: onnx.NodeProto) -> onnx.NodeProto:
    copied = onnx.NodeProto()
    copied.CopyFrom(node)
    return copied


def attribute(node: onnx.NodeProto, name: str, default: object = None) -> object:
    """A node's attribute as a plain value."""
    for found in node.attribute:
        if found.name == name:
            return onnx.helper.get_attribute_value(found)
    return default


def like(node: onnx.NodeProto, inputs: list[str], outputs: list[str], name: str | None = None) -> onnx.NodeProto:
    """The same operator with the same attributes on other tensors."""
    copied = _copy(node)
    del copied.input[:]
    del copied.output[:]
    copied.input.extend(inputs)
    copied.output.extend(outputs)
    copied.name = name or node.name or outputs[0]
    return copied


def checked(graph: Graph) -> onnx.ModelProto:
    """The edited model, held against the ONNX specification."""
    del graph.proto.value_info[:]
    onnx.checker.check_model(graph.model)
    return graph.model

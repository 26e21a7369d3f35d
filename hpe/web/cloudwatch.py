"""A request's log line -> the same line with CloudWatch metrics in it (Embedded Metric Format, specification of 2020).

CloudWatch reads them from the log: no call, no permission, no package. One dimension, the function, keeps them few,
since each name with each value of its dimensions is billed; only errors are told apart further, by their kind.
"""

from collections.abc import Mapping
from typing import Any, Final

NAMESPACE: Final = "hpe"
# in the order in which a photo goes through them; as `Record.stage` is called
STAGES: Final = ("decode", "infer", "draw", "encode")
UNITS: Final[Mapping[str, str]] = {
    "Latency": "Milliseconds",
    **{stage.capitalize(): "Milliseconds" for stage in STAGES},
    "People": "Count",
    "ColdStarts": "Count",
    "Errors": "Count",
}


class Metrics:
    """What one process of one function counts. function: its name in Lambda."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._cold = True

    def of(self, fields: Mapping[str, Any], at_s: float) -> dict[str, Any]:
        """A request's fields (`hpe.web.request_log.note`) and Unix time -> what to add to its line."""
        values = _values(fields)
        if self._cold:
            values, self._cold = values | {"ColdStarts": 1}, False
        line: dict[str, Any] = {"Function": self._function, **values}
        groups = [_group(["Function"], values)] if values else []
        if fields.get("problem"):
            line |= {"Problem": str(fields["problem"]).rsplit("/", 1)[-1], "Errors": 1}
            groups.append(_group(["Function", "Problem"], {"Errors": 1}))
        return {"_aws": {"Timestamp": int(at_s * 1000), "CloudWatchMetrics": groups}, **line} if groups else {}


def _values(fields: Mapping[str, Any]) -> dict[str, float]:
    """Of photos that were answered: what it took, and how many people were found. Quick refusals would flatter."""
    if fields.get("people") is None or fields.get("problem"):
        return {}
    stages = fields["stages_ms"]
    times = {stage.capitalize(): stages[stage] for stage in STAGES if stage in stages}
    return {"Latency": fields["ms"], **times, "People": fields["people"]}


def _group(dimensions: list[str], values: Mapping[str, float]) -> dict[str, Any]:
    metrics = [{"Name": name, "Unit": UNITS[name]} for name in values]
    return {"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics}

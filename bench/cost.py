"""(g) Dollars for 1,000 photos, by Lambda memory, from the times measured here and AWS's published prices."""

from bench import figures
from bench.report import Effort, table

# us-east-1, aws.amazon.com/lambda/pricing and /api-gateway/pricing
GB_SECOND = {"x86": 0.0000166667, "arm64": 0.0000133334}
REQUEST = 0.20e-6 + 1.00e-6  # the function's and the HTTP API's
MB_PER_CORE = 1_769
MEMORIES = (512, 1024, 1769, 3008, 3538)


def run(effort: Effort) -> str:
    """The section of results.md. Measures the stages first where they have not been."""
    if "stages" not in figures.load():
        from bench import stages

        stages.run(effort)
    known = figures.load()["stages"]
    text = [
        "## Cost",
        "Warm requests for 1,280-px JPEGs, drawn PNG out, $ per 1,000 photos without the free tier: GB-seconds, "
        "$0.20 per million invocations and $1.00 per million HTTP API calls. Below 1,769 MB Lambda gives part of a "
        "core, and the time measured on one core is divided by that share; two threads from 3,008 MB on (1.7 cores: "
        "the network's two-thread time divided by 0.85). The x86 time is this machine's; arm64 was not timed: its "
        "column takes the same time at arm64's price, and Graviton's own may differ.",
    ]
    for key, name in (("default", "the default model"), ("r50-256-256", "ResNet-50 256x256")):
        text += [f"### {name}", table(["memory", "ms", "x86 $", "arm64 $"], [_row(m, known, key) for m in MEMORIES])]
    return "\n\n".join(text)


def _row(memory: int, known: dict[str, dict[str, dict[str, float]]], key: str) -> list[object]:
    share = memory / MB_PER_CORE
    one, two = (known[f"{key}-{threads}"]["1280"]["whole"] for threads in (1, 2))
    ms = one / min(1.0, share) if share < 1.7 else two / min(1.0, share / 2)
    gigabyte_s = memory / 1024 * ms / 1e3
    return [
        f"{memory:,} MB",
        round(ms),
        *(f"{1e3 * (gigabyte_s * price + REQUEST):.4f}" for price in GB_SECOND.values()),
    ]

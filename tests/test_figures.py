"""The figures in README and docs are those of bench/results.md, of the settings and of what is deployed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpe.image.decode import LIMITS
from hpe.image.kinds import KINDS, MAX_PIXELS_OF_CMYK_SCANS, MAX_PIXELS_OF_SEVERAL_SCANS
from hpe.photo.recipe import OWN_PHOTOS
from hpe.settings import ANALYSED_SIDE, Settings
from hpe.video.budget import seconds_of_work

ROOT = Path(__file__).resolve().parents[1]
DEFAULTS = Settings()
README = (ROOT / "README.md").read_text()
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text()
DEPLOY = (ROOT / "docs" / "deploy.md").read_text()
WEBSITE = (ROOT / "docs" / "website.md").read_text()
MODEL = (ROOT / "docs" / "model.md").read_text()


def number(text: str) -> float:
    return float(text.replace(",", "").strip("* $"))


def results(part: str) -> str:
    """A section of bench/results.md."""
    found = re.search(rf"<!-- {part} -->\n(.*?)<!-- end -->", (ROOT / "bench" / "results.md").read_text(), re.S)
    assert found, part
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of every table in a text, without heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rules = {n for n, line in enumerate(lines) if set(line) <= set("|-: ")}
    kept = [line for n, line in enumerate(lines) if not {n, n + 1} & rules]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in kept]


def quoted(pattern: str, text: str) -> list[float]:
    """The numbers of the one place in a text that reads like this."""
    (found,) = re.findall(pattern, re.sub(r"\s+", " ", text))
    return [number(one) for one in ([found] if isinstance(found, str) else found)]


def functions() -> dict[str, dict[str, Any]]:
    """The functions of serverless.yml."""

    class Loader(yaml.SafeLoader):
        """CloudFormation's own tags are left out."""

    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    found: dict[str, dict[str, Any]] = yaml.load((ROOT / "serverless.yml").read_text(), Loader)["functions"]
    return found


def test_speed_in_the_readme() -> None:
    times = [row for row in rows(results("latency")) if row[0].startswith("fp32")]
    ratios = [float(row[at]) for row in times for at in (4, 7)]
    said = quoted(r"are ([\d.]+) to ([\d.]+) times as fast in int8 as in fp32", README)
    assert said == pytest.approx([min(ratios), max(ratios)], abs=0.05)
    one_thread = results("people").partition("### 2 threads")[0]
    by_people = {row[0]: float(row[-1]) for row in rows(one_thread)}
    said = quoted(r"takes (\d+) ms on one thread if one person is in it, .*? and (\d+) ms with five", README)
    assert said == pytest.approx([by_people["1"], by_people["5"]], abs=0.6)


def test_sizes_of_the_model_in_the_readme() -> None:
    said = quoted(r"int8 files \(([\d.]+) and ([\d.]+) MB\)", README)
    sizes = [(ROOT / "models" / name).stat().st_size / 1e6 for name in ("locate.onnx", "pose.onnx")]
    assert said == pytest.approx(sizes, abs=0.06)


def test_how_good_the_model_is_in_the_readme() -> None:
    said = {row[0]: [number(cell) for cell in row[1:]] for row in rows(README) if len(row) > 2}
    default = MODEL.partition("### The default model")[2]
    measured = {row[0]: row[1:] for row in rows(default.partition("### Published")[0]) if row[1:]}
    for row, name in (
        ("12 limb joints", "12 joints, product's boxes"),
        ("the same, labelled boxes", "12 joints, labelled boxes"),
        ("COCO's 17 keypoints", "17 keypoints, product's boxes"),
    ):
        ap, ap50, _, medium, large, _ = (number(cell) for cell in measured[name])
        assert said[row] == [ap, ap50, medium, large], name
    assert said["with the labelled box, as in papers"] == [number(cell) for cell in measured["labelled box"][:9]]
    assert said["whole picture"] == [number(cell) for cell in measured["whole picture, as in the product"][:9]]
    front = number(measured["from the front"][1])
    assert quoted(r"([\d.]+) % of those from 96 px on who face", README) == [front]
    for pattern, name in (
        (r"([\d.]+) % of all labelled people are found", r"people found \(OKS 0.5\)"),
        (r"On ([\d.]+) % of the photos without people it finds nobody", r"photos without people: nobody found"),
    ):
        (share,) = (cells[0] for row, cells in measured.items() if re.fullmatch(rf"of [\d,]+ {name}", row))
        assert quoted(pattern, README) == [number(share.removesuffix("%"))], name


def test_figures_in_the_manifest_are_those_of_the_readme() -> None:
    figures = json.loads((ROOT / "models" / "pose.json").read_text())["figures"]
    said = {number(one) for one in re.findall(r"\d+\.\d", README.partition("## How good it is")[2])}
    names = ["ap_12_joints", "ap50_12_joints", "ap_17_keypoints", "ap_12_joints_labelled_boxes"]
    names += ["people_found_percent", "nobody_found_percent", "pck_0.2", "pck_0.2_whole_picture"]
    assert {figures[name] for name in names} <= said


def test_time_of_a_cold_start_in_the_decisions() -> None:
    (whole,) = (number(row[2]) / 1000 for row in rows(results("coldstart")) if row[0] == "whole")
    for page, pattern in (
        ("deployment.md", r"`python -m bench coldstart` measures at ([\d.]+) s"),
        ("session-start.md", r"the whole cold start takes ([\d.]+) s"),
    ):
        assert quoted(pattern, (ROOT / "docs" / "decisions" / page).read_text()) == [pytest.approx(whole, abs=0.03)]


def test_time_of_private_mode() -> None:
    measured = results("private")
    times = [[number(row[at]) for row in rows(measured)] for at in (2, 3, 4)]
    said = quoted(
        r"a photo takes (\d+) to (\d+) ms in Chromium and (\d+) to (\d+) ms in Firefox [\d.]+, where the API takes "
        r"(\d+) to (\d+) ms",
        WEBSITE,
    )
    assert said == [end for one in times for end in (min(one), max(one))]
    first = r"(Chromium|Firefox [\d.]+): first answer ([\d.]+) s, with the files kept ([\d.]+) s"
    (_, *chromium), (firefox, *other) = re.findall(first, measured)
    assert f"in {firefox}," in WEBSITE
    said = quoted(
        r"comes after ([\d.]+) s and ([\d.]+) s, with the files kept after ([\d.]+) s and ([\d.]+) s", WEBSITE
    )
    assert said == [float(s) for pair in zip(chromium, other, strict=True) for s in pair]
    live = r"the skeleton(?: is redrawn)? ([\d.]+) times a second, ([\d.]+) of them with a new answer"
    assert quoted(live, WEBSITE) == quoted(live, measured)


def test_limits_in_the_readme() -> None:
    assert quoted(r"up to (\d+) MB and (\d+) megapixels", README) == [
        DEFAULTS.max_upload_bytes / 1e6,
        DEFAULTS.max_pixels / 1e6,
    ]
    assert quoted(r"the command line and Python up to (\d+) of each", README) == [LIMITS.max_bytes / 1e6]
    assert LIMITS.max_bytes == LIMITS.max_pixels
    assert quoted(r"is analysed with a longer side of at most ([\d,]+) px", README) == [ANALYSED_SIDE]


def test_settings_have_the_defaults_that_the_page_says() -> None:
    said = {row[0].strip("`"): row[1] for row in rows(RELIABILITY) if re.fullmatch(r"`HPE_\w+`", row[0])}
    assert len(said) >= 5
    for name, value in said.items():
        assert number(value) == getattr(DEFAULTS, name.removeprefix("HPE_").lower()), name


def test_every_way_in_takes_what_the_page_says() -> None:
    said = {row[0]: [number(re.sub(r"\(.*\)|about", "", cell)) for cell in row[1:3]] for row in ways_in()}
    own = [LIMITS.max_bytes, LIMITS.max_pixels]
    assert said["`hpe predict`"] == said["Python"] == own
    assert said["`POST /pose` of `hpe serve`"] == [DEFAULTS.max_upload_bytes, DEFAULTS.max_pixels]
    deployed = functions()
    photo_bytes = yaml.safe_load((ROOT / "deploy" / "parameters.yml").read_text())["photoMaxBytes"]
    for way, function in (("`POST /uploads`, `hpe submit`", "worker"), ("`hpe batch`", "batch")):
        pixels = int(deployed[function]["environment"]["HPE_MAX_PIXELS"])
        assert said[way] == [photo_bytes, pixels], way
    assert "HPE_MAX_PIXELS" not in deployed["api"].get("environment", {}), "it has the default"
    drawn = {
        row[0]: number(re.findall(r"[\d,]{4,}", row[3])[0]) for row in ways_in() if re.search(r"[\d,]{4,}", row[3])
    }
    assert drawn["`POST /pose` of `hpe serve`"] == drawn["`hpe batch`"] == DEFAULTS.max_output_side
    assert drawn["`POST /uploads`, `hpe submit`"] == int(deployed["worker"]["environment"]["HPE_MAX_OUTPUT_SIDE"])
    assert drawn["`hpe predict`"] == OWN_PHOTOS.drawn_pixels


def ways_in() -> list[list[str]]:
    return rows(RELIABILITY.partition("What each way in takes")[2].partition("\n\nLimits that")[0])


def test_kinds_of_photos_may_have_the_px_that_the_page_says() -> None:
    table = rows(RELIABILITY.partition("| kind | px at most |")[2].partition("\n\n")[0])
    said = {
        row[0].partition(":")[0].partition(",")[0]: 1e6 * number(row[1].split()[0]) for row in table if len(row) == 2
    }
    assert said.pop("JPEG of several scans (progressive)") == MAX_PIXELS_OF_SEVERAL_SCANS
    assert said.pop("the same in CMYK") == MAX_PIXELS_OF_CMYK_SCANS
    assert {name.lower(): px for name, px in said.items()} == {name: kind.max_pixels for name, kind in KINDS.items()}


def test_largest_photos_fit_the_memory_that_the_pages_promise() -> None:
    peaks = [float(row[3]) for row in rows(results("memory")) if len(row) == 5]
    assert len(peaks) > 15
    (budget,) = quoted(r"both networks, stays below (\d+) MiB", RELIABILITY)
    assert max(peaks) < budget


def test_parameters_have_the_defaults_that_the_page_says() -> None:
    real = yaml.safe_load((ROOT / "deploy" / "parameters.yml").read_text())
    table = DEPLOY.partition("| parameter | default | |")[2].partition("\n\n")[0]
    said: dict[str, str] = {}
    for line in table.splitlines()[2:]:
        names, values = (cell.strip().replace("`", "") for cell in line.strip("|").split("|")[:2])
        split = values.split(", ") if ", " in names else [values]
        split = split if len(split) > 1 else split * len(names.split(", "))
        said |= dict(zip(names.split(", "), split, strict=True))
    assert said == {name: str(value) for name, value in real.items()}


def test_worst_month_is_that_of_the_table() -> None:
    lines = {
        row[0]: number(row[1]) for row in rows(results("cost").partition("### The worst month")[2]) if len(row) == 2
    }
    lines = {name.strip("*"): dollars for name, dollars in lines.items()}
    (most,) = quoted(r"\*\*The worst month at the defaults is below \$([\d,]+)\*\*", DEPLOY)
    assert lines["together"] < most
    transfer, terabytes, functions_, calls, uploads = quoted(
        r"about \$([\d,]+) for ([\d.]+) TB of answers, \$([\d,]+) for all functions .*?, \$(\d+) for calls, "
        r"\$([\d,]+) for uploads",
        DEPLOY,
    )
    assert f"transfer out, {terabytes:g} TB of answers" in lines
    said = {
        f"transfer out, {terabytes:g} TB of answers": transfer,
        "Lambda, all that may run at once, all month": functions_,
        "Lambda and HTTP API, calls": calls,
        "S3, uploads kept until they expire": uploads,
    }
    assert said == {name: pytest.approx(lines[name], abs=6) for name in said}


def clips_by_people() -> dict[int, list[float]]:
    """people -> ms a frame: frame by frame, N = 1, 5, 10, and what N = 5 gains."""
    found = [row for row in rows(results("video")) if len(row) == 6]
    return {int(row[0]): [number(cell) for cell in row[1:]] for row in found}


def test_speed_of_clips() -> None:
    gained = [times[4] for _, times in sorted(clips_by_people().items())]
    said = quoted(
        r"followed at ([\d.]+) times the frames .* fifth frame, three at ([\d.]+) times, ten at ([\d.]+) times",
        (ROOT / "docs" / "video.md").read_text(),
    )
    assert [said] == [pytest.approx(gained, abs=0.05)]


def test_what_is_promised_of_a_clip_is_more_than_was_measured_and_not_absurdly_more() -> None:
    for people, times in clips_by_people().items():
        promised = 1000 * seconds_of_work(1 / 30, 30, people)
        assert 1.3 * times[2] < promised < 6 * times[2], people


def test_first_view_of_the_built_site_is_that_of_the_table() -> None:
    (plain, built) = [row for row in rows(results("website")) if "400 kbit/s" in row[0]]
    assert built[0].endswith("built")
    painted, ready, skeleton, size, sent, files = map(number, built[1:])
    assert size < 250, "kB, before compression"
    assert quoted(r"asks for (\d+) files of (\d+) kB, (\d+) kB as they are sent", WEBSITE) == [files, size, sent]
    said = quoted(
        r"painted after ([\d.]+) s, the page is ready after ([\d.]+) s and the skeleton drawn after ([\d.]+) s; "
        r"module by module it is ready after ([\d.]+) s",
        WEBSITE,
    )
    assert said == pytest.approx([ms / 1000 for ms in (painted, ready, skeleton, number(plain[2]))], abs=0.06)

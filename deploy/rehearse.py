"""The whole deployment, on this machine alone: `make rehearse`.

Packages without network or credentials, lints the template, runs the package under Lambda's own runtime emulator,
deploys it into an emulated AWS with IAM enforced, as the user that docs/deploy.md describes, sends photos through
both routes and the website, a clip whose worker is killed, and one through the website, deploys again (nothing may
change), changes the model and back, issues and revokes keys, deploys the closed stack without naming a choice (it
stays closed), runs a batch of 200 photos with a function killed on the way and one with clips, tries what must be
refused, and removes it all.
Writes build/rehearsal/report.json. Ends with 1 at the first thing that is not as it must be.
"""

import json
import platform
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from deploy.build_package import ROOT
from deploy.rehearsal import browser, clips, commands, package, refusals, stack
from deploy.rehearsal.cloud import Cloud, serverless
from deploy.rehearsal.faults import check_faults
from deploy.rehearsal.kept import check_kept
from deploy.rehearsal.model_change import MANIFEST, answering, change_model_and_roll_back, pose_sha256
from deploy.rehearsal.photos import make_photos
from deploy.rehearsal.tools import WORK, RehearsalError, expect, lambda_python, virtual_environment

ARCHITECTURE: Final = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")


class Report:
    """What was seen, step by step, on the screen and in a file."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []

    def step(self, name: str, work: Callable[[], Any]) -> Any:
        """Do one step, time it, and note what it gives where that is a number or a text."""
        began = time.monotonic()
        print(f"-- {name} ...", flush=True)
        result = work()
        seconds = round(time.monotonic() - began, 1)
        note = result if isinstance(result, (int, float, str)) and not isinstance(result, bool) else None
        self.steps.append({"step": name, "seconds": seconds, "note": note})
        print(f"ok {name}: {seconds} s{'' if note is None else f' ({note})'}", flush=True)
        WORK.mkdir(parents=True, exist_ok=True)
        (WORK / "report.json").write_text(json.dumps(self.steps, indent=1) + "\n")
        return result


def rehearse(report: Report) -> None:
    """All steps in order. Raises RehearsalError at the first that fails."""
    version, interpreter = lambda_python()
    bin = report.step(
        f"tools for Python {version}",
        lambda: virtual_environment(".venv-deploy", ROOT / "deploy" / "requirements.txt", interpreter),
    )
    lint_bin = report.step(
        "linters", lambda: virtual_environment(".venv-lint", ROOT / "deploy" / "requirements-lint.txt", sys.executable)
    )
    architectures = dict.fromkeys(("arm64", ARCHITECTURE))
    for architecture in architectures:
        report.step(f"wheels for {architecture}", lambda a=architecture: package.fetch_wheels(a, version))
    folders = {}
    for architecture in architectures:
        folders[architecture] = report.step(
            f"package for {architecture}, without credentials",
            lambda a=architecture: package.package(a, version, sys.executable),
        )
        print(f"   {folders[architecture][1]} bytes unzipped", flush=True)
        template = folders[architecture][0] / "cloudformation-template-update-stack.json"
        report.step(f"cfn-lint and checkov for {architecture}", lambda t=template: package.lint(t, lint_bin))
    report.step("hadolint", lambda: package.lint_dockerfile(lint_bin))
    photos = make_photos(WORK / "photos")
    task = package.unpack(ARCHITECTURE)
    references = report.step("reference answers", lambda: package.references(task, bin / "python", photos))
    joints, cold_s, warm_s = report.step(
        "the handler under AWS's Runtime Interface Emulator",
        lambda: package.answer_under_rie(task, bin / "python", photos[0]),
    )
    print(f"   first answer {cold_s:.2f} s, second {warm_s:.2f} s", flush=True)
    expect(joints["people"] == references[photos[0].name]["people"], "other joints under RIE than without")
    with Cloud(bin) as cloud:
        in_the_cloud(report, cloud, folders[ARCHITECTURE][0], version, photos, references, lint_bin)


def in_the_cloud(
    report: Report, cloud: Cloud, folder: Any, version: str, photos: list[Any], references: dict[str, Any],
    lint_bin: Any,
) -> None:  # fmt: skip
    """Deploy, ask, refuse, deploy again, remove."""
    env = cloud.environment(*cloud.deployer()) | {"PYTHON": sys.executable}
    options = (f"--param=architecture={ARCHITECTURE}", f"--param=runtime=python{version}")
    report.step("bad input is one clear line, and nothing is made", lambda: check_faults(cloud, env, options))
    report.step("deploy", lambda: last_line(serverless("deploy", "--package", str(folder), *options, env=env)))
    deployed = stack.Stack(cloud)
    deployed.repeat_cors(json.loads((folder / "cloudformation-template-update-stack.json").read_text()))
    report.step("CORS", lambda: stack.check_cors(deployed))
    report.step("health", lambda: check_health(deployed))
    for photo in photos[:4]:
        report.step(
            f"{photo.name} through POST /pose", lambda p=photo: stack.check_pose(deployed, p, references[p.name])
        )
    report.step(
        "photos through POST /uploads and the queue",
        lambda: stack.check_uploads(deployed, photos[-1], references[photos[-1].name]),
    )
    report.step("hpe submit FOLDER", lambda: stack.check_submit(deployed, photos, references))
    report.step("hpe submit CLIP, its worker killed", lambda: clips.check_clip(deployed, photos[0]))
    report.step("the site through CloudFront", lambda: stack.check_site(deployed))
    if browser.chromium():
        shot = report.step(
            "the site in Chromium", lambda: browser.drive(deployed, photos[0], references[photos[0].name]["people"])
        )
        print(f"   {shot}", flush=True)
        clip = clips.made_clip(WORK / "clips" / "clip.webm", photos[0], "VP80")
        shot = report.step("a clip on the video page in Chromium", lambda: browser.drive_clip(deployed, clip))
        print(f"   {shot}", flush=True)
    else:
        print("-- SKIPPED the site in Chromium: apt-get install chromium chromium-driver", flush=True)
    report.step("deploy again changes nothing", lambda: deploy_again(folder, options, env))
    report.step(
        "another model, and back",
        lambda: change_model_and_roll_back(
            deployed, package.zip_file(ARCHITECTURE), photos[0], references[photos[0].name], options, env
        ),
    )
    report.step("logs and metrics, as the deployer", lambda: watch(options, env))
    with_extras(report, cloud, photos[0], options, env, lint_bin)
    report.step("refusals", lambda: refusals.check_denied(deployed))
    commands.remove_album(cloud)
    report.step("remove", lambda: last_line(serverless("remove", *options, env=env)))
    left = stack.leftovers(cloud)
    expect(not left, f"left after remove: {left}")


def with_extras(
    report: Report, cloud: Cloud, photo: Any, options: tuple[str, ...], env: dict[str, str], lint_bin: Any
) -> None:
    """Keys, batches and a budget, switched on in the running stack; and domains, which no emulator has."""
    env = env | {"HPE_PACKAGE_ZIP": str(package.zip_file(ARCHITECTURE))}
    more = (*options, *commands.PARAMETERS)
    folder = WORK / "package-extras"
    money = ("--param=budgetUsd=100", "--param=alarmEmail=a@b.example")
    serverless("package", "--package", str(folder), *more, *money, *commands.DOMAINS, env=env)
    file = folder / "cloudformation-template-update-stack.json"
    report.step("cfn-lint and checkov with everything on", lambda: package.lint(file, lint_bin))
    report.step("a budget", lambda: commands.check_budget(cloud, json.loads(file.read_text())))
    commands.make_album(cloud, photo)
    report.step("deploy keys and batches", lambda: last_line(serverless("deploy", *more, env=env)))
    extended = stack.Stack(cloud)
    report.step("keys", lambda: commands.check_keys(extended, photo))
    report.step(
        "a closed stack stays closed",
        lambda: check_kept(extended, photo, WORK / f"package-{ARCHITECTURE}", env),
    )
    report.step(f"hpe batch, {commands.ALL} photos", lambda: commands.check_batch(extended, photo))
    report.step("hpe batch, clips among photos", lambda: commands.check_films(extended, photo))


def check_health(deployed: stack.Stack) -> str:
    """The API knows the model that was deployed."""
    sha256 = answering(deployed)
    expect(sha256 == pose_sha256(json.loads(MANIFEST.read_text())), f"/health: model {sha256}")
    return f"model {sha256[:12]}"


def deploy_again(folder: Any, options: tuple[str, ...], env: dict[str, str]) -> str:
    """The same once more: CloudFormation, model and site stay as they are."""
    said = serverless("deploy", "--package", str(folder), *options, env=env)
    expect("No changes to deploy" in said, f"a second deploy changed something: {said[-800:]}")
    expect("Website: 0 of" in said, f"a second deploy uploaded the site again: {said[-800:]}")
    expect("Model uploaded" not in said, "a second deploy uploaded the model again")
    return "no changes"


def watch(options: tuple[str, ...], env: dict[str, str]) -> str:
    """What docs/deploy.md says of watching works with the deployer's own policy."""
    said = serverless("logs", "--function", "api", "--startTime", "1h", *options, env=env)
    expect('"event": "request"' in said, f"serverless logs has no line of a request: {said[-800:]}")
    figures = serverless("metrics", *options, env=env)
    expect("invocations" in figures, f"serverless metrics: {figures[-800:]}")
    return "both"


def last_line(text: str) -> str:
    """The line that says how it ended."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("✔")]
    return lines[-1] if lines else ""


def main() -> int:
    """Rehearse; 1 where something is not as it must be."""
    report, began = Report(), time.monotonic()
    for told in (signal.SIGTERM, signal.SIGHUP):
        # As an exception, so that all that was started is ended.
        signal.signal(told, lambda number, frame: sys.exit(128 + number))
    try:
        rehearse(report)
    except RehearsalError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    print(
        f"Rehearsed in {time.monotonic() - began:.0f} s: {len(report.steps)} steps. Report: build/rehearsal/report.json"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What is asked of a deployed stack: photos through both routes, and the site."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.build_package import ROOT
from deploy.rehearsal.cloud import Cloud, bare_environment
from deploy.rehearsal.tools import WORK, RehearsalError, expect

STACK: Final = "hpe-dev"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. headers: lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


class Stack:
    """The deployed stack, by its outputs."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        (stack,) = cloud.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
        self.api = self.outputs["ApiUrl"]
        self.site = self.outputs["WebsiteUrl"]

    def repeat_cors(self, template: dict[str, Any]) -> None:
        """Say the template's CORS again through the API: ministack keeps the template's under names it never reads."""
        cors = dict(template["Resources"]["HttpApi"]["Properties"]["CorsConfiguration"])
        expect(cors["AllowOrigins"] == [{"Fn::Sub": "https://${Cdn.DomainName}"}], f"CORS: {cors}")
        cors["AllowOrigins"] = [self.site]
        client = self.cloud.client("apigatewayv2")
        client.update_api(ApiId=self.outputs["HttpApiId"], CorsConfiguration=cors)

    def ask(self, method: str, url: str, body: bytes = b"", **headers: str) -> Answer:
        """One request to a real AWS address, answered by the emulator. Header names: _ for -."""
        import http.client
        import ssl
        from urllib.parse import urlsplit

        parts = urlsplit(url)
        context = ssl.create_default_context(cafile=str(self.cloud.certificate))
        context.check_hostname = False  # the emulator's address; the name goes into the Host header
        connection = http.client.HTTPSConnection("127.0.0.1", self.cloud.port, context=context, timeout=240)
        path, host = parts.path or "/", parts.netloc
        if path == "/health" and parts.netloc.split(".")[1:2] == ["execute-api"]:
            # ministack answers /health itself on every host; this is its other address of the same route
            path, host = f"/_aws/execute-api/{host.split('.')[0]}/$default/health", f"127.0.0.1:{self.cloud.port}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path + (f"?{parts.query}" if parts.query else ""), body or None,
                               {"host": host, **named})  # fmt: skip
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def pose(self, photo: Path, format: str) -> Answer:
        """POST /pose with the photo as the body."""
        return self.ask("POST", f"{self.api}/pose?format={format}", photo.read_bytes(), content_type="image/jpeg")

    def through_uploads(self, photo: bytes, content_type: str = "image/jpeg", timeout_s: float = 300) -> Answer:
        """The photo through POST /uploads, S3, the queue and the worker: the last answer of GET /results/ID."""
        import requests

        wish = json.dumps({"content_type": content_type, "size": len(photo)}).encode()
        ticket = self.ask("POST", f"{self.api}/uploads", wish, content_type="application/json")
        expect(ticket.status == 201, f"POST /uploads: {ticket.status} {ticket.body[:300]!r}")
        form = json.loads(ticket.body)
        sent = requests.post(form["url"], data=form["fields"], files={"file": photo}, timeout=60,
                             verify=str(self.cloud.certificate))  # fmt: skip
        expect(sent.status_code in (200, 204), f"the signed form was refused: {sent.status_code} {sent.text[:300]}")
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            answer = self.ask("GET", self.api + form["result"])
            if answer.status != 202:
                return answer
            expect("retry-after" in answer.headers, "202 without Retry-After")
            time.sleep(0.5)
        raise RehearsalError(f"still pending after {timeout_s:g} s: {self.cloud.log.read_text()[-1500:]}")


def check_pose(stack: Stack, photo: Path, reference: dict[str, Any]) -> None:
    """Joints and PNG are those that the package's own code gives, to the last digit and byte."""
    joints = stack.pose(photo, "json")
    expect(joints.status == 200, f"{photo.name}: {joints.status} {joints.body[:300]!r}")
    expect(json.loads(joints.body)["people"] == reference["people"], f"{photo.name}: other joints than the engine's")
    png = stack.pose(photo, "png")
    expect(png.headers["content-type"] == "image/png", f"{photo.name}: {png.headers}")
    same = hashlib.sha256(png.body).hexdigest() == reference["png_sha256"]
    expect(same, f"{photo.name}: another PNG than the engine's")


def check_uploads(stack: Stack, photo: Path, reference: dict[str, Any]) -> None:
    """A photo too big for a direct call comes back with joints, a broken one with its problem."""
    import requests

    answer = stack.through_uploads(photo.read_bytes())
    expect(answer.status == 200, f"uploads: {answer.status} {answer.body[:300]!r}")
    links = json.loads(answer.body)
    trusted = str(stack.cloud.certificate)
    wanted = reference["worker"]
    joints = requests.get(links["json"], timeout=60, verify=trusted).json()
    expect(joints["people"] == wanted["people"], "uploads: other joints than the engine's")
    png = requests.get(links["png"], timeout=60, verify=trusted)
    expect(png.headers["Content-Type"] == "image/png", f"uploads: {png.headers}")
    expect(hashlib.sha256(png.content).hexdigest() == wanted["png_sha256"], "uploads: another PNG than the engine's")
    broken = stack.through_uploads(photo.read_bytes()[:4000])
    expect(broken.status == 422, f"a broken upload: {broken.status} {broken.body[:300]!r}")
    expect(broken.headers["content-type"] == "application/problem+json", f"a broken upload: {broken.headers}")
    unknown = stack.ask("GET", f"{stack.api}/results/{'0' * 32}")
    expect(unknown.status == 404, f"an unknown id: {unknown.status}")
    left = stack.cloud.client("s3").list_objects_v2(Bucket=stack.outputs["PhotoBucketName"], Prefix="uploads/")
    expect(not left.get("Contents"), f"uploads are kept after their result: {left.get('Contents')}")


def check_submit(stack: Stack, photos: list[Path], references: dict[str, Any]) -> str:
    """`hpe submit FOLDER`: a folder with a folder in it, where one photo is broken and the others come back whole."""
    folder, output = WORK / "album", WORK / "album-drawn"
    for old in (folder, output):
        shutil.rmtree(old, ignore_errors=True)
    names = {f"trip/{photo.name}" if at % 2 else photo.name: photo for at, photo in enumerate(photos)}
    for name, photo in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, folder / name)
    (folder / "broken.jpg").write_bytes(photos[0].read_bytes()[:4000])
    # the API's other address in the emulator, since nobody resolves the real one here
    api = f"{stack.cloud.endpoint}/_aws/execute-api/{stack.outputs['HttpApiId']}/$default"
    command = [str(Path(sys.executable).parent / "hpe"), "submit", str(folder), "--api", api, "-o", f"{output}/"]
    command += ["--jobs", "2"]  # each of eight would start a function of its own, on two cores
    env = bare_environment() | {"REQUESTS_CA_BUNDLE": str(stack.cloud.certificate), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=900)
    expect(done.returncode == 1, f"hpe submit ended with {done.returncode}, one photo being broken: {done.stderr}")
    expect("broken.jpg: " in done.stderr, f"hpe submit does not name the broken photo: {done.stderr}")
    told = f"{len(names)} photos done"
    expect(told in done.stderr and "1 failed" in done.stderr, f"hpe submit: {done.stderr}")
    expect(len(done.stdout.splitlines()) == len(names), f"hpe submit: {done.stdout[:500]} {done.stderr}")
    for name, photo in names.items():
        wanted = references[photo.name]["worker"]
        # photos that differ in their suffix alone keep it in their results' names
        stems = [output / Path(name).with_suffix(""), output / name]
        result = next(Path(f"{stem}.pose.json") for stem in stems if Path(f"{stem}.pose.json").exists())
        joints = json.loads(result.read_text())
        expect(joints["people"] == wanted["people"], f"hpe submit, {name}: other joints than the engine's")
        drawn = hashlib.sha256(result.with_suffix(".png").read_bytes()).hexdigest()
        expect(drawn == wanted["png_sha256"], f"hpe submit, {name}: another PNG than the engine's")
    return f"{len(names)} photos, and 1 broken one named"


def check_cors(stack: Stack) -> None:
    """The site's pages may post photos, and no other's."""
    asked = {"access_control_request_method": "POST", "access_control_request_headers": "content-type"}
    ours = stack.ask("OPTIONS", f"{stack.api}/pose", origin=stack.site, **asked)
    expect(ours.headers.get("access-control-allow-origin") == stack.site, f"the site's preflight: {ours}")
    others = stack.ask("OPTIONS", f"{stack.api}/pose", origin="https://elsewhere.example", **asked)
    expect("access-control-allow-origin" not in others.headers, f"another page's preflight: {others}")


def check_site(stack: Stack) -> str:
    """Every file of page and private mode through CloudFront with its type, and the security headers on each."""
    page = stack.ask("GET", f"{stack.site}/")
    expect(page.status == 200 and page.headers["content-type"].startswith("text/html"), f"the site: {page.status}")
    listed = stack.ask("GET", f"{stack.site}/private/files.json")
    expect(listed.status == 200, f"private/files.json: {listed.status} {listed.body[:300]!r}")
    of = json.loads(listed.body)
    expect("missing" not in of, f"private mode: {of.get('missing')}")
    named = {one["url"] for one in of["files"]}
    pages = {path.name for path in (ROOT / "static-site").glob("*.html")}
    expect(pages <= set(of["site"]), f"pages that are not on the site: {pages - set(of['site'])}")
    for name in {*of["site"], *named}:
        answer = stack.ask("GET", f"{stack.site}/{name}")
        expect(answer.status == 200, f"{name} through CloudFront: {answer.status}")
        for header in ("content-security-policy", "strict-transport-security", "x-content-type-options",
                       "x-frame-options", "referrer-policy", "cache-control"):  # fmt: skip
            expect(header in answer.headers, f"{name} through CloudFront: no {header}")
    config = stack.ask("GET", f"{stack.site}/config.js").body.decode()
    expect(stack.api in config, f"config.js does not know the API: {config}")
    plain = stack.ask("GET", f"{stack.site}/", x_forwarded_proto="http")
    expect(plain.status in (301, 200), f"http: {plain.status}")
    return f"{len(of['site'])} files of the pages, {len(named)} of private mode"


def leftovers(cloud: Cloud) -> list[str]:
    """What is still there after `serverless remove`."""
    found = [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
    found += [one["FunctionName"] for one in cloud.client("lambda").list_functions()["Functions"]]
    found += cloud.client("sqs").list_queues().get("QueueUrls", [])
    found += [one["logGroupName"] for one in cloud.client("logs").describe_log_groups()["logGroups"]]
    found += [one["AlarmName"] for one in cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]]
    found += [one["DashboardName"] for one in cloud.client("cloudwatch").list_dashboards()["DashboardEntries"]]
    found += [one["RoleName"] for one in cloud.client("iam").list_roles()["Roles"] if "hpe" in one["RoleName"]]
    found += [one["Name"] for one in cloud.client("apigatewayv2").get_apis()["Items"]]
    found += [one["TopicArn"] for one in cloud.client("sns").list_topics()["Topics"]]
    found += [one["Id"] for one in cloud.client("cloudfront").list_distributions()["DistributionList"].get("Items", [])]
    stacks = cloud.client("cloudformation").list_stacks()["StackSummaries"]
    found += [one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"]
    return found

"""AWS as ministack plays it, with TLS and IAM enforced, on a port of 127.0.0.1; and who asks it for what."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.build_package import ROOT
from deploy.rehearsal.tools import WORK, expect, free_port, run, start, stop, wait_for_port

ACCOUNT: Final = "111122223333"
REGION: Final = "us-east-1"
# What a person's shell may carry on to AWS, and must not here.
_NOT_PASSED: Final = ("AWS_", "HPE_", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "NODE_OPTIONS", "SLS_", "SERVERLESS_")


def bare_environment() -> dict[str, str]:
    """This shell's environment without credentials, regions, endpoints or Python's own variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED)}


@dataclass
class Cloud:
    """A running ministack. port: where it listens. certificate: what it shows. keys: the caller's own."""

    bin: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The one address of every service."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        """The certificate that TLS shows."""
        return WORK / "cloud" / "server.crt"

    @property
    def log(self) -> Path:
        """What ministack writes."""
        return WORK / "cloud" / "ministack.log"

    def __enter__(self) -> "Cloud":
        folder = WORK / "cloud"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "tmp").mkdir(parents=True)
        expect(shutil.which("openssl") is not None, "openssl is missing: apt-get install openssl")
        names = f"DNS:localhost,DNS:*.execute-api.{REGION}.amazonaws.com,DNS:*.cloudfront.net,IP:127.0.0.1"
        run([
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=rehearsal",
            "-keyout", folder / "server.key", "-out", self.certificate, "-addext", f"subjectAltName={names}",
        ])  # fmt: skip
        environment = bare_environment() | {
            "AUTH": "true",
            "USE_SSL": "1",
            "MINISTACK_SSL_CERT": str(self.certificate),
            "MINISTACK_SSL_KEY": str(folder / "server.key"),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": f"{REGION}.amazonaws.com",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "TMPDIR": str(folder / "tmp"),
            "HPE_CACHE_DIR": str(folder / "tmp" / "hpe"),
        }
        with self.log.open("wb") as log:
            self.process = start([self.bin / "ministack"], env=environment, cwd=folder, stdout=log)
        try:
            wait_for_port(self.port, self.process, self.log)
        except BaseException:  # __exit__ is not called where __enter__ fails
            stop(self.process)
            raise
        return self

    def __exit__(self, *reason: object) -> None:
        if self.process is not None:
            stop(self.process)

    def environment(self, key: str = "test", secret: str = "test") -> dict[str, str]:
        """For a client of this cloud: osls, the AWS SDKs, the CLI."""
        return bare_environment() | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": REGION,
            "AWS_CA_BUNDLE": str(self.certificate),
            "NODE_EXTRA_CA_CERTS": str(self.certificate),
            "NODE_NO_WARNINGS": "1",
            "SLS_NOTIFICATIONS_MODE": "off",
        }

    def client(self, service: str, key: str = "test", secret: str = "test", token: str = "") -> Any:
        """A boto3 client of this cloud."""
        import boto3

        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=REGION, verify=str(self.certificate),
            aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token or None,
        )  # fmt: skip

    def deployer(self) -> tuple[str, str]:
        """A user who may do what docs/deploy.md says that a deployer must, and nothing else: (key id, secret)."""
        iam = self.client("iam")
        policy = (ROOT / "deploy" / "deployer-policy.json").read_text()
        arn = iam.create_policy(PolicyName="hpe-deployer", PolicyDocument=policy)["Policy"]["Arn"]
        iam.create_user(UserName="deployer")
        iam.attach_user_policy(UserName="deployer", PolicyArn=arn)
        key = iam.create_access_key(UserName="deployer")["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]


def serverless(command: str, *options: str, env: Mapping[str, str], ok: bool = True) -> str:
    """`npx serverless COMMAND`, without npx: gives what it prints."""
    return run(["node_modules/.bin/serverless", command, *options], env=dict(env), ok=ok)

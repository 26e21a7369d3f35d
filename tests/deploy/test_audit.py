"""deploy.audit: what was looked up and what was not are told apart, and every pin carries its hash."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy import audit

SAFE = {"name": "numpy", "version": "2.4.6", "vulns": []}
UNSAFE = {"name": "pillow", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]}
UNKNOWN = {"name": "isal", "skip_reason": "Dependency not found on PyPI"}


def answering(monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str = "") -> None:
    monkeypatch.setattr(audit, "_run", lambda command: subprocess.CompletedProcess(command, 0, stdout, stderr))


def test_vulnerability_is_told_with_its_remedy() -> None:
    assert audit.sort_findings([SAFE, UNSAFE, UNSAFE, UNKNOWN]) == (2, ["isal"], ["pillow 1.0: CVE-1, mended in: 1.1"])


def test_service_that_knows_nothing_is_no_clean_bill(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, json.dumps({"dependencies": [UNKNOWN]}))
    assert audit.python_findings(Path(), [Path("pins.txt")]) == []
    assert capsys.readouterr().out == "NOT AUDITED: Python: the advisory service does not know isal\n"


@pytest.mark.parametrize("stdout", ["", "not JSON", '{"error": {"summary": "no endpoint"}}'])
def test_service_that_does_not_answer_is_said_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stdout: str
) -> None:
    answering(monkeypatch, stdout, "could not\n  resolve  host\n")
    monkeypatch.setattr(audit.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert audit.python_findings(Path(), [Path("pins.txt")]) == []
    assert audit.npm_findings() == []
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("NOT AUDITED: ") for line in lines)
    assert "resolve host" in lines[0]


def test_npms_findings_are_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answer: dict[str, Any] = {
        "vulnerabilities": {"left-pad": {"severity": "high"}},
        "metadata": {"dependencies": {"total": 7}},
    }
    answering(monkeypatch, json.dumps(answer))
    monkeypatch.setattr(audit.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert audit.npm_findings() == ["npm left-pad: high"]
    assert capsys.readouterr().out == "audited: npm: 7 packages, 1 known vulnerabilities\n"


def test_every_pin_carries_its_hash() -> None:
    def one(name: str) -> dict[str, Any]:
        return {
            "metadata": {"name": name, "version": "1"},
            "download_info": {"archive_info": {"hashes": {"sha256": name[0] * 64}}},
        }

    lines = audit.hashed_pins({"install": [one("numpy"), one("Pillow"), one("isal")]})
    assert [line.split("==")[0] for line in lines] == ["isal", "numpy", "Pillow"]
    assert lines[0] == f"isal==1 --hash=sha256:{'i' * 64}"


def test_tools_of_the_audit_are_pinned() -> None:
    lines = (audit.ROOT / "deploy" / "requirements-audit.txt").read_text().splitlines()
    assert all("==" in line for line in lines if line and not line.startswith("#"))

"""Made-up keys before the real one: they must not hold its containment up."""

from __future__ import annotations

import base64
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.xdist_group("e2e"), pytest.mark.timeout(120)]
GOAL_SECONDS = 10
DECOYS = 200


def _decoy(account: str) -> str:
    """A key that never was: its id names our account."""
    head = ((1 << 47) | (int(account) << 7) | secrets.randbits(7)).to_bytes(6, "big")
    key_id = "AKIA" + base64.b32encode(head + secrets.token_bytes(4)).decode()[:16]
    secret = base64.b64encode(secrets.token_bytes(30)).decode()
    return f"AWS_ACCESS_KEY_ID={key_id}\nAWS_SECRET_ACCESS_KEY={secret}\n" + "\n" * 12


def test_decoys_do_not_hold_up_the_containment_of_the_real_key(
    desk: Any, leaky: Callable[[Path], None]
) -> None:
    lab, leaked = desk.world.lab, desk.world.leaked
    folder = desk.folder / "planted"
    folder.mkdir()
    leaky(folder)
    (folder / "a_decoys.txt").write_text("".join(_decoy(lab.account_id) for _ in range(DECOYS)))
    (folder / "z.sh").write_text(
        f"AWS_ACCESS_KEY_ID={leaked.access_key_id}\nAWS_SECRET_ACCESS_KEY={leaked.secret}\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "stanch", "respond", "planted", "--as", "alice"],
        cwd=desk.folder,
        env=desk.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as command:
        try:
            while command.poll() is None and not lab.calls("UpdateAccessKey", since=desk.since):
                time.sleep(0.1)
        finally:
            command.terminate()
    asked = [call["at"] for call in lab.calls(since=desk.since)]
    (disabled,) = [call["at"] for call in lab.calls("UpdateAccessKey", since=desk.since)]
    assert len(lab.calls("GetAccessKeyLastUsed", since=desk.since)) > DECOYS
    assert disabled - asked[0] < GOAL_SECONDS

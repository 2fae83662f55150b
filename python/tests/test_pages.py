"""The Python on the pages of the guide and in the README runs, and says what stands there."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def write_readme_input(folder):
    """Write the input of the README's ten lines."""
    readme = (ROOT / "README.md").read_text()
    lines = re.search(r"## Ten lines\n\n```sh\n(.*?)\n```", readme, re.DOTALL)[1]
    made = lines[: lines.index("lookback ingest")]
    subprocess.run(["bash", "-euc", made], cwd=folder, check=True)


@pytest.mark.parametrize("page", ["docs/python.md"])
def test_sessions(page, tmp_path, monkeypatch):
    write_readme_input(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = (ROOT / page).read_text()
    sessions = re.findall(r"```pycon\n(.*?)```", text, re.DOTALL)
    assert len(sessions) > 5
    test = doctest.DocTestParser().get_doctest("\n".join(sessions), {}, page, page, 0)
    said = []
    doctest.DocTestRunner().run(test, out=said.append)
    assert not said, "".join(said)


def test_the_readmes_program(tmp_path):
    write_readme_input(tmp_path)
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len([line for line in program.splitlines() if line.strip()]) <= 10
    environment = {**os.environ, "LOOKBACK_TODAY": "2026-03-01"}
    said = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert said.returncode == 0, said.stderr
    assert said.stdout == "torch.Size([2, 1000]) tensor([12, 11,  0,  0]) 1\n"

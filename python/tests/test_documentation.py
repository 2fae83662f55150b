"""The examples of the documentation run, and its functions have the arguments of the command line."""

import doctest
import importlib
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from example import write_example

import lookback

MODULES = ["lookback", *(f"lookback.{module.name}" for module in pkgutil.iter_modules(lookback.__path__))]
MODULES = [name for name in MODULES if name not in ("lookback.__main__", "lookback._native")]


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in MODULES:
        module = importlib.import_module(name)
        for example in finder.find(module, name, globs={"lookback": lookback}):
            if example.examples:
                yield pytest.param(example, id=example.name)


@pytest.mark.parametrize("example", examples())
def test_example(example, tmp_path, monkeypatch):
    write_example(tmp_path)
    monkeypatch.chdir(tmp_path)
    said = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    assert not said, "".join(said)


def test_everything_public_is_documented_with_an_example():
    for name in lookback.__all__:
        documentation = inspect.getdoc(getattr(lookback, name))
        assert documentation, name
        if inspect.isfunction(getattr(lookback, name)):
            assert "Example:" in documentation, name


# What the command line has for people or for its own output, and what variables of the environment say in Python.
ONLY_TYPED = {"json", "help", "version", "retries", "retry-seconds", "request-timeout", "requests-at-once"}
# What only a program can give.
IN_MEMORY = {"sources", "columns", "impressions"}
COMMANDS = [name for name in lookback.__all__ if inspect.isfunction(getattr(lookback, name))]
SHARDS = [f"shards.{name}" for name in lookback.shards.__all__]
# Looking takes a moment: these functions leave out what limits or follows long work.
SHORT = {"init", "status", "show", "explain", "config_check"}


@pytest.mark.parametrize("name", [*COMMANDS, *SHARDS])
def test_a_function_has_the_arguments_of_its_command(name):
    module, name = (lookback.shards, name.split(".")[1]) if name in SHARDS else (lookback, name)
    words = name.split("_") if name == "config_check" else [name.rstrip("_").replace("_", "-")]
    if module is lookback.shards:
        words.insert(0, "shards")
    said = subprocess.run([sys.executable, "-m", "lookback", *words, "--help"], capture_output=True, text=True, check=True)
    typed = set(re.findall(r"^ +(?:-\w, )?--([a-z-]+)", said.stdout, re.MULTILINE)) - ONLY_TYPED
    if name in SHORT and module is lookback:
        typed -= {"memory-limit", "threads"}
    parameters = set(inspect.signature(getattr(module, name)).parameters) - {"progress", "out1", "out2", *IN_MEMORY}
    if "customers" in parameters:
        typed.discard("customer")
    assert {parameter.rstrip("_").replace("_", "-") for parameter in parameters} == typed


def test_each_command_has_a_function():
    said = subprocess.run([sys.executable, "-m", "lookback", "--help"], capture_output=True, text=True, check=True)
    commands = set(re.findall(r"^  ([a-z]+)  +\S", said.stdout, re.MULTILINE)) - {"completions", "man", "help"}
    assert commands == {name.split("_")[0] for name in COMMANDS} | {"shards"}
    said = subprocess.run([sys.executable, "-m", "lookback", "shards", "--help"], capture_output=True, text=True, check=True)
    commands = set(re.findall(r"^  ([a-z]+)  +\S", said.stdout, re.MULTILINE)) - {"help"}
    assert commands == {name.rstrip("_") for name in lookback.shards.__all__}


def test_types_are_those_of_the_stubs(tmp_path):
    # Alone, since the folder of the installed package holds everybody's.
    folder = shutil.copytree(Path(lookback.__file__).parent, tmp_path / "lookback")
    settings = str(Path(__file__).parents[1] / "pyproject.toml")
    for arguments in (["mypy", "--strict", "--config-file", settings, str(folder)], ["mypy.stubtest", "--mypy-config-file", settings, "lookback._native"]):
        said = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=folder.parent)
        assert said.returncode == 0, said.stdout + said.stderr

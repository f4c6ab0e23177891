"""README and docs: the code runs, the links lead somewhere, the commands exist."""
import os
import re
import runpy
import subprocess
import sys

import pytest

from tests.conftest import ROOT, slow
from tf1_autoencoders import run_all
from tf1_autoencoders.sections import trained

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")),
         *sorted((ROOT / "benchmarks").glob("*.md")), ROOT / "tests" / "tf115" / "README.md",
         ROOT / "tests" / "tf241" / "README.md"]
FENCE = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
BLOCKS = [(page, k, block) for page in PAGES
          for k, block in enumerate(FENCE.findall(page.read_text(encoding="utf-8")))]


def makes_a_process(block):
    """Return whether a block runs in a process of its own: the import turns eager execution off there."""
    return "tensorflow1 as tf" in block


@pytest.mark.parametrize("page, k, block", [(slow if makes_a_process(block) else pytest.param)(
    page, k, block, id=f"{page.stem}-{k}") for page, k, block in BLOCKS])
def test_every_python_block_runs(page, k, block, tmp_path, monkeypatch):
    (tmp_path / "checkpoints").symlink_to(ROOT / "checkpoints")  # a reader of the README is in the clone
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trained, "CHECKPOINTS", tmp_path / "none")  # the reader has trained nothing yet
    file = tmp_path / "block.py"
    file.write_text(block, encoding="utf-8")
    if makes_a_process(block):
        subprocess.run([sys.executable, str(file)], check=True, env=dict(os.environ, PYTHONPATH=str(ROOT)))
    else:
        runpy.run_path(str(file))


def test_commands_in_the_readme_are_visible_whole():
    """A page on GitHub shows 98 characters of a line of code, and cuts the rest off."""
    blocks = re.findall(r"^```(?:sh|text)\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) >= 3 and max(map(len, "".join(blocks).splitlines())) <= 98


def anchors(page):
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_to_a_file_or_a_heading(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(file), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_module_that_a_command_names_exists(page):
    for module in re.findall(r"python -m ([\w.]+)", page.read_text(encoding="utf-8")):
        path = ROOT.joinpath(*module.split("."))
        files = (path.with_suffix(".py"), path / "__main__.py")
        assert module in ("venv", "pytest") or any(file.exists() for file in files), f"{page.name}: {module}"


def test_every_option_of_run_all_in_the_pages_exists():
    known = {flag for action in run_all.build_parser()._actions for flag in action.option_strings}
    for page in PAGES:
        for line in re.findall(r"run_all\.py[^\n`]*", page.read_text(encoding="utf-8")):
            for flag in re.findall(r"(?<!\S)(--[\w-]+)", line):
                assert flag in known, f"{page.name}: {line}"

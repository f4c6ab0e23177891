#!/usr/bin/env python3
"""Measure how fast the panels of a page of trained networks answer a move, in Chromium.

    python -m benchmarks.play

A move sets a panel's slider and ends when the browser has painted the next frame; the frame's own 17 ms are part of it.
The CPU time is that of the page's main thread, which other programs on the machine do not change.
"""
from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from tf1_autoencoders.reporting import tables
from tf1_autoencoders.utils import cli

PAGE = Path(__file__).resolve().parent.parent / "docs" / "play.html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PANELS = {"denoise": "strength", "sequence": "time", "codes": "first"}  # panel: the slider that is moved
MOVES = """async ([panel, slider, n]) => {
  const input = document.querySelector(`#${panel} [data-part=${slider}]`), times = [];
  for (let k = 0; k < n; k++) {
    const start = performance.now(), low = Number(input.min || 0), high = Number(input.max || 1);
    input.value = low + (high - low) * ((k * 0.37) % 1);
    input.dispatchEvent(new Event("input"));
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));  // after the panel's own frame
    times.push(performance.now() - start);
  }
  return times;
}"""


def main(argv=None):
    parser = cli.Parser(prog="benchmarks/play.py", description=__doc__)
    parser.add_argument("--page", default=str(PAGE), metavar="FILE", type=cli.path_name,
                        help="the page, as `python -m tf1_autoencoders.play` writes it (default: docs/play.html)")
    parser.add_argument("--rounds", type=cli.whole_number(1), default=5, metavar="R",
                        help="rounds of 40 moves, the first of which is not counted (default: 5)")
    return cli.run_command(parser, measure, argv)


def measure(args):
    """Measure, and print a table with a row for each panel."""
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, BROWSERS)), playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(Path(args.page).resolve().as_uri())
        page.wait_for_selector("body.ready")
        client = page.context.new_cdp_session(page)
        client.send("Performance.enable", {"timeDomain": "threadTicks"})

        def thread_seconds():
            metrics = {entry["name"]: entry["value"] for entry in client.send("Performance.getMetrics")["metrics"]}
            return metrics["TaskDuration"]
        rows = []
        for panel, slider in PANELS.items():
            if not page.locator(f"#{panel}").count():
                continue
            page.locator(f"#{panel}").scroll_into_view_if_needed()
            times, seconds = [], []
            for k in range(args.rounds + 1):
                start = thread_seconds()
                taken = page.evaluate(MOVES, [panel, slider, 40])
                if k:
                    times += taken
                    seconds.append((thread_seconds() - start) / 40)
            rows.append((panel, f"{1000 * np.median(seconds):.1f}", f"{1000 * min(seconds):.1f} to "
                         f"{1000 * max(seconds):.1f}", f"{np.median(times):.1f}", f"{np.quantile(times, 0.95):.1f}"))
        print(*tables.markdown_table(("panel", "CPU, ms a move", "of the rounds", "to the painted frame, ms", "95 %"),
                                     rows), sep="\n")
        print(f"Chromium {browser.version}; medians of {args.rounds} rounds of 40 moves")
        browser.close()


if __name__ == "__main__":
    sys.exit(main())

"""The page in a real browser: no error, no request, nothing that runs, readable in every form."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import triage
from hostile import letters

from fanwise import Job

pytestmark = pytest.mark.browser
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
CONTRAST = """() => {
  const part = v => v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const lum = c => { const [r, g, b] = c.map(part); return .2126 * r + .7152 * g + .0722 * b };
  const rgb = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const paper = rgb(getComputedStyle(document.body).backgroundColor);
  const found = [];
  for (const one of document.querySelectorAll('p, td, th, h1, h2, h3, figcaption, dt, dd, svg text')) {
    const style = getComputedStyle(one), ink = rgb(one.closest('svg') ? style.fill : style.color);
    const [a, b] = [lum(ink), lum(paper)].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) found.push([one.tagName, one.textContent.slice(0, 40)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser(pages: dict[str, Path]) -> Iterator[Any]:
    """Started behind the jobs: its event loop lives in this thread from then on."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "these tests need Chromium: install it, or set CHROMIUM to its path"
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    rows = [{"id": f"t{number}", "subject": "s", "body": "One? " * (1 + number % 3)} for number in range(20)]
    bad = [{"id": f"<img src=x onerror=alert({number})>", "body": "fail" if number % 3 else "x"} for number in range(9)]
    found: dict[str, Path] = {}
    for name, graph, records in (("triage", triage, rows), ("hostile", letters, bad)):
        account = Job(graph, rows=records, out=folder / name, channel="live", baseline="auto").run_sync()
        found[name] = folder / f"{name}.html"
        found[name].write_text(account.html(), encoding="utf-8")
    return found


@pytest.mark.parametrize("name", ["triage", "hostile"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 1200), ("light", 375)])
def test_it_is_whole_and_silent(browser: Any, pages: dict[str, Path], name: str, scheme: str, width: int) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page, said, asked = context.new_page(), list[str](), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages[name].as_uri())
    for one in page.locator("details").all():
        one.locator("summary").click()
    assert said == []
    assert asked == [pages[name].as_uri()], "the page itself and nothing else"
    assert page.title().startswith("fanwise: run"), "nobody has taken it over"
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "no sideways scrolling of the whole page"
    assert page.locator("svg").count() >= 6
    least = page.evaluate(
        "Math.min(...[...document.querySelectorAll('svg text')].filter(t => t.textContent.trim())"
        ".map(t => t.getBoundingClientRect().height))"
    )
    assert least >= 7, "the smallest words of a picture can be read"
    assert page.evaluate(CONTRAST) == []
    context.close()


def test_on_paper_all_rows_are_open_and_nothing_is_cut(browser: Any, pages: dict[str, Path], tmp_path: Path) -> None:
    page = browser.new_page(color_scheme="dark", viewport={"width": 720, "height": 1000})
    page.goto(pages["triage"].as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    heights, rights = (
        page.evaluate(f"[...document.querySelectorAll('{what}')].map(one => one.getBoundingClientRect().{side})")
        for what, side in (("details table", "height"), ("table, svg", "right"))
    )
    assert heights
    assert min(heights) > 20, "what is folded on a screen is open"
    assert max(rights) <= 720
    page.pdf(path=str(tmp_path / "page.pdf"), format="A4")
    assert (tmp_path / "page.pdf").stat().st_size > 20_000

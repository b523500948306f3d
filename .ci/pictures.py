"""Draws the pictures of ``docs/images``: what Kedro-Viz shows of the documented pipelines.

    python .ci/pictures.py            all of them
    python .ci/pictures.py tune.png   some

Needs the extras ``starter``, ``tune`` and Chromium (``CHROMIUM=…``, default: on the path).
The pipelines of a how-to page are those that its Python blocks define; those of the
starter come from a new project in which they have run. Kedro-Viz builds its site, and
Chromium opens it, clicks on the boxes that are to be open, and takes a picture.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from base64 import b64decode
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
STARTER = "starter"

# Space around a drawing, in pixels.
BESIDE, ABOVE = 220, 80
LARGEST = 0.75


@dataclass(frozen=True)
class Picture:
    """A picture of one pipeline.

    Attributes:
        source: A page of ``docs/how-to``, or ``starter``.
        pipeline: The estimator that the page defines, or a pipeline of the starter.
        opened: Boxes to click on, outer ones first; ``("*",)`` opens all.
        width: Of the picture, in pixels.
    """

    source: str
    pipeline: str
    opened: tuple[str, ...] = ()
    width: int = 1100


PICTURES = {
    "starter.png": Picture(STARTER, "__default__"),
    "starter-tune.png": Picture(STARTER, "tune", ("outer",), 2200),
    "starter-tune-open.png": Picture(STARTER, "tune", ("*",), 2200),
    "starter-pseudolabel.png": Picture(STARTER, "pseudolabel", ("semi",), 2200),
    "starter-pseudolabel-open.png": Picture(STARTER, "pseudolabel", ("*",), 1900),
    "cross-validate.png": Picture("cross-validate", "cv", ("cv", "cv.fold_0")),
    "tune.png": Picture("tune", "quick", ("quick", "quick.round_0"), 1600),
    "pseudolabel.png": Picture("pseudolabel", "careful", ("own", "own.round_1")),
    "stack.png": Picture("stack", "both", ("stack",)),
    "calibrate.png": Picture("calibrate", "calibrated"),
    "map-over.png": Picture("map-over", "areas", ("area",)),
}

# Kedro-Viz reads its settings from the browser: light, and nothing beside the drawing.
OPENING = """<script>
const off = Object.fromEntries(["globalNavigation", "sidebar", "miniMap", "exportBtn",
  "expandPipelinesBtn", "labelBtn", "layerBtn", "orientationBtn", "zoomToolbar",
  "metadataPanel", "filterBtn"].map(name => [name, false]));
localStorage.setItem("KedroViz", JSON.stringify({theme: "light", display: off,
  showFeatureHints: false, visible: {sidebar: false, miniMap: false, graph: true}}));
location.replace("/" + location.search);
</script>"""

# A page's pipelines are registered by the project that Kedro-Viz reads.
REGISTRY = """
    import re, sys
    from pathlib import Path
    from types import ModuleType

    PAGES = {pages!r}


    def register_pipelines():
        found = {{}}
        for page, names in PAGES.items():
            text = Path({how_to!r}, page + ".md").read_text("utf-8")
            module = ModuleType("page")
            sys.modules["page"] = module
            for code in re.findall(r"^```python\\n(.*?)^```", text, re.M | re.S):
                if all(name in vars(module) for name in names):
                    break
                exec(code, vars(module))
            found |= {{f"{{page}}.{{n}}": getattr(module, n).train for n in names}}
        return found | {{"__default__": next(iter(found.values()))}}
    """


def main() -> None:
    """Draw the pictures that were asked for."""
    chosen = sys.argv[1:] or list(PICTURES)
    if unknown := set(chosen) - set(PICTURES):
        sys.exit(f"pictures: expected some of {list(PICTURES)}, got {sorted(unknown)}")
    wanted = {name: PICTURES[name] for name in chosen}
    with tempfile.TemporaryDirectory() as folder:
        of_starter = {n: p for n, p in wanted.items() if p.source == STARTER}
        of_pages = {n: p for n, p in wanted.items() if p.source != STARTER}
        if of_starter:
            names = {picture.pipeline for picture in of_starter.values()}
            take_all(starter_project(Path(folder), names), of_starter)
        if of_pages:
            take_all(pages_project(Path(folder, "pages"), of_pages), of_pages)


def starter_project(folder: Path, pipelines: set[str]) -> Path:
    """Make a project of the starter and run the pipelines in it."""
    kedro("new", "--starter=rats", "--name=Penguins", "--telemetry=no", cwd=folder)
    for pipeline in sorted(pipelines):
        kedro("run", f"--pipelines={pipeline}", cwd=folder / "penguins")
    return folder / "penguins"


def pages_project(folder: Path, pictures: dict[str, Picture]) -> Path:
    """Make a project whose pipelines are those of pages."""
    pages: dict[str, list[str]] = {}
    for picture in pictures.values():
        pages.setdefault(picture.source, []).append(picture.pipeline)
    registry = textwrap.dedent(REGISTRY).format(
        pages=pages, how_to=str(ROOT / "docs" / "how-to")
    )
    files = {
        "pyproject.toml": '[tool.kedro]\npackage_name = "pages"\nproject_name = "pages"\n'
        'kedro_init_version = "1.0.0"\nsource_dir = "src"\n',
        "src/pages/__init__.py": "",
        "src/pages/settings.py": "",
        "src/pages/pipeline_registry.py": registry,
        "conf/base/catalog.yml": "",
        "conf/base/parameters.yml": "clf: {}\nridge: {}\n",
        "conf/local/.gitkeep": "",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def kedro(*arguments: str, cwd: Path) -> str:
    """Run Kedro, and return what it says; if it fails, so does the script."""
    print("kedro", *arguments, flush=True)
    environment = {**os.environ, "DO_NOT_TRACK": "1", "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-m", "kedro", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"pictures: kedro {arguments[0]} failed\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def take_all(project: Path, pictures: dict[str, Picture]) -> None:
    """Build the site of a project, and take pictures of it."""
    said = kedro("viz", "build", "--include-previews", cwd=project)
    if not (project / "build" / "index.html").exists():
        sys.exit(f"pictures: Kedro-Viz built nothing\n{said}")
    (project / "build" / "opening.html").write_text(OPENING)
    with served(project / "build") as address, Browser.started() as browser:
        for name, picture in pictures.items():
            pid = picture.pipeline
            if picture.source != STARTER:
                pid = f"{picture.source}.{pid}"
            path = IMAGES / name
            path.write_bytes(
                take(browser, f"{address}/opening.html?pid={pid}", picture)
            )
            print(
                f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB",
                flush=True,
            )


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on a free port."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def take(browser: Browser, url: str, picture: Picture) -> bytes:
    """Return a PNG of the drawing, without empty margins."""
    is_open = picture.opened == ("*",)
    browser.resize(picture.width, 900)
    browser.go(f"{url}&expandAllPipelines=true" if is_open else url)
    browser.wait_until_drawn()
    for box in () if is_open else picture.opened:
        browser.click_box(box)
    # The drawing is fitted into the window: give it the shape of the drawing. On the left
    # are the names of layers.
    width, height = browser.size_of_drawing()
    scale = min(LARGEST, (picture.width - BESIDE) / width)
    browser.resize(round(width * scale) + BESIDE, round(height * scale) + ABOVE)
    browser.wait_until_drawn()
    return browser.screenshot()


class Browser:
    """Chromium, told what to do through two pipes by its DevTools protocol."""

    def __init__(self, to: int, answers: int) -> None:
        self._to, self._answers, self._read = to, answers, b""
        self._asked, self._session = 0, ""
        found = self.ask("Target.createTarget", url="about:blank")
        opened = self.ask(
            "Target.attachToTarget", targetId=found["targetId"], flatten=True
        )
        self._session = opened["sessionId"]

    @classmethod
    @contextlib.contextmanager
    def started(cls) -> Iterator[Browser]:
        """Start Chromium; it is gone with the block."""
        program = os.environ.get("CHROMIUM") or shutil.which("chromium")
        if program is None:
            sys.exit("pictures: expected chromium on the path, got none. Set CHROMIUM.")
        asks, to = os.pipe()
        answers, back = os.pipe()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            # It reads from 3 and writes to 4.
            command = (
                f'exec "$0" --headless=new --no-sandbox --disable-gpu --hide-scrollbars '
                f'--remote-debugging-pipe --user-data-dir="$1" 3<&{asks} 4>&{back}'
            )
            process = subprocess.Popen(
                ["bash", "-c", command, program, profile],
                pass_fds=(asks, back),
                stderr=subprocess.DEVNULL,
            )
            os.close(asks)
            os.close(back)
            try:
                yield cls(to, answers)
            finally:
                process.terminate()
                process.wait()

    def ask(self, method: str, **params: Any) -> Any:
        """Call a method of the protocol, and return its result."""
        self._asked += 1
        asked: dict[str, Any] = {"id": self._asked, "method": method, "params": params}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._to, json.dumps(asked).encode() + b"\0")
        while True:
            while b"\0" not in self._read:
                self._read += os.read(self._answers, 1 << 16)
            answer, _, self._read = self._read.partition(b"\0")
            told = json.loads(answer)
            if told.get("id") == self._asked:
                if "error" in told:
                    sys.exit(f"pictures: {method}: {told['error']['message']}")
                return told["result"]

    def value(self, script: str) -> Any:
        """Return the value of a script in the page."""
        result = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        return result["result"].get("value")

    def go(self, url: str) -> None:
        """Open a page."""
        self.ask("Page.navigate", url=url)

    def resize(self, width: int, height: int) -> None:
        """Give the window a size."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def wait_until_drawn(self) -> None:
        """Wait until the drawing does not change any more."""
        end, seen, same = time.monotonic() + 180, None, 0
        while same < 6:
            if time.monotonic() > end:
                sys.exit("pictures: nothing was drawn in three minutes")
            time.sleep(0.5)
            now = self.value(
                """(() => {
                  const nodes = [...document.querySelectorAll(".pipeline-node")];
                  const zoom = document.querySelector("#zoom-wrapper");
                  const places = [zoom, ...nodes].map(n => n?.getAttribute("transform"));
                  return nodes.length ? places.join() : "";
                })()"""
            )
            same = same + 1 if now and now == seen else 0
            seen = now

    def click_box(self, box: str) -> None:
        """Open a box."""
        clicked = self.value(
            f"""(() => {{
              const box = document.querySelector('.pipeline-node[data-id="{box}"]');
              box?.dispatchEvent(new MouseEvent("click", {{bubbles: true}}));
              return Boolean(box);
            }})()"""
        )
        if not clicked:
            sys.exit(f"pictures: expected a box {box!r}, got none")
        self.wait_until_drawn()

    def size_of_drawing(self) -> tuple[float, float]:
        """Return width and height of what is drawn."""
        box = self.value(
            """(() => {
              const nodes = document.querySelector(".pipeline-flowchart__nodes");
              const box = nodes.getBBox();
              return [box.width, box.height];
            })()"""
        )
        return box[0], box[1]

    def screenshot(self) -> bytes:
        """Return what the window shows, as PNG with few colours: a third of the size."""
        taken = b64decode(self.ask("Page.captureScreenshot", format="png")["data"])
        small = io.BytesIO()
        Image.open(io.BytesIO(taken)).convert("RGB").quantize(16).save(
            small, "PNG", optimize=True
        )
        return small.getvalue()


if __name__ == "__main__":
    main()

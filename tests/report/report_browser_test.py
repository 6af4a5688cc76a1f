#!/usr/bin/env python3
"""Reports in a real browser, headless Chromium: no error on the console, nothing wider than the window on phone,
desktop and paper, light and dark paint something readable, and a PDF comes out. Ends with 77 without one."""

import html
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import report_fixture
from fault_injection import SKIPPED, memory_directory

BROWSER = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
# Paper is measured by its style rules at the width of A4 between its margins.
WIDTHS = {"phone": 390, "desktop": 1280, "paper": 687}
# Says of each frame how wide its content is, and what sticks out of its cards or of the window; what scrolls in a box
# of its own does not count. Words of pictures must lie within them, too.
MEASURE = """<script>
const found = {};
addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, width = frame.clientWidth, out = [];
    // On paper nothing scrolls.
    const clipped = element => !frame.id.endsWith("paper") && element.closest(".scroll") && !element.classList.contains("scroll");
    for (const element of page.querySelectorAll("body *")) {
      const box = element.getBoundingClientRect();
      if (box.width && (box.right > width + 0.5 || box.left < -0.5) && !clipped(element))
        out.push(element.tagName + "." + element.getAttribute("class") + " " + box.left + " " + box.right);
    }
    for (const words of page.querySelectorAll("figure > svg text")) {
      const box = words.getBoundingClientRect(), card = words.closest("figure").getBoundingClientRect();
      if (box.left < card.left || box.right > card.right) out.push("words " + words.textContent);
    }
    found[frame.id] = {width: page.documentElement.scrollWidth, out,
                       figures: page.querySelectorAll("figure").length,
                       text: page.body.innerText.length,
                       smallest: Math.min(...[...page.querySelectorAll("svg text")].map(words =>
                         words.getBoundingClientRect().height))};
  }
  document.body.innerHTML = "<pre id=found></pre>";
  document.getElementById("found").textContent = "<<" + JSON.stringify(found) + ">>";
});
</script>"""


def harness(pages):
    """A page that holds the reports at each width, and measures them."""
    frames = ""
    for name, page in pages.items():
        paper = page.replace("@media print{", "@media all{")
        for where, width in WIDTHS.items():
            frames += (f'<iframe id="{name} {where}" style="border:0;width:{width}px;height:2000px" '
                       f'srcdoc="{html.escape(paper if where == "paper" else page)}"></iframe>')
    return f'<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,"><body>{MEASURE}{frames}</body>'


def pixels(path):
    """Width, rows of RGB bytes of a PNG as Chromium writes it."""
    data, at, body = path.read_bytes(), 8, b""
    width, height, depth, color = struct.unpack(">IIBB", data[16:26])
    assert (depth, color) in ((8, 2), (8, 6))
    size = 3 if color == 2 else 4
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    raw, stride, rows, before = zlib.decompress(body), width * size, [], bytearray(width * size)
    for y in range(height):
        kind, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride):
            left = line[x - size] if x >= size else 0
            above, corner = before[x], before[x - size] if x >= size else 0
            if kind == 1:
                line[x] = (line[x] + left) & 255
            elif kind == 2:
                line[x] = (line[x] + above) & 255
            elif kind == 3:
                line[x] = (line[x] + (left + above) // 2) & 255
            elif kind == 4:
                guess = left + above - corner
                nearest = min((left, above, corner), key=lambda value: abs(guess - value))
                line[x] = (line[x] + nearest) & 255
        rows.append(bytes(line))
        before = line
    return size, rows


class BrowserTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="sluice-report-", dir=memory_directory())
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.pages = {}
        for name, make in (("numbers", report_fixture.make_numbers), ("classes", report_fixture.make_classes)):
            campaign = make(cls.folder / name / "c")
            campaign.succeed(name)
            cls.pages[name] = report_fixture.report(campaign)[1]
        fresh = report_fixture.make_numbers(cls.folder / "fresh" / "c")
        cls.pages["fresh"] = report_fixture.report(fresh)[1]

    def browser(self, page, *options):
        """What Chromium printed on stdout and stderr of a page."""
        path = self.folder / "look.html"
        path.write_text(page, encoding="utf-8")
        words = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                 "--disable-dev-shm-usage", f"--user-data-dir={self.folder}/profile", "--enable-logging=stderr",
                 *options, path.as_uri()]
        result = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False, timeout=60,
                                env=dict(os.environ, HOME=str(self.folder)))
        self.assertEqual(result.returncode, 0, result.stderr[-2000:])
        return result

    def measure(self, pages):
        result = self.browser(harness(pages), "--dump-dom", "--window-size=1400,1000")
        found = json.loads(html.unescape(re.search("(?s)&lt;&lt;(.*)&gt;&gt;", result.stdout).group(1)))
        return found, [line for line in result.stderr.splitlines() if "CONSOLE" in line]

    def test_nothing_sticks_out_and_no_errors(self):
        found, errors = self.measure(self.pages)
        self.assertEqual(errors, [])
        self.assertEqual(len(found), 9)
        for name, frame in found.items():
            self.assertEqual(frame["out"], [], name)
            self.assertLessEqual(frame["width"], WIDTHS[name.split()[1]], name)
            self.assertGreater(frame["figures"], 2 if name.startswith("fresh") else 14, name)
            self.assertGreater(frame["smallest"], 9.5, f"{name}: words too small to read")

    def test_the_measure_can_fail(self):
        broken = self.pages["fresh"].replace(
            "<footer>", '<div style="width:1500px">wide</div><script>console.error("planted")</script><footer>')
        found, errors = self.measure({"broken": broken})
        for name, frame in found.items():
            self.assertEqual(len(frame["out"]), 1, name)
        self.assertEqual(len(errors), 3)
        self.assertIn("planted", errors[0])

    def test_light_and_dark(self):
        grounds = []
        for scheme in (1, 0):
            picture = self.folder / f"scheme{scheme}.png"
            self.browser(self.pages["classes"], f"--screenshot={picture}", "--window-size=520,200",
                         f"--blink-settings=preferredColorScheme={scheme}")
            size, rows = pixels(picture)
            colours = {}
            for row in rows:
                for x in range(0, len(row), size):
                    colours[row[x:x + 3]] = colours.get(row[x:x + 3], 0) + 1
            grounds.append(sum(max(colours, key=colours.get)) / 3)
            self.assertGreater(len(colours), 20)
            darkest, lightest = (pick(sum(colour) / 3 for colour in colours) for pick in (min, max))
            self.assertGreater(lightest - darkest, 180)
        self.assertGreater(grounds[0], 240)
        self.assertLess(grounds[1], 40)

    def test_prints(self):
        out = self.folder / "page.pdf"
        self.browser(self.pages["numbers"], f"--print-to-pdf={out}", "--no-pdf-header-footer")
        data = out.read_bytes()
        self.assertTrue(data.startswith(b"%PDF-"))
        self.assertIn(len(re.findall(rb"/Type\s*/Page\b", data)), range(3, 12))


if __name__ == "__main__":
    if BROWSER is None:
        print("skipped: there is no Chromium here; scripts/install_dependencies.sh test installs it")
        sys.exit(SKIPPED)
    unittest.main()

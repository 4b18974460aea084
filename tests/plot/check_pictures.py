#!/usr/bin/env python3
"""Looks at what lbann-plot draws: rendered pages are not empty, axes are labelled, curves are where the data are.

    check_pictures.py BIN [PAGE]     PAGE: only the HTML page, in a headless Chromium (exit 77 without it)

Judges: xmllint and rsvg-convert for SVG, pngcheck for PNG, pdftotext and pdftoppm for PDF, Chromium
for HTML. The log is made here, so every position is known: on a linear axis the pixel of a value is an affine
function of it, fixed by the smallest and the largest value of the curve; all others must then be within two pixels.
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

BIN = sys.argv[1]
BLUE, VERMILION = (0, 114, 178), (213, 94, 0)
# Values whose extremes are not at the ends, so that nothing can be mirrored or shifted unseen.
TRAINING = [55, 62, 50, 70, 76, 74, 83, 90, 88]
VALIDATION = [40, 46, 60, None, 66, 58, 72, 69, 78]


class Image:
    """The pixels of a PNG of 8 bits per channel."""

    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        assert data[:8] == b"\x89PNG\r\n\x1a\n", path
        packed, palette, at = b"", b"", 8
        while at < len(data):
            size, kind = struct.unpack(">I4s", data[at:at + 8])
            body = data[at + 8:at + 8 + size]
            if kind == b"IHDR":
                width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", body)
                assert depth == 8 and not interlaced, (depth, interlaced)
            elif kind == b"PLTE":
                palette = body
            elif kind == b"IDAT":
                packed += body
            at += size + 12
        self.size = width, height
        n = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
        raw, before, self.rows = zlib.decompress(packed), bytearray(width * n), []
        for y in range(height):
            start = y * (width * n + 1)
            row = self.unfiltered(raw[start], bytearray(raw[start + 1:start + 1 + width * n]), before, n)
            before = row
            if color == 3:
                row = b"".join(palette[3 * i:3 * i + 3] for i in row)
            step = 3 if color == 3 else n
            gray = color in (0, 4)
            self.rows.append([(row[i],) * 3 if gray else tuple(row[i:i + 3]) for i in range(0, len(row), step)])

    @staticmethod
    def unfiltered(kind, row, up, n):
        for i in range(len(row) if kind else 0):
            a, b, c = (row[i - n] if i >= n else 0), up[i], (up[i - n] if i >= n else 0)
            if kind == 4:
                p = a + b - c
                guess = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            else:
                guess = (0, a, b, (a + b) // 2)[kind]
            row[i] = (row[i] + guess) & 255
        return row

    def colors(self):
        return {pixel for row in self.rows for pixel in row}


def run(*words, stdin=None):
    done = subprocess.run(words, input=stdin, capture_output=True, timeout=120)
    assert done.returncode == 0, (words, done.returncode, done.stderr[-2000:])
    return done.stdout


def log_text():
    lines = []
    for epoch, (t, v) in enumerate(zip(TRAINING, VALIDATION)):
        lines.append(f"m (instance 0) training epoch {epoch} accuracy : {t}%\n")
        lines.append(f"m (instance 0) validation accuracy : {'nan' if v is None else v}%\n")
    return "".join(lines)


def is_near(pixel, color):
    return sum(abs(a - b) for a, b in zip(pixel, color)) < 60


def pixels_of(image, color, left=0, top=0, bottom=45):
    """x -> the y of the pixels of that colour; without the strip of the legend, `bottom` rows high."""
    columns = {}
    for y in range(top, image.size[1] - bottom):
        for x in range(left, image.size[0]):
            if is_near(image.rows[y][x], color):
                columns.setdefault(x, []).append(y)
    return columns


def check_curve(image, color, values, x_of_epoch=None):
    columns = pixels_of(image, color)
    assert len(columns) > 100, f"{color}: only {len(columns)} columns of the picture have it"
    left, right = min(columns), max(columns)
    # Markers are some pixels wide: their middles are the first and the last place.
    marker = 3
    x_of = lambda epoch: left + marker + (right - left - 2 * marker) * epoch / (len(values) - 1)

    def y_at(epoch):
        near = [y for x in range(round(x_of(epoch)) - 1, round(x_of(epoch)) + 2) for y in columns.get(x, [])]
        assert near, f"no pixel of {color} at epoch {epoch}"
        return (min(near) + max(near)) / 2

    known = [e for e, v in enumerate(values) if v is not None]
    low, high = min(known, key=lambda e: values[e]), max(known, key=lambda e: values[e])
    y_low, y_high = y_at(low), y_at(high)
    assert y_low - y_high > 100, "the curve is flat"
    for e in known:
        expected = y_low + (y_high - y_low) * (values[e] - values[low]) / (values[high] - values[low])
        assert abs(y_at(e) - expected) <= 4, f"epoch {e}: pixel row {y_at(e)}, expected {expected}"
    for e, v in enumerate(values):
        if v is None:
            gap = [x for x in range(round(x_of(e - 1)) + 8, round(x_of(e + 1)) - 8) if x in columns]
            assert not gap, f"the curve does not break at epoch {e}: {gap[:5]}"


def check_image(image, what):
    check_curve(image, BLUE, TRAINING)
    check_curve(image, VERMILION, VALIDATION)
    # The legend is below, where no curve is: its line samples have the colours there.
    height = image.size[1]
    strip = {pixel for row in image.rows[height - 40:] for pixel in row}
    for color in (BLUE, VERMILION):
        assert any(is_near(pixel, color) for pixel in strip), f"{what}: no legend of {color}"
    print(f"{what}: curves where the data are")


def check_pictures(folder):
    log = os.path.join(folder, "run.log")
    with open(log, "w", encoding="utf-8") as file:
        file.write(log_text())
    plot = os.path.join(BIN, "lbann-plot")
    out = lambda name: os.path.join(folder, name)
    for name in ("a.svg", "a.png", "a.pdf", "again.svg", "again.png"):
        run(plot, log, "-o", out(name), "--size=560x420", "--title", "A <title> & 'quotes'")
    for a, b in (("a.svg", "again.svg"), ("a.png", "again.png")):
        with open(out(a), "rb") as x, open(out(b), "rb") as y:
            assert x.read() == y.read(), f"{a} differs from run to run"

    run("pngcheck", "-q", out("a.png"))
    check_image(Image(out("a.png")), "PNG")

    run("xmllint", "--noout", out("a.svg"))
    with open(out("a.svg"), encoding="utf-8") as file:
        svg = file.read()
    words = [re.sub("<[^>]*>", "", t) for t in re.findall(r"<text>(.*?)</text>", svg)]
    for word in ("epoch", "accuracy [%]", "training", "validation", "A &lt;title> &amp; 'quotes'", "40", "90", "8"):
        assert word in words, (word, words)
    run("rsvg-convert", "-o", out("b.png"), out("a.svg"))
    check_image(Image(out("b.png")), "SVG")

    text = run("pdftotext", out("a.pdf"), "-").decode()
    for word in ("epoch", "accuracy [%]", "training", "validation"):
        assert word in text, (word, text)
    run("pdftoppm", "-png", "-r", "96", "-singlefile", out("a.pdf"), out("c"))
    check_image(Image(out("c.png")), "PDF")

    # Several panels, smoothing, bands, logarithmic axes, a curve without values: all render.
    many = "".join(f"m (instance {t}) training epoch {e} {name} : {value}\n" for t in range(3) for e in range(30)
                   for name, value in (("loss", 2.0 / (e + t + 1)), ("a b's", e), ("top-5", "nan"), ("zero", 0)))
    for words in (["--group=trainers"], ["--log-y"], ["--smooth=0.9", "--log-x"], ["--size=300x200"]):
        png = run(plot, "-", "--format=png", "--size=400x300", *words, stdin=many.encode())
        with open(out("d.png"), "wb") as file:
            file.write(png)
        run("pngcheck", "-q", out("d.png"))
        image = Image(out("d.png"))
        assert len(image.colors()) > 20, words
        if words == ["--size=300x200"]:
            assert image.size == (300, 200), image.size
    print("other forms: rendered")


def check_page(folder):
    log, page, shot = (os.path.join(folder, name) for name in ("run.log", "page.html", "page.png"))
    with open(log, "w", encoding="utf-8") as file:
        file.write(log_text())
    run(os.path.join(BIN, "lbann-plot"), log, "-o", page, "--title", "</script><b>title")
    with open(page, encoding="utf-8") as file:
        text = file.read()
    outside = re.findall(r"(?:src|href)\s*=\s*[\"'](?!data:)[^\"'#]|url\(|@import|\bfetch\(|sourceMappingURL", text)
    assert not outside, outside
    # A second page adds a script that uses the controls: one curve off, zoom, then tells what it sees.
    probe = """<script>
    var g = lbann_graphs()[0], before = g.visibility().slice();
    document.querySelectorAll('#curves input')[0].click();
    g = lbann_graphs()[0];
    g.updateOptions({dateWindow: [2, 4]});
    g.setSelection(1);
    document.title = JSON.stringify({before: before, after: g.visibility(), zoom: g.xAxisRange(),
      rows: g.numRows(), value: document.querySelector('.values').textContent, labels: g.getLabels()});
    </script></body>"""
    probed = os.path.join(folder, "probed.html")
    with open(probed, "w", encoding="utf-8") as file:
        file.write(text.replace("</body>", probe))
    browser = [shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               "--user-data-dir=" + os.path.join(folder, "profile"), "--host-resolver-rules=MAP * ~NOTFOUND",
               "--window-size=800,700", "--hide-scrollbars", "--virtual-time-budget=2000"]
    dom = run(*browser, "--dump-dom", "file://" + probed).decode()
    told = re.search(r"<title>(.*?)</title>", dom, re.S).group(1)
    assert '"before":[true,true]' in told and '"after":[false,true]' in told, told
    assert '"zoom":[2,4]' in told and f'"rows":{len(TRAINING)}' in told, told
    assert '"labels":["x","training","validation"]' in told, told
    assert re.search(r"validation: *" + str(VALIDATION[1]), told), told
    for word in ("epoch", "accuracy [%]"):
        assert re.search(r"dygraph-label[^>]*>\s*" + re.escape(word), dom), word
    labels = re.findall(r"dygraph-axis-label[^>]*>([^<]*)<", dom)
    assert len(labels) >= 6, labels
    assert "&lt;/script&gt;&lt;b&gt;title" in dom

    run(*browser, "--screenshot=" + shot, "file://" + page)
    image = Image(shot)
    # Below the controls and above the values.
    columns = pixels_of(image, BLUE, left=90, top=80, bottom=image.size[1] - 365)
    left, right = min(columns), max(columns)
    assert right - left > 400, (left, right)
    top = {x: sum(ys) / len(ys) for x, ys in columns.items()}
    at = lambda e: top[min(top, key=lambda x: abs(x - (left + 3 + (right - left - 6) * e / (len(TRAINING) - 1))))]
    low, high = TRAINING.index(min(TRAINING)), TRAINING.index(max(TRAINING))
    for e, v in enumerate(TRAINING):
        expected = at(low) + (at(high) - at(low)) * (v - TRAINING[low]) / (TRAINING[high] - TRAINING[low])
        assert abs(at(e) - expected) <= 5, (e, at(e), expected)
    print("HTML: axes labelled, curves where the data are, switches and zoom work")


def main():
    page_only = sys.argv[2:] == ["PAGE"]
    needed = ["chromium"] if page_only else ["gnuplot", "xmllint", "rsvg-convert", "pngcheck", "pdftotext", "pdftoppm"]
    missing = [name for name in needed if not shutil.which(name)]
    if missing:
        print("skipped: not installed:", ", ".join(missing))
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="lbann-pictures-") as folder:
        (check_page if page_only else check_pictures)(folder)


main()

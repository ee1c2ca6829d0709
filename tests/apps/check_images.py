# SPDX-License-Identifier: MIT
"""Writes the images of images.sh with PIL, and compares what popflow reads and writes with PIL.

Usage: check_images.py make|check|predicted|report FOLDER
"""
import base64
import csv
import io
import pathlib
import re
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps

command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
SIZE = (21, 13)  # width and height
LOSSLESS = {"rgb", "grey", "palette", "one_bit", "interlaced"}
BLENDED = {"rgba", "grey_alpha", "palette_alpha", "wide_alpha"}


def picture():
    """Returns a smooth picture with some noise. Shape [height, width, 3]."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]] / max(SIZE)
    noise = np.random.default_rng(5).integers(0, 20, size=(SIZE[1], SIZE[0], 3))
    return np.clip(np.stack([255 * x, 200 * y + 30, 220 - 180 * x * y], axis=2) + noise, 0, 255).astype(np.uint8)


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, bits, colour_type, raw):
    """Returns a PNG file of rows with their filters."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(raw)) + png_chunk(b"IEND", b"")


def wide(channels):
    """Returns values of 16 bits. Shape [height, width, channels]."""
    return np.random.default_rng(channels).integers(0, 65536, size=(SIZE[1], SIZE[0], channels)).astype(">u2")


def make():
    kinds, bad = folder / "kinds", folder / "bad"
    kinds.mkdir()
    bad.mkdir()
    rgb = Image.fromarray(picture())
    opacity = Image.fromarray(np.roll(picture()[:, :, 0], 7))
    rgb.save(kinds / "rgb.png")
    rgb.convert("L").save(kinds / "grey.png")
    rgb.convert("1").save(kinds / "one_bit.png")
    rgb.quantize(16).save(kinds / "palette.png")
    rgba = rgb.copy()
    rgba.putalpha(opacity)
    rgba.save(kinds / "rgba.png")
    rgba.convert("LA").save(kinds / "grey_alpha.png")
    rgb.quantize(16).save(kinds / "palette_alpha.png", transparency=bytes(range(0, 160, 10)))
    for channels, colour_type in ((3, 2), (4, 6)):
        rows = b"".join(b"\0" + row.tobytes() for row in wide(channels))
        name = "wide.png" if channels == 3 else "wide_alpha.png"
        (kinds / name).write_bytes(png(*SIZE, 16, colour_type, rows))
    # PIL writes no interlaced files. The seven passes are the picture, each pixel in one of them.
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b""
    for x, y, dx, dy in passes:
        part = picture()[y::dy, x::dx]
        rows += b"".join(b"\0" + row.tobytes() for row in part) if part.shape[1] else b""
    interlaced = bytearray(png(*SIZE, 8, 2, rows))
    interlaced[28] = 1
    interlaced[29:33] = struct.pack(">I", zlib.crc32(bytes(interlaced[12:29])))
    (kinds / "interlaced.png").write_bytes(interlaced)
    rgb.save(kinds / "baseline.jpg", quality=90)
    rgb.save(kinds / "progressive.jpeg", quality=80, progressive=True)
    rgb.save(kinds / "full.jpg", quality=75, subsampling=0)
    rgb.convert("L").save(kinds / "grey_jpeg.jpg")
    rgb.convert("CMYK").save(kinds / "cmyk.jpg", quality=95)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        rgb.save(kinds / f"turned{orientation}.{'jpg' if orientation % 2 else 'png'}", exif=exif)

    data = (kinds / "rgb.png").read_bytes()
    (bad / "cut.png").write_bytes(data[:-100])
    at = data.index(b"IEND") - 5  # last byte of the CRC of IDAT
    (bad / "crc.png").write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    (bad / "huge.png").write_bytes(png(60000, 60000, 8, 2, b"\0" * 1000))
    (bad / "gif.png").write_bytes(b"GIF89a and more")
    (bad / "cut.jpg").write_bytes((kinds / "baseline.jpg").read_bytes()[:-40])
    (bad / "cut_progressive.jpg").write_bytes((kinds / "progressive.jpeg").read_bytes()[:-40])
    (folder / "cells.csv").write_text("a,b\n1,2\n")
    (folder / "mixed.csv").write_text("file,who\nkinds/rgb.png,x\ncells.csv,y\n")
    (folder / "twice.csv").write_text("file,image\nkinds/rgb.png,a\nkinds/grey.png,a\n")
    (folder / "taken.csv").write_text("file,width\nkinds/rgb.png,3\n")
    import anndata

    anndata.AnnData(np.ones((2, 1), np.float32)).write_h5ad(folder / "table.h5ad")


def expected(path):
    """Returns the picture as PIL reads it, in [0, 1], and the largest difference from popflow."""
    if path.stem == "wide":
        return wide(3) / 65535, 1e-7
    if path.stem == "wide_alpha":
        values = wide(4) / 65535
        return 1 - values[:, :, 3:] * (1 - values[:, :, :3]), 1e-6
    image = ImageOps.exif_transpose(Image.open(path))
    if path.stem in BLENDED:
        values = np.asarray(image.convert("RGBA"), dtype=float) / 255
        return 1 - values[:, :, 3:] * (1 - values[:, :, :3]), 1e-6
    # PIL rounds what it makes of inks to 8 bits.
    return np.asarray(image.convert("RGB"), dtype=float) / 255, 1.01 / 255 if path.stem == "cmyk" else 1e-7


def cells_of(data, image):
    """Returns the cells of an image as a picture."""
    cells = data[data.obs["image"] == image]
    width, height = cells.obs["width"].iloc[0], cells.obs["height"].iloc[0]
    assert len(cells) == width * height, cells
    values = np.full((height, width, 3), np.nan)
    values[cells.obs["y"], cells.obs["x"]] = cells.X
    return values


def check():
    import anndata

    read = lambda name: anndata.read_h5ad(folder / name)
    kinds = read("kinds.h5ad")
    assert list(kinds.var_names) == ["red", "green", "blue"] and kinds.X.dtype == np.float32
    assert [str(kinds.obs[c].dtype) for c in ("x", "y", "width", "height")] == ["int32"] * 4
    assert kinds.X.min() >= 0 and kinds.X.max() <= 1 and kinds.obs_names.is_unique
    paths = sorted((folder / "kinds").iterdir())
    assert len(paths) == 23
    for path in paths:
        values, tolerance = expected(path)
        found = cells_of(kinds, path.stem)
        assert found.shape == values.shape, (path, found.shape, values.shape)
        assert np.abs(found - values).max() <= tolerance, (path, np.abs(found - values).max())
        again = np.asarray(Image.open(folder / "kinds_again" / f"{path.stem}.png"))
        assert again.shape == found.shape and np.array_equal(again, np.floor(255 * found.astype(np.float32) + 0.5)), path
        # PIL reads 16 bits a channel as 8, so the file is read back by popflow.
        header = (folder / "kinds_wide" / f"{path.stem}.png").read_bytes()[:26]
        assert header[24] == 16 and header[25] == 2, path
        if path.stem in LOSSLESS or path.suffix != ".png" and path.stem != "cmyk":
            assert np.array_equal(again, np.round(255 * values)), path

    again = read("kinds_wide.h5ad")
    names = list(kinds.obs["image"].cat.categories) if hasattr(kinds.obs["image"], "cat") else sorted(set(kinds.obs["image"]))
    for name in names:
        assert np.abs(cells_of(again, name) - cells_of(kinds, name)).max() <= 0.51 / 65535, name
    assert np.array_equal(cells_of(again, "wide"), cells_of(kinds, "wide"))

    some = read("some.h5ad")
    assert set(some.obs["image"].value_counts()) == {20} and len(some) == 20 * len(paths)
    one = some[some.obs["image"] == "rgb"]
    assert np.array_equal(one.X, read("one.h5ad").X)  # a sample does not depend on the other images
    places = one.obs["y"].to_numpy() * SIZE[0] + one.obs["x"].to_numpy()
    assert np.all(np.diff(places) > 0) and np.array_equal(one.X, picture().reshape(-1, 3)[places] / np.float32(255))
    small = read("small.h5ad")
    assert np.array_equal(cells_of(small, "rgb").shape, (4, 7, 3))
    blocks = picture()[:, :3].astype(float).mean(axis=1) / 255  # 21 columns become 7
    top = (blocks[:3].sum(axis=0) + 0.25 * blocks[3]) / 3.25  # 13 rows become 4
    assert np.abs(cells_of(small, "rgb")[0, 0] - top).max() < 1e-6

    land = read("land.h5ad")
    assert list(land.obs.columns) == ["file", "palette", "scene", "split", "image", "x", "y", "width", "height"]
    assert land.uns["import"]["from"] == "landscapes/sheet.csv"
    names = sorted(path.name for path in (folder / "landscapes").glob("*.png"))
    assert len(names) == 16 and names == sorted(path.name for path in (folder / "land").iterdir())
    for name in names:
        pixels = lambda path: np.asarray(Image.open(folder / path))
        palette = name.split("_")[0]
        assert np.array_equal(pixels(f"landscapes/{name}"), pixels(f"land/{name}")), name
        assert np.array_equal(pixels(f"land/{name}"), pixels(f"land3/{name[:-4]}_{palette}.png")), name


def predicted():
    import anndata

    data = anndata.read_h5ad(folder / "predicted.h5ad")
    names = sorted(path.name for path in (folder / "predicted").iterdir())
    assert names == sorted(f"forest_{scene}_{palette}.png" for scene in (0, 1) for palette in ("sunset", "snow")), names
    for name in names:
        scene, palette = name[:-4].split("_")[1:]
        cells = data[(data.obs["image"] == f"forest_{scene}") & (data.obs["predicted_treatment"] == palette)]
        values = np.zeros((24, 24, 3))
        values[cells.obs["y"], cells.obs["x"]] = cells.X
        found = np.asarray(Image.open(folder / "predicted" / name))
        assert np.array_equal(found, np.floor(255 * np.clip(values.astype(np.float32), 0, 1) + 0.5)), name
        # The mean shift was learnt from the other scene. It brings the colours closer to those of the palette.
        target = np.asarray(Image.open(folder / f"landscapes/{palette}_{scene}.png"), dtype=float)
        source = np.asarray(Image.open(folder / f"landscapes/forest_{scene}.png"), dtype=float)
        assert np.abs(found - target).mean() < 0.8 * np.abs(source - target).mean(), name


def distances(a, b):
    """Returns W2 and the energy distance of the pixels of two images."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    between = cdist(a, b)
    squares = between**2
    w2 = np.sqrt(squares[linear_sum_assignment(squares)].mean())
    return w2, 2 * between.mean() - cdist(a, a).mean() - cdist(b, b).mean()


def report():
    import anndata

    read = lambda name: np.asarray(Image.open(folder / name), dtype=float).reshape(-1, 3) / 255
    shown = lambda name: [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))
        for text in re.findall('href="data:image/png;base64,([^"]*)"', (folder / name).read_text())]
    for name, key in (("predicted", "predicted_treatment"), ("mapped", "predicted_problem")):
        data = anndata.read_h5ad(folder / f"{name}.h5ad")
        rows = list(csv.DictReader((folder / f"{name}.csv").open()))
        assert len(rows) == {"predicted": 4, "mapped": 2}[name], rows
        for row in rows:
            target = row["target"] if name == "mapped" else f"{row['target']}_{row['source'].split('_')[1]}"
            chosen = row["problem"] if name == "mapped" else row["target"]
            cells = data[(data.obs["image"] == row["source"]) & (data.obs[key] == chosen)].X
            assert int(row["pixels"]) == int(row["scored"]) == len(cells) == 576
            assert abs(float(row["outside"]) - ((cells < 0) | (cells > 1)).mean()) < 1e-12
            for prefix, pixels in (("", cells), ("source_", read(f"landscapes/{row['source']}.png"))):
                w2, energy = distances(pixels, read(f"landscapes/{target}.png"))
                found = float(row[f"{prefix}w2"]), float(row[f"{prefix}energy"])
                assert np.allclose(found, (w2, energy), rtol=1e-4, atol=1e-6), (row, w2, energy)
    # A row has the control, then each prediction, followed by the true image. A row of a map has the source, the target and the
    # result. Captions name the images.
    captions = lambda name: re.findall(r'class="tick">([^<]*)<', (folder / name).read_text())
    found = captions("predicted.html")
    assert sorted(found[:5]) == ["snow", "snow, true", "source: forest_0", "sunset", "sunset, true"], found
    images = shown("predicted.html")
    assert len(images) == len(found) == 10
    for k, (caption, image) in enumerate(zip(found, images)):
        scene, palette = k // 5, caption.split(",")[0]
        name = f"landscapes/{palette}_{scene}.png" if caption.endswith(", true") else f"predicted/forest_{scene}_{palette}.png"
        if caption.startswith("source"):
            name = f"landscapes/{caption.split()[1]}.png"
        assert np.array_equal(image, np.asarray(Image.open(folder / name))), name
    found, images = captions("mapped.html"), shown("mapped.html")
    assert found == ["source: sunset_1", "target: forest_1", "result", "source: sunset_1", "target: snow_1", "result"], found
    for caption, image in zip(found, images):
        if caption != "result":
            assert np.array_equal(image, np.asarray(Image.open(folder / f"landscapes/{caption.split()[1]}.png"))), caption
    assert len(images) == 6 and not np.array_equal(images[2], images[5])


{"make": make, "check": check, "predicted": predicted, "report": report}[command]()

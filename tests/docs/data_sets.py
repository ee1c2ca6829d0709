# SPDX-License-Identifier: MIT
"""Runs each script of scripts/data_sets/ on a small input of the same structure as its source. Checks the file with anndata and
`popflow inspect`, and that each kind of unusable input ends in one line and exit code 2.

Usage: data_sets.py POPFLOW PROJECT
"""
import filecmp
import gzip
import os
import pathlib
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

try:
    import anndata
    import h5py
    import numpy as np
    import pandas as pd
    from PIL import Image
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

popflow, project = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
scripts = project / "scripts/data_sets"
sys.dont_write_bytecode = True
sys.path[:0] = [str(project / "tests/support"), str(scripts)]
import clouds  # noqa: E402
import common  # noqa: E402
import egf  # noqa: E402
import fcs_file  # noqa: E402
import font_letters  # noqa: E402
import organoids  # noqa: E402
import shapes3d  # noqa: E402
import simulated_screens  # noqa: E402

random = np.random.default_rng(7)
environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="ignore", GIT_CONFIG_GLOBAL="/dev/null")


def call(*words):
    return subprocess.run([*map(str, words)], capture_output=True, text=True, env=environment)


def script(name, *words):
    """Runs a script and returns its output."""
    done = call(sys.executable, scripts / name, *words)
    assert done.returncode == 0, (name, words, done.stderr)
    return done.stdout


def refused(expected, name, *words):
    """Fails unless the script ends with exit code 2 and one line that has `expected`, and leaves no file."""
    before = sorted(pathlib.Path().rglob("*"))
    done = call(sys.executable, scripts / name, *words)
    assert done.returncode == 2, (name, words, done.returncode, done.stderr)
    assert done.stderr.count("\n") == 1 and expected in done.stderr, (expected, done.stderr)
    assert done.stderr.startswith(f"{name}: "), done.stderr
    assert sorted(pathlib.Path().rglob("*")) == before, (name, words)


def inspect(data, cells, markers, pairs, *options):
    """Checks what popflow finds in a data file."""
    done = call(popflow, "inspect", "--data", data, "--min-cells", "50", *options)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^Cells +{cells:,} x ", done.stdout, re.MULTILINE), done.stdout
    assert re.search(rf"^Markers +{markers}: ", done.stdout, re.MULTILINE), done.stdout
    assert re.search(rf"^Pairs +{pairs} ", done.stdout, re.MULTILINE), done.stdout
    return done.stdout


def write_well(path, events, channels, stains):
    """Writes an FCS file as in the repository: big-endian floats, and a TEXT segment with a zero after the last delimiter."""
    names = ["Time", "Event_length", *channels, "Ir191Di"]
    x = random.gamma(2, 10, (events, len(names))).astype(np.float32)
    x[:, 0] = np.arange(events)  # the first value is 0, and so is the byte after the TEXT segment
    fcs_file.write(path, x, names, version="FCS3.0", big=True, stains=["", "", *stains, "DNA"], delimiter="\\")
    content = bytearray(path.read_bytes())
    content[18:26] = b"%8d" % (int(content[18:26]) + 1)
    path.write_bytes(content)
    return x[:, 2:-1]


def write_plate(folder, wells, channels, stains, without_file=()):
    """Writes a plate: the key of all wells and the files of those that have one. Returns {well: values}."""
    (folder / "gated").mkdir(parents=True)
    columns = ["row", "column", "marker", "perturbation", "timepoint", "replicate"]
    table = pd.DataFrame([(well[0], well[1:], *row) for well, (*row, _) in wells.items()], columns=columns)
    table.to_csv(folder / f"{folder.name}_barcode_key.csv", index=False)
    return {
        well: write_well(folder / "gated" / f"BaseFileName_{well}_cell_{gene}_EGF {minutes}min.fcs", events, channels, stains)
        for well, (gene, _, minutes, _, events) in wells.items() if well not in without_file
    }  # fmt: skip


def check_wells(data, values, channels, cells):
    """Checks that each well of the AnnData file has `cells` of its events at most, all of them different."""
    assert list(data.var["channel"]) == list(channels)
    order = [sorted(channels).index(channel) for channel in channels]
    assert list(data.obs["population"].unique()) == list(values), data.obs["population"].unique()
    for population, x in values.items():
        part = data[data.obs["population"] == population]
        events = part.obs["event_index"].to_numpy()
        assert len(events) == min(cells, len(x)) and (np.diff(events) > 0).all(), population
        assert (part.X == x[events][:, order]).all(), population
        assert set(part.obs["n_events_in_file"]) == {str(len(x))}, population


def check_time_course():
    channels = egf.SCREENS["time_course"].channels
    stored = sorted(channels)  # the files have another order than X
    values = {}
    for replicate, plate in enumerate(egf.SCREENS["time_course"].plates, 1):
        wells = {"B10": ("SRC", "EGF", 60, replicate, 2300), "B2": ("SRC", "EGF", 0, replicate, 120)}
        wells |= {"C2": ("MAPK1", "EGF", 0, replicate, 130), "C4": ("MAPK1", "EGF", 5, replicate, 90)}
        wells |= {"G3": ("empty-1", "EGF", 0, replicate, 80), "G5": ("empty-1", "EGF", 5, replicate, 70)}
        found = write_plate(pathlib.Path("clone/example/data/experiment_main") / plate, wells, stored, [f"s{c}" for c in stored])
        values |= {f"{plate}_{well}": x for well, x in found.items()}
    del values["20150406_G5"]  # the tables do not use it
    printed = script("egf.py", "time_course", "clone", "EGF.h5ad")
    cells = sum(min(len(x), 2000) for x in values.values())
    assert f"EGF.h5ad: {cells} cells, 36 markers, 11 wells\n" in printed and "not that of the file of our tables" in printed, printed
    data = anndata.read_h5ad("EGF.h5ad")
    check_wells(data, values, channels, 2000)
    first = data.obs[data.obs["population"] == "20150406_B10"]
    assert list(first["event_index"]) == sorted(np.random.default_rng(0).choice(2300, 2000, replace=False))
    assert list(data.var_names) == [f"s{c}" for c in channels] and data.obs_names[0] == "c0"
    shared = data.obs.drop_duplicates("population").set_index("population")
    of_well = lambda name: shared.loc[name, ["patient", "culture", "treatment", "concentration", "time_min", "replicate"]].tolist()
    assert of_well("20150422_C4") == ["MAPK1", "GFP-fusion", "EGF_5min", "1", 5, "2"], of_well("20150422_C4")
    assert of_well("20150406_G3") == ["empty", "GFP-fusion", "control", "0", 0, "1"], of_well("20150406_G3")
    inspect("EGF.h5ad", cells, 36, 5, "--pair-by", "patient,culture,plate", "--split", "patient:MAPK1")


def check_tags():
    channels = egf.SCREENS["tags"].channels
    stored = sorted(channels)
    spelling = {name: stain for stain, name in egf.STAIN_NAMES.items()}
    names = [*list(egf.STAIN_NAMES.values()), *(f"s{i}" for i in range(len(channels) - len(egf.STAIN_NAMES)))]
    stains = [spelling.get(name, name) for name in names]
    values = {}
    for gene, plate in zip(("SRC", "AKT1", "KRAS", "CRAF"), egf.SCREENS["tags"].plates):
        wells = {"B2": (gene, "GFP-N", 0, 1, 1900), "C2": (gene, "GFP-N", 15, 1, 100)}
        wells |= {"D2": (gene, "FLAG-C", 0, 1, 110), "E2": (gene, "FLAG-C", 15, 1, 100)}
        # Six wells of one key have no file.
        absent = {f"{row}7": ("empty", "GFP-N", 0, 1, 0) for row in "BCDEFG"} if plate.endswith("BC3") else {}
        found = write_plate(pathlib.Path("clone/example/data/experiment_tags") / plate, wells | absent, stored, stains, absent)
        values |= {f"{plate}_{well}": x for well, x in found.items()}
    script("egf.py", "tags", "clone", "tags.h5ad")
    data = anndata.read_h5ad("tags.h5ad")
    check_wells(data, values, channels, 1800)
    assert set(data.var_names) == set(names) and "pMEK" in set(data.var["fcs_name"])
    assert set(data.obs["culture"]) == {"GFP-N", "FLAG-C"} and set(data.obs["treatment"]) == {"control", "EGF_15min"}
    inspect("tags.h5ad", 4 * (1800 + 100 + 110 + 100), 37, 8, "--split", "patient:SRC")


def check_egf_errors():
    call = lambda expected: refused(expected, "egf.py", "time_course", "bad", "out.h5ad")
    plate = pathlib.Path("bad/example/data/experiment_main/20150406")
    well = plate / "gated/BaseFileName_B10_cell_SRC_EGF 60min.fcs"
    refused("not a folder", "egf.py", "time_course", "nowhere", "out.h5ad")
    refused("the folder does not exist", "egf.py", "time_course", "clone", "nowhere/out.h5ad")
    pathlib.Path("bad").mkdir()
    call("20150406_barcode_key.csv: not found")
    shutil.copytree("clone", "bad", dirs_exist_ok=True)
    content = well.read_bytes()
    well.write_text("version https://git-lfs.github.com/spec/v1\n")
    call("not an FCS file")
    well.write_bytes(content[:5000])
    call("damaged FCS file")
    well.write_bytes(content.replace(b"$DATATYPE\\F", b"$DATATYPE\\I"))
    call("$MODE and $DATATYPE")
    well.write_bytes(content.replace(b"\\La139Di\\", b"\\La138Di\\"))
    call("without channel La139Di")
    well.write_bytes(content)
    other = well.with_name("BaseFileName_B2_cell_SRC_EGF 0min.fcs")
    other_content = other.read_bytes()
    other.write_bytes(other_content.replace(b"\\sLa139Di\\", b"\\sLa138Di\\"))
    call("the stains differ")
    other.write_bytes(other_content)
    well.rename(well.with_name("BaseFileName_H9_cell.fcs"))
    call("found well 'H9'")
    well.with_name("BaseFileName_H9_cell.fcs").unlink()
    call("no files of 1 wells (B10)")
    well.write_bytes(content)
    shutil.copy(well, well.with_name("BaseFileName_B10_again.fcs"))
    call("second file of well B10")
    well.with_name("BaseFileName_B10_again.fcs").unlink()
    key = plate / "20150406_barcode_key.csv"
    text = key.read_text()
    key.write_text(text.replace(",60,", ",sixty,"))
    call("found 'sixty'")
    key.write_text(text.replace("timepoint", "time"))
    call("without column timepoint")
    key.write_text(text)
    if shutil.which("git"):
        subprocess.run(["git", "init", "-q", "bad"], check=True, env=environment)
        subprocess.run(["git", "-C", "bad", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty",
                        "-m", "a"], check=True, env=environment)  # fmt: skip
        call(f"checkout {egf.COMMIT}")


def organoid_table(rows):
    """Returns a table with the columns of the published pickle, in its order."""
    table = pd.DataFrame(random.gamma(1, 5, (rows, 44)).astype(np.float32), columns=organoids.MARKERS)
    choose = lambda *values: np.array(values, dtype=object)[random.integers(0, len(values), rows)]
    table["Date"] = choose("20211119", "20220328", 20220328)  # one date is a number in some rows
    table["Patient"], table["Culture"] = choose("5", "21"), choose("PDO", "PDOF")
    table["Treatment"] = choose("DMSO", "S")
    table["Concentration"] = np.where(table["Treatment"] == "DMSO", "0", "3")
    table["Replicate"], table["Cell_type"] = choose("A", "B"), choose("PDOs", "Fibs")
    table["pPKCa"], table["Plate"], table["Batch"] = np.nan, "SLV", random.integers(1, 3, rows)
    table.loc[5:9, "Cyclin_B1"] = np.nan
    return table


def check_organoids():
    table = organoid_table(organoids.BLOCK + 5000)
    table.to_pickle("Metadata_final_paper")
    with zipfile.ZipFile("screen.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write("Metadata_final_paper", "folder/Metadata_final_paper")
        archive.writestr("readme.txt", "text")
    printed = script("organoids.py", "screen.zip", "organoids.h5ad")
    assert f"{len(table)} cells, 44 markers" in printed and "Cyclin_B1: 5 missing values" in printed, printed
    script("organoids.py", "Metadata_final_paper", "unpacked.h5ad")
    assert filecmp.cmp("organoids.h5ad", "unpacked.h5ad", shallow=False)
    data = anndata.read_h5ad("organoids.h5ad")
    assert data.X.dtype == np.float32 and np.array_equal(data.X, table[organoids.MARKERS].to_numpy(), equal_nan=True)
    assert list(data.var_names) == organoids.MARKERS and list(data.obs) == list(organoids.LABELS.values())
    assert list(data.obs_names) == list(map(str, range(len(table))))
    for source, name in organoids.LABELS.items():
        assert (data.obs[name].astype(str) == table[source].astype(str).to_numpy()).all(), name
    assert set(data.obs["date"].cat.categories) == {"20211119", "20220328"}
    found = inspect("organoids.h5ad", len(table), 43, 8, "--exclude-markers", "Cyclin_B1", "--split", "patient:21")
    assert "2: Fibs, PDOs" in found, found
    missing = organoid_table(4).assign(Plate=None)
    missing.to_pickle("missing.pickle")
    script("organoids.py", "missing.pickle", "missing.h5ad")
    assert anndata.read_h5ad("missing.h5ad").obs["plate"].isna().all()

    bad = lambda expected: refused(expected, "organoids.py", "bad.pickle", "out.h5ad")
    refused("No such file", "organoids.py", "nowhere", "out.h5ad")
    path = pathlib.Path("bad.pickle")
    path.write_text("no pickle")
    bad("not a pickle")
    path.write_bytes(pathlib.Path("Metadata_final_paper").read_bytes()[:100000])
    bad("not a pickle")
    path.write_bytes(pickle.dumps([1, 2]))
    bad("found a pickled list")
    table.head(20).drop(columns=["pS6", "Plate"]).to_pickle(path)
    bad("without column pS6, Plate")
    table.head(0).to_pickle(path)
    bad("found 0 rows")
    table.head(20).astype({"pS6": str}).to_pickle(path)
    bad("column pS6: allowed numbers")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "text")
    bad("found 0 files Metadata_final_paper")
    table.head(20).to_pickle(path)
    refused("the folder does not exist", "organoids.py", "bad.pickle", "nowhere/out.h5ad")


def check_simulations():
    small = ("--", "--letters", "A,B", "--rotations", "1", "--size", "40")
    printed = script("letters.py", popflow, "letters.h5ad", *small)
    assert f"{popflow} simulate letters --output letters.h5ad --seed 1 --letters" in printed, printed
    printed = script("letters.py", popflow, "clean.h5ad", "--clean", *small)
    assert "--jitter 0 --seed 1" in printed, printed
    letters = anndata.read_h5ad("letters.h5ad")
    assert set(letters.obs["patient"]) == {"A", "B", "X", "Y"} and letters.n_vars == 2
    assert (anndata.read_h5ad("clean.h5ad").X != letters.X).any()
    inspect("letters.h5ad", letters.n_obs, 2, 4, "--pair-by", "patient,replicate", "--split", "letters")

    for name in simulated_screens.SETTINGS:
        small = ["--", "--patients", "3", "--cells", "60:90", "--failed-wells", "0", "--treatments", "S,F", "--replicates", "1"]
        vectors = ["--vectors", "v.csv"] if name == "combinations" else []
        script("simulated_screens.py", name, popflow, f"{name}.h5ad", *vectors, *small)
        data = anndata.read_h5ad(f"{name}.h5ad")
        cultures = data.obs["culture"].nunique()
        inspect(f"{name}.h5ad", data.n_obs, 43, 2 * 3 * cultures, "--split", "patient:21")
    lines = pathlib.Path("v.csv").read_text().splitlines()
    assert len(lines) == 12 and lines[0] == "treatment,O,S,F,L,V,C" and "CSF,0,1,1,0,0,1" in lines, lines

    refused("cannot run", "letters.py", "./nowhere", "out.h5ad")
    # popflow itself reports an option that it cannot use.
    done = call(sys.executable, scripts / "letters.py", popflow, "out.h5ad", "--", "--rotations", "none")
    assert done.returncode == 2 and done.stderr.startswith("popflow: rotations:") and done.stderr.count("\n") == 1, done.stderr
    # The documents show the same commands.
    documents = {"population": "results.md", "combinations": "results.md", "methods": "tables.md"}
    for name, document in documents.items():
        command = f"popflow simulate screen --output screen.h5ad {simulated_screens.SETTINGS[name]}\n"
        assert command in (project / "docs" / document).read_text(), (name, document)


def write_idx(path, array):
    head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    with gzip.open(path, "wb") as file:
        file.write(head + array.astype(np.uint8).tobytes())


def check_digits():
    images, labels = random.integers(0, 256, (4600, 28, 28)), random.integers(0, 10, 4600)
    write_idx("images.gz", images)
    write_idx("labels.gz", labels)
    script("digits.py", "images.gz", "labels.gz", "digits.h5ad")
    digits = anndata.read_h5ad("digits.h5ad")
    assert digits.X.dtype == np.uint8 and (np.asarray(digits.X) == images.reshape(4600, 784)).all()
    assert (digits.obs["digit"].astype(int) == labels).all()
    assert list(digits.obs["split"].value_counts()[["train", "validation", "test"]]) == [4000, 500, 100]
    assert (digits.varm["position"][29] == [1 / 27, 1 - 1 / 27]).all() and digits.varm["position_1d"][783, 0] == 1
    done = call(popflow, "inspect", "digits.h5ad")
    assert "4600 over 784 atoms" in done.stdout, done.stdout
    write_idx("small.gz", images[:, :8, :8])
    write_idx("few.gz", labels[:5])
    pathlib.Path("text.gz").write_text("no images")
    refused("is not compressed by gzip", "digits.py", "text.gz", "labels.gz", "out.h5ad")
    refused("is no IDX file of bytes with 3 dimensions", "digits.py", "labels.gz", "labels.gz", "out.h5ad")
    refused("images of 8 x 8 pixels", "digits.py", "small.gz", "labels.gz", "out.h5ad")
    refused("has 5 labels for 4600 images", "digits.py", "images.gz", "few.gz", "out.h5ad")
    refused("No such file", "digits.py", "nowhere.gz", "labels.gz", "out.h5ad")


def read_clouds(path, points, populations):
    """Returns {population: (points, row of obs)} of a file of clouds. Checks what popflow finds in it."""
    data = anndata.read_h5ad(path)
    assert data.X.dtype == np.float32 and list(data.obs_names[[0, -1]]) == ["0", str(points - 1)]
    assert data.n_obs == points and data.obs["population"].nunique() == populations, (data.n_obs, data.obs["population"].unique())
    assert set(data.uns) >= {"source", "licence", "seed"}, data.uns
    done = call(popflow, "inspect", path, "--population", "population", "--min-cells", "1")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^Cells +{points:,} x {data.n_vars} columns", done.stdout, re.MULTILINE), done.stdout
    assert re.search(rf"^Populations +{populations:,} found, {populations:,} kept", done.stdout, re.MULTILINE), done.stdout
    return {name: (data[rows].X, data.obs.iloc[rows[0]]) for name, rows in data.obs.groupby("population", observed=True).indices.items()}


def check_digit_clouds():
    images, labels = random.integers(0, 256, (4600, 28, 28)), random.integers(0, 10, 4600)
    images[random.random(images.shape) < 0.9] = 127
    write_idx("images.gz", images)
    write_idx("labels.gz", labels)
    script("digit_clouds.py", "images.gz", "labels.gz", "digits.h5ad")
    script("digit_clouds.py", "images.gz", "labels.gz", "again.h5ad")
    assert filecmp.cmp("digits.h5ad", "again.h5ad", shallow=False)
    found = read_clouds("digits.h5ad", (images > 127).sum(), 4600)
    offsets = []
    for k, image in enumerate(images):
        points, labelled = found[f"{k:05}"]
        row, column = np.nonzero(image > 127)
        offsets.append(points * [10, -10] + 14 - np.stack([column, row], 1))
        assert labelled["treatment"] == f"digit_{labels[k]}"
    offsets = np.concatenate(offsets)
    # A coordinate is rounded by at most 1/256, and a pixel has the side 1/10.
    assert (np.abs(offsets - 0.5) <= 0.5 + 10 / 256 + 1e-5).all() and (np.abs(offsets.mean(0) - 0.5) < 0.01).all(), offsets.mean(0)
    assert [found[name][1]["part"] for name in ("03999", "04000", "04500")] == ["train", "validation", "test"]
    images[77] = 127
    write_idx("empty.gz", images)
    refused("image 00077 has no pixel above 127", "digit_clouds.py", "empty.gz", "labels.gz", "out.h5ad")
    refused("is no IDX file of bytes with 3 dimensions", "digit_clouds.py", "labels.gz", "labels.gz", "out.h5ad")
    refused("the folder does not exist", "digit_clouds.py", "images.gz", "labels.gz", "nowhere/out.h5ad")


def check_packages():
    """Downloads of Debian packages, with stand-ins for apt-get and dpkg-deb."""
    pathlib.Path("bin").mkdir()
    programs = {"apt-get": 'test "$3" = good && touch "$3_1_all.deb" || { echo "E: no package $3" >&2; exit 100; }',
                "dpkg-deb": 'mkdir -p "$3/DEBIAN" && echo "Version: 1:2-3" > "$3/DEBIAN/control"'}  # fmt: skip
    for name, text in programs.items():
        pathlib.Path("bin", name).write_text(f"#!/bin/sh\n{text}\n")
        pathlib.Path("bin", name).chmod(0o755)
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{pathlib.Path('bin').resolve()}:{path}"
    try:
        folder = clouds.unpacked_package("downloads", "good", True)
        assert folder == pathlib.Path("downloads/good") and clouds.package_version(folder) == "1:2-3"
        assert clouds.unpacked_package("downloads", "good", False) == folder
        for expected, bin_path in (("E: no package bad", os.environ["PATH"]), ("cannot run apt-get", "nowhere")):
            os.environ["PATH"] = bin_path
            try:
                clouds.unpacked_package("downloads", "bad", True)
                raise AssertionError("a download that failed was accepted")
            except common.InputError as error:
                assert expected in str(error), error
    finally:
        os.environ["PATH"] = path
    assert [item.name for item in pathlib.Path("downloads").iterdir()] == ["good"]
    (folder / "DEBIAN/control").unlink()
    assert clouds.package_version(folder) == "unknown"


def check_font_list():
    """The list of faces that the repository has: whole packages are test, and no package has more than 8 faces."""
    faces = pd.DataFrame(font_letters.read_faces(font_letters.FACES))
    assert dict(faces["part"].value_counts()) == {"train": 478, "test": 106} and faces["package"].nunique() == 131
    assert faces.groupby("package")["part"].nunique().max() == 1 and faces["package"].value_counts().max() == 8
    assert not faces.duplicated(["package", "file"]).any()


def check_font_letters():
    fonts = pathlib.Path("/usr/share/fonts/truetype/liberation")
    if not (fonts / "LiberationSans-Regular.ttf").is_file():
        print("note: without Debian's fonts-liberation, font_letters.py is not run")
        return
    rows = [("one", "unknown", "fonts/regular.ttf", "Liberation Sans Regular", "train"),
            ("two", "unknown", "fonts/bold.ttf", "Liberation Sans Bold", "test")]  # fmt: skip
    for package, _, file, face, _ in rows:
        target = pathlib.Path("packages", package, "usr/share", file)
        target.parent.mkdir(parents=True)
        shutil.copy(fonts / f"{face.replace('Liberation Sans ', 'LiberationSans-')}.ttf", target)
    write_list = lambda path, *lines: pathlib.Path(path).write_text("".join("\t".join(line) + "\n" for line in (font_letters.COLUMNS, *lines)))
    write_list("faces.tsv", *rows)
    write_list("one.tsv", rows[0])
    script("font_letters.py", "packages", "letters.h5ad", "--faces", "faces.tsv")
    script("font_letters.py", "packages", "again.h5ad", "--faces", "faces.tsv")
    assert filecmp.cmp("letters.h5ad", "again.h5ad", shallow=False)
    found = read_clouds("letters.h5ad", 2 * 26 * 256, 52)
    script("font_letters.py", "packages", "one.h5ad", "--faces", "one.tsv")
    for name, (points, labels) in read_clouds("one.h5ad", 26 * 256, 26).items():
        assert (points == found[name][0]).all(), name  # a face does not depend on the other faces of the list
    for name, (points, labels) in found.items():
        row = rows[0] if name.endswith("Regular") else rows[1]
        assert [labels[key] for key in ("treatment", "patient", "culture", "part")] == [name[0], row[3], row[0], row[4]], labels
        # The box of a letter is centred. Capitals are 2 high, but Q and J can be larger.
        assert 1.85 < np.ptp(points[:, 1]) < (2.7 if name[0] in "QJ" else 2.1), (name, np.ptp(points[:, 1]))
        assert np.abs((points.max(0) + points.min(0)) / 2).max() < 0.15, name
    inside = lambda name, keep: keep(*found[f"{name} Liberation Sans Regular"][0].T)
    assert inside("I", lambda x, y: np.abs(x) < 0.2).all()  # a bar
    assert not inside("O", lambda x, y: np.hypot(x, y) < 0.5).any()  # a ring
    assert inside("T", lambda x, y: (y > 0.7) | (np.abs(x) < 0.2)).all() and inside("T", lambda x, y: y > 0.7).sum() > 60
    assert inside("L", lambda x, y: (y < -0.7) | (x < -0.3)).all()
    regular = pathlib.Path("packages/one/usr/share/fonts/regular.ttf")
    assert list(font_letters.filled_pixels(regular, rows[0][3], "A\ue83f")) == ["A"]  # the other has no glyph

    write_list("bad.tsv", (*rows[0][:4], "validation"))
    bad = lambda expected: refused(expected, "font_letters.py", "packages", "out.h5ad", "--faces", "bad.tsv")
    bad("found 'validation', allowed are train and test")
    write_list("bad.tsv", rows[0], rows[0])
    bad("a face is listed twice")
    write_list("bad.tsv", rows[0][:4])
    bad("is no list of faces")
    write_list("bad.tsv", ("three", *rows[0][1:]))
    bad("packages/three: not found. Give --download")
    write_list("bad.tsv", ("one", "1", "fonts/bold.ttf", *rows[1][3:]))
    done = call(sys.executable, scripts / "font_letters.py", "packages", "out.h5ad", "--faces", "bad.tsv")
    assert done.returncode == 2 and done.stderr.startswith("one: version unknown instead of 1"), done.stderr
    assert "fonts/bold.ttf: not found or no font" in done.stderr.splitlines()[1] and done.stderr.count("\n") == 2, done.stderr
    write_list("bad.tsv", (*rows[0][:3], *rows[1][3:]))
    bad("has face 'Liberation Sans Regular', expected 'Liberation Sans Bold'")


def ac_object(name, corners, kind="0x10", location=(0, 0, 0), children=0):
    """Returns an object of an AC3D file with one polygon."""
    lines = ["OBJECT poly", f'name "{name}"', "loc " + " ".join(map(str, location)), "data 5", "a", "bcd", f"numvert {len(corners)}"]
    lines += [" ".join(map(str, corner)) for corner in corners]
    lines += ["numsurf 1", f"SURF {kind}", "mat 0", f"refs {len(corners)}", *(f"{k} 0 0" for k in range(len(corners)))]
    return [*lines, f"kids {children}"]


def ac_airplane(tail):
    """Returns an AC3D file: a wing of 2 x 8, a tail fin of 1 x `tail`, and objects that are no part of the surface."""
    wing = ac_object("wing", [(-1, 0, -4), (1, 0, -4), (1, 0, 4), (-1, 0, 4)], location=(1, 0, 0))
    # The fin is a child of a group that is turned by 180 degrees about y: x and z change their signs.
    group = ["OBJECT group", "rot -1 0 0 0 1 0 0 0 -1", "loc 6 0 0", "kids 1"]
    fin = ac_object("fin", [(0, 0, 0), (1, 0, 0), (1, tail, 0), (0, tail, 0)])
    beacon = ac_object("Beacon", [(0, 50, 0), (1, 50, 0), (1, 60, 0)])
    line = ac_object("antenna", [(0, -50, 0), (1, -50, 0), (1, -60, 0)], kind="0x2")
    return "\r\n".join(["AC3Db", "OBJECT world", "kids 9", *wing, *group, *fin, *beacon, *line, ""])


def check_airplanes():
    root = pathlib.Path("models/flightgear-data-ai/usr/share/games/flightgear/AI/Aircraft")
    files = {"A300/Models/A300": ac_airplane(3), "A300/Models/copy": ac_airplane(3), "other/Models/flat": ac_airplane(1),
             "other/Models/lights/red": "no model", "balloon/Models/red": "no model"}  # fmt: skip
    for name, text in files.items():
        path = root / f"{name}.ac"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    printed = script("shapes3d.py", "airplanes", "models", "airplanes.h5ad")
    assert "left out 1 copies: A300/copy of A300/A300" in printed, printed
    script("shapes3d.py", "airplanes", "models", "again.h5ad")
    assert filecmp.cmp("airplanes.h5ad", "again.h5ad", shallow=False)
    found = read_clouds("airplanes.h5ad", 2 * 2048, 2)
    assert found["airplane/A300/A300"][1]["part"] == "test" and found["airplane/other/flat"][1]["part"] == "train"
    for name, tail in (("airplane/A300/A300", 3), ("airplane/other/flat", 1)):
        points, labels = found[name]
        assert labels["treatment"] == "airplane" and labels["licence"] == "GPL-2+"
        assert np.allclose((points.max(0) + points.min(0)) / 2, 0, atol=1 / 256) and abs(np.ptp(points, 0).max() - 2) <= 1 / 256
        # The span of 8 has the length 2: x from 0 to 6, z from 0 to the top of the fin.
        assert np.allclose(np.ptp(points, 0), [1.5, 2, tail / 4], atol=0.03), np.ptp(points, 0)
        is_fin = points[:, 2] > points[:, 2].min() + 1 / 128
        assert (points[is_fin, 0] > 0.45).all() and np.allclose(points[is_fin, 1], 0, atol=0.02) and (points[~is_fin, 0] < -0.2).mean() > 0.9
        share = tail / (tail + 16)  # area of the fin / area of the surface
        assert abs(is_fin.mean() - share) < 5 * np.sqrt(share / 2048) + 0.01, is_fin.mean()

    bad = lambda expected: refused(expected, "shapes3d.py", "airplanes", "models", "out.h5ad")
    path = root / "A300/Models/A300.ac"
    path.write_text("a text")
    bad("A300.ac: is no AC3D file")
    path.write_text(ac_airplane(3).replace("0 0 -4", "zero 0 -4").replace("-1 0 -4", "-1 zero -4"))
    bad("A300.ac: is a damaged AC3D file")
    path.write_text("\n".join(["AC3Db", "OBJECT world", "kids 0"]))
    bad("model A300/A300 has no surface")
    refused("nowhere/flightgear-data-ai: not found. Give --download", "shapes3d.py", "airplanes", "nowhere", "out.h5ad")
    shutil.rmtree(root)
    bad("Aircraft: not found in the package")


def check_furniture():
    root = pathlib.Path("models/sweethome3d-furniture/usr/share/sweethome3d/furniture")
    root.mkdir(parents=True)
    # A face of 1 x 2 x 0 at the height 0 and one of half the size at 1, with an index from the end.
    model = "# OBJ\nv 0 0 0\nv 1 0 0 \nv 1 0 2\nv 0 0 2\ng top\nf 1/1/1 2// 3 4\nv 0 1 0\nv 1 1 0\nv 1 1 1\nv 0 1 1\nf -4 -3 -2 -1\n"

    def write_catalogue(name, *entries, text=model):
        lines = ["id=X", "name=Catalogue"]
        for k, (label, rotation) in enumerate(entries, 1):
            entry = {"id": f"X#m{k}", "name": label, "model": f"/m/m{k}.obj", "width": 40, "height": 10, "depth": 20, "creator": "Ann"}
            lines += [f"{key}#{k}={value}" for key, value in entry.items()] + ([f"modelRotation#{k}={rotation}"] if rotation else [])
        with zipfile.ZipFile(root / f"{name}.sh3f", "w") as archive:
            archive.writestr("PluginFurnitureCatalog.properties", "\n".join(lines))
            for k, _ in enumerate(entries, 1):
                archive.writestr(f"m/m{k}.obj", text)

    write_catalogue("BlendSwap-CC-0", ("Table fan", ""), ("Oak table", ""), ("Table", ""), ("Sofa", "0 0 1 0 1 0 -1 0 0"))
    write_catalogue("BlendSwap-CC-BY", ("Spoon", ""))
    write_catalogue("KatorLegaz")
    write_catalogue("Scopia", ("Bunk bed", "1 0 0 0 -1 0 0 0 -1"))
    printed = script("shapes3d.py", "furniture", "models", "furniture.h5ad")
    assert "left out 1 copies: BlendSwap-CC-0/m3 of BlendSwap-CC-0/m2" in printed, printed
    found = read_clouds("furniture.h5ad", 3 * 2048, 3)
    expected = {"table/BlendSwap-CC-0/m2": ("Oak table", "CC0"), "sofa/BlendSwap-CC-0/m4": ("Sofa", "CC0"), "bed/Scopia/m1": ("Bunk bed", "CC BY 3.0")}
    half = {}  # middle of the upper and of the lower points
    for name, (label, licence) in expected.items():
        points, labels = found[name]
        assert [labels[key] for key in ("name", "licence", "creator", "treatment")] == [label, licence, "Ann", name.split("/")[0]], labels
        assert np.allclose(np.ptp(points, 0), [2, 1, 0.5], atol=0.03), (name, np.ptp(points, 0))
        upper = points[:, 2] > 0
        half[label] = (points[upper].mean(0), points[~upper].mean(0), upper.mean())
    # The small face is the upper one, at small z of the model, which is large y. The sofa is turned about the vertical, the bed
    # about x.
    assert abs(half["Oak table"][2] - 1 / 3) < 0.06 and half["Oak table"][0][1] > 0.2, half
    assert abs(half["Sofa"][2] - 1 / 3) < 0.06 and half["Sofa"][0][0] < -0.4, half
    assert abs(half["Bunk bed"][2] - 2 / 3) < 0.06 and half["Bunk bed"][1][1] < -0.2, half
    kinds = {"Armchair": "chair", "Seat Leon": None, "Workbench": None, "Tablet": None, "Table tennis": "table", "Table tennis bat": None,
             "Desk lamp": "lamp", "Bedside table": "table", "Window blind": None, "Glass door cabinet": "shelf", "Class seat": "chair"}  # fmt: skip
    assert {name: shapes3d.class_of(name) for name in kinds} == kinds

    bad = lambda expected: refused(expected, "shapes3d.py", "furniture", "models", "out.h5ad")
    write_catalogue("Scopia", ("Bed", ""), text="v 0 0 0\nf 1 2 3\n")
    bad("Scopia.sh3f, m/m1.obj: is a damaged OBJ file")
    write_catalogue("Scopia", ("Bed", ""), text="v 0 0 0\n")
    bad("model Scopia/m1 has no surface")
    (root / "Scopia.sh3f").write_text("no archive")
    bad("Scopia.sh3f: is a damaged catalogue")
    (root / "Scopia.sh3f").unlink()
    bad("Scopia.sh3f: not found in the package")


def check_population_density():
    density = random.random((90, 180)).astype(np.float32)
    density[:30] = -3.4e38  # no data
    Image.fromarray(density).save("density.tif")
    script("population_density.py", "density.tif", "density.h5")
    with h5py.File("density.h5") as file:
        assert (file["population_density"][:] == np.where(density > 0, density, 0)).all()
    call(popflow, "simulate", "supply-demand", "--density", "density.h5", "--instances", "3", "--supply", "5", "--demand", "20", "--output",
         "s.h5ad", "--target-output", "d.h5ad").check_returncode()
    Image.fromarray(density[:, :100]).save("half.tif")
    Image.fromarray(density[:1, :2]).save("empty.tif")
    pathlib.Path("text.tif").write_text("no image")
    refused("is no image", "population_density.py", "text.tif", "out.h5")
    refused("expected one band of N x 2 N cells", "population_density.py", "half.tif", "out.h5")
    refused("has no cell with a density above 0", "population_density.py", "empty.tif", "out.h5")


def check_readme():
    """Each script is in the table of the folder's README.md."""
    text = (scripts / "README.md").read_text()
    for path in scripts.glob("*.py"):
        is_module = path.name in ("anndata_file.py", "clouds.py", "common.py")
        assert is_module or f"`{path.name} " in text, path.name


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    check_time_course()
    check_tags()
    check_egf_errors()
    check_organoids()
    check_simulations()
    check_digits()
    check_digit_clouds()
    check_packages()
    check_font_list()
    check_font_letters()
    check_airplanes()
    check_furniture()
    check_population_density()
    check_readme()
    os.chdir(project)
print("all data sets are built and checked")

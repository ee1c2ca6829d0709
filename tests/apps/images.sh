#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Imports images as populations of pixels and exports them again. Compares the values with those of PIL, checks that 8 bits
# survive exactly, that any number of ranks writes the same bytes, and that each invalid input is refused in one line.
# Usage: images.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python anndata,PIL
cd "$scratch"
"$python" "$here/check_images.py" make .

# A picture of each kind. Several files may follow --images, as a shell expands a pattern.
expect_exit 0 "$popflow" import --images kinds/*.* --output kinds.h5ad
grep -q "^popflow: note: kinds/grey_alpha.png: transparent pixels are blended over white (and in 3 other files)$" err || fail "$(cat err)"
grep -q "^popflow: note: kinds/cmyk.jpg: inks (CMYK) are converted without a colour profile$" err || fail "$(cat err)"
grep -q "3 markers, 23 files, columns image, x, y, width, height" out || fail "$(cat out)"
expect_exit 0 "$popflow" export --data kinds.h5ad --images kinds_again
grep -q "^kinds_again: 23 images, 0 % of the values were outside" out || fail "$(cat out)"
expect_exit 0 "$popflow" import --images kinds --pixels 20 --seed 3 --output some.h5ad
expect_exit 0 "$popflow" import --images kinds/rgb.png --pixels 20 --seed 3 --output one.h5ad
expect_exit 0 "$popflow" import --images kinds/rgb.png --max-side 7 --output small.h5ad

# The landscapes are a sheet of images. The round trip is exact, and ranks do not change a byte.
landscapes="--scenes 1 --test-scenes 1 --size 24"
expect_exit 0 "$popflow" simulate images --output landscapes $landscapes --seed 5
grep -q "^landscapes: 16 images of 24 x 24 pixels in 8 palettes, 1 scene to train on, 1 to test$" out || fail "$(cat out)"
ranks 3 1 simulate images --output landscapes3 $landscapes --seed 5 >/dev/null 2>&1 || fail "simulate on 3 ranks"
diff -r landscapes landscapes3
expect_exit 0 "$popflow" import --sheet landscapes/sheet.csv --output land.h5ad
grep -q "9216 cells, 3 markers, 16 files, columns file, palette, scene, split, image, x, y, width, height" out || fail "$(cat out)"
ranks 3 1 import --sheet landscapes/sheet.csv --output land3.h5ad >/dev/null 2>&1 || fail "import on 3 ranks"
cmp land.h5ad land3.h5ad
ranks 2 1 import --images kinds --pixels 20 --seed 3 --output some2.h5ad >/dev/null 2>&1 || fail "import on 2 ranks"
cmp some.h5ad some2.h5ad
expect_exit 0 "$popflow" export --data land.h5ad --images land
expect_exit 0 "$popflow" export --data kinds.h5ad --images kinds_wide --bits 16
expect_exit 0 "$popflow" import --images kinds_wide --output kinds_wide.h5ad
ranks 3 1 export --data land.h5ad --images land3 --population image,palette >/dev/null 2>&1 || fail "export on 3 ranks"
"$python" -W ignore "$here/check_images.py" check .

# Predictions keep the places of the pixels, so they become images.
cat >colour.cfg <<'END'
column = treatment=palette,patient=scene
control = forest
pair-by = scene
transform = none
split = column:split
min-cells = 20
method = mean-shift
END
expect_exit 0 "$popflow" train --config colour.cfg --data land.h5ad --output run
expect_exit 0 "$popflow" predict --run run --data land.h5ad --treatment sunset,snow --output predicted.h5ad
expect_exit 0 "$popflow" export --data predicted.h5ad --images predicted
expect_exit 0 "$popflow" predict --run run --data land.h5ad --treatment snow --space normalised --output normalised.h5ad
refused "normalised.h5ad: X: found normalised values, which are no colours. Predict with --space raw" export --data normalised.h5ad --images new
"$python" -W ignore "$here/check_images.py" predicted .

# Reports show the predicted images beside their sources and targets.
expect_exit 0 "$popflow" report predicted.h5ad --output predicted.html --figures figures
grep -q "^predicted.html: html of 1 result file$" out && grep -q "^figures: 1 figure" out || fail "$(cat out)"
cmp <(grep -o 'base64,[^"]*' predicted.html) <(grep -o 'base64,[^"]*' figures/mean-shift-images.svg) || fail "page and figure differ"
expect_exit 0 "$popflow" report predicted.h5ad --output predicted.csv
"$popflow" train --method meta-icnn --data land.h5ad --population image --transform none --split column:split --min-cells 20 --steps 3 \
    --map-units 8 --map-hidden 8 --cells 50 --output any 2>err || fail "$(cat err)"
printf 'problem,source,target\nto_forest,sunset_1,forest_1\nto_snow,sunset_1,snow_1\n' >problems.csv
expect_exit 0 "$popflow" predict --run any --data land.h5ad --problems problems.csv --output mapped.h5ad
expect_exit 0 "$popflow" report mapped.h5ad --output mapped.html
expect_exit 0 "$popflow" report mapped.h5ad --output mapped.csv
expect_exit 0 "$popflow" report mapped.h5ad --max-cells 100 --format markdown
grep -q "distances compare 100 random pixels of each image" out || fail "$(cat out)"
"$python" -W ignore "$here/check_images.py" report .
mv land.h5ad moved.h5ad
expect_exit 2 "$popflow" report mapped.h5ad
grep -q "data: found no file 'land.h5ad', which mapped.h5ad was predicted from. Give its path with --data" err || fail "$(cat err)"
expect_exit 0 "$popflow" report mapped.h5ad --data moved.h5ad --format csv
cmp out mapped.csv
mv moved.h5ad land.h5ad
cp mapped.h5ad cells.h5ad
"$python" -c "import h5py; h5py.File('cells.h5ad', 'r+')['var/_index'][0] = 'pERK'"
expect_exit 0 "$popflow" evaluate --run run --data land.h5ad --output scores.h5
expect_exit 0 "$popflow" simulate images --output others $landscapes --seed 6
expect_exit 0 "$popflow" import --sheet others/sheet.csv --output others.h5ad

# refused WORDS VERB ARGUMENT...: fails unless the verb refuses its input in one line that contains WORDS, and writes no file.
refused() {
    local words=$1
    shift
    expect_exit 2 "$popflow" "$@"
    grep -qF -- "$words" err || fail "no '$words' in: $(cat err)"
    [ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
    [ ! -e bad.h5ad ] && [ ! -e bad.h5ad.tmp ] || fail "left a file: $*"
}
refused "bad/cut.png: is a damaged PNG file (" import --images bad/cut.png --output bad.h5ad
refused "bad/cut.jpg: is a damaged JPEG file (Premature end of JPEG file)" import --images bad/cut.jpg --output bad.h5ad
refused "bad/cut_progressive.jpg: is a damaged JPEG file (Premature end of JPEG file)" import --images bad/cut_progressive.jpg --output bad.h5ad
refused "bad/crc.png: is a damaged PNG file (IDAT: CRC error): get or write it again" import --images bad/crc.png --output bad.h5ad
refused "bad/huge.png: found a size of 60000 x 60000 pixels, more than the file can hold" import --images bad/huge.png --output bad.h5ad
refused "bad/gif.png: is neither a PNG nor a JPEG file: convert it to PNG" import --images bad/gif.png --output bad.h5ad
refused "nowhere: cannot read: No such file or directory" import --images nowhere --output bad.h5ad
refused "images: found 'kinds/rgb.png' twice. Give it once" import --images kinds kinds/rgb.png --output bad.h5ad
refused "pixels: needs images, but found cells.csv. Omit --pixels" import --cells cells.csv --pixels 3 --output bad.h5ad
refused "obs: found 'x', but images have no columns of labels" import --images kinds --obs x --output bad.h5ad
refused "cells.csv: is no image, but mixed.csv names images too: import each kind on its own" import --sheet mixed.csv --output bad.h5ad
refused "twice.csv: column image: found 'a' twice" import --sheet twice.csv --output bad.h5ad
refused "taken.csv: column 'width': found a name that a column of the pixels has" import --sheet taken.csv --output bad.h5ad
refused "usage: unexpected argument 'kinds/rgb.png'" import --cells cells.csv kinds/rgb.png --output bad.h5ad
refused "sheet: give one of --sheet S.csv, --cells F.csv and --images FOLDER" import --cells cells.csv --images kinds --output bad.h5ad
refused "some.h5ad: picture 'baseline': found 20 of its 273 pixels" export --data some.h5ad --images new
refused "land/sunset_0.png: exists already" export --data land.h5ad --images land
refused "predicted.h5ad: picture 'forest_0': found the pixel x = 0, y = 0 twice" export --data predicted.h5ad --population image --images new
refused "found no marker 'red'" export --data table.h5ad --images new
refused "land.h5ad: obs/colour: is missing, found file, height, image" export --data land.h5ad --population colour --images new
refused "images: missing. Give --images FOLDER" export --data land.h5ad

refused "others.h5ad: is not the file that mapped.h5ad was predicted from: its fingerprint is" report mapped.h5ad --data others.h5ad
refused "cells.h5ad: found no marker 'red'. A report of a prediction shows images" report cells.h5ad
refused "by: found 'palette', but the report is of predicted cells" report mapped.h5ad --by palette
refused "data: is an option of a report of predicted images, and the report is of scores of population pairs" report scores.h5 --data land.h5ad
refused "found 'scores.h5' with scores of population pairs and 'mapped.h5ad' with predicted cells" report scores.h5 mapped.h5ad
refused "land.h5ad: not a popflow result file" report land.h5ad
refused "bits: found '12'" export --data land.h5ad --images new --bits 12

# A damaged image that one rank reads ends the import on all ranks, with that line and without leftover files.
mkdir mixed
cp kinds/rgb.png mixed/a.png
cp bad/crc.png mixed/b.png
code=0
ranks 2 1 import --images mixed --output bad.h5ad >out 2>err || code=$?
[ $code = 2 ] && grep -q "mixed/b.png: is a damaged PNG file (IDAT: CRC error)" err || fail "code $code: $(cat err)"
[ ! -e bad.h5ad ] && [ ! -e bad.h5ad.tmp ] || fail "left a file"
echo "images are imported, exported or refused"

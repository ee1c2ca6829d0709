#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Imports tables as spreadsheets, pandas and R write them, and compares them with what pandas reads. Checks that any number of
# ranks writes the same bytes, and that what is no table is refused in one line.
# Usage: tables.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python anndata
cd "$scratch"
"$python" "$here/check_tables.py" make .

while read -r name options; do
    expect_exit 0 "$popflow" import --cells "$name.csv" --output "$name.h5ad" $options
done <cases

# A field that spans lines is in the second piece of 8 MB. Each number of ranks then reads the file as a whole.
expect_exit 0 "$popflow" import --cells large.csv --obs note --output large.h5ad
expect_exit 0 "$popflow" import --cells large.csv.gz --obs note --output large_gz.h5ad
ranks 3 1 import --cells large.csv --obs note --output large3.h5ad >/dev/null 2>&1 || fail "3 ranks"
ranks 2 1 import --cells large.csv.gz --obs note --output large_gz2.h5ad >/dev/null 2>&1 || fail "2 ranks, gzip"
cmp large.h5ad large3.h5ad
cmp large_gz.h5ad large_gz2.h5ad

# Notes say what was read in another way than it is written.
expect_exit 0 "$popflow" import --sheet sheet.csv --obs treatment,patient --output wells.h5ad
for note in "sheet.csv: column 'dose/uM' is stored as 'dose_uM'" "sheet.csv: column hours: 1 label such as NA read as missing" \
    "one.tsv.gz: the first column, which has no name, holds the names of the cells" \
    "several files have cells of the same name: -0, -1, ... is appended"; do
    grep -qF "popflow: note: $note" err || fail "no note '$note' in: $(cat err)"
done
ranks 2 1 import --sheet sheet.csv --obs treatment,patient --output wells2.h5ad >/dev/null 2>&1 || fail "2 ranks, sheet"
cmp wells.h5ad wells2.h5ad
expect_exit 0 "$popflow" import --sheet pairs.csv --exclude-markers treatment,patient --output pairs.h5ad
expect_exit 0 "$popflow" import --cells semicolon_comma.csv --obs treatment,patient --output again.h5ad
grep -qF "semicolon_comma.csv: numbers have a decimal comma" err || fail "$(cat err)"
expect_exit 0 "$popflow" import --cells thousands.csv --decimal comma --output comma.h5ad
"$python" -W ignore "$here/check_tables.py" check .

# refused WORDS ARGUMENT...: fails unless the import is refused in one line that contains WORDS, and writes no file.
refused() {
    local words=$1
    shift
    expect_exit 2 "$popflow" import --output bad.h5ad "$@"
    grep -qF -- "$words" err || fail "no '$words' in: $(cat err)"
    [ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
    [ ! -e bad.h5ad ] && [ ! -e bad.h5ad.tmp ] || fail "left a file: $*"
}
for name in book.xlsx book.csv book.xls page.xls; do
    refused "$name: found a w" --cells $name
    grep -q "save the sheet as CSV" err || fail "$(cat err)"
done
refused "cells.h5ad: found an HDF5 file. popflow reads AnnData files (.h5ad) with --data" --cells cells.h5ad
refused "cells.rds: found an R data file: save the table in R with write.csv()" --cells cells.rds
refused "cells.zst: found a file compressed by zstd: decompress it" --cells cells.zst
refused "truncated.csv.gz: the compressed file is truncated" --cells truncated.csv.gz
refused "damaged.csv.gz: the compressed file is damaged" --cells damaged.csv.gz --obs treatment,patient
refused "no_mark.csv: found UTF-16 without a byte order mark: save the file as UTF-8" --cells no_mark.csv
refused "zero.csv: found a zero byte in a row" --cells zero.csv
refused "thousands.csv: found '12,000', which may be 12.000 or 12000" --cells thousands.csv
refused "mixed.csv: b: row 1: found '2.5' in a table whose numbers have a decimal comma" --cells mixed.csv
refused "groups.csv: a: row 1: found '1.234,5', which is no finite number. Remove the separators of thousands" --cells groups.csv
refused "one_column.csv2: row 1: found a comma in the only column: write a decimal point" --cells one_column.csv2
refused "open.csv: row 2: a quoted field is not closed" --cells open.csv
refused "clash.csv: column 'dose/uM': it would be stored as 'dose_uM', which is the name of another column" --sheet clash.csv
refused "dots.csv: column 2: found the name '..', which AnnData cannot store" --sheet dots.csv
refused "twice.csv: line 1: found column \`dose\` twice" --sheet twice.csv
refused "obs: found 'treatment', which is stored as 'treatment' and was given twice" --cells plain.csv --obs treatment,treatment
echo "tables are read as pandas reads them, or refused"

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Imports FCS files and tables of cells. Checks what anndata reads back, that any number of ranks writes the same bytes, that
# popflow trains on the result, and that each kind of invalid input is refused in one line.
# Usage: import.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python anndata
cd "$scratch"
"$python" "$here/check_import.py" make .

# import_fcs NAME [OUTPUT [OPTION...]]: imports NAME.fcs to OUTPUT.h5ad, by default NAME.h5ad.
import_fcs() {
    expect_exit 0 "$popflow" import --cells "$1.fcs" --output "${2:-$1}.h5ad" "${@:3}"
}
for kind in float_little float_big double in_text supplement no_total one_more int16 int32_big mixed masked log spill; do
    import_fcs $kind
done
import_fcs spill compensated --compensate yes
import_fcs float_little channels --marker-names channel
import_fcs float_little chosen --markers Time,pERK
expect_exit 0 "$popflow" import --sheet fcs.csv --output fcs_wells.h5ad
grep -q "1233 cells, 4 markers, 18 files, columns file, patient, treatment, replicate, hours" out || fail "$(cat out)"
sed 1s/file/path/ fcs.csv >paths.csv
expect_exit 0 "$popflow" import --sheet paths.csv --file-column path --exclude-markers Time --output paths.h5ad
grep -q "1233 cells, 3 markers, 18 files, columns path," out || fail "$(cat out)"
expect_exit 0 "$popflow" import --sheet tables.csv --output table_wells.h5ad
columns=patient,treatment,replicate,note
expect_exit 0 "$popflow" import --cells all.csv --obs $columns --output all.h5ad
expect_exit 0 "$popflow" import --cells many.csv --obs label --output many.h5ad

# Several ranks read and write in parallel and produce the same bytes.
ranks 2 1 import --sheet fcs.csv --output fcs_wells2.h5ad >/dev/null 2>&1 || fail "2 ranks"
ranks 3 1 import --cells all.csv --obs $columns --output all3.h5ad >/dev/null 2>&1 || fail "3 ranks"
ranks 2 1 import --cells many.csv --obs label --output many2.h5ad >/dev/null 2>&1 || fail "2 ranks, one table"
cmp fcs_wells.h5ad fcs_wells2.h5ad
cmp all.h5ad all3.h5ad
cmp many.h5ad many2.h5ad
"$python" -W ignore "$here/check_import.py" check .

# The imported file is a screen: popflow finds its populations and trains on it.
expect_exit 0 "$popflow" inspect --data fcs_wells.h5ad --min-cells 20 --exclude-markers Time --split replica \
    --split-seed 3 --pair-by patient,replicate
expect_exit 0 "$popflow" inspect --data fcs_wells.h5ad --min-cells 20 --exclude-markers Time --split patient:P3
grep -q "Pairs  *12 " out || fail "$(cat out)"
expect_exit 0 "$popflow" run --data fcs_wells.h5ad --min-cells 20 --exclude-markers Time --split patient:P3 \
    --pair-by patient,replicate --hidden 16 --layers 2 --knn 5 --cells 32 --steps 5 --output run

# The first column without a name holds the names of the cells. Another one is no marker. The labels of a line that mixes two encodings are kept.
printf ',a,b,who\n0,1,2,x\n1,3,4,y\n' >index.csv
expect_exit 0 "$popflow" import --cells index.csv --obs who --output index.h5ad
grep -q "2 cells, 2 markers" out || fail "$(cat out)"
grep -q "^popflow: note: index.csv: the first column, which has no name, holds the names of the cells$" err || fail "$(cat err)"
# Numbers in the first line are names of markers, such as masses, and a note says so.
printf '141,142\n3,4\n5,6\n' >masses.csv
expect_exit 0 "$popflow" import --cells masses.csv --output masses.h5ad
grep -q "2 cells, 2 markers" out || fail "$(cat out)"
grep -q "^popflow: note: masses.csv: all names in the first line are numbers" err || fail "$(cat err)"
printf 'a,,b,who\n1,0,2,x\n3,1,4,y\n' >no_name.csv
expect_exit 0 "$popflow" import --cells no_name.csv --obs who --output no_name.h5ad
grep -q "^popflow: note: columns without a name are left out$" err || fail "$(cat err)"
printf 'a,treatment,patient\n1,DMSO,\302\265\n2,\351,\302\265\n' >mixed_lines.csv
expect_exit 0 "$popflow" import --cells mixed_lines.csv --obs treatment,patient --output mixed_lines.h5ad
"$python" -W ignore -c "
import anndata
obs = anndata.read_h5ad('mixed_lines.h5ad').obs
assert list(obs['patient']) == ['\u00b5', '\u00b5'] and list(obs['treatment']) == ['DMSO', '\u00e9'], obs" ||
    fail "labels of a line with two encodings"

# refused WORDS ARGUMENT...: fails unless the import is refused in one line that contains WORDS, and writes no file.
refused() {
    local words=$1
    shift
    expect_exit 2 "$popflow" import --output bad.h5ad "$@"
    grep -qF -- "$words" err || fail "no '$words' in: $(cat err)"
    [ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
    [ ! -e bad.h5ad ] && [ ! -e bad.h5ad.tmp ] || fail "left a file: $*"
}
refused "sheet: give one of --sheet S.csv, --cells F.csv and --images FOLDER"
refused "nowhere.csv: cannot read: No such file or directory" --cells nowhere.csv
refused "word.csv: b: row 2: found 'x1', which is no finite number" --cells word.csv
refused "short.csv: row 2: found 1 field, but the table has 2" --cells short.csv
refused "empty.csv: line 1: the line is empty" --cells empty.csv
refused "header.csv: found no cells" --cells header.csv
refused "twice.csv: line 1: found column \`a\` twice" --cells twice.csv
refused "quote.csv: row 1: a quoted field is not closed" --cells quote.csv
refused "nan.csv: b: row 1: found 'nan', which is no finite number" --cells nan.csv
refused "word.csv: colour: missing column, found a, b" --cells word.csv --obs colour
refused "sheet_gone.csv: row 1: found file 'nowhere.fcs', which does not exist" --sheet sheet_gone.csv
refused "sheet_twice.csv: row 2: found file 'well0.fcs' twice" --sheet sheet_twice.csv
refused "sheet_name.csv: file: missing column (did you mean 'fille'?), found fille, patient" --sheet sheet_name.csv
refused "int16.fcs: pERK: missing column, found a, b, c" --sheet sheet_other.csv
refused "obs: found 'x', but FCS files have no columns of labels" --cells log.fcs --obs x
refused "float_little.fcs: pERC: missing column (did you mean 'pERK'?)" --cells float_little.fcs --markers pERC
refused 'mode.fcs: $MODE: found '"'C'. popflow reads only L" --cells mode.fcs
refused 'type.fcs: $DATATYPE: found '"'B'. popflow reads only I, F, D and A" --cells type.fcs
refused 'order.fcs: $BYTEORD: found '"'3,4,1,1'. It must number the bytes in any order" --cells order.fcs
refused 'bits.fcs: $P2B: found 12. It must be 32 with $DATATYPE F' --cells bits.fcs
refused 'no_bits.fcs: $P3B: missing' --cells no_bits.fcs
refused 'many_par.fcs: $P5B: missing' --cells many_par.fcs
refused 'which hold 5 of the 6000000000000000000 events of 16 bytes in $TOT' --cells total.fcs
refused 'text_end.fcs: TEXT: found bytes 256 to 99999999, which are not within 58 to' --cells text_end.fcs
refused 'text_begin.fcs: TEXT: found bytes 3 to' --cells text_begin.fcs
refused 'data_begin.fcs: DATA: found bytes 99999998 to 5 in the header' --cells data_begin.fcs
refused 'no range in the header, and bytes 18446744073709551610 to 18446744073709551615' --cells huge_begin.fcs
refused 'infinite.fcs: Sm149Di: event 4: found inf, which is no finite number' --cells infinite.fcs
refused 'version.fcs: header: found '"'FCS9.9'. Convert the file to FCS2.0, FCS3.0, FCS3.1 or FCS3.2" --cells version.fcs
refused "letters.fcs: header: begin of TEXT: found '  abcdef', which is no whole number" --cells letters.fcs
refused 'truncated.fcs: DATA: found bytes' --cells truncated.fcs
refused 'tiny.fcs: header: found 10 bytes, but a header has 58' --cells tiny.fcs
refused 'float_little.fcs: $SPILLOVER: missing' --cells float_little.fcs --compensate yes
refused 'singular.fcs: $SPILLOVER: found a singular matrix' --cells singular.fcs --compensate yes
refused "channel.fcs: \$SPILLOVER: found channel 'FITC-A', which no \$PnN names" --cells channel.fcs --compensate yes
refused "output: missing" --output ""
refused "output: found 'all.csv', which would overwrite a file that this command uses. Choose another path" --output all.csv --cells all.csv

# An invalid cell on one rank ends the import on all ranks, with that line and without leftover files.
sed '50001s/^[^,]*/oops/' many.csv >late.csv
code=0
ranks 2 1 import --cells late.csv --obs label --output bad.h5ad >out 2>err || code=$?
[ $code = 2 ] && grep -q "late.csv: m0: row 50000: found 'oops'" err || fail "code $code: $(cat err)"
[ ! -e bad.h5ad ] && [ ! -e bad.h5ad.tmp ] || fail "left a file"
echo "files are imported or refused"

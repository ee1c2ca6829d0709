#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Labels, doses and column names as people type them: commas, blanks, capitals, missing labels, units.
# Usage: labels.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
here=$(cd "$(dirname "$0")" && pwd)
needs_python anndata
cd "$scratch"
"$python" "$here/check_labels.py" make .

# shows EXPRESSION NAME OPTION...: fails unless the expression holds for what inspect prints of NAME.h5ad.
shows() {
    expect_exit 0 "$popflow" inspect "$2.h5ad" --min-cells 10 --json "${@:3}"
    "$python" -W ignore "$here/check_labels.py" "$1" out || fail "inspect $2.h5ad ${*:3}"
}
# refused WORDS ARGUMENT...: fails unless popflow refuses the arguments in one line that contains WORDS.
refused() {
    local words=$1 code=0
    shift
    "$popflow" "$@" >out 2>err || code=$?
    [ $code = 2 ] || fail "exit code $code: $* ($(cat err))"
    grep -qF -- "$words" err || fail "no '$words' in: $(cat err)"
    [ "$(wc -l <err)" = 1 ] || fail "more than one line: $(cat err)"
}
inspect="inspect --min-cells 10"

# Labels with commas, in double quotes or as they are where the data have them.
tahoe="[('DMSO_TF', 0.0, 'uM')]"
shows 'controls(j) == TAHOE[:1] and len(treatments(j)) == 2' tahoe --control "$tahoe"
shows 'controls(j) == TAHOE[:1] and len(treatments(j)) == 2' tahoe --control "\"$tahoe\",AH"
shows 'controls(j) == sorted(TAHOE[::2])' tahoe --control "\"$tahoe\",\"[('Adagrasib', 5.0, 'uM')]\""
shows '{p["patient"] for p in tests(j)} == {"Doe, J"}' names --split 'patient:"Doe, J"'
shows '{p["patient"] for p in tests(j)} == {"Doe, J"}' names --split "patient:Doe, J"
printf 'treatment,a\n"1,25-(OH)2D3",1\n"C ""x""",2\n' >vectors.csv
shows 'len(tests(j)) == 2 and {p["treatment"] for p in tests(j)} == {"1,25-(OH)2D3"}' names \
    --split 'treatment:"1,25-(OH)2D3"' --treatment-vectors vectors.csv
shows 'len(tests(j)) == 2 and treatments(j) == ["1,25-(OH)2D3", "C \"x\""]' names --split 'treatment:"C ""x"""' \
    --treatment-vectors vectors.csv
refused "found 0 pairs to train on and 4 to test" $inspect names.h5ad --split 'treatment:"1,25-(OH)2D3","C ""x"""'
for exclude in 'patient="Doe, J"' '"patient=Doe, J"' 'patient=Doe, J' '"patient=Doe, J",treatment=DMSO'; do
    shows '"Doe, J" not in j["patients"] or "," in notes(j)' names --exclude "$exclude"
done
shows 'treatments(j) == ["C \"x\""]' names --exclude 'treatment="1,25-(OH)2D3",patient="Doe, J"' --exclude \
    'treatment=1,25-(OH)2D3,patient=Roe, A'
shows 'j["patients"] == ["P1", "P2"] and treatments(j) == ["A"]' comma --column 'patient="donor, site","treatment=drug, dose"' \
    --pair-by '"donor, site"'
shows 'j["markers"] == ["a,b", "d"]' plain --markers '"a,b",d'
printf '\xef\xbb\xbfcontrol = "%s", AH  # a comment, "quoted"\r\n\tmin-cells\t=\t10\t# tabs\r\nmarkers = "a,b", "d"\r\n' "$tahoe" >tahoe.cfg
shows 'controls(j) == TAHOE[:1] and j["markers"] == ["a,b", "d"]' tahoe --config tahoe.cfg
refused "exclude: found \`patient=P1,P2\`. Give COLUMN=VALUE[,COLUMN=VALUE...]. Put a value with a comma in double quotes" \
    $inspect plain.h5ad --exclude patient=P1,P2
refused "control: found \`\"DMSO\`, in which a double quote is not closed" $inspect plain.h5ad --control '"DMSO'

# A column with a colon in its name, in the three places that name a split.
shows '{p["patient"] for p in tests(j)} == {"P2"}' colon --split '"donor:site":site:P2'
shows '{p["patient"] for p in tests(j)} == {"P2"}' colon --split '"donor:site":"site:P2"'
printf 'split = "donor:site":site:P2\nmin-cells = 10\n' >colon.cfg
shows '{p["patient"] for p in tests(j)} == {"P2"}' colon --config colon.cfg
refused 'split: obs has no column '"'donor', but 'donor:site'"': put a name with a colon in double quotes' \
    $inspect colon.h5ad --split donor:site:site:P2
refused "in which a double quote is not closed" $inspect colon.h5ad --split '"donor:site:P2'

# Capitals and blanks: the exact label wins, one that is similar is taken with a note, two that are similar are refused.
shows 'controls(j) == ["dmso "] and "took '"'dmso '"' of the data for '"'DMSO'"'" in notes(j)' blanks
shows 'controls(j) == ["DMSO"] and treatments(j) == ["A", "dmso"] and "count as different labels" in notes(j)' both
refused "control: found 'DMSO', which could be any of 'Dmso', 'dmso'" $inspect twice.h5ad
shows 'controls(j) == ["dmso"]' twice --control dmso
shows 'j["patients"] == ["P1", "P2"] and "took the column '"'Patient'"' of obs for '"'patient'"'" in notes(j)' capitals
shows 'j["patients"] == ["P1", "P2"]' capitals --pair-by patient
refused "column: found 'patient', which could be any of 'PATIENT', 'Patient'" $inspect clash.h5ad
shows 'j["patients"] == ["P1"]' clash --column patient=Patient
refused "found no pairs of patient \`P1\` (did you mean 'P1 '?)" $inspect blanks.h5ad --split patient:P1
shows '{p["patient"] for p in tests(j)} == {"P1 "}' blanks --split 'patient:"P1 "'
shows 'left_out(j) == {"excluded by treatment=a": 40}' both --exclude treatment=a

# Missing labels are no treatment and no patient.
shows 'treatments(j) == ["A"] and j["patients"] == ["P1", "P2"]' missing
shows 'left_out(j) == {"no value of patient": 120, "no value of treatment": 120}' missing
shows 'len(j["pairs"]) == 2 and j["plates"] == [""] and "has no label" in notes(j)' no_plate
shows 'controls(j) == ["None"] and not left_out(j)' named_none --control None
refused "no value of treatment" train --min-cells 10 --data named_none.h5ad --output other

# Doses and times with units.
shows 'doses(j) == [0.1, 1, 10, 500] and "read in uM" in notes(j)' molar --doses all
shows 'doses(j) == [1, 2] and len(j["pairs"]) == 4' exact --doses all
shows 'doses(j) == [0.02, 3, 500] and "read in ug/ml" in notes(j)' mass --doses all
shows 'doses(j) == [0.5, 6, 24] and "read in h" in notes(j)' time --column concentration=time --doses all
shows 'doses(j) == [0.5, 1, 10] and not notes(j)' plain_doses --doses all
shows '[d["concentration"] for d in j["doses"]] == ["0", "0.5", "1", "10.0"]' plain_doses
refused "found \`10 nM\` and \`5 ng/ml\`, which cannot be converted into each other" $inspect two_units.h5ad
refused "\`1 uM\` and \`6h\`, which cannot be converted into each other" $inspect time_and_molar.h5ad
refused "\`10\` and \`1 uM\`, which cannot be converted into each other" $inspect some_units.h5ad
refused "found \`1,000 nM\` for treatment A, which has 2 concentrations" $inspect thousands.h5ad
refused "found \`1 spoon\` for treatment A, which has 2 concentrations: they must be numbers" $inspect unknown.h5ad

# Training and prediction read doses in the same way.
model="--min-cells 10 --split patient:P2 --hidden 16 --layers 1 --embedding 4 --encoder-hidden 8 --encoder-layers 1 --knn 3
    --cells 10 --steps 2 --batch-pairs 1"
expect_exit 0 "$popflow" train --data molar.h5ad --doses all $model --output run
grep -q "note: doses with a unit are read in uM, such as '.*' as" err || fail "$(cat err)"
expect_exit 0 "$popflow" predict --run run --data molar.h5ad --concentration '100 nM,"0,5 mM"' --output p.h5ad
grep -q "A @ 0.1, A @ 500" out || fail "$(cat out)"
grep -q "note: doses with a unit are read in uM" err || fail "$(cat err)"
refused "concentration: found '1 uM' and '6h'" predict --run run --data molar.h5ad --concentration '1 uM,6h' --output q.h5ad
refused "concentration: '1 spoon' is no dose. Give" predict --run run --data molar.h5ad --concentration '1 spoon' --output q.h5ad
# A number has the unit of the training. Another kind of unit is refused, in the data of an evaluation as well.
expect_exit 0 "$popflow" predict --run run --data molar.h5ad --concentration 250 --output number.h5ad
grep -q "A @ 250" out || fail "$(cat out)"
refused "concentration: found 6 h, but the run was trained on doses in uM. Give numbers in uM" \
    predict --run run --data molar.h5ad --concentration "6 h" --output q.h5ad
refused "found doses in h, but the run was trained on doses in uM" \
    evaluate --run run --data hours.h5ad --split all --output q.h5
expect_exit 0 "$popflow" evaluate --run run --data molar.h5ad --output r.h5
grep -q "note: doses with a unit are read in uM" err || fail "$(cat err)"
expect_exit 0 "$popflow" train --data plain_doses.h5ad --doses all $model --output plain_run
refused "concentration: found 6 uM, but the run was trained on doses without a unit" \
    predict --run plain_run --data plain_doses.h5ad --concentration "6 uM" --output q.h5ad
expect_exit 0 "$popflow" train --data colon.h5ad ${model/--split patient:P2/} --split '"donor:site":site:P2' --output colon
grep -qF 'split = "' colon/config.cfg || fail "$(cat colon/config.cfg)"
expect_exit 0 "$popflow" evaluate --run colon --data colon.h5ad --output colon.h5
expect_exit 0 "$popflow" report colon.h5
refused "two_units.h5ad: obs/concentration: found" train --data two_units.h5ad $model --output other
expect_exit 0 "$popflow" train --data names.h5ad ${model/--split patient:P2/} --split 'patient:"Doe, J"' --output commas
expect_exit 0 "$popflow" predict --run commas --data names.h5ad --treatment '"1,25-(OH)2D3",C "x"' --output p2.h5ad
grep -qF 'predicted for 1,25-(OH)2D3, C "x"' out || fail "$(cat out)"
expect_exit 0 "$popflow" predict --run commas --data names.h5ad --treatment '1,25-(OH)2D3' --output p3.h5ad

# Options that take one value, and names of other programs.
refused "data: found it twice, with 'a.h5ad' and 'b.h5ad': give it once" train --data a.h5ad --data b.h5ad --output x
printf 'steps = 3\n\nsteps = 5\n' >twice.cfg
refused "twice.cfg: steps: found '3' on line 1 and '5' on line 3: keep one of them" train --config twice.cfg --data plain.h5ad
refused "batch_size: unknown option. popflow has --batch-pairs instead" train --data plain.h5ad --batch_size 3
refused "trainer.max_epochs: unknown option. popflow has --steps instead" train --data plain.h5ad --trainer.max_epochs=3
refused "gpu: unknown option: popflow computes on CPUs" train --data plain.h5ad --gpu
refused "pair-by: found drug, dose" $inspect comma.h5ad --pair-by '"drug, dose"' --column '"treatment=drug, dose"'
refused "failed-wells: found '0.95'. Give a number from 0 to 0.9" simulate screen --failed-wells 0.95 --output s.h5ad
echo "labels, doses and options are read as people type them, or refused"

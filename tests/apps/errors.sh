#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Any invalid input of the user ends with exit code 2, one line that says what is wrong and where, and no file.
# Usage: errors.sh POPFLOW MPIEXEC PYTHON
. "$(dirname "$0")/../support/scratch.sh"
python=${3:-python3}
"$python" -c "import anndata, h5py" 2>/dev/null || {
    echo "skipped: $python has no anndata and h5py"
    exit 77
}

# one_line WORDS...: fails unless the last command printed one error line of popflow that contains each of WORDS.
one_line() {
    local word
    [ "$(wc -l <"$scratch/err")" = 1 ] || fail "expected one line: $(cat "$scratch/err")"
    [[ "$(cat "$scratch/err")" == "popflow: "* ]] || fail "not a message of popflow: $(cat "$scratch/err")"
    for word; do
        grep -qF -- "$word" "$scratch/err" || fail "'$word' is not in: $(cat "$scratch/err")"
    done
}

# refused WORDS... -- ARGUMENT...: fails unless popflow refuses the arguments in one line that contains each of WORDS.
refused() {
    local words=()
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    shift
    expect_exit 2 "$popflow" "$@"
    [ ! -s "$scratch/out" ] || fail "text on standard output: $*"
    one_line "${words[@]}"
}

"$python" "$(dirname "$0")/make_inputs.py" "$scratch"
golden=$(cd "$(dirname "$0")/../golden" && pwd)
cd "$scratch"
echo "no HDF5 here" >text.h5ad
inspect="inspect --min-cells 10 --data"
model="--min-cells 10 --hidden 16 --layers 1 --embedding 4 --encoder-hidden 8 --encoder-layers 1 --knn 3
    --time-frequencies 4 --space-frequencies 4 --cells 16 --batch-pairs 2 --steps 3"
train="train $model --split patient:P3 --data good.h5ad --output new"

# The data file.
refused nowhere.h5ad "No such file" -- $inspect nowhere.h5ad
refused text.h5ad "not an HDF5 file" -- $inspect text.h5ad
refused "found a folder" -- $inspect "$scratch"
refused no_x.h5ad X missing -- $inspect no_x.h5ad
refused filter.h5ad X "compressed by filter 32001 (blosc), which this HDF5 does not have" -- $train --data filter.h5ad
refused no_cells.h5ad X "found 0 cells, allowed 1 or more" -- $inspect no_cells.h5ad
refused good.h5ad obs/nosuch "is missing, found" -- $inspect good.h5ad --column treatment=nosuch
refused column "found 'treatmen' (did you mean 'treatment'?), allowed patient, culture, treatment" -- $inspect good.h5ad --column treatmen=O
refused good.h5ad obs/treatment "no control among DMSO, O, S" nosuch -- $train --control nosuch
refused good.h5ad obs "at least 21 cells. The largest population has 20" "Use --min-cells 20, which keeps 12 pairs" -- $train --min-cells 21
refused no_dose.h5ad obs "keeps a control and a treatment of at least 10 cells" "240 rows left out: no value of concentration" -- \
    $train --data no_dose.h5ad
expect_exit 0 "$popflow" $inspect control_without_dose.h5ad
grep -q "Nothing was dropped" out || fail "$(cat out)"
refused good.h5ad pERKK "did you mean 'pERK'?" -- $inspect good.h5ad --markers pERKK
refused nan.h5ad X "row 25, marker IdU: found NaN" -- $train --data nan.h5ad
refused negative.h5ad X "row 25, marker IdU: found -3" ">= 0" -- $train --data negative.h5ad --transform log1p
refused negative.h5ad X "found -3" -- metrics good.h5ad negative.h5ad --transform log1p
refused other_markers.h5ad pERK -- metrics good.h5ad other_markers.h5ad
refused "found 1 file, allowed 2" -- metrics good.h5ad

# The split.
refused one_patient.h5ad "one patient only" -- $train --data one_patient.h5ad --split patient:P1
refused good.h5ad "patient \`P4\`" "allowed P1, P2, P3" -- $train --split patient:P4
refused good.h5ad "found 0 pairs to train on" -- $train --split patient:P1,P2,P3
# inspect prints its tables before the error of the split.
expect_exit 2 "$popflow" $inspect good.h5ad --split patient:P4
one_line good.h5ad "patient \`P4\`"
grep -q "^Experiments" out || fail "inspect printed no tables: $(cat out)"
refused good.h5ad "0 to test" -- $train --split column:all_train
refused good.h5ad obs/nosuch missing -- $train --split column:nosuch
refused good.h5ad obs/split missing -- $train --split letters
refused good.h5ad obs/culture "found \`PDO\`" "allowed one of train" -- $train --split column:culture
refused good.h5ad "treatment \`X\`" "allowed O, S" -- $train --split treatment:X
refused "found treatment:S, which needs --treatment-vectors" -- $train --split treatment:S
refused vectors.csv "No such file" -- $train --treatment-vectors vectors.csv
refused . "is a folder" -- $train --treatment-vectors .
printf 'treatment,a\nO,1\n' >vectors.csv
refused "no row for treatment 'S': every treatment with pairs needs one" -- $train --treatment-vectors vectors.csv
printf 'treatment,a\nO,1\nS,high\n' >vectors.csv
refused vectors.csv "row 2, column a: found 'high', allowed a number" -- $train --treatment-vectors vectors.csv
refused "patient \`a b\`" -- $train --split $'patient:a\nb'
refused split "found \`patients\`" "allowed replica" -- $train --split patients
refused split "found \`replicate\` (did you mean 'replica'?), allowed replica" -- $train --split replicate

# The command line and the configuration file.
refused "unknown option" "did you mean 'steps'" -- $train --step 3
refused "unknown option" -- $train --xylophone 3
refused "unexpected argument 'more'" -- $train more
refused --output missing -- train --data good.h5ad
refused "unknown verb 'trian'" "did you mean 'train'" -- trian
refused "unknown verb 'xylophone'" -- xylophone
refused steps "found '0', allowed a whole number from 1" -- $train --steps 0
refused steps "found '3x'" -- $train --steps 3x
refused steps "found '-3'" -- $train --steps=-3
refused rate "found 'x', allowed a number from 0 to 1000" -- $train --rate x
refused rate "found 'nan'" -- $train --rate nan
refused method "found 'mfn' (did you mean 'mfm'?), allowed fm, cgfm" -- $train --method mfn
refused predictions "unknown option" -- metrics good.h5ad good.h5ad --predictions new.h5ad
refused parts "unknown option" -- metrics good.h5ad good.h5ad --parts test
refused metrics "found 'w3' (did you mean 'w1'?), allowed w1" -- metrics good.h5ad good.h5ad --metrics w3
refused transform "found \`arcsinh:0\`" -- $inspect good.h5ad --transform arcsinh:0
refused cells "found '3', allowed a whole number from 9" -- simulate screen --output new.h5ad --cells 9:3
refused simulate "found 'letter' (did you mean 'letters'?), allowed letters, screen" -- simulate letter --output new.h5ad
refused simulate "found '', allowed letters, screen" -- simulate
letters="simulate letters --output new.h5ad --letters I,L --test-letters X --rotations 2"
refused unexpected letters -- simulate screen letters
refused nowhere.ttf "No such file" -- $letters --font nowhere.ttf
refused box.ttf "letter I: missing in this font" -- $letters --font "$golden/letters/box.ttf"
refused text.h5ad "cannot be read as a font" -- $letters --font text.h5ad
refused letters "found 'AB', allowed one capital" -- $letters --letters AB
refused letters "found 'X' twice" -- $letters --letters X
refused rotations "found '0', allowed a whole number from 1" -- $letters --rotations 0
refused patients "unknown option" -- $letters --patients 3
refused augment "found 'spin', allowed none" -- $train --augment spin
refused augment "with 5 markers: rotate, reflect, stretch and splice need 2 markers" -- $train --augment rotate
refused augment "method cgfm" -- $train --augment mix --method cgfm
refused normalise "found 'maybe', allowed no, yes" -- $train --normalise maybe
refused coupling "base gaussian" -- $train --coupling rows --base gaussian
refused coupling-scope "found 'condition', which needs --coupling ot or rows-ot" -- $train --coupling-scope condition
refused unequal.h5ad "coupling rows" "found 20 cells in P1 / PDO / A: DMSO and 19 in P1 / PDO / A: O" -- $train \
    --data unequal.h5ad --coupling rows
# An option that does not fit the data is refused before the cells are read: nan.h5ad has an invalid cell.
refused icnn-hidden "found 4, allowed 5 or more" -- $train --data nan.h5ad --method icnn --icnn-hidden 4
refused augment "with 5 markers" -- $train --data nan.h5ad --augment rotate
echo "stepz = 3" >key.cfg
refused key.cfg stepz "unknown option" "did you mean 'steps'" -- $train --config key.cfg
printf 'rate = 0.1\nsteps = many\n' >value.cfg
refused value.cfg steps "found 'many', allowed a whole number" -- $train --config value.cfg
echo "steps 3" >line.cfg
refused line.cfg "steps 3" -- $train --config line.cfg
refused config "cannot read 'nowhere.cfg'" -- $train --config nowhere.cfg
refused config "cannot read '.'" -- $train --config .
cp good.h5ad "go#od.h5ad"
refused data "allowed text without '#'" -- $train --data "go#od.h5ad"
: >empty.cfg
expect_exit 0 "$popflow" $inspect good.h5ad --config empty.cfg

# Option names of other programs, and options of other verbs.
refused lr "unknown option (did you mean 'rate'?)" -- $train --lr 0.1
refused epochs "unknown option (did you mean 'steps'?)" -- $train --epochs 3
for option in "--format text" "--published letters" "--watch run" "--output new.h5" "--log-seconds 1"; do
    refused "unknown option" -- $inspect good.h5ad $option
done
refused json "unknown option" -- report text.h5ad --json
for option in --json "--format text" "--watch run" "--published letters"; do
    refused "unknown option" -- evaluate --run run --output new.h5 $option
done
refused inspect "found 2 files, allowed 1" -- inspect good.h5ad nan.h5ad
refused xylophone "unknown verb" -- help xylophone

# Output paths.
refused output text.h5ad/run "Not a directory" -- $train --output text.h5ad/run
refused output text.h5ad -- $train --output text.h5ad
refused nowhere/new.h5ad "No such file" -- simulate screen --output nowhere/new.h5ad
mkdir folder
refused folder "found a folder" -- simulate screen --output folder
refused nowhere/new.h5ad "No such file" -- $letters --output nowhere/new.h5ad
refused text.h5ad "not an HDF5 file" -- report text.h5ad
refused good.h5ad "not a popflow result file" -- report good.h5ad
refused report missing -- report
refused published "found 'letter'" "allowed letters, organoid_patient" -- report text.h5ad --published letter
refused text.h5ad "line 1" "allowed columns method,base,knn" -- report text.h5ad --published text.h5ad
refused format "found 'pdf', allowed text, markdown, csv" -- report text.h5ad --format pdf

# A run folder. A refused command does not change it.
expect_exit 0 "$popflow" $train --output run
expect_exit 0 "$popflow" $train --data two_types.h5ad --output types
cp run/config.cfg before.cfg
evaluate="evaluate --run run --max-cells 20 --output new.h5"
refused rate "found '0.5', was '0.001'" -- $train --output run --resume --rate 0.5
cmp before.cfg run/config.cfg || fail "the configuration of the run was replaced"
refused nowhere/new.h5 "No such file" -- $evaluate --output nowhere/new.h5
refused folder "found a folder" -- $evaluate --output folder
refused other_markers.h5ad var "not those that the run was trained on" -- $evaluate --data other_markers.h5ad
refused data "allowed text without '#'" -- $evaluate --data "go#od.h5ad"
refused parts "found 'tests' (did you mean 'test'?), allowed train, validation, test" -- $evaluate --parts tests
refused parts "no pair" -- $evaluate --parts validation
refused run "found 'folder', which is not a run folder" -- evaluate --run folder --output new.h5
refused run/checkpoint.h5 "not a popflow result file" -- report run/checkpoint.h5
mkdir damaged empty
: >empty/checkpoint.h5
refused empty/checkpoint.h5 "not an HDF5 file" -- evaluate --run empty --output new.h5
size=$(stat -c %s run/checkpoint.h5)
for share in 20 60 95; do
    head -c $((size * share / 100)) run/checkpoint.h5 >damaged/checkpoint.h5
    refused damaged/checkpoint.h5 -- evaluate --run damaged --output new.h5
done
expect_exit 0 "$popflow" $evaluate --output scores.h5
refused nowhere/table.txt "cannot create" -- report scores.h5 --output nowhere/table.txt
refused folder "cannot create" -- report scores.h5 --output folder --format text

refused output "found 'table.pdf', allowed a name that ends in .txt, .md, .csv" -- report scores.h5 --output table.pdf
refused output "found 'table'" -- report scores.h5 --output table

# Neither files of the user nor files of a run are overwritten.
sums() { sha256sum good.h5ad scores.h5 run/* mine/* | grep -v log.txt; }
mkdir mine
cp good.h5ad mine/copy.h5ad
cp scores.h5 run/results.h5
printf 'steps = 3\n# kept by hand\n' >mine/config.cfg
sums >before.sums
refused output "would overwrite a file that this command uses" -- $evaluate --data mine/copy.h5ad --output mine/copy.h5ad
refused output "would overwrite a file that this command uses" -- $evaluate --data mine/copy.h5ad --output run/../mine/copy.h5ad
refused output "would overwrite a file that this command uses" -- report run --output run/results.h5 --format text
refused output "would overwrite a file that this command uses" -- report scores.h5 run --output scores.h5 --format csv
refused output "would overwrite a file that this command uses" -- $train --config mine/config.cfg --output mine
refused predictions "would overwrite a file that this command uses" -- $evaluate --output same.h5ad --predictions ./same.h5ad
for name in checkpoint.h5 checkpoint-3.h5 weights.h5 config.cfg training.h5 training.csv log.txt lock; do
    refused output "belongs to the run in" -- $evaluate --output run/$name
done
for name in checkpoint.h5 training.h5 results.h5; do
    refused output "belongs to the run in" -- predict --run run --data controls.h5ad --output run/$name
    refused output "belongs to the run in" -- simulate screen --output run/$name
    refused output "belongs to the run in" -- simulate letters --output run/$name
    refused output "belongs to the run in" -- report scores.h5 --output run/$name --format text
    refused predictions "belongs to the run in" -- $evaluate --predictions run/$name
done
for verb in train run; do
    refused output "found the folder 'run', which contains a training. Add --resume" -- $verb $model --split patient:P3 \
        --data good.h5ad --output run
done
mkdir scored weights
cp scores.h5 scored/results.h5
cp run/weights.h5 run/config.cfg weights
refused output "contains the results.h5 of an earlier run but no checkpoint" -- $train --output scored
refused output "contains the weights.h5 of an earlier run but no checkpoint" -- $train --output weights --resume
sums >after.sums
cmp before.sums after.sums || fail "a file was replaced"

# A folder that is not a run, and a run without results.
refused report "found the folder 'folder', which is not a run folder" -- report folder
refused report "has no results.h5 yet. Create it with popflow evaluate --run types --output types/results.h5" -- report types
refused nowhere "No such file" -- report nowhere
refused watch "found 'folder', which is not a run folder" -- report --watch folder

# Predictions.
predict="predict --run run --data controls.h5ad --output new.h5ad"
expect_exit 0 "$popflow" $predict --output predicted.h5ad
refused run missing -- predict --data controls.h5ad --output new.h5ad
refused data missing -- predict --run run --output new.h5ad
refused --output missing -- predict --run run --data controls.h5ad
refused run "found 'nowhere', which is not a run folder" -- $predict --run nowhere
refused nowhere.h5ad "No such file" -- $predict --data nowhere.h5ad
refused controls.h5ad obs/treatment "no control among DMSO" nosuch -- $predict --control nosuch
refused controls.h5ad obs "keeps a control of at least 21 cells" -- $predict --min-cells 21
refused other_markers.h5ad var "not those that the run was trained on" "\`pERK\` is missing" -- \
    $predict --data other_markers.h5ad
refused markers "a trained model keeps its markers" -- $predict --markers pERK
refused markers "a trained model keeps its markers" -- $evaluate --exclude-markers pERK
refused transform "found log1p, allowed arcsinh:5, with which the run was trained" -- $evaluate --transform log1p
refused transform "found none, allowed arcsinh:5" -- $predict --transform none
refused doses "found all, allowed highest" -- $evaluate --doses all
refused pair-by "found patient, culture, allowed patient, culture, plate, replicate" -- $evaluate --pair-by patient,culture
refused run "split: found 'patient:P1', was 'patient:P3'" "would be held out, but the run was trained on it" -- \
    $evaluate --split patient:P1
refused run "would be held out, but the run was trained on it" -- $evaluate --split all
refused icnn-hidden "found 4, allowed 5 or more: --icnn-start identity" -- $train --method icnn --icnn-hidden 4
refused split "found all, which leaves no pair to train on" -- $train --split all
refused treatment "found 'DMSOO'" "allowed O, S" "trained on" -- $predict --treatment O,DMSOO
refused treatment "found 'o' (did you mean 'O'?)" -- $predict --treatment S --treatment o
refused treatment "found 'unheard'" "allowed O, S" -- $predict --treatment unheard
refused concentration "found 1, allowed none" "--doses highest" -- $predict --concentration 1
refused concentration "found 'high'" -- $predict --concentration high
refused space "found 'log', allowed raw, arcsinh, transformed, normalised" -- $predict --space log
expect_exit 0 "$popflow" $train --transform log1p --output logged
refused space "found 'arcsinh', allowed raw, transformed, normalised: the transform is log1p" -- \
    $predict --run logged --space arcsinh
refused times "found '1.5', allowed a number from 0 to 1" -- $predict --times 0,1.5
refused times "found 'half'" -- $predict --times half
refused times "found '0.5' twice" -- $predict --times 0.5,1,0.5
refused nowhere/new.h5ad "No such file" -- $predict --output nowhere/new.h5ad
refused folder "found a folder" -- $predict --output folder
refused output "would overwrite a file that this command uses" -- $predict --output ./controls.h5ad
refused collides.h5ad obs/predicted_treatment "found a column with the name of a column that predictions add" -- \
    $predict --data collides.h5ad
refused nan.h5ad X "row 25, marker IdU: found NaN" -- $predict --data nan.h5ad --control O
refused max-cells "found 3, allowed more than 3, the neighbours of each cell in the encoder" -- $predict --max-cells 3
refused nowhere/new.h5ad "No such file" -- $evaluate --predictions nowhere/new.h5ad
refused folder "found a folder" -- $evaluate --predictions folder
refused predictions "would overwrite a file that this command uses" -- $evaluate --predictions good.h5ad

# Two ranks print the line once, whether the error occurs on one rank or on both.
for bad in "trian" "$train --steps 0" "$inspect text.h5ad" "$train --data nan.h5ad" "simulate screen --output folder" \
    "$train --output run" "$evaluate --output run/checkpoint.h5" "simulate letters --output run/config.cfg" \
    "$evaluate --output nowhere/new.h5" "$predict --treatment X" "$predict --data nan.h5ad --control O" \
    "$predict --output nowhere/new.h5ad"; do
    code=0
    ranks 2 1 $bad >out 2>err || code=$?
    [ "$code" != 0 ] || fail "exit code 0 on two ranks: $bad"
    [ "$(grep -c "^popflow: " err)" = 1 ] || fail "on two ranks, $bad: $(cat err)"
done

leftovers=$(find . -name '*.tmp' -o -name 'new.h5*')
[ -z "$leftovers" ] || fail "leftover files: $leftovers"
[ ! -e new/checkpoint.h5 ] || fail "a refused training wrote a checkpoint"
echo "every invalid input is refused in one line"

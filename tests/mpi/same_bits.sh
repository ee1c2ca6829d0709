#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The checkpoint after 50 steps is byte for byte the same on any number of ranks and threads, and so are a simulated
# screen, simulated letters and the scores.
# Usage: same_bits.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"

small_screen "$scratch/s.h5ad"
ranks 3 1 simulate screen --output "$scratch/three.h5ad" --patients 4 --cultures PDO,PDOF --treatments O,S,F --replicates 2 \
    --cells 60:200 --seed 3 >/dev/null 2>&1
cmp "$scratch/s.h5ad" "$scratch/three.h5ad" || fail "the simulated screen differs"

for coupling in random ot; do
    for shape in 1x1 1x2 2x1 3x1 4x1 2x2; do
        ranks "${shape%x*}" "${shape#*x}" train --data "$scratch/s.h5ad" --output "$scratch/$coupling$shape" --steps 50 \
            $small_model --coupling $coupling --precision fp32 2>/dev/null
        cmp "$scratch/${coupling}1x1/checkpoint.h5" "$scratch/$coupling$shape/checkpoint.h5" ||
            fail "$coupling: the checkpoint of $shape differs"
    done
done

# The same of products in bf16, where this CPU has them. Slots of 150 cells are more than one block of rows.
if ranks 1 1 train --data "$scratch/s.h5ad" --output "$scratch/bf1x1" --steps 30 $small_model --precision bf16 \
    2>"$scratch/err"; then
    grep -q '^precision = bf16$' "$scratch/bf1x1/config.cfg" || fail "the configuration does not say bf16"
    for shape in 1x2 2x1 3x2; do
        ranks "${shape%x*}" "${shape#*x}" train --data "$scratch/s.h5ad" --output "$scratch/bf$shape" --steps 30 \
            $small_model --precision bf16 2>/dev/null
        cmp "$scratch/bf1x1/checkpoint.h5" "$scratch/bf$shape/checkpoint.h5" || fail "bf16: the checkpoint of $shape differs"
    done
else
    grep -q '^popflow: precision: ' "$scratch/err" || fail "bf16: $(cat "$scratch/err")"
fi

# Letters: the file, and a training that turns, mirrors and mixes them.
letters="simulate letters --letters I,L,T,V --test-letters X,Y --rotations 3 --size 20 --seed 3"
ranks 1 1 $letters --output "$scratch/l.h5ad" >/dev/null 2>&1
ranks 3 1 $letters --output "$scratch/l3.h5ad" >/dev/null 2>&1
cmp "$scratch/l.h5ad" "$scratch/l3.h5ad" || fail "the letters differ"
for shape in 1x2 2x1 3x1; do
    ranks "${shape%x*}" "${shape#*x}" train --data "$scratch/l.h5ad" --output "$scratch/letters$shape" --steps 30 $small_model \
        --min-cells 1 --transform none --normalise no --split letters --cells 30 --augment rotate,reflect,mix \
        --coupling rows --modulation film --encoder-frequencies 4 2>/dev/null
    cmp "$scratch/letters1x2/checkpoint.h5" "$scratch/letters$shape/checkpoint.h5" ||
        fail "letters: the checkpoint of $shape differs"
done

# Two slots by one thread each, or one after the other by four.
for shape in 1x2 1x4; do
    ranks 1 "${shape#*x}" train --data "$scratch/s.h5ad" --output "$scratch/few$shape" --steps 20 $small_model --batch-pairs 2 \
        --cells 400 2>/dev/null
    cmp "$scratch/few1x2/checkpoint.h5" "$scratch/few$shape/checkpoint.h5" || fail "two slots: the checkpoint of $shape differs"
done

# Transport between the cells of all slots of a condition, which lie on several ranks; other contexts and another base.
for kind in "mfm --coupling ot --coupling-scope condition" "cgfm --coupling ot" "fm --base gaussian" \
    "mfm --base gaussian --coupling ot --coupling-scope condition"; do
    name=$(tr -d ' -' <<<"$kind")
    for shape in 1x2 2x1 3x1; do
        ranks "${shape%x*}" "${shape#*x}" train --data "$scratch/s.h5ad" --output "$scratch/$name$shape" \
            $small_model --steps 20 --method $kind 2>/dev/null
        cmp "$scratch/${name}1x2/checkpoint.h5" "$scratch/$name$shape/checkpoint.h5" ||
            fail "$kind: the checkpoint of $shape differs"
    done
done

# Networks that take turns; mfm with cached embeddings of pairs that lie on several ranks.
for turns in "icnn --condition treatment" "mfm --recipe paper --batch-pairs 4"; do
    name=turns_${turns%% *}
    for shape in 1x1 1x2 3x1; do
        ranks "${shape%x*}" "${shape#*x}" train --data "$scratch/s.h5ad" --output "$scratch/$name$shape" \
            $small_model --steps 25 --method $turns 2>/dev/null
        cmp "$scratch/${name}1x1/checkpoint.h5" "$scratch/$name$shape/checkpoint.h5" ||
            fail "$turns: the checkpoint of $shape differs"
    done
done

ranks 1 1 evaluate --run "$scratch/ot1x1" --output "$scratch/one.h5" >"$scratch/one.txt" 2>/dev/null
ranks 3 2 evaluate --run "$scratch/ot3x1" --output "$scratch/three.h5" >"$scratch/three.txt" 2>/dev/null
cmp "$scratch/one.txt" "$scratch/three.txt" || fail "the table differs"
for column in pair predictor w1 w2 mmd r2 energy r2_means w1_markers n_predicted n_target status; do
    h5diff "$scratch/one.h5" "$scratch/three.h5" "/pairs/$column" || fail "the scores differ in $column"
done
h5diff "$scratch/one.h5" "$scratch/three.h5" /embeddings || fail "the embeddings differ"
echo "same bits on 1, 2, 3 and 4 ranks"

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checkpoints, simulated screens, letters, shapes, supply and demand, and scores have the same bytes on any number of ranks and threads.
# Usage: same_bits.sh POPFLOW MPIEXEC
. "$(dirname "$0")/../support/scratch.sh"

small_screen "$scratch/s.h5ad"
ranks 3 1 simulate screen --output "$scratch/three.h5ad" --patients 4 --cultures PDO,PDOF --treatments O,S,F --replicates 2 \
    --cells 60:200 --seed 3 >/dev/null 2>&1
cmp "$scratch/s.h5ad" "$scratch/three.h5ad" || fail "the simulated screen differs"

# same NAME SHAPES OPTION...: trains on each RANKSxTHREADS of SHAPES and fails unless all checkpoints are equal.
same() {
    local name=$1 shapes=$2 first=${2%% *} shape
    shift 2
    for shape in $shapes; do
        ranks "${shape%x*}" "${shape#*x}" train --data "$scratch/s.h5ad" --output "$scratch/$name$shape" $small_model "$@" \
            2>/dev/null
        cmp "$scratch/$name$first/checkpoint.h5" "$scratch/$name$shape/checkpoint.h5" ||
            fail "$name: the checkpoint of $shape differs"
    done
}
for coupling in random ot; do
    same $coupling "1x1 1x2 2x1 3x1 4x1 2x2" --steps 50 --coupling $coupling --precision fp32
done

# Matrix products in bf16, if this CPU supports them. A slot of 150 cells has more than one block of rows.
if ranks 1 1 train --data "$scratch/s.h5ad" --output "$scratch/bf1x1" --steps 30 $small_model --precision bf16 \
    2>"$scratch/err"; then
    grep -q '^precision = bf16$' "$scratch/bf1x1/config.cfg" || fail "the configuration does not have precision bf16"
    same bf "1x2 2x1 3x2" --steps 30 --precision bf16
    cmp "$scratch/bf1x1/checkpoint.h5" "$scratch/bf1x2/checkpoint.h5" || fail "bf: the checkpoint of 1x1 differs"
    same bf_clouds "1x2 3x1" --steps 12 --method wfm --populations-per-slot 3 --cells 40 --attention-width 16 --precision bf16
    same bf_maps "1x2 3x1" --steps 12 --method meta-icnn --maps-per-slot 2 --cells 40 --map-hidden 16 --precision bf16
else
    grep -q '^popflow: precision: ' "$scratch/err" || fail "bf16: $(cat "$scratch/err")"
fi

# Letters: the file, and a training that rotates, mirrors and mixes them.
letters="simulate letters --letters I,L,T,V --test-letters X,Y --rotations 3 --size 20 --seed 3"
ranks 1 1 $letters --output "$scratch/l.h5ad" >/dev/null 2>&1
ranks 3 1 $letters --output "$scratch/l3.h5ad" >/dev/null 2>&1
cmp "$scratch/l.h5ad" "$scratch/l3.h5ad" || fail "the letters differ"

# Shapes: families with and without states and pairs.
for family in spiral superquadrics unpaired; do
    shapes="simulate shapes $family --populations 20 --test-populations 5 --cells 30:90 --seed 3"
    ranks 1 1 $shapes --output "$scratch/shapes.h5ad" >/dev/null 2>&1
    for shape in 1x3 3x2 4x1; do
        ranks "${shape%x*}" "${shape#*x}" $shapes --output "$scratch/shapes$shape.h5ad" >/dev/null 2>&1
        cmp "$scratch/shapes.h5ad" "$scratch/shapes$shape.h5ad" || fail "$family differs on $shape"
    done
done

# Supply and demand. The files have several blocks of rows.
supply="simulate supply-demand --instances 70 --supply 20 --demand 5000 --seed 3"
for n in 1 2 3; do
    ranks $n 1 $supply --output "$scratch/supply$n.h5ad" --target-output "$scratch/demand$n.h5ad" >/dev/null 2>&1
    for side in supply demand; do cmp "$scratch/${side}1.h5ad" "$scratch/$side$n.h5ad" || fail "$side differs on $n ranks"; done
done

same letters "1x2 3x1" --steps 30 --data "$scratch/l.h5ad" --min-cells 1 --transform none --normalise no --split letters \
    --cells 30 --augment rotate,reflect,mix --coupling rows --modulation film --encoder-frequencies 4

# Two threads process one slot each. Four threads process both slots one after the other.
same few "1x2 1x4" --steps 20 --batch-pairs 2 --cells 400

# Optimal transport between the cells of all slots of a condition, which are on several ranks. Also other contexts and a
# Gaussian base.
same condition "1x2 3x1" --steps 20 --coupling ot --coupling-scope condition
same noise_condition "1x2 3x1" --steps 20 --base gaussian --coupling ot --coupling-scope condition
same entropic "1x2 3x1" --steps 20 --coupling entropic:0.1 --coupling-rho 1
same cgfm "1x2 3x1" --steps 20 --method cgfm --coupling ot
same moments "1x2 4x1" --steps 20 --encoder moments --knn 100 --embedding 128 --encoder-hidden 128
same kernel_pca "1x2 3x1" --steps 20 --encoder kernel-pca:3 --knn 100 --embedding 128 --encoder-hidden 128
same fm_noise "1x2 3x1" --steps 20 --method fm --base gaussian

# Populations as Gaussians: from noise, from controls without and with pairs, and in principal components.
gaussians="--steps 20 --method bwfm --populations-per-slot 9 --gaussian-hidden 16"
same gaussians "1x1 2x2 3x1 4x1" $gaussians
same gaussians_latent "2x2 3x1" $gaussians --latent pca:5
same gaussians_batch "1x3 3x1" $gaussians --source control --outer batch
same gaussians_all "1x3 3x1" $gaussians --source control --pair-by patient --batch-pairs 2
same gaussians_known "1x1 3x1" $gaussians --source control --pairing known

# Populations as clouds: from noise, from controls with every outer coupling, from some of their own cells, and with pairs.
clouds="--steps 12 --method wfm --populations-per-slot 3 --cells 40 --attention-width 16 --attention-blocks 2 --attention-heads 2"
same clouds "1x1 2x2 3x1 4x1" $clouds --attention-frequencies 4 --inner-noise 0.2
same clouds_modulation "1x1 2x2 3x1" $clouds --attention-condition modulation
same clouds_latent "2x2 3x1" $clouds --latent pca:5
same clouds_batch "1x3 3x1" $clouds --source control --outer batch --outer-distance bures
same clouds_all "1x3 3x1" $clouds --source control --pair-by patient --batch-pairs 2 --outer-cells 50
same clouds_random "1x1 3x1" $clouds --source control --outer none --coupling random
same clouds_subset "1x1 2x1" $clouds --source subset:20
same clouds_known "1x3 3x1" $clouds --source control --pairing known

# Problems between populations.
maps="--steps 12 --method meta-icnn --map-units 16 --map-hidden 16 --map-embedding 8 --map-encoder-hidden 8 --maps-per-slot 2 --cells 40"
same maps "1x1 2x2 3x1 4x1" $maps
same maps_histogram "2x2 3x1" $maps --map-inputs histogram --map-bins 4 --latent pca:3
same maps_labels "1x1 2x2" $maps --map-problems labels --map-pool 50 --latent pca:5

# Alternating updates. mfm caches the embeddings of pairs that are on several ranks.
same icnn "1x1 1x2 3x1" --steps 25 --method icnn --condition treatment
same mean_shift "1x2 4x1" --method mean-shift
same moment_map "1x2 4x1" --method moment-map
same moment_map_linear "2x2 3x1" --method moment-map --moment-kernel linear
same latent "1x2 2x1 4x1" --steps 20 --method fm --latent pca:3
same latent_moment_map "1x1 3x1" --method moment-map --latent pca:3 --normalise no
same alternating "1x1 1x2 3x1" --steps 25 --recipe paper --batch-pairs 4

ranks 1 1 evaluate --run "$scratch/ot1x1" --output "$scratch/one.h5" >"$scratch/one.txt" 2>/dev/null
ranks 3 2 evaluate --run "$scratch/ot3x1" --output "$scratch/three.h5" >"$scratch/three.txt" 2>/dev/null
cmp "$scratch/one.txt" "$scratch/three.txt" || fail "the table differs"
for column in pair predictor w1 w2 mmd r2 energy r2_means w1_markers mmd_scaled change_correlation recall_top n_predicted n_target status; do
    h5diff "$scratch/one.h5" "$scratch/three.h5" "/pairs/$column" || fail "the scores differ in $column"
done
h5diff "$scratch/one.h5" "$scratch/three.h5" /embeddings || fail "the embeddings differ"
echo "same bits on 1, 2, 3 and 4 ranks"

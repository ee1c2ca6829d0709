# SPDX-License-Identifier: MIT
# Sourced by scripts/sweep.sh and the files of slurm/: which runs a sweep has and how far each one is.
# A sweep is `[--seeds 1,2,3] [--output FOLDER] CONFIG... [-- OPTION...]`: one run for each configuration and seed, in
# FOLDER/TABLE/NAME/seedN where TABLE and NAME are folder and name of the configuration; the options behind -- go to
# every run.

# parse_sweep ARGUMENT...: sets sweep_seeds, sweep_output, sweep_configs and sweep_options, with absolute paths.
parse_sweep() {
    sweep_seeds=(1 2 3)
    sweep_output=runs
    sweep_configs=()
    sweep_options=()
    while [ $# -gt 0 ]; do
        case $1 in
            --seeds) IFS=, read -r -a sweep_seeds <<<"${2:?--seeds needs a list such as 1,2,3}" && shift ;;
            --output) sweep_output=${2:?--output needs a folder} && shift ;;
            --)
                shift
                sweep_options=("$@")
                break
                ;;
            -*)
                echo "sweep: unknown option '$1'; options of popflow go behind --" >&2
                return 2
                ;;
            *)
                [ -r "$1" ] || {
                    echo "sweep: cannot read the configuration '$1'" >&2
                    return 2
                }
                sweep_configs+=("$(realpath "$1")")
                ;;
        esac
        shift
    done
    [ ${#sweep_configs[@]} -gt 0 ] || {
        echo "sweep: no configuration; give some, such as configs/letters/*.cfg" >&2
        return 2
    }
    local seed
    for seed in "${sweep_seeds[@]}"; do
        [[ $seed =~ ^[0-9]+$ ]] || {
            echo "sweep: seed '$seed' is not a whole number" >&2
            return 2
        }
    done
    sweep_output=$(realpath -m "$sweep_output")
}

# Seeds vary slowest: a sweep that is cut short has whole tables.
sweep_size() {
    echo $((${#sweep_configs[@]} * ${#sweep_seeds[@]}))
}

# sweep_run INDEX: sets run_config, run_seed and run_folder.
sweep_run() {
    run_config=${sweep_configs[$1 % ${#sweep_configs[@]}]}
    run_seed=${sweep_seeds[$1 / ${#sweep_configs[@]}]}
    local name
    name=$(basename "$run_config" .cfg)
    run_folder=$sweep_output/$(basename "$(dirname "$run_config")")/$name/seed$run_seed
}

# run_state FOLDER: complete, started or new. Files of a run are renamed into place: one that is there is whole.
run_state() {
    if [ -e "$1/results.h5" ]; then
        echo complete
    elif [ -e "$1/checkpoint.h5" ]; then
        echo started
    else
        echo new
    fi
}

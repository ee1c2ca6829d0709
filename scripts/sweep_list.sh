# SPDX-License-Identifier: MIT
# Sourced by scripts/sweep.sh and the files of slurm/. Lists the runs of a sweep and the state of each.
# Arguments of a sweep: `[--seeds 1,2,3] [--output FOLDER] CONFIG... [-- OPTION...]`. A sweep has one run for each
# configuration and seed, in FOLDER/TABLE/NAME/seedN. TABLE is the folder of the configuration file, NAME its name without
# .cfg. The options after -- are passed to every run.

# parse_sweep ARGUMENT...: sets sweep_seeds, sweep_output, sweep_configs and sweep_options. Makes paths absolute.
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
                echo "sweep: unknown option '$1'. Options of popflow must follow --" >&2
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
        echo "sweep: no configuration given. Name one or more, for example configs/letters/*.cfg" >&2
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

# sweep_size: prints the number of runs.
sweep_size() {
    echo $((${#sweep_configs[@]} * ${#sweep_seeds[@]}))
}

# sweep_run INDEX: sets run_config, run_seed and run_folder. The seed varies slowest, so that a sweep that was cut short has
# complete tables for the first seeds.
sweep_run() {
    run_config=${sweep_configs[$1 % ${#sweep_configs[@]}]}
    run_seed=${sweep_seeds[$1 / ${#sweep_configs[@]}]}
    local name
    name=$(basename "$run_config" .cfg)
    run_folder=$sweep_output/$(basename "$(dirname "$run_config")")/$name/seed$run_seed
}

# run_state FOLDER: prints complete, started or new. popflow renames finished files into place, so an existing file is
# complete.
run_state() {
    if [ -e "$1/results.h5" ]; then
        echo complete
    elif [ -e "$1/checkpoint.h5" ]; then
        echo started
    else
        echo new
    fi
}

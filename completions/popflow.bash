# Completion of popflow in bash. Written by `popflow help --bash`.
_popflow() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} option
    local -a options=() values=()
    if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W "run train evaluate predict report inspect doctor import metrics simulate help --help --version" -- "$word"))
        return
    fi
    case ${COMP_WORDS[1]} in
    run) options=('--config=F.cfg' '--output=PATH' '--log-seconds=X' '--data=F.h5ad' '--column=ROLE=NAME' '--control=LABELS' '--pair-by=COLUMNS' '--min-cells=N' '--doses=highest|all' '--transform=T' '--markers=NAMES' '--exclude-markers=NAMES' '--exclude=COL=VAL[,COL=VAL]' '--split=S' '--split-seed=N' '--recipe=popflow|paper' '--method=fm|cgfm|mfm|icnn' '--treatment-vectors=F.csv' '--condition=none|treatment' '--base=source|gaussian' '--knn=N' '--hidden=N' '--layers=N' '--embedding=N' '--embedding-norm=X' '--modulation=none|film' '--encoder-hidden=N' '--encoder-layers=N' '--encoder-activation=relu|none' '--time-frequencies=N' '--time-highest=X' '--time-max-period=X' '--space-frequencies=N' '--space-scale=X' '--encoder-frequencies=N' '--encoder-scale=X' '--icnn-hidden=N' '--icnn-layers=N' '--icnn-start=identity|uniform' '--steps=N' '--batch-pairs=N' '--cells=N' '--seed=N' '--updates=joint|alternate' '--loss=full|reduced' '--icnn-inner-steps=N' '--coupling=random|ot|rows|rows-ot' '--coupling-scope=pair|condition' '--augment=NAMES' '--augment-until=X' '--normalise=no|yes' '--rate=X' '--schedule=constant|cosine' '--warmup-steps=N' '--clip-norm=X' '--ema-decay=X' '--beta1=X' '--beta2=X' '--epsilon=X' '--precision=auto|fp32|bf16' '--cache=auto|memory|FOLDER' '--checkpoint-every=N' '--checkpoint-minutes=X' '--keep-checkpoints=N' '--on-nan=stop|skip' '--log-every=N' '--stop-after=N' '--resume' '--dry-run' '--max-cells=N|all' '--eval-draw=random|first' '--eval-seed=N' '--tolerance=X' '--space=raw|arcsinh|normalised' '--parts=PARTS' '--train-eval-pairs=N' '--metrics=NAMES' '--sinkhorn-epsilon=X' '--sinkhorn-rho=X' '--sample-pairs=N' '--sample-cells=N' '--sample=NAMES' '--predictions=P.h5ad' ) ;;
    train) options=('--config=F.cfg' '--output=PATH' '--log-seconds=X' '--data=F.h5ad' '--column=ROLE=NAME' '--control=LABELS' '--pair-by=COLUMNS' '--min-cells=N' '--doses=highest|all' '--transform=T' '--markers=NAMES' '--exclude-markers=NAMES' '--exclude=COL=VAL[,COL=VAL]' '--split=S' '--split-seed=N' '--recipe=popflow|paper' '--method=fm|cgfm|mfm|icnn' '--treatment-vectors=F.csv' '--condition=none|treatment' '--base=source|gaussian' '--knn=N' '--hidden=N' '--layers=N' '--embedding=N' '--embedding-norm=X' '--modulation=none|film' '--encoder-hidden=N' '--encoder-layers=N' '--encoder-activation=relu|none' '--time-frequencies=N' '--time-highest=X' '--time-max-period=X' '--space-frequencies=N' '--space-scale=X' '--encoder-frequencies=N' '--encoder-scale=X' '--icnn-hidden=N' '--icnn-layers=N' '--icnn-start=identity|uniform' '--steps=N' '--batch-pairs=N' '--cells=N' '--seed=N' '--updates=joint|alternate' '--loss=full|reduced' '--icnn-inner-steps=N' '--coupling=random|ot|rows|rows-ot' '--coupling-scope=pair|condition' '--augment=NAMES' '--augment-until=X' '--normalise=no|yes' '--rate=X' '--schedule=constant|cosine' '--warmup-steps=N' '--clip-norm=X' '--ema-decay=X' '--beta1=X' '--beta2=X' '--epsilon=X' '--precision=auto|fp32|bf16' '--cache=auto|memory|FOLDER' '--checkpoint-every=N' '--checkpoint-minutes=X' '--keep-checkpoints=N' '--on-nan=stop|skip' '--log-every=N' '--stop-after=N' '--resume' '--dry-run' ) ;;
    evaluate) options=('--config=F.cfg' '--output=PATH' '--log-seconds=X' '--data=F.h5ad' '--column=ROLE=NAME' '--control=LABELS' '--pair-by=COLUMNS' '--min-cells=N' '--doses=highest|all' '--transform=T' '--markers=NAMES' '--exclude-markers=NAMES' '--exclude=COL=VAL[,COL=VAL]' '--split=S' '--split-seed=N' '--resume' '--run=RUN' '--max-cells=N|all' '--eval-draw=random|first' '--eval-seed=N' '--tolerance=X' '--space=raw|arcsinh|normalised' '--parts=PARTS' '--train-eval-pairs=N' '--metrics=NAMES' '--sinkhorn-epsilon=X' '--sinkhorn-rho=X' '--sample-pairs=N' '--sample-cells=N' '--sample=NAMES' '--predictions=P.h5ad' ) ;;
    predict) options=('--config=F.cfg' '--output=PATH' '--log-seconds=X' '--data=F.h5ad' '--column=ROLE=NAME' '--control=LABELS' '--pair-by=COLUMNS' '--min-cells=N' '--doses=highest|all' '--transform=T' '--markers=NAMES' '--exclude-markers=NAMES' '--exclude=COL=VAL[,COL=VAL]' '--run=RUN' '--max-cells=N|all' '--eval-draw=random|first' '--eval-seed=N' '--tolerance=X' '--space=raw|arcsinh|normalised' '--treatment=NAMES' '--concentration=NUMBERS' '--times=NUMBERS' ) ;;
    report) options=('--config=F.cfg' '--output=PATH' '--log-seconds=X' '--watch=RUN' '--format=F' '--published=TABLE' ) ;;
    inspect) options=('--config=F.cfg' '--data=F.h5ad' '--column=ROLE=NAME' '--control=LABELS' '--pair-by=COLUMNS' '--min-cells=N' '--doses=highest|all' '--transform=T' '--markers=NAMES' '--exclude-markers=NAMES' '--exclude=COL=VAL[,COL=VAL]' '--split=S' '--split-seed=N' '--json' ) ;;
    doctor) options=('--output=FOLDER' ) ;;
    import) options=('--config=F.cfg' '--output=F.h5ad' '--sheet=S.csv' '--file-column=NAME' '--cells=F.csv' '--obs=NAMES' '--markers=NAMES' '--exclude-markers=NAMES' '--marker-names=stain|channel' '--compensate=no|yes' ) ;;
    metrics) options=('--config=F.cfg' '--transform=T' '--markers=NAMES' '--exclude-markers=NAMES' '--seed=N' '--max-cells=N|all' '--metrics=NAMES' '--sinkhorn-epsilon=X' '--sinkhorn-rho=X' '--json' ) ;;
    simulate) options=(letters screen '--config=F.cfg' '--output=F.h5ad' '--seed=N' '--letters=NAMES' '--test-letters=NAMES' '--rotations=N' '--noise=X' '--jitter=X' '--font=FILE' '--size=N' '--config=F.cfg' '--output=F.h5ad' '--seed=N' '--patients=N' '--cultures=NAMES' '--treatments=NAMES' '--replicates=N' '--dose-levels=N' '--cyclin-b1=no|yes' '--cells=MIN:MAX' '--failed-wells=X' '--pairs=N' ) ;;
    esac
    for option in "${options[@]}"; do
        [ "${option%%=*}" = "$before" ] && [ "$option" != "$before" ] || continue
        for option in $(printf '%s' "${option#*=}" | tr '|' ' '); do
            case $option in *[A-Z]*) ;; *) values+=("$option") ;; esac
        done
        [ "${#values[@]}" -lt 2 ] || COMPREPLY=($(compgen -W "${values[*]}" -- "$word"))
        return
    done
    for option in "${options[@]}"; do
        [[ $word != -* && $option == -* ]] || values+=("${option%%=*}")
    done
    [ "${#values[@]}" = 0 ] || COMPREPLY=($(compgen -W "${values[*]}" -- "$word"))
}
complete -o default -F _popflow popflow

// SPDX-License-Identifier: MIT
#include "options/other_names.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace popflow::options {

namespace {

constexpr const char* on_cpus =
    "popflow computes on CPUs: set the number of ranks with mpirun -n and of threads with OMP_NUM_THREADS";
constexpr const char* steps_advice =
    "a step takes --batch-pairs pairs, and popflow train --dry-run prints the epochs";
constexpr const char* role_advice = "name the obs column of a role with --column ROLE=NAME";

constexpr OtherName names[] = {
    // input and output
    {"adata", "data", ""},
    {"adata-path", "data", ""},
    {"anndata", "data", ""},
    {"data-path", "data", ""},
    {"dataset", "data", ""},
    {"file", "data", ""},
    {"h5ad", "data", ""},
    {"input", "data", ""},
    {"input-file", "data", ""},
    {"train-data", "data", ""},
    {"default-root-dir", "output", ""},
    {"dirpath", "output", ""},
    {"log-dir", "output", ""},
    {"out", "output", ""},
    {"outdir", "output", ""},
    {"output-dir", "output", ""},
    {"out-dir", "output", ""},
    {"output-file", "output", ""},
    {"results-dir", "output", ""},
    {"save-dir", "output", ""},
    {"save-path", "output", ""},
    {"work-dir", "output", ""},
    {"checkpoint", "run", ""},
    {"checkpoint-path", "run", ""},
    {"ckpt", "run", ""},
    {"ckpt-path", "run", ""},
    {"model", "run", ""},
    {"model-dir", "run", ""},
    {"model-path", "run", ""},
    {"model-type", "method", ""},
    {"architecture", "method", ""},
    {"model-name", "method", ""},
    {"cfg", "config", ""},
    {"config-file", "config", ""},
    {"config-path", "config", ""},
    {"hparams", "config", ""},
    {"restart", "resume", ""},
    {"resume-from-checkpoint", "resume", "it continues the training in --output"},
    {"overwrite", nullptr, "popflow does not overwrite a run: choose another --output, or remove the folder"},
    {"force", nullptr, "popflow does not overwrite a run: choose another --output, or remove the folder"},
    // training
    {"epochs", "steps", steps_advice},
    {"max-epochs", "steps", steps_advice},
    {"n-epochs", "steps", steps_advice},
    {"num-epochs", "steps", steps_advice},
    {"n-epochs-kl-warmup", "warmup-steps", ""},
    {"iterations", "steps", ""},
    {"max-steps", "steps", ""},
    {"n-iter", "steps", ""},
    {"n-iters", "steps", ""},
    {"n-steps", "steps", ""},
    {"num-iterations", "steps", ""},
    {"num-steps", "steps", ""},
    {"num-train-steps", "steps", ""},
    {"total-steps", "steps", ""},
    {"train-steps", "steps", ""},
    {"alpha", "rate", ""},
    {"learning-rate", "rate", ""},
    {"lr", "rate", ""},
    {"step-size", "rate", ""},
    {"batch", "batch-pairs", "--cells is the number of cells of each population"},
    {"batch-size", "batch-pairs", "--cells is the number of cells of each population"},
    {"train-batch-size", "batch-pairs", "--cells is the number of cells of each population"},
    {"accumulate-grad-batches", "batch-pairs", ""},
    {"n-cells", "cells", ""},
    {"lr-schedule", "schedule", ""},
    {"lr-scheduler", "schedule", ""},
    {"scheduler", "schedule", ""},
    {"warmup", "warmup-steps", ""},
    {"lr-warmup", "warmup-steps", ""},
    {"num-warmup-steps", "warmup-steps", ""},
    {"clip-grad", "clip-norm", ""},
    {"grad-clip", "clip-norm", ""},
    {"gradient-clip-val", "clip-norm", ""},
    {"max-grad-norm", "clip-norm", ""},
    {"ema", "ema-decay", ""},
    {"eps", "epsilon", ""},
    {"random-seed", "seed", ""},
    {"random-state", "seed", ""},
    {"seed-everything", "seed", ""},
    {"amp", "precision", ""},
    {"fp16", "precision", ""},
    {"bf16", "precision", ""},
    {"mixed-precision", "precision", ""},
    {"dtype", "precision", ""},
    {"checkpoint-interval", "checkpoint-every", ""},
    {"every-n-train-steps", "checkpoint-every", ""},
    {"save-every", "checkpoint-every", ""},
    {"save-freq", "checkpoint-every", ""},
    {"save-top-k", "keep-checkpoints", ""},
    {"log-every-n-steps", "log-every", ""},
    {"log-interval", "log-every", ""},
    {"logging-steps", "log-every", ""},
    {"valid-freq", "checkpoint-every", ""},
    {"early-stopping", "patience", "it needs a validation, as with --validation N"},
    {"early-stopping-patience", "patience", "it needs a validation, as with --validation N"},
    {"load-best-model-at-end", "keep", "--keep best takes the weights of the best check"},
    {"save-best-only", "keep", "--keep best takes the weights of the best check"},
    {"val-size", "validation", "it is a number of units, for example patients"},
    {"validation-size", "validation", "it is a number of units, for example patients"},
    {"fast-dev-run", "dry-run", ""},
    {"dryrun", "dry-run", ""},
    {"optimizer", nullptr, "popflow trains with Adam, see --rate, --beta1, --beta2 and --epsilon"},
    {"weight-decay", nullptr, "popflow trains with Adam without weight decay"},
    {"accelerator", nullptr, on_cpus},
    {"cuda", nullptr, on_cpus},
    {"cpus", nullptr, on_cpus},
    {"device", nullptr, on_cpus},
    {"devices", nullptr, on_cpus},
    {"gpu", nullptr, on_cpus},
    {"gpus", nullptr, on_cpus},
    {"n-gpus", nullptr, on_cpus},
    {"n-jobs", nullptr, on_cpus},
    {"no-cuda", nullptr, on_cpus},
    {"num-nodes", nullptr, on_cpus},
    {"num-threads", nullptr, on_cpus},
    {"num-workers", nullptr, on_cpus},
    {"dl-num-workers", nullptr, on_cpus},
    {"strategy", nullptr, on_cpus},
    {"threads", nullptr, on_cpus},
    {"use-cuda", nullptr, on_cpus},
    {"use-gpu", nullptr, on_cpus},
    {"workers", nullptr, on_cpus},
    {"wandb", nullptr, "popflow writes training.csv and log.txt, and popflow report --watch RUN draws them"},
    {"logger", nullptr, "popflow writes training.csv and log.txt, and popflow report --watch RUN draws them"},
    {"tensorboard", nullptr,
     "popflow writes training.csv and log.txt, and popflow report --watch RUN draws them"},
    // model
    {"dim", "hidden", ""},
    {"hidden-dim", "hidden", ""},
    {"hidden-dims", "hidden", ""},
    {"hidden-size", "hidden", ""},
    {"hidden-units", "hidden", ""},
    {"n-hidden", "hidden", ""},
    {"units", "hidden", ""},
    {"width", "hidden", ""},
    {"depth", "layers", ""},
    {"n-layers", "layers", ""},
    {"num-layers", "layers", ""},
    {"embedding-dim", "embedding", ""},
    {"emb-dim", "embedding", ""},
    {"latent-dim", "embedding", ""},
    {"n-latent", "embedding", ""},
    {"k", "knn", ""},
    {"n-neighbors", "knn", ""},
    {"n-neighbours", "knn", ""},
    {"neighbors", "knn", ""},
    {"neighbours", "knn", ""},
    {"ot", "coupling", ""},
    {"match-fn", "coupling", ""},
    // data
    {"condition-key", "column", role_advice},
    {"control-key", "control", "it takes the labels of the controls"},
    {"ctrl", "control", ""},
    {"vehicle", "control", ""},
    {"reference", "control", "it takes the labels of the controls"},
    {"batch-key", "column", role_advice},
    {"cell-type-key", "column", role_advice},
    {"celltype-key", "column", role_advice},
    {"donor", "column", role_advice},
    {"drug", "column", role_advice},
    {"dose", "column", role_advice},
    {"labels-key", "column", role_advice},
    {"perturbation-covariates", "column", role_advice},
    {"perturbation-key", "column", role_advice},
    {"sample-covariates", "pair-by", ""},
    {"split-covariates", "pair-by", ""},
    {"sample-key", "column", role_advice},
    {"treatment-key", "column", role_advice},
    {"genes", "markers", ""},
    {"features", "markers", ""},
    {"channels", "markers", ""},
    {"var-names", "markers", ""},
    {"holdout", "split", ""},
    {"hold-out", "split", ""},
    {"test-size", "split", ""},
    {"train-size", "split", ""},
    {"validation-split", "split", ""},
    {"cofactor", "transform", "write --transform arcsinh:COFACTOR"},
    {"arcsinh", "transform", "write --transform arcsinh:COFACTOR"},
    {"log1p", "transform", "write --transform log1p"},
    {"scale", "normalise", ""},
    {"normalize", "normalise", ""},
    {"standardize", "normalise", ""},
    {"covariates", "column", role_advice},
    {"condition-embeddings", "treatment-vectors", ""},
    {"perturbation-covariate-reps", "treatment-vectors", ""},
    {"embeddings", "treatment-vectors", ""},
    // evaluation and prediction
    {"metric", "metrics", ""},
    {"n-samples", "max-cells", ""},
    {"max-cells-per-condition", "max-cells", ""},
    {"atol", "tolerance", ""},
    {"rtol", "tolerance", ""},
    {"target", "treatment", ""},
};

bool contains(const std::vector<std::string>& list, const std::string& name) {
    return std::ranges::find(list, name) != list.end();
}

}  // namespace

std::span<const OtherName> other_names() {
    return names;
}

std::string option_advice(const std::string& name, const std::vector<std::string>& known) {
    std::string plain = core::lower_case(name.substr(name.rfind('.') + 1));
    std::ranges::replace(plain, '_', '-');
    if (contains(known, plain)) return " (did you mean '" + plain + "'?)";
    const auto* const at =
        std::ranges::find_if(names, [&](const OtherName& other) { return plain == other.name; });
    if (at != std::end(names) && at->option == nullptr) return ": " + std::string(at->advice);
    if (at != std::end(names) && contains(known, at->option)) {
        return ". popflow has --" + std::string(at->option) + " instead" +
               (*at->advice == '\0' ? "" : ": " + std::string(at->advice));
    }
    return core::did_you_mean(plain, known);
}

}  // namespace popflow::options

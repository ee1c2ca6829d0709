// SPDX-License-Identifier: MIT
#include "options/defaults.hpp"

#include "core/error.hpp"

namespace popflow::options {

namespace {

// Throws if `found`: the method does not use the value, so the stored configuration would be wrong.
void refuse_if(bool found, const std::string& option, const std::string& value, const std::string& allowed,
               const RunConfig& config) {
    if (!found) return;
    throw core::ConfigError(option, "found '" + value + "', allowed " + allowed + " with method " +
                                        models::method_name(config.method));
}

void check_combinations(const RunConfig& config) {
    const bool icnn = config.method == models::Method::icnn;
    refuse_if(icnn && config.train.base == train::Base::gaussian, "base", "gaussian", "source", config);
    refuse_if(icnn && config.train.coupling == train::Coupling::ot, "coupling", "ot", "random", config);
    refuse_if(icnn && config.train.coupling == train::Coupling::rows, "coupling", "rows", "random", config);
    refuse_if(icnn && config.train.coupling == train::Coupling::rows_ot, "coupling", "rows-ot", "random",
              config);
    if (config.train.coupling_scope == train::CouplingScope::condition &&
        !train::uses_optimal_transport(config.train.coupling)) {
        throw core::ConfigError("coupling-scope", "found 'condition', which needs --coupling ot or rows-ot");
    }
    refuse_if(icnn && config.model.loss == models::Loss::reduced, "loss", "reduced", "full", config);
    refuse_if(!icnn && config.condition == PotentialInput::none, "condition", "none", "treatment", config);
    refuse_if(config.method != models::Method::mfm && config.model.updates == models::Updates::alternate,
              "updates", "alternate", "joint", config);
}

}  // namespace

void apply_defaults(RunConfig& config, const std::set<std::string>& given) {
    const auto set = [&](const char* option, auto& field, auto value) {
        if (!given.contains(option)) field = value;
    };
    const bool paper = config.recipe == Recipe::paper;
    const bool icnn = config.method == models::Method::icnn;
    const bool mfm = config.method == models::Method::mfm;
    const train::TrainOptions popflow;
    const models::FlowMatchingShape shape;
    train::TrainOptions& train = config.train;
    const bool published_optimiser = paper || icnn;
    set("batch-pairs", train.batch_pairs, paper ? 1 : popflow.batch_pairs);
    set("rate", train.rate, published_optimiser ? 1e-4 : popflow.rate);
    set("schedule", train.schedule, published_optimiser ? train::Schedule::constant : popflow.schedule);
    set("warmup-steps", train.warmup_steps, published_optimiser ? 0 : popflow.warmup_steps);
    set("clip-norm", train.clip_norm, published_optimiser ? 0 : popflow.clip_norm);
    set("ema-decay", train.adam.ema_decay, published_optimiser ? 0 : popflow.adam.ema_decay);
    set("beta1", train.adam.beta1, icnn ? 0.5 : popflow.adam.beta1);
    set("beta2", train.adam.beta2, icnn ? 0.9 : popflow.adam.beta2);
    // The authors couple control and treated cells by transport. A Gaussian base is not coupled.
    const bool published_coupling = paper && !mfm && !icnn && train.base == train::Base::source;
    set("coupling", train.coupling, published_coupling ? train::Coupling::ot : popflow.coupling);
    set("condition", config.condition, icnn ? PotentialInput::none : PotentialInput::treatment);
    set("icnn-start", config.icnn.start, paper ? models::IcnnStart::uniform : models::IcnnStart::identity);
    set("updates", config.model.updates, paper && mfm ? models::Updates::alternate : models::Updates::joint);
    set("loss", config.model.loss,
        paper && !icnn && train.base == train::Base::source ? models::Loss::reduced : models::Loss::full);
    set("encoder-activation", config.model.encoder.activation,
        paper ? models::EncoderActivation::none : models::EncoderActivation::relu);
    set("encoder-frequencies", config.model.encoder.frequencies, paper ? 0 : shape.encoder.frequencies);
    set("time-highest", config.model.time_highest, paper ? 1 : shape.time_highest);
    set("precision", config.precision, paper ? PrecisionChoice::fp32 : PrecisionChoice::automatic);
    set("eval-draw", config.evaluate.draw, paper ? predict::Draw::first : predict::Draw::random);
    check_combinations(config);
}

}  // namespace popflow::options

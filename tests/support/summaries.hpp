// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eval/results.hpp"

namespace popflow::support {

/// Adds the mean of a model over one part and aggregation; every metric has the value.
inline void add_scope(eval::Results& results, const std::string& part, const std::string& aggregation,
                      double value) {
    const h5::DataFrame& old = results.summary;
    h5::DataFrame table;
    const auto longer = [](auto column, const auto& last) {
        column.push_back(last);
        return column;
    };
    table.add("part", longer(old.strings("part"), part));
    table.add("predictor", longer(old.strings("predictor"), std::string("model")));
    table.add("aggregation", longer(old.strings("aggregation"), aggregation));
    table.add("n_pairs", longer(old.ints("n_pairs"), std::int64_t{4}));
    table.add("n_failed", longer(old.ints("n_failed"), std::int64_t{0}));
    for (const std::string& name : metrics::default_metric_names())
        table.add(name, longer(old.doubles(name), value));
    results.summary = table;
}

/// Results of MFM with 100 neighbours and of the noise floor over 8 test pairs of one culture. The model has
/// this W2, MMD 0.0125 and else 0.5; the floor has 0.25.
inline eval::Results result_of_seed(std::uint64_t seed, double w2) {
    eval::Results results;
    results.file = "seed" + std::to_string(seed) + ".h5";
    results.provenance.method = "mfm";
    results.provenance.base = "source";
    results.provenance.knn = 100;
    results.provenance.seed = seed;
    results.provenance.steps = 30;
    results.provenance.split = "replica";
    results.provenance.config =
        "seed = " + std::to_string(seed) + "\neval-seed = 0\nmax-cells = 80\nhidden = 64\n";
    h5::DataFrame table;
    table.add("part", h5::DataFrame::Strings{"test", "test"});
    table.add("predictor", h5::DataFrame::Strings{"model", "noise_floor"});
    table.add("aggregation", h5::DataFrame::Strings{"culture_mean", "culture_mean"});
    table.add("n_pairs", h5::DataFrame::Ints{8, 8});
    table.add("n_failed", h5::DataFrame::Ints{0, 0});
    for (const std::string& name : metrics::default_metric_names()) {
        table.add(name, h5::DataFrame::Doubles{name == "w2" ? w2 : name == "mmd" ? 0.0125 : 0.5, 0.25});
    }
    results.summary = table;
    return results;
}

}  // namespace popflow::support

// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "eval/results.hpp"

namespace popflow::support {

/// Appends the mean of the model over one part and aggregation to the summary. Sets every metric to `value`.
inline void add_scope(eval::Results& results, const std::string& part, const std::string& aggregation,
                      double value) {
    const h5::DataFrame& old = results.summary;
    h5::DataFrame table;
    const auto appended = [](auto column, const auto& last) {
        column.push_back(last);
        return column;
    };
    table.add("part", appended(old.strings("part"), part));
    table.add("predictor", appended(old.strings("predictor"), std::string("model")));
    table.add("aggregation", appended(old.strings("aggregation"), aggregation));
    table.add("n_pairs", appended(old.ints("n_pairs"), std::int64_t{4}));
    table.add("n_failed", appended(old.ints("n_failed"), std::int64_t{0}));
    for (const std::string& name : metrics::default_metric_names())
        table.add(name, appended(old.doubles(name), value));
    results.summary = table;
}

/// Returns results of MFM with 100 neighbours and of the noise floor over 8 test pairs of one culture. The
/// model has the given W2, an MMD of 0.0125 and 0.5 for all other metrics. The noise floor has 0.25 for all
/// metrics.
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

// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "eval/results.hpp"
#include "metrics/metric.hpp"

namespace popflow::support {

/// Labels of one row of a table of pairs.
struct PairLabels {
    std::size_t patient;  ///< 0, 1, ...
    std::string culture;
    std::string treatment;
    std::string predictor;
};

/// Dimensions of screen_results().
struct ScreenSize {
    std::size_t patients = 8;
    std::vector<std::string> cultures{"A"};
    std::vector<std::string> treatments{"T"};
    std::vector<std::string> predictors{"model", "identity", "mean_shift", "noise_floor"};
};

/// Returns results with the split patient:P0 and one test pair for each patient, culture and treatment.
/// @param score  distance of a row. Metrics whose higher values are better are 1 - distance / 10
inline eval::Results screen_results(std::uint64_t seed, const ScreenSize& size,
                                    const std::function<double(const PairLabels&)>& score) {
    eval::Results results;
    results.file = "seed" + std::to_string(seed) + ".h5";
    results.provenance.method = "mfm";
    results.provenance.base = "source";
    results.provenance.knn = 5;
    results.provenance.seed = seed;
    results.provenance.steps = 30;
    results.provenance.split = "patient:P0";
    results.provenance.config = "seed = " + std::to_string(seed) + "\neval-seed = 0\nmax-cells = 80\n";
    h5::DataFrame::Strings pair, patient, culture, treatment, predictor;
    std::vector<double> distances;
    for (std::size_t p = 0; p < size.patients; ++p) {
        for (const std::string& c : size.cultures) {
            for (const std::string& t : size.treatments) {
                for (const std::string& name : size.predictors) {
                    patient.push_back("P" + std::to_string(p));
                    culture.push_back(c);
                    treatment.push_back(t);
                    predictor.push_back(name);
                    pair.push_back(patient.back() + " / " + c + " / " + t);
                    distances.push_back(score({p, c, t, name}));
                }
            }
        }
    }
    const std::size_t n = pair.size();
    h5::DataFrame pairs;
    pairs.add_categorical("pair", std::move(pair));
    pairs.add_categorical("part", h5::DataFrame::Strings(n, "test"));
    pairs.add_categorical("patient", std::move(patient));
    pairs.add_categorical("culture", std::move(culture));
    pairs.add_categorical("treatment", std::move(treatment));
    pairs.add_categorical("concentration", h5::DataFrame::Strings(n, ""));
    pairs.add_categorical("predictor", std::move(predictor));
    for (const metrics::Metric& metric : metrics::all_metrics()) {
        if (!metric.is_default) continue;
        std::vector<double> values = distances;
        if (metric.direction == metrics::Direction::higher_is_better) {
            for (double& v : values) v = 1 - v / 10;
        }
        pairs.add(metric.name, std::move(values));
    }
    pairs.add_categorical("status", h5::DataFrame::Strings(n, "ok"));
    pairs.add("message", h5::DataFrame::Strings(n, ""));
    results.pairs = std::move(pairs);
    results.summary = eval::summarise(results.pairs);
    return results;
}

}  // namespace popflow::support

// SPDX-License-Identifier: MIT
#include "eval/predicted_start.hpp"

#include <cmath>
#include <memory>

#include "core/error.hpp"
#include "ot/gaussian_start.hpp"
#include "predict/run_model.hpp"

namespace popflow::eval {

namespace {

using linalg::Matrix;

// A trained model that predicts potentials.
struct Predictor {
    explicit Predictor(const std::string& run)
        : checkpoint(predict::read_run(run)), model(checkpoint.model()) {}
    train::Checkpoint checkpoint;
    std::unique_ptr<models::Model> model;
};

// Returns whether two sets of positions are the same, up to the rounding to floats.
bool are_equal(const Matrix<float>& trained, const Matrix<double>& positions) {
    if (trained.rows() != positions.rows() || trained.cols() != positions.cols()) return false;
    for (std::size_t i = 0; i < trained.rows(); ++i) {
        for (std::size_t k = 0; k < trained.cols(); ++k) {
            const double difference = std::fabs(static_cast<double>(trained(i, k)) - positions(i, k));
            if (!(difference <= 1e-6 * (1 + std::fabs(positions(i, k))))) return false;
        }
    }
    return true;
}

void check_atoms(const std::string& run, const models::Constants& constants,
                 const problems::ProblemSet& problems) {
    if (problems.has_histograms() &&
        are_equal(constants.matrices.at("source_positions"), problems.source_positions()) &&
        are_equal(constants.matrices.at("target_positions"), problems.target_positions()))
        return;
    throw core::ConfigError("start",
                            "the run '" + run +
                                "' was trained on other atoms. Give a run of histograms over the same "
                                "positions");
}

std::vector<ot::Potentials> predict_all(const Predictor& predictor, const problems::ProblemSet& problems,
                                        std::span<const std::size_t> chosen) {
    const models::DualPredictor& dual = *predictor.model->dual_predictor();
    std::vector<models::HistogramPair> pairs;
    for (const std::size_t p : chosen)
        pairs.push_back({&problems.source_histogram(p), &problems.target_histogram(p)});
    Matrix<float> residual(pairs.size(), problems.costs().rows());
    dual.predict(predictor.checkpoint.adam.average, pairs, residual.view());
    std::vector<ot::Potentials> potentials(pairs.size());
    for (std::size_t k = 0; k < pairs.size(); ++k) {
        const std::vector<std::uint32_t>& atoms = pairs[k].source->atoms;
        std::vector<double>& f = potentials[k].f;
        if (dual.adds_gaussian()) f = gaussian_potentials(problems, chosen[k]);
        f.resize(atoms.size());
        for (std::size_t i = 0; i < atoms.size(); ++i) f[i] += static_cast<double>(residual(k, atoms[i]));
    }
    return potentials;
}

}  // namespace

ProblemStart predicted_start(const std::string& run, const problems::ProblemSet& problems) {
    const auto predictor = std::make_shared<const Predictor>(run);
    if (predictor->model->dual_predictor() == nullptr)
        throw core::ConfigError("start", "the run '" + run + "' has the method '" +
                                             predictor->checkpoint.family->name() +
                                             "', which predicts no potentials. Give a run of meta-ot");
    check_atoms(run, predictor->checkpoint.constants, problems);
    ProblemStart start{.name = run, .fingerprint = train::checkpoint_digest(predictor->checkpoint)};
    start.make_all = [predictor](const problems::ProblemSet& set, std::span<const std::size_t> chosen) {
        return predict_all(*predictor, set, chosen);
    };
    return start;
}

}  // namespace popflow::eval

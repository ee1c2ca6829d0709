// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/screen.hpp"
#include "data/splits.hpp"
#include "eval/evaluator.hpp"
#include "h5/dataframe.hpp"

namespace popflow::eval {

/// Where results come from; written as attributes of the file's root.
struct Provenance {
    std::string method;  ///< fm, cgfm, mfm, icnn
    std::string base;    ///< source, gaussian
    std::size_t knn = 0;
    std::uint64_t seed = 0;
    std::uint64_t steps = 0;
    std::string split{};
    std::string precision{};
    std::string config{};  ///< resolved configuration
    std::string data_fingerprint{};
    int ranks = 1;
    int threads = 1;
    std::string version{};  ///< of the program that wrote the file; known once read
    std::string commit{};
    std::string recipe = "popflow";       ///< or paper
    std::string condition = "treatment";  ///< what the model knows of the treatment; or none
};

/// A result file in memory.
struct Results {
    std::string file{};  ///< that it was read from; empty if it was not
    Provenance provenance;
    h5::DataFrame pairs;       ///< one row per (pair, predictor)
    h5::DataFrame summary{};   ///< one row per (part, predictor, aggregation)
    h5::DataFrame training{};  ///< as in the run folder; may be without rows
    std::vector<std::string>
        embedding_names{};  ///< row names of `/pairs` of the model, one per row of `embeddings`
    linalg::Matrix<float> embeddings{};
    std::vector<std::string> markers{};  ///< columns of `samples`
    std::vector<CellSample> samples{};   ///< cells of some pairs, for pictures; may be none
};

/// Table of an evaluation: pair part patient culture treatment concentration replicate plate predictor, the
/// metrics, n_predicted n_target status message seconds rank.
h5::DataFrame pairs_frame(const data::Screen& screen, const data::Split& split, const Evaluation& evaluation);

/// Means over the pairs that did not fail: part predictor aggregation n_pairs n_failed, the metrics.
///
/// Aggregation `culture_mean` is the published one, the mean within each culture, then over cultures;
/// `pair_mean` is flat; `culture:NAME` is one culture. A metric that is not defined for a pair is left out of
/// its mean.
h5::DataFrame summarise(const h5::DataFrame& pairs);

/// `TREATMENT @ CONCENTRATION`, or the treatment alone if the concentration is empty.
std::string condition_name(const std::string& treatment, const std::string& concentration);
/// Name of a pair in tables: its pairing values, treatment and concentration.
std::string pair_name(const data::Screen& screen, std::size_t pair);

/// Tries whether a file can be made there, without leaving one. @throws core::DataError
void check_writable(const std::string& path);

/// Writes to a temporary name and renames. @throws core::DataError if there cannot be such a file,
/// core::WriteError if it cannot be written
void write_results(const std::string& path, const Results& results);
/// @throws core::DataError
Results read_results(const std::string& path);

}  // namespace popflow::eval

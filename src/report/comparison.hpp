// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "eval/results.hpp"

namespace popflow::report {

/// A score over the seeds of a row: one value per seed, in the order in which they were met.
class SeedStatistics {
  public:
    /// A score that is not defined (NaN) is left out.
    void add(double value);
    const std::vector<double>& values() const { return values_; }
    /// NaN without a value.
    double mean() const;
    /// Standard deviation of the sample, sum (x - mean)^2 / (n - 1); exactly 0 if all are equal, NaN below
    /// two values.
    double deviation() const;

  private:
    std::vector<double> values_;
};

/// What is averaged: a part of the split and an aggregation of `/summary`.
using Scope = std::pair<std::string, std::string>;

/// Scores of a row in one scope.
struct RowScores {
    std::int64_t n_pairs = 0;   ///< of the last seed
    std::int64_t n_failed = 0;  ///< of all seeds
    std::map<std::string, SeedStatistics> by_metric;
};

/// Of a row of icnn that sees the treatment.
inline constexpr const char* treatment_variant = " + treatment";

/// One line of a comparison: a model trained with several seeds, or a baseline.
struct ComparisonRow {
    std::string predictor;  ///< of predictor_names()
    std::string method{};   ///< of a model; empty for a baseline
    std::string base{};
    std::size_t knn = 0;                 ///< of mfm
    std::string variant{};               ///< ` + treatment` of icnn, ` (paper)` of the published recipe
    std::string differs{};               ///< `steps=500, rate=0.01`: where it differs from others of its kind
    std::vector<std::uint64_t> seeds{};  ///< training seeds, each once
    std::map<Scope, RowScores> scores{};
    std::vector<std::size_t> results{};  ///< indices of the result files that are in it

    bool is_model() const { return predictor == "model"; }
    /// `MFM k=100 w/ N`, `noise_floor`; with `differs` in brackets.
    std::string label() const;
    /// nullptr if the row was not scored there.
    const SeedStatistics* find(const Scope& scope, const std::string& metric) const;
};

/// Result files that scored the same split of the same data, whose rows may be compared.
struct Comparison {
    std::string split;
    std::string data_fingerprint;
    std::vector<ComparisonRow> rows{};   ///< in the order of the published tables, then the baselines
    std::vector<std::string> notes{};    ///< one line each: what a reader of the table has to know
    std::vector<std::size_t> results{};  ///< indices of its result files

    /// Scopes that any row has: by part (test, train, validation), each culture_mean, culture:..., pair_mean.
    std::vector<Scope> scopes() const;
    /// Most seeds of a row.
    std::size_t seeds() const;
};

/// Puts result files together: one comparison per split and data, in the order in which they were met.
///
/// Runs that differ in the seed alone make one row. Other options in which runs of one method, base and k
/// differ make rows of their own that name them. A run that is there twice counts once. Files that differ in
/// what is scored
/// (`max-cells`, the data options) or in the build that wrote them get a note.
std::vector<Comparison> compare(const std::vector<eval::Results>& results);

}  // namespace popflow::report

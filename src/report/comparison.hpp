// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/option_effect.hpp"
#include "eval/results.hpp"
#include "report/role_columns.hpp"

namespace popflow::report {

/// Mean and standard deviation of a score over seeds. Has one value per seed, in the order of add().
class SeedStatistics {
  public:
    /// Adds the score of a seed. Ignores an undefined score (NaN).
    void add(double value);
    const std::vector<double>& values() const { return values_; }
    /// Mean, NaN without values.
    double mean() const;
    /// Sample standard deviation, sqrt(sum (x - mean)^2 / (n - 1)). Exactly 0 if all values are equal, NaN
    /// for fewer than two values.
    double deviation() const;

  private:
    std::vector<double> values_;
};

/// Part of the split and aggregation of `/summary` that a mean is over.
using Scope = std::pair<std::string, std::string>;

/// Scores of a row in one scope.
struct RowScores {
    std::int64_t n_pairs = 0;   ///< number of pairs of the last seed
    std::int64_t n_failed = 0;  ///< number of failed scores of all seeds
    std::map<std::string, SeedStatistics> by_metric;
    std::vector<std::size_t> results{};  ///< indices of the result files that the scores come from
};

/// ComparisonRow::variant of a row whose method can ignore the treatment, and does not.
inline constexpr const char* treatment_variant = " + treatment";

/// Returns the fixed encoder that describes the populations to a model, as `--encoder` has it. Empty if it is
/// learned, or if the method has none.
std::string fixed_encoder_of(const predict::Provenance& provenance);

/// One line of a comparison: a model trained with several seeds, or a baseline.
struct ComparisonRow {
    std::string predictor;  ///< name of one of eval::predictors()
    std::string method{};   ///< method of a model, empty for a baseline
    std::string base{};
    std::size_t knn = 0;                 ///< neighbours of mfm with a learned encoder
    std::string encoder{};               ///< fixed encoder of mfm, see fixed_encoder_of()
    std::string variant{};               ///< treatment_variant, ` (paper)` (published recipe)
    std::string differs{};               ///< `steps=500, rate=0.01`: differences from similar rows
    std::vector<std::uint64_t> seeds{};  ///< training seeds, each once
    std::map<Scope, RowScores> scores{};
    std::vector<std::size_t> results{};  ///< indices of the result files of the row

    bool is_model() const { return predictor == "model"; }
    /// Label in tables, for example `MFM k=100 w/ N` or `noise_floor`, followed by `differs` in parentheses.
    std::string label() const;
    /// Returns the number of neighbours, empty for a model without a graph.
    std::string knn_text() const;
    /// Returns the statistics of a metric, nullptr if the row has no score in this scope.
    const SeedStatistics* find(const Scope& scope, const std::string& metric) const;
};

/// Result files of the same split of the same data, whose rows can be compared.
struct Comparison {
    std::string split;
    std::string data_fingerprint;
    std::vector<ComparisonRow> rows{};   ///< in the order of the published tables, then the baselines
    std::vector<std::string> notes{};    ///< notes for the reader of a table, one line each
    std::vector<std::size_t> results{};  ///< indices of the result files
    RoleColumns columns{};               ///< obs columns of the roles of the first file
    eval::Grouping grouping{};           ///< column of the groups of the first file
    bool has_latent = false;             ///< whether a model maps its predictions back from a latent space

    /// Scopes of all rows, by part (test, train, validation), then culture_mean, the groups in natural order,
    /// pair_mean.
    std::vector<Scope> scopes() const;
    /// Maximum number of seeds of a model row.
    std::size_t seeds() const;
};

/// Groups result files: one comparison per split and data, in the order of the files.
///
/// - Runs that differ only in the seed form one row.
/// - Runs of one method, base and k form separate rows if other options differ. The label names the options.
/// - A run that occurs twice counts once.
/// - Notes report different scored cells (`max-cells`, the data options) and different builds of the program.
/// @param effects  effects of the options in the configurations of the results. An unknown option
/// distinguishes rows.
std::vector<Comparison> compare(const std::vector<eval::Results>& results,
                                const core::OptionEffects& effects);

}  // namespace popflow::report

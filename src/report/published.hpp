// SPDX-License-Identifier: MIT
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/comparison.hpp"

namespace popflow::report {

/// Published mean and standard deviation of a score.
struct PublishedValue {
    double mean = std::numeric_limits<double>::quiet_NaN();
    std::optional<double> deviation{};
};

/// Published results, one row per method, base and k.
///
/// The CSV file has the columns method, base, knn (empty without a graph), then `PART_METRIC` and
/// `PART_METRIC_std`:
/// - PART: train, validation or test, or test_NAME for one culture.
/// - METRIC: one of metrics::metric_names(). The suffix `_e3` means that the values are multiplied by 1000.
class PublishedTable {
  public:
    /// Parses a CSV text.
    /// @param name  name of the file in messages
    /// @throws core::DataError for a missing column, a row with another number of cells than columns, or a
    /// cell that is not a number
    static PublishedTable parse(const std::string& csv, const std::string& name);
    /// Loads one of builtin_names(), or else a file.
    /// @throws core::ConfigError for an unreadable file, core::DataError as parse()
    static PublishedTable load(const std::string& name_or_path);
    /// Names of the built-in tables: letters, organoid_patient, organoid_replica.
    /// Source: Atanackovic et al., arXiv 2408.14608.
    static std::vector<std::string> builtin_names();

    /// Source of the values, for a note under the table.
    const std::string& source() const { return source_; }
    /// Returns the published value of a score in the units of `/summary`, if there is one. There are values
    /// for models in the scopes culture_mean and culture:NAME.
    std::optional<PublishedValue> find(const ComparisonRow& row, const Scope& scope,
                                       const std::string& metric) const;

  private:
    static PublishedTable read(const std::string& path);
    static void check_columns(const std::vector<std::string>& columns, const std::string& name);
    void add_row(const std::vector<std::string>& columns, const std::vector<std::string>& cells,
                 bool has_comma, const std::string& place);

    std::string source_;
    std::map<std::string, std::map<std::string, PublishedValue>>
        rows_;  ///< method,base,knn -> column -> value
};

}  // namespace popflow::report

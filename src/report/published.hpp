// SPDX-License-Identifier: MIT
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "report/comparison.hpp"

namespace popflow::report {

/// A score that somebody else reported.
struct PublishedValue {
    double mean = std::numeric_limits<double>::quiet_NaN();
    std::optional<double> deviation{};
};

/// Reported results, one row per method, base and k.
///
/// As CSV: columns method, base, knn (empty without a graph), then `PART_METRIC` and `PART_METRIC_std`, where
/// PART is train, validation or test, or test_NAME for one culture, and METRIC is one of metric_names();
/// `_e3` behind it says that the figures are times 1000.
class PublishedTable {
  public:
    /// @param name  of the file, for messages. @throws core::DataError for a missing column, another number
    /// of cells than of columns, or a cell that is not a number
    static PublishedTable parse(const std::string& csv, const std::string& name);
    /// One of builtin_names(), or else a file. @throws core::ConfigError, core::DataError
    static PublishedTable load(const std::string& name_or_path);
    /// letters, organoid_patient, organoid_replica: the tables of Atanackovic et al., arXiv 2408.14608.
    static std::vector<std::string> builtin_names();

    /// Where the figures are from, for a line under the table.
    const std::string& source() const { return source_; }
    /// In the units of `/summary`. Only models have published figures, only the scopes culture_mean and
    /// culture:NAME.
    std::optional<PublishedValue> find(const ComparisonRow& row, const Scope& scope,
                                       const std::string& metric) const;

  private:
    std::string source_;
    std::map<std::string, std::map<std::string, PublishedValue>>
        rows_;  ///< method,base,knn -> column -> figure
};

}  // namespace popflow::report

// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::screen {

/// What is known of each treatment ahead of the screen: a vector of numbers, as a fingerprint of its
/// molecule, its targets, or what a combination is made of. A model that sees the vector instead of the name
/// can be asked about a treatment that it was not trained on.
class TreatmentVectors {
  public:
    TreatmentVectors() = default;
    /// @param values  [treatments, features]
    TreatmentVectors(std::vector<std::string> names, linalg::Matrix<float> values);
    /// Reads a CSV file: a column `treatment`, all others features. The vectors are scaled by one factor that
    /// makes the mean of their squared lengths 1, the length that a one-hot has.
    /// @throws core::DataError for a file, a row or a value that is not so
    static TreatmentVectors read(const std::string& path);

    bool empty() const { return names_.empty(); }
    /// Length of a vector.
    std::size_t features() const { return values_.cols(); }
    const std::vector<std::string>& names() const { return names_; }
    const linalg::Matrix<float>& values() const { return values_; }
    /// The vector of a treatment; of `A+B` that has none of its own the sum of those of A and B. Nothing if
    /// one is not known.
    std::optional<std::vector<float>> of(const std::string& treatment) const;

  private:
    bool add(const std::string& name, std::vector<float>& sum) const;

    std::vector<std::string> names_;
    linalg::Matrix<float> values_;
};

}  // namespace popflow::screen

// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace popflow::screen {

/// Feature vectors of treatments, known before the screen: for example a fingerprint of the molecule, its
/// targets, or the components of a combination. A model that receives the vector instead of a one-hot can
/// predict a treatment that it was not trained on.
class TreatmentVectors {
  public:
    TreatmentVectors() = default;
    /// @param values  [treatments, features]
    TreatmentVectors(std::vector<std::string> names, linalg::Matrix<float> values);
    /// Reads a CSV file with a column `treatment`. All other columns are features. Scales all vectors by one
    /// factor so that their mean squared length is 1, the squared length of a one-hot.
    /// @throws core::DataError if the file cannot be read, or for an invalid row or value
    static TreatmentVectors read(const std::string& path);

    bool empty() const { return names_.empty(); }
    /// Length of a vector.
    std::size_t features() const { return values_.cols(); }
    const std::vector<std::string>& names() const { return names_; }
    /// Vectors as rows, [treatments, features].
    const linalg::Matrix<float>& values() const { return values_; }
    /// Returns the vector of a treatment. A combination `A+B` without its own vector has the sum of the
    /// vectors of A and B. Returns nullopt if a vector is unknown.
    std::optional<std::vector<float>> find(const std::string& treatment) const;

  private:
    /// Adds the vector of a treatment to `sum`. Returns false if it is unknown.
    bool add(const std::string& name, std::vector<float>& sum) const;

    std::vector<std::string> names_;
    linalg::Matrix<float> values_;
};

}  // namespace popflow::screen

// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "data/screen.hpp"

namespace popflow::data {

/// The treatments, and with `--doses all` their concentrations, that a model was trained on, and the vector c
/// that tells the model which one a pair has.
///
/// c is the one-hot of the treatment. With doses it is [one-hot | one-hot * level], level in (0, 1]: the i-th
/// of n concentrations seen in training has level i/n, and one between two of them lies between their levels
/// in proportion to its logarithm.
class Conditions {
  public:
    /// One treatment and the concentrations that were seen, ascending (empty without doses).
    struct Treatment {
        std::string name;
        std::vector<double> concentrations;
    };

    Conditions() = default;
    Conditions(std::vector<Treatment> treatments, Doses doses)
        : treatments_(std::move(treatments)), doses_(doses) {}
    /// Those of some pairs of a screen, in the order of their names.
    static Conditions of_pairs(const Screen& screen, std::span<const std::size_t> pairs);

    const std::vector<Treatment>& treatments() const { return treatments_; }
    Doses doses() const { return doses_; }
    /// Length of c.
    std::size_t size() const { return treatments_.size() * (doses_ == Doses::all ? 2 : 1); }
    /// c of a population. @throws core::Error for a treatment that was not trained on
    std::vector<float> encode(const Population& treated) const;

    /// Number of distinct conditions: treatments, or (treatment, concentration).
    std::size_t count() const;
    /// Which of them a population has; an unseen concentration counts as the nearest one seen, on the log
    /// scale.
    std::size_t index(const Population& treated) const;

  private:
    std::size_t treatment_index(const std::string& name) const;

    std::vector<Treatment> treatments_;
    Doses doses_ = Doses::highest;
};

}  // namespace popflow::data

// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "screen/screen.hpp"
#include "screen/treatment_vectors.hpp"

namespace popflow::screen {

/// The treatments, and with `--doses all` their concentrations, that a model was trained on, and the vector c
/// that tells the model which one a pair has.
///
/// c is the one-hot of the treatment. With doses it is [one-hot | one-hot * level], level in (0, 1]: the i-th
/// of n concentrations seen in training has level i/n, and one between two of them lies between their levels
/// in proportion to its logarithm. With vectors of treatments the vector is in the place of the one-hot, and
/// the concentrations are those that were seen of any treatment, so that c is known of treatments and doses
/// that were not trained on.
class Conditions {
  public:
    /// One treatment and the concentrations that were seen, ascending (empty without doses).
    struct Treatment {
        std::string name;
        std::vector<double> concentrations;
    };

    Conditions() = default;
    Conditions(std::vector<Treatment> treatments, Doses doses, TreatmentVectors vectors = {});
    /// Those of some pairs of a screen, in the order of their names.
    static Conditions from_pairs(const Screen& screen, std::span<const std::size_t> pairs,
                                 TreatmentVectors vectors = {});

    const std::vector<Treatment>& treatments() const { return treatments_; }
    Doses doses() const { return doses_; }
    const TreatmentVectors& vectors() const { return vectors_; }
    /// Length of c.
    std::size_t size() const { return length() * (doses_ == Doses::all ? 2 : 1); }
    /// c of a population. @throws core::Error for a treatment that was not trained on and has no vector
    std::vector<float> encode(const Population& treated) const;
    /// Whether c of a treatment is known.
    bool knows(const std::string& treatment) const;
    /// @throws core::Error unless knows()
    void require(const std::string& treatment) const;
    /// The concentrations that the level of a treatment goes by, ascending.
    const std::vector<double>& concentrations(const std::string& treatment) const;

    /// Number of distinct conditions: treatments, or (treatment, concentration).
    std::size_t count() const;
    /// Which of them a population has; an unseen concentration counts as the nearest one seen, on the log
    /// scale. Nothing for a treatment that was not trained on.
    std::optional<std::size_t> index(const Population& treated) const;

  private:
    std::size_t length() const { return vectors_.empty() ? treatments_.size() : vectors_.features(); }
    std::optional<std::size_t> treatment_index(const std::string& name) const;
    std::vector<float> vector_of(const std::string& treatment) const;

    std::vector<Treatment> treatments_;
    Doses doses_ = Doses::highest;
    TreatmentVectors vectors_;
    std::vector<double> all_concentrations_;  ///< with vectors: of any treatment
};

}  // namespace popflow::screen

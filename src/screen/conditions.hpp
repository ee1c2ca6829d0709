// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/dose.hpp"
#include "screen/screen.hpp"
#include "screen/treatment_vectors.hpp"

namespace popflow::screen {

/// Encoder of treatments and doses: maps a population to the condition vector c of the model.
///
/// Holds the treatments that a model was trained on, and with `--doses all` their concentrations.
///
///   - Default: c = one-hot of the treatment.
///   - With doses: c = [one-hot | level * one-hot] with level in (0, 1]. The i-th of n training
///     concentrations has level i/n. Between two of them the level is interpolated linearly in the
///     logarithm of the concentration.
///   - With treatment vectors: the vector of the treatment replaces the one-hot. The training concentrations
///     are those of all treatments together. Treatments and doses that were not trained on can then be
///     encoded.
class Conditions {
  public:
    /// One treatment and its training concentrations, ascending (empty without doses).
    struct Treatment {
        std::string name;
        std::vector<double> concentrations;
        /// Without doses, the concentration of all its training pairs, empty if they have several or none.
        std::string highest{};
        /// Vehicle that the role vehicle gives all its training pairs, empty if they have several or none.
        std::string vehicle{};
    };

    Conditions() = default;
    /// @param dose_quantity  quantity of the concentrations, in core::unit_name() of it
    Conditions(std::vector<Treatment> treatments, Doses doses, TreatmentVectors vectors = {},
               core::Quantity dose_quantity = core::Quantity::number);
    /// Collects the treatments of the given pairs of a screen, sorted by name.
    static Conditions from_pairs(const Screen& screen, std::span<const std::size_t> pairs,
                                 TreatmentVectors vectors = {});

    const std::vector<Treatment>& treatments() const { return treatments_; }
    Doses doses() const { return doses_; }
    /// Quantity of the training concentrations. `number` if they had no unit.
    core::Quantity dose_quantity() const { return dose_quantity_; }
    const TreatmentVectors& vectors() const { return vectors_; }
    /// Length of c.
    std::size_t size() const { return code_length() * (doses_ == Doses::all ? 2 : 1); }
    /// Returns c of a population.
    /// @throws core::Error for a treatment that was not trained on and has no vector
    std::vector<float> encode(const Population& treated) const;
    /// Returns whether a treatment can be encoded.
    bool can_encode(const std::string& treatment) const;
    /// Checks that a treatment can be encoded. @throws core::Error if it cannot
    void require(const std::string& treatment) const;
    /// Returns the concentrations that define the levels of a treatment, ascending.
    const std::vector<double>& concentrations(const std::string& treatment) const;

    /// Number of distinct conditions: treatments, or (treatment, concentration).
    std::size_t count() const;
    /// Index of the condition of a population in [0, count()). An unseen concentration counts as the nearest
    /// training concentration on the log scale. Returns nullopt for a treatment that was not trained on.
    std::optional<std::size_t> index(const Population& treated) const;

  private:
    std::size_t code_length() const { return vectors_.empty() ? treatments_.size() : vectors_.features(); }
    std::optional<std::size_t> treatment_index(const std::string& name) const;
    std::vector<float> treatment_code(const std::string& treatment) const;

    std::vector<Treatment> treatments_;
    Doses doses_ = Doses::highest;
    core::Quantity dose_quantity_ = core::Quantity::number;
    TreatmentVectors vectors_;
    std::vector<double> all_concentrations_;  ///< concentrations of all treatments; empty without vectors
};

}  // namespace popflow::screen

// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"
#include "models/population_statistics.hpp"

namespace popflow::models {

/// Matrices that a fixed encoder computes from the training populations, by name.
using EncoderConstants = std::map<std::string, linalg::Matrix<double>>;

/// Encoder of a population that has no weights: its context is a fixed function of statistics of the cells.
class FixedEncoder {
  public:
    virtual ~FixedEncoder() = default;
    /// Length of the context.
    virtual std::size_t size() const = 0;
    /// Overwrites the context of a population. Thread-safe.
    ///
    /// Shape: context [size()].
    virtual void encode(const PopulationStatistics& population, std::span<double> context) const = 0;
};

/// Sizes of the populations that an encoder is fitted to.
struct EncoderData {
    std::size_t populations = 0;  ///< number of training populations
    std::size_t markers = 0;
    std::size_t cell_types = 0;  ///< number of cell types, 0 if all cells have one type
};

/// Kind of fixed encoder. models/fixed_encoders.hpp lists all of them.
class FixedEncoderKind {
  public:
    virtual ~FixedEncoderKind() = default;

    /// Name of the encoder, as in `--encoder NAME`.
    virtual std::string name() const = 0;
    /// One line for the help of `--encoder`.
    virtual std::string summary() const = 0;
    /// Default number N of components in `NAME:N`, 0 if the encoder has no such number.
    virtual std::size_t default_components() const { return 0; }

    /// Returns constants with the shapes that fit() gives for populations that differ enough, for a model
    /// that does not predict.
    virtual EncoderConstants placeholder(const EncoderData& data, std::size_t components) const = 0;
    /// Computes the constants from the training populations. Each of them counts once.
    /// @throws core::ConfigError if the populations are too few or do not differ
    virtual EncoderConstants fit(std::span<const PopulationStatistics> populations,
                                 std::size_t components) const = 0;
    /// Makes the encoder with these constants. `data.populations` is not used.
    /// @throws core::ShapeMismatch if a constant is missing, has another shape or an invalid value
    virtual std::unique_ptr<const FixedEncoder> make(const EncoderConstants& constants,
                                                     const EncoderData& data) const = 0;
};

/// Returns a constant. @throws core::ShapeMismatch if it is missing
const linalg::Matrix<double>& require_constant(const EncoderConstants& constants, const std::string& name);

/// Checks that an encoder tells the training populations apart.
/// @param is_constant  whether all features are constant over them
/// @throws core::ConfigError{encoder} if they are
void check_populations_differ(bool is_constant, const std::string& encoder, std::size_t populations);

/// Standardisation of features: (x - centre) / scale. A feature that is constant over the training
/// populations has the scale 0, and its standardised value is 0.
///
/// Its constants are `centre` and `scale`, [1, p] each.
class Standardisation {
  public:
    /// Computes the constants: means and standard deviations (divisor n) of the columns. A standard deviation
    /// of less than 1e-6 is that of a constant, relative to the mean if this is above 1.
    ///
    /// Shape: features [n, p].
    static void fit(linalg::ConstMatrixView<double> features, EncoderConstants& constants);
    /// @throws core::ShapeMismatch if the constants are not those of p features
    Standardisation(const EncoderConstants& constants, std::size_t p);

    /// Standardises in place. Shape: features [p].
    void apply(std::span<double> features) const;
    /// Whether all features are constant.
    bool is_constant() const;

  private:
    linalg::Matrix<double> centre_;
    linalg::Matrix<double> scale_;
};

}  // namespace popflow::models

// SPDX-License-Identifier: MIT
#include "models/moments_encoder.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace popflow::models {

using linalg::Matrix;

namespace {

// Overwrites [mean | log standard deviation | type shares].
void write_features(const PopulationStatistics& population, double offset, std::span<double> features) {
    const std::size_t d = population.mean.size();
    core::check_shape("encoder.features", 1, features.size(), 1, 2 * d + population.type_shares.size());
    std::ranges::copy(population.mean, features.begin());
    for (std::size_t j = 0; j < d; ++j) {
        // Both are 0 if all training populations are constant.
        const double deviation = population.deviation[j] + offset;
        features[d + j] = deviation > 0 ? std::log(deviation) : 0;
    }
    std::ranges::copy(population.type_shares, features.begin() + std::ssize(population.mean) * 2);
}

class MomentsEncoder : public FixedEncoder {
  public:
    MomentsEncoder(const EncoderConstants& constants, std::size_t size)
        : size_(size), standardisation_(constants, size) {
        const Matrix<double>& offset = require_constant(constants, "offset");
        core::check_shape("encoder.offset", offset.rows(), offset.cols(), 1, 1);
        offset_ = offset(0, 0);
    }
    std::size_t size() const override { return size_; }
    void encode(const PopulationStatistics& population, std::span<double> context) const override {
        write_features(population, offset_, context);
        standardisation_.apply(context);
    }

  private:
    std::size_t size_;
    Standardisation standardisation_;
    double offset_ = 0;
};

class MomentsKind : public FixedEncoderKind {
  public:
    std::string name() const override { return "moments"; }
    std::string summary() const override {
        return "mean and log standard deviation of each marker, standardised over the training populations";
    }
    EncoderConstants placeholder(const EncoderData& data, std::size_t /*components*/) const override {
        const std::size_t size = 2 * data.markers + data.cell_types;
        return {{"centre", Matrix<double>(1, size)},
                {"scale", Matrix<double>(1, size)},
                {"offset", Matrix<double>(1, 1)}};
    }
    EncoderConstants fit(std::span<const PopulationStatistics> populations,
                         std::size_t /*components*/) const override {
        const std::size_t d = populations.front().mean.size();
        Matrix<double> offset(1, 1);
        for (const PopulationStatistics& population : populations) {
            for (const double deviation : population.deviation)
                offset(0, 0) += deviation * relative_offset / static_cast<double>(d * populations.size());
        }
        Matrix<double> features(populations.size(), 2 * d + populations.front().type_shares.size());
        for (std::size_t i = 0; i < populations.size(); ++i)
            write_features(populations[i], offset(0, 0), features.view().row_span(i));
        EncoderConstants constants;
        Standardisation::fit(features, constants);
        constants["offset"] = std::move(offset);
        check_populations_differ(Standardisation(constants, features.cols()).is_constant(), name(),
                                 populations.size());
        return constants;
    }
    std::unique_ptr<const FixedEncoder> make(const EncoderConstants& constants,
                                             const EncoderData& data) const override {
        return std::make_unique<const MomentsEncoder>(constants, 2 * data.markers + data.cell_types);
    }
};

}  // namespace

const FixedEncoderKind* moments_encoder() {
    static const MomentsKind kind;
    return &kind;
}

}  // namespace popflow::models

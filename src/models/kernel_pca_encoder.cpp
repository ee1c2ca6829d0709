// SPDX-License-Identifier: MIT
#include "models/kernel_pca_encoder.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "linalg/kernel_components.hpp"
#include "models/model.hpp"

namespace popflow::models {

using linalg::Matrix;

namespace {

// Returns [mean | type shares].
std::vector<double> features_of(const PopulationStatistics& population) {
    std::vector<double> features = population.mean;
    features.insert(features.end(), population.type_shares.begin(), population.type_shares.end());
    return features;
}

class KernelPcaEncoder : public FixedEncoder {
  public:
    KernelPcaEncoder(const EncoderConstants& constants, std::size_t p)
        : standardisation_(constants, p),
          points_(require_constant(constants, "points")),
          weights_(require_constant(constants, "weights")),
          offset_(require_constant(constants, "offset")) {
        const Matrix<double>& width = require_constant(constants, "width");
        core::check_shape("encoder.width", width.rows(), width.cols(), 1, 1);
        core::check_shape("encoder.points", points_.rows(), points_.cols(), points_.rows(), p);
        core::check_shape("encoder.weights", weights_.rows(), weights_.cols(), points_.rows(),
                          weights_.cols());
        core::check_shape("encoder.offset", offset_.rows(), offset_.cols(), 1, weights_.cols());
        if (weights_.cols() > max_width)
            throw core::ShapeMismatch("encoder.weights", "at most " + std::to_string(max_width) + " columns",
                                      weights_.rows(), weights_.cols());
        width_ = width(0, 0);
        if (!(width_ > 0)) throw core::ShapeMismatch("encoder.width", "[1, 1] with a positive number", 1, 1);
    }
    std::size_t size() const override { return weights_.cols(); }
    void encode(const PopulationStatistics& population, std::span<double> context) const override {
        core::check_shape("encoder.context", 1, context.size(), 1, size());
        std::vector<double> features = features_of(population);
        standardisation_.apply(features);
        const std::vector<double> kernel = linalg::gaussian_kernel(points_, features, width_);
        for (std::size_t c = 0; c < context.size(); ++c) {
            context[c] = -offset_(0, c);
            for (std::size_t i = 0; i < kernel.size(); ++i) context[c] += kernel[i] * weights_(i, c);
        }
    }

  private:
    Standardisation standardisation_;
    Matrix<double> points_;
    Matrix<double> weights_;
    Matrix<double> offset_;
    double width_ = 0;
};

class KernelPcaKind : public FixedEncoderKind {
  public:
    std::string name() const override { return "kernel-pca"; }
    std::string summary() const override {
        return "N kernel principal components of the means (default 8), which stay bounded far from the "
               "training "
               "populations";
    }
    std::size_t default_components() const override { return 8; }

    EncoderConstants placeholder(const EncoderData& data, std::size_t components) const override {
        const std::size_t p = data.markers + data.cell_types;
        const std::size_t size = std::min(components, std::max<std::size_t>(data.populations, 1) - 1);
        Matrix<double> width(1, 1);
        width(0, 0) = 1;
        return {{"centre", Matrix<double>(1, p)},
                {"scale", Matrix<double>(1, p)},
                {"points", Matrix<double>(data.populations, p)},
                {"width", std::move(width)},
                {"weights", Matrix<double>(data.populations, size)},
                {"offset", Matrix<double>(1, size)}};
    }

    EncoderConstants fit(std::span<const PopulationStatistics> populations,
                         std::size_t components) const override {
        Matrix<double> points(populations.size(), features_of(populations.front()).size());
        for (std::size_t i = 0; i < populations.size(); ++i)
            std::ranges::copy(features_of(populations[i]), points.view().row(i));
        EncoderConstants constants;
        Standardisation::fit(points, constants);
        const Standardisation standardisation(constants, points.cols());
        check_populations_differ(standardisation.is_constant(), name(), populations.size());
        for (std::size_t i = 0; i < points.rows(); ++i) standardisation.apply(points.view().row_span(i));

        Matrix<double> width(1, 1);
        width(0, 0) = linalg::median_squared_distance(points);
        linalg::KernelComponents fitted = linalg::kernel_components(points, width(0, 0), components);
        Matrix<double> offset(1, fitted.offset.size());
        std::ranges::copy(fitted.offset, offset.values().begin());
        constants["points"] = std::move(points);
        constants["width"] = std::move(width);
        constants["weights"] = std::move(fitted.weights);
        constants["offset"] = std::move(offset);
        return constants;
    }

    std::unique_ptr<const FixedEncoder> make(const EncoderConstants& constants,
                                             const EncoderData& data) const override {
        return std::make_unique<const KernelPcaEncoder>(constants, data.markers + data.cell_types);
    }
};

}  // namespace

const FixedEncoderKind* kernel_pca_encoder() {
    static const KernelPcaKind kind;
    return &kind;
}

}  // namespace popflow::models

// SPDX-License-Identifier: MIT
#include "models/meta_icnn.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "linalg/precision.hpp"
#include "ot/bures.hpp"
#include "support/gradient_check.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::AlignedVector;
using popflow::linalg::bfloat16;
using popflow::linalg::Matrix;
using popflow::models::BalancedClouds;
using popflow::models::MapInputs;
using popflow::models::MetaIcnn;
using popflow::models::MetaIcnnShape;
using popflow::support::random_matrix;
namespace models = popflow::models;
namespace nn = popflow::nn;
namespace ot = popflow::ot;

namespace {

constexpr MapInputs all_inputs[] = {MapInputs::cells, MapInputs::histogram};

MetaIcnnShape small_potentials(MapInputs inputs = MapInputs::cells) {
    return {.markers = 2,
            .inputs = inputs,
            .bins = 3,
            .units = 4,
            .encoder_hidden = 5,
            .encoder_layers = 2,
            .embedding = 3,
            .hidden = 6,
            .layers = 2};
}

template <class Real>
BalancedClouds<Real> small_clouds() {
    return {random_matrix<Real>(9, 2, 1), random_matrix<Real>(6, 2, 2), {Real(1.5), Real(0.25), Real(0.75)}};
}

// Initial weights with noise, since the last layer starts at zero.
template <class Real>
AlignedVector<Real> noisy_potential_values(const MetaIcnn& model) {
    const auto initial = model.initial_values(5);
    AlignedVector<Real> values(initial.begin(), initial.end());
    for (const auto& tensor : model.layout().tensors()) {
        const auto noise = random_matrix<Real>(1, tensor.size(), 10 + tensor.offset, 0.3);
        for (std::size_t i = 0; i < tensor.size(); ++i) values[tensor.offset + i] += noise.values()[i];
    }
    return values;
}

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double v : values) sum += v / static_cast<double>(values.size());
    return sum;
}

// The loss with fixed points of its first term, as a function of the parameters.
double potential_loss(const nn::PotentialShape& shape, const Matrix<double>& source,
                      const Matrix<double>& target, const BalancedClouds<double>& clouds,
                      const Matrix<double>& constant) {
    const nn::ConvexPotential<double> d(shape, source.values());
    const nn::ConvexPotential<double> e(shape, target.values());
    const auto cycle = [](const auto& there, const auto& back, const Matrix<double>& cells) {
        Matrix<double> mapped(cells.rows(), cells.cols());
        Matrix<double> returned(cells.rows(), cells.cols());
        nn::potential_map<double>(there, cells.view(), mapped.view());
        nn::potential_map<double>(back, mapped.view(), returned.view());
        double sum = 0;
        for (std::size_t i = 0; i < cells.size(); ++i)
            sum += std::pow(returned.values()[i] - cells.values()[i], 2);
        return sum / static_cast<double>(cells.rows());
    };
    double products = 0;
    for (std::size_t i = 0; i < constant.size(); ++i)
        products += constant.values()[i] * clouds.target.values()[i];
    return mean(nn::potential_values(d, clouds.source.view())) -
           mean(nn::potential_values(d, constant.view())) + products / static_cast<double>(constant.rows()) +
           cycle(d, e, clouds.source) + cycle(e, d, clouds.target);
}

}  // namespace

class MetaIcnnInputs : public testing::TestWithParam<MapInputs> {};

TEST_P(MetaIcnnInputs, GradientAgreesWithCentralDifferences) {
    const MetaIcnn model(small_potentials(GetParam()));
    const BalancedClouds<double> clouds = small_clouds<double>();
    AlignedVector<double> values = noisy_potential_values<double>(model);
    MetaIcnn::Weights<double> weights;
    MetaIcnn::Workspace<double> workspace;
    AlignedVector<double> gradients(values.size());
    model.pack<double>(values, weights);
    const double found =
        model.loss_and_gradient(weights, clouds, 0.5, workspace, std::span<double>(gradients));
    Matrix<double> constant(clouds.target.rows(), 2);
    nn::potential_map<double>(workspace.pair.target(), clouds.target.view(), constant.view());
    const auto loss = [&] {
        model.pack<double>(values, weights);
        model.predict_parameters(weights, clouds, false, workspace);
        return 0.5 * potential_loss(model.potential_shape(), workspace.source.parameters,
                                    workspace.target.parameters, clouds, constant);
    };
    EXPECT_NEAR(0.5 * found, loss(), 1e-12);
    for (const auto& tensor : model.layout().tensors()) {
        const auto part = nn::elements_of(std::span<double>(values), tensor);
        const auto expected = nn::elements_of(std::span<const double>(gradients), tensor);
        EXPECT_LT(popflow::support::gradient_error(part, expected, loss), 1e-6) << tensor.name;
    }
}

TEST(MetaIcnn, GradientInBf16IsNearThatInFp32) {
    if (!popflow::linalg::cpu_has_bf16()) GTEST_SKIP() << "no bf16 on this CPU";
    const MetaIcnn model(small_potentials());
    const BalancedClouds<float> clouds = small_clouds<float>();
    const AlignedVector<float> values = noisy_potential_values<float>(model);
    MetaIcnn::Weights<float> weights;
    MetaIcnn::Weights<bfloat16> rounded;
    model.pack<float>(values, weights);
    model.pack<bfloat16>(values, rounded);
    MetaIcnn::Workspace<float> workspace;
    MetaIcnn::Workspace<bfloat16> rounded_workspace;
    AlignedVector<float> gradients(values.size());
    AlignedVector<float> rounded_gradients(values.size());
    model.loss_and_gradient(weights, clouds, 1.0F, workspace, std::span<float>(gradients));
    model.loss_and_gradient(rounded, clouds, 1.0F, rounded_workspace, std::span<float>(rounded_gradients));
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        difference += std::pow(static_cast<double>(gradients[i] - rounded_gradients[i]), 2);
        size += std::pow(static_cast<double>(gradients[i]), 2);
    }
    EXPECT_GT(difference, 0);
    EXPECT_LT(std::sqrt(difference / size), 0.05);
}

TEST_P(MetaIcnnInputs, SwappedPopulationsSwapThePotentials) {
    const MetaIcnn model(small_potentials(GetParam()));
    const BalancedClouds<float> clouds = small_clouds<float>();
    const AlignedVector<float> values = noisy_potential_values<float>(model);
    const models::PredictedPotentials there = model.predict(values, clouds);
    const models::PredictedPotentials back =
        model.predict(values, {clouds.target, clouds.source, clouds.triangle});
    EXPECT_EQ(there.source, back.target);
    EXPECT_EQ(there.target, back.source);
    EXPECT_NE(there.source, there.target);
}

INSTANTIATE_TEST_SUITE_P(All, MetaIcnnInputs, testing::ValuesIn(all_inputs));

TEST(MetaIcnn, OfAHistogramDoesNotSeeCellsThatStayInTheirBins) {
    const MetaIcnn model(small_potentials(MapInputs::histogram));
    const AlignedVector<float> values = noisy_potential_values<float>(model);
    // With unit covariance the bins of an axis end at -1 and 1.
    const auto potentials = [&](float x, float y) {
        BalancedClouds<float> clouds = small_clouds<float>();
        clouds.triangle = {1, 0, 1};
        clouds.source(0, 0) = x;
        clouds.source(0, 1) = y;
        return model.predict(values, clouds).source;
    };
    EXPECT_EQ(potentials(0.5F, 2), potentials(-0.5F, 9));
    EXPECT_NE(potentials(0.5F, 2), potentials(1.5F, 2));
}

TEST(MetaIcnn, FreshModelMapsByTheGaussianMap) {
    for (const std::size_t d : {1UL, 3UL, 12UL}) {
        const MetaIcnn model({.markers = d});
        Matrix<float> x = random_matrix<float>(500, d, 1);
        Matrix<float> y = random_matrix<float>(400, d, 2);
        for (std::size_t i = 0; i < y.rows(); ++i) {
            for (std::size_t k = 0; k < d; ++k)
                y(i, k) = 2 + (0.4F + 0.2F * static_cast<float>(k)) * y(i, k) + 0.3F * y(i, 0);
        }
        const ot::GaussianMoments a = ot::gaussian_moments(x.view());
        const ot::GaussianMoments b = ot::gaussian_moments(y.view());
        const ot::BalancedCoordinates coordinates(a, b);
        const models::PredictedPotentials fresh =
            model.predict(model.initial_values(3), models::balanced_clouds(coordinates, x, y));
        const Matrix<float> u = coordinates.of_source(x.view());
        Matrix<float> v(u.rows(), d);
        nn::potential_map<float>(nn::ConvexPotential<float>(model.potential_shape(), fresh.source), u.view(),
                                 v.view());
        const Matrix<float> mapped = coordinates.to_target(v.view());
        const Matrix<double> expected = ot::affine_rows(x.view(), a.mean, ot::gaussian_map(a, b), b.mean);
        double difference = 0;
        double spread = 0;
        for (std::size_t i = 0; i < mapped.size(); ++i) {
            difference += std::pow(static_cast<double>(mapped.values()[i]) - expected.values()[i], 2);
            spread += std::pow(expected.values()[i] - 2, 2);
        }
        EXPECT_LT(std::sqrt(difference / spread), 0.02) << d;
    }
}

TEST(IdentityPotential, DependsOnTheSeedAndOnTheKey) {
    const nn::PotentialShape shape{.inputs = 2, .hidden = 5};
    const auto one = models::identity_potential(shape, 0.3, 1, 1, 7);
    EXPECT_EQ(one, models::identity_potential(shape, 0.3, 1, 1, 7));
    EXPECT_NE(one, models::identity_potential(shape, 0.3, 1, 2, 7));
    EXPECT_NE(one, models::identity_potential(shape, 0.3, 1, 1, 8));
}

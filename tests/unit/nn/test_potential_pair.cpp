// SPDX-License-Identifier: MIT
// tests/golden/models/generate_potential_pair.py writes the reference values of PyTorch.
#include "nn/potential_pair.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "h5/file.hpp"
#include "nn/convex_conjugate.hpp"
#include "support/gradient_check.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::support::gradient_error;
using popflow::support::random_matrix;
namespace h5 = popflow::h5;
namespace nn = popflow::nn;

namespace {

// Two random potentials with the gradient of their loss.
struct PotentialExample {
    PotentialExample(nn::PotentialShape new_shape, std::size_t n, std::size_t m)
        : shape(new_shape),
          source(random_matrix<double>(1, shape.size(), 1, 0.5)),
          target(random_matrix<double>(1, shape.size(), 2, 0.5)),
          x(random_matrix<double>(n, shape.inputs, 3)),
          y(random_matrix<double>(m, shape.inputs, 4)),
          d_source(shape.size()),
          d_target(shape.size()) {
        pair.set(shape, source.values(), target.values());
        loss = pair.loss_and_gradient(x.view(), y.view(), {}, d_source, d_target);
    }
    // Returns the loss of the current parameters, with the points of the first term kept.
    double loss_with(const Matrix<double>& constant) const {
        const nn::ConvexPotential<double> d(shape, source.values());
        const nn::ConvexPotential<double> e(shape, target.values());
        double sum = 0;
        for (const double v : nn::potential_values(d, x.view())) sum += v / static_cast<double>(x.rows());
        for (const double v : nn::potential_values(d, constant.view()))
            sum -= v / static_cast<double>(y.rows());
        for (std::size_t i = 0; i < y.size(); ++i)
            sum += constant.values()[i] * y.values()[i] / static_cast<double>(y.rows());
        return sum + cycle(d, e, x) + cycle(e, d, y);
    }
    static double cycle(const nn::ConvexPotential<double>& there, const nn::ConvexPotential<double>& back,
                        const Matrix<double>& cells) {
        Matrix<double> mapped(cells.rows(), cells.cols());
        Matrix<double> returned(cells.rows(), cells.cols());
        nn::potential_map<double>(there, cells.view(), mapped.view());
        nn::potential_map<double>(back, mapped.view(), returned.view());
        double sum = 0;
        for (std::size_t i = 0; i < cells.size(); ++i)
            sum += std::pow(returned.values()[i] - cells.values()[i], 2);
        return sum / static_cast<double>(cells.rows());
    }

    nn::PotentialShape shape;
    Matrix<double> source, target, x, y;
    std::vector<double> d_source, d_target;
    nn::PotentialPair<double> pair;
    double loss = 0;
};

// A potential whose map is x plus something, so that it is strongly convex.
std::vector<double> convex_parameters(const nn::PotentialShape& shape) {
    Matrix<double> values = random_matrix<double>(1, shape.size(), 9, 0.5);
    for (std::size_t k = 0; k < shape.inputs; ++k)
        values.values()[shape.quadratic() + k * (shape.inputs + 1)] += 1;
    return {values.values().begin(), values.values().end()};
}

Matrix<double> potential_matrix(const h5::Group& group, const std::string& name) {
    const h5::Dataset dataset = group.open_dataset(name);
    Matrix<double> m(dataset.rows(), dataset.rank() == 1 ? 1 : dataset.row_size());
    dataset.read_rows(0, m.rows(), m.values());
    return m;
}

template <class Real>
Matrix<Real> in_real(const Matrix<double>& from) {
    Matrix<Real> to(from.rows(), from.cols());
    for (std::size_t i = 0; i < from.size(); ++i) to.values()[i] = static_cast<Real>(from.values()[i]);
    return to;
}

double distance_from(std::span<const double> expected, auto&& found) {
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        difference += std::pow(expected[i] - static_cast<double>(found[i]), 2);
        size += expected[i] * expected[i];
    }
    return std::sqrt(difference / size);
}

template <class Real>
void compare_with_golden(const std::string& name, double tolerance) {
    const h5::Group group =
        h5::open_file(std::string(POPFLOW_TEST_DATA) + "/models/potential_pair.h5").open_group(name);
    const nn::PotentialShape shape{.inputs = static_cast<std::size_t>(group.int_attribute("inputs")),
                                   .hidden = static_cast<std::size_t>(group.int_attribute("hidden"))};
    const auto source = in_real<Real>(potential_matrix(group, "source"));
    const auto target = in_real<Real>(potential_matrix(group, "target"));
    const auto x = in_real<Real>(potential_matrix(group, "x"));
    const auto y = in_real<Real>(potential_matrix(group, "y"));
    nn::PotentialPair<Real> pair;
    pair.set(shape, source.values(), target.values());
    std::vector<Real> d_source(shape.size());
    std::vector<Real> d_target(shape.size());

    // The script takes the mean over the coordinates too.
    const double cycle = group.double_attribute("cycle") / static_cast<double>(shape.inputs);
    const double loss = pair.loss_and_gradient(x.view(), y.view(), {.cycle = cycle}, d_source, d_target);
    Matrix<Real> mapped(x.rows(), x.cols());
    nn::potential_map<Real>(pair.source(), x.view(), mapped.view());

    const double expected = group.double_attribute("loss");
    EXPECT_NEAR(loss, expected, tolerance * std::abs(expected));
    EXPECT_LT(distance_from(potential_matrix(group, "mapped").values(), mapped.values()), tolerance);
    EXPECT_LT(distance_from(potential_matrix(group, "d_source").values(), d_source), tolerance);
    EXPECT_LT(distance_from(potential_matrix(group, "d_target").values(), d_target), tolerance);
}

}  // namespace

TEST(PotentialPair, MapAndLossMatchAnExampleByHand) {
    // D = ln 2 s(2 x + 1) + 3 x + x^2, E = ln 2 s(0) + x^2 / 4.
    const nn::PotentialShape shape{.inputs = 1, .hidden = 1};
    const std::vector<double> source{2, 1, 0, 3, 1};
    const std::vector<double> target{0, 0, 0, 0, 0.5};
    nn::PotentialPair<double> pair;
    pair.set(shape, source, target);
    Matrix<double> x(1, 1);
    x(0, 0) = -0.5;
    Matrix<double> y(1, 1);
    y(0, 0) = 2;
    std::vector<double> gradient(2 * shape.size());

    const double loss =
        pair.loss_and_gradient(x.view(), y.view(), {}, std::span(gradient).first(shape.size()),
                               std::span(gradient).last(shape.size()));

    const double ln_2 = std::log(2.0);
    const auto value = [&](double v) { return ln_2 * std::log1p(std::exp(2 * v + 1)) + 3 * v + v * v; };
    const auto map = [&](double v) { return ln_2 * 2 / (1 + std::exp(-2 * v - 1)) + 3 + 2 * v; };
    // grad E(y) = 1, grad D(x) = ln 2 + 2.
    const double cycles = std::pow(map(1) - 2, 2) + std::pow(0.5 * (ln_2 + 2) + 0.5, 2);
    EXPECT_NEAR(map(-0.5), ln_2 + 2, 1e-15);
    EXPECT_NEAR(loss, value(-0.5) + 1 * 2 - value(1) + cycles, 1e-13);
}

TEST(PotentialPair, GradientsMatchCentralDifferences) {
    for (const auto& [shape, n, m] :
         {std::tuple{nn::PotentialShape{3, 5}, 7UL, 4UL}, std::tuple{nn::PotentialShape{10, 4}, 6UL, 9UL},
          std::tuple{nn::PotentialShape{2, 3}, 140UL, 5UL}}) {
        PotentialExample example(shape, n, m);
        Matrix<double> constant(m, shape.inputs);
        nn::potential_map<double>(example.pair.target(), example.y.view(), constant.view());
        const auto loss = [&] { return example.loss_with(constant); };
        EXPECT_NEAR(example.loss, loss(), 1e-12 * std::abs(example.loss));
        EXPECT_LT(gradient_error(example.source.values(), example.d_source, loss), 1e-7) << shape.inputs;
        EXPECT_LT(gradient_error(example.target.values(), example.d_target, loss), 1e-7) << shape.inputs;
    }
}

TEST(PotentialPair, MatchesPyTorchInDouble) {
    compare_with_golden<double>("small", 1e-12);
    compare_with_golden<double>("wide", 1e-12);
}

TEST(PotentialPair, MatchesPyTorchInFloat) {
    compare_with_golden<float>("small", 5e-6);
    compare_with_golden<float>("wide", 5e-6);
}

TEST(PotentialPair, ValuesSurviveLargeArguments) {
    const nn::PotentialShape shape{.inputs = 1, .hidden = 1};
    const std::vector<float> parameters{1, 0, 0, 0, 0};
    nn::PotentialPair<float> pair;
    pair.set(shape, parameters, parameters);
    Matrix<float> x(2, 1);
    x(0, 0) = 1000;
    x(1, 0) = -1000;
    std::vector<float> gradient(2 * shape.size());
    const Matrix<float> y(1, 1);
    const double loss =
        pair.loss_and_gradient(x.view(), y.view(), {.cycle = 0}, std::span(gradient).first(shape.size()),
                               std::span(gradient).last(shape.size()));
    // grad E(0) = ln 2 / 2
    EXPECT_NEAR(loss, std::log(2.0) * (500 - std::log1p(std::exp(std::log(2.0) / 2))), 1e-3);
}

TEST(ConvexConjugate, OfAQuadraticIsTheQuadraticOfTheInverse) {
    const nn::PotentialShape shape{.inputs = 2, .hidden = 1};
    std::vector<double> parameters(shape.size());
    parameters[shape.weight()] = -800;  // softplus(w) = 0
    parameters[shape.linear()] = 3;
    parameters[shape.quadratic()] = 2;  // 2 L^T L = diag(8, 2)
    parameters[shape.quadratic() + 3] = 1;
    const nn::ConvexPotential<double> potential(shape, parameters);
    Matrix<double> y(1, 2);
    y(0, 0) = 5;
    y(0, 1) = 4;

    const nn::ConjugateValues found = nn::convex_conjugate(potential, y.view(), 1e-9);

    EXPECT_NEAR(found.values[0], 0.5 * (2 * 2 / 8.0 + 4 * 4 / 2.0), 1e-12);
    EXPECT_NEAR(found.points(0, 0), 0.25, 1e-12);
    EXPECT_NEAR(found.points(0, 1), 2, 1e-12);
    EXPECT_LE(found.max_gap, 1e-9);
}

TEST(ConvexConjugate, GapIsCertifiedAndTheMapOfTheReturnedPointIsTheArgument) {
    const nn::PotentialShape shape{.inputs = 4, .hidden = 30};
    const nn::ConvexPotential<double> potential(shape, convex_parameters(shape));
    const Matrix<double> y = random_matrix<double>(50, 4, 11, 5);

    const nn::ConjugateValues found = nn::convex_conjugate(potential, y.view(), 1e-12);

    Matrix<double> map(50, 4);
    nn::potential_map<double>(potential, found.points.view(), map.view());
    EXPECT_LE(found.max_gap, 1e-10);
    EXPECT_LT(distance_from(y.values(), map.values()), 1e-5);
    // No other point has a larger value of <x, y> - D(x).
    const Matrix<double> others = random_matrix<double>(50, 4, 12, 2);
    const std::vector<double> values = nn::potential_values(potential, others.view());
    for (std::size_t i = 0; i < 50; ++i) {
        double product = -values[i];
        for (std::size_t k = 0; k < 4; ++k) product += others(i, k) * y(i, k);
        EXPECT_LE(product, found.values[i] + 1e-10);
    }
}

TEST(ConvexConjugate, HasNoCertificateWithoutStrongConvexity) {
    const nn::PotentialShape shape{.inputs = 1, .hidden = 1};
    const std::vector<double> parameters{1, 0, 0, 0, 0};
    const nn::ConvexPotential<double> potential(shape, parameters);
    Matrix<double> y(1, 1);
    y(0, 0) = 0.25;
    EXPECT_TRUE(std::isinf(nn::convex_conjugate(potential, y.view(), 1e-9).max_gap));
}

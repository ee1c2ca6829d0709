// SPDX-License-Identifier: MIT
#include "nn/set_transformer.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <numeric>

#include "core/random.hpp"
#include "h5/file.hpp"
#include "linalg/precision.hpp"
#include "support/gradient_check.hpp"
#include "support/random_matrix.hpp"

namespace {

using popflow::linalg::accumulator_t;
using popflow::linalg::bfloat16;
using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::support::random_matrix;
namespace core = popflow::core;
namespace h5 = popflow::h5;
namespace nn = popflow::nn;

using Sizes = std::vector<std::size_t>;

Sizes bounds_of(const Sizes& sizes) {
    Sizes bounds{0};
    for (const std::size_t size : sizes) bounds.push_back(bounds.back() + size);
    return bounds;
}

template <class Real>
Matrix<Real> converted(const Matrix<double>& from) {
    Matrix<Real> to(from.rows(), from.cols());
    std::ranges::transform(from.values(), to.values().begin(), [](double v) { return static_cast<Real>(v); });
    return to;
}

template <class Real>
std::vector<Real> row_values(const Matrix<Real>& m, std::size_t first, std::size_t count) {
    const auto part = m.values().subspan(first * m.cols(), count * m.cols());
    return {part.begin(), part.end()};
}

// Returns ||a - b|| / ||b||.
template <class A, class B>
double relative_error(const A& a, const B& b) {
    EXPECT_EQ(a.size(), b.size());
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = static_cast<double>(a[i]);
        const double y = static_cast<double>(b[i]);
        difference += (x - y) * (x - y);
        size += y * y;
    }
    return std::sqrt(difference) / std::sqrt(std::max(size, 1e-300));
}

// Network with random weights, and a random batch, in double.
struct Problem {
    nn::ParameterLayout layout;
    nn::SetTransformer net;
    Sizes bounds;
    Matrix<double> values, x, shared, dy;

    Problem(const nn::SetTransformerShape& shape, const Sizes& sizes)
        : net(layout, "net", shape),
          bounds(bounds_of(sizes)),
          values(random_matrix<double>(1, layout.size(), 1)),
          x(random_matrix<double>(bounds.back(), shape.point_inputs, 2)),
          shared(random_matrix<double>(sizes.size(), shape.cloud_inputs, 3)),
          dy(random_matrix<double>(bounds.back(), shape.outputs, 4)) {
        for (const nn::Tensor& tensor : layout.tensors()) {
            const bool is_gain = tensor.name.ends_with("norm.weight");
            const double scale = tensor.rows > 1 ? 1 / std::sqrt(static_cast<double>(tensor.cols)) : 0.3;
            for (double& v : nn::elements_of(values.values(), tensor)) v = scale * v + (is_gain ? 1 : 0);
        }
    }

    template <class T>
    struct Result {
        Matrix<accumulator_t<T>> y, gradient;
    };

    // Runs both passes. Rounds weights and inputs to the type of the sums.
    template <class T>
    Result<T> run(bool keep = true) const {
        using Real = accumulator_t<T>;
        const Matrix<Real> v = converted<Real>(values);
        const Matrix<Real> points = converted<Real>(x);
        const Matrix<Real> clouds = converted<Real>(shared);
        const Matrix<Real> d = converted<Real>(dy);
        Result<T> result{Matrix<Real>(dy.rows(), dy.cols()), Matrix<Real>(1, layout.size())};
        nn::SetTransformer::Packed<T> packed;
        nn::SetTransformer::Cache<T> cache;
        net.pack<T>(v.values(), packed);
        net.forward<T>(v.values(), packed, points.view(), bounds, clouds.view(), keep, cache,
                       result.y.view());
        if (keep) net.backward<T>(v.values(), packed, d.view(), cache, result.gradient.values());
        return result;
    }

    // Returns sum(y dy).
    double loss() const {
        const auto y = run<double>(false).y;
        return std::inner_product(y.values().begin(), y.values().end(), dy.values().begin(), 0.0);
    }
};

void check_gradients(const nn::SetTransformerShape& shape, const Sizes& sizes) {
    Problem problem(shape, sizes);
    const auto gradient = problem.run<double>().gradient;
    for (const nn::Tensor& tensor : problem.layout.tensors()) {
        const auto part = nn::elements_of(problem.values.values(), tensor);
        const auto own = nn::elements_of(gradient.values(), tensor);
        // A few arguments of LeakyReLU are within a step of its kink, where differences are inaccurate.
        EXPECT_LT(popflow::support::gradient_error(part, own, [&] { return problem.loss(); }), 1e-6)
            << tensor.name;
    }
}

// Tests of both ways in which the inputs of a cloud enter.
class SetTransformer : public testing::TestWithParam<nn::CloudInputs> {
  protected:
    const nn::SetTransformerShape small_shape{.point_inputs = 2,
                                              .cloud_inputs = 3,
                                              .use = GetParam(),
                                              .width = 4,
                                              .blocks = 1,
                                              .heads = 1,
                                              .outputs = 2};
    const nn::SetTransformerShape wide_shape{.point_inputs = 3,
                                             .cloud_inputs = 5,
                                             .use = GetParam(),
                                             .width = 64,
                                             .blocks = 2,
                                             .heads = 4,
                                             .outputs = 3};
};

}  // namespace

TEST_P(SetTransformer, GradientsAgreeWithCentralDifferences) {
    check_gradients(small_shape, {1, 5, 130, 300});
}

TEST_P(SetTransformer, GradientsOfFourHeadsAgreeWithCentralDifferences) {
    nn::SetTransformerShape shape = small_shape;
    shape.heads = 4;
    check_gradients(shape, {1, 5, 130, 300});
}

TEST_P(SetTransformer, GradientsOfSeveralBlocksAgreeWithCentralDifferences) {
    nn::SetTransformerShape shape = small_shape;
    shape.width = 6;
    shape.heads = 2;
    shape.blocks = 3;
    check_gradients(shape, {4, 0, 7});
}

TEST_P(SetTransformer, GradientsWithoutCloudInputsAgreeWithCentralDifferences) {
    nn::SetTransformerShape shape = small_shape;
    shape.cloud_inputs = 0;
    check_gradients(shape, {4, 7});
}

// Clouds whose keys are split into several chunks. One difference along the gradient itself.
TEST_P(SetTransformer, GradientOfLargeCloudsIsTheSlopeAlongIt) {
    nn::SetTransformerShape shape = small_shape;
    shape.heads = 2;
    Problem problem(shape, {1300, 2, 600});
    const auto gradient = problem.run<double>().gradient;
    double square = 0;
    for (const double g : gradient.values()) square += g * g;
    const double h = 1e-6 / std::sqrt(square);
    const auto shift = [&](double step) {
        for (std::size_t i = 0; i < gradient.size(); ++i)
            problem.values.values()[i] += step * gradient.values()[i];
    };

    shift(h);
    const double above = problem.loss();
    shift(-2 * h);
    const double below = problem.loss();

    EXPECT_NEAR((above - below) / (2 * h) / square, 1, 1e-7);
}

TEST_P(SetTransformer, FloatAgreesWithDouble) {
    for (const std::size_t heads : {1U, 2U, 4U, 8U}) {
        nn::SetTransformerShape shape = wide_shape;
        shape.heads = heads;
        const Problem problem(shape, {1, 5, 130, heads == 4 ? 1100U : 300U});
        const auto expected = problem.run<double>();
        const auto result = problem.run<float>();
        EXPECT_LT(relative_error(result.y.values(), expected.y.values()), 3e-6);
        for (const nn::Tensor& tensor : problem.layout.tensors()) {
            const auto own = nn::elements_of(result.gradient.values(), tensor);
            const auto exact = nn::elements_of(expected.gradient.values(), tensor);
            EXPECT_LT(relative_error(own, exact), 2e-5) << tensor.name << ", heads " << heads;
        }
    }
}

TEST_P(SetTransformer, Bfloat16AgreesWithDouble) {
    if (!popflow::linalg::cpu_has_bf16()) GTEST_SKIP() << "this CPU does not multiply bfloat16";
    const Problem problem(wide_shape, {1, 5, 130, 300, 1100});
    const auto expected = problem.run<double>();
    const auto result = problem.run<bfloat16>();
    EXPECT_LT(relative_error(result.y.values(), expected.y.values()), 0.02);
    for (const nn::Tensor& tensor : problem.layout.tensors()) {
        const auto own = nn::elements_of(result.gradient.values(), tensor);
        const auto exact = nn::elements_of(expected.gradient.values(), tensor);
        // Arguments of LeakyReLU near zero change their sign.
        EXPECT_LT(relative_error(own, exact), 0.12) << tensor.name;
    }
}

TEST_P(SetTransformer, PermutationOfPointsPermutesOutputs) {
    Problem problem(wide_shape, {300, 40});
    const auto y = problem.run<float>().y;
    const Matrix<double> x = problem.x;
    std::vector<std::uint32_t> order = core::Stream(1, core::Purpose::test).permutation(300);
    for (std::size_t i = 0; i < order.size(); ++i)
        std::copy_n(x.view().row(order[i]), x.cols(), problem.x.view().row(i));

    const auto permuted = problem.run<float>().y;

    for (std::size_t i = 0; i < order.size(); ++i)
        EXPECT_LT(relative_error(row_values(permuted, i, 1), row_values(y, order[i], 1)), 1e-5);
    EXPECT_EQ(row_values(permuted, 300, 40), row_values(y, 300, 40));
}

TEST_P(SetTransformer, OutputOfACloudDoesNotDependOnOthers) {
    const Problem all(wide_shape, {77, 300, 40});
    Problem one(wide_shape, {300});
    std::copy_n(all.x.view().row(77), 300 * all.x.cols(), one.x.data());
    std::copy_n(all.shared.view().row(1), all.shared.cols(), one.shared.data());

    const auto y = all.run<float>().y;
    const auto alone = one.run<float>().y;

    EXPECT_LT(relative_error(row_values(y, 77, 300), row_values(alone, 0, 300)), 1e-6);
}

TEST_P(SetTransformer, ThreadsDoNotChangeBits) {
    const Problem problem(wide_shape, {1, 300, 1100, 40, 130});
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const auto expected = problem.run<float>();
    for (const int count : {2, 3, 4}) {
        omp_set_num_threads(count);
        const auto result = problem.run<float>();
        EXPECT_TRUE(std::ranges::equal(result.y.values(), expected.y.values()));
        EXPECT_TRUE(std::ranges::equal(result.gradient.values(), expected.gradient.values()));
    }
#pragma omp parallel num_threads(2)
    {
        const auto result = problem.run<float>();
#pragma omp critical
        {
            EXPECT_TRUE(std::ranges::equal(result.y.values(), expected.y.values()));
            EXPECT_TRUE(std::ranges::equal(result.gradient.values(), expected.gradient.values()));
        }
    }
    omp_set_num_threads(threads);
}

TEST_P(SetTransformer, OutputIsTheSameWithoutKeptActivations) {
    const Problem problem(wide_shape, {70, 300});
    EXPECT_TRUE(
        std::ranges::equal(problem.run<float>(true).y.values(), problem.run<float>(false).y.values()));
}

// A cache that has seen a larger batch gives the results of a fresh one, and gradients add up.
TEST_P(SetTransformer, CacheIsReusedAndGradientsAccumulate) {
    const Problem large(wide_shape, {300, 200});
    const Problem small(wide_shape, {33, 150});
    const auto once = small.run<float>();
    const Matrix<float> values = converted<float>(small.values);
    nn::SetTransformer::Packed<float> packed;
    nn::SetTransformer::Cache<float> cache;
    small.net.pack<float>(values.values(), packed);
    Matrix<float> gradient(1, small.layout.size());
    for (const Problem* problem : {&large, &small, &small}) {
        const Matrix<float> x = converted<float>(problem->x);
        const Matrix<float> shared = converted<float>(problem->shared);
        const Matrix<float> dy = converted<float>(problem->dy);
        Matrix<float> y(dy.rows(), dy.cols());
        if (problem == &large) gradient.fill(0);
        small.net.forward<float>(values.values(), packed, x.view(), problem->bounds, shared.view(), true,
                                 cache, y.view());
        if (problem == &large) continue;
        EXPECT_TRUE(std::ranges::equal(y.values(), once.y.values()));
        small.net.backward<float>(values.values(), packed, dy.view(), cache, gradient.values());
    }
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        EXPECT_NEAR(gradient.values()[i], 2 * once.gradient.values()[i],
                    1e-4F + 1e-4F * std::abs(once.gradient.values()[i]));
    }
}

TEST_P(SetTransformer, SinkIsCalledWhenGradientsAreFinal) {
    const Problem problem(wide_shape, {33, 150});
    const auto expected = problem.run<float>().gradient;
    const Matrix<float> values = converted<float>(problem.values);
    const Matrix<float> x = converted<float>(problem.x);
    const Matrix<float> shared = converted<float>(problem.shared);
    const Matrix<float> dy = converted<float>(problem.dy);
    Matrix<float> y(dy.rows(), dy.cols());
    Matrix<float> gradient(1, problem.layout.size());
    nn::SetTransformer::Packed<float> packed;
    nn::SetTransformer::Cache<float> cache;
    problem.net.pack<float>(values.values(), packed);
    problem.net.forward<float>(values.values(), packed, x.view(), problem.bounds, shared.view(), true, cache,
                               y.view());
    std::size_t previous = problem.layout.size();
    std::size_t calls = 0;
    const nn::GradientSink sink = [&](std::size_t first) {
        EXPECT_LT(first, previous);
        for (std::size_t i = first; i < gradient.size(); ++i)
            EXPECT_EQ(gradient.values()[i], expected.values()[i]);
        previous = first;
        ++calls;
    };

    problem.net.backward<float>(values.values(), packed, dy.view(), cache, gradient.values(), &sink);

    EXPECT_EQ(previous, 0U);
    EXPECT_EQ(calls, wide_shape.blocks + 2);
}

// Scores of about 1e6, where exponentials would overflow.
TEST_P(SetTransformer, LargeScoresDoNotOverflow) {
    Problem problem(wide_shape, {1, 300, 600});
    for (const nn::Tensor& tensor : problem.layout.tensors()) {
        if (!tensor.name.ends_with("attention.in.weight")) continue;
        const auto weight = nn::matrix_of(problem.values.values(), tensor);
        for (std::size_t o = 0; o < 2 * wide_shape.width; ++o) {
            for (double& v : weight.row_span(o)) v *= 1e3;
        }
    }
    const auto is_finite = [](auto v) { return std::isfinite(v); };

    const auto result = problem.run<float>();

    EXPECT_TRUE(std::ranges::all_of(result.y.values(), is_finite));
    EXPECT_TRUE(std::ranges::all_of(result.gradient.values(), is_finite));
    EXPECT_LT(relative_error(result.y.values(), problem.run<double>().y.values()), 0.1);
}

TEST_P(SetTransformer, FreshNetworkHasAlmostNoOutput) {
    Problem problem(wide_shape, {50});
    std::vector<float> values(problem.layout.size());
    problem.net.initialise(values, 7);
    std::ranges::copy(values, problem.values.data());
    const auto y = problem.run<double>(false).y;
    double square = 0;
    for (const double v : y.values()) square += v * v;
    // Normalised rows have squares of mean 1, so that an output has the variance 1e-5.
    EXPECT_NEAR(square / static_cast<double>(y.size()), 1e-5, 0.9e-5);
    EXPECT_GT(square, 0);

    problem.net.zero_output(values);
    std::ranges::copy(values, problem.values.data());
    const auto zero = problem.run<double>(false).y;
    for (const double v : zero.values()) EXPECT_EQ(v, 0);
}

TEST_P(SetTransformer, ThrowsForWrongShapes) {
    nn::ParameterLayout layout;
    EXPECT_THROW(nn::SetTransformer(layout, "odd", {.point_inputs = 2, .width = 6, .heads = 4, .outputs = 2}),
                 core::ShapeMismatch);
    Problem problem(small_shape, {3, 4});
    const auto expect_throw = [](Problem wrong, auto change) {
        change(wrong);
        EXPECT_THROW((void)wrong.run<double>(), core::ShapeMismatch);
    };
    expect_throw(problem, [](Problem& p) { p.x = Matrix<double>(7, 3); });
    expect_throw(problem, [](Problem& p) { p.x = Matrix<double>(6, 2); });
    expect_throw(problem, [](Problem& p) { p.shared = Matrix<double>(3, 3); });
    expect_throw(problem, [](Problem& p) { p.shared = Matrix<double>(2, 4); });
    expect_throw(problem, [](Problem& p) { p.dy = Matrix<double>(7, 3); });
    expect_throw(problem, [](Problem& p) { p.bounds = {0, 3, 6}; });
    expect_throw(problem, [](Problem& p) { p.bounds = {1, 3, 7}; });
    expect_throw(problem, [](Problem& p) { p.bounds = {0, 8, 7}; });
    expect_throw(problem, [](Problem& p) { p.bounds = {}; });
}

TEST_P(SetTransformer, EmptyBatchHasNoGradient) {
    const Problem problem(small_shape, {0, 0});
    const auto result = problem.run<float>();
    EXPECT_EQ(result.y.rows(), 0U);
    for (const float g : result.gradient.values()) EXPECT_EQ(g, 0);
}

INSTANTIATE_TEST_SUITE_P(CloudInputs, SetTransformer,
                         testing::Values(nn::CloudInputs::added, nn::CloudInputs::modulation),
                         [](const auto& info) {
                             return std::string(info.param == nn::CloudInputs::added ? "Added"
                                                                                     : "Modulation");
                         });

namespace {

class SetTransformerGolden : public testing::TestWithParam<const char*> {};

Matrix<double> golden_matrix(const h5::Group& group, const std::string& name) {
    const h5::Dataset dataset = group.open_dataset(name);
    Matrix<double> m(dataset.rows(), dataset.row_size());
    dataset.read_rows(0, m.rows(), m.values());
    return m;
}

// Returns the problem of a case of the golden file.
Problem golden_problem(const h5::Group& root, const h5::Group& group) {
    const auto size = [](const h5::Object& object, const char* name) {
        return static_cast<std::size_t>(object.int_attribute(name));
    };
    Sizes sizes;
    const auto bounds = root.open_dataset("bounds").read<double>();
    for (std::size_t c = 1; c < bounds.size(); ++c)
        sizes.push_back(static_cast<std::size_t>(bounds[c] - bounds[c - 1]));
    Problem problem(
        {.point_inputs = size(root, "point_inputs"),
         .cloud_inputs = size(group, "cloud_inputs"),
         .use = size(group, "modulation") > 0 ? nn::CloudInputs::modulation : nn::CloudInputs::added,
         .width = size(root, "width"),
         .blocks = size(root, "blocks"),
         .heads = size(group, "heads"),
         .outputs = size(root, "outputs")},
        sizes);
    problem.x = golden_matrix(group, "x");
    problem.dy = golden_matrix(group, "dy");
    if (problem.shared.cols() > 0) problem.shared = golden_matrix(group, "shared");
    for (const nn::Tensor& tensor : problem.layout.tensors()) {
        const auto weights = golden_matrix(group, "weights/" + tensor.name);
        EXPECT_EQ(weights.rows(), tensor.rows);
        EXPECT_EQ(weights.cols(), tensor.cols);
        std::ranges::copy(weights.values(), nn::elements_of(problem.values.values(), tensor).begin());
    }
    return problem;
}

}  // namespace

// Reference values of PyTorch: tests/golden/models/generate_set_transformer.py.
TEST_P(SetTransformerGolden, AgreesWithPyTorch) {
    const h5::Group root = h5::open_file(std::string(POPFLOW_TEST_DATA) + "/models/set_transformer.h5");
    const h5::Group group = root.open_group(GetParam());
    const Problem problem = golden_problem(root, group);
    const Matrix<double> y = golden_matrix(group, "y");
    const auto in_double = problem.run<double>();
    const auto in_float = problem.run<float>();
    EXPECT_LT(relative_error(in_double.y.values(), y.values()), 1e-12);
    EXPECT_LT(relative_error(in_float.y.values(), y.values()), 3e-6);
    for (const nn::Tensor& tensor : problem.layout.tensors()) {
        const auto expected = golden_matrix(group, "gradients/" + tensor.name);
        EXPECT_LT(relative_error(nn::elements_of(in_double.gradient.values(), tensor), expected.values()),
                  1e-11)
            << tensor.name;
        EXPECT_LT(relative_error(nn::elements_of(in_float.gradient.values(), tensor), expected.values()),
                  2e-5)
            << tensor.name;
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, SetTransformerGolden,
                         testing::Values("heads_1", "heads_4", "no_cloud_inputs", "modulation"));

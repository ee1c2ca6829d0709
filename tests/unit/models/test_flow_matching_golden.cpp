// SPDX-License-Identifier: MIT
// Compares flow matching with PyTorch and SciPy. tests/golden/models/generate.py writes the reference values.
#include <gtest/gtest.h>

#include <cmath>

#include "h5/file.hpp"
#include "models/flow_matching.hpp"
#include "nn/adam.hpp"
#include "ode/dormand_prince.hpp"

using popflow::linalg::Matrix;
using popflow::models::Context;
using popflow::models::FlowMatching;
using popflow::models::FlowMatchingShape;
using popflow::models::Modulated;
using popflow::models::TrainingSlot;
namespace h5 = popflow::h5;
namespace linalg = popflow::linalg;
namespace nn = popflow::nn;

namespace {

std::size_t size_attribute(const h5::Object& object, const char* name) {
    return static_cast<std::size_t>(object.int_attribute(name));
}

template <class Real>
Matrix<Real> matrix(const h5::Group& group, const std::string& name) {
    const h5::Dataset dataset = group.open_dataset(name);
    Matrix<Real> m(dataset.rows(), dataset.row_size());
    dataset.read_rows(0, m.rows(), m.values());
    return m;
}

// Returns ||a - b|| / max(||a||, ||b||).
template <class A, class B>
double relative_error(std::span<const A> a, std::span<const B> b) {
    EXPECT_EQ(a.size(), b.size());
    double difference = 0;
    double size_a = 0;
    double size_b = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const auto x = static_cast<double>(a[i]);
        const auto y = static_cast<double>(b[i]);
        difference += (x - y) * (x - y);
        size_a += x * x;
        size_b += y * y;
    }
    return std::sqrt(difference) / std::sqrt(std::max({size_a, size_b, 1e-300}));
}

double float_error(std::span<const float> a, std::span<const float> b) {
    return relative_error(a, b);
}

// One case of the golden file.
template <class Real>
struct Golden {
    explicit Golden(const std::string& name, linalg::Precision products = linalg::Precision::fp32)
        : root(h5::open_file(std::string(POPFLOW_TEST_DATA) + "/models/flow_matching.h5")),
          group(root.open_group(name)),
          precision(products),
          model(shape(), matrix<float>(group, "frequencies")),
          values(flat("weights")) {
        const auto types = group.open_dataset("batch/type").read<std::uint8_t>();
        type.assign(types.begin(), types.end());
    }

    FlowMatchingShape shape() const {
        const std::string method = group.string_attribute("method");
        return {
            .context = method == "fm"     ? Context::none
                       : method == "cgfm" ? Context::pair_index
                                          : Context::population,
            .markers = size_attribute(root, "markers"),
            .cell_types = size_attribute(root, "cell_types"),
            .conditions = size_attribute(root, "conditions"),
            .training_pairs = size_attribute(root, "training_pairs"),
            .hidden = size_attribute(root, "hidden"),
            .layers = size_attribute(root, "layers"),
            .time_frequencies = size_attribute(root, "time_frequencies"),
            .time_highest = group.has_attribute("time_highest") ? group.double_attribute("time_highest") : 1,
            .space_frequencies = size_attribute(root, "space_frequencies"),
            .encoder = {.hidden = size_attribute(root, "encoder_hidden"),
                        .layers = size_attribute(group, "encoder_layers"),
                        .embedding = size_attribute(root, "embedding"),
                        .knn = size_attribute(group, "knn"),
                        .norm = group.has_attribute("embedding_norm")
                                    ? group.double_attribute("embedding_norm")
                                    : 1,
                        .frequencies = group.has_attribute("encoder_frequencies")
                                           ? size_attribute(group, "encoder_frequencies")
                                           : 0},
            .precision = precision,
            .modulation = group.has_attribute("film") ? Modulated::film : Modulated::none};
    }

    linalg::AlignedVector<Real> flat(const std::string& what) const {
        linalg::AlignedVector<Real> buffer(model.layout().size());
        for (const nn::Tensor& tensor : model.layout().tensors()) {
            const Matrix<Real> m = matrix<Real>(group, what + "/" + tensor.name);
            EXPECT_EQ(m.rows(), tensor.rows) << tensor.name;
            EXPECT_EQ(m.cols(), tensor.cols) << tensor.name;
            std::ranges::copy(m.values(), nn::elements_of(std::span<Real>(buffer), tensor).begin());
        }
        return buffer;
    }

    TrainingSlot<Real> slot() const {
        return {x0.view(),
                x1.view(),
                t.values(),
                control.view(),
                type,
                condition.values(),
                size_attribute(root, "pair")};
    }

    double number(const std::string& name) const {
        return group.open_dataset(name).template read<double>().front();
    }

    h5::Group root;
    h5::Group group;
    linalg::Precision precision;
    FlowMatching model;
    linalg::AlignedVector<Real> values;
    Matrix<Real> x0 = matrix<Real>(group, "batch/x0");
    Matrix<Real> x1 = matrix<Real>(group, "batch/x1");
    Matrix<Real> control = matrix<Real>(group, "batch/control");
    Matrix<Real> t = matrix<Real>(group, "batch/t");
    Matrix<Real> condition = matrix<Real>(group, "batch/condition");
    std::vector<std::uint8_t> type;
};

class FlowMatchingGolden : public testing::TestWithParam<const char*> {};

}  // namespace

TEST_P(FlowMatchingGolden, LossAndGradientsAgreeInDouble) {
    const Golden<double> golden(GetParam());
    FlowMatching::Workspace<double> workspace;
    linalg::AlignedVector<double> gradient(golden.values.size());

    const double loss =
        golden.model.loss_and_gradient<double>(golden.values, golden.slot(), workspace, gradient);

    // The reference rounds distances and frequencies in another order.
    EXPECT_NEAR(loss, golden.number("loss"), 1e-11 * loss);
    const auto expected = golden.flat("gradients");
    for (const nn::Tensor& tensor : golden.model.layout().tensors()) {
        EXPECT_LT(relative_error(nn::elements_of(std::span<const double>(gradient), tensor),
                                 nn::elements_of(std::span<const double>(expected), tensor)),
                  1e-10)
            << tensor.name;
    }
}

TEST_P(FlowMatchingGolden, ContextVelocityAndGradientsAgreeInFloat) {
    const Golden<float> golden(GetParam());
    FlowMatching::Workspace<float> workspace;
    linalg::AlignedVector<float> gradient(golden.values.size());
    const std::size_t n = golden.x0.rows();
    Matrix<float> xt(n, golden.x0.cols());
    for (std::size_t i = 0; i < n; ++i) {
        const float t = golden.t.values()[i];
        for (std::size_t j = 0; j < xt.cols(); ++j)
            xt(i, j) = (1 - t) * golden.x0(i, j) + t * golden.x1(i, j);
    }
    Matrix<float> velocity(n, xt.cols());
    std::vector<float> context =
        golden.model.context(golden.values, golden.control.view(), golden.type, workspace);
    if (golden.model.shape().context == Context::pair_index) {  // the batch is of one training pair
        std::ranges::fill(context, 0.0F);
        context[2] = 1;
    }

    const float loss =
        golden.model.loss_and_gradient<float>(golden.values, golden.slot(), workspace, gradient);
    golden.model.velocity<float>(golden.values, context, golden.condition.values(), golden.t.values(),
                                 xt.view(), workspace, velocity.view());

    const auto expected_context = golden.group.open_dataset("context").read<float>();
    EXPECT_LT(float_error(context, expected_context), 1e-6);
    EXPECT_LT(float_error(velocity.values(), matrix<float>(golden.group, "velocity").values()), 2e-6);
    EXPECT_NEAR(loss, golden.number("loss"), 2e-6 * static_cast<double>(loss));
    const auto expected = golden.flat("gradients");
    for (const nn::Tensor& tensor : golden.model.layout().tensors()) {
        EXPECT_LT(relative_error(nn::elements_of(std::span<const float>(gradient), tensor),
                                 nn::elements_of(std::span<const float>(expected), tensor)),
                  1e-5)
            << tensor.name;
    }
}

// Each operand of a product is rounded by at most 2^-9 of itself, and each of the five layers adds such
// errors of random sign to its input. A gradient passes all layers twice, so its error is about
// 2^-9 sqrt(2 * 5 * 2), which is 0.9 %. Where a sum changes its sign, the slope of SELU changes too. The mean
// over 24 cells does not remove that error.
TEST_P(FlowMatchingGolden, LossAndGradientsAgreeInBfloat16) {
    if (!linalg::cpu_has_bf16()) GTEST_SKIP() << "no bf16 on this CPU";
    const Golden<float> golden(GetParam(), linalg::Precision::bf16);
    FlowMatching::Workspace<float> workspace;
    linalg::AlignedVector<float> gradient(golden.values.size());

    const float loss =
        golden.model.loss_and_gradient<float>(golden.values, golden.slot(), workspace, gradient);

    EXPECT_NEAR(loss, golden.number("loss"), 0.005 * golden.number("loss"));
    const auto expected = golden.flat("gradients");
    for (const nn::Tensor& tensor : golden.model.layout().tensors()) {
        const double error = relative_error(nn::elements_of(std::span<const float>(gradient), tensor),
                                            nn::elements_of(std::span<const float>(expected), tensor));
        EXPECT_LT(error, 0.05) << tensor.name;
        EXPECT_GT(error, 1e-5) << tensor.name << ": too exact for bf16";
    }
}

TEST_P(FlowMatchingGolden, TenAdamStepsAgree) {
    Golden<float> golden(GetParam());
    FlowMatching::Workspace<float> workspace;
    nn::AdamState adam = nn::AdamState::start(golden.values);
    const auto losses = golden.group.open_dataset("adam_losses").read<double>();

    for (double expected : losses) {
        linalg::AlignedVector<float> gradient(golden.values.size());
        const float loss =
            golden.model.loss_and_gradient<float>(golden.values, golden.slot(), workspace, gradient);
        EXPECT_NEAR(loss, expected, 1e-5 * expected);
        nn::adam_step({}, 1e-2, 1.0F, gradient, golden.values, adam);
    }

    EXPECT_LT(float_error(golden.values, golden.flat("adam_weights")), 1e-4);
}

TEST_P(FlowMatchingGolden, TransportInDoubleAgreesWithSciPy) {
    const Golden<double> golden(GetParam());
    FlowMatching::Workspace<double> workspace;
    const auto context = golden.group.open_dataset("context").read<double>();
    Matrix<double> x = golden.x0;

    popflow::ode::dormand_prince<double>(
        [&](std::span<const double> t, linalg::ConstMatrixView<double> at, linalg::MatrixView<double> v) {
            golden.model.velocity<double>(golden.values, context, golden.condition.values(), t, at, workspace,
                                          v);
        },
        // SELU has a kink at 0, across which the error estimate is too small. A tolerance of 1e-8 gives
        // errors of up to 1e-5, and 1e-10 errors of up to 1e-6.
        {.tolerance = 1e-10}, x.view());

    const Matrix<double> expected = matrix<double>(golden.group, "transported");
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x.values()[i], expected.values()[i], 1e-6);
}

TEST_P(FlowMatchingGolden, TransportKeepsItsToleranceInFloat) {
    const Golden<float> golden(GetParam());
    const auto context = golden.group.open_dataset("context").read<float>();
    Matrix<float> x = golden.x0;

    golden.model.transport(golden.values, context, golden.condition.values(), {}, x.view());

    // The tolerance bounds the error of one step of a cell, as a root mean square over markers. A cell takes
    // about ten steps. Across the kinks of SELU the estimate is too small by a small factor.
    const Matrix<float> expected = matrix<float>(golden.group, "transported");
    for (std::size_t i = 0; i < x.rows(); ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < x.cols(); ++j) {
            const double allowed = 1e-4 * (1 + std::abs(double{expected(i, j)}));
            sum += std::pow((double{x(i, j)} - double{expected(i, j)}) / allowed, 2);
        }
        EXPECT_LT(std::sqrt(sum / static_cast<double>(x.cols())), 10 * 3) << "cell " << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, FlowMatchingGolden,
                         testing::Values("fm", "cgfm", "mfm_k0", "mfm_k5", "mfm_k5_deep", "mfm_fourier",
                                         "mfm_film", "cgfm_film"));

// SPDX-License-Identifier: MIT
// Compares the ICNN with PyTorch. tests/golden/models/generate_icnn.py writes the reference values.
#include <gtest/gtest.h>

#include <cmath>

#include "h5/file.hpp"
#include "models/icnn_transport.hpp"

using popflow::linalg::Matrix;
using popflow::models::IcnnTransport;
using popflow::models::IcnnTransportShape;
using popflow::models::TrainingSlot;
namespace h5 = popflow::h5;
namespace linalg = popflow::linalg;
namespace nn = popflow::nn;

namespace {

template <class Real>
Matrix<Real> matrix(const h5::Group& group, const std::string& name) {
    const h5::Dataset dataset = group.open_dataset(name);
    Matrix<Real> m(dataset.rows(), dataset.row_size());
    dataset.read_rows(0, m.rows(), m.values());
    return m;
}

// Returns ||a - b|| / max(||b||, 1e-12), which is also defined if both are zero.
template <class Real>
double relative_error(std::span<const Real> a, std::span<const Real> b) {
    EXPECT_EQ(a.size(), b.size());
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        difference += x * x;
        size += static_cast<double>(b[i]) * static_cast<double>(b[i]);
    }
    return std::sqrt(difference) / std::max(std::sqrt(size), 1e-12);
}

// One case of the golden file.
template <class Real>
struct Golden {
    explicit Golden(const std::string& name)
        : root(h5::open_file(std::string(POPFLOW_TEST_DATA) + "/models/icnn.h5")),
          group(root.open_group(name)),
          model(shape()),
          values(flat("weights")),
          condition{Real{0}, Real{1}, static_cast<Real>(0.5)} {
        condition.resize(model.shape().conditions);
    }
    IcnnTransportShape shape() const {
        const auto size = [&](const h5::Group& from, const char* name) {
            return static_cast<std::size_t>(from.int_attribute(name));
        };
        return {.markers = size(root, "markers"),
                .conditions = size(group, "conditions"),
                .hidden = size(root, "hidden"),
                .layers = size(root, "layers"),
                .inner_steps = size(root, "inner_steps")};
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
        return {.x0 = x0.view(),
                .x1 = x1.view(),
                .t = {},
                .control = {},
                .control_type = {},
                .condition = condition};
    }
    double number(const std::string& name) const {
        return group.open_dataset(name).template read<double>().front();
    }
    // Compares both losses and all gradients with the reference.
    void check(double tolerance) const {
        typename IcnnTransport::Workspace<Real> workspace;
        linalg::AlignedVector<Real> gradient(values.size());
        const std::span<const Real> weights(values);
        const double g =
            static_cast<double>(model.template g_loss<Real>(weights, slot(), workspace, gradient));
        const double f =
            static_cast<double>(model.template f_loss<Real>(weights, slot(), workspace, gradient));
        EXPECT_NEAR(g, number("g_loss"), tolerance * std::abs(g));
        EXPECT_NEAR(f, number("f_loss"), tolerance * std::abs(f));
        const auto expected = flat("gradients");
        for (const nn::Tensor& tensor : model.layout().tensors()) {
            EXPECT_LT(relative_error(nn::elements_of(std::span<const Real>(gradient), tensor),
                                     nn::elements_of(std::span<const Real>(expected), tensor)),
                      tolerance)
                << tensor.name;
        }
    }

    h5::Group root;
    h5::Group group;
    IcnnTransport model;
    linalg::AlignedVector<Real> values;
    std::vector<Real> condition;
    Matrix<Real> x0 = matrix<Real>(group, "batch/x0");
    Matrix<Real> x1 = matrix<Real>(group, "batch/x1");
};

class IcnnGolden : public testing::TestWithParam<const char*> {};

}  // namespace

TEST_P(IcnnGolden, LossesAndGradientsAgreeInDouble) {
    Golden<double>(GetParam()).check(1e-11);
}

TEST_P(IcnnGolden, LossesAndGradientsAgreeInFloat) {
    Golden<float>(GetParam()).check(2e-5);
}

TEST_P(IcnnGolden, TransportAgrees) {
    const Golden<float> golden(GetParam());
    Matrix<float> x = golden.x0;
    golden.model.transport(golden.values, {}, golden.condition, {}, x.view());
    const Matrix<float> expected = matrix<float>(golden.group, "moved");
    EXPECT_LT(relative_error<float>(x.values(), expected.values()), 2e-6);
}

TEST_P(IcnnGolden, TenAlternatingAdamStepsAgree) {
    Golden<float> golden(GetParam());
    const auto losses = golden.group.open_dataset("adam_losses").read<double>();
    const auto scratch = golden.model.make_scratch();
    nn::AdamState adam = nn::AdamState::start(golden.values);
    popflow::models::PairInput input;
    input.slot = golden.slot();
    for (std::uint64_t step = 0; step < losses.size(); ++step) {
        const nn::UpdatePhase phase = golden.model.phase(step);
        linalg::AlignedVector<float> gradient(golden.values.size());
        const double loss =
            golden.model.slot_gradient({.values = golden.values, .phase = phase}, input, *scratch, gradient);
        EXPECT_NEAR(loss, losses[step], 1e-4 * std::abs(losses[step])) << step;
        nn::adam_step({.beta1 = 0.5, .beta2 = 0.9, .ema_decay = 0}, 1e-2, 1.0F, phase, gradient,
                      golden.values, adam);
        golden.model.project(phase, golden.values);
    }
    EXPECT_LT(relative_error<float>(golden.values, golden.flat("adam_weights")), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Cases, IcnnGolden, testing::Values("none", "treatment"));

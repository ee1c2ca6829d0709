// SPDX-License-Identifier: MIT
// Options of the published training of Meta Flow Matching that differ from popflow's defaults.
#include <gtest/gtest.h>

#include <cmath>

#include "models/flow_matching.hpp"
#include "support/gradient_check.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::models::Context;
using popflow::models::EncoderActivation;
using popflow::models::FlowMatching;
using popflow::models::FlowMatchingShape;
using popflow::models::Loss;
using popflow::models::TrainingSlot;
using popflow::models::Updates;
using popflow::support::random_matrix;
namespace linalg = popflow::linalg;
namespace nn = popflow::nn;

namespace {

FlowMatchingShape published() {
    return {.context = Context::population,
            .markers = 3,
            .hidden = 8,
            .layers = 2,
            .time_frequencies = 2,
            .space_frequencies = 2,
            .encoder =
                {.hidden = 6, .layers = 3, .embedding = 4, .knn = 2, .activation = EncoderActivation::none},
            .updates = Updates::alternate,
            .loss = Loss::reduced};
}

template <class Real>
struct Example {
    explicit Example(const FlowMatchingShape& shape)
        : model(shape, popflow::models::draw_frequencies(shape, 1)) {
        const auto initial = model.initial_values(5);
        values.assign(initial.begin(), initial.end());
    }
    TrainingSlot<Real> slot() {
        return {.x0 = x0.view(),
                .x1 = x1.view(),
                .t = t.values(),
                .control = x0.view(),
                .control_type = {},
                .condition = {}};
    }
    FlowMatching model;
    linalg::AlignedVector<Real> values;
    Matrix<Real> x0 = random_matrix<Real>(9, 3, 11);
    Matrix<Real> x1 = random_matrix<Real>(9, 3, 12);
    Matrix<Real> t = random_matrix<Real>(1, 9, 13);
    std::vector<float> memory{0, 0, 0, 0};
};

// Returns the input of the slot of an example.
popflow::models::PairInput input_of(Example<float>& example) {
    popflow::models::PairInput input;
    input.slot = example.slot();
    return input;
}

}  // namespace

TEST(PublishedTraining, GradientsWithALinearEncoderAgreeWithCentralDifferences) {
    Example<double> example(published());
    FlowMatching::Workspace<double> workspace;
    linalg::AlignedVector<double> gradient(example.values.size());
    linalg::AlignedVector<double> unused(example.values.size());
    const auto loss = [&](std::span<double> into) {
        return example.model.loss_and_gradient<double>(example.values, example.slot(), workspace, into);
    };
    loss(gradient);
    for (const nn::Tensor& tensor : example.model.layout().tensors()) {
        const auto part = nn::elements_of(std::span<double>(example.values), tensor);
        const auto expected = nn::elements_of(std::span<const double>(gradient), tensor);
        EXPECT_LT(popflow::support::gradient_error(part, expected, [&] { return loss(unused); }), 1e-6)
            << tensor.name;
    }
}

TEST(PublishedTraining, ALinearEncoderEmbedsTheMeanCell) {
    FlowMatchingShape shape = published();
    shape.encoder.knn = 0;
    const Example<float> example(shape);
    Matrix<float> mean(1, 3);
    for (std::size_t i = 0; i < 9; ++i) {
        for (std::size_t j = 0; j < 3; ++j) mean(0, j) += example.x0(i, j) / 9;
    }

    const auto all_cells = example.model.context(example.values, example.x0.view(), {});
    const auto mean_cell = example.model.context(example.values, mean.view(), {});

    for (std::size_t j = 0; j < all_cells.size(); ++j) EXPECT_NEAR(all_cells[j], mean_cell[j], 1e-5);
}

TEST(PublishedTraining, VelocityAndEncoderAlternate) {
    const Example<float> example(published());
    const nn::UpdatePhase velocity = example.model.phase(4);
    const nn::UpdatePhase encoder = example.model.phase(5);
    EXPECT_EQ(velocity.part, 0U);
    EXPECT_EQ(velocity.updates, 2U);
    EXPECT_EQ(encoder.part, 1U);
    EXPECT_EQ(encoder.updates, 2U);
    for (const nn::Tensor& tensor : example.model.layout().tensors()) {
        const nn::UpdatePhase& phase = tensor.name.starts_with("encoder") ? encoder : velocity;
        EXPECT_GE(tensor.offset, phase.first) << tensor.name;
        EXPECT_LE(tensor.offset + tensor.size(), phase.first + phase.count) << tensor.name;
    }
}

TEST(PublishedTraining, VelocityStepsUseTheStoredEmbedding) {
    Example<float> example(published());
    const auto scratch = example.model.make_scratch();
    linalg::AlignedVector<float> gradient(example.values.size());
    const auto step = [&](std::uint64_t number) {
        return example.model.slot_gradient(
            {.values = example.values, .phase = example.model.phase(number), .memory = example.memory},
            input_of(example), *scratch, gradient);
    };
    const auto embedding = [&] { return example.model.context(example.values, example.x0.view(), {}); };

    const double first = step(0);  // first visit: computes and stores the embedding
    const std::vector<float> old = example.memory;
    EXPECT_EQ(old, embedding());
    const nn::UpdatePhase encoder = example.model.phase(1);
    for (std::size_t i = 0; i < encoder.count; ++i)
        example.values[encoder.first + i] *= i % 2 == 0 ? 0.5F : 2.0F;
    ASSERT_NE(old, embedding());

    EXPECT_EQ(step(2), first) << "the same loss, because the stored embedding is stale";
    EXPECT_EQ(example.memory, old);
    EXPECT_NE(step(3), first) << "an encoder step recomputes the embedding";
    EXPECT_EQ(example.memory, embedding());
}

TEST(PublishedTraining, AGivenEmbeddingHasNoGradient) {
    Example<double> example(published());
    FlowMatching::Workspace<double> workspace;
    linalg::AlignedVector<double> gradient(example.values.size());
    linalg::AlignedVector<double> constant(example.values.size());
    example.model.loss_and_gradient<double>(example.values, example.slot(), workspace, gradient);
    const std::vector<double> h = workspace.context;
    TrainingSlot<double> slot = example.slot();
    slot.embedding = h;

    example.model.loss_and_gradient<double>(example.values, slot, workspace, constant);

    const nn::UpdatePhase encoder = example.model.phase(1);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        const bool is_encoder = i >= encoder.first && i < encoder.first + encoder.count;
        EXPECT_EQ(constant[i], is_encoder ? 0.0 : gradient[i]);
    }
    const std::vector<double> wrong(3, 0.5);
    slot.embedding = wrong;
    EXPECT_THROW(example.model.loss_and_gradient<double>(example.values, slot, workspace, constant),
                 popflow::core::ShapeMismatch);
}

TEST(PublishedTraining, TheReducedLossOmitsTheSquaredDisplacement) {
    FlowMatchingShape shape = published();
    Example<float> reduced(shape);
    shape.loss = Loss::full;
    Example<float> full(shape);
    linalg::AlignedVector<float> a(full.values.size());
    linalg::AlignedVector<float> b(full.values.size());
    double displacement = 0;
    for (std::size_t i = 0; i < full.x0.size(); ++i) {
        displacement += std::pow(static_cast<double>(full.x1.values()[i] - full.x0.values()[i]), 2) / 9;
    }

    const double with =
        full.model.slot_gradient({.values = full.values, .phase = full.model.phase(0), .memory = full.memory},
                                 input_of(full), *full.model.make_scratch(), a);
    const double without = reduced.model.slot_gradient(
        {.values = reduced.values, .phase = reduced.model.phase(0), .memory = reduced.memory},
        input_of(reduced), *reduced.model.make_scratch(), b);

    EXPECT_NEAR(with - without, displacement, 1e-6 * displacement);
    EXPECT_EQ(a, b);
}

// SPDX-License-Identifier: MIT
// A backward pass reports which elements of a slot's gradient are final, from the end on.
#include <gtest/gtest.h>

#include <omp.h>

#include "models/flow_matching.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::models::Context;
using popflow::models::FlowMatching;
using popflow::models::FlowMatchingShape;
using popflow::models::Modulated;
using popflow::support::random_matrix;
namespace linalg = popflow::linalg;

namespace {

struct Report {
    std::size_t first;
    std::vector<float> gradient;  // copy at the time of the call
};

struct Slot {
    explicit Slot(const FlowMatchingShape& shape)
        : model(shape, popflow::models::draw_frequencies(shape, 1)),
          values(model.initial_values(5)),
          gradient(values.size()) {}

    std::vector<Report> run(bool with_sink) {
        std::vector<Report> reports;
        const auto scratch = model.make_scratch();
        const popflow::nn::GradientSink sink = [&](std::size_t first) {
            reports.push_back({first, {gradient.begin(), gradient.end()}});
        };
        std::ranges::fill(gradient, 0.0F);
        popflow::models::PairInput input;
        input.slot = {.x0 = x0.view(),
                      .x1 = x1.view(),
                      .t = t.values(),
                      .control = x0.view(),
                      .control_type = {},
                      .condition = {}};
        model.slot_gradient(
            {.values = values, .phase = model.phase(0), .gradient_sink = with_sink ? &sink : nullptr}, input,
            *scratch, gradient);
        return reports;
    }

    FlowMatching model;
    linalg::AlignedVector<float> values;
    linalg::AlignedVector<float> gradient;
    Matrix<float> x0 = random_matrix<float>(150, 3, 11);
    Matrix<float> x1 = random_matrix<float>(150, 3, 12);
    Matrix<float> t = random_matrix<float>(1, 150, 13);
};

FlowMatchingShape shape_with(Modulated modulation) {
    FlowMatchingShape shape{.context = Context::population,
                            .markers = 3,
                            .hidden = 140,
                            .layers = 3,
                            .time_frequencies = 2,
                            .space_frequencies = 2,
                            .encoder = {.hidden = 6, .layers = 3, .embedding = 4, .knn = 2}};
    shape.modulation = modulation;
    return shape;
}

}  // namespace

TEST(GradientSink, ReportsOnlyFinalElementsFromTheEndOn) {
    for (const Modulated modulation : {Modulated::none, Modulated::film}) {
        Slot slot(shape_with(modulation));
        const auto reports = slot.run(true);
        ASSERT_FALSE(reports.empty());
        std::size_t before = slot.gradient.size();
        for (const Report& report : reports) {
            EXPECT_LT(report.first, before);
            before = report.first;
            for (std::size_t i = report.first; i < slot.gradient.size(); ++i) {
                ASSERT_EQ(report.gradient[i], slot.gradient[i])
                    << "element " << i << ", reported from " << report.first;
            }
        }
        EXPECT_EQ(before, slot.model.layout().find("velocity.first.weight").offset);
    }
}

TEST(GradientSink, IsCalledOncePerLayer) {
    Slot slot(shape_with(Modulated::none));
    omp_set_num_threads(1);
    EXPECT_EQ(slot.run(true).size(), 4U);  // three hidden layers and the output layer
}

TEST(GradientSink, DoesNotChangeTheGradient) {
    Slot slot(shape_with(Modulated::none));
    slot.run(true);
    const auto expected = slot.gradient;
    slot.run(false);
    EXPECT_EQ(expected, slot.gradient);
}

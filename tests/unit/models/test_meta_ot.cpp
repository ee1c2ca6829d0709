// SPDX-License-Identifier: MIT
#include "models/meta_ot.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.hpp"
#include "ot/cost_matrix.hpp"
#include "ot/entropic.hpp"
#include "support/problem_constants.hpp"

using popflow::core::Purpose;
using popflow::core::Stream;
using popflow::linalg::Matrix;
using popflow::models::DualBase;
using popflow::models::DualForm;
using popflow::models::DualInputs;
using popflow::models::DualObjective;
using popflow::models::MetaOt;
using popflow::models::MetaOtShape;
using popflow::models::ProblemInput;
using popflow::ot::Histogram;

namespace {

constexpr std::size_t side = 4;
constexpr std::size_t atoms = side * side;

// Some problems between random histograms, half of whose atoms have mass, with the memory of their views.
struct Problems {
    explicit Problems(std::size_t count) : positions(atoms, 2) {
        for (std::size_t i = 0; i < atoms; ++i) {
            positions(i, 0) = static_cast<double>(i % side) / (side - 1);
            positions(i, 1) = static_cast<double>(i / side) / (side - 1);
        }
        const Matrix<double> all =
            popflow::ot::cost_matrix(popflow::ot::AtomCost::squared_euclidean, positions, positions);
        for (std::size_t p = 0; p < 2 * count; ++p) histograms.push_back(histogram(p));
        for (std::size_t p = 0; p < count; ++p) {
            const Histogram& a = histograms[2 * p];
            const Histogram& b = histograms[2 * p + 1];
            costs.push_back(popflow::ot::histogram_problem(all, a, b).c);
            base.emplace_back(a.atoms.size(), 0.0);
        }
        for (std::size_t p = 0; p < count; ++p) {
            input.pairs.push_back({&histograms[2 * p], &histograms[2 * p + 1]});
            input.problems.push_back({.c = costs[p].view(),
                                      .a = histograms[2 * p].weights,
                                      .b = histograms[2 * p + 1].weights,
                                      .base = base[p],
                                      .solution = {}});
        }
    }
    Problems(const Problems&) = delete;
    Problems& operator=(const Problems&) = delete;

    static Histogram histogram(std::size_t index) {
        Stream stream(1, Purpose::test, index);
        std::vector<double> weights(atoms);
        for (std::size_t i = 0; i < atoms; ++i) weights[i] = (i + index) % 2 == 0 ? stream.uniform() : 0;
        return popflow::ot::make_histogram(weights, "test");
    }
    void add_solutions() {
        for (std::size_t p = 0; p < costs.size(); ++p) {
            const auto result =
                popflow::ot::solve_entropic(costs[p].view(), input.problems[p].a, input.problems[p].b,
                                            {.epsilon = 0.05, .tolerances = {1e-10}});
            solutions.push_back(result.potentials.f);
        }
        for (std::size_t p = 0; p < costs.size(); ++p) input.problems[p].solution = solutions[p];
    }

    Matrix<double> positions;
    std::vector<Histogram> histograms;
    std::vector<Matrix<double>> costs;
    std::vector<std::vector<double>> base;
    std::vector<std::vector<double>> solutions;
    ProblemInput input;
};

MetaOt small_model(DualForm form, DualObjective objective = DualObjective::semidual) {
    MetaOtShape shape;
    shape.hidden = 12;
    shape.layers = 2;
    shape.form = form;
    shape.objective = objective;
    return {shape, popflow::support::problem_constants(side)};
}

// Weights of which none is zero.
popflow::linalg::AlignedVector<float> random_values(const MetaOt& model) {
    popflow::linalg::AlignedVector<float> values(model.layout().size());
    Stream stream(3, Purpose::test);
    for (const auto& tensor : model.layout().tensors()) {
        for (std::size_t i = 0; i < tensor.size(); ++i)
            values[tensor.offset + i] = 0.3F * static_cast<float>(stream.normal());
    }
    return values;
}

double loss_of(const MetaOt& model, std::span<const float> values, const ProblemInput& input,
               std::span<float> gradients) {
    const auto scratch = model.make_scratch();
    return model.slot_gradient({.values = values}, input, *scratch, gradients);
}

}  // namespace

TEST(MetaOt, HasTheGradientOfItsLoss) {
    for (const DualForm form : {DualForm::automatic, DualForm::atoms, DualForm::smooth}) {
        for (const DualObjective objective : {DualObjective::semidual, DualObjective::regression}) {
            Problems problems(3);
            problems.add_solutions();
            const MetaOt model = small_model(form, objective);
            auto values = random_values(model);
            popflow::linalg::AlignedVector<float> gradient(values.size());
            loss_of(model, values, problems.input, gradient);
            popflow::linalg::AlignedVector<float> unused(values.size());
            double difference = 0;
            double size = 0;
            for (std::size_t i = 0; i < values.size(); i += 7) {
                const float original = values[i];
                constexpr float h = 2e-3F;
                values[i] = original + h;
                const double above = loss_of(model, values, problems.input, unused);
                values[i] = original - h;
                const double below = loss_of(model, values, problems.input, unused);
                values[i] = original;
                const double numeric = (above - below) / (2 * static_cast<double>(h));
                difference += std::pow(numeric - static_cast<double>(gradient[i]), 2);
                size += numeric * numeric;
            }
            EXPECT_GT(size, 0);
            EXPECT_LT(std::sqrt(difference / size), 0.02) << static_cast<int>(form);
        }
    }
}

TEST(MetaOt, StartsFromItsBase) {
    const Problems problems(2);
    const MetaOt model = small_model(DualForm::smooth);
    const auto values = model.initial_values(1);
    Matrix<float> residual(2, atoms);
    residual.fill(1);
    model.predict(values, problems.input.pairs, residual.view());
    for (const float value : residual.values()) EXPECT_EQ(value, 0);
}

TEST(MetaOt, HasTheOptimalValueAsLossOfTheSolution) {
    Problems problems(1);
    problems.add_solutions();
    const MetaOt model = small_model(DualForm::smooth);
    const auto values = model.initial_values(1);
    problems.base[0] = problems.solutions[0];
    popflow::linalg::AlignedVector<float> gradient(values.size());
    const double loss = loss_of(model, values, problems.input, gradient);
    const auto best =
        popflow::ot::solve_entropic(problems.costs[0].view(), problems.input.problems[0].a,
                                    problems.input.problems[0].b, {.epsilon = 0.05, .tolerances = {1e-10}});
    EXPECT_NEAR(-0.1 * loss, best.values.dual, 1e-7);
    for (const float g : gradient) EXPECT_NEAR(g, 0, 1e-6);
    // A constant shift changes nothing.
    for (double& f : problems.base[0]) f += 3;
    EXPECT_NEAR(loss_of(model, values, problems.input, gradient), loss, 1e-9);
}

TEST(MetaOt, HasNoRegressionLossAtTheSolution) {
    Problems problems(1);
    problems.add_solutions();
    const MetaOt model = small_model(DualForm::automatic, DualObjective::regression);
    const auto values = model.initial_values(1);
    popflow::linalg::AlignedVector<float> gradient(values.size());
    EXPECT_GT(loss_of(model, values, problems.input, gradient), 1e-4);
    problems.base[0] = problems.solutions[0];
    for (double& f : problems.base[0]) f -= 2;
    EXPECT_NEAR(loss_of(model, values, problems.input, gradient), 0, 1e-12);
}

TEST(MetaOt, LearnsToSolveItsProblems) {
    Problems problems(2);
    const MetaOt model = small_model(DualForm::automatic);
    auto values = model.initial_values(1);
    popflow::linalg::AlignedVector<float> gradient(values.size());
    double best = 0;
    for (std::size_t p = 0; p < 2; ++p)
        best -=
            popflow::ot::solve_entropic(problems.costs[p].view(), problems.input.problems[p].a,
                                        problems.input.problems[p].b, {.epsilon = 0.05, .tolerances = {1e-8}})
                .values.dual /
            0.1 / 2;
    const double first = loss_of(model, values, problems.input, gradient);
    double loss = first;
    for (int step = 0; step < 3000; ++step) {
        std::ranges::fill(gradient, 0.0F);
        loss = loss_of(model, values, problems.input, gradient);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] -= 0.05F * gradient[i];
    }
    EXPECT_LT(loss - best, 0.1 * (first - best));
    EXPECT_GE(loss, best - 1e-6);
}

// SPDX-License-Identifier: MIT
#include "ot/entropic.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "ot/exact.hpp"
#include "ot/histogram_problem.hpp"
#include "ot/semidual_newton.hpp"
#include "support/sinkhorn_cases.hpp"

using popflow::core::NumericalError;
using popflow::core::Purpose;
using popflow::core::ShapeMismatch;
using popflow::core::Stream;
using popflow::linalg::ConstMatrixView;
using popflow::linalg::Matrix;
using popflow::ot::Acceleration;
using popflow::ot::EntropicOptions;
using popflow::ot::EntropicResult;
using popflow::ot::Fallback;
using popflow::ot::NewtonResult;
using popflow::ot::Potentials;
using popflow::ot::solve_entropic;
using popflow::ot::solve_semidual_newton;

namespace {

constexpr Acceleration accelerations[] = {Acceleration::none, Acceleration::overrelax,
                                          Acceleration::anderson};

Matrix<double> squared_distances(const Matrix<float>& x, const Matrix<float>& y) {
    Matrix<double> c(x.rows(), y.rows());
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t j = 0; j < y.rows(); ++j) {
            for (std::size_t k = 0; k < x.cols(); ++k)
                c(i, j) += std::pow(static_cast<double>(x(i, k)) - static_cast<double>(y(j, k)), 2);
        }
    }
    return c;
}

double mean(const Matrix<double>& c) {
    return std::accumulate(c.values().begin(), c.values().end(), 0.0) / static_cast<double>(c.size());
}

// Transport between histograms on a square grid of `side` x `side` atoms in the unit square, each a few
// blobs.
struct GridProblem {
    Matrix<double> c;
    std::vector<double> a;
    std::vector<double> b;
};

std::vector<double> blobs(std::size_t side, Stream& stream) {
    std::vector<double> weights(side * side, 1e-4);
    for (int blob = 0; blob < 3; ++blob) {
        const double x = stream.uniform() * static_cast<double>(side);
        const double y = stream.uniform() * static_cast<double>(side);
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const double dx = static_cast<double>(i % side) - x;
            const double dy = static_cast<double>(i / side) - y;
            weights[i] += std::exp(-(dx * dx + dy * dy) / 4);
        }
    }
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (double& w : weights) w /= total;
    return weights;
}

GridProblem grid_problem(std::size_t side, std::uint64_t seed) {
    Stream stream(seed, Purpose::test);
    Matrix<float> positions(side * side, 2);
    for (std::size_t i = 0; i < positions.rows(); ++i) {
        positions(i, 0) = static_cast<float>(i % side) / static_cast<float>(side - 1);
        positions(i, 1) = static_cast<float>(i / side) / static_cast<float>(side - 1);
    }
    GridProblem problem{squared_distances(positions, positions), {}, {}};
    problem.a = blobs(side, stream);
    problem.b = blobs(side, stream);
    return problem;
}

// 1-norm of the error of both marginals of the plan of the potentials.
double plan_error(ConstMatrixView<double> c, const std::vector<double>& a, const std::vector<double>& b,
                  double epsilon, const Potentials& p) {
    double error = 0;
    std::vector<double> cols(b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        double row = 0;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const double mass = a[i] * b[j] * std::exp((p.f[i] + p.g[j] - c(i, j)) / epsilon);
            row += mass;
            cols[j] += mass;
        }
        error += std::fabs(row - a[i]);
    }
    for (std::size_t j = 0; j < b.size(); ++j) error += std::fabs(cols[j] - b[j]);
    return error;
}

}  // namespace

TEST(Entropic, AgreesWithPotForEachAcceleration) {
    std::size_t compared = 0;
    for (const popflow::support::SinkhornCase& golden : popflow::support::sinkhorn_cases()) {
        if (!std::isinf(golden.rho_rows)) continue;
        const Matrix<double> c = squared_distances(golden.x, golden.y);
        const double epsilon = golden.epsilon * mean(c);
        for (const Acceleration acceleration : accelerations) {
            const EntropicResult r =
                solve_entropic(c.view(), golden.a, golden.b,
                               {.epsilon = epsilon, .tolerances = {1e-12}, .acceleration = acceleration});
            EXPECT_TRUE(r.reached.at(0).is_converged);
            EXPECT_NEAR(r.values.transport_cost, golden.transport_cost, 1e-9 * golden.transport_cost);
            EXPECT_NEAR(r.values.dual, golden.value, 1e-10 * golden.value);
            EXPECT_NEAR(r.values.primal, golden.value, 1e-10 * golden.value);
        }
        const NewtonResult r =
            solve_semidual_newton(c.view(), golden.a, golden.b, {.epsilon = epsilon, .tolerances = {1e-10}});
        EXPECT_TRUE(r.reached.at(0).is_converged);
        EXPECT_NEAR(r.values.dual, golden.value, 1e-10 * golden.value);
        EXPECT_NEAR(r.values.transport_cost, golden.transport_cost, 1e-9 * golden.transport_cost);
        ++compared;
    }
    EXPECT_EQ(compared, 12U);
}

TEST(Entropic, ReachesEachToleranceAndItsPotentialsHaveTheError) {
    const GridProblem p = grid_problem(12, 1);
    for (const Acceleration acceleration : accelerations) {
        const EntropicResult r = solve_entropic(p.c.view(), p.a, p.b,
                                                {.epsilon = 0.01,
                                                 .tolerances = {1e-1, 1e-3, 1e-6},
                                                 .acceleration = acceleration,
                                                 .record_errors = true});
        ASSERT_EQ(r.reached.size(), 3U);
        EXPECT_EQ(r.errors.size(), r.iterations);
        for (std::size_t k = 0; k < 3; ++k) {
            EXPECT_TRUE(r.reached[k].is_converged);
            EXPECT_EQ(r.errors.at(r.reached[k].iterations - 1).marginal_error, r.reached[k].marginal_error);
        }
        EXPECT_LT(r.reached[0].iterations, r.reached[1].iterations);
        EXPECT_LT(r.reached[1].iterations, r.reached[2].iterations);
        EXPECT_LE(plan_error(p.c.view(), p.a, p.b, 0.01, r.potentials), 1e-6);
        EXPECT_NEAR(r.values.marginal_error, plan_error(p.c.view(), p.a, p.b, 0.01, r.potentials), 1e-12);
        EXPECT_GE(r.values.primal, r.values.dual);
        double gauge = 0;
        for (std::size_t i = 0; i < p.a.size(); ++i) gauge += p.a[i] * r.potentials.f[i];
        EXPECT_NEAR(gauge, 0, 1e-12);
    }
}

TEST(Entropic, SaysThatItDidNotConverge) {
    const GridProblem p = grid_problem(8, 2);
    const EntropicResult r = solve_entropic(p.c.view(), p.a, p.b,
                                            {.epsilon = 0.01,
                                             .tolerances = {1e-1, 1e-9},
                                             .max_iterations = 7,
                                             .acceleration = Acceleration::none});
    EXPECT_EQ(r.iterations, 7U);
    ASSERT_EQ(r.reached.size(), 2U);
    EXPECT_FALSE(r.reached[1].is_converged);
    EXPECT_EQ(r.reached[1].iterations, 7U);
    EXPECT_GT(r.reached[1].marginal_error, 1e-9);
    EXPECT_GT(r.values.primal, r.values.dual);
}

TEST(Entropic, AndersonTakesNoMoreSweepsThanPlain) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const GridProblem p = grid_problem(6 + seed % 5, seed);
        for (const double epsilon : {0.05, 0.005}) {
            EntropicOptions options{.epsilon = epsilon, .tolerances = {1e-2, 1e-3, 1e-5}, .values = false};
            options.acceleration = Acceleration::none;
            const EntropicResult plain = solve_entropic(p.c.view(), p.a, p.b, options);
            options.acceleration = Acceleration::anderson;
            const EntropicResult fast = solve_entropic(p.c.view(), p.a, p.b, options);
            for (std::size_t k = 0; k < 3; ++k)
                EXPECT_LE(fast.reached[k].iterations, plain.reached[k].iterations) << seed << " " << epsilon;
        }
    }
}

TEST(Entropic, SmallEpsilonNeitherOverflowsNorUnderflows) {
    const GridProblem p = grid_problem(6, 3);
    popflow::ot::Cost cost(p.c.view());
    const double exact = popflow::ot::solve_exact(cost, p.a, p.b).value;
    for (const double epsilon : {1e-3, 1e-4}) {
        const NewtonResult newton =
            solve_semidual_newton(p.c.view(), p.a, p.b, {.epsilon = epsilon, .tolerances = {1e-9}});
        ASSERT_TRUE(newton.reached[0].is_converged);
        // The entropy KL(P | a b) lies between 0 and the entropy of a.
        EXPECT_GE(newton.values.dual, exact - 1e-12);
        EXPECT_LE(newton.values.dual, exact + epsilon * std::log(36.0));
        // The range of costs is 2 / 1e-4: far outside the exponents of double.
        const EntropicResult sinkhorn = solve_entropic(p.c.view(), p.a, p.b,
                                                       {.epsilon = epsilon,
                                                        .tolerances = {1e-3},
                                                        .max_iterations = 200000,
                                                        .acceleration = Acceleration::none});
        ASSERT_TRUE(sinkhorn.reached[0].is_converged) << epsilon;
        EXPECT_GT(sinkhorn.absorptions, epsilon < 5e-4 ? 1U : 0U);
        EXPECT_NEAR(sinkhorn.values.transport_cost, newton.values.transport_cost, 3e-3);
    }
}

TEST(Entropic, StartsFromPotentialsOfEitherSide) {
    const GridProblem p = grid_problem(10, 4);
    const EntropicOptions options{.epsilon = 0.02, .tolerances = {1e-6}};
    const EntropicResult first = solve_entropic(p.c.view(), p.a, p.b, options);
    for (const bool use_f : {true, false}) {
        Potentials start;
        (use_f ? start.f : start.g) = use_f ? first.potentials.f : first.potentials.g;
        EXPECT_EQ(solve_entropic(p.c.view(), p.a, p.b, options, &start).iterations, 1U);
        const NewtonResult newton =
            solve_semidual_newton(p.c.view(), p.a, p.b, {.epsilon = 0.02, .tolerances = {1e-6}}, &start);
        EXPECT_LE(newton.iterations, 1U);
    }
}

// Starts that are good or bad at first, with errors that fall slowly or fast.
TEST(Entropic, RaceTakesAsManySweepsAsTheFasterStart) {
    std::size_t wins[2] = {0, 0};
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const GridProblem p = grid_problem(8, seed);
        const GridProblem other = grid_problem(8, 100 + seed);
        const Potentials start = solve_entropic(p.c.view(), other.a, other.b, {.epsilon = 0.01}).potentials;
        for (const Acceleration acceleration : accelerations) {
            EntropicOptions options{
                .epsilon = 0.01, .tolerances = {1e-1, 1e-2, 1e-4, 1e-7}, .acceleration = acceleration};
            const EntropicResult from_zeros = solve_entropic(p.c.view(), p.a, p.b, options);
            const EntropicResult from_start = solve_entropic(p.c.view(), p.a, p.b, options, &start);
            options.fallback = Fallback::race;
            options.record_errors = true;
            const EntropicResult race = solve_entropic(p.c.view(), p.a, p.b, options, &start);
            ASSERT_EQ(race.reached.size(), 4U);
            EXPECT_EQ(race.errors.size(), race.iterations);
            for (std::size_t k = 0; k < race.reached.size(); ++k) {
                const auto& reached = race.reached[k];
                const auto& zeros = from_zeros.reached[k];
                const auto& own = from_start.reached[k];
                EXPECT_TRUE(reached.is_converged);
                EXPECT_EQ(reached.iterations, std::min(zeros.iterations, own.iterations));
                EXPECT_TRUE(zeros.iterations == own.iterations ||
                            reached.fell_back == (zeros.iterations < own.iterations));
                EXPECT_EQ(reached.marginal_error, (reached.fell_back ? zeros : own).marginal_error);
                EXPECT_NEAR(reached.values.dual, (reached.fell_back ? zeros : own).values.dual, 1e-13);
                EXPECT_GT(reached.check_seconds, 0);
                ++wins[reached.fell_back ? 1 : 0];
            }
            const EntropicResult& winner = race.reached.back().fell_back ? from_zeros : from_start;
            EXPECT_EQ(race.rejected, winner.rejected);
            for (std::size_t j = 0; j < p.b.size(); ++j)
                EXPECT_NEAR(race.potentials.g[j], winner.potentials.g[j], 1e-12);
        }
    }
    EXPECT_GT(wins[0], 10U);
    EXPECT_GT(wins[1], 10U);
}

TEST(Entropic, RaceConvergesWhereTheStartDoesNot) {
    const GridProblem p = grid_problem(6, 1);
    const EntropicOptions options{.epsilon = 0.01, .max_iterations = 1000};
    const EntropicResult zeros = solve_entropic(p.c.view(), p.a, p.b, options);
    Potentials start{{}, std::vector<double>(p.b.size())};
    start.g[3] = 1e200;
    EXPECT_FALSE(solve_entropic(p.c.view(), p.a, p.b, options, &start).reached.at(0).is_converged);
    const EntropicResult race = solve_entropic(
        p.c.view(), p.a, p.b, {.epsilon = 0.01, .max_iterations = 1000, .fallback = Fallback::race}, &start);
    EXPECT_TRUE(race.reached.at(0).is_converged);
    EXPECT_TRUE(race.reached.at(0).fell_back);
    EXPECT_EQ(race.iterations, zeros.iterations);
}

TEST(Entropic, RefusesAStartThatIsNotFinite) {
    const GridProblem p = grid_problem(6, 1);
    for (const double value : {std::nan(""), std::numeric_limits<double>::infinity()}) {
        std::vector<double> values(p.b.size());
        values[3] = value;
        for (const Potentials& start : {Potentials{{}, values}, Potentials{values, {}}}) {
            EXPECT_THROW((void)solve_entropic(p.c.view(), p.a, p.b, {.epsilon = 0.01}, &start),
                         NumericalError);
            EXPECT_THROW((void)solve_semidual_newton(p.c.view(), p.a, p.b, {.epsilon = 0.01}, &start),
                         NumericalError);
        }
    }
}

TEST(Entropic, ConstantShiftOfTheStartDoesNotMatter) {
    const GridProblem p = grid_problem(7, 5);
    const Potentials zeros{.f = {}, .g = std::vector<double>(49)};
    const Potentials shifted{.f = {}, .g = std::vector<double>(49, 0.25)};
    const EntropicOptions options{.epsilon = 0.02, .tolerances = {1e-5}};
    const EntropicResult one = solve_entropic(p.c.view(), p.a, p.b, options, &zeros);
    const EntropicResult other = solve_entropic(p.c.view(), p.a, p.b, options, &shifted);
    EXPECT_EQ(one.iterations, other.iterations);
    EXPECT_NEAR(one.values.dual, other.values.dual, 1e-12);
}

TEST(Entropic, SharedKernelGivesTheSameSolution) {
    GridProblem p = grid_problem(8, 9);
    for (double& v : p.c.values()) v -= 0.3;  // costs may be negative
    for (std::size_t i = 0; i < p.a.size(); ++i) {
        if (p.a[i] < 0.005) p.a[i] = 0;
        if (p.b[i] < 0.005) p.b[i] = 0;
    }
    const popflow::ot::Histogram source = popflow::ot::make_histogram(p.a, "source");
    const popflow::ot::Histogram target = popflow::ot::make_histogram(p.b, "target");
    const popflow::ot::HistogramProblem h = popflow::ot::histogram_problem(p.c.view(), source, target);
    const std::vector<double>& a = source.weights;
    const std::vector<double>& b = target.weights;
    ASSERT_LT(a.size(), 64U);
    // With the smallest epsilon, most rows of the shared kernel have no digits for this problem.
    for (const double epsilon : {0.05, 0.01, 5e-4}) {
        const popflow::ot::SharedKernel kernel(p.c.view(), epsilon);
        for (const Acceleration acceleration : accelerations) {
            const EntropicOptions options{.epsilon = epsilon,
                                          .tolerances = {1e-2, 1e-3},
                                          .max_iterations = 200000,
                                          .acceleration = acceleration};
            const EntropicResult alone = solve_entropic(h.c.view(), a, b, options);
            const EntropicResult shared =
                solve_entropic(h.c.view(), a, b, options, nullptr, {&kernel, source.atoms, target.atoms});
            ASSERT_TRUE(shared.reached[1].is_converged);
            EXPECT_LE(plan_error(h.c.view(), a, b, epsilon, shared.potentials), 1e-3 * (1 + 1e-9));
            if (epsilon < 1e-3) continue;  // rounding may change the number of iterations
            EXPECT_EQ(shared.iterations, alone.iterations);
            EXPECT_NEAR(shared.values.dual, alone.values.dual, 1e-11);
            for (std::size_t i = 0; i < a.size(); ++i)
                EXPECT_NEAR(shared.potentials.f[i], alone.potentials.f[i], 1e-9);
        }
    }
}

TEST(Entropic, RefusesASharedKernelOfAnotherProblem) {
    const GridProblem p = grid_problem(4, 9);
    const popflow::ot::SharedKernel kernel(p.c.view(), 0.02);
    std::vector<std::uint32_t> atoms(16);
    std::iota(atoms.begin(), atoms.end(), 0U);
    const std::span<const std::uint32_t> all(atoms);
    const auto solve = [&](double epsilon, std::span<const std::uint32_t> rows) {
        return solve_entropic(p.c.view(), p.a, p.b, {.epsilon = epsilon}, nullptr, {&kernel, rows, all});
    };
    EXPECT_NO_THROW(solve(0.02, all));
    EXPECT_THROW(solve(0.01, all), NumericalError);
    EXPECT_THROW(solve(0.02, all.first(15)), ShapeMismatch);
    atoms[3] = 16;
    EXPECT_THROW(solve(0.02, all), ShapeMismatch);
}

// Small epsilon makes the Hessian almost singular far from the solution, for some problems.
TEST(SemidualNewton, ConvergesForFewAtomsAndSmallEpsilon) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        Stream stream(seed, Purpose::test);
        Matrix<double> c(3 + seed % 8, 5 + 10 * (seed % 5));
        for (double& cost : c.values()) cost = 3 * stream.uniform();
        const auto weights = [&](std::size_t n) {
            std::vector<double> w(n);
            for (double& value : w) value = 0.01 + stream.uniform() * stream.uniform();
            const double total = std::accumulate(w.begin(), w.end(), 0.0);
            for (double& value : w) value /= total;
            return w;
        };
        const std::vector<double> a = weights(c.rows());
        const std::vector<double> b = weights(c.cols());
        for (const double epsilon : {0.02, 0.001}) {
            const NewtonResult r = solve_semidual_newton(
                c.view(), a, b, {.epsilon = epsilon, .tolerances = {1e-9}, .max_iterations = 200});
            EXPECT_TRUE(r.reached.at(0).is_converged) << "seed " << seed << ", epsilon " << epsilon;
            EXPECT_LT(r.values.primal - r.values.dual, 1e-7);
        }
    }
}

TEST(SemidualNewton, TakesFewStepsOnFewAtomsAgainstMany) {
    // 20 atoms against 400, on either side.
    Stream stream(6, Purpose::test);
    Matrix<float> x(20, 3);
    Matrix<float> y(400, 3);
    stream.fill_normal(x.values());
    stream.fill_normal(y.values());
    const std::vector<double> a(20, 0.05);
    const std::vector<double> b(400, 0.0025);
    const Matrix<double> c = squared_distances(x, y);
    const Matrix<double> transposed = squared_distances(y, x);
    const double epsilon = 1e-3 * mean(c);
    const NewtonResult rows =
        solve_semidual_newton(c.view(), a, b, {.epsilon = epsilon, .tolerances = {1e-8}});
    const NewtonResult cols =
        solve_semidual_newton(transposed.view(), b, a, {.epsilon = epsilon, .tolerances = {1e-8}});
    EXPECT_TRUE(rows.reached[0].is_converged);
    EXPECT_LE(rows.iterations, 60U);
    EXPECT_LE(plan_error(c.view(), a, b, epsilon, rows.potentials), 1e-8);
    EXPECT_LE(plan_error(transposed.view(), b, a, epsilon, cols.potentials), 1e-8);
    EXPECT_NEAR(rows.values.dual, cols.values.dual, 1e-12);
    EXPECT_NEAR(rows.values.primal, rows.values.dual, 1e-7);
}

TEST(Entropic, RefusesInvalidInput) {
    const Matrix<double> c(2, 3);
    const std::vector<double> a{0.5, 0.5};
    const std::vector<double> b{0.5, 0.25, 0.25};
    EXPECT_THROW(solve_entropic(c.view(), b, b, {}), ShapeMismatch);
    EXPECT_THROW(solve_entropic(c.view(), std::vector<double>{1, 0}, b, {}), NumericalError);
    EXPECT_THROW(solve_semidual_newton(c.view(), a, std::vector<double>{1, -0.5, 0.5}, {}), NumericalError);
    Matrix<double> bad(2, 3);
    bad(1, 1) = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(solve_entropic(bad.view(), a, b, {}), NumericalError);
    EXPECT_THROW(solve_semidual_newton(bad.view(), a, b, {}), NumericalError);
    const Potentials wrong{.f = {}, .g = {1}};
    EXPECT_THROW(solve_entropic(c.view(), a, b, {}, &wrong), ShapeMismatch);
}

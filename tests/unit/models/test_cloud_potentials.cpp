// SPDX-License-Identifier: MIT
#include "models/cloud_potentials.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "metrics/wasserstein.hpp"
#include "models/meta_icnn.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::models::CloudPotentials;
using popflow::models::FineTuneOptions;
using popflow::models::FineTuning;
using popflow::models::MetaIcnn;
using popflow::models::PotentialStart;
using popflow::models::start_potentials;
using popflow::support::random_matrix;

namespace {

// Bounded source cells, and a target that is a convex map of others: x -> x + x^3 / 4 in each marker.
struct TunedProblem {
    TunedProblem() : x(random_matrix<float>(300, 2, 1)), y(random_matrix<float>(260, 2, 2)) {
        for (float& v : x.values()) v = 2 * std::tanh(v);
        for (float& v : y.values()) {
            v = 2 * std::tanh(v);
            v += v * v * v / 4;
        }
    }
    CloudPotentials start(PotentialStart from) const {
        return start_potentials(model, values, from, x.view(), y.view(), 9);
    }
    // Excess of the dual value over the optimum, divided by W2^2 / 2: 1 for the identity.
    double excess(const CloudPotentials& potentials) const {
        const double w2 = popflow::metrics::wasserstein2(x.view(), y.view());
        const auto& at = potentials.coordinates;
        double optimum = -w2 * w2 / 2;
        double affine = 0;
        for (std::size_t k = 0; k < 2; ++k) {
            affine -= at.source_mean[k] * at.target_mean[k];
            for (const Matrix<float>* side : {&x, &y}) {
                const double other = side == &x ? at.target_mean[k] : at.source_mean[k];
                for (std::size_t i = 0; i < side->rows(); ++i) {
                    const auto v = static_cast<double>((*side)(i, k));
                    optimum += v * v / (2 * static_cast<double>(side->rows()));
                    affine += other * v / static_cast<double>(side->rows());
                }
            }
        }
        const CloudPotentials::Dual dual = potentials.dual_value(x.view(), y.view(), 1e-9);
        EXPECT_LE(dual.max_gap, 1e-6);
        return (dual.value + affine - optimum) / (w2 * w2 / 2);
    }

    MetaIcnn model{{.markers = 2, .units = 32, .embedding = 4, .hidden = 8}};
    popflow::linalg::AlignedVector<float> values = model.initial_values(3);
    Matrix<float> x, y;
};

}  // namespace

TEST(FineTuning, ApproachesTheOptimumFromEachStart) {
    const TunedProblem problem;
    for (const PotentialStart start :
         {PotentialStart::predicted, PotentialStart::gaussian, PotentialStart::identity}) {
        CloudPotentials potentials = problem.start(start);
        const double before = problem.excess(potentials);
        FineTuning(potentials, {.batch = 256, .rate = 5e-3}, 3, 1, 0).run(800);
        const double after = problem.excess(potentials);
        EXPECT_GT(after, -1e-5) << static_cast<int>(start);  // weak duality
        EXPECT_LT(after, 0.9 * before) << static_cast<int>(start);
    }
}

TEST(CloudPotentials, OfTheIdentityHaveNearlyTheValueOfNoTransport) {
    const TunedProblem problem;
    EXPECT_NEAR(problem.excess(problem.start(PotentialStart::identity)), 1, 0.1);
}

TEST(FineTuning, InTwoPartsHasTheBitsOfOne) {
    const TunedProblem problem;
    const FineTuneOptions options{.batch = 50};
    CloudPotentials whole = problem.start(PotentialStart::gaussian);
    CloudPotentials parts = problem.start(PotentialStart::gaussian);
    FineTuning(whole, options, 3, 1, 0).run(7);
    FineTuning tuning(parts, options, 3, 1, 0);
    tuning.run(3);
    tuning.run(7);
    EXPECT_EQ(whole.parameters, parts.parameters);
}

TEST(FineTuning, DrawsOtherCellsForAnotherProblemOrSeed) {
    const TunedProblem problem;
    const FineTuneOptions options{.batch = 50};
    const auto tuned = [&](std::uint64_t seed, std::uint64_t key) {
        CloudPotentials potentials = problem.start(PotentialStart::gaussian);
        FineTuning(potentials, options, 3, seed, key).run(1);
        return potentials.parameters;
    };
    const auto one = tuned(1, 0);
    EXPECT_EQ(one, tuned(1, 0));
    EXPECT_NE(one, tuned(2, 0));
    EXPECT_NE(one, tuned(1, 1));
}

TEST(StartPotentials, GaussianAndIdentityMapAsTheirNamesSay) {
    const TunedProblem problem;
    const auto difference = [&](PotentialStart start, auto&& expected) {
        const Matrix<float> mapped = problem.start(start).mapped(problem.x.view());
        double sum = 0;
        for (std::size_t i = 0; i < mapped.size(); ++i)
            sum += std::pow(static_cast<double>(mapped.values()[i] - expected.values()[i]), 2);
        return std::sqrt(sum / static_cast<double>(mapped.size()));
    };
    const popflow::ot::BalancedCoordinates coordinates(popflow::ot::gaussian_moments(problem.x.view()),
                                                       popflow::ot::gaussian_moments(problem.y.view()));
    const Matrix<float> gaussian = coordinates.to_target(coordinates.of_source(problem.x.view()).view());
    EXPECT_LT(difference(PotentialStart::gaussian, gaussian), 0.2);
    EXPECT_LT(difference(PotentialStart::identity, problem.x), 0.1);
    EXPECT_GT(difference(PotentialStart::identity, gaussian), 0.3);
}

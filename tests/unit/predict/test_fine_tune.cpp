// SPDX-License-Identifier: MIT
#include "predict/fine_tune.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "models/meta_icnn.hpp"
#include "support/random_matrix.hpp"

using popflow::linalg::Matrix;
using popflow::models::MetaIcnn;
using popflow::predict::CloudPotentials;
using popflow::predict::FineTuneOptions;
using popflow::predict::FineTuning;
using popflow::predict::PotentialStart;
using popflow::predict::start_potentials;
using popflow::support::random_matrix;

namespace {

// A source, and a target that is a convex map of other cells: x -> x + x^3 / 4 in each marker.
struct TunedProblem {
    TunedProblem() : x(random_matrix<float>(300, 2, 1)), y(random_matrix<float>(260, 2, 2)) {
        for (float& v : y.values()) v += v * v * v / 4;
    }
    CloudPotentials start(PotentialStart from) const {
        return start_potentials(model, values, from, x.view(), y.view(), 9);
    }
    // Mean squared distance of mapped source cells from their image under the true map.
    double error(const CloudPotentials& potentials) const {
        const Matrix<float> mapped = potentials.mapped(x.view());
        double sum = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const auto v = static_cast<double>(x.values()[i]);
            sum += std::pow(static_cast<double>(mapped.values()[i]) - v - v * v * v / 4, 2);
        }
        return sum / static_cast<double>(x.size());
    }

    MetaIcnn model{{.markers = 2, .units = 32, .embedding = 4, .hidden = 8}};
    popflow::linalg::AlignedVector<float> values = model.initial_values(3);
    Matrix<float> x, y;
};

}  // namespace

TEST(FineTuning, ApproachesTheOptimalMapFromEachStart) {
    const TunedProblem problem;
    for (const PotentialStart start :
         {PotentialStart::predicted, PotentialStart::gaussian, PotentialStart::identity}) {
        CloudPotentials potentials = problem.start(start);
        const double before = problem.error(potentials);
        FineTuning(potentials, {.batch = 128, .rate = 5e-3}, 3, 1, 0).run(400);
        EXPECT_LT(problem.error(potentials), 0.6 * before) << static_cast<int>(start);
    }
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
    EXPECT_LT(difference(PotentialStart::gaussian, gaussian), 0.1);
    EXPECT_LT(difference(PotentialStart::identity, problem.x), 0.1);
    EXPECT_GT(difference(PotentialStart::identity, gaussian), 0.3);
}

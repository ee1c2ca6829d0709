// SPDX-License-Identifier: MIT
#include "simulate/state_mixtures.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace simulate = popflow::simulate;
using popflow::core::Purpose;
using popflow::core::Stream;
using simulate::CellStates;
using simulate::ShapeLaw;
using simulate::ShapesOptions;

namespace {

const ShapesOptions small{
    .seed = 3, .family = "mixtures", .treatments = 3, .markers = 4, .states = 5, .separation = 6};

double distance(const double* x, const double* y, std::size_t d) {
    double sum = 0;
    for (std::size_t j = 0; j < d; ++j) sum += std::pow(x[j] - y[j], 2);
    return std::sqrt(sum);
}

const simulate::LawArray& array(const ShapeLaw& law, const std::string& name) {
    for (const simulate::LawArray& one : law.arrays) {
        if (one.name == name) return one;
    }
    throw std::runtime_error("no array " + name);
}

// Draws cells of a population. Returns their states and coordinates [n, markers].
std::pair<std::vector<std::size_t>, std::vector<double>> draw_cells(const ShapeLaw& law,
                                                                    std::size_t treatment,
                                                                    const std::vector<double>& weights,
                                                                    std::size_t n) {
    const std::size_t d = law.markers.size();
    const simulate::CellSampler draw = law.sampler({.treatment = treatment}, weights);
    std::vector<std::size_t> states;
    std::vector<double> x(n * d);
    for (std::size_t i = 0; i < n; ++i) {
        Stream stream(2, Purpose::test, i);
        states.push_back(draw(stream, std::span(x).subspan(i * d, d)));
    }
    return {states, x};
}

}  // namespace

TEST(CellStates, HaveTheSmallestDistanceAndStandardDeviationsOfTheirOptions) {
    const CellStates states = simulate::draw_states(small);
    ASSERT_EQ(states.size(), 5U);
    double smallest = 1e9;
    for (std::size_t k = 0; k < 5; ++k)
        for (std::size_t l = 0; l < k; ++l)
            smallest = std::min(smallest, distance(&states.mean[k * 4], &states.mean[l * 4], 4));
    EXPECT_NEAR(smallest, 6, 1e-12);
    const std::vector<double> covariance = states.covariance();
    Stream stream(1, Purpose::test);
    for (std::size_t k = 0; k < 5; ++k) {
        const double* s = &covariance[k * 16];
        EXPECT_GT(std::abs(s[1]), 1e-3) << "the covariance is diagonal";
        for (int trial = 0; trial < 100; ++trial) {
            std::vector<double> v(4);
            for (double& value : v) value = stream.normal();
            double form = 0;
            for (std::size_t i = 0; i < 4; ++i)
                for (std::size_t j = 0; j < 4; ++j) form += v[i] * s[i * 4 + j] * v[j];
            form /= std::inner_product(v.begin(), v.end(), v.begin(), 0.0);
            EXPECT_GE(form, 0.25 - 1e-12);
            EXPECT_LE(form, 1 + 1e-12);
        }
    }
}

TEST(CellStates, DependOnTheLawSeedAlone) {
    ShapesOptions other = small;
    other.seed = 99;
    EXPECT_EQ(simulate::draw_states(small).mean, simulate::draw_states(other).mean);
    EXPECT_EQ(simulate::draw_states(small).factor, simulate::draw_states(other).factor);
    EXPECT_EQ(array(simulate::make_mixtures(small), "dirichlet").values,
              array(simulate::make_mixtures(other), "dirichlet").values);
    EXPECT_NE(simulate::make_mixtures(small).draw_parameters({}),
              simulate::make_mixtures(other).draw_parameters({}));
    other.law_seed = 1;
    EXPECT_NE(simulate::draw_states(small).mean, simulate::draw_states(other).mean);
}

TEST(CellStates, CellsHaveTheMeanAndCovarianceOfTheirState) {
    const CellStates states = simulate::draw_states(small);
    const std::vector<double> covariance = states.covariance();
    constexpr std::size_t n = 40000;
    std::vector<std::vector<double>> cells(n, std::vector<double>(4));
    for (std::size_t i = 0; i < n; ++i) {
        Stream stream(9, Purpose::test, i);
        states.draw(stream, 2, cells[i]);
    }
    const double* mean = &states.mean[2 * 4];
    const double* s = &covariance[2 * 16];
    for (std::size_t j = 0; j < 4; ++j) {
        double found = 0;
        for (const auto& x : cells) found += x[j] / n;
        EXPECT_NEAR(found, mean[j], 5 * std::sqrt(s[j * 4 + j] / n));
        for (std::size_t k = 0; k <= j; ++k) {
            double product = 0;
            for (const auto& x : cells) product += (x[j] - mean[j]) * (x[k] - mean[k]) / n;
            // Variance of a product of centred normal variables.
            const double variance = s[j * 4 + j] * s[k * 4 + k] + s[j * 4 + k] * s[j * 4 + k];
            EXPECT_NEAR(product, s[j * 4 + k], 5 * std::sqrt(variance / n)) << j << k;
        }
    }
}

TEST(Mixtures, ParametersHaveTheMeanOfTheirTreatment) {
    const ShapeLaw law = simulate::make_mixtures(small);
    EXPECT_EQ(law.treatments, (std::vector<std::string>{"T1", "T2", "T3"}));
    EXPECT_EQ(law.states, (std::vector<std::string>{"S1", "S2", "S3", "S4", "S5"}));
    EXPECT_EQ(law.parameters.front(), "w_S1");
    const std::vector<double>& a = array(law, "dirichlet").values;
    ASSERT_EQ(a.size(), 15U);
    constexpr std::size_t n = 4000;
    for (std::size_t t = 0; t < 3; ++t) {
        EXPECT_NEAR(std::accumulate(&a[t * 5], &a[t * 5] + 5, 0.0), small.dirichlet_sum, 1e-12);
        std::vector<double> mean(5, 0.0);
        for (std::size_t i = 0; i < n; ++i) {
            const std::vector<double> w = law.draw_parameters({.treatment = t, .number = i});
            for (std::size_t k = 0; k < 5; ++k) mean[k] += w[k] / n;
        }
        for (std::size_t k = 0; k < 5; ++k) {
            const double p = a[t * 5 + k] / small.dirichlet_sum;
            // Five standard errors.
            EXPECT_NEAR(mean[k], p, 5 * std::sqrt(p * (1 - p) / (small.dirichlet_sum + 1) / n)) << t << k;
        }
    }
}

TEST(Mixtures, CellsHaveTheStateOfTheNearestMean) {
    const ShapeLaw law = simulate::make_mixtures(small);
    const std::vector<double>& mean = array(law, "state_mean").values;
    constexpr std::size_t n = 20000;
    const std::vector<double> weights{0.1, 0.4, 0, 0.3, 0.2};
    const auto [states, x] = draw_cells(law, 0, weights, n);
    std::vector<double> counts(5, 0.0);
    double wrong = 0;
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t nearest = 0;
        for (std::size_t k = 1; k < 5; ++k) {
            if (distance(&x[i * 4], &mean[k * 4], 4) < distance(&x[i * 4], &mean[nearest * 4], 4))
                nearest = k;
        }
        wrong += nearest == states[i] ? 0 : 1;
        counts[states[i]] += 1;
    }
    const double bound = 4 * std::erfc(6 / 2 / std::sqrt(2.0)) / 2;  // 4 Phi(-3)
    EXPECT_LT(wrong, n * bound + 5 * std::sqrt(n * bound));
    for (std::size_t k = 0; k < 5; ++k)
        EXPECT_NEAR(counts[k], n * weights[k], 5 * std::sqrt(n * weights[k] * (1 - weights[k]))) << k;
}

TEST(Mixtures, LabelsOfManyStatesAreInAlphabeticalOrder) {
    ShapesOptions options = small;
    options.states = 12;
    const ShapeLaw law = simulate::make_mixtures(options);
    EXPECT_EQ(law.states.front(), "S01");
    EXPECT_EQ(law.states.back(), "S12");
}

TEST(SelectStates, ChangesLogWeightsByTheShareOfTheOtherStates) {
    const std::vector<double> half{0.5, 0.5};
    const std::vector<double> treated = simulate::select_states(half, std::vector<double>{0, std::log(4.0)});
    EXPECT_NEAR(treated[0], 1.0 / 3, 1e-15);
    EXPECT_NEAR(treated[1], 2.0 / 3, 1e-15);
    // A population of the first state alone is protected.
    const std::vector<double> first{1, 0};
    EXPECT_EQ(simulate::select_states(first, std::vector<double>{-2, 2}), first);
    EXPECT_EQ(simulate::select_states(half, std::vector<double>{0, 0}), half);
}

TEST(Unpaired, TreatedWeightsAreAFunctionOfTheControlOfTheirPair) {
    ShapesOptions options = small;
    options.family = "unpaired";
    options.treatments = 2;
    const ShapeLaw law = simulate::make_unpaired(options);
    EXPECT_EQ(law.treatments, (std::vector<std::string>{"control", "T1", "T2"}));
    ASSERT_TRUE(law.is_paired);
    const std::vector<double>& selection = array(law, "selection").values;
    ASSERT_EQ(selection.size(), 10U);
    for (const double s : selection) EXPECT_LE(std::abs(s), options.selection);
    for (std::size_t i = 0; i < 20; ++i) {
        const std::vector<double> control = law.draw_parameters({.treatment = 0, .number = i});
        for (std::size_t t = 1; t <= 2; ++t) {
            const std::vector<double> treated = law.draw_parameters({.treatment = t, .number = i});
            EXPECT_EQ(treated,
                      simulate::select_states(control, std::span(selection).subspan((t - 1) * 5, 5)));
            EXPECT_NE(treated, control);
        }
        EXPECT_NE(control, law.draw_parameters({.treatment = 0, .test = true, .number = i}));
    }
}

TEST(Unpaired, ATreatmentMovesEachStateByItsShift) {
    ShapesOptions options = small;
    options.family = "unpaired";
    options.treatments = 2;
    const ShapeLaw law = simulate::make_unpaired(options);
    const std::vector<double>& shift = array(law, "state_shift").values;
    ASSERT_EQ(array(law, "state_shift").shape, (std::vector<std::size_t>{2, 5, 4}));
    const std::vector<double> weights(5, 0.2);
    // The streams are the same, so that a cell differs by the shift of its state alone.
    const auto [states, control] = draw_cells(law, 0, weights, 200);
    for (std::size_t t = 1; t <= 2; ++t) {
        const auto [treated_states, treated] = draw_cells(law, t, weights, 200);
        EXPECT_EQ(states, treated_states);
        for (std::size_t i = 0; i < 200; ++i) {
            const double* b = &shift[((t - 1) * 5 + states[i]) * 4];
            EXPECT_NEAR(std::sqrt(std::inner_product(b, b + 4, b, 0.0)), options.shift, 1e-12);
            for (std::size_t j = 0; j < 4; ++j)
                EXPECT_NEAR(treated[i * 4 + j] - control[i * 4 + j], b[j], 1e-12);
        }
    }
}

// SPDX-License-Identifier: MIT
#include "simulate/shapes.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.hpp"

namespace simulate = popflow::simulate;
using popflow::linalg::Matrix;
using simulate::plan_shapes;
using simulate::ShapePopulation;
using simulate::Shapes;
using simulate::ShapesOptions;

namespace {

std::vector<std::string> all_families() {
    std::vector<std::string> names;
    for (const simulate::ShapeFamily& family : simulate::shape_families()) names.emplace_back(family.name);
    return names;
}

ShapesOptions small(const std::string& family) {
    return {.seed = 4,
            .family = family,
            .populations = 6,
            .test_populations = 3,
            .treatments = 2,
            .min_cells = 20,
            .max_cells = 90};
}

Matrix<float> cells(const Shapes& shapes, std::size_t p) {
    Matrix<float> x(shapes.populations[p].n_cells, shapes.law.markers.size());
    std::vector<std::uint8_t> state(x.rows());
    simulate::draw_shape_cells(shapes, p, 0, x, state);
    return x;
}

std::string error_message(const ShapesOptions& options) {
    try {
        plan_shapes(options);
    } catch (const popflow::core::UserError& error) {
        return error.what();
    }
    return "no error";
}

std::size_t find(const Shapes& shapes, const std::string& name) {
    const auto at = std::ranges::find(shapes.populations, name, &ShapePopulation::name);
    return static_cast<std::size_t>(at - shapes.populations.begin());
}

}  // namespace

TEST(Shapes, EveryFamilyHasItsPopulationsInConsecutiveRows) {
    for (const std::string& family : all_families()) {
        const Shapes shapes = plan_shapes(small(family));
        const std::size_t labels = family == "unpaired" ? 3 : 2;
        ASSERT_EQ(shapes.law.treatments.size(), labels) << family;
        ASSERT_EQ(shapes.populations.size(), labels * 9) << family;
        std::size_t row = 0;
        std::set<std::string> names;
        for (std::size_t p = 0; p < shapes.populations.size(); ++p) {
            const ShapePopulation& population = shapes.populations[p];
            EXPECT_EQ(population.index.treatment, p / 9);
            EXPECT_EQ(population.index.test, p % 9 >= 6);
            EXPECT_EQ(population.first_row, row);
            EXPECT_GE(population.n_cells, 20U);
            EXPECT_LE(population.n_cells, 90U);
            EXPECT_EQ(population.parameters.size(), shapes.law.parameters.size());
            EXPECT_TRUE(population.name.starts_with(shapes.law.treatments[p / 9])) << population.name;
            row += population.n_cells;
            names.insert(population.name);
        }
        EXPECT_EQ(row, shapes.n_cells());
        EXPECT_EQ(names.size(), shapes.populations.size());
    }
}

TEST(Shapes, DefaultsAreThoseOfTheFamily) {
    for (const simulate::ShapeFamily& family : simulate::shape_families()) {
        const Shapes shapes = plan_shapes({.family = family.name, .populations = 2, .test_populations = 0});
        EXPECT_EQ(shapes.options.treatments, family.treatments);
        EXPECT_EQ(shapes.options.min_cells, family.min_cells);
        EXPECT_EQ(shapes.options.max_cells, family.max_cells);
    }
}

TEST(Shapes, ParametersAndCellsDoNotDependOnTheNumberOfPopulations) {
    for (const std::string& family : all_families()) {
        const Shapes few = plan_shapes(small(family));
        ShapesOptions more = small(family);
        more.populations = 23;
        more.test_populations = 11;
        const Shapes many = plan_shapes(more);
        for (std::size_t p = 0; p < few.populations.size(); ++p) {
            const std::size_t same = find(many, few.populations[p].name);
            ASSERT_LT(same, many.populations.size()) << few.populations[p].name;
            EXPECT_EQ(few.populations[p].parameters, many.populations[same].parameters);
            EXPECT_EQ(few.populations[p].pair, many.populations[same].pair);
            EXPECT_TRUE(std::ranges::equal(cells(few, p).values(), cells(many, same).values()));
        }
    }
}

TEST(Shapes, PopulationsAndSeedsDiffer) {
    for (const std::string& family : all_families()) {
        const Shapes shapes = plan_shapes(small(family));
        ShapesOptions other = small(family);
        other.seed = 5;
        const Shapes different = plan_shapes(other);
        std::set<std::vector<double>> parameters;
        for (std::size_t p = 0; p < shapes.populations.size(); ++p) {
            parameters.insert(shapes.populations[p].parameters);
            EXPECT_NE(shapes.populations[p].parameters, different.populations[p].parameters);
        }
        EXPECT_EQ(parameters.size(), shapes.populations.size()) << family;
    }
}

TEST(Shapes, CellsAreTheSameForAnyThreadsAndSlices) {
    const int threads = omp_get_max_threads();
    for (const std::string& family : all_families()) {
        const Shapes shapes = plan_shapes(small(family));
        omp_set_num_threads(1);
        const Matrix<float> one = cells(shapes, 7);
        omp_set_num_threads(5);
        const Matrix<float> five = cells(shapes, 7);
        EXPECT_TRUE(std::ranges::equal(one.values(), five.values())) << family;
        Matrix<float> slice(5, one.cols());
        std::vector<std::uint8_t> state(5);
        simulate::draw_shape_cells(shapes, 7, 11, slice, state);
        EXPECT_TRUE(
            std::equal(slice.values().begin(), slice.values().end(), one.values().begin() + 11 * one.cols()))
            << family;
    }
    omp_set_num_threads(threads);
}

TEST(Shapes, SizesAreUniformWholeNumbers) {
    const Shapes shapes = plan_shapes(
        {.family = "spiral", .populations = 8000, .test_populations = 0, .min_cells = 3, .max_cells = 6});
    std::map<std::size_t, double> counts;
    for (const ShapePopulation& population : shapes.populations) ++counts[population.n_cells];
    ASSERT_EQ(counts.size(), 4U);
    // Five standard errors of a binomial count.
    for (const auto& [size, count] : counts) EXPECT_NEAR(count, 2000, 5 * std::sqrt(8000 * 3 / 16.0)) << size;
}

TEST(Shapes, OrderAndNamesOfUnpairedPopulationsDoNotTellThePairs) {
    ShapesOptions options = small("unpaired");
    options.populations = 400;
    options.test_populations = 0;
    options.treatments = 1;
    const Shapes shapes = plan_shapes(options);
    const std::span all(shapes.populations);
    EXPECT_TRUE(std::ranges::is_sorted(all.first(400), {}, &ShapePopulation::name));
    EXPECT_TRUE(std::ranges::is_sorted(all.last(400), {}, &ShapePopulation::name));
    // Place among the treated populations of the partner of each control.
    std::map<std::string, double> place;
    for (std::size_t p = 0; p < 400; ++p) place[all[400 + p].pair] = static_cast<double>(p);
    ASSERT_EQ(place.size(), 400U);
    double own = 0;
    double partner = 0;
    for (std::size_t p = 0; p < 400; ++p) {
        const double centred = static_cast<double>(p) - 199.5;
        own += centred * (static_cast<double>(all[p].index.number) - 199.5);
        partner += centred * (place.at(all[p].pair) - 199.5);
    }
    // Spearman correlations, with a standard error of 1 / sqrt(399).
    const double variance = 400 * (400.0 * 400 - 1) / 12;
    EXPECT_LT(std::abs(own / variance), 4 / std::sqrt(399.0));
    EXPECT_LT(std::abs(partner / variance), 4 / std::sqrt(399.0));
}

TEST(Shapes, ReportInvalidOptions) {
    EXPECT_EQ(error_message({.family = "ring"}),
              "simulate shapes: found the family 'ring' (did you mean 'rings'?). Give one of spiral, rings, "
              "superquadrics, mixtures, unpaired");
    EXPECT_EQ(error_message({.family = "rings", .populations = 0}), "populations: found '0'. Give 1 or more");
    EXPECT_EQ(error_message({.family = "rings", .min_cells = 9, .max_cells = 3}),
              "cells: found 9:3. Give N or MIN:MAX with 1 <= MIN <= MAX");
    EXPECT_EQ(error_message({.family = "mixtures", .markers = 0}), "markers: found '0'. Give 1 or more");
    EXPECT_EQ(error_message({.family = "mixtures", .states = 101}),
              "states: found 101. Give a number from 1 to 100");
    EXPECT_EQ(error_message({.family = "mixtures", .separation = 0}),
              "separation: found 0. Give a number above 0");
    EXPECT_EQ(error_message({.family = "mixtures", .dirichlet_sum = -1}),
              "dirichlet-sum: found -1. Give a number above 0");
}

TEST(Shapes, OptionsOfOtherFamiliesAreRefused) {
    const auto message = [](const char* family, const char* option) {
        try {
            simulate::check_shape_option(simulate::find_shape_family(family), option);
        } catch (const popflow::core::ConfigError& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    EXPECT_EQ(message("rings", "markers"),
              "markers: not an option of the family rings. Leave it out, or simulate mixtures, unpaired");
    EXPECT_EQ(message("mixtures", "shift"),
              "shift: not an option of the family mixtures. Leave it out, or simulate unpaired");
    EXPECT_EQ(message("mixtures", "markers"), "no error");
    EXPECT_EQ(message("rings", "cells"), "no error");
}

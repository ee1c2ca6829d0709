// SPDX-License-Identifier: MIT
#include "eval/pair_validation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>

#include "core/error.hpp"
#include "support/mpi_session.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

namespace eval = popflow::eval;
namespace models = popflow::models;
namespace ode = popflow::ode;
namespace screen = popflow::screen;
namespace train = popflow::train;
using Numbers = std::vector<std::size_t>;

namespace {

// Model that adds its only weight to every marker, with five evaluations for a cell. Fails for a negative
// weight.
class AddWeight : public models::Model, public models::CellTransport {
  public:
    const popflow::nn::ParameterLayout& layout() const override { return layout_; }
    const models::CellTransport* cell_transport() const override { return this; }
    std::size_t neighbours() const override { return n_neighbours; }
    ode::Statistics transport(std::span<const float> values, std::span<const float> /*context*/,
                              std::span<const float> /*condition*/, const ode::Options& options,
                              popflow::linalg::MatrixView<float> x) const override {
        if (values[0] < 0) throw popflow::core::NumericalError("transport", "a negative weight");
        EXPECT_EQ(options.tolerance, 1e-2);
        for (std::size_t i = 0; i < x.rows; ++i) {
            for (float& value : x.row_span(i)) value += values[0];
        }
        return {.evaluations = 5 * x.rows};
    }

    std::size_t n_neighbours = 0;

  private:
    popflow::nn::ParameterLayout layout_;
};

// Two training pairs and a validation pair of two markers. Treated cells are the control cells moved by 1, in
// the validation pair by 3. Its control has one cell more.
class PairValidation : public popflow::support::WithMpi {
  protected:
    PairValidation() {
        popflow::support::ScreenFile file;
        for (const char* patient : {"P1", "P2", "P3"}) {
            const bool is_validation = std::string(patient) == "P3";
            for (const bool is_treated : {false, true}) {
                const std::size_t n = is_validation && !is_treated ? 7 : 6;
                file.add(n, {patient, is_treated ? "O" : "DMSO", "1"});
                const float shift = !is_treated ? 0.0F : is_validation ? 3.0F : 1.0F;
                for (std::size_t i = 0; i < n; ++i) {
                    const auto value = static_cast<float>(std::min<std::size_t>(i, 5));
                    file.x.insert(file.x.end(), {value + shift, value * value + shift});
                }
            }
        }
        file.write(folder_.file("s.h5ad"));
        screen::ScreenOptions options;
        options.min_cells = 1;
        options.transform = screen::Transform::parse("none");
        screen_ = screen::open_screen(folder_.file("s.h5ad"), options);
        split_.parts = {screen::Part::train, screen::Part::train, screen::Part::validation};
        set_ = std::make_unique<train::TrainingSet>(screen_, split_,
                                                    train::TrainingSetOptions{.lanes = 1, .normalise = false},
                                                    popflow::mpi::Communicator::world());
    }

    eval::PairValidation make() {
        return {screen_,
                *set_,
                {.pairs = split_.pairs(screen::Part::validation), .units = {0, 1, 2}},
                popflow::mpi::Communicator::world()};
    }

    popflow::support::TemporaryFolder folder_;
    screen::Screen screen_;
    screen::Split split_;
    std::unique_ptr<train::TrainingSet> set_;
    AddWeight model_;
};

}  // namespace

TEST(ValidationSize, IsBoundedWithoutALimitOfTheWork) {
    EXPECT_EQ(eval::validation_size(40, 0, {}).pairs, 16U);
    EXPECT_EQ(eval::validation_size(40, 0, {}).cells, 256U);
    EXPECT_EQ(eval::validation_size(3, 0, {}).pairs, 3U);
}

TEST(ValidationSize, FewerCellsThenFewerPairsFitTheWork) {
    std::size_t pairs = 17;
    std::size_t cells = 257;
    for (const std::uint64_t work : {10000000, 300000, 100000, 30000, 10000, 3000, 1000, 300, 0}) {
        const eval::ValidationSize size = eval::validation_size(40, 50, work);
        EXPECT_LE(size.pairs, pairs);
        EXPECT_TRUE(size.cells >= 16 || size.pairs == 1) << "pairs with too few cells";
        EXPECT_GE(size.cells, 2U);
        EXPECT_TRUE(size.pairs == 1 || size.pairs * (50 + 48 * size.cells) <= work);
        EXPECT_TRUE(size.pairs < pairs || size.cells <= cells);
        pairs = size.pairs;
        cells = size.cells;
    }
    EXPECT_EQ(pairs, 1U);
    EXPECT_EQ(cells, 2U);
}

TEST(SpreadOverUnits, TakesAPairOfEachUnitBeforeASecondOne) {
    Numbers pairs(12);
    std::iota(pairs.begin(), pairs.end(), std::size_t{3});
    Numbers units(15, 0);
    for (std::size_t p = 0; p < units.size(); ++p)
        units[p] = p < 11 ? 7 : p % 4 + 1;  // unit 7 has most pairs
    const Numbers order = eval::spread_over_units(pairs, units, 1);
    Numbers sorted = order;
    std::ranges::sort(sorted);
    EXPECT_EQ(sorted, pairs);
    std::set<std::size_t> first;
    for (std::size_t k = 0; k < 5; ++k) first.insert(units[order[k]]);
    EXPECT_EQ(first.size(), 5U);
    EXPECT_EQ(order, eval::spread_over_units(pairs, units, 1));
    EXPECT_NE(order, eval::spread_over_units(pairs, units, 2));
    EXPECT_TRUE(eval::spread_over_units({}, units, 1).empty());
}

TEST_F(PairValidation, ScoresTheModelAndTheSimpleModels) {
    eval::PairValidation validation = make();
    ASSERT_EQ(validation.prepare(model_, {}), "");
    const std::vector<float> wrong{0};
    const std::vector<float> right{3};
    const train::ValidationRow row = validation.check(model_, wrong, 4);
    const train::ValidationRow best = validation.check(model_, right, 5);
    EXPECT_EQ(row.step, 4U);
    EXPECT_EQ(row.pairs, 1U);
    EXPECT_EQ(row.cells, 6U) << "as many as the treated population has";
    EXPECT_EQ(row.evaluations, 30U);
    EXPECT_LT(best.energy, row.energy);
    EXPECT_LT(best.w2, row.w2);
    EXPECT_EQ(row.mean_shift, best.mean_shift);
    // The training pairs move by 1, so the mean shift is the model with the weight 1.
    const std::vector<float> mean_shift{1};
    EXPECT_NEAR(validation.check(model_, mean_shift, 6).energy, row.mean_shift, 1e-6);
    EXPECT_NEAR(row.moment_map, row.mean_shift, 1e-6) << "three units are needed for a regression";
}

TEST_F(PairValidation, AFailedPredictionHasNoScores) {
    eval::PairValidation validation = make();
    validation.prepare(model_, {});
    const std::vector<float> negative{-1};
    const train::ValidationRow row = validation.check(model_, negative, 1);
    EXPECT_TRUE(std::isnan(row.energy));
    EXPECT_TRUE(std::isnan(row.w2));
    EXPECT_GT(row.evaluations, 0U);
}

TEST_F(PairValidation, ReportsWhyNoPairCanBeScored) {
    model_.n_neighbours = 7;
    EXPECT_EQ(make().prepare(model_, {}),
              "no validation pair has more control cells than the 7 neighbours of --knn");
    model_.n_neighbours = 6;
    EXPECT_EQ(make().prepare(model_, {}), "");
}

TEST_F(PairValidation, TakesTheSampleOfTheTrainingThatIsResumed) {
    const std::vector<train::ValidationRow> rows{{.pairs = 1, .cells = 4}};
    eval::PairValidation validation = make();
    validation.prepare(model_, rows);
    const std::vector<float> weight{1};
    EXPECT_EQ(validation.check(model_, weight, 1).cells, 4U);
    const std::vector<train::ValidationRow> other{{.pairs = 2, .cells = 4}};
    EXPECT_THROW(make().prepare(model_, other), popflow::core::DataError);
}

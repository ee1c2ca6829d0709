// SPDX-License-Identifier: MIT
#include "train/cloud_items.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.hpp"
#include "models/set_flow.hpp"
#include "support/mpi_session.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

namespace linalg = popflow::linalg;
namespace models = popflow::models;
namespace screen = popflow::screen;
namespace train = popflow::train;
using models::OuterCoupling;
using models::OuterDistance;
using models::PopulationSource;
using popflow::core::DataError;
using train::Coupling;

namespace {

// Populations of patients. Sources and targets are coupled within a plate. Without normalisation, so that
// drawn cells are those of the file.
class CloudItems : public popflow::support::WithMpi {
  protected:
    CloudItems() {
        sampling_.draws = {.form = models::PopulationForm::clouds,
                           .source = PopulationSource::control,
                           .outer = OuterCoupling::none,
                           .populations = 1,
                           .drop_label = 0,
                           .outer_cells = 0};
        sampling_.cells.cells = 100;
        sampling_.cells.coupling = Coupling::ot;
    }

    void add(const std::string& patient, const std::string& treatment, const std::vector<float>& cells,
             const std::string& plate = "1") {
        file_.add(cells.size(),
                  {.patient = patient, .treatment = treatment, .concentration = "1", .plate = plate});
        for (const float cell : cells) file_.x.insert(file_.x.end(), {cell, -cell});
    }

    // Makes the items, and a sampler of one slot.
    void make() {
        file_.write(folder_.file("s.h5ad"));
        screen::ScreenOptions options;
        options.min_cells = 1;
        options.transform = screen::Transform::parse("none");
        options.unpaired = true;
        options.need_pairs = false;
        options.all_are_controls = sampling_.draws.source != PopulationSource::control;
        options.pair_by = {"plate"};
        options.population_columns = {"patient"};
        screen_ = screen::open_screen(folder_.file("s.h5ad"), options);
        split_.parts.assign(screen_.pairs.size(), screen::Part::train);
        const bool has_sources = sampling_.draws.source == PopulationSource::control;
        const auto& comm = popflow::mpi::Communicator::world();
        set_ = std::make_unique<train::TrainingSet>(
            screen_, split_,
            train::TrainingSetOptions{.lanes = 1,
                                      .normalise = false,
                                      .controls_are_sources = has_sources,
                                      .shares_sources = has_sources},
            comm);
        items_ = std::make_unique<train::CloudItems>(screen_, *set_, sampling_, models::Constants{}, 3, comm);
        models::SetFlow model({.source = PopulationSource::control, .markers = 2, .width = 4, .heads = 1},
                              {});
        sampler_ = items_->make_sampler(model, {.steps = 1, .batch_pairs = 1, .seed = 5}, comm);
    }

    models::CloudBatch<float> draw(std::uint64_t step, std::size_t item = 0) const {
        const auto input = sampler_->make_input();
        sampler_->draw({.lane = 0, .item = item, .step = step}, *input);
        return static_cast<const models::CloudInput&>(*input).batch;
    }

    static std::vector<float> first_marker(const linalg::Matrix<float>& x) {
        std::vector<float> values;
        for (std::size_t i = 0; i < x.rows(); ++i) values.push_back(x(i, 0));
        return values;
    }

    popflow::support::TemporaryFolder folder_;
    popflow::support::ScreenFile file_;
    screen::Screen screen_;
    screen::Split split_;
    train::PopulationSampling sampling_;
    std::unique_ptr<train::TrainingSet> set_;
    std::unique_ptr<train::CloudItems> items_;
    std::unique_ptr<train::Sampler> sampler_;
};

}  // namespace

TEST_F(CloudItems, CouplesCellsByExactTransport) {
    add("A", "DMSO", {0, 1, 2, 3});
    add("B", "O", {40, 10, 30, 20});
    make();
    ASSERT_EQ(items_->count(), 1U);
    const models::CloudBatch<float> batch = draw(0);
    EXPECT_EQ(batch.bounds, (std::vector<std::size_t>{0, 4}));
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(batch.x1(i, 0), 10 * batch.x0(i, 0) + 10);
    EXPECT_EQ(first_marker(batch.x0), first_marker(draw(0).x0));
    EXPECT_EQ(batch.t, draw(0).t);
    EXPECT_NE(batch.t, draw(1).t);
}

// Four controls and three treated cells: a quarter of the mass of a control is 1/4, a treated cell takes 1/3.
TEST_F(CloudItems, SplitsCellsOfUnequalClouds) {
    add("A", "DMSO", {0, 1, 2, 3});
    add("B", "O", {10, 20, 30});
    make();
    std::map<float, std::map<float, std::size_t>> partners;
    constexpr std::size_t draws = 600;
    for (std::size_t step = 0; step < draws; ++step) {
        const models::CloudBatch<float> batch = draw(step);
        ASSERT_EQ(batch.x0.rows(), 4U);
        for (std::size_t i = 0; i < 4; ++i) ++partners[batch.x0(i, 0)][batch.x1(i, 0)];
    }
    EXPECT_EQ(partners[0], (std::map<float, std::size_t>{{10, draws}}));
    EXPECT_EQ(partners[3], (std::map<float, std::size_t>{{30, draws}}));
    // The second control gives 1/3 of its mass to 10 and 2/3 to 20.
    ASSERT_EQ(partners[1].size(), 2U);
    EXPECT_NEAR(static_cast<double>(partners[1][10]) / draws, 1.0 / 3, 0.08);
    EXPECT_NEAR(static_cast<double>(partners[2][20]) / draws, 2.0 / 3, 0.08);
}

// The mean of the treated cells is 24 above that of the controls.
TEST_F(CloudItems, StartsAtTheMeanShift) {
    sampling_.starts_at_mean_shift = true;
    add("A", "DMSO", {0, 1, 2, 3});
    add("B", "O", {24, 25, 26, 27});
    make();
    const models::CloudBatch<float> batch = draw(0);
    EXPECT_EQ(first_marker(batch.x0), first_marker(batch.x1));
}

TEST_F(CloudItems, RandomCouplingUsesEachCellOnce) {
    sampling_.cells.coupling = Coupling::random;
    add("A", "DMSO", {0, 1, 2, 3});
    add("B", "O", {40, 10, 30, 20});
    make();
    std::set<std::vector<float>> orders;
    for (std::size_t step = 0; step < 20; ++step) {
        std::vector<float> targets = first_marker(draw(step).x1);
        orders.insert(targets);
        std::ranges::sort(targets);
        EXPECT_EQ(targets, (std::vector<float>{10, 20, 30, 40}));
    }
    EXPECT_GT(orders.size(), 5U);
}

// The treated populations are the controls of A, B and C, moved by 100, in another order.
TEST_F(CloudItems, CouplesFamiliesAfterCentring) {
    sampling_.draws.outer = OuterCoupling::all;
    for (const OuterDistance distance :
         {OuterDistance::chamfer, OuterDistance::bures, OuterDistance::energy, OuterDistance::w2}) {
        sampling_.draws.outer_distance = distance;
        file_ = {};
        add("A", "DMSO", {0, 1, 2});
        add("B", "DMSO", {10, 12, 14});
        add("C", "DMSO", {-5, 0, 5});
        add("X", "O", {112, 110, 114});
        add("Y", "O", {105, 95, 100});
        add("Z", "O", {100, 101, 102});
        make();
        std::map<std::string, std::string> found;
        for (const train::CoupledPopulation& one : items_->families().coupling()) {
            found[screen_.experiments[screen_.populations[one.target].experiment].values.back()] =
                screen_.experiments[screen_.populations[one.source].experiment].values.back();
            EXPECT_EQ(one.share, 1);
            EXPECT_LT(one.distance, 1e-3);
        }
        EXPECT_EQ(found, (std::map<std::string, std::string>{{"X", "B"}, {"Y", "C"}, {"Z", "A"}}));
        const models::CloudBatch<float> batch = draw(0);
        for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(batch.x1(i, 0), batch.x0(i, 0) + 100);
    }
}

TEST_F(CloudItems, CouplesWithinAPlate) {
    sampling_.draws.outer = OuterCoupling::all;
    add("A", "DMSO", {0, 1, 2}, "1");
    add("B", "DMSO", {10, 12, 14}, "2");
    add("X", "O", {10, 12, 14}, "1");
    add("Y", "O", {0, 1, 2}, "2");
    make();
    for (const train::CoupledPopulation& one : items_->families().coupling())
        EXPECT_EQ(screen_.experiments[screen_.populations[one.target].experiment].values.front(),
                  screen_.experiments[screen_.populations[one.source].experiment].values.front());
    EXPECT_EQ(items_->families().coupling().size(), 2U);
}

TEST_F(CloudItems, BatchCouplingPairsTheCloudsOfASlot) {
    sampling_.draws.populations = 30;
    add("A", "DMSO", {0, 1, 2});
    add("B", "DMSO", {10, 12, 14});
    add("X", "O", {0.5, 1.5, 2.5});
    add("Y", "O", {10.5, 12.5, 14.5});
    // Counts the clouds whose source is near.
    const auto near = [&] {
        const models::CloudBatch<float> batch = draw(0);
        std::size_t count = 0;
        for (std::size_t c = 0; c + 1 < batch.bounds.size(); ++c)
            count += std::abs(batch.x0(3 * c, 0) - batch.x1(3 * c, 0)) < 5 ? 1U : 0U;
        return count;
    };
    make();
    const std::size_t at_random = near();
    sampling_.draws.outer = OuterCoupling::batch;
    make();
    EXPECT_LT(at_random, 24U);
    EXPECT_GE(near(), 24U);
}

TEST_F(CloudItems, SubsetTargetsAreOtherCells) {
    sampling_.draws.source = PopulationSource::subset;
    sampling_.draws.subset = 3;
    sampling_.cells.cells = 4;
    add("A", "O", {1, 2, 3, 4, 5, 6, 7});
    make();
    const models::CloudBatch<float> batch = draw(0);
    ASSERT_EQ(batch.x1.rows(), 4U);
    const std::vector<float> targets = first_marker(batch.x1);
    const std::set<float> distinct(targets.begin(), targets.end());
    EXPECT_EQ(distinct.size(), 4U);
    // The source has the mean of the other three cells, apart from its random draws.
    EXPECT_GE(*distinct.begin(), 1);
    EXPECT_LE(*distinct.rbegin(), 7);
    EXPECT_NE(first_marker(batch.x0), targets);
}

TEST_F(CloudItems, NoiseHasTheSizeOfItsTarget) {
    sampling_.draws.source = PopulationSource::noise;
    sampling_.draws.populations = 4;
    sampling_.draws.inner_noise = 0.5;
    add("A", "O", {1, 2, 3, 4, 5});
    add("B", "O", {6, 8, 9});
    make();
    ASSERT_EQ(items_->count(), 2U);
    const models::CloudBatch<float> batch = draw(0, 1);
    EXPECT_EQ(batch.bounds[1], 3U);
    for (std::size_t c = 0; c < 4; ++c) {
        const std::size_t cells = batch.bounds[c + 1] - batch.bounds[c];
        const std::set<float> own(&batch.x1.values()[2 * batch.bounds[c]],
                                  &batch.x1.values()[2 * batch.bounds[c]] + 2 * cells);
        EXPECT_EQ(own.size(), 2 * cells);
    }
}

TEST_F(CloudItems, ScaleAndMirrorChangeTheTargets) {
    sampling_.draws.source = PopulationSource::noise;
    sampling_.draws.scale = 0.1;
    sampling_.draws.mirror = 2;
    add("A", "O", {10});
    add("B", "O", {9, 11});
    make();
    std::size_t mirrored = 0;
    for (std::size_t step = 0; step < 40; ++step) {
        const models::CloudBatch<float> batch = draw(step);
        EXPECT_GE(batch.x1(0, 0), 0.9F * 10);
        EXPECT_LE(batch.x1(0, 0), 1.1F * 10);
        mirrored += batch.x1(0, 1) > 0 ? 1U : 0U;
    }
    EXPECT_GT(mirrored, 8U);
    EXPECT_LT(mirrored, 32U);
}

TEST_F(CloudItems, NeedsAControlOnThePlateOfEachTarget) {
    add("A", "DMSO", {0, 1}, "1");
    add("X", "O", {0, 1}, "2");
    EXPECT_THROW(make(), DataError);
}

// SPDX-License-Identifier: MIT
#include "train/cloud_pair_items.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/error.hpp"
#include "models/meta_icnn.hpp"
#include "support/mpi_session.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

namespace models = popflow::models;
namespace screen = popflow::screen;
namespace train = popflow::train;
using models::ProblemPairs;

namespace {

// Populations of patients on plates, in the order plate, treatment, patient.
class CloudPairItems : public popflow::support::WithMpi {
  protected:
    void add(const std::string& patient, const std::string& treatment, const std::string& plate = "1") {
        const float shift = static_cast<float>(++count_);
        const std::vector<float> cells{shift, shift + 1, shift + 3, shift + 7, shift + 2};
        file_.add(cells.size(),
                  {.patient = patient, .treatment = treatment, .concentration = "1", .plate = plate});
        for (const float cell : cells) file_.x.insert(file_.x.end(), {cell, cell * cell / 9});
    }

    void make(ProblemPairs pairs, std::size_t pool = 0) {
        file_.write(folder_.file("s.h5ad"));
        screen::ScreenOptions options;
        options.min_cells = 1;
        options.transform = screen::Transform::parse("none");
        options.unpaired = true;
        options.need_pairs = false;
        options.all_are_controls = true;
        options.pair_by = {"plate"};
        options.population_columns = {"patient"};
        screen_ = screen::open_screen(folder_.file("s.h5ad"), options);
        split_.parts.assign(screen_.pairs.size(), screen::Part::train);
        const auto& comm = popflow::mpi::Communicator::world();
        set_ = std::make_unique<train::TrainingSet>(
            screen_, split_, train::TrainingSetOptions{.lanes = 1, .normalise = false}, comm);
        train::PopulationSampling sampling;
        sampling.draws = {.form = models::PopulationForm::problems,
                          .populations = 3,
                          .problem_pairs = pairs,
                          .pool_cells = pool};
        sampling.cells.cells = 4;
        items_ =
            std::make_unique<train::CloudPairItems>(screen_, *set_, sampling, models::Constants{}, 3, comm);
        sampler_ = items_->make_sampler(models::MetaIcnn({.markers = 2}),
                                        {.steps = 1, .batch_pairs = 1, .seed = 5}, comm);
    }

    // Returns the targets of many draws for a source.
    std::set<std::size_t> targets_of(std::size_t source) const {
        popflow::core::Stream stream(1, popflow::core::Purpose::test);
        std::set<std::size_t> targets;
        for (int i = 0; i < 200; ++i) targets.insert(items_->draw_target(source, stream));
        return targets;
    }
    // Returns the populations that have a patient, treatment and plate.
    std::size_t find(const std::string& patient, const std::string& treatment,
                     const std::string& plate) const {
        for (std::size_t i = 0; i < items_->count(); ++i) {
            const screen::Population& one = screen_.populations[items_->families().targets()[i].population];
            const auto& values = screen_.experiments[one.experiment].values;
            if (one.treatment == treatment && values == std::vector<std::string>{plate, patient}) return i;
        }
        throw std::runtime_error("no population of " + patient + ", " + treatment + ", " + plate);
    }

    popflow::support::TemporaryFolder folder_;
    popflow::support::ScreenFile file_;
    int count_ = 0;
    screen::Screen screen_;
    screen::Split split_;
    std::unique_ptr<train::TrainingSet> set_;
    std::unique_ptr<train::CloudPairItems> items_;
    std::unique_ptr<train::Sampler> sampler_;
};

}  // namespace

TEST_F(CloudPairItems, TakeAnyOtherPopulationAsTarget) {
    add("A", "DMSO");
    add("B", "O");
    add("C", "O", "2");
    make(ProblemPairs::all);
    for (std::size_t source = 0; source < 3; ++source) {
        std::set<std::size_t> others{0, 1, 2};
        others.erase(source);
        EXPECT_EQ(targets_of(source), others);
    }
}

TEST_F(CloudPairItems, WithLabelsTakeOtherTreatmentsOfTheSameGroup) {
    add("A", "DMSO");
    add("B", "O");
    add("C", "O");
    add("D", "S", "2");
    make(ProblemPairs::labels);
    EXPECT_EQ(items_->sources().size(), 3U);  // D has no other treatment on its plate
    EXPECT_EQ(targets_of(find("B", "O", "1")), (std::set<std::size_t>{find("A", "DMSO", "1")}));
    EXPECT_EQ(targets_of(find("A", "DMSO", "1")),
              (std::set<std::size_t>{find("B", "O", "1"), find("C", "O", "1")}));
}

TEST_F(CloudPairItems, WithinLabelsTakeTheSameTreatmentOfAllGroups) {
    add("A", "DMSO");
    add("B", "O");
    add("C", "O", "2");
    make(ProblemPairs::within);
    EXPECT_EQ(targets_of(find("B", "O", "1")), (std::set<std::size_t>{find("C", "O", "2")}));
    EXPECT_EQ(items_->sources().size(), 2U);
}

TEST_F(CloudPairItems, ThrowWithoutAProblem) {
    add("A", "DMSO");
    add("B", "O", "2");
    EXPECT_THROW(make(ProblemPairs::labels), popflow::core::DataError);
    EXPECT_THROW(make(ProblemPairs::within), popflow::core::DataError);
}

TEST_F(CloudPairItems, DrawBalancedCloudsThatDependOnTheStepAlone) {
    add("A", "DMSO");
    add("B", "O");
    make(ProblemPairs::all, 3);
    EXPECT_EQ(items_->cells(0).rows(), 3U);
    const auto draw = [&](std::uint64_t step) {
        const auto input = sampler_->make_input();
        sampler_->draw({.lane = 0, .item = 0, .step = step}, *input);
        return static_cast<const models::CloudPairInput&>(*input).problems;
    };
    const auto first = draw(0);
    ASSERT_EQ(first.size(), 3U);
    EXPECT_EQ(first[0].source.rows(), 3U);
    EXPECT_EQ(first[0].triangle.size(), 3U);
    const auto values = [](const auto& problems) {
        return std::vector<float>(problems[0].source.values().begin(), problems[0].source.values().end());
    };
    EXPECT_EQ(values(first), values(draw(0)));
    EXPECT_NE(values(first), values(draw(1)));
    // All three cells are drawn, whose mean is zero in these coordinates.
    float sum = 0;
    for (std::size_t i = 0; i < 3; ++i) sum += first[0].source(i, 0);
    EXPECT_NEAR(sum, 0, 1e-4);
}

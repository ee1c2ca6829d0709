// SPDX-License-Identifier: MIT
#include "eval/cell_sample.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "eval/results.hpp"
#include "h5/file.hpp"
#include "report/sample_panels.hpp"
#include "support/temporary_folder.hpp"

using popflow::eval::CellSample;
using popflow::linalg::Matrix;
namespace screen = popflow::screen;
namespace eval = popflow::eval;
namespace report = popflow::report;
namespace h5 = popflow::h5;

namespace {

// Returns a matrix with the elements first, first + 1, ...
Matrix<float> counting_matrix(std::size_t rows, std::size_t columns, float first) {
    Matrix<float> x(rows, columns);
    for (float& v : x.values()) v = first++;
    return x;
}

CellSample make_sample(const std::string& name, std::size_t markers, std::vector<double> times) {
    CellSample sample{.name = name,
                      .control = counting_matrix(3, markers, 0),
                      .predicted = counting_matrix(3, markers, 100),
                      .treated = counting_matrix(2, markers, 200),
                      .mean_shift = counting_matrix(3, markers, 300),
                      .times = std::move(times)};
    for (std::size_t t = 0; t < sample.times.size(); ++t)
        sample.flow.push_back(counting_matrix(3, markers, 10 * static_cast<float>(t + 1)));
    return sample;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
}

// Returns a screen with one pair for each patient and treatment, ordered by patient.
screen::Screen make_screen(int patients, int treatments) {
    screen::Screen screen;
    for (int i = 0; i < patients; ++i) {
        for (int t = 0; t < treatments; ++t) {
            screen::Population p;
            p.patient = "P" + std::to_string(i);
            p.treatment = "T" + std::to_string(t);
            screen.pairs.push_back({0, screen.populations.size()});
            screen.populations.push_back(p);
        }
    }
    return screen;
}

}  // namespace

TEST(CellSamples, RoundTripThroughAFile) {
    const popflow::support::TemporaryFolder folder;
    const std::vector<CellSample> samples{make_sample("a / S", 2, {0.2, 0.4}), make_sample("b / S", 2, {})};
    {
        h5::AtomicFile file(folder.file("r.h5"));
        {
            h5::Group root = file.root();
            eval::write_cell_samples(root, samples, {"x", "y"});
        }
        file.commit();
    }
    std::vector<std::string> markers;
    const auto back = eval::read_cell_samples(h5::open_file(folder.file("r.h5")), markers);
    ASSERT_EQ(back.size(), 2U);
    EXPECT_EQ(markers, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(back[0].name, "a / S");
    EXPECT_EQ(back[0].times, samples[0].times);
    EXPECT_EQ(back[0].flow[1](0, 0), 20);
    EXPECT_EQ(back[1].predicted(2, 1), 105);
    EXPECT_EQ(back[1].treated.rows(), 2U);
    EXPECT_EQ(back[1].mean_shift(2, 1), 305);
    EXPECT_TRUE(back[1].times.empty());
}

TEST(CellSamples, RoundTripWithoutSamples) {
    const popflow::support::TemporaryFolder folder;
    {
        h5::AtomicFile file(folder.file("r.h5"));
        {
            h5::Group root = file.root();
            eval::write_cell_samples(root, {}, {"x"});
        }
        file.commit();
    }
    std::vector<std::string> markers;
    EXPECT_TRUE(eval::read_cell_samples(h5::open_file(folder.file("r.h5")), markers).empty());
}

TEST(SampledPairs, CycleThroughTreatmentsAndPatients) {
    const screen::Screen screen = make_screen(3, 3);
    screen::Split split;
    split.parts.assign(9, screen::Part::test);
    split.parts[0] = screen::Part::train;
    const std::vector<std::size_t> all{0, 1, 2, 3, 4, 5, 6, 7, 8};
    // T0 has only patients 1 and 2 in the test part and gives the first of them. Then T1 gives its second
    // patient, and T2 its third.
    EXPECT_EQ(eval::sampled_pairs(screen, split, all, 3), (std::vector<std::size_t>{3, 4, 8}));
    EXPECT_EQ(eval::sampled_pairs(screen, split, all, 100).size(), 8U)
        << "each test pair once, no training pairs";
    EXPECT_TRUE(eval::sampled_pairs(screen, split, all, 0).empty());
    EXPECT_EQ(eval::sampled_pairs(screen, split, std::vector<std::size_t>{0}, 3),
              (std::vector<std::size_t>{0}))
        << "training pairs if no other pairs are scored";
}

TEST(SampledPairs, CycleThroughPatientsOfASingleTreatment) {
    const screen::Screen screen = make_screen(4, 1);
    const screen::Split split{"", std::vector<screen::Part>(4, screen::Part::test)};
    EXPECT_EQ(eval::sampled_pairs(screen, split, std::vector<std::size_t>{0, 1, 2, 3}, 2),
              (std::vector<std::size_t>{0, 1}));
}

TEST(NamedPairs, MatchPartsOfTheirNames) {
    screen::Screen screen = make_screen(3, 3);
    const std::vector<std::size_t> all{0, 1, 2, 3, 4, 5, 6, 7, 8};
    for (const std::size_t p : all) {
        screen.experiments.push_back({"experiment " + std::to_string(p), {}, {}});
        screen.populations[screen.pairs[p].treated].experiment = p;
    }
    const std::string name = screen::pair_name(screen, 4);
    EXPECT_EQ(eval::named_pairs(screen, all, {name, name}, 5), (std::vector<std::size_t>{4}));
    EXPECT_EQ(eval::named_pairs(screen, all, {"t1", name}, 100).size(), 3U) << name;
    EXPECT_EQ(eval::named_pairs(screen, all, {"T1"}, 2).size(), 2U);
    EXPECT_THROW(eval::named_pairs(screen, all, {"T1", "nosuch"}, 2), popflow::core::ConfigError);
}

TEST(MovedMarkers, AreRankedByShiftInControlStandardDeviations) {
    CellSample sample{.control = Matrix<float>(2, 3), .treated = Matrix<float>(2, 3)};
    sample.control(0, 0) = 10;  // standard deviation 5, shift 5
    sample.control(0, 1) = 1;   // standard deviation 0.5, shift 2
    sample.treated(0, 0) = sample.treated(1, 0) = 10;
    sample.treated(0, 1) = sample.treated(1, 1) = 2.5F;
    EXPECT_EQ(report::moved_markers(sample, 2), (std::vector<std::size_t>{1, 0}));
}

TEST(SamplePanels, ShowTrajectoriesForTwoMarkers) {
    eval::Results results;
    results.markers = {"x", "y"};
    results.samples = {make_sample("a <b>", 2, {0.2, 0.4}), make_sample("b", 2, {})};
    const std::string html = report::sample_panels(report::sample_figures(results));
    EXPECT_EQ(count(html, "class=\"frame\""), 5U + 3U);
    EXPECT_EQ(count(html, "class=\"arrows\""), 2U);
    EXPECT_EQ(count(html, "<b>"), 0U);
    results.markers = {"x", "y", "z"};
    results.samples = {make_sample("a", 3, {})};
    const std::string three = report::sample_panels(report::sample_figures(results));
    EXPECT_EQ(count(three, "class=\"frame\""), 0U);
    EXPECT_EQ(count(three, "Density of "), 3U);
    EXPECT_EQ(count(three, "PC 1"), 1U);
    EXPECT_EQ(count(three, "<li>"), 4U) << "control, predicted, treated and mean shift";
    EXPECT_EQ(count(three, "class=\"line c3 dash0\"") + count(three, "class=\"line c3\""), 3U)
        << "the mean shift in the density of each marker";
    EXPECT_EQ(report::sample_panels(report::sample_figures({})), "");
    // Files of earlier versions do not have the mean shift.
    results.samples[0].mean_shift = {};
    EXPECT_EQ(count(report::sample_panels(report::sample_figures(results)), "<li>"), 3U);
}

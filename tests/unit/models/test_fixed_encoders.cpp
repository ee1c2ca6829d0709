// SPDX-License-Identifier: MIT
#include "models/fixed_encoders.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.hpp"
#include "models/families.hpp"
#include "models/flow_matching.hpp"
#include "support/populations.hpp"

namespace models = popflow::models;
using models::PopulationStatistics;
using popflow::core::ConfigError;
using popflow::linalg::Precision;
using popflow::support::normal_population;
using popflow::support::rows;

namespace {

// Returns the context of a population.
std::vector<double> context_of(const models::FixedEncoder& encoder, const PopulationStatistics& population) {
    std::vector<double> context(encoder.size(), std::numeric_limits<double>::quiet_NaN());
    encoder.encode(population, context);
    return context;
}

// Returns the encoder of `NAME` or `NAME:N`, fitted to populations.
std::unique_ptr<const models::FixedEncoder> fitted(const std::string& text,
                                                   const std::vector<PopulationStatistics>& populations) {
    const models::EncoderChoice choice = models::parse_encoder(text);
    return choice.kind->make(
        choice.kind->fit(populations, choice.components),
        {.markers = populations.front().mean.size(), .cell_types = populations.front().type_shares.size()});
}

// Returns the message of the ConfigError that `work` throws.
template <class Work>
std::string message(Work work) {
    try {
        work();
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "no exception";
}

// Populations of 50 cells at random places.
std::vector<PopulationStatistics> random_populations(std::size_t n, std::size_t d) {
    std::vector<PopulationStatistics> populations;
    for (std::size_t i = 0; i < n; ++i) {
        const auto place = static_cast<float>(i % 5) - 2;
        populations.push_back(models::population_statistics(
            normal_population(50, d, 10 + i, place, 1 + 0.1F * static_cast<float>(i)), {}, 0));
    }
    return populations;
}

}  // namespace

TEST(PopulationStatistics, CountCellsOfUnknownTypesInTheTotal) {
    const std::array<std::uint8_t, 4> types{0, 1, 1, models::unknown_cell_type};
    const PopulationStatistics found =
        models::population_statistics(rows({{1, 2}, {3, 2}, {5, 2}, {7, 2}}), types, 2);
    EXPECT_EQ(found.mean, (std::vector<double>{4, 2}));
    EXPECT_EQ(found.deviation, (std::vector<double>{std::sqrt(5.0), 0}));
    EXPECT_EQ(found.type_shares, (std::vector<double>{0.25, 0.5}));
}

TEST(FixedEncoders, HaveDistinctNamesThatAreParsed) {
    std::set<std::string> names{models::learned_encoder};
    for (const models::FixedEncoderKind* kind : models::fixed_encoders()) {
        EXPECT_TRUE(names.insert(kind->name()).second) << kind->name();
        EXPECT_EQ(models::parse_encoder(kind->name()).kind, kind);
        EXPECT_FALSE(kind->summary().empty());
    }
    EXPECT_EQ(models::parse_encoder("learned").kind, nullptr);
    EXPECT_EQ(models::encoder_forms(), "learned|moments|kernel-pca[:N]");
}

TEST(FixedEncoders, ReadBackTheirText) {
    for (const char* text : {"learned", "moments", "kernel-pca:8", "kernel-pca:3"})
        EXPECT_EQ(models::parse_encoder(text).text(), text);
    EXPECT_EQ(models::parse_encoder("kernel-pca").text(), "kernel-pca:8");
}

TEST(FixedEncoders, RefuseOtherTexts) {
    const auto refused = [](const std::string& text) {
        return message([&] { models::parse_encoder(text); });
    };
    EXPECT_EQ(refused("moment"),
              "encoder: found 'moment' (did you mean 'moments'?). Give one of learned, moments, kernel-pca");
    EXPECT_EQ(refused("moments:3"), "encoder: found 'moments:3', but moments takes no number. Give moments");
    EXPECT_EQ(refused("learned:3"), "encoder: found 'learned:3', but learned takes no number. Give learned");
    EXPECT_EQ(refused("kernel-pca:0"), "encoder: found '0'. Give a whole number from 1 to 65536");
    EXPECT_EQ(refused("kernel-pca:"), "encoder: found ''. Give a whole number from 1 to 65536");
}

// Two populations with the means (0, 5) and (2, 5), and the standard deviations (1, 0) and (3, 0).
// e = 0.05 (1 + 0 + 3 + 0) / 4 = 0.05. A third marker statistic is the log of s + e.
TEST(MomentsEncoder, StandardisesMeansAndLogDeviations) {
    const std::vector<PopulationStatistics> populations{{{0, 5}, {1, 0}, {0.25, 0.75}},
                                                        {{2, 5}, {3, 0}, {0.5, 0.5}}};
    const auto encoder = fitted("moments", populations);
    ASSERT_EQ(encoder->size(), 6U);
    const std::vector<double> first = context_of(*encoder, populations[0]);
    const std::array expected{-1.0, 0.0, -1.0, 0.0, -1.0, 1.0};
    for (std::size_t j = 0; j < 6; ++j) EXPECT_NEAR(first[j], expected[j], 1e-12) << j;

    // Constant features are 0 for every population.
    const std::vector<double> other = context_of(*encoder, {{4, 100}, {1, 7}, {1, 0}});
    const double middle = (std::log(1.05) + std::log(3.05)) / 2;
    const double width = (std::log(3.05) - std::log(1.05)) / 2;
    const std::array elsewhere{3.0, 0.0, (std::log(1.05) - middle) / width, 0.0, 5.0, -5.0};
    for (std::size_t j = 0; j < 6; ++j) EXPECT_NEAR(other[j], elsewhere[j], 1e-12) << j;
}

TEST(MomentsEncoder, IgnoresMarkersThatAreConstantInAllPopulations) {
    const std::vector<PopulationStatistics> populations{{{0}, {0}, {}}, {{2}, {0}, {}}};
    const auto encoder = fitted("moments", populations);
    EXPECT_EQ(context_of(*encoder, populations[0]), (std::vector<double>{-1, 0}));
    EXPECT_EQ(context_of(*encoder, {{2}, {0.5}, {}}), (std::vector<double>{1, 0}));
}

TEST(FixedEncoders, NeedPopulationsThatDiffer) {
    const PopulationStatistics one{{1, 2}, {1, 1}, {}};
    for (const std::string name : {"moments", "kernel-pca"}) {
        EXPECT_EQ(message([&] { fitted(name, {one}); }),
                  "encoder: found '" + name +
                      "', which needs two training control populations that differ, but there is 1. Use "
                      "--encoder learned, or --method fm");
        EXPECT_NE(message([&] {
                      fitted(name, {one, one, one});
                  }).find("but all 3 are equal"),
                  std::string::npos);
    }
}

TEST(KernelPcaEncoder, HasUnitVarianceOverTheTrainingPopulations) {
    const std::vector<PopulationStatistics> populations = random_populations(12, 3);
    const auto encoder = fitted("kernel-pca:4", populations);
    ASSERT_EQ(encoder->size(), 4U);
    for (std::size_t c = 0; c < 4; ++c) {
        double mean = 0;
        double square = 0;
        for (const PopulationStatistics& population : populations) {
            const double value = context_of(*encoder, population)[c];
            mean += value / 12;
            square += value * value / 12;
        }
        EXPECT_NEAR(mean, 0, 1e-10);
        EXPECT_NEAR(square, 1, 1e-10);
    }
}

TEST(KernelPcaEncoder, IsConstantFarFromAllTrainingPopulations) {
    const std::vector<PopulationStatistics> populations = random_populations(12, 3);
    const auto encoder = fitted("kernel-pca", populations);
    const std::vector<double> up = context_of(*encoder, {{1e3, 1e3, 1e3}, {1, 1, 1}, {}});
    const std::vector<double> down = context_of(*encoder, {{-1e6, 0, 1e6}, {9, 9, 9}, {}});
    EXPECT_EQ(up, down);
    for (const double value : up) EXPECT_TRUE(std::isfinite(value));
}

TEST(KernelPcaEncoder, HasOneComponentLessThanPopulations) {
    EXPECT_EQ(fitted("kernel-pca:8", random_populations(5, 3))->size(), 4U);
    const std::vector<PopulationStatistics> once = random_populations(5, 3);
    std::vector<PopulationStatistics> twice = once;
    twice.insert(twice.end(), once.begin(), once.end());
    EXPECT_EQ(fitted("kernel-pca:8", twice)->size(), 4U);
}

TEST(FixedEncoders, HavePlaceholdersOfTheShapesOfTheirConstants) {
    const std::vector<PopulationStatistics> populations = random_populations(5, 3);
    for (const models::FixedEncoderKind* kind : models::fixed_encoders()) {
        const auto constants = kind->fit(populations, 3);
        const auto placeholder = kind->placeholder({.populations = 5, .markers = 3}, 3);
        ASSERT_EQ(placeholder.size(), constants.size());
        for (const auto& [name, matrix] : constants) {
            EXPECT_EQ(placeholder.at(name).rows(), matrix.rows()) << kind->name() << " " << name;
            EXPECT_EQ(placeholder.at(name).cols(), matrix.cols()) << kind->name() << " " << name;
        }
    }
}

TEST(FixedEncoders, RefuseConstantsOfAnotherShape) {
    const std::vector<PopulationStatistics> populations = random_populations(5, 3);
    for (const models::FixedEncoderKind* kind : models::fixed_encoders()) {
        const models::EncoderConstants constants = kind->fit(populations, 3);
        const models::EncoderData data{.markers = 3};
        EXPECT_NO_THROW(kind->make(constants, data));
        EXPECT_THROW(kind->make(constants, {.markers = 4}), popflow::core::ShapeMismatch);
        for (const auto& [name, matrix] : constants) {
            models::EncoderConstants damaged = constants;
            damaged[name] = popflow::linalg::Matrix<double>(matrix.rows() + 1, matrix.cols() + 1);
            EXPECT_THROW(kind->make(damaged, data), popflow::core::ShapeMismatch)
                << kind->name() << " " << name;
            damaged.erase(name);
            EXPECT_THROW(kind->make(damaged, data), popflow::core::ShapeMismatch)
                << kind->name() << " " << name;
        }
    }
}

TEST(KernelPcaEncoder, RefusesAWidthThatIsNotPositive) {
    const models::FixedEncoderKind& kind = *models::parse_encoder("kernel-pca").kind;
    models::EncoderConstants constants = kind.fit(random_populations(5, 3), 3);
    constants["width"](0, 0) = 0;
    EXPECT_THROW(kind.make(constants, {.markers = 3}), popflow::core::ShapeMismatch);
}

TEST(FlowMatching, TrainsWithAFixedContextWithoutAGradientOfIt) {
    const models::Family& mfm = *models::find_family("mfm");
    const auto settings = mfm.make_settings();
    for (const auto& [name, value] : std::map<std::string, std::string>{
             {"encoder", "kernel-pca:2"}, {"hidden", "6"}, {"layers", "2"}, {"modulation", "film"}})
        models::assign_text(*settings, name, value);
    const models::DataShape data{.markers = 3, .conditions = 1, .condition_rows = 1, .training_pairs = 5};
    models::Constants constants = mfm.draw_constants(*settings, data, 1);
    const std::vector<PopulationStatistics> populations = random_populations(5, 3);
    const models::EncoderChoice choice = mfm.fixed_encoder(*settings);
    constants.encoder = choice.kind->fit(populations, choice.components);
    const auto model = mfm.make(*settings, data, constants, Precision::fp32);
    for (const auto& tensor : model->layout().tensors())
        EXPECT_FALSE(tensor.name.starts_with("encoder")) << tensor.name;

    const models::CellTransport& transport = *model->cell_transport();
    EXPECT_TRUE(transport.has_fixed_context());
    EXPECT_EQ(transport.neighbours(), 0U);
    ASSERT_EQ(transport.context_size(), 2U);
    const models::GradientTraining& training = *model->gradient_training();
    EXPECT_EQ(training.memory_size(), 0U);
    const auto values = training.initial_values(1);

    // The context of the cells is that of their statistics, for any weights.
    const auto cells = normal_population(50, 3, 12, 0, 1.2F);
    const std::vector<float> context = transport.context({}, cells, {});
    EXPECT_EQ(context, transport.fixed_context(models::population_statistics(cells, {}, 0)));

    models::PairInput input;
    const auto treated = normal_population(50, 3, 99, 1);
    const std::vector<float> time(50, 0.5F);
    const std::vector<float> condition{1};
    input.slot = {.x0 = cells.view(),
                  .x1 = treated.view(),
                  .t = time,
                  .control = {},
                  .control_type = {},
                  .condition = condition,
                  .embedding = context};
    std::vector<float> gradients(model->layout().size(), 0.0F);
    const auto scratch = training.make_scratch();
    EXPECT_GT(
        training.slot_gradient({.values = values, .phase = training.phase(0)}, input, *scratch, gradients),
        0);
    input.slot.embedding = {};
    EXPECT_THROW(
        training.slot_gradient({.values = values, .phase = training.phase(0)}, input, *scratch, gradients),
        popflow::core::ShapeMismatch);
}

TEST(Families, NameTheSettingsThatAFixedEncoderDoesNotUse) {
    const models::Family& mfm = *models::find_family("mfm");
    const auto settings = mfm.make_settings();
    EXPECT_TRUE(mfm.unused_settings(*settings).empty());
    models::assign_text(*settings, "encoder", "moments");
    EXPECT_EQ(mfm.unused_settings(*settings).at("knn"), "--encoder moments");
    EXPECT_EQ(mfm.unused_settings(*settings).size(), 9U);
    for (const auto& [name, reason] : mfm.unused_settings(*settings))
        EXPECT_TRUE(models::uses_setting("mfm", name)) << name;
    EXPECT_TRUE(models::find_family("fm")->unused_settings(*settings).empty());
    EXPECT_NO_THROW(mfm.check(*settings, {}, 3));  // the number of neighbours does not matter
}

// SPDX-License-Identifier: MIT
#include "report/image_report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "h5/dataframe.hpp"
#include "h5/file.hpp"
#include "predict/map_predictor.hpp"
#include "predict/prediction_file.hpp"
#include "support/image_fixture.hpp"

using namespace popflow;
using report::ReportFormat;
using Strings = std::vector<std::string>;
using Floats = std::vector<float>;

namespace {

/// File of images of 2 x 1 pixels, which follow each other.
struct Images {
    std::vector<std::pair<std::string, Strings>> columns{};  ///< columns of obs, a label for each image
    std::vector<Floats> pixels{};                            ///< six values for each image
    Strings markers{"red", "green", "blue"};

    void write(const std::string& path) const {
        h5::DataFrame obs;
        for (const auto& [name, labels] : columns) {
            Strings rows;
            for (const std::string& label : labels) rows.insert(rows.end(), 2, label);
            obs.add(name, rows);
        }
        std::vector<double> x;
        Floats values;
        for (const Floats& image : pixels) {
            x.insert(x.end(), {0, 1});
            values.insert(values.end(), image.begin(), image.end());
        }
        obs.add("x", x);
        obs.add("y", std::vector<double>(x.size(), 0));
        obs.add("width", std::vector<double>(x.size(), 2));
        obs.add("height", std::vector<double>(x.size(), 1));
        h5::DataFrame var;
        var.set_row_names(markers);
        h5::AtomicFile file(path);
        {
            h5::Group root = file.root();
            root.write("X", std::span<const float>(values), {x.size(), 3});
            h5::write_dataframe(root, "obs", obs);
            h5::write_dataframe(root, "var", var);
        }
        file.commit();
    }
};

const Floats black{0, 0, 0, 0, 0, 0};
const Floats violet{0.3F, 0, 0.4F, 0.3F, 0, 0.4F};    // distance 0.5 from black
const Floats too_blue{0.3F, 0, 0.4F, 0.3F, 0, 1.4F};  // one value outside [0, 1]

Images night_and_day() {
    return {.columns = {{"image", {"night", "day", "dusk"}},
                        {"palette", {"dark", "light", "light"}},
                        {"scene", {"1", "1", "2"}}},
            .pixels = {black, violet, violet}};
}

screen::ScreenOptions unpaired(const std::string& column) {
    screen::ScreenOptions options;
    options.min_cells = 2;
    options.transform.kind = screen::Transform::Kind::none;
    options.unpaired = true;
    options.need_pairs = false;
    options.all_are_controls = true;
    options.population_columns = {column};
    return options;
}

class ImageReport : public support::ImageFolder {
  protected:
    /// Two maps of the night, to the day and to itself.
    report::ImageResults maps(const std::string& population = "image",
                              const std::string& target = "day") const {
        night_and_day().write(file("data.h5ad"));
        Images{.columns = {{"image", {"night", "night"}},
                           {"predicted_problem", {"exact", "off"}},
                           {"predicted_source", {"night", "night"}},
                           {"predicted_target", {target, target}}},
               .pixels = {violet, too_blue}}
            .write(file("mapped.h5ad"));
        return report::read_image_results(file("mapped.h5ad"), origin(predict::map_problem_column),
                                          screen::open_screen(file("data.h5ad"), unpaired(population)), {});
    }
    static predict::PredictionOrigin origin(const std::string& column) {
        predict::PredictionOrigin origin;
        origin.transform.kind = screen::Transform::Kind::none;
        origin.provenance.method = "meta-icnn";
        origin.source_column = column;
        return origin;
    }
};

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
    return n;
}

}  // namespace

TEST_F(ImageReport, ScoresEachProblem) {
    const report::ImageResults found = maps();
    ASSERT_EQ(found.scores.size(), 2U);
    const report::ImageScore& exact = found.scores[0];
    EXPECT_EQ(exact.label, "exact: night to day");
    EXPECT_EQ(exact.problem, "exact");
    EXPECT_EQ(exact.source, "night");
    EXPECT_EQ(exact.target, "day");
    EXPECT_EQ(exact.pixels, 2U);
    EXPECT_EQ(exact.outside, 0);
    EXPECT_NEAR(exact.w2, 0, 1e-6);
    EXPECT_NEAR(exact.energy, 0, 1e-6);
    EXPECT_NEAR(exact.source_w2, 0.5, 1e-6);
    EXPECT_NEAR(exact.source_energy, 1, 1e-6);
    const report::ImageScore& off = found.scores[1];
    EXPECT_NEAR(off.outside, 1.0 / 6, 1e-12);
    EXPECT_NEAR(off.w2, std::sqrt(0.5), 1e-6);
    EXPECT_NEAR(off.energy, 2 * 0.5 - 0.5, 1e-6);
    ASSERT_EQ(found.rows.size(), 2U);
    for (const char* text :
         {"axis\">exact: night to day<", "tick\">source: night<", "tick\">target: day<", "tick\">result<"})
        EXPECT_EQ(count(found.rows[0].content, text), 1U) << text;
    EXPECT_EQ(count(found.rows[0].content, "<image "), 3U);
}

TEST_F(ImageReport, ShowsTheFirstImageOfALargerTarget) {
    const report::ImageResults found = maps("palette", "light");
    EXPECT_EQ(found.scores[0].target, "light");
    EXPECT_EQ(count(found.rows[0].content, "tick\">target 1 of 2: day<"), 1U);
}

TEST_F(ImageReport, HasNoDistancesWithoutATarget) {
    const report::ImageResults found = maps("image", "nowhere");
    EXPECT_TRUE(std::isnan(found.scores[0].w2));
    EXPECT_EQ(count(found.rows[0].content, "<image "), 2U);
    EXPECT_NE(report::image_report({found}, ReportFormat::text).find("has no target images"),
              std::string::npos);
}

TEST_F(ImageReport, ShowsTreatmentsBesideTheTruth) {
    night_and_day().write(file("data.h5ad"));
    Images{.columns = {{"image", {"night", "night"}},
                       {"predicted_population", {"1 / dark", "1 / dark"}},
                       {"predicted_treatment", {"light", "grey"}},
                       {"predicted_concentration", {"", ""}}},
           .pixels = {violet, black}}
        .write(file("mapped.h5ad"));
    screen::ScreenOptions options = unpaired("scene");
    options.unpaired = options.all_are_controls = false;
    options.population_columns.clear();
    options.columns = {{"treatment", "palette"}, {"patient", "scene"}};
    options.control_labels = {"dark"};
    options.pair_by = {"patient"};
    const report::ImageResults found =
        report::read_image_results(file("mapped.h5ad"), origin("predicted_population"),
                                   screen::open_screen(file("data.h5ad"), options), {});
    ASSERT_EQ(found.scores.size(), 2U);
    EXPECT_EQ(found.scores[0].label, "night to light");
    EXPECT_EQ(found.scores[0].target, "light");
    EXPECT_NEAR(found.scores[0].w2, 0, 1e-6);
    EXPECT_TRUE(std::isnan(found.scores[1].w2));
    ASSERT_EQ(found.rows.size(), 1U);
    for (const char* text : {"axis\">1 / dark<", "tick\">source: night<", "tick\">light<",
                             "tick\">light, true<", "tick\">grey<"})
        EXPECT_EQ(count(found.rows[0].content, text), 1U) << text;
}

TEST_F(ImageReport, HasEachFormat) {
    const std::vector<report::ImageResults> files{maps()};
    const std::string text = report::image_report(files, ReportFormat::text);
    EXPECT_NE(text.find("meta-icnn: 2 predicted images"), std::string::npos);
    EXPECT_NE(text.find("16.7  0.7071"), std::string::npos) << text;
    const std::string csv = report::image_report(files, ReportFormat::csv);
    EXPECT_EQ(std::ranges::count(csv, '\n'), 3);
    EXPECT_NE(csv.find("mapped.h5ad,meta-icnn,off,night,day,2,2,0.16666"), std::string::npos) << csv;
    const std::string page = report::image_report(files, ReportFormat::html);
    EXPECT_EQ(count(page, "<image "), 6U);
    EXPECT_NE(page.find("<h2>Provenance</h2>"), std::string::npos);
    const std::string latex = report::image_report(files, ReportFormat::latex);
    EXPECT_NE(latex.find("outside \\%"), std::string::npos) << latex;
    EXPECT_NE(latex.find("off: night to day & $2$ & $16.7$ & $0.7071$"), std::string::npos) << latex;
    EXPECT_EQ(report::named_image_figures(files).at(0).first, "meta-icnn-images");
}

TEST_F(ImageReport, SplitsManyRowsIntoFigures) {
    report::ImageResults results = maps();
    results.rows.resize(45, results.rows.front());
    const std::vector<report::Figure> figures = report::image_figures(results);
    ASSERT_EQ(figures.size(), 3U);
    EXPECT_EQ(figures[2].title, "Images, rows 41 to 45");
    EXPECT_EQ(figures[2].charts.size(), 5U);
}

TEST_F(ImageReport, RefusesOtherPredictions) {
    (void)maps();
    const screen::Screen data = screen::open_screen(file("data.h5ad"), unpaired("image"));
    const auto refusal = [&](const predict::PredictionOrigin& from) {
        return error_of([&] { report::check_images(file("mapped.h5ad"), from); });
    };
    const auto error = [&](const predict::PredictionOrigin& from) {
        return error_of([&] { (void)report::read_image_results(file("mapped.h5ad"), from, data, {}); });
    };
    predict::PredictionOrigin scaled = origin(predict::map_problem_column);
    scaled.space = predict::Space::normalised;
    EXPECT_EQ(refusal(origin(predict::map_problem_column)), "no error");
    EXPECT_EQ(refusal(scaled),
              "mapped.h5ad: X: found normalised values, which are no colours. Predict with --space raw");
    EXPECT_NE(refusal(origin("")).find("has generated populations"), std::string::npos);
    Images{.columns = {{"image", {"noon"}},
                       {"predicted_problem", {"p"}},
                       {"predicted_source", {"noon"}},
                       {"predicted_target", {"day"}}},
           .pixels = {violet}}
        .write(file("mapped.h5ad"));
    EXPECT_NE(error(origin(predict::map_problem_column)).find("data.h5ad: obs/image: has no image 'noon'"),
              std::string::npos);
    Images{.columns = {{"image", {"night"}}}, .pixels = {violet}, .markers = {"pERK", "pS6", "CD44"}}.write(
        file("mapped.h5ad"));
    EXPECT_NE(refusal(origin(predict::map_problem_column)).find("mapped.h5ad: found no marker 'red'"),
              std::string::npos);
}

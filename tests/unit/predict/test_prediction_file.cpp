// SPDX-License-Identifier: MIT
#include "predict/prediction_file.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "anndata/anndata.hpp"
#include "core/error.hpp"
#include "h5/file.hpp"
#include "support/mpi_session.hpp"
#include "support/populations.hpp"
#include "support/screen_file.hpp"
#include "support/temporary_folder.hpp"

using popflow::anndata::AnnData;
using popflow::linalg::Matrix;
using popflow::predict::PredictionPlan;
using popflow::support::rows;
namespace h5 = popflow::h5;
namespace linalg = popflow::linalg;
namespace predict = popflow::predict;
namespace screen = popflow::screen;
using Floats = std::vector<float>;
using Rows = std::vector<std::uint64_t>;
using Strings = std::vector<std::string>;

namespace {

// Screen of two patients. The rows 0 to 2 are the control of P1, the rows 4 and 5 that of P2.
class PredictionFile : public popflow::support::WithMpi {
  protected:
    PredictionFile() {
        file_.add(1, {"P1", "DMSO", "1", "A", "PDO", "1", "Fibs"});
        file_.add(2, {"P1", "DMSO", "1", "A", "PDO", "1", "PDOs"});
        file_.add(1, {"P1", "O", "1"});
        file_.add(2, {"P2", "DMSO", "1"});
        file_.add(1, {"P2", "O", "1"});
    }
    // Opens the screen with its two markers in the opposite order. The controls are populations 0 and 2.
    void open() {
        file_.write(folder_.file("s.h5ad"));
        screen::ScreenOptions options;
        options.min_cells = 1;
        options.markers = {"CD90", "pERK"};
        options.transform = transform_;
        screen_ = screen::open_screen(folder_.file("s.h5ad"), options);
    }
    // Returns the plan that transports the control of P1 to O and S, and that of P2 to O.
    PredictionPlan plan() const {
        PredictionPlan plan;
        plan.path = path_;
        plan.predictions = {{.control = 0, .treatment = "O", .concentration = "1", .source = 0},
                            {.control = 0, .treatment = "S", .concentration = "", .source = 0},
                            {.control = 2, .treatment = "O", .concentration = "1", .source = 1}};
        plan.source_column = "predicted_population";
        plan.sources = {"P1: DMSO", "P2: DMSO"};
        return plan;
    }
    // Adds cells to a prediction: the predicted cells, then the layers.
    static void add(predict::PredictionFile& file, std::size_t prediction, const Rows& from,
                    const std::vector<Matrix<float>>& states) {
        std::vector<linalg::ConstMatrixView<float>> views;
        for (const Matrix<float>& x : states) views.push_back(x.view());
        file.add(prediction, from, views);
    }
    std::size_t write(predict::PredictionFile& file,
                      const Matrix<float>& embeddings = rows({{10, 11}, {20, 21}}),
                      const predict::Provenance& provenance = {}) {
        return file.write(popflow::mpi::Communicator::world(), provenance,
                          {.embeddings = embeddings, .distances = {0.5, 2}});
    }
    h5::Group written() const { return h5::open_file(path_); }
    Floats values(const std::string& dataset = "X") const {
        return written().open_dataset(dataset).read<float>();
    }
    Strings labels(const std::string& column) const { return AnnData(path_).obs(column).read_labels(); }
    Strings uns(const std::string& name) const {
        return written().open_dataset("uns/popflow/" + name).read_strings();
    }

    popflow::support::TemporaryFolder folder_;
    popflow::support::ScreenFile file_;
    screen::Screen screen_;
    screen::Transform transform_ = screen::Transform::parse("none");
    screen::Normalisation normalisation_ = screen::no_normalisation(2);
    std::string path_ = folder_.file("p.h5ad");
};

}  // namespace

TEST_F(PredictionFile, HasTheRowsInTheOrderOfThePlan) {
    open();
    predict::PredictionFile file(screen_, normalisation_, plan());
    // Predictions and their blocks arrive in any order. Blocks of one prediction keep their order.
    add(file, 2, {4, 5}, {rows({{40, 41}, {50, 51}})});
    add(file, 0, {0, 1}, {rows({{0, 1}, {10, 11}})});
    add(file, 1, {0}, {rows({{-1, -2}})});
    add(file, 0, {2}, {rows({{20, 21}})});
    EXPECT_EQ(write(file), 6U);
    EXPECT_EQ(written().open_dataset("X").shape(), (std::vector<std::size_t>{6, 2}));
    EXPECT_EQ(values(), (Floats{0, 1, 10, 11, 20, 21, -1, -2, 40, 41, 50, 51}));
    EXPECT_EQ(labels("predicted_treatment"), (Strings{"O", "O", "O", "S", "O", "O"}));
    EXPECT_EQ(labels("predicted_concentration"), (Strings{"1", "1", "1", "", "1", "1"}));
    EXPECT_EQ(labels("predicted_population"),
              (Strings{"P1: DMSO", "P1: DMSO", "P1: DMSO", "P1: DMSO", "P2: DMSO", "P2: DMSO"}));
    EXPECT_EQ(written().open_dataset("obs/predicted_from").read_strings(),
              (Strings{"0", "1", "2", "0", "4", "5"}));
}

TEST_F(PredictionFile, CountsTheCellsOutsideTheTrainingRange) {
    normalisation_ = {{10, 20}, 2};
    for (const bool clip : {false, true}) {
        open();
        PredictionPlan with_range = plan();
        with_range.range = {{8, 16}, {14, 24}};  // -1 to 2 and -2 to 2 after the normalisation
        with_range.clip = clip;
        predict::PredictionFile file(screen_, normalisation_, with_range);
        add(file, 0, {0, 1, 2}, {rows({{-1, 2}, {2.5F, 0}, {-2, -3}})});
        add(file, 1, {0}, {rows({{9, 9}})});
        file.drop(1);
        add(file, 2, {4}, {rows({{0, 3}})});
        write(file);
        EXPECT_EQ(file.outside().cells, 3U);
        EXPECT_EQ(file.outside().by_marker, (std::vector<std::size_t>{2, 2}));
        const h5::Group about = written().open_group("uns/popflow");
        EXPECT_EQ(about.open_dataset("cells_outside_training_range_by_marker").read<std::uint64_t>(),
                  (std::vector<std::uint64_t>{2, 2}));
        EXPECT_EQ(uns("clipped"), Strings{clip ? "yes" : "no"});
        EXPECT_EQ(values(),
                  clip ? (Floats{8, 24, 14, 20, 8, 16, 10, 24}) : (Floats{8, 24, 15, 20, 6, 14, 10, 26}));
    }
}

TEST_F(PredictionFile, NeedsARangeToClip) {
    open();
    PredictionPlan clipped = plan();
    clipped.clip = true;
    EXPECT_THROW(predict::PredictionFile(screen_, normalisation_, clipped), popflow::core::ConfigError);
}

TEST_F(PredictionFile, HasTheKnownConcentrationWithoutAnother) {
    open();
    PredictionPlan known = plan();
    for (predict::Prediction& p : known.predictions) p.known_concentration = "2.5";
    predict::PredictionFile file(screen_, normalisation_, known);
    add(file, 0, {0}, {rows({{0, 0}})});
    add(file, 1, {0}, {rows({{0, 0}})});
    write(file);
    EXPECT_EQ(labels("predicted_concentration"), (Strings{"1", "2.5"}));
}

TEST_F(PredictionFile, CopiesTheObsColumnsOfTheControlCells) {
    open();
    predict::PredictionFile file(screen_, normalisation_, plan());
    add(file, 2, {5}, {rows({{0, 0}})});
    add(file, 0, {1, 0}, {rows({{0, 0}, {0, 0}})});
    write(file);
    EXPECT_EQ(labels("patient"), (Strings{"P1", "P1", "P2"}));
    EXPECT_EQ(labels("treatment"), (Strings{"DMSO", "DMSO", "DMSO"}));
    EXPECT_EQ(labels("cell_type"), (Strings{"PDOs", "Fibs", "PDOs"}));
    Strings columns = file_.columns;
    for (const char* added :
         {"predicted_treatment", "predicted_concentration", "predicted_population", "predicted_from"})
        columns.emplace_back(added);
    EXPECT_EQ(AnnData(path_).table("obs").columns(), columns);
}

TEST_F(PredictionFile, AppendsTheConditionToNamesOfRepeatedCells) {
    open();
    predict::PredictionFile file(screen_, normalisation_, plan());
    add(file, 0, {0}, {rows({{0, 0}})});
    add(file, 1, {0}, {rows({{0, 0}})});
    write(file);
    EXPECT_EQ(AnnData(path_).obs_names(0, 2), (Strings{"0 / O @ 1", "0 / S"}));
}

TEST_F(PredictionFile, KeepsTheNamesOfCellsThatArePredictedOnce) {
    open();
    PredictionPlan once = plan();
    once.predictions.erase(once.predictions.begin() + 1);
    predict::PredictionFile file(screen_, normalisation_, once);
    add(file, 0, {2}, {rows({{0, 0}})});
    add(file, 1, {4}, {rows({{0, 0}})});
    write(file);
    EXPECT_EQ(AnnData(path_).obs_names(0, 2), (Strings{"2", "4"}));
}

TEST_F(PredictionFile, AddsThePartsOfASplit) {
    open();
    PredictionPlan parts = plan();
    parts.has_parts = true;
    parts.source_column = "predicted_pair";
    parts.predictions = {{.control = 0, .treatment = "O", .concentration = "1", .part = "train", .source = 0},
                         {.control = 2, .treatment = "O", .concentration = "1", .part = "test", .source = 1}};
    predict::PredictionFile file(screen_, normalisation_, parts);
    add(file, 0, {0}, {rows({{0, 0}})});
    add(file, 1, {4}, {rows({{0, 0}})});
    write(file);
    EXPECT_EQ(labels("predicted_part"), (Strings{"train", "test"}));
    EXPECT_EQ(labels("predicted_pair"), (Strings{"P1: DMSO", "P2: DMSO"}));
    EXPECT_FALSE(AnnData(path_).has_obs("predicted_population"));
}

TEST_F(PredictionFile, LeavesOutDroppedPredictionsAndTheirSources) {
    open();
    predict::PredictionFile file(screen_, normalisation_, plan());
    add(file, 0, {0, 1}, {rows({{1, 2}, {3, 4}})});
    add(file, 1, {0}, {rows({{5, 6}})});
    add(file, 2, {4, 5}, {rows({{7, 8}, {9, 10}})});
    file.drop(0);
    file.drop(1);
    EXPECT_EQ(write(file), 2U);
    EXPECT_EQ(values(), (Floats{7, 8, 9, 10}));
    EXPECT_EQ(labels("patient"), (Strings{"P2", "P2"}));
    EXPECT_EQ(uns("treatments"), Strings{"O"});
    EXPECT_EQ(uns("predicted_population"), Strings{"P2: DMSO"});
    EXPECT_EQ(values("uns/popflow/embeddings"), (Floats{20, 21}));
}

TEST_F(PredictionFile, MayHaveNoCells) {
    open();
    predict::PredictionFile file(screen_, normalisation_, plan());
    add(file, 0, {0}, {rows({{1, 2}})});
    file.drop(0);
    EXPECT_EQ(write(file), 0U);
    EXPECT_EQ(written().open_dataset("X").shape(), (std::vector<std::size_t>{0, 2}));
    EXPECT_TRUE(uns("predicted_population").empty());
}

TEST_F(PredictionFile, StoresTheEmbeddingsOfTheSources) {
    open();
    predict::PredictionFile file(screen_, normalisation_, plan());
    add(file, 2, {4}, {rows({{0, 0}})});
    add(file, 1, {0}, {rows({{0, 0}})});
    write(file);
    EXPECT_EQ(uns("predicted_population"), (Strings{"P1: DMSO", "P2: DMSO"}));
    EXPECT_EQ(values("uns/popflow/embeddings"), (Floats{10, 11, 20, 21}));
}

TEST_F(PredictionFile, DistinguishesSourcesOfTheSameName) {
    open();
    PredictionPlan same = plan();
    same.sources = {"P1", "P1"};
    predict::PredictionFile file(screen_, normalisation_, same);
    EXPECT_EQ(file.plan().sources, (Strings{"P1", "P1'"}));
    add(file, 0, {0}, {rows({{0, 0}})});
    add(file, 2, {4}, {rows({{0, 0}})});
    write(file);
    EXPECT_EQ(labels("predicted_population"), (Strings{"P1", "P1'"}));
}

TEST_F(PredictionFile, InvertsTheNormalisationAndTheTransform) {
    transform_ = screen::Transform::parse("arcsinh:5");
    normalisation_ = {{1, 2}, 0.5F};
    open();
    // The transformed values are 1 + 0.5 * 2 = 2 and 2 + 0.5 * (-4) = 0.
    for (const predict::Space space :
         {predict::Space::raw, predict::Space::transformed, predict::Space::normalised}) {
        PredictionPlan in_space = plan();
        in_space.space = space;
        predict::PredictionFile file(screen_, normalisation_, in_space);
        const Matrix<float> x = rows({{2, -4}});
        add(file, 0, {0}, {x});
        EXPECT_EQ(x(0, 0), 2) << "the caller's cells do not change";
        write(file);
        const Floats found = values();
        if (space == predict::Space::raw) {
            EXPECT_NEAR(found[0], 5 * std::sinh(2.0), 1e-4);
            EXPECT_NEAR(found[1], 0, 1e-6);
            EXPECT_EQ(uns("space"), Strings{"raw"});
        } else {
            const bool normalised = space == predict::Space::normalised;
            EXPECT_FLOAT_EQ(found[0], 2);
            EXPECT_FLOAT_EQ(found[1], normalised ? -4 : 0);
            EXPECT_EQ(uns("space"), Strings{normalised ? "normalised" : "arcsinh"});
        }
    }
}

TEST_F(PredictionFile, StoresTheStatesAtTheFlowTimesAsLayers) {
    normalisation_ = {{1, 1}, 2};
    open();
    PredictionPlan layers = plan();
    layers.times = {0, 0.25};
    predict::PredictionFile file(screen_, normalisation_, layers);
    add(file, 2, {4}, {rows({{3, 3}}), rows({{4, 4}}), rows({{5, 5}})});
    add(file, 0, {0}, {rows({{0, 0}}), rows({{1, 1}}), rows({{2, 2}})});
    write(file);
    EXPECT_EQ(values("X"), (Floats{1, 1, 7, 7})) << "2 z + 1";
    EXPECT_EQ(values("layers/t=0"), (Floats{3, 3, 9, 9}));
    EXPECT_EQ(values("layers/t=0.25"), (Floats{5, 5, 11, 11}));
    EXPECT_EQ(written().open_dataset("uns/popflow/times").read<double>(), (std::vector<double>{0, 0.25}));
    EXPECT_EQ(predict::prediction_layer(1), "t=1");
}

TEST_F(PredictionFile, NamesTheMarkersInTheOrderOfTheModel) {
    open();
    predict::PredictionFile file(screen_, normalisation_, plan());
    add(file, 0, {0}, {rows({{0, 0}})});
    write(file);
    EXPECT_EQ(AnnData(path_).var_names(), (Strings{"CD90", "pERK"}));
}

TEST_F(PredictionFile, StoresTheProvenance) {
    open();
    predict::PredictionFile file(screen_, normalisation_, plan());
    write(file, Matrix<float>(2, 0),
          {.method = "mfm",
           .base = "source",
           .seed = 7,
           .steps = 30,
           .config = "a = 1\n",
           .data_fingerprint = "abc"});
    EXPECT_EQ(uns("method"), Strings{"mfm"});
    EXPECT_EQ(uns("base"), Strings{"source"});
    EXPECT_EQ(uns("config"), Strings{"a = 1\n"});
    EXPECT_EQ(uns("data_fingerprint"), Strings{"abc"});
    EXPECT_EQ(uns("transform"), Strings{"none"});
    EXPECT_EQ(written().open_dataset("uns/popflow/seed").read<std::uint64_t>(), Rows{7});
    EXPECT_EQ(written().open_dataset("uns/popflow/steps").read<std::uint64_t>(), Rows{30});
}

TEST_F(PredictionFile, DoesNotExistBeforeItIsWritten) {
    open();
    {
        predict::PredictionFile file(screen_, normalisation_, plan());
        add(file, 0, {0}, {rows({{0, 0}})});
        EXPECT_FALSE(std::filesystem::exists(path_));
    }
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_.path())) ++files;
    EXPECT_EQ(files, 1U) << "only the data file, no temporary file";
}

TEST_F(PredictionFile, ThrowsForAnObsColumnWithTheNameOfAnAddedColumn) {
    file_.columns.emplace_back("predicted_from");
    open();
    try {
        const predict::PredictionFile file(screen_, normalisation_, plan());
        FAIL() << "no exception";
    } catch (const popflow::core::DataError& error) {
        EXPECT_EQ(error.file, folder_.file("s.h5ad"));
        EXPECT_EQ(error.field, "obs/predicted_from");
        EXPECT_NE(std::string(error.what()).find("rename it"), std::string::npos) << error.what();
    }
}

TEST_F(PredictionFile, AllowsAnObsColumnOfPartsIfThePlanHasNone) {
    file_.columns.emplace_back("predicted_part");
    open();
    predict::PredictionFile file(screen_, normalisation_, plan());
    add(file, 0, {0}, {rows({{0, 0}})});
    write(file);
    EXPECT_EQ(labels("predicted_part"), Strings{"train"});
    PredictionPlan parts = plan();
    parts.has_parts = true;
    EXPECT_THROW(predict::PredictionFile(screen_, normalisation_, parts), popflow::core::DataError);
}

TEST_F(PredictionFile, ThrowsForAPathInAMissingFolder) {
    open();
    PredictionPlan missing = plan();
    missing.path = folder_.file("missing/p.h5ad");
    try {
        const predict::PredictionFile file(screen_, normalisation_, missing);
        FAIL() << "no exception";
    } catch (const popflow::core::DataError& error) {
        EXPECT_NE(std::string(error.what()).find(missing.path), std::string::npos) << error.what();
    }
}

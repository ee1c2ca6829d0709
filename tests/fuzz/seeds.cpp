// SPDX-License-Identifier: MIT
#include <hdf5.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "eval/results.hpp"
#include "fuzz/readers.hpp"
#include "models/moment_map.hpp"
#include "support/fcs_bytes.hpp"
#include "support/jpeg_file.hpp"
#include "support/png_file.hpp"
#include "support/problem_results.hpp"
#include "support/random_matrix.hpp"
#include "support/settings.hpp"
#include "train/checkpoint.hpp"
#include "train/checksum_trailer.hpp"
#include "train/training_table.hpp"

namespace popflow::fuzz {

namespace {

train::Checkpoint flow_checkpoint() {
    train::Checkpoint c;
    c.config = "steps = 3\n";
    c.data_fingerprint = "abc";
    c.data = {.markers = 4, .cell_types = 2, .conditions = 4, .condition_rows = 4, .training_pairs = 7};
    c.markers = {"a", "b", "c", "d"};
    c.cell_types = {"Fibs", "PDOs"};
    c.normalisation = {{1, 2, 3, 4}, 0.1F};
    c.conditions =
        screen::Conditions({{"O", {1}}, {"S", {1, 2, 4}}}, screen::Doses::all,
                           screen::TreatmentVectors({"S", "O", "V"}, support::random_matrix<float>(3, 2, 2)));
    c.mean_shifts = support::random_matrix<float>(4, 4, 1);
    c.moment_map.assign(models::make_moment_map_baseline(c.data).layout().size(), 0.5F);
    support::set_method(c, "mfm", support::small_mfm);
    return c;
}

train::Checkpoint icnn_checkpoint() {
    train::Checkpoint c = flow_checkpoint();
    c.conditions = screen::Conditions({{"O", {1}}, {"S", {1, 2, 4}}}, screen::Doses::all);
    support::set_method(c, "icnn", {{"icnn-hidden", "5"}, {"icnn-layers", "2"}, {"icnn-inner-steps", "2"}});
    return c;
}

train::Checkpoint encoder_checkpoint() {
    train::Checkpoint c = flow_checkpoint();
    support::set_method(c, "mfm", {{"encoder", "kernel-pca:2"}, {"hidden", "5"}, {"layers", "2"}});
    return c;
}

// Writes a checkpoint of step 3 with initial weights.
void write_initial_checkpoint(const std::string& path, train::Checkpoint c) {
    c.adam.step = 3;
    train::write_checkpoint(path, c);
}

// Writes a copy without checksum trailer and checksum attribute, so that only the reader itself can detect
// damage.
void write_without_checksum(const std::string& from, const std::string& path) {
    std::filesystem::copy_file(from, path);
    std::filesystem::resize_file(path,
                                 std::filesystem::file_size(path) - train::make_checksum_trailer({}).size());
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Adelete(file, "checksum");
    H5Fclose(file);
}

eval::PairScore make_score(std::size_t pair, const std::string& predictor) {
    eval::PairScore row{.pair = pair, .predictor = predictor};
    row.scores.w2 = static_cast<double>(pair) + 1;
    row.scores.mmd = 0.5;
    return row;
}

void write_results(const std::string& path) {
    screen::Screen screen;
    screen.experiments = {{"21 / A", {}, {}}, {"21 / B", {}, {}}};
    eval::Evaluation evaluation;
    for (std::size_t i = 0; i < 3; ++i) {
        screen::Population p;
        p.experiment = i < 2 ? 0 : 1;
        p.culture = i < 2 ? "A" : "B";
        p.treatment = "T" + std::to_string(i);
        screen.populations.push_back(p);
        screen.pairs.push_back({i, i});
        for (const char* predictor : {"model", "identity"})
            evaluation.scores.push_back(make_score(i, predictor));
    }
    const screen::Split split{"", std::vector<screen::Part>(3, screen::Part::test)};
    eval::Results results;
    results.provenance = {.method = "mfm", .base = "source", .split = "replica", .config = "knn = 3\n"};
    results.pairs = eval::pairs_frame(screen, split, evaluation);
    results.summary = eval::summarise(results.pairs);
    results.training = train::training_frame({{.step = 1, .loss = 2}, {.step = 2, .loss = 1}});
    results.embedding_names = {"0", "2", "4"};
    results.embeddings = support::random_matrix<float>(3, 2, 1);
    eval::write_results(path, results);
}

void write_problems(const std::string& path) {
    eval::ProblemResults results;
    results.origin.config = "ot-epsilon = 0.01\n";
    results.problems = support::problem_table({{.tolerance = 1e-2},
                                               {.tolerance = 1e-3, .converged = false},
                                               {.start = "gaussian", .status = "failed"}});
    results.convergence = support::convergence_table(
        {{.iteration = 1}, {.iteration = 3, .marginal_error = 0.1}, {.problem = "c / d", .iteration = 2}});
    results.distances = support::line_distances({{"a", 0}, {"b", 1}, {"c", 3}});
    eval::write_problem_results(path, results);
}

// Returns an FCS file of 20 events of two channels with a spillover matrix.
support::FcsBytes make_fcs(const std::string& type, const std::string& bits, const std::string& data) {
    support::FcsBytes fcs;
    fcs.set("$BEGINDATA", "0").set("$ENDDATA", "0").set("$BYTEORD", "1,2,3,4").set("$DATATYPE", type);
    fcs.set("$MODE", "L").set("$NEXTDATA", "0").set("$PAR", "2").set("$TOT", "20");
    fcs.set("$P1B", bits).set("$P1E", "4,0").set("$P1N", "FL1-A").set("$P1R", "1024").set("$P1S", "CD4");
    fcs.set("$P2B", bits).set("$P2E", "0,0").set("$P2N", "FL2-A").set("$P2R", "1000").set("$P2S", "CD4");
    fcs.set("$SPILLOVER", "2,FL1-A,FL2-A,1,0.1,0.2,1");
    fcs.data = data;
    return fcs;
}

// Writes files of all types, with a supplemental TEXT, an empty value, and several data sets.
void write_fcs_seeds(const std::string& folder) {
    const auto write = [&](const char* name, const std::string& bytes) {
        std::ofstream(folder + "/" + name + ".fcs", std::ios::binary) << bytes;
    };
    support::FcsBytes floats = make_fcs("F", "32", support::float_bytes(std::vector<float>(40, 1.5F)));
    floats.tail = "/$P1G/1/$P2G/2/";
    floats.set("$BEGINSTEXT", "000").set("$ENDSTEXT", "000");
    const std::size_t tail = floats.bytes().size() - floats.tail.size();
    floats.set("$BEGINSTEXT", std::to_string(tail)).set("$ENDSTEXT", std::to_string(tail + 14));
    write("floats", floats.bytes());
    support::FcsBytes packed = make_fcs("I", "10", std::string(50, 'x'));
    packed.padding = "$SRC//$OP/a//b/";
    support::FcsBytes mixed = make_fcs("F", "32", std::string(20 * 12, '\0'));
    mixed.version = "FCS3.2";
    mixed.set("$P2DATATYPE", "D").set("$P2B", "64");
    packed.set("$NEXTDATA", "0000");
    packed.set("$NEXTDATA", "0" + std::to_string(packed.bytes().size()));
    write("packed", packed.bytes() + mixed.bytes());
    std::string numbers;
    for (int i = 0; i < 40; ++i) numbers += std::to_string(i) + (i % 2 == 0 ? "," : "\n");
    write("delimited", make_fcs("A", "*", numbers).bytes());
    write("fixed", make_fcs("A", "2", std::string(80, '7')).bytes());
}

// Writes tables in several layouts, and a configuration file. `treatment` names the rows of vectors.
void write_texts(const std::string& folder) {
    const auto put = [&](const char* name, const std::string& bytes) {
        std::ofstream(folder + "/" + name, std::ios::binary) << bytes;
    };
    std::string rows;
    for (int i = 0; i < 100; ++i)
        rows += "\"c" + std::to_string(i) + "\"," + std::to_string(i) + ".5,-2e-3\n";
    put("names.csv", "\"\",a,\"b\n(c)\"\n" + rows);
    std::string commas = ";a;b\r\n";
    for (int i = 0; i < 100; ++i)
        commas += "\"c" + std::to_string(i) + "\r\nx\";" + std::to_string(i) + ",5;1,234\r\n";
    put("commas.csv", commas);
    std::string blanks = "\"a\" \"b\"\n";
    for (int i = 0; i < 100; ++i) blanks += "\"c\\\"" + std::to_string(i) + "\" 1 2\n";
    put("blanks.csv", blanks);
    std::string wide = "\xFF\xFE";
    for (const char c : "\ta\tb\r" + std::string("x\t1\t2\r")) wide.append(1, c).append(1, '\0');
    put("utf16.csv", wide);
    put("run.cfg",
        "\xEF\xBB\xBFsteps = 7 # a comment\r\n\tcontrol = \"a,b\", c\nexclude = \"x=1,2\",y=\"3\"\noutput = "
        "\"a # b\"\n"
        "transform = arcsinh:5\nsplit = patient:\"Doe, J\"\n");
}

// Writes PNG and JPEG files of several kinds.
void write_images(const std::string& folder) {
    const auto put = [&](const char* name, const std::string& bytes) {
        std::ofstream(folder + "/" + name, std::ios::binary) << bytes;
    };
    const std::vector<std::string> rows(8, std::string("abcdefghijklmnopqrstuvwx"));
    put("rgb.png", support::PngFile{.width = 8, .height = 8, .rows = rows}.bytes());
    const std::string palette{"\x01\x02\x03\x0a\x0b\x0c", 6};
    support::PngFile indexed{.width = 24, .height = 8, .colour_type = 3, .rows = rows};
    for (std::string& row : indexed.rows) row.replace(0, row.size(), std::string(row.size(), '\1'));
    indexed.chunks = {{"PLTE", palette}, {"tRNS", "a"}, {"eXIf", support::exif_bytes(6)}};
    put("palette.png", indexed.bytes());
    support::PngFile interlaced{.width = 3, .height = 2, .bits = 16, .colour_type = 0, .interlace = 1};
    interlaced.rows = {"ab", "cd", "ef", "ghijkl"};
    put("interlaced.png", interlaced.bytes());
    support::JpegFile jpeg{.colour = "abc", .exif = support::exif_bytes(3)};
    put("baseline.jpg", jpeg.bytes());
    jpeg.is_progressive = true;
    put("progressive.jpg", jpeg.bytes());
    put("inks.jpg", support::JpegFile{.colour = "abcd", .has_adobe_marker = true}.bytes());
}

}  // namespace

void write_seeds(const std::string& folder) {
    const auto file = [&](const char* name) { return folder + "/" + name; };
    write_initial_checkpoint(file("flow.h5"), flow_checkpoint());
    write_initial_checkpoint(file("icnn.h5"), icnn_checkpoint());
    write_initial_checkpoint(file("encoder.h5"), encoder_checkpoint());
    write_without_checksum(file("flow.h5"), file("flow_unsealed.h5"));
    write_without_checksum(file("icnn.h5"), file("icnn_unsealed.h5"));
    write_without_checksum(file("encoder.h5"), file("encoder_unsealed.h5"));
    write_results(file("results.h5"));
    write_problems(file("problems.h5"));
    std::vector<train::TrainingRow> rows(50);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].step = i + 1;
    train::write_training_table(file("training.h5"), rows);
    write_fcs_seeds(folder);
    write_texts(folder);
    write_images(folder);
}

std::vector<Seed> seeds(const std::string& golden, const std::string& folder) {
    std::vector<Seed> all;
    for (const auto& entry : std::filesystem::directory_iterator(golden)) {
        if (entry.path().extension() == ".h5ad") all.push_back({"h5ad", entry.path()});
    }
    std::ranges::sort(all, {}, &Seed::path);
    for (const char* name : {"csr_float32", "dense_float64_gzip", "dense_lzf"})
        all.push_back({"cells", golden + "/" + name + ".h5ad"});
    for (const char* name : {"flow", "icnn", "encoder", "flow_unsealed", "icnn_unsealed", "encoder_unsealed"})
        all.push_back({"checkpoint", folder + "/" + name + ".h5"});
    all.push_back({"results", folder + "/results.h5"});
    all.push_back({"problems", folder + "/problems.h5"});
    all.push_back({"training", folder + "/training.h5"});
    for (const char* name : {"floats", "packed", "delimited", "fixed"})
        all.push_back({"fcs", folder + "/" + name + ".fcs"});
    for (const char* name : {"names", "commas", "blanks", "utf16"})
        all.push_back({"table", folder + "/" + name + ".csv"});
    all.push_back({"config", folder + "/run.cfg"});
    for (const char* name :
         {"rgb.png", "palette.png", "interlaced.png", "baseline.jpg", "progressive.jpg", "inks.jpg"})
        all.push_back({"image", folder + "/" + name});
    return all;
}

}  // namespace popflow::fuzz

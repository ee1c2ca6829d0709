// SPDX-License-Identifier: MIT
#include "train/checkpoint.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "core/stored_file.hpp"
#include "models/moment_map.hpp"
#include "support/random_matrix.hpp"
#include "support/settings.hpp"
#include "support/temporary_folder.hpp"
#include "train/checksum_trailer.hpp"

using popflow::train::Checkpoint;
using popflow::train::read_checkpoint;
using popflow::train::write_checkpoint;
namespace models = popflow::models;
namespace screen = popflow::screen;

namespace {

Checkpoint example_checkpoint() {
    Checkpoint c;
    c.config = "steps = 3\n";
    c.data_fingerprint = "abc";
    c.data = {.markers = 4, .cell_types = 2, .conditions = 4, .condition_rows = 4, .training_pairs = 7};
    c.markers = {"a", "b", "c", "d"};
    c.cell_types = {"Fibs", "PDOs"};
    c.normalisation = {{1, 2, 3, 4}, 0.1F};
    c.conditions = screen::Conditions(
        {{"O", {1}}, {"S", {1, 2, 4}}}, screen::Doses::all,
        screen::TreatmentVectors({"S", "O", "V"}, popflow::support::random_matrix<float>(3, 2, 5)));
    c.mean_shifts = popflow::support::random_matrix<float>(4, 4, 1);
    auto settings = popflow::support::small_mfm;
    settings["base"] = "gaussian";
    popflow::support::set_method(c, "mfm", settings);
    c.adam.step = 3;
    c.adam.second[2] = 0.5F;
    return c;
}

// Returns name and value of all settings.
std::map<std::string, std::string> texts(const models::Settings& settings) {
    std::map<std::string, std::string> all;
    for (const models::FieldDescription& description : models::describe(settings))
        all[description.field.name] = models::text_of(description.value);
    return all;
}

std::string file_bytes(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Overwrites a size attribute and removes the checksum trailer, as if another program had written the file.
void overwrite_size(const std::string& path, const char* group, const char* attribute, std::int64_t value) {
    std::filesystem::resize_file(
        path, std::filesystem::file_size(path) - popflow::train::make_checksum_trailer({}).size());
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t model = H5Gopen2(file, group, H5P_DEFAULT);
    EXPECT_GE(H5Adelete(model, attribute), 0) << attribute;
    const hid_t scalar = H5Screate(H5S_SCALAR);
    const hid_t made = H5Acreate2(model, attribute, H5T_NATIVE_INT64, scalar, H5P_DEFAULT, H5P_DEFAULT);
    EXPECT_GE(H5Awrite(made, H5T_NATIVE_INT64, &value), 0) << attribute;
    H5Aclose(made);
    H5Sclose(scalar);
    H5Gclose(model);
    H5Fclose(file);
}

}  // namespace

TEST(Checkpoint, KeepsTheTrainingRangeAndConcentrations) {
    const popflow::support::TemporaryFolder folder;
    Checkpoint c = example_checkpoint();
    const std::string without = popflow::train::checkpoint_digest(c);
    c.range = {{-1, 0, 1, 2}, {5, 6, 7, 8}};
    c.conditions =
        screen::Conditions({{"O", {}, "2.5"}, {"S", {}, ""}}, screen::Doses::highest, c.conditions.vectors());
    c.data.conditions = c.data.condition_rows = 2;
    c.mean_shifts = popflow::support::random_matrix<float>(2, 4, 1);
    popflow::support::set_method(c, "mfm", popflow::support::small_mfm);
    write_checkpoint(folder.file("c.h5"), c);

    const Checkpoint read = read_checkpoint(folder.file("c.h5"));

    EXPECT_EQ(read.range.min, c.range.min);
    EXPECT_EQ(read.range.max, c.range.max);
    EXPECT_EQ(read.conditions.treatments()[0].highest, "2.5");
    EXPECT_EQ(read.conditions.treatments()[1].highest, "");
    EXPECT_NE(popflow::train::checkpoint_digest(c), without);
}

TEST(Checkpoint, KeepsTheMomentMap) {
    const popflow::support::TemporaryFolder folder;
    Checkpoint c = example_checkpoint();
    const std::string without = popflow::train::checkpoint_digest(c);
    const models::MomentMap map = models::make_moment_map_baseline(c.data);
    c.moment_map.assign(map.layout().size(), 0.0F);
    const auto weights =
        popflow::nn::elements_of(std::span<float>(c.moment_map), map.layout().find("shifts"));
    std::ranges::copy(popflow::support::random_matrix<float>(4, 4, 2).values(), weights.begin());
    EXPECT_NE(popflow::train::checkpoint_digest(c), without);

    write_checkpoint(folder.file("c.h5"), c);
    EXPECT_EQ(read_checkpoint(folder.file("c.h5")).moment_map, c.moment_map);
    popflow::core::store_file(folder.file("w.h5"), popflow::train::weights_bytes(c));
    EXPECT_EQ(popflow::train::read_weights(folder.file("w.h5")).moment_map, c.moment_map);

    write_checkpoint(folder.file("c.h5"), example_checkpoint());
    EXPECT_TRUE(read_checkpoint(folder.file("c.h5")).moment_map.empty()) << "of an earlier version";
}

TEST(Checkpoint, KeepsTheLatentSpace) {
    using popflow::core::DataError;
    using popflow::support::random_matrix;
    const popflow::support::TemporaryFolder folder;
    Checkpoint c = example_checkpoint();
    const std::string without = popflow::train::checkpoint_digest(c);
    c.markers.emplace_back("e");
    c.normalisation.mean.push_back(5);
    c.latent = {.mean = {0, 1, 0, 2, 0},
                .components = random_matrix<float>(4, 5, 3),
                .scale = 0.5F,
                .variance_share = {0.4, 0.2, 0.1, 0.05}};
    c.marker_shifts = random_matrix<float>(4, 5, 4);
    EXPECT_NE(popflow::train::checkpoint_digest(c), without);

    write_checkpoint(folder.file("c.h5"), c);
    popflow::core::store_file(folder.file("w.h5"), popflow::train::weights_bytes(c));
    for (const Checkpoint& read :
         {read_checkpoint(folder.file("c.h5")), popflow::train::read_weights(folder.file("w.h5"))}) {
        EXPECT_EQ(read.latent.mean, c.latent.mean);
        EXPECT_TRUE(std::ranges::equal(read.latent.components.values(), c.latent.components.values()));
        EXPECT_EQ(read.latent.scale, 0.5F);
        EXPECT_EQ(read.latent.variance_share, c.latent.variance_share);
        EXPECT_TRUE(std::ranges::equal(read.marker_shifts.values(), c.marker_shifts.values()));
    }

    overwrite_size(folder.file("c.h5"), "latent", "format", 2);
    EXPECT_THROW(read_checkpoint(folder.file("c.h5")), DataError) << "of a later version";
    c.latent.mean.pop_back();
    write_checkpoint(folder.file("c.h5"), c);
    EXPECT_THROW(read_checkpoint(folder.file("c.h5")), DataError) << "of another number of markers";
    write_checkpoint(folder.file("c.h5"), example_checkpoint());
    EXPECT_TRUE(read_checkpoint(folder.file("c.h5")).latent.is_empty()) << "without a latent space";
}

TEST(Checkpoint, KeepsVehiclesAndTheUnitOfDoses) {
    using popflow::core::Quantity;
    const popflow::support::TemporaryFolder folder;
    Checkpoint c = example_checkpoint();
    const std::string without = popflow::train::checkpoint_digest(c);
    std::vector<screen::Conditions::Treatment> treatments = c.conditions.treatments();
    treatments[1].vehicle = "H2O";
    c.conditions = {treatments, c.conditions.doses(), c.conditions.vectors(), Quantity::molar};
    write_checkpoint(folder.file("c.h5"), c);

    const Checkpoint read = read_checkpoint(folder.file("c.h5"));

    EXPECT_EQ(read.conditions.dose_quantity(), Quantity::molar);
    EXPECT_EQ(read.conditions.treatments()[0].vehicle, "");
    EXPECT_EQ(read.conditions.treatments()[1].vehicle, "H2O");
    EXPECT_NE(popflow::train::checkpoint_digest(c), without);
}

TEST(Checkpoint, ReadsBackWhatWasWritten) {
    const popflow::support::TemporaryFolder folder;
    const Checkpoint before = example_checkpoint();

    write_checkpoint(folder.file("c.h5"), before);
    const Checkpoint after = read_checkpoint(folder.file("c.h5"));

    EXPECT_EQ(after.config, before.config);
    EXPECT_EQ(after.family, before.family);
    EXPECT_EQ(after.data, before.data);
    EXPECT_EQ(texts(*after.settings), texts(*before.settings));
    EXPECT_EQ(models::field_text(*after.settings, "base"), "gaussian");
    EXPECT_TRUE(std::ranges::equal(after.constants.matrices.at("frequencies").values(),
                                   before.constants.matrices.at("frequencies").values()));
    EXPECT_EQ(after.markers, before.markers);
    EXPECT_EQ(after.normalisation.mean, before.normalisation.mean);
    EXPECT_EQ(after.normalisation.scale, before.normalisation.scale);
    EXPECT_EQ(after.conditions.treatments()[1].concentrations, (std::vector<double>{1, 2, 4}));
    EXPECT_EQ(after.conditions.vectors().names(), (std::vector<std::string>{"S", "O", "V"}));
    EXPECT_TRUE(std::ranges::equal(after.conditions.vectors().values().values(),
                                   before.conditions.vectors().values().values()));
    EXPECT_TRUE(std::ranges::equal(after.mean_shifts.values(), before.mean_shifts.values()));
    EXPECT_EQ(after.values, before.values);
    EXPECT_EQ(after.adam.second, before.adam.second);
    EXPECT_EQ(after.adam.step, 3U);
}

TEST(Checkpoint, WritesEqualBytesForEqualContent) {
    const popflow::support::TemporaryFolder folder;
    write_checkpoint(folder.file("a.h5"), example_checkpoint());
    write_checkpoint(folder.file("b.h5"), read_checkpoint(folder.file("a.h5")));
    EXPECT_EQ(file_bytes(folder.file("a.h5")), file_bytes(folder.file("b.h5")));
}

TEST(Checkpoint, StoresAnIcnnAndTheMemoryOfAlternatingUpdates) {
    const popflow::support::TemporaryFolder folder;
    Checkpoint before = example_checkpoint();
    before.memory = popflow::support::random_matrix<float>(7, 2, 5);
    write_checkpoint(folder.file("mfm.h5"), before);
    EXPECT_TRUE(
        std::ranges::equal(read_checkpoint(folder.file("mfm.h5")).memory.values(), before.memory.values()));
    before.memory = {};
    popflow::support::set_method(before, "icnn",
                                 {{"icnn-hidden", "5"}, {"icnn-layers", "2"}, {"icnn-inner-steps", "3"}});

    write_checkpoint(folder.file("icnn.h5"), before);
    const Checkpoint after = read_checkpoint(folder.file("icnn.h5"));

    EXPECT_EQ(after.family->name(), "icnn");
    EXPECT_EQ(texts(*after.settings), texts(*before.settings));
    EXPECT_TRUE(after.constants.matrices.empty());
    EXPECT_EQ(after.values, before.values);
    EXPECT_EQ(after.memory.size(), 0U);
}

TEST(Checkpoint, StoresAFixedEncoder) {
    const popflow::support::TemporaryFolder folder;
    Checkpoint before = example_checkpoint();
    const std::string learned = popflow::train::checkpoint_digest(before);
    popflow::support::set_method(before, "mfm",
                                 {{"encoder", "kernel-pca:2"}, {"hidden", "5"}, {"layers", "2"}});
    const std::string placeholder = popflow::train::checkpoint_digest(before);
    for (auto& [name, matrix] : before.constants.encoder) {
        for (double& value : matrix.values()) value = 1 / (3 + static_cast<double>(&value - matrix.data()));
    }
    EXPECT_NE(placeholder, learned);
    EXPECT_NE(popflow::train::checkpoint_digest(before), placeholder);
    write_checkpoint(folder.file("c.h5"), before);
    popflow::core::store_file(folder.file("w.h5"), popflow::train::weights_bytes(before));
    for (const Checkpoint& after :
         {read_checkpoint(folder.file("c.h5")), popflow::train::read_weights(folder.file("w.h5"))}) {
        EXPECT_EQ(models::field_text(*after.settings, "encoder"), "kernel-pca:2");
        ASSERT_EQ(after.constants.encoder.size(), before.constants.encoder.size());
        for (const auto& [name, matrix] : before.constants.encoder)
            EXPECT_TRUE(std::ranges::equal(after.constants.encoder.at(name).values(), matrix.values()))
                << name;
        EXPECT_EQ(after.model()->cell_transport()->context_size(), 2U);
    }
    overwrite_size(folder.file("c.h5"), "model/encoder", "version", 2);
    EXPECT_THROW(read_checkpoint(folder.file("c.h5")), popflow::core::DataError);
}

TEST(Checkpoint, WeightsFileKeepsTheAverageAndTheConstants) {
    const popflow::support::TemporaryFolder folder;
    Checkpoint before = example_checkpoint();
    before.adam.average[1] = 0.25F;
    before.memory = popflow::support::random_matrix<float>(7, 2, 3);
    popflow::core::store_file(folder.file("w.h5"), popflow::train::weights_bytes(before));
    const Checkpoint after = popflow::train::read_weights(folder.file("w.h5"));
    EXPECT_EQ(after.adam.average, before.adam.average);
    EXPECT_EQ(after.values, before.adam.average);
    EXPECT_EQ(after.adam.step, before.adam.step);
    EXPECT_EQ(after.config, before.config);
    EXPECT_EQ(after.markers, before.markers);
    EXPECT_EQ(after.normalisation.mean, before.normalisation.mean);
    EXPECT_EQ(texts(*after.settings), texts(*before.settings));
    EXPECT_TRUE(std::ranges::equal(after.mean_shifts.values(), before.mean_shifts.values()));
    EXPECT_EQ(after.memory.rows(), 0U);
    EXPECT_EQ(popflow::train::weights_bytes(after), popflow::train::weights_bytes(before)) << "written again";

    write_checkpoint(folder.file("c.h5"), before);
    EXPECT_THROW(popflow::train::read_weights(folder.file("c.h5")), popflow::core::DataError);
    EXPECT_THROW(read_checkpoint(folder.file("w.h5")), popflow::core::DataError);
}

// A file that another program wrote has no checksum trailer. The reader compares its size attributes with its
// content.
TEST(Checkpoint, ThrowsAUserErrorForSizesThatContradictItsContent) {
    const popflow::support::TemporaryFolder folder;
    const std::string path = folder.file("c.h5");
    const auto error_text = [&](const char* group, const char* attribute, std::int64_t value) {
        write_checkpoint(path, example_checkpoint());
        overwrite_size(path, group, attribute, value);
        try {
            (void)read_checkpoint(path);
        } catch (const popflow::core::DataError& error) {
            return std::string(error.what()).substr(path.size());
        }
        return std::string("read");
    };
    const char* const settings = "model/settings";

    EXPECT_EQ(error_text(settings, "layers", 2), "read");
    EXPECT_EQ(error_text("model", "conditions", std::int64_t{1} << 58),
              ": conditions: found 288230376151711744, which is not in 0 to 1000000000. The file is damaged");
    EXPECT_EQ(error_text(settings, "hidden", -5),
              ": hidden: found -5, which is not in 0 to 65536. The file is damaged");
    EXPECT_EQ(error_text("model", "conditions", 1000000000),
              ": conditions: has 4 values instead of 1000000000. The file is damaged");
    EXPECT_EQ(error_text("model", "cell_types", 1000000000),
              ": weights/encoder.conv.0.weight: has 3 x 10 values instead of 3 x 1000000008. The file is "
              "damaged or of another model");
    EXPECT_EQ(error_text(settings, "layers", 3).substr(0, 17), ": weights/velocit");
    EXPECT_EQ(error_text("model", "markers", 3), ": markers: has 4 values instead of 3. The file is damaged");
    EXPECT_EQ(error_text(settings, "space-frequencies", 4),
              ": model: flow_matching.frequencies: expected [4, 6], got [4, 5]");
}

TEST(Checkpoint, ThrowsForATruncatedFile) {
    const popflow::support::TemporaryFolder folder;
    write_checkpoint(folder.file("a.h5"), example_checkpoint());
    const std::string whole = file_bytes(folder.file("a.h5"));
    for (const std::size_t part : {0UL, 100UL, whole.size() / 2, whole.size() - 100}) {
        std::ofstream(folder.file("b.h5"), std::ios::binary) << whole.substr(0, part);
        EXPECT_THROW(read_checkpoint(folder.file("b.h5")), popflow::core::DataError) << part;
    }
}

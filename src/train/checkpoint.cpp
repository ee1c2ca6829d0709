// SPDX-License-Identifier: MIT
#include "train/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "h5/file.hpp"
#include "models/moment_map.hpp"
#include "train/checkpoint_content.hpp"
#include "train/checkpoint_format1.hpp"
#include "train/checksum_trailer.hpp"
#include "train/stored_tensors.hpp"

namespace popflow::train {

namespace {

constexpr std::int64_t format_version = 2;
constexpr std::int64_t encoder_version = 1;        // version of the group model/encoder
constexpr std::int64_t latent_format_version = 1;  // version of the group `latent`

void check_count(const h5::Group& root, const char* name, std::size_t found, std::size_t expected) {
    if (found == expected) return;
    throw core::DataError(root.file(), name,
                          fmt::format("has {} values instead of {}. The file is damaged", found, expected));
}

std::vector<models::FieldDescription> stored_settings(const Checkpoint& checkpoint) {
    return models::describe_stored(*checkpoint.settings, *checkpoint.family->make_settings());
}

void write_settings(h5::Group group, const Checkpoint& checkpoint) {
    for (const models::FieldDescription& description : stored_settings(checkpoint)) {
        const std::string& name = description.field.name;
        if (const auto* count = std::get_if<std::uint64_t>(&description.value))
            group.write_attribute(name, *count);
        else if (const auto* number = std::get_if<double>(&description.value))
            group.write_attribute(name, *number);
        else
            group.write_attribute(name, std::get<std::string>(description.value));
    }
}

std::shared_ptr<const models::Settings> read_settings(const h5::Group& group, const models::Family& family) {
    std::unique_ptr<models::Settings> settings = family.make_settings();
    for (const models::FieldDescription& description : models::describe(*settings)) {
        const std::string& name = description.field.name;
        if (!group.has_attribute(name)) continue;  // written before the setting existed: its default holds
        models::FieldValue value;
        if (std::holds_alternative<std::uint64_t>(description.value))
            value = std::uint64_t{read_size(group, name.c_str(), std::get<std::uint64_t>(description.max))};
        else if (std::holds_alternative<double>(description.value))
            value = group.double_attribute(name);
        else
            value = group.string_attribute(name);
        try {
            models::assign(*settings, name, value);
        } catch (const core::ConfigError& error) {
            throw core::DataError(group.file(), group.path(), error.what());
        }
    }
    return settings;
}

void write_encoder(h5::Group group, const models::EncoderConstants& encoder) {
    group.write_attribute("version", encoder_version);
    for (const auto& [name, matrix] : encoder)
        group.write(name, std::span<const double>(matrix.values()), {matrix.rows(), matrix.cols()});
}

// Reads the constants of the encoder of a checkpoint whose settings choose a fixed one.
models::EncoderConstants read_encoder(const h5::Group& model, const std::string& name) {
    if (!model.contains_group("encoder"))
        throw core::DataError(
            model.file(), model.path() + "/encoder",
            "is missing, but the settings choose --encoder " + name + ". The file is damaged");
    const h5::Group group = model.open_group("encoder");
    const std::int64_t version = group.int_attribute("version");
    if (version != encoder_version)
        throw core::DataError(model.file(), group.path(),
                              fmt::format("found version {}, but this popflow reads version {}. Use the "
                                          "version of popflow that wrote the file",
                                          version, encoder_version));
    models::EncoderConstants encoder;
    for (const std::string& matrix : group.names()) {
        encoder[matrix] = read_double_matrix(group, matrix);
        for (const double value : encoder[matrix].values()) {
            if (!std::isfinite(value))
                throw core::DataError(model.file(), group.path() + "/" + matrix,
                                      "has a value that is not finite. The file is damaged");
        }
    }
    return encoder;
}

void write_model(h5::Group group, const Checkpoint& checkpoint) {
    group.write_attribute("method", checkpoint.family->name());
    group.write_attribute("markers", checkpoint.data.markers);
    group.write_attribute("cell_types", checkpoint.data.cell_types);
    group.write_attribute("conditions", checkpoint.data.conditions);
    group.write_attribute("condition_rows", checkpoint.data.condition_rows);
    group.write_attribute("training_pairs", checkpoint.data.training_pairs);
    write_settings(group.create_group("settings"), checkpoint);
    h5::Group constants = group.create_group("constants");
    for (const auto& [name, matrix] : checkpoint.constants.matrices) write_matrix(constants, name, matrix);
    if (!checkpoint.constants.encoder.empty())
        write_encoder(group.create_group("encoder"), checkpoint.constants.encoder);
}

void read_model(const h5::Group& group, Checkpoint& checkpoint) {
    checkpoint.family = require_family(group, group.string_attribute("method"));
    checkpoint.data = {.markers = read_size(group, "markers"),
                       .cell_types = read_size(group, "cell_types"),
                       .conditions = read_size(group, "conditions"),
                       .condition_rows = read_size(group, "condition_rows"),
                       .training_pairs = read_size(group, "training_pairs")};
    checkpoint.settings = read_settings(group.open_group("settings"), *checkpoint.family);
    const h5::Group constants = group.open_group("constants");
    for (const std::string& name : constants.names())
        checkpoint.constants.matrices[name] = read_matrix(constants, name);
    const models::EncoderChoice encoder = checkpoint.family->fixed_encoder(*checkpoint.settings);
    if (encoder.kind != nullptr) checkpoint.constants.encoder = read_encoder(group, encoder.text());
}

void write_conditions(h5::Group group, const screen::Conditions& conditions) {
    group.write_attribute("doses", conditions.doses() == screen::Doses::all ? "all" : "highest");
    std::vector<std::string> names;
    for (std::size_t i = 0; i < conditions.treatments().size(); ++i) {
        const auto& treatment = conditions.treatments()[i];
        names.push_back(treatment.name);
        if (!treatment.concentrations.empty()) {
            group.write("concentrations_" + std::to_string(i), treatment.concentrations);
        }
    }
    group.write_strings("treatments", names);
    std::vector<std::string> highest;
    for (const auto& treatment : conditions.treatments()) highest.push_back(treatment.highest);
    if (std::ranges::any_of(highest, [](const std::string& label) { return !label.empty(); }))
        group.write_strings("highest_concentrations", highest);
    const bool has_unit = conditions.dose_quantity() != core::Quantity::number;
    if (has_unit && conditions.doses() == screen::Doses::all)
        group.write_attribute("dose_unit", core::unit_name(conditions.dose_quantity()));
    std::vector<std::string> vehicles;
    for (const auto& treatment : conditions.treatments()) vehicles.push_back(treatment.vehicle);
    if (std::ranges::any_of(vehicles, [](const std::string& label) { return !label.empty(); }))
        group.write_strings("vehicles", vehicles);
    if (conditions.vectors().empty()) return;
    group.write_strings("vector_names", conditions.vectors().names());
    write_matrix(group, "vectors", conditions.vectors().values());
}

screen::TreatmentVectors read_vectors(const h5::Group& group) {
    if (!group.contains_dataset("vectors")) return {};
    std::vector<std::string> names = group.open_dataset("vector_names").read_strings();
    linalg::Matrix<float> values = read_matrix(group, "vectors");
    const std::array found{values.rows(), values.cols()};
    check_matrix(group, "vectors", found, names.size(), values.cols());
    return {std::move(names), std::move(values)};
}

core::Quantity read_dose_quantity(const h5::Group& group) {
    if (!group.has_attribute("dose_unit")) return core::Quantity::number;
    const std::string unit = group.string_attribute("dose_unit");
    const auto dose = core::parse_dose("1 " + unit);
    if (!dose)
        throw core::DataError(group.file(), group.path(),
                              "attribute `dose_unit`: '" + unit + "' is no unit. The file is damaged");
    return dose->quantity;
}

screen::Conditions read_conditions(const h5::Group& group) {
    const bool all = group.string_attribute("doses") == "all";
    std::vector<screen::Conditions::Treatment> treatments;
    std::vector<std::string> highest;
    if (group.contains_dataset("highest_concentrations"))
        highest = group.open_dataset("highest_concentrations").read_strings();
    for (std::string& name : group.open_dataset("treatments").read_strings()) {
        const std::string dataset = "concentrations_" + std::to_string(treatments.size());
        treatments.push_back(
            {std::move(name), all ? group.open_dataset(dataset).read<double>() : std::vector<double>()});
    }
    if (!highest.empty()) check_count(group, "highest_concentrations", highest.size(), treatments.size());
    for (std::size_t i = 0; i < highest.size(); ++i) treatments[i].highest = highest[i];
    if (group.contains_dataset("vehicles")) {
        const std::vector<std::string> vehicles = group.open_dataset("vehicles").read_strings();
        check_count(group, "vehicles", vehicles.size(), treatments.size());
        for (std::size_t i = 0; i < vehicles.size(); ++i) treatments[i].vehicle = vehicles[i];
    }
    return {std::move(treatments), all ? screen::Doses::all : screen::Doses::highest, read_vectors(group),
            read_dose_quantity(group)};
}

constexpr std::array start_names{"none", "mean-shift", "moment-map"};    // in the order of models::StartKind
constexpr std::array target_names{"start", "mean-shift", "moment-map"};  // of models::ShrinkTarget

void write_start(h5::Group& root, const Checkpoint& checkpoint) {
    if (checkpoint.typical_distance > 0)
        root.write_attribute("typical_distance", checkpoint.typical_distance);
    const models::StartOptions& start = checkpoint.start;
    if (start == models::StartOptions{}) return;
    h5::Group group = root.create_group("start");
    group.write_attribute("map", start_names.at(static_cast<std::size_t>(start.kind)));
    group.write_attribute("shrink_to", target_names.at(static_cast<std::size_t>(start.shrink_to)));
    group.write_attribute("shrinkage", start.shrinkage);
    group.write_attribute("guard_distance", start.guard_distance);
    group.write_attribute("guard_power", start.guard_power);
}

void read_start(const h5::Group& root, Checkpoint& checkpoint) {
    if (root.has_attribute("typical_distance"))
        checkpoint.typical_distance = root.double_attribute("typical_distance");
    if (!root.contains_group("start")) return;
    const h5::Group group = root.open_group("start");
    const std::string map = group.string_attribute("map");
    const auto kind = std::ranges::find(start_names, map);
    const auto target = std::ranges::find(target_names, group.string_attribute("shrink_to"));
    if (kind == start_names.end() || target == target_names.end())
        throw core::DataError(root.file(), "start", "the maps are not known. The file is damaged");
    checkpoint.start = {.kind = static_cast<models::StartKind>(kind - start_names.begin()),
                        .shrink_to = static_cast<models::ShrinkTarget>(target - target_names.begin()),
                        .shrinkage = group.double_attribute("shrinkage"),
                        .guard_distance = group.double_attribute("guard_distance"),
                        .guard_power = group.double_attribute("guard_power")};
    // A training without pairs has no moment map, and can start at the mean shift.
    const models::StartOptions& start = checkpoint.start;
    const bool needs_map = start.kind == models::StartKind::moment_map ||
                           start.target_kind() == models::StartKind::moment_map || start.guard_distance > 0;
    if (needs_map && checkpoint.moment_map.empty())
        throw core::DataError(root.file(), "start", "there is no moment map. The file is damaged");
}

void write_latent(h5::Group& root, const Checkpoint& checkpoint) {
    const screen::LatentSpace& latent = checkpoint.latent;
    if (latent.is_empty()) return;
    h5::Group group = root.create_group("latent");
    group.write_attribute("format", latent_format_version);
    group.write_attribute("kind", "pca");
    group.write_attribute("scale", static_cast<double>(latent.scale));
    group.write("mean", latent.mean);
    group.write("variance_share", latent.variance_share);
    write_matrix(group, "components", latent.components);
    write_matrix(group, "marker_shifts", checkpoint.marker_shifts);
}

// Reads the group `latent`. Files without it have a model of the markers.
void read_latent(const h5::Group& root, Checkpoint& checkpoint) {
    if (!root.contains_group("latent")) return;
    const h5::Group group = root.open_group("latent");
    if (const std::int64_t version = group.int_attribute("format"); version != latent_format_version)
        throw core::DataError(
            root.file(), "latent",
            fmt::format("found format {}, but this popflow reads format {}. Use the version "
                        "of popflow that wrote the file",
                        version, latent_format_version));
    if (const std::string kind = group.string_attribute("kind"); kind != "pca")
        throw core::DataError(root.file(), "latent",
                              "found the kind '" + kind +
                                  "', but this popflow knows pca. Use the version of popflow that wrote the "
                                  "file");
    screen::LatentSpace& latent = checkpoint.latent;
    latent.scale = static_cast<float>(group.double_attribute("scale"));
    latent.mean = group.open_dataset("mean").read<float>();
    latent.variance_share = group.open_dataset("variance_share").read<double>();
    latent.components = read_matrix(group, "components");
    checkpoint.marker_shifts = read_matrix(group, "marker_shifts");
    const std::size_t markers = checkpoint.markers.size();
    check_count(root, "latent/mean", latent.mean.size(), markers);
    const std::array components{latent.components.rows(), latent.components.cols()};
    check_matrix(root, "latent/components", components, checkpoint.data.markers, markers);
    check_count(root, "latent/variance_share", latent.variance_share.size(), components[0]);
    const std::array shifts{checkpoint.marker_shifts.rows(), checkpoint.marker_shifts.cols()};
    check_matrix(root, "latent/marker_shifts", shifts, checkpoint.conditions.count(), markers);
    if (!(latent.scale > 0) || !std::isfinite(latent.scale) || latent.is_empty())
        throw core::DataError(root.file(), "latent",
                              "the scale is not positive, or there are no components. The file is damaged");
}

// Writes everything that a prediction needs in addition to the weights, and the steps of the weights. The
// step of a weights file is that of its weights.
void write_constants(h5::Group& root, const Checkpoint& checkpoint, bool is_weights_file) {
    root.write_attribute("config", checkpoint.config);
    root.write_attribute("data_fingerprint", checkpoint.data_fingerprint);
    if (!checkpoint.selection.empty()) root.write_attribute("selection", checkpoint.selection);
    root.write_attribute("step", is_weights_file ? checkpoint.result_step() : checkpoint.adam.step);
    if (!checkpoint.best.empty()) {
        if (is_weights_file)
            root.write_attribute("training_steps", checkpoint.adam.step);
        else
            root.write_attribute("best_step", checkpoint.best.step);
        root.write_attribute("best_energy", checkpoint.best.energy);
    }
    root.write_attribute("checksum", checkpoint_digest(checkpoint));
    write_model(root.create_group("model"), checkpoint);
    root.write_strings("markers", checkpoint.markers);
    root.write_strings("cell_types", checkpoint.cell_types);
    root.write("normalisation_mean", checkpoint.normalisation.mean);
    root.write_attribute("normalisation_scale", static_cast<double>(checkpoint.normalisation.scale));
    write_conditions(root.create_group("conditions"), checkpoint.conditions);
    if (!checkpoint.range.empty()) {
        root.write("training_min", checkpoint.range.min);
        root.write("training_max", checkpoint.range.max);
    }
    write_matrix(root, "mean_shifts", checkpoint.mean_shifts);
    write_latent(root, checkpoint);
    write_start(root, checkpoint);
    if (checkpoint.moment_map.empty()) return;
    const models::MomentMap map = models::make_moment_map_baseline(checkpoint.data);
    write_tensors(root, "moment_map", map.layout(), checkpoint.moment_map);
}

// Returns the bytes of the HDF5 file that `write` fills, followed by their checksum trailer.
template <class Write>
std::vector<std::byte> file_with_trailer(const char* name, Write write) {
    h5::MemoryFile file(name);
    {
        h5::Group root = file.root();
        write(root);
    }
    std::vector<std::byte> bytes = file.bytes();
    const std::string trailer = make_checksum_trailer(bytes);
    std::ranges::copy(std::as_bytes(std::span(trailer)), std::back_inserter(bytes));
    return bytes;
}

// Reduces a checkpoint to the content of a weights file.
void keep_only_result(Checkpoint& checkpoint) {
    checkpoint.adam.average = checkpoint.result();
    checkpoint.values = checkpoint.adam.average;
    checkpoint.adam.first.assign(checkpoint.values.size(), 0.0F);
    checkpoint.adam.second.assign(checkpoint.values.size(), 0.0F);
    checkpoint.memory = {};
}

// A checkpoint file that was opened, with the version of its format.
struct OpenedFile {
    h5::Group root;
    std::int64_t version = 0;
};

// Checks the digest of the values that were read. This also covers a file that another program has rewritten,
// without the checksum trailer.
void check_digest(const OpenedFile& file, const Checkpoint& checkpoint) {
    if (!file.root.has_attribute("checksum")) return;
    const std::string stored = file.root.string_attribute("checksum");
    const std::string computed =
        file.version == 1 ? digest_format1(file.root, checkpoint) : checkpoint_digest(checkpoint);
    if (stored == computed) return;
    throw core::DataError(file.root.file(), "checksum",
                          "the content has the checksum `" + computed + "`, but the file states `" + stored +
                              "`. The file is damaged: use an earlier checkpoint or train again");
}

// Checks the checksum trailer and the format version of a file and opens it.
// @param format  root attribute that contains the format version
// @param kind  kind of file for the error message
OpenedFile open_checked(const std::string& path, const char* format, const char* kind) {
    check_checksum_trailer(path);
    OpenedFile file{.root = h5::open_file(path)};
    if (!file.root.has_attribute(format))
        throw core::DataError(path, "", std::string("not a popflow ") + kind);
    file.version = file.root.int_attribute(format);
    if (file.version < 1 || file.version > format_version) {
        throw core::DataError(path, format,
                              fmt::format("found format {}, but this popflow reads formats 1 to {}. Use the "
                                          "version of popflow that wrote "
                                          "the file",
                                          file.version, format_version));
    }
    return file;
}

// Checks that the sizes agree.
void check_sizes(const h5::Group& root, const Checkpoint& c) {
    const std::size_t markers = c.latent.is_empty() ? c.data.markers : c.latent.mean.size();
    check_count(root, "markers", c.markers.size(), markers);
    check_count(root, "normalisation_mean", c.normalisation.mean.size(), markers);
    if (!c.range.empty()) check_count(root, "training_min", c.range.min.size(), markers);
    if (!c.range.empty()) check_count(root, "training_max", c.range.max.size(), markers);
    check_count(root, "conditions", c.conditions.size(), c.data.conditions);
    check_count(root, "conditions", c.conditions.count(), c.data.condition_rows);
    const std::array shifts{c.mean_shifts.rows(), c.mean_shifts.cols()};
    check_matrix(root, "mean_shifts", shifts, c.conditions.count(), c.data.markers);
}

std::uint64_t read_step(const h5::Group& root, const char* attribute) {
    return static_cast<std::uint64_t>(root.int_attribute(attribute));
}

// Reads everything except the tensors, and returns the model.
std::unique_ptr<models::Model> read_constants(const OpenedFile& file, Checkpoint& c) {
    const h5::Group& root = file.root;
    c.config = root.string_attribute("config");
    c.data_fingerprint = root.string_attribute("data_fingerprint");
    if (root.has_attribute("selection")) c.selection = root.string_attribute("selection");
    c.markers = root.open_dataset("markers").read_strings();
    c.cell_types = root.open_dataset("cell_types").read_strings();
    c.normalisation.mean = root.open_dataset("normalisation_mean").read<float>();
    c.normalisation.scale = static_cast<float>(root.double_attribute("normalisation_scale"));
    c.conditions = read_conditions(root.open_group("conditions"));
    if (root.contains_dataset("training_min")) {
        c.range = {root.open_dataset("training_min").read<float>(),
                   root.open_dataset("training_max").read<float>()};
    }
    c.mean_shifts = read_matrix(root, "mean_shifts");
    c.adam.step = read_step(root, "step");
    if (file.version == 1)
        read_model_format1(root, c);
    else
        read_model(root.open_group("model"), c);
    read_latent(root, c);
    check_sizes(root, c);
    if (root.contains_group("moment_map")) {
        const models::MomentMap map = models::make_moment_map_baseline(c.data);
        c.moment_map = read_tensors(root, "moment_map", map.layout());
    }
    read_start(root, c);
    try {
        return c.model();
    } catch (const core::ShapeMismatch& error) {
        throw core::DataError(root.file(), "model", error.what());
    }
}

void add_model(core::Checksum& checksum, const Checkpoint& checkpoint) {
    checksum.add(checkpoint.family->name());
    const models::DataShape& data = checkpoint.data;
    for (const std::size_t size :
         {data.markers, data.cell_types, data.conditions, data.condition_rows, data.training_pairs})
        checksum.add(size);
    for (const models::FieldDescription& description : stored_settings(checkpoint)) {
        checksum.add(description.field.name);
        checksum.add(models::text_of(description.value));
    }
    for (const auto& [name, matrix] : checkpoint.constants.matrices) {
        checksum.add(name);
        add_matrix(checksum, matrix);
    }
    for (const auto& [name, matrix] : checkpoint.constants.encoder) {
        checksum.add(name);
        checksum.add(matrix.rows());
        checksum.add(matrix.cols());
        checksum.add(std::span<const double>(matrix.values()));
    }
}

}  // namespace

std::unique_ptr<models::Model> Checkpoint::model(linalg::Precision precision) const {
    return family->make(*settings, data, constants, precision);
}

const models::Family* require_family(const h5::Group& group, const std::string& name) {
    if (const models::Family* family = models::find_family(name)) return family;
    throw core::DataError(group.file(), "method",
                          "found '" + name + "', but this popflow has the methods " +
                              core::joined(models::family_names()) +
                              ". Use the version of popflow that wrote the file");
}

std::vector<std::byte> checkpoint_bytes(const Checkpoint& checkpoint) {
    return file_with_trailer("checkpoint", [&](h5::Group& root) {
        root.write_attribute("popflow_checkpoint", format_version);
        write_constants(root, checkpoint, false);
        const std::unique_ptr<models::Model> model = checkpoint.model();
        const nn::ParameterLayout& layout = model->layout();
        write_tensors(root, "weights", layout, checkpoint.values);
        write_tensors(root, "average", layout, checkpoint.adam.average);
        write_tensors(root, "adam_first", layout, checkpoint.adam.first);
        write_tensors(root, "adam_second", layout, checkpoint.adam.second);
        if (!checkpoint.memory.view().empty()) write_matrix(root, "memory", checkpoint.memory);
        if (!checkpoint.best.empty()) write_tensors(root, "best", layout, checkpoint.best.average);
    });
}

std::vector<std::byte> weights_bytes(Checkpoint checkpoint) {
    keep_only_result(checkpoint);
    return file_with_trailer("weights", [&](h5::Group& root) {
        root.write_attribute("popflow_weights", format_version);
        write_constants(root, checkpoint, true);
        write_tensors(root, "average", checkpoint.model()->layout(), checkpoint.adam.average);
    });
}

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
    core::store_file(path, checkpoint_bytes(checkpoint));
}

Checkpoint read_checkpoint(const std::string& path) {
    const OpenedFile file = open_checked(path, "popflow_checkpoint", "checkpoint");
    Checkpoint c;
    const std::unique_ptr<models::Model> model = read_constants(file, c);
    c.values = read_tensors(file.root, "weights", model->layout());
    c.adam.average = read_tensors(file.root, "average", model->layout());
    c.adam.first = read_tensors(file.root, "adam_first", model->layout());
    c.adam.second = read_tensors(file.root, "adam_second", model->layout());
    if (file.root.contains_dataset("memory")) c.memory = read_matrix(file.root, "memory");
    if (file.root.contains_group("best")) {
        c.best = {.step = read_step(file.root, "best_step"),
                  .energy = file.root.double_attribute("best_energy"),
                  .average = read_tensors(file.root, "best", model->layout())};
    }
    check_digest(file, c);
    return c;
}

Checkpoint read_weights(const std::string& path) {
    const OpenedFile file = open_checked(path, "popflow_weights", "weights file");
    Checkpoint c;
    const std::unique_ptr<models::Model> model = read_constants(file, c);
    c.adam.average = read_tensors(file.root, "average", model->layout());
    if (file.root.has_attribute("training_steps")) {
        c.best = {.step = c.adam.step,
                  .energy = file.root.double_attribute("best_energy"),
                  .average = c.adam.average};
        c.adam.step = read_step(file.root, "training_steps");
    }
    keep_only_result(c);
    check_digest(file, c);
    return c;
}

std::string checkpoint_digest(const Checkpoint& checkpoint) {
    core::Checksum checksum;
    checksum.add(checkpoint.config);
    checksum.add(checkpoint.data_fingerprint);
    checksum.add(checkpoint.adam.step);
    add_model(checksum, checkpoint);
    add_content(checksum, checkpoint);
    return checksum.text();
}

}  // namespace popflow::train

// SPDX-License-Identifier: MIT
#include "train/checkpoint.hpp"

#include <array>
#include <iterator>

#include "core/digest.hpp"
#include "core/stored_file.hpp"
#include "core/text.hpp"
#include "h5/file.hpp"
#include "h5/group.hpp"
#include "train/checksum_trailer.hpp"

namespace popflow::train {

namespace {

constexpr std::int64_t format_version = 1;

void write_matrix(h5::Group& group, const std::string& name, linalg::ConstMatrixView<float> m) {
    group.write(name, std::span<const float>(m.data, m.rows * m.cols), {m.rows, m.cols});
}

linalg::Matrix<float> read_matrix(const h5::Group& group, const std::string& name) {
    const h5::Dataset dataset = group.open_dataset(name);
    if (dataset.rank() != 2) {
        throw core::DataError(group.file(), dataset.path(),
                              "found " + std::to_string(dataset.rank()) + " dimensions, expected 2");
    }
    linalg::Matrix<float> m(dataset.shape()[0], dataset.shape()[1]);
    dataset.read_rows(0, m.rows(), m.values());
    return m;
}

void check_matrix(const h5::Group& parent, const std::string& name, std::span<const std::size_t> shape,
                  std::size_t rows, std::size_t cols) {
    if (shape.size() == 2 && shape[0] == rows && shape[1] == cols) return;
    std::string found;
    for (const std::size_t n : shape) found += (found.empty() ? "" : " x ") + std::to_string(n);
    throw core::DataError(
        parent.file(), name,
        "found " + found + ", expected " + std::to_string(rows) + " x " + std::to_string(cols));
}

// Writes one dataset per tensor, so that other programs find weights by name.
void write_tensors(h5::Group& parent, const std::string& name, const nn::ParameterLayout& layout,
                   std::span<const float> buffer) {
    h5::Group group = parent.create_group(name);
    for (const nn::Tensor& tensor : layout.tensors())
        write_matrix(group, tensor.name, matrix_of(buffer, tensor));
}

linalg::AlignedVector<float> read_tensors(const h5::Group& parent, const std::string& name,
                                          const nn::ParameterLayout& layout) {
    const h5::Group group = parent.open_group(name);
    // Checks all tensors before the allocation, since the file may claim sizes that its datasets do not have.
    for (const nn::Tensor& tensor : layout.tensors()) {
        const h5::Dataset dataset = group.open_dataset(tensor.name);
        check_matrix(parent, name + "/" + tensor.name, dataset.shape(), tensor.rows, tensor.cols);
    }
    linalg::AlignedVector<float> buffer(layout.size(), 0.0F);
    for (const nn::Tensor& tensor : layout.tensors()) {
        const linalg::Matrix<float> m = read_matrix(group, tensor.name);
        std::ranges::copy(m.values(), nn::elements_of(std::span<float>(buffer), tensor).begin());
    }
    return buffer;
}

void write_shape(h5::Group group, const models::FlowMatchingShape& shape, models::Method method, Base base) {
    group.write_attribute("method", models::method_name(method));
    group.write_attribute("base", base == Base::source ? "source" : "gaussian");
    group.write_attribute("markers", shape.markers);
    group.write_attribute("cell_types", shape.cell_types);
    group.write_attribute("conditions", shape.conditions);
    group.write_attribute("training_pairs", shape.training_pairs);
    group.write_attribute("hidden", shape.hidden);
    group.write_attribute("layers", shape.layers);
    group.write_attribute("time_frequencies", shape.time_frequencies);
    group.write_attribute("time_highest", shape.time_highest);
    group.write_attribute("time_max_period", shape.time_max_period);
    group.write_attribute("space_frequencies", shape.space_frequencies);
    group.write_attribute("space_scale", shape.space_scale);
    group.write_attribute("encoder_hidden", shape.encoder.hidden);
    group.write_attribute("encoder_layers", shape.encoder.layers);
    group.write_attribute("embedding", shape.encoder.embedding);
    group.write_attribute("knn", shape.encoder.knn);
    group.write_attribute("embedding_norm", shape.encoder.norm);
    group.write_attribute("modulation", shape.modulation == models::Modulated::film ? "film" : "none");
    group.write_attribute("encoder_frequencies", shape.encoder.frequencies);
    group.write_attribute("encoder_scale", shape.encoder.frequency_scale);
    if (shape.encoder.activation == models::EncoderActivation::none) {
        group.write_attribute("encoder_activation", "none");
    }
}

void write_icnn(h5::Group group, const models::IcnnTransportShape& shape) {
    group.write_attribute("conditions", shape.conditions);
    group.write_attribute("hidden", shape.hidden);
    group.write_attribute("layers", shape.layers);
    group.write_attribute("inner_steps", shape.inner_steps);
}

// Reads a size. Its default limit keeps the product of a few sizes within the range of std::size_t.
std::size_t read_size(const h5::Group& group, const char* name, std::size_t max = 1'000'000'000) {
    const std::int64_t found = group.int_attribute(name);
    if (found < 0 || static_cast<std::size_t>(found) > max)
        throw core::DataError(group.file(), name,
                              "found " + std::to_string(found) + ", allowed 0 to " + std::to_string(max));
    return static_cast<std::size_t>(found);
}

models::IcnnTransportShape read_icnn(const h5::Group& group, std::size_t markers) {
    return {.markers = markers,
            .conditions = read_size(group, "conditions"),
            .hidden = read_size(group, "hidden", models::max_width),
            .layers = read_size(group, "layers", models::max_layers),
            .inner_steps = read_size(group, "inner_steps")};
}

models::Method read_method(const h5::Group& group) {
    const auto& names = models::method_names();
    const std::string name = group.string_attribute("method");
    const auto at = std::ranges::find(names, name);
    if (at == names.end()) {
        throw core::DataError(group.file(), "method", "found '" + name + "', allowed " + core::joined(names));
    }
    return static_cast<models::Method>(at - names.begin());
}

models::FlowMatchingShape read_shape(const h5::Group& group, models::Method method) {
    const auto size = [&](const char* name) { return read_size(group, name); };
    models::FlowMatchingShape shape;
    shape.context = models::context_of(method);
    shape.markers = size("markers");
    shape.cell_types = size("cell_types");
    shape.conditions = size("conditions");
    shape.training_pairs = size("training_pairs");
    shape.hidden = read_size(group, "hidden", models::max_width);
    shape.layers = read_size(group, "layers", models::max_layers);
    shape.time_frequencies = read_size(group, "time_frequencies", models::max_width);
    shape.time_highest = group.double_attribute("time_highest");
    shape.time_max_period = group.double_attribute("time_max_period");
    shape.space_frequencies = read_size(group, "space_frequencies", models::max_width);
    shape.space_scale = group.double_attribute("space_scale");
    shape.encoder.hidden = read_size(group, "encoder_hidden", models::max_width);
    shape.encoder.layers = read_size(group, "encoder_layers", models::max_layers);
    shape.encoder.embedding = read_size(group, "embedding", models::max_width);
    shape.encoder.knn = size("knn");
    shape.encoder.norm = group.double_attribute("embedding_norm");
    if (group.string_attribute("modulation") == "film") shape.modulation = models::Modulated::film;
    shape.encoder.frequencies = read_size(group, "encoder_frequencies", models::max_width);
    shape.encoder.frequency_scale = group.double_attribute("encoder_scale");
    if (group.has_attribute("encoder_activation")) {
        shape.encoder.activation = models::EncoderActivation::none;
    }
    return shape;
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

screen::Conditions read_conditions(const h5::Group& group) {
    const bool all = group.string_attribute("doses") == "all";
    std::vector<screen::Conditions::Treatment> treatments;
    for (std::string& name : group.open_dataset("treatments").read_strings()) {
        const std::string dataset = "concentrations_" + std::to_string(treatments.size());
        treatments.push_back(
            {std::move(name), all ? group.open_dataset(dataset).read<double>() : std::vector<double>()});
    }
    return {std::move(treatments), all ? screen::Doses::all : screen::Doses::highest, read_vectors(group)};
}

// Writes everything that a prediction needs in addition to the weights.
void write_constants(h5::Group& root, const Checkpoint& checkpoint) {
    root.write_attribute("config", checkpoint.config);
    root.write_attribute("data_fingerprint", checkpoint.data_fingerprint);
    root.write_attribute("step", checkpoint.adam.step);
    root.write_attribute("checksum", checkpoint_digest(checkpoint));
    write_shape(root.create_group("model"), checkpoint.shape, checkpoint.method, checkpoint.base);
    if (checkpoint.method == models::Method::icnn) {
        write_icnn(root.create_group("icnn"), checkpoint.icnn);
    } else {
        write_matrix(root, "frequencies", checkpoint.frequencies);
    }
    root.write_strings("markers", checkpoint.markers);
    root.write_strings("cell_types", checkpoint.cell_types);
    root.write("normalisation_mean", checkpoint.normalisation.mean);
    root.write_attribute("normalisation_scale", static_cast<double>(checkpoint.normalisation.scale));
    write_conditions(root.create_group("conditions"), checkpoint.conditions);
    write_matrix(root, "mean_shifts", checkpoint.mean_shifts);
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
void keep_only_average(Checkpoint& checkpoint) {
    checkpoint.values = checkpoint.adam.average;
    checkpoint.adam.first.assign(checkpoint.values.size(), 0.0F);
    checkpoint.adam.second.assign(checkpoint.values.size(), 0.0F);
    checkpoint.memory = {};
}

// Checks the digest of the values that were read. This also covers a file that another program has rewritten,
// without the checksum trailer.
void check_digest(const h5::Group& root, const Checkpoint& checkpoint) {
    if (!root.has_attribute("checksum")) return;
    const std::string stored = root.string_attribute("checksum");
    const std::string computed = checkpoint_digest(checkpoint);
    if (stored == computed) return;
    throw core::DataError(
        root.file(), "checksum",
        "found `" + computed + "` for the content, expected `" + stored + "`: the file is damaged");
}

// Checks the checksum trailer and the format version of a file and opens it.
// @param format  root attribute that contains the format version
// @param kind  kind of file for the error message
h5::Group open_checked(const std::string& path, const char* format, const char* kind) {
    check_checksum_trailer(path);
    h5::Group root = h5::open_file(path);
    if (!root.has_attribute(format)) throw core::DataError(path, "", std::string("not a popflow ") + kind);
    if (const std::int64_t version = root.int_attribute(format); version != format_version)
        throw core::DataError(path, format, "found format " + std::to_string(version) + ", allowed 1");
    return root;
}

void check_count(const h5::Group& root, const char* name, std::size_t found, std::size_t expected) {
    if (found == expected) return;
    throw core::DataError(root.file(), name,
                          "found " + std::to_string(found) + ", expected " + std::to_string(expected));
}

// Checks that the sizes of the constants agree.
void check_sizes(const h5::Group& root, const Checkpoint& c) {
    const std::size_t markers = c.shape.markers;
    check_count(root, "markers", c.markers.size(), markers);
    check_count(root, "normalisation_mean", c.normalisation.mean.size(), markers);
    const std::array shifts{c.mean_shifts.rows(), c.mean_shifts.cols()};
    check_matrix(root, "mean_shifts", shifts, c.conditions.count(), markers);
    if (c.method == models::Method::icnn) {
        if (c.icnn.conditions > 0) check_count(root, "conditions", c.icnn.conditions, c.conditions.size());
        return;
    }
    check_count(root, "conditions", c.conditions.size(), c.shape.conditions);
    const std::array frequencies{c.frequencies.rows(), c.frequencies.cols()};
    check_matrix(root, "frequencies", frequencies, markers,
                 c.shape.space_frequencies + c.shape.encoder.frequencies);
}

Checkpoint read_constants(const h5::Group& root) {
    Checkpoint c;
    c.config = root.string_attribute("config");
    c.data_fingerprint = root.string_attribute("data_fingerprint");
    const h5::Group shape = root.open_group("model");
    c.method = read_method(shape);
    c.shape = read_shape(shape, c.method);
    c.base = shape.string_attribute("base") == "gaussian" ? Base::gaussian : Base::source;
    if (c.method == models::Method::icnn) {
        c.icnn = read_icnn(root.open_group("icnn"), c.shape.markers);
    } else {
        c.frequencies = read_matrix(root, "frequencies");
    }
    c.markers = root.open_dataset("markers").read_strings();
    c.cell_types = root.open_dataset("cell_types").read_strings();
    c.normalisation.mean = root.open_dataset("normalisation_mean").read<float>();
    c.normalisation.scale = static_cast<float>(root.double_attribute("normalisation_scale"));
    c.conditions = read_conditions(root.open_group("conditions"));
    c.mean_shifts = read_matrix(root, "mean_shifts");
    c.adam.step = static_cast<std::uint64_t>(root.int_attribute("step"));
    check_sizes(root, c);
    return c;
}

void add_texts(core::Digest& digest, const std::vector<std::string>& texts) {
    digest.add(texts.size());
    for (const std::string& text : texts) digest.add(text);
}

void add_matrix(core::Digest& digest, linalg::ConstMatrixView<float> m) {
    digest.add(m.rows);
    digest.add(m.cols);
    digest.add(std::span<const float>(m.data, m.rows * m.cols));
}

// Adds tensor by tensor, as in the file. The padding between tensors is not stored.
void add_tensors(core::Digest& digest, const nn::ParameterLayout& layout, std::span<const float> buffer) {
    for (const nn::Tensor& tensor : layout.tensors()) {
        digest.add(tensor.name);
        digest.add(nn::elements_of(buffer, tensor));
    }
}

void add_shape(core::Digest& digest, const models::FlowMatchingShape& shape) {
    for (const std::size_t size :
         {shape.markers, shape.cell_types, shape.conditions, shape.training_pairs, shape.hidden, shape.layers,
          shape.time_frequencies, shape.space_frequencies, shape.encoder.hidden, shape.encoder.layers,
          shape.encoder.embedding, shape.encoder.knn, shape.encoder.frequencies,
          static_cast<std::size_t>(shape.modulation), static_cast<std::size_t>(shape.encoder.activation)}) {
        digest.add(size);
    }
    for (const double number : {shape.time_highest, shape.time_max_period, shape.space_scale,
                                shape.encoder.norm, shape.encoder.frequency_scale}) {
        digest.add(number);
    }
}

void add_conditions(core::Digest& digest, const screen::Conditions& conditions) {
    const bool all = conditions.doses() == screen::Doses::all;
    digest.add(all);
    for (const auto& treatment : conditions.treatments()) {
        digest.add(treatment.name);
        if (all) digest.add(std::span<const double>(treatment.concentrations));
    }
    if (conditions.vectors().empty()) return;
    add_texts(digest, conditions.vectors().names());
    add_matrix(digest, conditions.vectors().values());
}

}  // namespace

std::unique_ptr<models::Model> Checkpoint::model() const {
    if (method == models::Method::icnn) return std::make_unique<models::IcnnTransport>(icnn);
    return std::make_unique<models::FlowMatching>(shape, frequencies);
}

std::vector<std::byte> checkpoint_bytes(const Checkpoint& checkpoint) {
    return file_with_trailer("checkpoint", [&](h5::Group& root) {
        root.write_attribute("popflow_checkpoint", format_version);
        write_constants(root, checkpoint);
        const std::unique_ptr<models::Model> model = checkpoint.model();
        const nn::ParameterLayout& layout = model->layout();
        write_tensors(root, "weights", layout, checkpoint.values);
        write_tensors(root, "average", layout, checkpoint.adam.average);
        write_tensors(root, "adam_first", layout, checkpoint.adam.first);
        write_tensors(root, "adam_second", layout, checkpoint.adam.second);
        if (!checkpoint.memory.view().empty()) write_matrix(root, "memory", checkpoint.memory);
    });
}

std::vector<std::byte> weights_bytes(Checkpoint checkpoint) {
    keep_only_average(checkpoint);
    return file_with_trailer("weights", [&](h5::Group& root) {
        root.write_attribute("popflow_weights", format_version);
        write_constants(root, checkpoint);
        write_tensors(root, "average", checkpoint.model()->layout(), checkpoint.adam.average);
    });
}

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
    core::store_file(path, checkpoint_bytes(checkpoint));
}

Checkpoint read_checkpoint(const std::string& path) {
    const h5::Group root = open_checked(path, "popflow_checkpoint", "checkpoint");
    Checkpoint c = read_constants(root);
    const std::unique_ptr<models::Model> model = c.model();
    c.values = read_tensors(root, "weights", model->layout());
    c.adam.average = read_tensors(root, "average", model->layout());
    c.adam.first = read_tensors(root, "adam_first", model->layout());
    c.adam.second = read_tensors(root, "adam_second", model->layout());
    if (root.contains_dataset("memory")) c.memory = read_matrix(root, "memory");
    check_digest(root, c);
    return c;
}

Checkpoint read_weights(const std::string& path) {
    const h5::Group root = open_checked(path, "popflow_weights", "weights file");
    Checkpoint c = read_constants(root);
    c.adam.average = read_tensors(root, "average", c.model()->layout());
    keep_only_average(c);
    check_digest(root, c);
    return c;
}

std::string checkpoint_digest(const Checkpoint& checkpoint) {
    core::Digest digest;
    digest.add(checkpoint.config);
    digest.add(checkpoint.data_fingerprint);
    digest.add(checkpoint.adam.step);
    digest.add(models::method_name(checkpoint.method));
    digest.add(checkpoint.base == Base::gaussian);
    add_shape(digest, checkpoint.shape);
    if (checkpoint.method == models::Method::icnn) {
        const models::IcnnTransportShape& icnn = checkpoint.icnn;
        for (const std::size_t size : {icnn.conditions, icnn.hidden, icnn.layers, icnn.inner_steps})
            digest.add(size);
    } else {
        add_matrix(digest, checkpoint.frequencies);
    }
    add_texts(digest, checkpoint.markers);
    add_texts(digest, checkpoint.cell_types);
    digest.add(std::span<const float>(checkpoint.normalisation.mean));
    digest.add(checkpoint.normalisation.scale);
    add_conditions(digest, checkpoint.conditions);
    add_matrix(digest, checkpoint.mean_shifts);
    const std::unique_ptr<models::Model> model = checkpoint.model();
    add_tensors(digest, model->layout(), checkpoint.values);
    add_tensors(digest, model->layout(), checkpoint.adam.average);
    add_tensors(digest, model->layout(), checkpoint.adam.first);
    add_tensors(digest, model->layout(), checkpoint.adam.second);
    add_matrix(digest, checkpoint.memory);
    return digest.text();
}

}  // namespace popflow::train

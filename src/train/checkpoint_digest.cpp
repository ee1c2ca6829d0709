// SPDX-License-Identifier: MIT
#include "core/digest.hpp"
#include "train/checkpoint.hpp"

namespace popflow::train {

namespace {

void add_texts(core::Digest& digest, const std::vector<std::string>& texts) {
    digest.add(texts.size());
    for (const std::string& text : texts) digest.add(text);
}

void add_matrix(core::Digest& digest, linalg::ConstMatrixView<float> m) {
    digest.add(m.rows);
    digest.add(m.cols);
    digest.add(std::span<const float>(m.data, m.rows * m.cols));
}

// Tensor by tensor, as they are stored: what lies between them is not.
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

void add_conditions(core::Digest& digest, const data::Conditions& conditions) {
    const bool all = conditions.doses() == data::Doses::all;
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

// SPDX-License-Identifier: MIT
#include "train/training_items.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "mpi/partition.hpp"

namespace popflow::train {

std::vector<Lane> equal_lanes(std::size_t items, std::size_t slots, const mpi::Communicator& communicator,
                              const std::string& noun, std::size_t min) {
    if (items < std::max(slots, min))
        throw core::ConfigError("batch-pairs",
                                fmt::format("is {}, but there are only {} to train on. Give a smaller number",
                                            slots, core::counted(items, noun)));
    const std::vector<std::size_t> weights(items, 1);
    const auto lanes = mpi::partition_by_weight(weights, slots);
    std::vector<Lane> own;
    for (const std::size_t slot : mpi::lanes_of_rank(slots, communicator.rank(), communicator.size()))
        own.push_back(
            {.slot = slot, .weight = lane_weight(lanes[slot].size(), slots, items), .items = lanes[slot]});
    return own;
}

models::Constants make_model_constants(const models::Family& family, const models::Settings& settings,
                                       const TrainingSet& set, std::uint64_t seed) {
    const models::DataShape shape = set.shape();
    models::Constants constants = family.draw_constants(settings, shape, seed);
    const models::EncoderChoice encoder = family.fixed_encoder(settings);
    if (encoder.kind == nullptr) return constants;
    constants.encoder =
        set.controls().empty()
            ? encoder.kind->placeholder(
                  {.populations = set.n_controls(), .markers = shape.markers, .cell_types = shape.cell_types},
                  encoder.components)
            : encoder.kind->fit(set.controls(), encoder.components);
    return constants;
}

std::string encoder_note(const models::Family& family, const models::Settings& settings,
                         const TrainingSet& set, const models::Constants& constants) {
    const models::EncoderChoice encoder = family.fixed_encoder(settings);
    if (encoder.components == 0) return "";
    const models::DataShape shape = set.shape();
    const std::size_t size =
        encoder.kind->make(constants.encoder, {.markers = shape.markers, .cell_types = shape.cell_types})
            ->size();
    if (size == encoder.components) return "";
    return fmt::format("--encoder {}: the {} have {}, which are used", encoder.text(),
                       core::counted(set.n_controls(), "training control population"),
                       core::counted(size, "component"));
}

std::unique_ptr<Sampler> PairItems::make_sampler(const models::Model& model, const TrainOptions& train,
                                                 const mpi::Communicator& communicator) const {
    PairSampling sampling = sampling_;
    if (const models::CellTransport* transport = model.cell_transport()) sampling.base = transport->base();
    std::vector<PairLane> lanes = set_.lanes();
    if (const models::CellTransport* transport = model.cell_transport();
        transport != nullptr && transport->has_fixed_context()) {
        for (PairLane& lane : lanes) {
            for (TrainingPair& pair : lane.pairs)
                pair.context = transport->fixed_context(set_.controls()[set_.control_of_pair()[pair.index]]);
        }
    }
    return std::make_unique<PairSampler>(sampling, train.seed, std::move(lanes), train.batch_pairs,
                                         train.steps, communicator);
}

OnePassResult PairItems::train_in_one_pass(const models::OnePassTraining& model, std::size_t n_weights,
                                           const mpi::Communicator& communicator) const {
    const std::vector<PairLane> lanes = set_.lanes();
    return train::train_in_one_pass(model, lanes, n_weights, communicator);
}

}  // namespace popflow::train

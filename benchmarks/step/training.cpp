// SPDX-License-Identifier: MIT
// Whole training steps: random draws, loss, gradient, exact sum, clipping, Adam and the average of the
// weights.
#include <memory>

#include "step/measure.hpp"
#include "train/pair_sampler.hpp"
#include "train/trainer.hpp"

namespace popflow::bench {

namespace {

struct Case {
    models::FlowMatchingShape shape;
    std::size_t population = 2048;
    std::size_t cells = 1024;  // in a slot
    std::size_t slots = 1;
};

struct Training {
    Training(const Case& c, const mpi::Communicator& comm)
        : model(c.shape, models::draw_frequencies(c.shape, 1)) {
        control.x = normal_matrix(c.population, c.shape.markers, 1);
        treated.x = normal_matrix(c.population, c.shape.markers, 2);
        control.cell_type.resize(c.population);
        const std::vector<float> condition(c.shape.conditions, 0.0F);
        std::vector<train::PairLane> lanes;
        for (std::size_t b = 0; b < c.slots; ++b) {
            lanes.push_back({.slot = b, .pairs = {{0, control.view(), treated.view(), condition}}});
        }
        const train::TrainOptions options{.batch_pairs = c.slots};
        sampler = std::make_unique<train::PairSampler>(train::PairSampling{.cells = c.cells}, options.seed,
                                                       std::move(lanes), c.slots, options.steps, comm);
        trainer = std::make_unique<train::Trainer>(model, options, *sampler, comm);
    }
    screen::Cells control, treated;
    models::FlowMatching model;
    std::unique_ptr<train::PairSampler> sampler;
    std::unique_ptr<train::Trainer> trainer;
};

void add_case(const std::string& name, const Case& c, const mpi::Communicator& comm) {
    const auto run = [c, comm](benchmark::State& state) {
        Training training(c, comm);
        for (int warm = 0; warm < 2; ++warm) (void)training.trainer->step({});
        for (auto _ : state) (void)training.trainer->step({});
        count_gflops(state, step_flops(c.shape, c.cells * c.slots));
    };
    add("step/" + name + "/" + linalg::precision_name(c.shape.precision), run)->Iterations(5);
}

}  // namespace

void add_training(const mpi::Communicator& comm) {
    for (const Precision precision : precisions()) {
        // Velocity network without encoder: the one-hot code of 128 pairs replaces the embedding of 128.
        Case flow{.shape = organoid_shape(precision)};
        flow.shape.context = models::Context::pair_index;
        flow.shape.training_pairs = 128;
        add_case("flow", flow, comm);
        for (const std::size_t k : {0U, 10U, 100U}) {
            Case joint{.shape = organoid_shape(precision)};
            joint.shape.encoder.knn = k;
            add_case("joint_k" + std::to_string(k), joint, comm);
        }
        Case letters{.shape = {.markers = 2, .conditions = 1, .layers = 4},
                     .population = 700,
                     .cells = 700,
                     .slots = 10};
        letters.shape.encoder = {.hidden = 64, .layers = 3, .embedding = 64, .knn = 0};
        letters.shape.precision = precision;
        add_case("letters", letters, comm);
    }
}

}  // namespace popflow::bench

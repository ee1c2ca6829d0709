// SPDX-License-Identifier: MIT
// Evaluates 100 velocities of 5000 cells, in blocks of cells that are spread over the threads like in
// prediction.
#include <omp.h>

#include <utility>

#include "step/measure.hpp"

namespace popflow::bench {

namespace {

constexpr std::size_t cells = 5000;
constexpr std::size_t block = 512;
constexpr int evaluations = 100;

void predict(benchmark::State& state, Precision precision) {
    const models::FlowMatchingShape shape = organoid_shape(precision);
    const models::FlowMatching model(shape, models::draw_frequencies(shape, 1));
    const linalg::AlignedVector<float> values = model.initial_values(1);
    models::FlowMatching::Weights<float> weights;
    std::vector<models::FlowMatching::Workspace<float>> workspaces(
        static_cast<std::size_t>(omp_get_max_threads()));
    const Matrix<float> x = normal_matrix(cells, shape.markers, 3);
    Matrix<float> v(cells, shape.markers);
    const std::vector<float> t(cells, 0.5F);
    const std::vector<float> context(shape.context_size(), 0.1F);
    const std::vector<float> condition(shape.conditions, 0.0F);
    for (auto _ : state) {
        model.pack(std::span<const float>(values), precision, weights);
#pragma omp parallel for schedule(dynamic)
        for (std::size_t first = 0; first < cells; first += block) {
            const std::size_t n = std::min(block, cells - first);
            auto& workspace = workspaces[static_cast<std::size_t>(omp_get_thread_num())];
            for (int i = 0; i < evaluations; ++i) {
                model.velocity<float>(weights, precision, context, condition,
                                      std::span<const float>(t).subspan(first, n),
                                      x.view().row_block(first, n), workspace, v.view().row_block(first, n));
            }
        }
    }
    count_gflops(state, evaluations * velocity_flops(shape, cells));
}

}  // namespace

void add_prediction() {
    for (const Precision precision : precisions()) {
        add("predict_5000x100/" + std::string(linalg::precision_name(precision)), [precision](auto& state) {
            predict(state, precision);
        })->Iterations(1);
    }
}

}  // namespace popflow::bench

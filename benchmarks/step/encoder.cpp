// SPDX-License-Identifier: MIT
// Population encoder of the joint step: neighbour search, forward and backward pass of 1024 cells in fp32.
#include "linalg/neighbours.hpp"
#include "models/population_encoder.hpp"
#include "step/measure.hpp"

namespace popflow::bench {

namespace {

constexpr std::size_t cells = 1024;
constexpr std::size_t markers = 43;
constexpr std::size_t cell_types = 2;

void embed(benchmark::State& state, std::size_t knn) {
    models::EncoderShape shape;
    shape.inputs = markers + cell_types;
    shape.knn = knn;
    nn::ParameterLayout layout;
    const models::PopulationEncoder encoder(layout, "encoder", shape);
    linalg::AlignedVector<float> values(layout.size());
    encoder.initialise(values, 1);
    linalg::AlignedVector<float> gradients(layout.size());
    const Matrix<float> x = normal_matrix(cells, shape.inputs, 4);
    const std::vector<float> dh(shape.embedding, 0.1F);
    std::vector<float> h(shape.embedding);
    models::PopulationEncoder::Cache<float> cache;
    for (auto _ : state) {
        encoder.forward<float>(values, x.view(), markers, cache, h);
        encoder.backward<float>(values, x.view(), h, dh, cache, gradients);
    }
}

void search(benchmark::State& state, std::size_t k) {
    const Matrix<float> x = normal_matrix(cells, markers, 4);
    linalg::NeighbourScratch<float> scratch;
    std::vector<std::uint32_t> nearest;
    for (auto _ : state) linalg::nearest_neighbours(x.view(), k, scratch, nearest);
}

}  // namespace

void add_encoder() {
    for (const std::size_t k : {0U, 10U, 100U}) {
        add("encoder/k" + std::to_string(k), [k](auto& state) { embed(state, k); });
        if (k > 0) add("neighbours/k" + std::to_string(k), [k](auto& state) { search(state, k); });
    }
}

}  // namespace popflow::bench

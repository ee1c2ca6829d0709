// SPDX-License-Identifier: MIT
#include "step/measure.hpp"

#include <omp.h>

#include "core/random.hpp"

namespace popflow::bench {

std::vector<Precision> precisions() {
    std::vector<Precision> all{Precision::fp32};
    if (linalg::cpu_has_bf16()) all.push_back(Precision::bf16);
    return all;
}

benchmark::internal::Benchmark* add_serial(const std::string& name,
                                           const std::function<void(benchmark::State&)>& work) {
    const auto on_threads = [work](benchmark::State& state) {
        omp_set_num_threads(static_cast<int>(state.range(0)));
        work(state);
    };
    return benchmark::RegisterBenchmark(name.c_str(), on_threads)
        ->ArgName("threads")
        ->Arg(1)
        ->MeasureProcessCPUTime()
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
}

benchmark::internal::Benchmark* add(const std::string& name,
                                    const std::function<void(benchmark::State&)>& work) {
    static const int max_threads = omp_get_max_threads();
    benchmark::internal::Benchmark* registered = add_serial(name, work);
    for (int threads = 2; threads < max_threads; threads *= 2) registered->Arg(threads);
    if (max_threads > 1) registered->Arg(max_threads);
    return registered;
}

void count_gflops(benchmark::State& state, double flops) {
    state.counters["GFLOP/s"] =
        benchmark::Counter(1e-9 * flops, benchmark::Counter::kIsIterationInvariantRate);
}

Matrix<float> normal_matrix(std::size_t rows, std::size_t cols, std::uint64_t a) {
    Matrix<float> m(rows, cols);
    core::Stream(1, core::Purpose::test, a).fill_normal(m.values());
    return m;
}

models::FlowMatchingShape organoid_shape(Precision precision) {
    models::FlowMatchingShape shape{.markers = 43, .cell_types = 2, .conditions = 11};
    shape.precision = precision;
    return shape;
}

namespace {

double first_layer_flops(const models::FlowMatchingShape& shape, std::size_t cells) {
    return 2.0 * static_cast<double>(cells * shape.row_inputs() * shape.hidden);
}

}  // namespace

double velocity_flops(const models::FlowMatchingShape& shape, std::size_t cells) {
    const std::size_t weights = shape.hidden * ((shape.layers - 1) * shape.hidden + shape.markers);
    return first_layer_flops(shape, cells) + 2.0 * static_cast<double>(cells * weights);
}

double step_flops(const models::FlowMatchingShape& shape, std::size_t cells) {
    return 3 * velocity_flops(shape, cells) - first_layer_flops(shape, cells);
}

}  // namespace popflow::bench

// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include "core/random.hpp"
#include "metrics/mmd.hpp"
#include "metrics/wasserstein.hpp"
#include "ot/coupling.hpp"
#include "ot/exact.hpp"
#include "ot/sinkhorn.hpp"

namespace {

using popflow::linalg::Matrix;

Matrix<float> population(std::int64_t n, std::int64_t d, std::uint64_t seed, float mean, float deviation) {
    popflow::core::Stream stream(seed, popflow::core::Purpose::test);
    Matrix<float> x(static_cast<std::size_t>(n), static_cast<std::size_t>(d));
    stream.fill_normal(x.values());
    for (float& v : x.values()) v = mean + deviation * v;
    return x;
}

struct Populations {
    explicit Populations(const benchmark::State& state)
        : x(population(state.range(0), state.range(2), 1, 0, 1)),
          y(population(state.range(1), state.range(2), 2, 0.3F, 1.1F)) {}
    Matrix<float> x;
    Matrix<float> y;
};

void cost_matrix(benchmark::State& state) {
    const Populations p(state);
    for (auto _ : state) {
        const popflow::ot::Cost cost(popflow::ot::CostKind::euclidean, p.x.view(), p.y.view());
        benchmark::DoNotOptimize(cost.mean());
    }
}

void sinkhorn_sweep(benchmark::State& state) {
    const Populations p(state);
    const popflow::ot::Cost cost(popflow::ot::CostKind::euclidean, p.x.view(), p.y.view());
    const popflow::ot::SinkhornOptions options{.sweeps = 10};
    for (auto _ : state) benchmark::DoNotOptimize(popflow::ot::sinkhorn(cost, {}, {}, options).sweeps);
    state.counters["sweeps"] = benchmark::Counter(10, benchmark::Counter::kIsIterationInvariantRate);
}

void w1(benchmark::State& state) {
    const Populations p(state);
    for (auto _ : state) benchmark::DoNotOptimize(popflow::metrics::wasserstein1(p.x.view(), p.y.view()));
}

void w2(benchmark::State& state) {
    const Populations p(state);
    for (auto _ : state) benchmark::DoNotOptimize(popflow::metrics::wasserstein2(p.x.view(), p.y.view()));
}

void w1_and_w2(benchmark::State& state) {
    const Populations p(state);
    for (auto _ : state) benchmark::DoNotOptimize(popflow::metrics::wasserstein(p.x.view(), p.y.view()).w2);
}

void coupling(benchmark::State& state) {
    const Populations p(state);
    for (auto _ : state)
        benchmark::DoNotOptimize(popflow::ot::optimal_partners(p.x.view(), p.y.view()).front());
}

void mmd_and_energy(benchmark::State& state) {
    const Populations p(state);
    for (auto _ : state)
        benchmark::DoNotOptimize(popflow::metrics::kernel_distances(p.x.view(), p.y.view()).mmd);
}

}  // namespace

// Arguments: cells of x, cells of y, markers. Reports elapsed time, because the solver is multi-threaded.
BENCHMARK(cost_matrix)->Args({4096, 4096, 43})->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(sinkhorn_sweep)->Args({4096, 4096, 43})->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(coupling)
    ->Args({1024, 1024, 43})
    ->Args({256, 256, 43})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(w1)->Args({4096, 4096, 43})->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(w2)->Args({4096, 4096, 43})->Args({5000, 4000, 43})->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(w1_and_w2)
    ->Args({4096, 4096, 43})
    ->Args({5000, 4000, 43})
    ->Args({5000, 4001, 43})
    ->Args({1700, 1700, 2})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(mmd_and_energy)->Args({4096, 4096, 43})->UseRealTime()->Unit(benchmark::kMillisecond);

BENCHMARK_MAIN();

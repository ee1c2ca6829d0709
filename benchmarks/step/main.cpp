// SPDX-License-Identifier: MIT
// step_bench [--benchmark_... OPTION]: times training steps and their parts.
//
// Repetitions of all benchmarks run interleaved in random order, so that load on the machine affects all of
// them equally. `real_time` is elapsed time, `cpu_time` is that of all threads. Options of Google Benchmark,
// such as
// --benchmark_filter=^step/.*/threads:2/ and --benchmark_format=json, override the defaults below.
#include <iterator>

#include "step/measure.hpp"

int main(int argc, char** argv) {
    using namespace popflow;
    const mpi::Session session(argc, argv);
    const auto comm = mpi::Communicator::world();
    std::string defaults[] = {"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=5",
                              "--benchmark_display_aggregates_only=true", "--benchmark_counters_tabular=true",
                              "--benchmark_min_time=0.2"};
    std::vector<char*> all{argv[0]};
    for (std::string& text : defaults) all.push_back(text.data());
    all.insert(all.end(), argv + 1, argv + argc);
    int count = static_cast<int>(all.size());
    all.push_back(nullptr);
    benchmark::Initialize(&count, all.data());
    if (benchmark::ReportUnrecognizedArguments(count, all.data())) return 2;
    benchmark::AddCustomContext("instruction_set", linalg::instruction_set());
    benchmark::AddCustomContext("bf16", linalg::cpu_has_bf16() ? "yes" : "no");
    bench::add_peak();
    bench::add_products();
    bench::add_encoder();
    bench::add_set_transformer();
    bench::add_training(comm);
    bench::add_prediction();
    bench::add_input();
    const bool ran = benchmark::RunSpecifiedBenchmarks() > 0;
    benchmark::Shutdown();
    return ran ? 0 : 2;
}

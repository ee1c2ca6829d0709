// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"
#include "linalg/precision.hpp"
#include "models/flow_matching.hpp"
#include "mpi/communicator.hpp"

namespace popflow::bench {

using linalg::Matrix;
using linalg::Precision;

/// Those that this CPU multiplies in.
std::vector<Precision> precisions();

/// Registers a benchmark: the time by the clock and the CPU time of all threads, in milliseconds.
///
/// Its argument is the number of OpenMP threads, set before `work` is called: 1, 2, 4, ... and all of them.
benchmark::internal::Benchmark* add(const std::string& name,
                                    const std::function<void(benchmark::State&)>& work);

/// The same on one thread alone.
benchmark::internal::Benchmark* add_serial(const std::string& name,
                                           const std::function<void(benchmark::State&)>& work);

/// Counts work / 1e9 a second, by the clock.
void count_gflops(benchmark::State& state, double flops);

/// Standard normal, from the stream of `a`.
Matrix<float> normal_matrix(std::size_t rows, std::size_t cols, std::uint64_t a);

/// 43 markers, 7 layers of 512, encoder of 2 layers of 128.
models::FlowMatchingShape organoid_shape(Precision precision);

/// Of the matrix products of the velocity network in a training step: forward, and backward to weights and,
/// but for the first layer, to inputs.
double step_flops(const models::FlowMatchingShape& shape, std::size_t cells);
/// Of one velocity.
double velocity_flops(const models::FlowMatchingShape& shape, std::size_t cells);

void add_peak();
void add_products();
void add_encoder();
void add_training(const mpi::Communicator& comm);
void add_prediction();
void add_input();

}  // namespace popflow::bench

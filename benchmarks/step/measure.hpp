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

/// Returns the precisions in which this CPU multiplies: fp32, and bf16 if it has instructions for it.
std::vector<Precision> precisions();

/// Registers a benchmark for 1, 2, 4, ... and all OpenMP threads.
///
/// Sets the number of threads before it calls `work`. Reports elapsed time and the CPU time of all threads.
/// Units: milliseconds.
benchmark::internal::Benchmark* add(const std::string& name,
                                    const std::function<void(benchmark::State&)>& work);

/// Registers a benchmark for one thread only.
benchmark::internal::Benchmark* add_serial(const std::string& name,
                                           const std::function<void(benchmark::State&)>& work);

/// Reports flops / 1e9 per second of elapsed time as `GFLOP/s`.
void count_gflops(benchmark::State& state, double flops);

/// Returns standard normal elements from the random stream `a`.
Matrix<float> normal_matrix(std::size_t rows, std::size_t cols, std::uint64_t a);

/// Returns the shape of the organoid network: 43 markers, 7 layers of 512, encoder with 2 layers of 128.
models::FlowMatchingShape organoid_shape(Precision precision);

/// Returns the floating-point operations of the velocity network's matrix products in a training step:
/// forward, gradients of the weights, and gradients of the inputs of all layers but the first.
double step_flops(const models::FlowMatchingShape& shape, std::size_t cells);
/// Returns the floating-point operations of one evaluation of the velocity.
double velocity_flops(const models::FlowMatchingShape& shape, std::size_t cells);

/// Returns the floating-point operations per second of CPU time of multiply-adds in registers, on the calling
/// thread. Returns 0 if there is no kernel for this CPU.
double measure_peak(Precision precision);

void add_peak();
void add_products();
void add_encoder();
void add_set_transformer();
void add_training(const mpi::Communicator& comm);
void add_prediction();
void add_input();

}  // namespace popflow::bench

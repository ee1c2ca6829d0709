// SPDX-License-Identifier: MIT
#include "nn/adam.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.hpp"
#include "core/simd.hpp"

namespace popflow::nn {

namespace {

constexpr std::size_t block_size = 1U << 14U;

struct Coefficients {
    float beta1, one_minus_beta1, beta2, one_minus_beta2, rate, root_scale, epsilon, keep, take;
};

POPFLOW_SIMD void adam_block(const Coefficients& c, float scale, const float* gradient, float* values,
                             float* first, float* second, float* average, std::size_t n) {
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) {
        const float g = scale * gradient[i];
        first[i] = c.beta1 * first[i] + c.one_minus_beta1 * g;
        second[i] = c.beta2 * second[i] + c.one_minus_beta2 * g * g;
        values[i] -= c.rate * first[i] / (std::sqrt(second[i]) * c.root_scale + c.epsilon);
        average[i] = c.keep * average[i] + c.take * values[i];
    }
}

POPFLOW_SIMD double sum_of_squares(const float* x, std::size_t n) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return sum;
}

}  // namespace

AdamState AdamState::start(std::span<const float> values) {
    AdamState state;
    state.first.assign(values.size(), 0.0F);
    state.second.assign(values.size(), 0.0F);
    state.average.assign(values.begin(), values.end());
    return state;
}

void block_squares(std::span<const float> gradient, std::size_t first, std::size_t last,
                   std::span<double> sums) {
    core::check_shape("block_squares", sums.size(), 1, (gradient.size() + norm_block - 1) / norm_block, 1);
#pragma omp parallel for schedule(static)
    for (std::size_t block = 0; block < sums.size(); ++block) {
        const std::size_t begin = std::max(first, block * norm_block);
        const std::size_t end = std::min(last, (block + 1) * norm_block);
        sums[block] = begin < end ? sum_of_squares(gradient.data() + begin, end - begin) : 0;
    }
}

void adam_step(const AdamOptions& options, double rate, float scale, std::span<const float> gradient,
               std::span<float> values, AdamState& state) {
    adam_step(options, rate, scale, {0, 0, values.size(), state.step}, gradient, values, state);
}

void adam_step(const AdamOptions& options, double rate, float scale, const UpdatePhase& phase,
               std::span<const float> gradient, std::span<float> values, AdamState& state) {
    core::check_shape("adam.gradient", gradient.size(), state.first.size(), values.size(), values.size());
    ++state.step;
    const auto s = static_cast<double>(phase.updates + 1);
    const double keep = std::min(options.ema_decay, (1 + s) / (10 + s));
    const Coefficients c{
        .beta1 = static_cast<float>(options.beta1),
        .one_minus_beta1 = static_cast<float>(1 - options.beta1),
        .beta2 = static_cast<float>(options.beta2),
        .one_minus_beta2 = static_cast<float>(1 - options.beta2),
        .rate = static_cast<float>(rate / (1 - std::pow(options.beta1, s))),
        .root_scale = static_cast<float>(1 / std::sqrt(1 - std::pow(options.beta2, s))),
        .epsilon = static_cast<float>(options.epsilon),
        .keep = static_cast<float>(keep),
        .take = static_cast<float>(1 - keep),
    };
    const std::size_t blocks = (phase.count + block_size - 1) / block_size;
#pragma omp parallel for schedule(static)
    for (std::size_t block = 0; block < blocks; ++block) {
        const std::size_t i = phase.first + block * block_size;
        adam_block(c, scale, gradient.data() + i, values.data() + i, state.first.data() + i,
                   state.second.data() + i, state.average.data() + i,
                   std::min(block_size, phase.count - block * block_size));
    }
}

}  // namespace popflow::nn

// SPDX-License-Identifier: MIT
// Training steps of the set transformer on clouds of equal size: packing, forward and backward pass, and
// Adam.
#include <ctime>
#include <vector>

#include "core/random.hpp"
#include "linalg/packed_gemm.hpp"
#include "nn/adam.hpp"
#include "nn/set_transformer.hpp"
#include "step/measure.hpp"

namespace popflow::bench {

namespace {

using linalg::bfloat16;

struct SetCase {
    std::size_t clouds, points, width, blocks, markers;
    static constexpr std::size_t heads = 4;
    static constexpr std::size_t cloud_inputs = 32;  // features of time
};

constexpr SetCase set_small{.clouds = 16, .points = 256, .width = 128, .blocks = 4, .markers = 2};
constexpr SetCase set_large{.clouds = 8, .points = 2048, .width = 512, .blocks = 6, .markers = 3};

// Returns the floating-point operations of the matrix products of a step. A linear layer has three products:
// forward, and the gradients of its weight and its input. An attention has two forward and five backward,
// because the backward pass computes the scores again.
double set_flops(const SetCase& c) {
    const std::size_t linear = 6 * c.width * c.width;
    const std::size_t attention = c.points * c.width;
    const std::size_t ends = c.width * (2 * c.markers + 3 * c.markers);  // first and last layer
    return 2.0 * static_cast<double>(c.clouds * c.points * (c.blocks * (3 * linear + 7 * attention) + ends));
}

// Compares the CPU time of steps with that of multiply-adds in registers. Both are measured in turn, because
// the speed of a shared machine varies.
class PeakShare {
  public:
    explicit PeakShare(Precision precision) : precision_(precision) {}

    // Runs a step of `flops` between two measurements of the peak.
    template <class Step>
    void measure(benchmark::State& state, double flops, const Step& step) {
        state.PauseTiming();
        add_peak_sample();
        const std::clock_t start = std::clock();
        state.ResumeTiming();
        step();
        state.PauseTiming();
        seconds_ += static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        flops_ += flops;
        add_peak_sample();
        state.ResumeTiming();
    }
    void report(benchmark::State& state) const {
        if (peaks_ > 0) state.counters["share of peak"] = flops_ / seconds_ * samples_ / peaks_;
    }

  private:
    void add_peak_sample() {
        peaks_ += measure_peak(precision_);
        ++samples_;
    }
    Precision precision_;
    double peaks_ = 0, samples_ = 0, flops_ = 0, seconds_ = 0;
};

template <class T>
void train(benchmark::State& state, const SetCase& c, Precision precision) {
    nn::ParameterLayout layout;
    const nn::SetTransformer net(layout, "net",
                                 {.point_inputs = c.markers,
                                  .cloud_inputs = SetCase::cloud_inputs,
                                  .width = c.width,
                                  .blocks = c.blocks,
                                  .heads = SetCase::heads,
                                  .outputs = c.markers});
    linalg::AlignedVector<float> values(layout.size());
    net.initialise(values, 1);
    linalg::AlignedVector<float> gradients(layout.size());
    nn::AdamState adam = nn::AdamState::start(values);
    const std::size_t n = c.clouds * c.points;
    const Matrix<float> x = normal_matrix(n, c.markers, 2);
    const Matrix<float> shared = normal_matrix(c.clouds, SetCase::cloud_inputs, 3);
    const Matrix<float> target = normal_matrix(n, c.markers, 4);
    std::vector<std::size_t> bounds;
    for (std::size_t i = 0; i <= c.clouds; ++i) bounds.push_back(i * c.points);
    Matrix<float> y(n, c.markers);
    nn::SetTransformer::Packed<T> packed;
    nn::SetTransformer::Cache<T> cache;
    const auto step = [&] {
        net.pack<T>(values, packed);
        net.forward<T>(values, packed, x.view(), bounds, shared.view(), true, cache, y.view());
        const float scale = 2.0F / static_cast<float>(n);
        for (std::size_t i = 0; i < y.size(); ++i)
            y.values()[i] = scale * (y.values()[i] - target.values()[i]);
        std::ranges::fill(gradients, 0.0F);
        net.backward<T>(values, packed, std::as_const(y).view(), cache, gradients);
        nn::adam_step({}, 1e-4, 1, gradients, values, adam);
    };
    step();
    PeakShare share(precision);
    for (auto _ : state) share.measure(state, set_flops(c), step);
    share.report(state);
    count_gflops(state, set_flops(c));
}

}  // namespace

void add_set_transformer() {
    for (const Precision precision : precisions()) {
        const auto add_case = [precision](const std::string& name, const SetCase& c, int iterations) {
            const auto run = [c, precision](benchmark::State& state) {
                precision == Precision::bf16 ? train<bfloat16>(state, c, precision)
                                             : train<float>(state, c, precision);
            };
            return add("step/" + name + "/" + linalg::precision_name(precision), run)->Iterations(iterations);
        };
        add_case("set_small", set_small, 5);
        add_case("set_large", set_large, 1)->Repetitions(1);  // a step takes half a minute
    }
}

}  // namespace popflow::bench

// SPDX-License-Identifier: MIT
// step_bench [ROUNDS [CASE...]]: times of training steps and of what they are made of, one JSON object a
// line. The cases take turns, round after round, so that a busy machine is as unkind to one as to the other.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <string>

#include "core/random.hpp"
#include "linalg/neighbours.hpp"
#include "linalg/packed_gemm.hpp"
#include "linalg/precision.hpp"
#include "linalg/selu.hpp"
#include "models/flow_matching.hpp"
#include "train/trainer.hpp"

namespace {

using namespace popflow;
using linalg::bfloat16;
using linalg::Matrix;
using linalg::Precision;

Matrix<float> normal_matrix(std::size_t rows, std::size_t cols, std::uint64_t a) {
    Matrix<float> m(rows, cols);
    core::Stream(1, core::Purpose::test, a).fill_normal(m.values());
    return m;
}

struct Time {
    double seconds;      // on the clock
    double cpu_seconds;  // of all threads: what is left on a machine that others use
};

Time time_of(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu = std::clock();
    work();
    return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
            static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC};
}

double median_of(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

struct Case {
    std::string name;
    Precision precision;
    std::function<void()> work;
    double flops = 0;  // of the matrix products; 0: not told
    std::vector<double> seconds{};
    std::vector<double> cpu_seconds{};
};

void print(const Case& c) {
    const double median = median_of(c.seconds);
    const double cpu = median_of(c.cpu_seconds);
    std::printf(
        R"({"name": "%s", "precision": "%s", "threads": %d, "median_ms": %.4f, "min_ms": %.4f, "cpu_ms": %.4f)",
        c.name.c_str(), linalg::precision_name(c.precision), omp_get_max_threads(), 1e3 * median,
        1e3 * std::ranges::min(c.seconds), 1e3 * cpu);
    if (c.flops > 0) std::printf(R"(, "gflops_per_cpu_second": %.1f)", c.flops / cpu / 1e9);
    std::printf("}\n");
}

template <class T>
Matrix<T> rounded(Matrix<float> x) {
    if constexpr (std::is_same_v<T, float>) {
        return x;
    } else {
        Matrix<T> out(x.rows(), x.cols());
        linalg::round_rows(x.view(), out.view());
        return out;
    }
}

// Products as a step makes them: blocks of 128 rows through a layer, and rows of the gradient of its weight;
// each as often as makes a block of 1024 cells, by one thread.
template <class T>
void add_products(std::vector<Case>& cases, Precision precision, std::size_t in, std::size_t out) {
    struct Operands {
        Matrix<T> x, dz;
        linalg::PackedMatrix<T> w;
        Matrix<float> y, dw;
    };
    auto o = std::make_shared<Operands>();
    o->x = rounded<T>(normal_matrix(1024, in, 1));
    o->dz = rounded<T>(normal_matrix(1024, out, 2));
    o->w.pack(true, normal_matrix(out, in, 3).view());
    o->y = Matrix<float>(1024, out);
    o->dw = Matrix<float>(out, in);
    const double flops = 2.0 * 1024 * static_cast<double>(in * out);
    const std::string shape = std::to_string(in) + "x" + std::to_string(out);
    cases.push_back({"product_" + shape, precision,
                     [o] {
                         const Matrix<T>& x = o->x;
                         for (std::size_t i = 0; i < 1024; i += 128) {
                             linalg::multiply(x.view().row_block(i, 128), o->w, false,
                                              o->y.view().row_block(i, 128));
                         }
                     },
                     flops});
    cases.push_back({"gradient_" + shape, precision,
                     [o] {
                         const Matrix<T>& x = o->x;
                         const Matrix<T>& dz = o->dz;
                         for (std::size_t i = 0; i < dz.cols(); i += 128) {
                             const std::size_t count = std::min<std::size_t>(128, dz.cols() - i);
                             linalg::add_transposed_product(dz.view().col_block(i, count), x.view(),
                                                            o->dw.view().row_block(i, count));
                         }
                     },
                     flops});
}

models::FlowMatchingShape organoid_shape(Precision precision) {
    models::FlowMatchingShape shape{.markers = 43, .cell_types = 2, .conditions = 11};
    shape.precision = precision;
    return shape;
}

double flops_of(const models::FlowMatchingShape& shape, std::size_t cells, std::size_t slots) {
    const double h = static_cast<double>(shape.hidden);
    const double layers = static_cast<double>(shape.layers - 1);
    const double first = static_cast<double>(shape.row_inputs()) * h;
    const double rest = layers * h * h + h * static_cast<double>(shape.markers);
    return 2.0 * static_cast<double>(cells * slots) * (2 * first + 3 * rest);
}

// A whole training step: draws, loss, gradient, exact sum, Adam and the mean of the weights.
struct Training {
    Training(const models::FlowMatchingShape& shape, std::size_t population, std::size_t cells,
             std::size_t slots, const dist::Communicator& comm)
        : model(shape, models::draw_frequencies(shape, 1)) {
        control.x = normal_matrix(population, shape.markers, 1);
        treated.x = normal_matrix(population, shape.markers, 2);
        control.cell_type.resize(population);
        std::vector<train::Lane> lanes;
        std::vector<float> condition(shape.conditions, 0.0F);
        for (std::size_t b = 0; b < slots; ++b) lanes.push_back({b, {{0, control.view(), treated.view(), condition}}});
        const train::TrainOptions options{.batch_pairs = slots, .cells = cells};
        trainer = std::make_unique<train::Trainer>(model, options, std::move(lanes), comm);
    }
    data::Cells control, treated;
    models::FlowMatching model;
    std::unique_ptr<train::Trainer> trainer;
};

void add_training(std::vector<Case>& cases, const std::string& name, const models::FlowMatchingShape& shape,
                  std::size_t population, std::size_t cells, std::size_t slots,
                  const dist::Communicator& comm) {
    auto training = std::make_shared<Training>(shape, population, cells, slots, comm);
    cases.push_back({name, shape.precision, [training] { (void)training->trainer->step({}); },
                     flops_of(shape, cells, slots)});
}

// Cases are made only if they are wanted: a name that one of the arguments begins, or is.
class Wanted {
  public:
    Wanted(int argc, char** argv) : names_(argv + std::min(argc, 2), argv + argc) {}
    bool operator()(const std::string& name) const {
        return names_.empty() || std::ranges::any_of(names_, [&](const std::string& w) {
                   return name.rfind(w, 0) == 0 || w.rfind(name, 0) == 0;
               });
    }
    bool exactly(const std::string& name) const {
        return names_.empty() ||
               std::ranges::any_of(names_, [&](const std::string& w) { return name.rfind(w, 0) == 0; });
    }

  private:
    std::vector<std::string> names_;
};

void add_steps(std::vector<Case>& cases, Precision precision, const Wanted& wanted,
               const dist::Communicator& comm) {
    models::FlowMatchingShape flow = organoid_shape(precision);
    // The decoder with 128 inputs that all cells share, and no encoder.
    flow.context = models::Context::pair_index;
    flow.training_pairs = 128;
    if (wanted("flow")) add_training(cases, "flow", flow, 2048, 1024, 1, comm);
    for (const std::size_t k : {0U, 10U, 100U}) {
        models::FlowMatchingShape joint = organoid_shape(precision);
        joint.encoder.knn = k;
        const std::string name = "joint_k" + std::to_string(k);
        if (wanted(name)) add_training(cases, name, joint, 2048, 1024, 1, comm);
    }
    models::FlowMatchingShape letters{.markers = 2, .conditions = 1, .layers = 4};
    letters.encoder = {.hidden = 64, .layers = 3, .embedding = 64, .knn = 0};
    letters.precision = precision;
    if (wanted("letters")) add_training(cases, "letters", letters, 700, 700, 10, comm);
}

// 100 velocities of 5000 cells, in blocks of cells spread over the threads as prediction does.
void add_prediction(std::vector<Case>& cases, Precision precision) {
    struct Prediction {
        models::FlowMatching model;
        linalg::AlignedVector<float> values = model.initial_values(1);
        models::FlowMatching::Weights<float> weights{};
        std::vector<models::FlowMatching::Workspace<float>> workspace =
            std::vector<models::FlowMatching::Workspace<float>>(
                static_cast<std::size_t>(omp_get_max_threads()));
        Matrix<float> x = normal_matrix(5000, 43, 3);
        Matrix<float> v{5000, 43};
        std::vector<float> t = std::vector<float>(5000, 0.5F);
        std::vector<float> context = std::vector<float>(128, 0.1F);
        std::vector<float> condition = std::vector<float>(11, 0.0F);
    };
    const models::FlowMatchingShape shape = organoid_shape(precision);
    auto p = std::make_shared<Prediction>(Prediction{.model = {shape, models::draw_frequencies(shape, 1)}});
    const double flops = 100 * flops_of(shape, 5000, 1) / 3;
    cases.push_back({"predict_5000x100", precision,
                     [p, precision] {
                         p->model.pack(std::span<const float>(p->values), precision, p->weights);
#pragma omp parallel for schedule(dynamic)
                         for (std::size_t first = 0; first < 5000; first += 512) {
                             const std::size_t n = std::min<std::size_t>(512, 5000 - first);
                             auto& workspace = p->workspace[static_cast<std::size_t>(omp_get_thread_num())];
                             for (int i = 0; i < 100; ++i) {
                                 p->model.velocity<float>(p->weights, precision, p->context, p->condition,
                                                          std::span<const float>(p->t).subspan(first, n),
                                                          std::as_const(p->x).view().row_block(first, n),
                                                          workspace, p->v.view().row_block(first, n));
                             }
                         }
                     },
                     flops});
}

void add_neighbours(std::vector<Case>& cases) {
    auto x = std::make_shared<Matrix<float>>(normal_matrix(1024, 43, 4));
    for (const std::size_t k : {10U, 100U}) {
        cases.push_back({"neighbours_k" + std::to_string(k), Precision::fp32,
                         [x, k] { (void)linalg::nearest_neighbours(x->view(), k); }});
    }
}

}  // namespace

int main(int argc, char** argv) {
    const dist::Session session(argc, argv);
    const auto comm = dist::Communicator::world();
    const long rounds = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 15;
    const Wanted wanted(argc, argv);
    std::vector<Case> cases;
    for (const Precision precision : {Precision::fp32, Precision::bf16}) {
        if (precision == Precision::bf16 && !linalg::cpu_has_bf16()) continue;
        for (const auto& [in, out] : {std::pair{427, 512}, {512, 512}, {512, 43}}) {
            if (!wanted("product") && !wanted("gradient")) break;
            const auto i = static_cast<std::size_t>(in);
            const auto o = static_cast<std::size_t>(out);
            if (precision == Precision::fp32) add_products<float>(cases, precision, i, o);
            if (precision == Precision::bf16) add_products<bfloat16>(cases, precision, i, o);
        }
        add_steps(cases, precision, wanted, comm);
        if (wanted("predict")) add_prediction(cases, precision);
    }
    if (wanted("neighbours")) add_neighbours(cases);
    std::erase_if(cases, [&](const Case& c) { return !wanted.exactly(c.name); });
    const auto slow = [](const Case& c) { return c.name.rfind("predict", 0) == 0; };
    for (Case& c : cases) {
        for (int warm = 0; warm < (slow(c) ? 1 : 3); ++warm) c.work();
    }
    for (long round = 0; round < std::max(1L, rounds); ++round) {
        for (Case& c : cases) {
            if (slow(c) && round % 5 != 0) continue;  // long enough to be steady
            const Time time = time_of(c.work);
            c.seconds.push_back(time.seconds);
            c.cpu_seconds.push_back(time.cpu_seconds);
        }
    }
    for (const Case& c : cases) print(c);
}

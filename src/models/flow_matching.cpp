// SPDX-License-Identifier: MIT
#include "models/flow_matching.hpp"

#include <exception>

#include "core/random.hpp"
#include "nn/features.hpp"
#include "ode/integrate.hpp"

namespace popflow::models {

using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;
using linalg::Precision;

namespace {

struct FlowScratch : GradientTraining::Scratch {
    FlowMatching::Workspace<float> workspace;
    const FlowMatching::Weights<float>* weights = nullptr;  // packed, in the scratch of the first thread
};

// Returns the mean over cells of || x1 - x0 ||^2.
double mean_square_displacement(const TrainingSlot<float>& slot) {
    double sum = 0;
    for (std::size_t i = 0; i < slot.x0.rows; ++i) {
        for (std::size_t j = 0; j < slot.x0.cols; ++j) {
            const double u = static_cast<double>(slot.x1(i, j) - slot.x0(i, j));
            sum += u * u;
        }
    }
    return sum / static_cast<double>(slot.x0.rows);
}

}  // namespace

std::size_t FlowMatchingShape::context_size() const {
    switch (context) {
        case Context::none:
            return 0;
        case Context::pair_index:
            return training_pairs;
        case Context::population:
            return fixed_encoder ? fixed_encoder->size() : encoder.embedding;
    }
    return 0;
}

Matrix<float> draw_frequencies(const FlowMatchingShape& shape, std::uint64_t seed) {
    const std::size_t n_space = shape.space_frequencies;
    const std::size_t n_encoder = shape.encoder.frequencies;
    Matrix<float> b(shape.markers, n_space + n_encoder);
    const core::Stream space(seed, core::Purpose::features);
    const core::Stream encoder(seed, core::Purpose::encoder_features);
    nn::draw_frequencies(space, shape.space_scale, b.view().col_block(0, n_space));
    nn::draw_frequencies(encoder, shape.encoder.frequency_scale, b.view().col_block(n_space, n_encoder));
    return b;
}

FlowMatching::FlowMatching(const FlowMatchingShape& shape, linalg::Matrix<float> frequencies)
    : shape_(shape), frequencies_(std::move(frequencies)) {
    core::check_shape("flow_matching.frequencies", frequencies_.rows(), frequencies_.cols(), shape.markers,
                      shape.space_frequencies + shape.encoder.frequencies);
    shape_.encoder.inputs = shape.markers + 2 * shape.encoder.frequencies + shape.cell_types;
    if (shape.has_learned_encoder()) encoder_ = PopulationEncoder(layout_, "encoder", shape_.encoder);
    encoder_size_ = layout_.size();
    mlp_ = nn::SkipMlp(layout_, "velocity",
                       {.shared_before = shape.context_size(),
                        .row_inputs = shape.row_inputs(),
                        .shared_after = shape.conditions,
                        .hidden = shape.hidden,
                        .layers = shape.layers,
                        .outputs = shape.markers});
    if (modulated()) modulation_ = nn::Modulation(layout_, "modulation", mlp_);
}

linalg::AlignedVector<float> FlowMatching::initial_values(std::uint64_t seed) const {
    linalg::AlignedVector<float> values(layout_.size());
    if (shape_.has_learned_encoder()) encoder_.initialise(values, seed);
    mlp_.initialise(values, seed);
    if (modulated()) modulation_.initialise(values, seed);
    return values;
}

void FlowMatching::start_at_identity(std::span<float> values) const {
    mlp_.zero_output(values);
}

template <class Real>
void FlowMatching::set_frequencies(Workspace<Real>& workspace) const {
    if (!workspace.time_frequencies.empty()) return;
    workspace.time_frequencies.resize(shape_.time_frequencies);
    nn::time_frequencies(shape_.time_highest, shape_.time_max_period,
                         std::span<Real>(workspace.time_frequencies));
    workspace.frequencies = Matrix<Real>(frequencies_.rows(), frequencies_.cols());
    std::ranges::copy(frequencies_.values(), workspace.frequencies.values().begin());
}

template <class Real>
void FlowMatching::fill_features(std::span<const Real> t, ConstMatrixView<Real> x,
                                 Workspace<Real>& workspace) const {
    set_frequencies(workspace);
    const std::size_t n_time = 2 * shape_.time_frequencies;
    const std::size_t n_space = 2 * shape_.space_frequencies;
    workspace.features.reshape(x.rows, shape_.row_inputs());
    const MatrixView<Real> out = workspace.features.view();
    nn::time_features(t, std::span<const Real>(workspace.time_frequencies), out.col_block(0, n_time));
    if (n_space > 0) {
        nn::space_features(x, ConstMatrixView<Real>(workspace.frequencies).col_block(0, n_space / 2),
                           out.col_block(n_time, n_space));
    }
    const MatrixView<Real> cells = out.col_block(n_time + n_space, shape_.markers);
    for (std::size_t i = 0; i < x.rows; ++i) std::copy_n(x.row(i), x.cols, cells.row(i));
}

template <class Real>
void FlowMatching::encode(std::span<const Real> values, ConstMatrixView<Real> control,
                          std::span<const std::uint8_t> control_type, Workspace<Real>& workspace) const {
    const std::size_t d = shape_.markers;
    const std::size_t n_space = 2 * shape_.encoder.frequencies;
    workspace.encoder_input.reshape(control.rows, shape_.encoder.inputs);
    const MatrixView<Real> input = workspace.encoder_input.view();
    if (n_space > 0) {
        set_frequencies(workspace);
        nn::space_features(
            control,
            ConstMatrixView<Real>(workspace.frequencies).col_block(shape_.space_frequencies, n_space / 2),
            input.col_block(d, n_space));
    }
    for (std::size_t i = 0; i < control.rows; ++i) {
        std::copy_n(control.row(i), d, input.row(i));
        Real* one_hot = input.row(i) + d + n_space;
        std::fill_n(one_hot, shape_.cell_types, Real{0});
        if (shape_.cell_types > 0 && control_type[i] < shape_.cell_types) one_hot[control_type[i]] = Real{1};
    }
    encoder_.forward(values, ConstMatrixView<Real>(workspace.encoder_input), d, workspace.encoder,
                     std::span<Real>(workspace.context));
}

template <class Real>
void FlowMatching::pack(std::span<const Real> values, Precision precision, Weights<Real>& weights) const {
    weights.values = values;
    if constexpr (std::is_same_v<Real, float>) {
        if (precision == Precision::bf16) return mlp_.pack(values, weights.mlp_bf16);
    }
    mlp_.pack(values, weights.mlp);
}

template <class Real>
void FlowMatching::pack_for(std::span<const Real> context, std::span<const Real> values, Precision precision,
                            nn::Modulation::Cache<Real>& cache, Weights<Real>& weights) const {
    if (!modulated()) return pack(values, precision, weights);
    modulation_.apply(values, context, cache);
    pack(std::span<const Real>(cache.values), precision, weights);
}

// Evaluates the velocity network on workspace.features.
template <class Real>
void FlowMatching::forward(const Weights<Real>& weights, Precision precision, std::span<const Real> context,
                           std::span<const Real> condition, bool keep, Workspace<Real>& workspace,
                           MatrixView<Real> v) const {
    const ConstMatrixView<Real> features(workspace.features);
    if constexpr (std::is_same_v<Real, float>) {
        if (precision == Precision::bf16) {
            return mlp_.forward(weights.values, weights.mlp_bf16, context, features, condition, keep,
                                workspace.mlp_bf16, v);
        }
    }
    mlp_.forward(weights.values, weights.mlp, context, features, condition, keep, workspace.mlp, v);
}

template <class Real>
void FlowMatching::backward(const Weights<Real>& weights, std::span<const Real> context,
                            std::span<const Real> condition, ConstMatrixView<Real> dv,
                            Workspace<Real>& workspace, std::span<Real> gradients) const {
    const std::span<Real> dcontext(workspace.dcontext);
    // With modulation these are gradients of the modulated weights, not of the parameters.
    const nn::GradientSink* gradient_sink = modulated() ? nullptr : workspace.gradient_sink;
    if constexpr (std::is_same_v<Real, float>) {
        if (shape_.precision == Precision::bf16) {
            return mlp_.backward(weights.values, weights.mlp_bf16, context, condition, dv, workspace.mlp_bf16,
                                 gradients, dcontext, gradient_sink);
        }
    }
    mlp_.backward(weights.values, weights.mlp, context, condition, dv, workspace.mlp, gradients, dcontext,
                  gradient_sink);
}

template <class Real>
Real FlowMatching::loss_and_gradient(std::span<const Real> values, const TrainingSlot<Real>& slot,
                                     Workspace<Real>& workspace, std::span<Real> gradients) const {
    workspace.weights.values = values;
    if (!modulated()) pack(values, shape_.precision, workspace.weights);
    return loss_and_gradient(workspace.weights, slot, workspace, gradients);
}

template <class Real>
Real FlowMatching::loss_and_gradient(const Weights<Real>& weights, const TrainingSlot<Real>& slot,
                                     Workspace<Real>& workspace, std::span<Real> gradients) const {
    const std::span<const Real> values = weights.values;
    const std::size_t n = slot.x0.rows;
    const std::size_t d = shape_.markers;
    core::check_shape("flow_matching.x1", slot.x1.rows, slot.x1.cols, n, d);
    workspace.context.assign(shape_.context_size(), Real{0});
    const bool encoded = shape_.has_learned_encoder() && slot.embedding.empty();
    if (encoded) encode(values, slot.control, slot.control_type, workspace);
    if (!slot.embedding.empty() || shape_.fixed_encoder) {
        core::check_shape("flow_matching.embedding", 1, slot.embedding.size(), 1, shape_.context_size());
        std::ranges::copy(slot.embedding, workspace.context.begin());
    }
    if (shape_.context == Context::pair_index) workspace.context[slot.pair] = Real{1};

    // x_t = (1 - t) x0 + t x1
    Matrix<Real>& velocity = workspace.velocity;
    velocity.reshape(n, d);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < d; ++j) {
            velocity(i, j) = (1 - slot.t[i]) * slot.x0(i, j) + slot.t[i] * slot.x1(i, j);
        }
    }
    fill_features(slot.t, ConstMatrixView<Real>(velocity), workspace);
    const std::span<const Real> context(workspace.context);
    if (modulated()) pack_for(context, values, shape_.precision, workspace.modulation, workspace.modulated);
    const Weights<Real>& used = modulated() ? workspace.modulated : weights;
    forward(used, shape_.precision, context, slot.condition, true, workspace, velocity.view());

    // loss = 1/n sum_i || v_i - (x1_i - x0_i) ||^2, so dv = 2/n (v - (x1 - x0))
    double loss = 0;
    const Real scale = Real{2} / static_cast<Real>(n);
    for (std::size_t i = 0; i < n; ++i) {
        Real cell = 0;
        for (std::size_t j = 0; j < d; ++j) {
            const Real error = velocity(i, j) - (slot.x1(i, j) - slot.x0(i, j));
            cell += error * error;
            velocity(i, j) = scale * error;
        }
        loss += static_cast<double>(cell);
    }
    workspace.dcontext.resize(encoded || modulated() ? workspace.context.size() : 0);
    backward(used, context, slot.condition, ConstMatrixView<Real>(velocity), workspace,
             modulated() ? std::span<Real>(workspace.modulation.gradients) : gradients);
    if (modulated()) {
        modulation_.backward(values, context, workspace.modulation, gradients,
                             std::span<Real>(workspace.dcontext));
        if (workspace.gradient_sink != nullptr) (*workspace.gradient_sink)(encoder_size_);
    }
    if (encoded) {
        encoder_.backward(values, ConstMatrixView<Real>(workspace.encoder_input), context,
                          std::span<const Real>(workspace.dcontext), workspace.encoder, gradients);
    }
    return static_cast<Real>(loss / static_cast<double>(n));
}

std::unique_ptr<GradientTraining::Scratch> FlowMatching::make_scratch() const {
    return std::make_unique<FlowScratch>();
}

void FlowMatching::begin_step(std::span<const float> values,
                              std::span<const std::unique_ptr<Scratch>> scratch) const {
    if (scratch.empty()) return;
    Weights<float>& weights = static_cast<FlowScratch&>(*scratch.front()).workspace.weights;
    weights.values = values;
    if (!modulated()) pack(values, shape_.precision, weights);
    for (const auto& s : scratch) static_cast<FlowScratch&>(*s).weights = &weights;
}

nn::UpdatePhase FlowMatching::phase(std::uint64_t step) const {
    if (memory_size() == 0) return {0, 0, layout_.size(), step};
    if (step % 2 == 1) return {1, 0, encoder_size_, step / 2};
    return {0, encoder_size_, layout_.size() - encoder_size_, step / 2};
}

std::size_t FlowMatching::memory_size() const {
    const bool stores_embedding = shape_.has_learned_encoder() && shape_.updates == Updates::alternate;
    return stores_embedding ? shape_.encoder.embedding : 0;
}

double FlowMatching::slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                                   std::span<float> gradients) const {
    auto& own = static_cast<FlowScratch&>(scratch);
    auto& workspace = own.workspace;
    workspace.gradient_sink = request.gradient_sink;
    TrainingSlot<float> slot = static_cast<const PairInput&>(input).slot;
    // Zero is the sentinel for a pair without a stored embedding, since the norm of an embedding is positive.
    const bool is_stored = std::ranges::any_of(request.memory, [](float h) { return h != 0; });
    if (request.phase.part == 0 && is_stored) slot.embedding = request.memory;
    const double loss{own.weights == nullptr ? loss_and_gradient(request.values, slot, workspace, gradients)
                                             : loss_and_gradient(*own.weights, slot, workspace, gradients)};
    if (slot.embedding.empty() && !request.memory.empty()) {
        std::ranges::copy(workspace.context, request.memory.begin());
    }
    return shape_.loss == Loss::full ? loss : loss - mean_square_displacement(slot);
}

std::vector<float> FlowMatching::context(std::span<const float> values, ConstMatrixView<float> control,
                                         std::span<const std::uint8_t> control_type) const {
    Workspace<float> workspace;
    return context(values, control, control_type, workspace);
}

std::vector<float> FlowMatching::context(std::span<const float> values, ConstMatrixView<float> control,
                                         std::span<const std::uint8_t> control_type,
                                         Workspace<float>& workspace) const {
    workspace.context.assign(shape_.context_size(), 0.0F);
    if (shape_.fixed_encoder)
        return fixed_context(population_statistics(control, control_type, shape_.cell_types));
    if (shape_.has_learned_encoder()) encode(values, control, control_type, workspace);
    if (shape_.context == Context::pair_index) {
        std::ranges::fill(workspace.context, 1.0F / static_cast<float>(shape_.training_pairs));
    }
    return workspace.context;
}

std::vector<float> FlowMatching::fixed_context(const PopulationStatistics& population) const {
    std::vector<double> context(context_size());
    shape_.fixed_encoder->encode(population, context);
    return {context.begin(), context.end()};
}

void FlowMatching::condition_on_training_pair(std::size_t pair, std::span<float> context) const {
    if (shape_.context != Context::pair_index) return;
    core::check_shape("flow_matching.context", 1, context.size(), 1, shape_.training_pairs);
    if (pair >= context.size()) {
        throw core::Error("flow_matching.pair: found " + std::to_string(pair) + ", which is not below " +
                          std::to_string(context.size()));
    }
    std::ranges::fill(context, 0.0F);
    context[pair] = 1.0F;
}

template <class Real>
void FlowMatching::velocity(const Weights<Real>& weights, Precision precision, std::span<const Real> context,
                            std::span<const Real> condition, std::span<const Real> t, ConstMatrixView<Real> x,
                            Workspace<Real>& workspace, MatrixView<Real> v) const {
    core::check_shape("flow_matching.x", x.rows, x.cols, t.size(), shape_.markers);
    fill_features(t, x, workspace);
    forward(weights, precision, context, condition, false, workspace, v);
}

template <class Real>
void FlowMatching::velocity(std::span<const Real> values, std::span<const Real> context,
                            std::span<const Real> condition, std::span<const Real> t, ConstMatrixView<Real> x,
                            Workspace<Real>& workspace, MatrixView<Real> v) const {
    pack_for(context, values, Precision::fp32, workspace.modulation, workspace.weights);
    velocity(workspace.weights, Precision::fp32, context, condition, t, x, workspace, v);
}

ode::Statistics FlowMatching::transport(std::span<const float> values, std::span<const float> context,
                                        std::span<const float> condition, const ode::Options& options,
                                        MatrixView<float> x) const {
    return trajectory(values, context, condition, options, x, {});
}

ode::Statistics FlowMatching::trajectory(std::span<const float> values, std::span<const float> context,
                                         std::span<const float> condition, const ode::Options& options,
                                         MatrixView<float> x, const ode::Snapshots<float>& snapshots) const {
    constexpr std::size_t block_rows = 512;
    const std::size_t blocks = (x.rows + block_rows - 1) / block_rows;
    std::vector<ode::Statistics> statistics(blocks);
    std::vector<std::exception_ptr> failure(blocks);
    Weights<float> weights;
    nn::Modulation::Cache<float> modulation;
    pack_for(context, values, Precision::fp32, modulation, weights);
#pragma omp parallel
    {
        Workspace<float> workspace;
        const auto field = [&](std::span<const float> t, ConstMatrixView<float> at, MatrixView<float> v) {
            velocity(weights, Precision::fp32, context, condition, t, at, workspace, v);
        };
#pragma omp for schedule(dynamic)
        for (std::size_t block = 0; block < blocks; ++block) {
            try {
                const std::size_t first = block * block_rows;
                const std::size_t count = std::min(block_rows, x.rows - first);
                statistics[block] = ode::integrate<float>(field, options, x.row_block(first, count),
                                                          snapshots.row_block(first, count));
            } catch (...) {
                failure[block] = std::current_exception();
            }
        }
    }
    for (const auto& f : failure) {
        if (f) std::rethrow_exception(f);
    }
    ode::Statistics total;
    for (const ode::Statistics& s : statistics) total += s;
    return total;
}

#define POPFLOW_INSTANTIATE(Real)                                                                          \
    template void FlowMatching::pack(std::span<const Real>, Precision, Weights<Real>&) const;              \
    template Real FlowMatching::loss_and_gradient(const Weights<Real>&, const TrainingSlot<Real>&,         \
                                                  Workspace<Real>&, std::span<Real>) const;                \
    template Real FlowMatching::loss_and_gradient(std::span<const Real>, const TrainingSlot<Real>&,        \
                                                  Workspace<Real>&, std::span<Real>) const;                \
    template void FlowMatching::velocity(const Weights<Real>&, Precision, std::span<const Real>,           \
                                         std::span<const Real>, std::span<const Real>,                     \
                                         ConstMatrixView<Real>, Workspace<Real>&, MatrixView<Real>) const; \
    template void FlowMatching::velocity(std::span<const Real>, std::span<const Real>,                     \
                                         std::span<const Real>, std::span<const Real>,                     \
                                         ConstMatrixView<Real>, Workspace<Real>&, MatrixView<Real>) const;
POPFLOW_INSTANTIATE(float)
POPFLOW_INSTANTIATE(double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::models

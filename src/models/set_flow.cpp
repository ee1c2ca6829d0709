// SPDX-License-Identifier: MIT
#include "models/set_flow.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "models/flow_time.hpp"
#include "models/packed_scratch.hpp"
#include "models/population_flow_settings.hpp"
#include "nn/features.hpp"
#include "ode/integrate.hpp"

namespace popflow::models {

using linalg::accumulator_t;
using linalg::bfloat16;
using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

nn::SetTransformerShape network_shape(const SetFlowShape& shape) {
    return {.point_inputs = shape.markers + 2 * shape.frequencies,
            .cloud_inputs = flow_time_size + shape.conditions,
            .use = shape.condition,
            .width = shape.width,
            .blocks = shape.blocks,
            .heads = shape.heads,
            .outputs = shape.markers};
}

class SetFlowFamily : public Family {
  public:
    std::string name() const override { return "wfm"; }
    std::string summary() const override {
        return "Wasserstein flow matching on populations as clouds of cells, with a transformer";
    }
    std::unique_ptr<Settings> make_settings() const override {
        return std::make_unique<PopulationFlowSettings>();
    }
    std::string settings_name() const override { return population_flow_options; }
    OptionValues defaults(Recipe recipe, const Settings& settings) const override {
        OptionValues values{{"coupling", "ot"}};
        if (recipe == Recipe::paper) {
            values.insert(values.end(), {{"batch-pairs", "1"},
                                         {"populations-per-slot", "16"},
                                         {"steps", "32000"},
                                         {"rate", "2e-4"},
                                         {"warmup-steps", "0"},
                                         {"clip-norm", "0"},
                                         {"attention-width", "512"},
                                         {"attention-blocks", "6"}});
            return values;
        }
        values.emplace_back("rate", "1e-3");
        values.emplace_back("schedule", "cosine");
        if (items(settings) == ItemKind::pairs) return values;
        values.insert(
            values.end(),
            {{"batch-pairs", "2"}, {"populations-per-slot", "8"}, {"steps", "4000"}, {"cells", "256"}});
        return values;
    }
    OptionValues small_screen_defaults(const Settings& settings) const override {
        if (items(settings) != ItemKind::pairs) return {};
        return {{"steps", "600"}, {"cells", "256"}};
    }
    /// A flow from unpaired controls may start at the mean shift of the families, and be shrunk to its start.
    OptionValues fixed(const Settings& settings) const override {
        if (items(settings) == ItemKind::pairs) return {};
        if (population_draws(settings).source != PopulationSource::control) return no_start_options;
        return {{"shrink-to", "start"}, {"guard", "none"}};
    }
    /// Known pairs are items. Otherwise items are populations.
    ItemKind items(const Settings& settings) const override {
        return population_draws(settings).is_unpaired() ? ItemKind::populations : ItemKind::pairs;
    }
    PopulationDraws population_draws(const Settings& settings) const override {
        return resolved_draws(settings, PopulationForm::clouds);
    }
    bool supports_bf16() const override { return true; }
    void check(const Settings& settings, const DataShape& data, std::size_t /*min_cells*/) const override {
        const PopulationDraws draws = population_draws(settings);
        check_draws(draws);
        if (draws.mirror > data.markers)
            throw core::ConfigError("cloud-mirror", "found " + std::to_string(draws.mirror) +
                                                        ", but there are " + std::to_string(data.markers) +
                                                        " markers");
        const auto& own = dynamic_cast<const PopulationFlowSettings&>(settings);
        if (own.width % own.heads != 0)
            throw core::ConfigError("attention-width", "found " + std::to_string(own.width) +
                                                           ", which is no multiple of --attention-heads " +
                                                           std::to_string(own.heads));
    }
    /// Draws the frequencies of the cells. The law of the noise is a placeholder until the populations are
    /// known.
    Constants draw_constants(const Settings& settings, const DataShape& data,
                             std::uint64_t seed) const override {
        const auto& own = dynamic_cast<const PopulationFlowSettings&>(settings);
        Constants constants;
        if (own.frequencies > 0) {
            Matrix<float> frequencies(data.markers, own.frequencies);
            nn::draw_frequencies(core::Stream(seed, core::Purpose::features), own.frequency_scale,
                                 frequencies.view());
            constants.matrices["frequencies"] = std::move(frequencies);
        }
        if (population_draws(settings).source == PopulationSource::noise)
            store_gaussian_noise(standard_noise(data.markers), constants);
        return constants;
    }
    std::unique_ptr<Model> make(const Settings& settings, const DataShape& data, const Constants& constants,
                                linalg::Precision precision) const override {
        const auto& own = dynamic_cast<const PopulationFlowSettings&>(settings);
        const PopulationDraws draws = population_draws(settings);
        return std::make_unique<SetFlow>(SetFlowShape{.source = draws.source,
                                                      .subset = draws.subset,
                                                      .markers = data.markers,
                                                      .conditions = data.conditions,
                                                      .width = own.width,
                                                      .blocks = own.blocks,
                                                      .heads = own.heads,
                                                      .condition = own.condition,
                                                      .frequencies = own.frequencies,
                                                      .part = own.part,
                                                      .precision = precision},
                                         constants);
    }
};

}  // namespace

SetFlow::SetFlow(const SetFlowShape& shape, const Constants& constants)
    : shape_(shape), network_(layout_, "velocity", network_shape(shape)) {
    if (shape.frequencies > 0)
        frequencies_ = stored_matrix(constants, "frequencies", shape.markers, shape.frequencies);
    if (shape.source == PopulationSource::noise) noise_ = stored_gaussian_noise(constants, shape.markers);
}

linalg::AlignedVector<float> SetFlow::initial_values(std::uint64_t seed) const {
    linalg::AlignedVector<float> values(layout_.size());
    network_.initialise(values, seed);
    return values;
}

std::unique_ptr<GradientTraining::Scratch> SetFlow::make_scratch() const {
    if (shape_.precision == linalg::Precision::bf16)
        return std::make_unique<PackedScratch<SetFlow, bfloat16>>();
    return std::make_unique<PackedScratch<SetFlow, float>>();
}

void SetFlow::begin_step(std::span<const float> values,
                         std::span<const std::unique_ptr<Scratch>> scratch) const {
    if (shape_.precision == linalg::Precision::bf16)
        share_packed_weights<bfloat16>(*this, values, scratch);
    else
        share_packed_weights<float>(*this, values, scratch);
}

nn::UpdatePhase SetFlow::phase(std::uint64_t step) const {
    return {0, 0, layout_.size(), step};
}

template <class T>
void SetFlow::pack(std::span<const accumulator_t<T>> values, Weights<T>& weights) const {
    weights.values = values;
    network_.pack(values, weights.packed);
}

template <class T>
void SetFlow::velocity(const Weights<T>& weights, const CloudStates<accumulator_t<T>>& states, bool keep,
                       Workspace<T>& w, MatrixView<accumulator_t<T>> out) const {
    using Real = accumulator_t<T>;
    const std::size_t d = shape_.markers;
    const std::size_t clouds = states.t.size();
    core::check_shape("set_flow.x", states.x.rows, states.x.cols, out.rows, d);
    core::check_shape("set_flow.condition", states.condition.rows, states.condition.cols, clouds,
                      shape_.conditions);
    w.points.reshape(states.x.rows, network_.shape().point_inputs);
    for (std::size_t i = 0; i < states.x.rows; ++i) std::copy_n(states.x.row(i), d, w.points.view().row(i));
    if (shape_.frequencies > 0) {
        if (w.frequencies.size() == 0) {
            w.frequencies.reshape(d, shape_.frequencies);
            std::ranges::copy(frequencies_.values(), w.frequencies.values().begin());
        }
        nn::space_features(states.x, ConstMatrixView<Real>(w.frequencies),
                           w.points.view().col_block(d, 2 * shape_.frequencies));
    }
    w.shared.reshape(clouds, network_.shape().cloud_inputs);
    for (std::size_t c = 0; c < clouds; ++c) {
        Real* shared = write_flow_time(states.t[c], w.shared.view().row(c));
        std::copy_n(states.condition.row(c), shape_.conditions, shared);
    }
    network_.forward(weights.values, weights.packed, ConstMatrixView<Real>(w.points), states.bounds,
                     ConstMatrixView<Real>(w.shared), keep, w.cache, out);
}

template <class T>
double SetFlow::loss_and_gradient(const Weights<T>& weights, const CoupledClouds<accumulator_t<T>>& clouds,
                                  Workspace<T>& w, std::span<accumulator_t<T>> gradients,
                                  const nn::GradientSink* gradient_sink) const {
    using Real = accumulator_t<T>;
    const std::size_t n = clouds.x0.rows;
    const std::size_t d = shape_.markers;
    const std::size_t count = clouds.t.size();
    core::check_shape("set_flow.x0", clouds.x0.rows, clouds.x0.cols, clouds.x1.rows, d);
    core::check_shape("set_flow.bounds", clouds.bounds.size(), clouds.bounds.back(), count + 1, n);
    w.x.reshape(n, d);
    w.velocity.reshape(n, d);
    for (std::size_t c = 0; c < count; ++c) {
        for (std::size_t i = clouds.bounds[c]; i < clouds.bounds[c + 1]; ++i) {
            const Real t = clouds.t[c];
            for (std::size_t j = 0; j < d; ++j) w.x(i, j) = (1 - t) * clouds.x0(i, j) + t * clouds.x1(i, j);
        }
    }
    velocity(weights, {clouds.bounds, clouds.t, w.x.view(), clouds.condition}, true, w, w.velocity.view());
    double loss = 0;
    for (std::size_t c = 0; c < count; ++c) {
        const std::size_t cells = clouds.bounds[c + 1] - clouds.bounds[c];
        const double share = 1 / (static_cast<double>(count) * static_cast<double>(cells));
        double squares = 0;
        for (std::size_t i = clouds.bounds[c]; i < clouds.bounds[c + 1]; ++i) {
            for (std::size_t j = 0; j < d; ++j) {
                const Real error = w.velocity(i, j) - (clouds.x1(i, j) - clouds.x0(i, j));
                squares += static_cast<double>(error) * static_cast<double>(error);
                w.velocity(i, j) = static_cast<Real>(2 * share) * error;
            }
        }
        loss += share * squares;
    }
    network_.backward(weights.values, weights.packed, ConstMatrixView<Real>(w.velocity), w.cache, gradients,
                      gradient_sink);
    return loss;
}

template <class T>
double SetFlow::train(const Request& request, const CoupledClouds<float>& clouds, Scratch& scratch,
                      std::span<float> gradients) const {
    auto& own = static_cast<PackedScratch<SetFlow, T>&>(scratch);
    return loss_and_gradient(own.weights(*this, request.values), clouds, own.workspace, gradients,
                             request.gradient_sink);
}

double SetFlow::slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                              std::span<float> gradients) const {
    const auto train_on = [&](const CoupledClouds<float>& clouds) {
        return shape_.precision == linalg::Precision::bf16
                   ? train<bfloat16>(request, clouds, scratch, gradients)
                   : train<float>(request, clouds, scratch, gradients);
    };
    if (const auto* pair = dynamic_cast<const PairInput*>(&input)) {
        const TrainingSlot<float>& slot = pair->slot;
        const std::size_t bounds[] = {0, slot.x0.rows};
        return train_on({bounds, slot.t.first(1), slot.x0, slot.x1,
                         ConstMatrixView<float>(slot.condition.data(), 1, slot.condition.size())});
    }
    const CloudBatch<float>& batch = static_cast<const CloudInput&>(input).batch;
    return train_on({batch.bounds, batch.t, batch.x0.view(), batch.x1.view(), batch.condition.view()});
}

// Weights with a condition and its guidance.
struct SetFlow::Guided {
    const Weights<float>& weights;
    std::span<const float> condition;
    double guidance = 1;
};

// Integrates one cloud from t = 0 to 1. The solver sees it as one row, so that it has one step size.
ode::Statistics SetFlow::flow(const Guided& guided, const ode::Options& options, const ode::FixedSteps& fixed,
                              MatrixView<float> x, const ode::Snapshots<float>& snapshots) const {
    core::check_shape("set_flow.condition", 1, guided.condition.size(), 1, shape_.conditions);
    const std::size_t n = x.rows;
    const std::size_t d = x.cols;
    const std::size_t bounds[] = {0, n};
    Workspace<float> workspace;
    Matrix<float> unlabelled(guided.guidance == 1 ? 0 : n, d);
    const std::vector<float> no_label(shape_.conditions, 0.0F);
    const auto velocity_of = [&](std::span<const float> t, const float* at, std::span<const float> condition,
                                 MatrixView<float> out) {
        const CloudStates<float> states{bounds, t, {at, n, d}, {condition.data(), 1, shape_.conditions}};
        velocity(guided.weights, states, false, workspace, out);
    };
    const auto field = [&](std::span<const float> t, ConstMatrixView<float> at, MatrixView<float> out) {
        const MatrixView<float> v(out.data, n, d);
        velocity_of(t, at.data, guided.condition, v);
        if (guided.guidance == 1) return;
        velocity_of(t, at.data, no_label, unlabelled.view());
        const auto w = static_cast<float>(guided.guidance);
        for (std::size_t k = 0; k < n * d; ++k) {
            const float base = unlabelled.data()[k];
            v.data[k] = base + w * (v.data[k] - base);
        }
    };
    const auto as_row = [&](MatrixView<float> cloud) {
        core::check_shape("set_flow.cloud", cloud.rows, cloud.cols, n, d);
        if (cloud.stride != d) throw core::Error("set_flow: a cloud is not contiguous");
        return MatrixView<float>(cloud.data, 1, n * d);
    };
    ode::Snapshots<float> rows{snapshots.times, {}};
    for (const MatrixView<float>& one : snapshots.x) rows.x.push_back(as_row(one));
    return ode::integrate<float>(field, options, fixed, as_row(x), rows);
}

ode::Statistics SetFlow::transport(std::span<const float> values, std::span<const float> context,
                                   std::span<const float> condition, const ode::Options& options,
                                   MatrixView<float> x) const {
    return trajectory(values, context, condition, options, x, {});
}

namespace {

// Copies every `step`-th row from `first` on.
void take_every(ConstMatrixView<float> from, std::size_t first, std::size_t step, MatrixView<float> to) {
    for (std::size_t i = 0; i < to.rows; ++i) std::copy_n(from.row(first + i * step), from.cols, to.row(i));
}

void put_every(ConstMatrixView<float> from, std::size_t first, std::size_t step, MatrixView<float> to) {
    for (std::size_t i = 0; i < from.rows; ++i) std::copy_n(from.row(i), from.cols, to.row(first + i * step));
}

}  // namespace

ode::Statistics SetFlow::trajectory(std::span<const float> values, std::span<const float> /*context*/,
                                    std::span<const float> condition, const ode::Options& options,
                                    MatrixView<float> x, const ode::Snapshots<float>& snapshots) const {
    core::check_shape("set_flow.x", x.rows, x.cols, x.rows, shape_.markers);
    Weights<float> weights;
    pack(values, weights);
    const std::size_t parts = std::max<std::size_t>(1, (x.rows + shape_.part - 1) / shape_.part);
    std::vector<ode::Statistics> statistics(parts);
    const auto move = [&](std::size_t p) {
        const std::size_t n = (x.rows - p + parts - 1) / parts;
        Matrix<float> part(n, x.cols);
        std::vector<Matrix<float>> states(snapshots.times.size(), Matrix<float>(n, x.cols));
        ode::Snapshots<float> own{snapshots.times, {}};
        for (Matrix<float>& one : states) own.x.push_back(one.view());
        take_every(x, p, parts, part.view());
        statistics[p] = flow({weights, condition, 1}, options, {}, part.view(), own);
        put_every(part.view(), p, parts, x);
        for (std::size_t s = 0; s < states.size(); ++s) put_every(states[s].view(), p, parts, snapshots.x[s]);
    };
    // Parts that are fewer than the threads are computed one after another with all threads.
    core::parallel_for(parts, move, parts >= static_cast<std::size_t>(omp_get_max_threads()));
    ode::Statistics sum;
    for (const ode::Statistics& one : statistics) sum += one;
    return sum;
}

std::vector<GeneratedPopulation> SetFlow::generate(std::span<const float> values,
                                                   const GenerateRequest& request,
                                                   std::span<core::Stream> streams) const {
    const std::size_t d = shape_.markers;
    if (shape_.source == PopulationSource::subset)
        core::check_shape("set_flow.given", request.given.rows, request.given.cols, shape_.subset, d);
    std::vector<GeneratedPopulation> populations(streams.size());
    Weights<float> weights;
    pack(values, weights);
    const auto draw_one = [&](core::Stream& stream, std::size_t n, GeneratedPopulation& population) {
        Matrix<float> cloud(n, d);
        if (shape_.source == PopulationSource::subset)
            smoothed_bootstrap(request.given, stream, cloud.view());
        else
            draw_cloud(noise_.draw(stream), stream, cloud.view());
        population.cells.assign(request.times.size(), Matrix<float>(n, d));
        ode::Snapshots<float> snapshots{request.times, {}};
        for (Matrix<float>& one : population.cells) snapshots.x.push_back(one.view());
        flow({weights, request.condition, request.guidance}, request.solver, request.fixed, cloud.view(),
             snapshots);
    };
    // Populations that are fewer than the threads are computed one after another with all threads.
    const bool in_parallel = streams.size() >= static_cast<std::size_t>(omp_get_max_threads());
    core::parallel_for(
        streams.size(), [&](std::size_t k) { draw_one(streams[k], request.cells[k], populations[k]); },
        in_parallel);
    return populations;
}

void draw_cloud(const ot::GaussianMoments& gaussian, core::Stream& stream, MatrixView<float> cloud) {
    const std::size_t d = cloud.cols;
    core::check_shape("draw_cloud", gaussian.mean.size(), gaussian.root.rows(), d, d);
    std::vector<double> z(d);
    for (std::size_t i = 0; i < cloud.rows; ++i) {
        for (double& value : z) value = stream.normal();
        for (std::size_t j = 0; j < d; ++j) {
            double sum = gaussian.mean[j];
            for (std::size_t k = 0; k < d; ++k) sum += gaussian.root(j, k) * z[k];
            cloud(i, j) = static_cast<float>(sum);
        }
    }
}

void smoothed_bootstrap(ConstMatrixView<float> given, core::Stream& stream, MatrixView<float> cloud) {
    const std::size_t d = cloud.cols;
    core::check_shape("smoothed_bootstrap", std::min<std::size_t>(given.rows, 2), given.cols, 2, d);
    const ot::GaussianMoments moments = ot::gaussian_moments(given);
    const double h = std::pow(static_cast<double>(given.rows), -1 / (static_cast<double>(d) + 4));
    const double kept = std::sqrt(1 - h * h);
    std::vector<double> z(d);
    for (std::size_t i = 0; i < cloud.rows; ++i) {
        const float* cell = given.row(stream.below(given.rows));
        for (double& value : z) value = stream.normal();
        for (std::size_t j = 0; j < d; ++j) {
            double sum = moments.mean[j] + kept * (static_cast<double>(cell[j]) - moments.mean[j]);
            for (std::size_t k = 0; k < d; ++k) sum += h * moments.root(j, k) * z[k];
            cloud(i, j) = static_cast<float>(sum);
        }
    }
}

const Family* set_flow_family() {
    static const SetFlowFamily family;
    return &family;
}

#define POPFLOW_INSTANTIATE(T, Real)                                                                         \
    template void SetFlow::pack(std::span<const Real>, Weights<T>&) const;                                   \
    template void SetFlow::velocity(const Weights<T>&, const CloudStates<Real>&, bool, Workspace<T>&,        \
                                    MatrixView<Real>) const;                                                 \
    template double SetFlow::loss_and_gradient(const Weights<T>&, const CoupledClouds<Real>&, Workspace<T>&, \
                                               std::span<Real>, const nn::GradientSink*) const;
POPFLOW_INSTANTIATE(float, float)
POPFLOW_INSTANTIATE(bfloat16, float)
POPFLOW_INSTANTIATE(double, double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::models

// SPDX-License-Identifier: MIT
#include "models/gaussian_flow.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "models/flow_time.hpp"
#include "models/gaussian_state.hpp"
#include "models/packed_scratch.hpp"
#include "models/population_flow_settings.hpp"
#include "ode/integrate.hpp"

namespace popflow::models {

using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

// Number of noise Gaussians from which the scales of the inputs are computed.
constexpr std::size_t scale_draws = 512;
// Smallest scale of an input, relative to the largest one.
constexpr double smallest_scale = 1e-3;

// Returns constants of the right shapes for a model without populations.
Constants placeholder_constants(std::size_t d) {
    Constants constants;
    store_gaussian_noise(standard_noise(d), constants);
    const std::size_t inputs = d + d * (d + 1) / 2;
    constants.matrices["feature_mean"] = Matrix<float>(1, inputs);
    constants.matrices["feature_scale"] = Matrix<float>(1, inputs);
    constants.matrices["feature_scale"].fill(1);
    constants.matrices["velocity_scale"] = Matrix<float>(1, 1);
    constants.matrices["velocity_scale"].fill(1);
    return constants;
}

class GaussianFlowFamily : public Family {
  public:
    std::string name() const override { return "bwfm"; }
    std::string summary() const override {
        return "Wasserstein flow matching on the means and covariances of populations";
    }
    std::unique_ptr<Settings> make_settings() const override {
        return std::make_unique<PopulationFlowSettings>();
    }
    std::string settings_name() const override { return population_flow_options; }
    OptionValues defaults(Recipe recipe, const Settings& /*settings*/) const override {
        if (recipe == Recipe::paper)
            return {{"batch-pairs", "1"},        {"populations-per-slot", "16"},
                    {"steps", "32000"},          {"rate", "2e-4"},
                    {"warmup-steps", "0"},       {"clip-norm", "0"},
                    {"gaussian-hidden", "1024"}, {"gaussian-layers", "6"}};
        return {{"batch-pairs", "2"}, {"steps", "10000"}, {"rate", "1e-3"}, {"schedule", "cosine"}};
    }
    OptionValues fixed(const Settings& /*settings*/) const override { return no_start_options; }
    ItemKind items(const Settings& /*settings*/) const override { return ItemKind::populations; }
    PopulationDraws population_draws(const Settings& settings) const override {
        return resolved_draws(settings, PopulationForm::gaussians);
    }
    /// Returns the law of a standard normal noise, until the populations are known.
    Constants draw_constants(const Settings& /*settings*/, const DataShape& data,
                             std::uint64_t /*seed*/) const override {
        return placeholder_constants(data.markers);
    }
    void check(const Settings& settings, const DataShape& /*data*/,
               std::size_t /*min_cells*/) const override {
        const PopulationDraws draws = population_draws(settings);
        if (draws.source == PopulationSource::subset)
            throw core::ConfigError("source",
                                    "subset:N needs --method wfm: bwfm has no cells to complete. Give noise "
                                    "or control");
        check_draws(draws);
    }
    std::unique_ptr<Model> make(const Settings& settings, const DataShape& data, const Constants& constants,
                                linalg::Precision /*precision*/) const override {
        const auto& own = dynamic_cast<const PopulationFlowSettings&>(settings);
        return std::make_unique<GaussianFlow>(GaussianFlowShape{.source = population_draws(settings).source,
                                                                .markers = data.markers,
                                                                .conditions = data.conditions,
                                                                .hidden = own.gaussian_hidden,
                                                                .layers = own.gaussian_layers},
                                              constants);
    }
};

// Mean and scale of a number over many Gaussians.
class Scale {
  public:
    void add(double value) {
        sum_ += value;
        squares_ += value * value;
        ++n_;
    }
    double mean() const { return sum_ / n_; }
    double deviation() const { return std::sqrt(std::max(0.0, squares_ / n_ - mean() * mean())); }

  private:
    double sum_ = 0;
    double squares_ = 0;
    double n_ = 0;
};

// Calls f(k, value) for the elements of the mean and of the lower triangle of the covariance.
template <class F>
void for_each_moment(const ot::GaussianMoments& moments, F&& f) {
    const std::size_t d = moments.mean.size();
    std::size_t at = 0;
    for (std::size_t j = 0; j < d; ++j) f(at++, moments.mean[j]);
    for (std::size_t j = 0; j < d; ++j) {
        for (std::size_t k = 0; k <= j; ++k) f(at++, moments.covariance(j, k));
    }
}

nn::SkipMlpShape network_shape(const GaussianFlowShape& shape, std::size_t outputs) {
    return {.row_inputs = flow_time_size + shape.markers + shape.triangle() + shape.conditions,
            .hidden = shape.hidden,
            .layers = shape.layers,
            .outputs = outputs};
}

// Writes the full symmetric matrix of a lower triangle.
template <class Real>
void unpack_triangle(const Real* triangle, MatrixView<Real> full) {
    for (std::size_t j = 0; j < full.rows; ++j) {
        for (std::size_t k = 0; k <= j; ++k) full(j, k) = full(k, j) = *triangle++;
    }
}

}  // namespace

GaussianFlow::GaussianFlow(const GaussianFlowShape& shape, const Constants& constants)
    : shape_(shape),
      noise_(stored_gaussian_noise(constants, shape.markers)),
      feature_mean_(stored_matrix(constants, "feature_mean", 1, shape.markers + shape.triangle())),
      feature_scale_(stored_matrix(constants, "feature_scale", 1, shape.markers + shape.triangle())),
      velocity_scale_(static_cast<double>(stored_matrix(constants, "velocity_scale", 1, 1)(0, 0))),
      mean_network_(layout_, "mean", network_shape(shape, shape.markers)),
      covariance_network_(layout_, "covariance", network_shape(shape, shape.triangle())) {}

linalg::AlignedVector<float> GaussianFlow::initial_values(std::uint64_t seed) const {
    linalg::AlignedVector<float> values(layout_.size());
    for (const nn::SkipMlp* network : {&mean_network_, &covariance_network_}) {
        network->initialise(values, seed);
        network->zero_output(values);
    }
    return values;
}

std::unique_ptr<GradientTraining::Scratch> GaussianFlow::make_scratch() const {
    return std::make_unique<PackedScratch<GaussianFlow, float>>();
}

void GaussianFlow::begin_step(std::span<const float> values,
                              std::span<const std::unique_ptr<Scratch>> scratch) const {
    share_packed_weights<float>(*this, values, scratch);
}

nn::UpdatePhase GaussianFlow::phase(std::uint64_t step) const {
    return {0, 0, layout_.size(), step};
}

template <class Real>
void GaussianFlow::pack(std::span<const Real> values, Weights<Real>& weights) const {
    weights.values = values;
    mean_network_.pack(values, weights.mean);
    covariance_network_.pack(values, weights.covariance);
}

template <class Real>
void GaussianFlow::velocity(const Weights<Real>& weights, const GaussianStates<Real>& states, bool keep,
                            Workspace<Real>& w) const {
    const std::size_t n = states.t.size();
    const std::size_t d = shape_.markers;
    core::check_shape("gaussian_flow.mean", states.mean.rows, states.mean.cols, n, d);
    core::check_shape("gaussian_flow.covariance", states.covariance.rows, states.covariance.cols, n, d * d);
    core::check_shape("gaussian_flow.condition", states.condition.rows, states.condition.cols, n,
                      shape_.conditions);
    w.features.reshape(n, mean_network_.shape().row_inputs);
    for (std::size_t i = 0; i < n; ++i) {
        Real* out = write_flow_time(states.t[i], w.features.view().row(i));
        std::size_t at = 0;
        const auto standardised = [&](Real value) {
            const Real result =
                (value - static_cast<Real>(feature_mean_(0, at))) / static_cast<Real>(feature_scale_(0, at));
            ++at;
            return result;
        };
        for (std::size_t j = 0; j < d; ++j) *out++ = standardised(states.mean(i, j));
        for (std::size_t j = 0; j < d; ++j) {
            for (std::size_t k = 0; k <= j; ++k) *out++ = standardised(states.covariance(i, j * d + k));
        }
        std::copy_n(states.condition.row(i), shape_.conditions, out);
    }
    w.v.reshape(n, d);
    w.triangle.reshape(n, shape_.triangle());
    const ConstMatrixView<Real> features(w.features);
    mean_network_.forward(weights.values, weights.mean, {}, features, {}, keep, w.mean, w.v.view());
    covariance_network_.forward(weights.values, weights.covariance, {}, features, {}, keep, w.covariance,
                                w.triangle.view());
    for (Real& value : w.v.values()) value *= static_cast<Real>(velocity_scale_);
}

template <class Real>
Real GaussianFlow::loss_and_gradient(const Weights<Real>& weights, const GaussianBatch<Real>& batch,
                                     Workspace<Real>& w, std::span<Real> gradients) const {
    const std::size_t n = batch.t.size();
    const std::size_t d = shape_.markers;
    velocity(weights, {batch.t, batch.mean, batch.covariance, batch.condition}, true, w);
    const Real scale = 1 / static_cast<Real>(n * d);
    double loss = 0;
    Matrix<Real> error(d, d);
    Matrix<Real> product(d, d);
    for (std::size_t i = 0; i < n; ++i) {
        Real norm = 0;
        for (std::size_t j = 0; j < d; ++j) {
            const Real difference = w.v(i, j) - batch.mean_velocity(i, j);
            norm += difference * difference;
            w.v(i, j) = 2 * scale * static_cast<Real>(velocity_scale_) * difference;
        }
        const ConstMatrixView<Real> s(batch.covariance.view().row(i), d, d);
        const ConstMatrixView<Real> target(batch.velocity.view().row(i), d, d);
        Real* triangle = w.triangle.view().row(i);
        unpack_triangle<Real>(triangle, error.view());
        for (std::size_t k = 0; k < d * d; ++k) error.values()[k] -= target.data[k];
        // product = S E. The loss is tr(S E E), and its derivative with respect to E is S E + E S.
        product.fill(Real{0});
        for (std::size_t j = 0; j < d; ++j) {
            for (std::size_t l = 0; l < d; ++l) {
                for (std::size_t k = 0; k < d; ++k) product(j, k) += s(j, l) * error(l, k);
            }
        }
        for (std::size_t j = 0; j < d; ++j) {
            for (std::size_t k = 0; k < d; ++k) norm += product(j, k) * error(k, j);
        }
        // An element off the diagonal stands for two elements of E.
        for (std::size_t j = 0; j < d; ++j) {
            for (std::size_t k = 0; k <= j; ++k)
                *triangle++ = (j == k ? Real{1} : Real{2}) * scale * (product(j, k) + product(k, j));
        }
        loss += static_cast<double>(norm);
    }
    mean_network_.backward(weights.values, weights.mean, {}, {}, ConstMatrixView<Real>(w.v), w.mean,
                           gradients, {});
    covariance_network_.backward(weights.values, weights.covariance, {}, {},
                                 ConstMatrixView<Real>(w.triangle), w.covariance, gradients, {});
    return static_cast<Real>(loss / static_cast<double>(n * d));
}

double GaussianFlow::slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                                   std::span<float> gradients) const {
    auto& own = static_cast<PackedScratch<GaussianFlow, float>&>(scratch);
    return static_cast<double>(loss_and_gradient(own.weights(*this, request.values),
                                                 static_cast<const GaussianInput&>(input).batch,
                                                 own.workspace, gradients));
}

// Weights with a condition and its guidance.
struct GaussianFlow::Guided {
    const Weights<float>& weights;
    std::span<const float> condition;
    double guidance = 1;
};

// Integrates states from t = 0 to 1. One row [m | F] for each Gaussian.
ode::Statistics GaussianFlow::flow(const Guided& guided, const ode::Options& options,
                                   const ode::FixedSteps& fixed, MatrixView<float> states,
                                   const ode::Snapshots<float>& snapshots) const {
    const std::size_t d = shape_.markers;
    core::check_shape("gaussian_flow.condition", 1, guided.condition.size(), 1, shape_.conditions);
    Workspace<float> workspace;
    Workspace<float> unlabelled;
    Matrix<float> covariance;
    Matrix<float> condition;
    Matrix<float> velocity_matrix(d, d);
    const auto field = [&](std::span<const float> t, ConstMatrixView<float> at, MatrixView<float> out) {
        covariance.reshape(at.rows, d * d);
        condition.reshape(at.rows, shape_.conditions);
        for (std::size_t i = 0; i < at.rows; ++i) {
            gaussian_covariance<float>(at.row(i), d, {covariance.view().row(i), d, d});
            std::ranges::copy(guided.condition, condition.view().row(i));
        }
        const GaussianStates<float> now{t, at.col_block(0, d), covariance, condition};
        velocity(guided.weights, now, false, workspace);
        if (guided.guidance != 1) {
            condition.fill(0);
            velocity(guided.weights, now, false, unlabelled);
            const auto w = static_cast<float>(guided.guidance);
            const auto blend = [&](Matrix<float>& to, const Matrix<float>& from) {
                for (std::size_t k = 0; k < to.size(); ++k)
                    to.values()[k] = from.values()[k] + w * (to.values()[k] - from.values()[k]);
            };
            blend(workspace.v, unlabelled.v);
            blend(workspace.triangle, unlabelled.triangle);
        }
        for (std::size_t i = 0; i < at.rows; ++i) {
            unpack_triangle<float>(workspace.triangle.view().row(i), velocity_matrix.view());
            gaussian_derivative<float>(at.row(i), d, workspace.v.view().row(i), velocity_matrix, out.row(i));
        }
    };
    return ode::integrate<float>(field, options, fixed, states, snapshots);
}

std::vector<float> GaussianFlow::context(std::span<const float> /*values*/, ConstMatrixView<float> control,
                                         std::span<const std::uint8_t> /*control_type*/) const {
    core::check_shape("gaussian_flow.control", control.rows, control.cols, control.rows, shape_.markers);
    std::vector<float> context(context_size());
    for_each_moment(ot::gaussian_moments(control),
                    [&](std::size_t k, double value) { context[k] = static_cast<float>(value); });
    return context;
}

ode::Statistics GaussianFlow::transport(std::span<const float> values, std::span<const float> context,
                                        std::span<const float> condition, const ode::Options& options,
                                        MatrixView<float> x) const {
    return trajectory(values, context, condition, options, x, {});
}

ode::Statistics GaussianFlow::trajectory(std::span<const float> values, std::span<const float> context,
                                         std::span<const float> condition, const ode::Options& options,
                                         MatrixView<float> x, const ode::Snapshots<float>& snapshots) const {
    const std::size_t d = shape_.markers;
    core::check_shape("gaussian_flow.context", 1, context.size(), 1, context_size());
    core::check_shape("gaussian_flow.x", x.rows, x.cols, x.rows, d);
    Matrix<double> covariance(d, d);
    Matrix<float> full(d, d);
    unpack_triangle<float>(context.data() + d, full.view());
    std::ranges::copy(full.values(), covariance.values().begin());
    for (std::size_t j = 0; j < d; ++j) covariance(j, j) += noise_.ridge;
    const Matrix<double> root = ot::symmetric_root(covariance);
    const Matrix<double> inverse = ot::inverse_root(covariance);

    Matrix<float> state(1, gaussian_state_size(d));
    std::copy_n(context.data(), d, state.data());
    std::ranges::transform(root.values(), state.data() + d, [](double v) { return static_cast<float>(v); });
    std::vector<Matrix<float>> between(snapshots.times.size(), Matrix<float>(1, state.cols()));
    ode::Snapshots<float> states{snapshots.times, {}};
    for (Matrix<float>& one : between) states.x.push_back(one.view());
    Weights<float> weights;
    pack(values, weights);
    const ode::Statistics statistics = flow({weights, condition, 1}, options, {}, state.view(), states);

    // x_t = m_t + F_t F_0^-1 (x_0 - m_0)
    const auto move = [&](const Matrix<float>& to, ConstMatrixView<float> from, MatrixView<float> out) {
        const auto factor = gaussian_factor(to.data(), d);
        Matrix<double> map(d, d);
        for (std::size_t j = 0; j < d; ++j) {
            for (std::size_t l = 0; l < d; ++l) {
                const auto end = static_cast<double>(factor(j, l));
                for (std::size_t k = 0; k < d; ++k) map(j, k) += end * inverse(l, k);
            }
        }
#pragma omp parallel for schedule(static)
        for (std::size_t i = 0; i < from.rows; ++i) {
            std::vector<double> centred(d);
            for (std::size_t k = 0; k < d; ++k)
                centred[k] = static_cast<double>(from(i, k)) - static_cast<double>(context[k]);
            for (std::size_t j = 0; j < d; ++j) {
                double sum = static_cast<double>(to(0, j));
                for (std::size_t k = 0; k < d; ++k) sum += map(j, k) * centred[k];
                out(i, j) = static_cast<float>(sum);
            }
        }
    };
    for (std::size_t s = 0; s < between.size(); ++s) {
        core::check_shape("gaussian_flow.snapshot", snapshots.x[s].rows, snapshots.x[s].cols, x.rows, d);
        move(between[s], x, snapshots.x[s]);
    }
    move(state, x, x);
    return statistics;
}

std::vector<GeneratedPopulation> GaussianFlow::generate(std::span<const float> values,
                                                        const GenerateRequest& request,
                                                        std::span<core::Stream> streams) const {
    const std::size_t d = shape_.markers;
    const std::size_t n = streams.size();
    const std::size_t times = request.times.size();
    std::vector<GeneratedPopulation> populations(n);
    Weights<float> weights;
    pack(values, weights);
    // A population is integrated alone: with others its bits would depend on their number, since kernels of
    // matrix products differ by the number of rows.
    const auto draw_one = [&](core::Stream& stream, std::size_t n_cells, GeneratedPopulation& population) {
        const ot::GaussianMoments drawn = noise_.draw(stream);
        Matrix<float> start(1, gaussian_state_size(d));
        std::ranges::transform(drawn.mean, start.data(), [](double v) { return static_cast<float>(v); });
        std::ranges::transform(drawn.root.values(), start.data() + d,
                               [](double v) { return static_cast<float>(v); });
        std::vector<Matrix<float>> states(times, Matrix<float>(1, start.cols()));
        ode::Snapshots<float> snapshots{request.times, {}};
        for (Matrix<float>& one : states) snapshots.x.push_back(one.view());
        flow({weights, request.condition, request.guidance}, request.solver, request.fixed, start.view(),
             snapshots);
        population.mean = Matrix<float>(times, d);
        population.covariance = Matrix<float>(times, d * d);
        Matrix<float> normal(n_cells, d);
        stream.fill_normal(normal.values());
        for (std::size_t s = 0; s < times; ++s) {
            float* state = states[s].data();
            std::copy_n(state, d, population.mean.view().row(s));
            gaussian_covariance<float>(state, d, {population.covariance.view().row(s), d, d});
            const auto factor = gaussian_factor(state, d);
            Matrix<float>& cells = population.cells.emplace_back(n_cells, d);
            for (std::size_t c = 0; c < n_cells; ++c) {
                for (std::size_t j = 0; j < d; ++j) {
                    float sum = state[j];
                    for (std::size_t k = 0; k < d; ++k) sum += factor(j, k) * normal(c, k);
                    cells(c, j) = sum;
                }
            }
        }
    };
    core::parallel_for(n, [&](std::size_t k) { draw_one(streams[k], request.cells[k], populations[k]); });
    return populations;
}

Constants gaussian_flow_constants(std::span<const ot::GaussianMoments> targets,
                                  std::span<const ot::GaussianMoments> sources, double spread,
                                  std::uint64_t seed) {
    Constants constants;
    const GaussianNoise noise = fit_gaussian_noise(targets, spread);
    store_gaussian_noise(noise, constants);
    const std::size_t d = noise.mean.size();
    const std::size_t count = d + d * (d + 1) / 2;
    std::vector<Scale> scales(count);
    double squares = 0;
    core::Stream stream(seed, core::Purpose::features, 1);
    const std::size_t pairs = sources.empty() ? scale_draws : std::max(sources.size(), targets.size());
    for (std::size_t p = 0; p < pairs; ++p) {
        const ot::GaussianMoments& target = targets[p % targets.size()];
        const ot::GaussianMoments source = sources.empty() ? noise.draw(stream) : sources[p % sources.size()];
        for (const ot::GaussianMoments* one : {&target, &source})
            for_each_moment(*one, [&](std::size_t k, double value) { scales[k].add(value); });
        for (std::size_t j = 0; j < d; ++j) {
            const double difference = target.mean[j] - source.mean[j];
            squares += difference * difference;
        }
    }
    Matrix<float> mean(1, count);
    Matrix<float> scale(1, count);
    for (const auto& [first, end] : {std::pair{std::size_t{0}, d}, std::pair{d, count}}) {
        double largest = 0;
        for (std::size_t k = first; k < end; ++k) largest = std::max(largest, scales[k].deviation());
        if (largest == 0) largest = 1;
        for (std::size_t k = first; k < end; ++k) {
            mean(0, k) = static_cast<float>(scales[k].mean());
            scale(0, k) = static_cast<float>(std::max(scales[k].deviation(), smallest_scale * largest));
        }
    }
    Matrix<float> velocity(1, 1);
    velocity(0, 0) = static_cast<float>(std::sqrt(squares / static_cast<double>(pairs * d)));
    if (velocity(0, 0) == 0) velocity(0, 0) = 1;
    constants.matrices["feature_mean"] = std::move(mean);
    constants.matrices["feature_scale"] = std::move(scale);
    constants.matrices["velocity_scale"] = std::move(velocity);
    return constants;
}

const Family* gaussian_flow_family() {
    static const GaussianFlowFamily family;
    return &family;
}

#define POPFLOW_INSTANTIATE(Real)                                                                   \
    template void GaussianFlow::pack(std::span<const Real>, Weights<Real>&) const;                  \
    template void GaussianFlow::velocity(const Weights<Real>&, const GaussianStates<Real>&, bool,   \
                                         Workspace<Real>&) const;                                   \
    template Real GaussianFlow::loss_and_gradient(const Weights<Real>&, const GaussianBatch<Real>&, \
                                                  Workspace<Real>&, std::span<Real>) const;
POPFLOW_INSTANTIATE(float)
POPFLOW_INSTANTIATE(double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::models

// SPDX-License-Identifier: MIT
#include "models/icnn_transport.hpp"

#include <exception>
#include <limits>

#include "core/error.hpp"

namespace popflow::models {

using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

struct IcnnScratch : GradientTraining::Scratch {
    IcnnTransport::Workspace<float> workspace;
};

/// Input of the potentials in addition to the cell.
enum class PotentialInput { none, treatment };

struct IcnnSettings final : Settings {
    IcnnTransportShape shape;  // the sizes given by the data are not set
    PotentialInput condition = PotentialInput::treatment;

    std::unique_ptr<Settings> clone() const override { return std::make_unique<IcnnSettings>(*this); }
    void visit(FieldVisitor& visitor) override {
        visitor.choice({.name = "condition",
                        .help = "input of the potentials of icnn in addition to the cell",
                        .is_exclusive = true},
                       condition, {"none", "treatment"});
        visitor.count({.name = "icnn-hidden", .help = "width of the convex potentials"}, shape.hidden, 1,
                      max_width);
        visitor.count({.name = "icnn-layers", .help = "number of hidden layers of the convex potentials"},
                      shape.layers, 1, max_layers);
        visitor.choice({.name = "icnn-start",
                        .help = "initial weights of the convex potentials: of the identity map, or uniform "
                                "as published"},
                       shape.start, {"identity", "uniform"});
        visitor.count({.name = "icnn-inner-steps",
                       .help = "number of updates of potential g per update of potential f",
                       .group = FieldGroup::training},
                      shape.inner_steps, 1, std::numeric_limits<std::int64_t>::max());
    }
};

class IcnnFamily : public Family {
  public:
    std::string name() const override { return "icnn"; }
    std::string summary() const override { return "neural optimal transport with convex potentials"; }
    std::unique_ptr<Settings> make_settings() const override { return std::make_unique<IcnnSettings>(); }

    // The optimiser is that of CellOT in both recipes.
    OptionValues defaults(Recipe recipe, const Settings& /*settings*/) const override {
        OptionValues values{{"rate", "1e-4"},   {"schedule", "constant"}, {"warmup-steps", "0"},
                            {"clip-norm", "0"}, {"ema-decay", "0"},       {"beta1", "0.5"},
                            {"beta2", "0.9"},   {"condition", "none"}};
        if (recipe == Recipe::paper) values.emplace_back("icnn-start", "uniform");
        return values;
    }
    OptionValues fixed(const Settings& /*settings*/) const override { return {{"coupling", "random"}}; }

    std::vector<std::string> adapt(Settings& settings, const DataShape& data, std::size_t /*min_cells*/,
                                   const std::function<bool(const std::string&)>& is_given) const override {
        IcnnTransportShape& shape = dynamic_cast<IcnnSettings&>(settings).shape;
        if (shape.start != IcnnStart::identity || shape.hidden >= data.markers || is_given("icnn-hidden"))
            return {};
        const std::size_t before = shape.hidden;
        shape.hidden = data.markers;
        return {"--icnn-hidden is " + std::to_string(data.markers) + ", the number of markers, instead of " +
                std::to_string(before) + ": --icnn-start identity needs as many hidden units as markers"};
    }

    void check(const Settings& settings, const DataShape& data, std::size_t /*min_cells*/) const override {
        const IcnnTransportShape& shape = dynamic_cast<const IcnnSettings&>(settings).shape;
        if (shape.start != IcnnStart::identity || shape.hidden >= data.markers) return;
        throw core::ConfigError("icnn-hidden", "found " + std::to_string(shape.hidden) +
                                                   ", but the data have " + std::to_string(data.markers) +
                                                   " markers. --icnn-start identity needs at least as many "
                                                   "hidden units as markers: raise --icnn-hidden, or use "
                                                   "--icnn-start uniform");
    }

    std::unique_ptr<Model> make(const Settings& settings, const DataShape& data,
                                const Constants& /*constants*/,
                                linalg::Precision /*precision*/) const override {
        const auto& own = dynamic_cast<const IcnnSettings&>(settings);
        IcnnTransportShape shape = own.shape;
        shape.markers = data.markers;
        shape.conditions = own.condition == PotentialInput::treatment ? data.conditions : 0;
        return std::make_unique<IcnnTransport>(shape);
    }
};

template <class Real>
Real sum_of(const Matrix<Real>& values) {
    double sum = 0;
    for (Real v : values.values()) sum += static_cast<double>(v);
    return static_cast<Real>(sum);
}

}  // namespace

IcnnTransport::IcnnTransport(const IcnnTransportShape& shape) : shape_(shape) {
    const nn::IcnnShape potential{.inputs = shape.markers, .hidden = shape.hidden, .layers = shape.layers};
    g_ = nn::Picnn(layout_, "g", potential, shape.conditions);
    f_ = nn::Picnn(layout_, "f", potential, shape.conditions);
}

linalg::AlignedVector<float> IcnnTransport::initial_values(std::uint64_t seed) const {
    linalg::AlignedVector<float> values(layout_.size());
    g_.initialise(values, seed, shape_.start == IcnnStart::identity);
    f_.initialise(values, seed, shape_.start == IcnnStart::identity);
    return values;
}

std::unique_ptr<GradientTraining::Scratch> IcnnTransport::make_scratch() const {
    return std::make_unique<IcnnScratch>();
}

nn::UpdatePhase IcnnTransport::phase(std::uint64_t step) const {
    const std::uint64_t round = step / (shape_.inner_steps + 1);
    const std::uint64_t within = step % (shape_.inner_steps + 1);
    if (within == shape_.inner_steps) return {1, f_.offset(), f_.size(), round};
    return {0, g_.offset(), g_.size(), round * shape_.inner_steps + within};
}

double IcnnTransport::slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                                    std::span<float> gradients) const {
    auto& workspace = static_cast<IcnnScratch&>(scratch).workspace;
    const TrainingSlot<float>& slot = static_cast<const PairInput&>(input).slot;
    return static_cast<double>(request.phase.part == 0
                                   ? g_loss<float>(request.values, slot, workspace, gradients)
                                   : f_loss<float>(request.values, slot, workspace, gradients));
}

void IcnnTransport::project(const nn::UpdatePhase& phase, std::span<float> values) const {
    if (phase.part == 1) f_.icnn().clamp(f_.icnn_part(values));
}

template <class Real>
void IcnnTransport::move(std::span<const Real> values, const TrainingSlot<Real>& slot,
                         Workspace<Real>& workspace) const {
    const std::size_t n = slot.x0.rows;
    g_.bind(values, seen(slot.condition), workspace.g_bound);
    f_.bind(values, seen(slot.condition), workspace.f_bound);
    const std::span<const Real> weights(workspace.g_bound.values);
    workspace.value.reshape(n, 1);
    workspace.moved.reshape(n, shape_.markers);
    g_.icnn().forward(weights, slot.x0, workspace.g, workspace.value.view());
    g_.icnn().backward(weights, workspace.g);
    g_.icnn().input_gradient(weights, workspace.g, workspace.moved.view());
}

template <class Real>
Real IcnnTransport::g_loss(std::span<const Real> values, const TrainingSlot<Real>& slot,
                           Workspace<Real>& workspace, std::span<Real> gradients) const {
    const std::size_t n = slot.x0.rows;
    move(values, slot, workspace);
    const ConstMatrixView<Real> moved = workspace.moved.view();
    const std::span<const Real> f_weights(workspace.f_bound.values);
    workspace.pull.reshape(n, shape_.markers);
    f_.icnn().forward(f_weights, moved, workspace.f, workspace.value.view());
    f_.icnn().backward(f_weights, workspace.f);
    f_.icnn().input_gradient(f_weights, workspace.f, workspace.pull.view());

    // d/dp_i of the mean of f(p_i) - <x_i, p_i> is (grad f(p_i) - x_i) / n
    double loss = static_cast<double>(sum_of(workspace.value));
    const Real share = 1 / static_cast<Real>(n);
    for (std::size_t i = 0; i < n; ++i) {
        Real dot = 0;
        for (std::size_t j = 0; j < shape_.markers; ++j) {
            dot += slot.x0(i, j) * moved(i, j);
            workspace.pull(i, j) = share * (workspace.pull(i, j) - slot.x0(i, j));
        }
        loss -= static_cast<double>(dot);
    }
    g_.icnn().template add_map_gradient<Real>(workspace.g_bound.values, slot.x0, workspace.pull.view(),
                                              workspace.g, workspace.g_bound.gradients);
    g_.unbind(values, workspace.g_bound, gradients);
    const Real penalty = g_.icnn().add_penalty(g_.icnn_part(values), g_.icnn_part(gradients));
    return static_cast<Real>(loss / static_cast<double>(n)) + penalty;
}

template <class Real>
Real IcnnTransport::f_loss(std::span<const Real> values, const TrainingSlot<Real>& slot,
                           Workspace<Real>& workspace, std::span<Real> gradients) const {
    move(values, slot, workspace);
    const std::span<const Real> weights(workspace.f_bound.values);
    double loss = 0;
    const auto add = [&](ConstMatrixView<Real> x, double sign) {
        workspace.value.reshape(x.rows, 1);
        f_.icnn().forward(weights, x, workspace.f, workspace.value.view());
        f_.icnn().backward(weights, workspace.f);
        const double share = sign / static_cast<double>(x.rows);
        f_.icnn().template add_value_gradient<Real>(x, workspace.f, static_cast<Real>(share),
                                                    workspace.f_bound.gradients);
        loss += share * static_cast<double>(sum_of(workspace.value));
    };
    add(slot.x1, 1);
    add(workspace.moved.view(), -1);
    f_.unbind(values, workspace.f_bound, gradients);
    return static_cast<Real>(loss);
}

ode::Statistics IcnnTransport::transport(std::span<const float> values, std::span<const float> /*context*/,
                                         std::span<const float> condition, const ode::Options& /*options*/,
                                         MatrixView<float> x) const {
    constexpr std::size_t block_rows = 512;
    const std::size_t blocks = (x.rows + block_rows - 1) / block_rows;
    nn::Picnn::Bound<float> bound;
    g_.bind(values, seen(condition), bound);
    const std::span<const float> weights(bound.values);
    std::exception_ptr failure;
#pragma omp parallel
    {
        nn::Icnn::Cache<float> cache;
        Matrix<float> y;
#pragma omp for schedule(dynamic)
        for (std::size_t block = 0; block < blocks; ++block) {
            try {
                const std::size_t first = block * block_rows;
                const MatrixView<float> rows = x.row_block(first, std::min(block_rows, x.rows - first));
                y.reshape(rows.rows, 1);
                g_.icnn().forward<float>(weights, rows, cache, y.view());
                g_.icnn().backward(weights, cache);
                g_.icnn().input_gradient(weights, cache, rows);
            } catch (...) {
#pragma omp critical(icnn_transport_failure)
                failure = std::current_exception();
            }
        }
    }
    if (failure) std::rethrow_exception(failure);
    return {};
}

template float IcnnTransport::g_loss(std::span<const float>, const TrainingSlot<float>&, Workspace<float>&,
                                     std::span<float>) const;
template double IcnnTransport::g_loss(std::span<const double>, const TrainingSlot<double>&,
                                      Workspace<double>&, std::span<double>) const;
template float IcnnTransport::f_loss(std::span<const float>, const TrainingSlot<float>&, Workspace<float>&,
                                     std::span<float>) const;
template double IcnnTransport::f_loss(std::span<const double>, const TrainingSlot<double>&,
                                      Workspace<double>&, std::span<double>) const;

const Family* icnn_family() {
    static const IcnnFamily family;
    return &family;
}

}  // namespace popflow::models

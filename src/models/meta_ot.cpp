// SPDX-License-Identifier: MIT
#include "models/meta_ot.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "core/error.hpp"
#include "linalg/activations.hpp"
#include "linalg/gemm.hpp"
#include "ot/semidual.hpp"

namespace popflow::models {

using linalg::Matrix;

namespace {

// More atoms than this are smooth by default.
constexpr std::size_t largest_free_form = 400;
// Number of bins, and of terms of the cosine series, that a smooth form aims at.
constexpr double smooth_terms = 196;
// Input features have about this size where a histogram has mass.
constexpr double feature_scale = 0.25;

struct MetaOtSettings final : Settings {
    MetaOtShape shape;
    std::size_t problems = 16;
    std::size_t demand = 512;

    std::unique_ptr<Settings> clone() const override { return std::make_unique<MetaOtSettings>(*this); }
    void visit(FieldVisitor& visitor) override {
        visitor.count({.name = "dual-hidden", .help = "width of the network of meta-ot"}, shape.hidden, 1,
                      max_width);
        visitor.count({.name = "dual-layers", .help = "number of hidden layers of the network of meta-ot"},
                      shape.layers, 1, max_layers);
        visitor.choice(
            {.name = "dual-form",
             .help =
                 "inputs and outputs of meta-ot: a value for each atom as published, or smooth functions of "
                 "the position. With auto, smooth for more than 400 atoms with one or two coordinates, "
                 "else scaled values for each atom"},
            shape.form, {"auto", "atoms", "smooth"});
        visitor.choice(
            {.name = "dual-inputs",
             .help = "histograms that the network of meta-ot sees. With auto, both, unless the target has "
                     "more than four times as many atoms as the source"},
            shape.inputs, {"auto", "both", "source"});
        visitor.choice(
            {.name = "dual-base",
             .help = "potentials to which meta-ot adds its output: those between Gaussians with the same "
                     "means and covariances, or zeros"},
            shape.base, {"gaussian", "zeros"});
        visitor.choice(
            {.name = "dual-objective",
             .help = "loss of meta-ot: minus the semi-dual objective, or the squared distance from the "
                     "solutions, which are then computed in training",
             .group = FieldGroup::training},
            shape.objective, {"semidual", "regression"});
        visitor.count({.name = "problems-per-slot",
                       .help = "number of transport problems of a slot. A step has --batch-pairs slots",
                       .group = FieldGroup::training},
                      problems, 1, 4096);
        visitor.count(
            {.name = "demand-points",
             .help = "maximum number of target atoms of a problem in a step, drawn at random. 0 for all",
             .group = FieldGroup::training},
            demand, 0, 1U << 30U);
    }
};

class MetaOtFamily : public Family {
  public:
    std::string name() const override { return "meta-ot"; }
    std::string summary() const override {
        return "dual potentials of transport problems between histograms";
    }
    std::unique_ptr<Settings> make_settings() const override { return std::make_unique<MetaOtSettings>(); }
    OptionValues defaults(Recipe recipe, const Settings& /*settings*/) const override {
        if (recipe == Recipe::paper) {
            return {{"batch-pairs", "8"},     {"steps", "50000"},      {"rate", "1e-3"},
                    {"schedule", "constant"}, {"warmup-steps", "0"},   {"clip-norm", "1"},
                    {"ema-decay", "0"},       {"dual-hidden", "1024"}, {"dual-form", "atoms"},
                    {"dual-base", "zeros"},   {"dual-inputs", "both"}, {"demand-points", "0"}};
        }
        return {{"batch-pairs", "4"}, {"steps", "4000"}, {"rate", "2e-3"}, {"schedule", "cosine"}};
    }
    ItemKind items(const Settings& /*settings*/) const override { return ItemKind::problems; }
    ProblemDraws problem_draws(const Settings& settings) const override {
        const auto& own = dynamic_cast<const MetaOtSettings&>(settings);
        return {.problems = own.problems, .demand = own.demand};
    }
    OptionValues fixed(const Settings& /*settings*/) const override { return no_start_options; }
    std::unique_ptr<Model> make(const Settings& settings, const DataShape& /*data*/,
                                const Constants& constants, linalg::Precision /*precision*/) const override {
        return std::make_unique<MetaOt>(dynamic_cast<const MetaOtSettings&>(settings).shape, constants);
    }
};

const Matrix<float>& require(const Constants& constants, const char* name) {
    const auto at = constants.matrices.find(name);
    if (at == constants.matrices.end() || at->second.rows() == 0)
        throw core::ShapeMismatch("meta_ot.constants", name, 0, 0);
    return at->second;
}

// Positions, moved and scaled to [0, 1] in each coordinate.
Matrix<double> unit_positions(const Matrix<float>& positions, const Matrix<float>& others) {
    Matrix<double> unit(positions.rows(), positions.cols());
    for (std::size_t k = 0; k < positions.cols(); ++k) {
        double low = static_cast<double>(positions(0, k));
        double high = low;
        for (const Matrix<float>* side : {&positions, &others}) {
            for (std::size_t i = 0; i < side->rows(); ++i) {
                low = std::min(low, static_cast<double>((*side)(i, k)));
                high = std::max(high, static_cast<double>((*side)(i, k)));
            }
        }
        const double width = high > low ? high - low : 1;
        for (std::size_t i = 0; i < positions.rows(); ++i)
            unit(i, k) = (static_cast<double>(positions(i, k)) - low) / width;
    }
    return unit;
}

std::size_t terms_per_axis(std::size_t axes) {
    return static_cast<std::size_t>(std::lround(std::pow(smooth_terms, 1.0 / static_cast<double>(axes))));
}

// Returns the bin of each position on a grid with `count` bins on each axis.
std::vector<std::uint32_t> bins_of(const Matrix<double>& unit, std::size_t count) {
    std::vector<std::uint32_t> bins;
    for (std::size_t i = 0; i < unit.rows(); ++i) {
        std::size_t bin = 0;
        for (std::size_t k = 0; k < unit.cols(); ++k) {
            const auto at = static_cast<std::size_t>(unit(i, k) * static_cast<double>(count));
            bin = bin * count + std::min(at, count - 1);
        }
        bins.push_back(static_cast<std::uint32_t>(bin));
    }
    return bins;
}

// Returns the terms of a cosine series at each position, damped by their frequencies. [terms, positions]
Matrix<float> cosine_basis(const Matrix<double>& unit, std::size_t count) {
    std::size_t terms = 1;
    for (std::size_t k = 0; k < unit.cols(); ++k) terms *= count;
    Matrix<float> basis(terms, unit.rows());
    for (std::size_t term = 0; term < terms; ++term) {
        for (std::size_t i = 0; i < unit.rows(); ++i) {
            double value = 1;
            std::size_t rest = term;
            for (std::size_t k = 0; k < unit.cols(); ++k, rest /= count) {
                const auto frequency = static_cast<double>(rest % count);
                value *= std::cos(std::numbers::pi * frequency * unit(i, k)) / (1 + frequency);
            }
            basis(term, i) = static_cast<float>(value);
        }
    }
    return basis;
}

}  // namespace

MetaOt::MetaOt(const MetaOtShape& shape, const Constants& constants)
    : shape_(shape),
      epsilon_(static_cast<double>(require(constants, "epsilon")(0, 0))),
      scale_(static_cast<double>(require(constants, "scale")(0, 0))) {
    const Matrix<float>& source = require(constants, "source_positions");
    const Matrix<float>& target = require(constants, "target_positions");
    atoms_ = source.rows();
    target_atoms_ = target.rows();
    is_smooth_ = shape.form == DualForm::smooth ||
                 (shape.form == DualForm::automatic && atoms_ > largest_free_form && source.cols() <= 2);
    sees_target_ = shape.inputs == DualInputs::both ||
                   (shape.inputs == DualInputs::automatic && target_atoms_ <= 4 * atoms_);
    is_published_ = shape.form == DualForm::atoms;
    if (is_published_) scale_ = 1;
    std::size_t inputs = atoms_ + (sees_target_ ? target_atoms_ : 0);
    std::size_t outputs = atoms_;
    if (is_smooth_) {
        const std::size_t count = terms_per_axis(source.cols());
        const Matrix<double> unit = unit_positions(source, target);
        source_bins_ = bins_of(unit, count);
        target_bins_ = bins_of(unit_positions(target, source), count);
        basis_ = cosine_basis(unit, count);
        bins_ = basis_.rows();
        inputs = (sees_target_ ? 2 : 1) * bins_;
        outputs = bins_;
    } else if (!is_published_) {
        inputs *= 2;  // weights, and where there is mass
    }
    std::size_t width = inputs;
    for (std::size_t l = 0; l < shape.layers; ++l) {
        network_.emplace_back(layout_, "network." + std::to_string(l), width, shape.hidden);
        width = shape.hidden;
    }
    network_.emplace_back(layout_, "network." + std::to_string(shape.layers), width, outputs);
}

linalg::AlignedVector<float> MetaOt::initial_values(std::uint64_t seed) const {
    linalg::AlignedVector<float> values(layout_.size());
    for (const nn::Linear& layer : network_) {
        // The last layer stays zero, so that training starts from the base.
        if (is_published_ || &layer != &network_.back()) layer.initialise_glorot(values, seed);
    }
    return values;
}

std::unique_ptr<GradientTraining::Scratch> MetaOt::make_scratch() const {
    return std::make_unique<Workspace>();
}

nn::UpdatePhase MetaOt::phase(std::uint64_t step) const {
    return {0, 0, layout_.size(), step};
}

// Writes the features of one histogram: its weights in bins, or the weights of all atoms and where there is
// mass. @param size  number of bins or atoms
void MetaOt::add_histogram(const ot::Histogram& histogram, const std::vector<std::uint32_t>& bins,
                           std::size_t size, float* features) const {
    const double scale = is_published_ ? 1 : feature_scale * static_cast<double>(size);
    for (std::size_t k = 0; k < histogram.atoms.size(); ++k) {
        const std::uint32_t atom = histogram.atoms[k];
        const auto value = static_cast<float>(scale * histogram.weights[k]);
        if (is_smooth_) {
            features[bins[atom]] += value;
        } else {
            features[atom] = value;
            if (!is_published_) features[size + atom] = 1;
        }
    }
}

void MetaOt::fill_inputs(std::span<const HistogramPair> pairs, Matrix<float>& x) const {
    x.reshape(pairs.size(), network_.front().in());
    x.fill(0);
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        float* row = x.view().row(p);
        add_histogram(*pairs[p].source, source_bins_, is_smooth_ ? bins_ : atoms_, row);
        if (!sees_target_) continue;
        add_histogram(*pairs[p].target, target_bins_, is_smooth_ ? bins_ : target_atoms_,
                      row + (is_smooth_      ? bins_
                             : is_published_ ? atoms_
                                             : 2 * atoms_));
    }
}

// Computes w.f, the residual potentials of all source atoms divided by the scale.
void MetaOt::forward(std::span<const float> values, std::span<const HistogramPair> pairs,
                     Workspace& w) const {
    fill_inputs(pairs, w.x);
    w.z.resize(network_.size() - 1);
    linalg::ConstMatrixView<float> input = w.x.view();
    for (std::size_t l = 0; l + 1 < network_.size(); ++l) {
        w.z[l].reshape(pairs.size(), network_[l].out());
        network_[l].multiply<float>(values, input, w.z[l].view());
        linalg::relu_forward(w.z[l].view(), nn::elements_of(values, network_[l].bias()));
        input = w.z[l].view();
    }
    Matrix<float>& y = is_smooth_ ? w.y : w.f;
    y.reshape(pairs.size(), network_.back().out());
    network_.back().multiply<float>(values, input, y.view());
    linalg::add_bias(y.view(), nn::elements_of(values, network_.back().bias()));
    if (!is_smooth_) return;
    w.f.reshape(pairs.size(), atoms_);
    linalg::gemm(false, false, 1.0F, w.y.view(), basis_.view(), 0.0F, w.f.view());
}

// Adds the gradients of the parameters for the gradient w.df of w.f.
void MetaOt::backward(std::span<const float> values, Workspace& w, std::span<float> gradients) const {
    const Matrix<float>* dy = &w.df;
    if (is_smooth_) {
        w.dy.reshape(w.df.rows(), network_.back().out());
        linalg::gemm(false, true, 1.0F, w.df.view(), basis_.view(), 0.0F, w.dy.view());
        dy = &w.dy;
    }
    w.dz.resize(w.z.size());
    for (std::size_t l = network_.size(); l-- > 0;) {
        const linalg::ConstMatrixView<float> input = l == 0 ? w.x.view() : w.z[l - 1].view();
        network_[l].accumulate_gradient<float>(input, dy->view(), gradients);
        if (l == 0) break;
        w.dz[l - 1].reshape(dy->rows(), network_[l].in());
        network_[l].input_gradient<float>(values, dy->view(), 0.0F, w.dz[l - 1].view());
        linalg::relu_backward(w.z[l - 1].view(), w.dz[l - 1].view());
        dy = &w.dz[l - 1];
    }
}

// Computes the loss of one problem and its gradient with respect to the output of the network.
// @param f  output for the source atoms with mass
double MetaOt::problem_gradient(const TrainingProblem& problem, std::span<const float> f,
                                std::span<float> df) const {
    std::vector<double> potentials(f.size());
    for (std::size_t i = 0; i < f.size(); ++i)
        potentials[i] = problem.base[i] + scale_ * static_cast<double>(f[i]);
    if (shape_.objective == DualObjective::regression) {
        // The potentials are defined up to a constant, which the weighted means take out.
        double mean = 0;
        for (std::size_t i = 0; i < f.size(); ++i)
            mean += problem.a[i] * (potentials[i] - problem.solution[i]);
        double loss = 0;
        for (std::size_t i = 0; i < f.size(); ++i) {
            const double error = (potentials[i] - problem.solution[i] - mean) / scale_;
            loss += problem.a[i] * error * error;
            df[i] = static_cast<float>(2 * problem.a[i] * error);
        }
        return loss;
    }
    ot::SemiDual semidual(problem.c, problem.a, problem.b);
    semidual.evaluate(potentials, epsilon_);
    for (std::size_t i = 0; i < f.size(); ++i) df[i] = static_cast<float>(-semidual.gradient(i));
    return -semidual.value() / scale_;
}

double MetaOt::slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                             std::span<float> gradients) const {
    const auto& slot = dynamic_cast<const ProblemInput&>(input);
    auto& w = dynamic_cast<Workspace&>(scratch);
    forward(request.values, slot.pairs, w);
    w.df.reshape(slot.pairs.size(), atoms_);
    w.df.fill(0);
    const double share = 1 / static_cast<double>(slot.pairs.size());
    double loss = 0;
    std::vector<float> f;
    std::vector<float> df;
    for (std::size_t p = 0; p < slot.pairs.size(); ++p) {
        const std::vector<std::uint32_t>& atoms = slot.pairs[p].source->atoms;
        f.resize(atoms.size());
        df.resize(atoms.size());
        for (std::size_t i = 0; i < atoms.size(); ++i) f[i] = w.f(p, atoms[i]);
        loss += share * problem_gradient(slot.problems[p], f, df);
        for (std::size_t i = 0; i < atoms.size(); ++i) w.df(p, atoms[i]) = static_cast<float>(share) * df[i];
    }
    backward(request.values, w, gradients);
    return loss;
}

void MetaOt::predict(std::span<const float> values, std::span<const HistogramPair> pairs,
                     linalg::MatrixView<float> residual) const {
    core::check_shape("meta_ot.residual", residual.rows, residual.cols, pairs.size(), atoms_);
    Workspace w;
    forward(values, pairs, w);
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        for (std::size_t i = 0; i < atoms_; ++i) residual(p, i) = static_cast<float>(scale_) * w.f(p, i);
    }
}

const Family* meta_ot_family() {
    static const MetaOtFamily family;
    return &family;
}

}  // namespace popflow::models

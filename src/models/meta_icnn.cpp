// SPDX-License-Identifier: MIT
#include "models/meta_icnn.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"
#include "models/cell_histogram.hpp"
#include "models/packed_scratch.hpp"
#include "ot/gaussian_moments.hpp"

namespace popflow::models {

using linalg::accumulator_t;
using linalg::bfloat16;
using linalg::ConstMatrixView;
using linalg::Matrix;
using linalg::MatrixView;

namespace {

// Share of the curvature of the base that its units have.
constexpr double base_share = 0.05;
// Number of random cells for which the map of identity_potential() is the identity on average.
constexpr std::size_t identity_cells = 2048;
// Length of the weights of a unit of identity_potential(), in units of 1 / spread.
constexpr double unit_length = 2;

struct MetaIcnnSettings final : Settings {
    MetaIcnnShape shape;
    ProblemPairs pairs = ProblemPairs::all;
    std::size_t problems = 4;
    std::size_t pool = 2048;

    std::unique_ptr<Settings> clone() const override { return std::make_unique<MetaIcnnSettings>(*this); }
    void visit(FieldVisitor& visitor) override {
        visitor.choice(
            {.name = "map-inputs",
             .help = "input of the encoder of meta-icnn: the cells of a population, or a histogram "
                     "of them",
             .omits_default = true},
            shape.inputs, {"cells", "histogram"});
        visitor.count({.name = "map-bins",
                       .help = "number of bins of each axis of this histogram",
                       .omits_default = true},
                      shape.bins, 2, max_histogram_bins);
        visitor.count(
            {.name = "map-units", .help = "number of hidden units of a convex potential of meta-icnn"},
            shape.units, 1, max_width);
        visitor.number(
            {.name = "map-cycle",
             .help = "weight of the cycle terms in the loss of meta-icnn: squared distances of cells mapped "
                     "there and back"},
            shape.cycle, 0, 1e6);
        visitor.count({.name = "map-encoder-hidden", .help = "width of the set encoder of meta-icnn"},
                      shape.encoder_hidden, 1, max_width);
        visitor.count(
            {.name = "map-encoder-layers", .help = "number of layers of the set encoder of meta-icnn"},
            shape.encoder_layers, 1, max_layers);
        visitor.count(
            {.name = "map-embedding", .help = "length of the embedding of a population in meta-icnn"},
            shape.embedding, 1, max_width);
        visitor.count(
            {.name = "map-hidden", .help = "width of the network of meta-icnn that predicts the potentials"},
            shape.hidden, 1, max_width);
        visitor.count({.name = "map-layers", .help = "number of hidden layers of this network"}, shape.layers,
                      1, max_layers);
        visitor.choice({.name = "map-problems",
                        .help = "pairs of populations that meta-icnn trains on: all, labels for different "
                                "treatments with the same values of --pair-by, within for the same treatment",
                        .group = FieldGroup::training},
                       pairs, {"all", "labels", "within"});
        visitor.count(
            {.name = "maps-per-slot",
             .help = "number of transport problems of a slot of meta-icnn. A step has --batch-pairs "
                     "slots",
             .group = FieldGroup::training},
            problems, 1, 4096);
        visitor.count({.name = "map-pool",
                       .help = "number of random cells of each training population that every rank of "
                               "meta-icnn holds, 0 for all",
                       .group = FieldGroup::training},
                      pool, 0, 1U << 30U);
    }
};

class MetaIcnnFamily : public Family {
  public:
    std::string name() const override { return "meta-icnn"; }
    std::string summary() const override {
        return "convex potentials of transport between any two populations, predicted by a network";
    }
    std::unique_ptr<Settings> make_settings() const override { return std::make_unique<MetaIcnnSettings>(); }
    OptionValues defaults(Recipe /*recipe*/, const Settings& /*settings*/) const override {
        return {{"batch-pairs", "2"},
                {"steps", "6000"},
                {"rate", "2e-3"},
                {"schedule", "cosine"},
                {"cells", "512"}};
    }
    OptionValues fixed(const Settings& /*settings*/) const override { return no_start_options; }
    ItemKind items(const Settings& /*settings*/) const override { return ItemKind::populations; }
    PopulationDraws population_draws(const Settings& settings) const override {
        const auto& own = dynamic_cast<const MetaIcnnSettings&>(settings);
        return {.form = PopulationForm::problems,
                .populations = own.problems,
                .problem_pairs = own.pairs,
                .pool_cells = own.pool};
    }
    std::map<std::string, std::string> unused_settings(const Settings& settings) const override {
        if (dynamic_cast<const MetaIcnnSettings&>(settings).shape.inputs == MapInputs::histogram) return {};
        return {{"map-bins", "--map-inputs cells"}};
    }
    void check(const Settings& settings, const DataShape& data, std::size_t /*min_cells*/) const override {
        const MetaIcnnShape& shape = dynamic_cast<const MetaIcnnSettings&>(settings).shape;
        if (shape.inputs == MapInputs::cells ||
            histogram_size(shape.bins, data.markers) <= max_histogram_bins)
            return;
        throw core::ConfigError(
            "map-inputs", "found histogram with --map-bins " + std::to_string(shape.bins) +
                              ", but there are " + std::to_string(data.markers) +
                              " markers, and a histogram has at most " + std::to_string(max_histogram_bins) +
                              " bins. Lower --map-bins, choose markers with --markers, or give cells");
    }
    bool supports_bf16() const override { return true; }
    std::unique_ptr<Model> make(const Settings& settings, const DataShape& data,
                                const Constants& /*constants*/, linalg::Precision precision) const override {
        MetaIcnnShape shape = dynamic_cast<const MetaIcnnSettings&>(settings).shape;
        shape.markers = data.markers;
        shape.precision = precision;
        return std::make_unique<MetaIcnn>(shape);
    }
};

}  // namespace

std::vector<float> identity_potential(const nn::PotentialShape& shape, double share, double spread,
                                      std::uint64_t seed, std::uint64_t key) {
    const std::size_t d = shape.inputs;
    const std::size_t h = shape.hidden;
    core::Stream stream(seed, core::Purpose::weights, key);
    std::vector<float> parameters(shape.size());
    std::vector<double> direction(d);
    for (std::size_t j = 0; j < h; ++j) {
        double length = 0;
        for (double& v : direction) {
            v = stream.normal();
            length += v * v;
        }
        const double scale = unit_length / (spread * std::sqrt(std::max(length, 1e-300)));
        for (std::size_t k = 0; k < d; ++k) parameters[j * d + k] = static_cast<float>(scale * direction[k]);
        parameters[shape.bias() + j] = static_cast<float>(unit_length * stream.normal());
    }
    // Means over random cells of the map and of the curvature of the units with weight 1.
    std::vector<double> map(d);
    Matrix<double> curvature(d, d);
    std::vector<double> x(d);
    for (std::size_t i = 0; i < identity_cells; ++i) {
        for (double& v : x) v = spread * stream.normal();
        for (std::size_t j = 0; j < h; ++j) {
            const float* unit = parameters.data() + j * d;
            auto z = static_cast<double>(parameters[shape.bias() + j]);
            for (std::size_t k = 0; k < d; ++k) z += static_cast<double>(unit[k]) * x[k];
            const double slope = 1 / (1 + std::exp(-z));
            for (std::size_t k = 0; k < d; ++k) {
                const double along = static_cast<double>(unit[k]) / identity_cells;
                map[k] += slope * along;
                for (std::size_t l = 0; l < d; ++l)
                    curvature(k, l) += slope * (1 - slope) * along * static_cast<double>(unit[l]);
            }
        }
    }
    double trace = 0;
    for (std::size_t k = 0; k < d; ++k) trace += curvature(k, k);
    const double weight = share * static_cast<double>(d) / trace;
    // softplus(w) = weight
    const double w = std::log(std::expm1(weight));
    for (std::size_t j = 0; j < h; ++j) parameters[shape.weight() + j] = static_cast<float>(w);
    Matrix<double> rest(d, d);
    for (std::size_t k = 0; k < d; ++k) {
        parameters[shape.linear() + k] = static_cast<float>(-weight * map[k]);
        for (std::size_t l = 0; l < d; ++l)
            rest(k, l) = 0.5 * ((k == l ? 1.0 : 0.0) - weight * curvature(k, l));
    }
    const Matrix<double> root = ot::symmetric_root(rest.view());
    std::ranges::transform(root.values(), parameters.begin() + static_cast<std::ptrdiff_t>(shape.quadratic()),
                           [](double v) { return static_cast<float>(v); });
    return parameters;
}

BalancedClouds<float> balanced_clouds(const ot::BalancedCoordinates& coordinates,
                                      ConstMatrixView<float> source, ConstMatrixView<float> target) {
    BalancedClouds<float> clouds{coordinates.of_source(source), coordinates.of_target(target), {}};
    for (std::size_t k = 0; k < coordinates.covariance.rows(); ++k) {
        for (std::size_t l = 0; l <= k; ++l)
            clouds.triangle.push_back(static_cast<float>(coordinates.covariance(k, l)));
    }
    return clouds;
}

MetaIcnn::MetaIcnn(const MetaIcnnShape& shape)
    : shape_(shape),
      base_(layout_.add("potential.base", 1, potential_shape().size())),
      encoder_(layout_, "encoder",
               {.inputs = shape.inputs == MapInputs::cells ? shape.markers
                                                           : histogram_size(shape.bins, shape.markers),
                .hidden = shape.encoder_hidden,
                .layers = shape.encoder_layers,
                .embedding = shape.embedding,
                .knn = 0,
                .norm = std::sqrt(static_cast<double>(shape.embedding))}),
      network_(layout_, "network",
               {.shared_before = 2 * shape.embedding,
                .row_inputs = shape.markers * (shape.markers + 1) / 2,
                .hidden = shape.hidden,
                .layers = shape.layers,
                .outputs = potential_shape().size()}) {}

linalg::AlignedVector<float> MetaIcnn::initial_values(std::uint64_t seed) const {
    linalg::AlignedVector<float> values(layout_.size());
    const std::vector<float> base = identity_potential(potential_shape(), base_share, 1, seed, base_.offset);
    std::ranges::copy(base, nn::elements_of(std::span<float>(values), base_).begin());
    encoder_.initialise(values, seed);
    // Without biases, all layers would be linear along each ray from the origin.
    for (std::size_t l = 0; l < shape_.encoder_layers; ++l) {
        const nn::Tensor& bias = layout_.find("encoder.conv." + std::to_string(l) + ".bias");
        core::Stream stream(seed, core::Purpose::weights, bias.offset);
        for (float& v : nn::elements_of(std::span<float>(values), bias))
            v = static_cast<float>(2 * stream.uniform() - 1);
    }
    network_.initialise(values, seed);
    network_.zero_output(values);
    return values;
}

std::unique_ptr<GradientTraining::Scratch> MetaIcnn::make_scratch() const {
    if (shape_.precision == linalg::Precision::bf16)
        return std::make_unique<PackedScratch<MetaIcnn, bfloat16>>();
    return std::make_unique<PackedScratch<MetaIcnn, float>>();
}

void MetaIcnn::begin_step(std::span<const float> values,
                          std::span<const std::unique_ptr<Scratch>> scratch) const {
    if (shape_.precision == linalg::Precision::bf16)
        share_packed_weights<bfloat16>(*this, values, scratch);
    else
        share_packed_weights<float>(*this, values, scratch);
}

nn::UpdatePhase MetaIcnn::phase(std::uint64_t step) const {
    return {0, 0, layout_.size(), step};
}

template <class T>
void MetaIcnn::pack(std::span<const accumulator_t<T>> values, Weights<T>& weights) const {
    weights.values = values;
    network_.pack(values, weights.network);
}

template <class T>
void MetaIcnn::predict_parameters(const Weights<T>& weights, const BalancedClouds<accumulator_t<T>>& clouds,
                                  bool keep, Workspace<T>& w) const {
    using Real = accumulator_t<T>;
    const std::size_t d = shape_.markers;
    core::check_shape("meta_icnn.triangle", clouds.triangle.size(), 1, d * (d + 1) / 2, 1);
    const bool has_histogram = shape_.inputs == MapInputs::histogram;
    const Matrix<double> transform =
        has_histogram ? histogram_coordinates<Real>(clouds.triangle, d) : Matrix<double>();
    const auto embed = [&](const Matrix<Real>& cells, typename Workspace<T>::Side& side) {
        core::check_shape("meta_icnn.cells", cells.rows(), cells.cols(), cells.rows(), d);
        if (has_histogram) {
            side.histogram.reshape(1, histogram_size(shape_.bins, d));
            histogram_features<Real>(cells.view(), transform, shape_.bins, side.histogram.values());
        }
        const ConstMatrixView<Real> input = encoder_input(cells, side);
        side.embedding.resize(shape_.embedding);
        encoder_.forward<Real>(weights.values, input, input.cols, side.encoder, side.embedding);
    };
    embed(clouds.source, w.source);
    embed(clouds.target, w.target);
    const auto base = nn::elements_of(weights.values, base_);
    const ConstMatrixView<Real> triangle(clouds.triangle.data(), 1, clouds.triangle.size());
    const auto predict_side = [&](typename Workspace<T>::Side& side,
                                  const typename Workspace<T>::Side& other) {
        side.inputs = side.embedding;
        side.inputs.insert(side.inputs.end(), other.embedding.begin(), other.embedding.end());
        side.parameters.reshape(1, base.size());
        network_.forward<T>(weights.values, weights.network, side.inputs, triangle, {}, keep, side.network,
                            side.parameters.view());
        for (std::size_t k = 0; k < base.size(); ++k)
            side.parameters(0, k) = base[k] + static_cast<Real>(output_scale) * side.parameters(0, k);
    };
    predict_side(w.source, w.target);
    predict_side(w.target, w.source);
}

template <class T>
double MetaIcnn::loss_and_gradient(const Weights<T>& weights, const BalancedClouds<accumulator_t<T>>& clouds,
                                   accumulator_t<T> share, Workspace<T>& w,
                                   std::span<accumulator_t<T>> gradients) const {
    using Real = accumulator_t<T>;
    predict_parameters(weights, clouds, true, w);
    w.pair.set(potential_shape(), w.source.parameters.values(), w.target.parameters.values());
    for (auto* side : {&w.source, &w.target}) {
        side->d_parameters.reshape(1, base_.size());
        side->d_parameters.fill(0);
    }
    const double loss =
        w.pair.loss_and_gradient(clouds.source.view(), clouds.target.view(), {.cycle = shape_.cycle},
                                 w.source.d_parameters.values(), w.target.d_parameters.values());
    const auto d_base = nn::elements_of(gradients, base_);
    const std::size_t e = shape_.embedding;
    for (auto* side : {&w.source, &w.target}) {
        for (std::size_t k = 0; k < base_.size(); ++k) {
            const Real gradient = share * side->d_parameters(0, k);
            d_base[k] += gradient;
            side->d_parameters(0, k) = static_cast<Real>(output_scale) * gradient;
        }
        side->d_inputs.resize(2 * e);
        network_.backward<T>(weights.values, weights.network, side->inputs, {}, side->d_parameters.view(),
                             side->network, gradients, side->d_inputs);
    }
    const auto encoder_backward = [&](const Matrix<Real>& cells, typename Workspace<T>::Side& side,
                                      const typename Workspace<T>::Side& other) {
        side.d_embedding.resize(e);
        for (std::size_t k = 0; k < e; ++k) side.d_embedding[k] = side.d_inputs[k] + other.d_inputs[e + k];
        encoder_.backward<Real>(weights.values, encoder_input(cells, side), side.embedding, side.d_embedding,
                                side.encoder, gradients);
    };
    encoder_backward(clouds.source, w.source, w.target);
    encoder_backward(clouds.target, w.target, w.source);
    return loss;
}

template <class T>
double MetaIcnn::train(const Request& request, const CloudPairInput& input, Scratch& scratch,
                       std::span<float> gradients) const {
    auto& own = static_cast<PackedScratch<MetaIcnn, T>&>(scratch);
    const Weights<T>& weights = own.weights(*this, request.values);
    const double share = 1 / static_cast<double>(input.problems.size());
    double loss = 0;
    for (const BalancedClouds<float>& problem : input.problems)
        loss +=
            share * loss_and_gradient(weights, problem, static_cast<float>(share), own.workspace, gradients);
    return loss;
}

double MetaIcnn::slot_gradient(const Request& request, const SlotInput& input, Scratch& scratch,
                               std::span<float> gradients) const {
    const auto& problems = static_cast<const CloudPairInput&>(input);
    return shape_.precision == linalg::Precision::bf16
               ? train<bfloat16>(request, problems, scratch, gradients)
               : train<float>(request, problems, scratch, gradients);
}

PredictedPotentials MetaIcnn::predict(std::span<const float> values,
                                      const BalancedClouds<float>& clouds) const {
    Weights<float> weights;
    pack(values, weights);
    Workspace<float> workspace;
    predict_parameters(weights, clouds, false, workspace);
    const auto source = workspace.source.parameters.values();
    const auto target = workspace.target.parameters.values();
    return {{source.begin(), source.end()}, {target.begin(), target.end()}};
}

const Family* meta_icnn_family() {
    static const MetaIcnnFamily family;
    return &family;
}

#define POPFLOW_INSTANTIATE(T, Real)                                                                  \
    template void MetaIcnn::pack(std::span<const Real>, Weights<T>&) const;                           \
    template void MetaIcnn::predict_parameters(const Weights<T>&, const BalancedClouds<Real>&, bool,  \
                                               Workspace<T>&) const;                                  \
    template double MetaIcnn::loss_and_gradient(const Weights<T>&, const BalancedClouds<Real>&, Real, \
                                                Workspace<T>&, std::span<Real>) const;
POPFLOW_INSTANTIATE(float, float)
POPFLOW_INSTANTIATE(bfloat16, float)
POPFLOW_INSTANTIATE(double, double)
#undef POPFLOW_INSTANTIATE

}  // namespace popflow::models

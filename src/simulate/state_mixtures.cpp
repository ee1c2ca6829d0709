// SPDX-License-Identifier: MIT
#include "simulate/state_mixtures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "simulate/dirichlet.hpp"

namespace popflow::simulate {

namespace {

// Fills `rows` [n, n] with a random orthogonal matrix: Gram-Schmidt on normal numbers, twice per row so that
// rounding does not add up.
void draw_orthogonal(core::Stream& stream, std::size_t n, std::span<double> rows) {
    for (std::size_t i = 0; i < n; ++i) {
        const std::span<double> row = rows.subspan(i * n, n);
        for (double& value : row) value = stream.normal();
        for (int pass = 0; pass < 2; ++pass) {
            for (std::size_t j = 0; j < i; ++j) {
                const std::span<double> other = rows.subspan(j * n, n);
                const double product = std::inner_product(row.begin(), row.end(), other.begin(), 0.0);
                for (std::size_t k = 0; k < n; ++k) row[k] -= product * other[k];
            }
            const double length = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
            for (double& value : row) value /= length;
        }
    }
}

double smallest_distance(std::span<const double> points, std::size_t dimensions) {
    double smallest = std::numeric_limits<double>::infinity();
    for (std::size_t i = dimensions; i < points.size(); i += dimensions) {
        for (std::size_t j = 0; j < i; j += dimensions) {
            double sum = 0;
            for (std::size_t k = 0; k < dimensions; ++k) sum += std::pow(points[i + k] - points[j + k], 2);
            smallest = std::min(smallest, std::sqrt(sum));
        }
    }
    return smallest;
}

// Labels S1, S2, ... of equal length, so that their order is also that of the alphabet.
std::vector<std::string> state_labels(std::size_t states) {
    const std::size_t digits = std::to_string(states).size();
    std::vector<std::string> labels;
    for (std::size_t k = 1; k <= states; ++k) labels.push_back(fmt::format("S{:0{}}", k, digits));
    return labels;
}

std::size_t draw_state(core::Stream& stream, std::span<const double> weights) {
    double place = stream.uniform();
    std::size_t last = 0;
    for (std::size_t k = 0; k < weights.size(); ++k) {
        if (weights[k] > 0) last = k;
        if (place < weights[k]) return k;
        place -= weights[k];
    }
    return last;  // the weights sum to slightly less than 1
}

std::vector<double> draw_dirichlet_parameters(const ShapesOptions& options, std::size_t treatment) {
    core::Stream stream = law_stream(options, "Dirichlet parameters", treatment);
    std::vector<double> a = draw_dirichlet(stream, std::vector<double>(options.states, 3));
    // A parameter of 0 has no law. Weights of a state that rare are 0.
    for (double& value : a) value = std::max(options.dirichlet_sum * value, 1e-6);
    return a;
}

// Sets the parts that mixtures and unpaired populations share.
void set_states(ShapeLaw& law, const ShapesOptions& options, const CellStates& states) {
    const std::size_t d = options.markers;
    for (std::size_t j = 1; j <= d; ++j) law.markers.push_back(fmt::format("M{}", j));
    law.states = state_labels(options.states);
    for (const std::string& state : law.states) law.parameters.push_back("w_" + state);
    law.arrays.push_back({"state_mean", {options.states, d}, states.mean});
    law.arrays.push_back({"state_covariance", {options.states, d, d}, states.covariance()});
}

// Returns the sampler of a mixture whose states are moved. @param shift  [states, markers], or empty
CellSampler mixture_sampler(const std::shared_ptr<const CellStates>& states, std::span<const double> weights,
                            std::vector<double> shift) {
    return [states, w = std::vector<double>(weights.begin(), weights.end()), shift = std::move(shift)](
               core::Stream& stream, std::span<double> x) {
        const std::size_t state = draw_state(stream, w);
        states->draw(stream, state, x);
        if (!shift.empty()) {
            for (std::size_t j = 0; j < x.size(); ++j) x[j] += shift[state * x.size() + j];
        }
        return state;
    };
}

// Draws the vectors by which a treatment moves the states [states, markers].
std::vector<double> draw_shift(const ShapesOptions& options, std::size_t treatment) {
    core::Stream stream = law_stream(options, "shift of the states", treatment);
    std::vector<double> shift(options.states * options.markers);
    for (std::size_t first = 0; first < shift.size(); first += options.markers) {
        const std::span<double> row = std::span(shift).subspan(first, options.markers);
        for (double& value : row) value = stream.normal();
        const double length = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
        for (double& value : row) value *= options.shift / length;
    }
    return shift;
}

std::vector<double> draw_selection(const ShapesOptions& options, std::size_t treatment) {
    core::Stream stream = law_stream(options, "selection of the states", treatment);
    std::vector<double> selection(options.states);
    for (double& value : selection) value = options.selection * (2 * stream.uniform() - 1);
    return selection;
}

}  // namespace

std::vector<double> CellStates::covariance() const {
    std::vector<double> all(factor.size(), 0.0);
    for (std::size_t first = 0; first < factor.size(); first += markers * markers) {
        for (std::size_t k = 0; k < markers; ++k) {
            const double* axis = &factor[first + k * markers];
            for (std::size_t i = 0; i < markers; ++i) {
                for (std::size_t j = 0; j < markers; ++j) all[first + i * markers + j] += axis[i] * axis[j];
            }
        }
    }
    return all;
}

void CellStates::draw(core::Stream& stream, std::size_t state, std::span<double> x) const {
    std::copy_n(&mean[state * markers], markers, x.begin());
    for (std::size_t k = 0; k < markers; ++k) {
        const double z = stream.normal();
        const double* axis = &factor[(state * markers + k) * markers];
        for (std::size_t j = 0; j < markers; ++j) x[j] += axis[j] * z;
    }
}

CellStates draw_states(const ShapesOptions& options) {
    const std::size_t d = options.markers;
    CellStates states{.markers = d,
                      .mean = std::vector<double>(options.states * d),
                      .factor = std::vector<double>(options.states * d * d)};
    core::Stream means = law_stream(options, "means of the states");
    for (double& value : states.mean) value = means.normal();
    if (options.states > 1) {
        const double scale = options.separation / smallest_distance(states.mean, d);
        for (double& value : states.mean) value *= scale;
    }
    for (std::size_t k = 0; k < options.states; ++k) {
        core::Stream stream = law_stream(options, "covariance of a state", k);
        const std::span<double> factor = std::span(states.factor).subspan(k * d * d, d * d);
        draw_orthogonal(stream, d, factor);
        for (std::size_t i = 0; i < d; ++i) {
            const double length = std::sqrt(0.25 + 0.75 * stream.uniform());
            for (double& value : factor.subspan(i * d, d)) value *= length;
        }
    }
    return states;
}

std::vector<double> select_states(std::span<const double> weights, std::span<const double> selection) {
    std::vector<double> treated(weights.begin(), weights.end());
    for (std::size_t k = 0; k < treated.size(); ++k) treated[k] *= std::exp(selection[k] * (1 - weights[0]));
    const double sum = std::accumulate(treated.begin(), treated.end(), 0.0);
    for (double& weight : treated) weight /= sum;
    return treated;
}

ShapeLaw make_mixtures(const ShapesOptions& options) {
    ShapeLaw law;
    const auto states = std::make_shared<const CellStates>(draw_states(options));
    set_states(law, options, *states);
    std::vector<std::vector<double>> a;
    LawArray all{"dirichlet", {options.treatments, options.states}, {}};
    for (std::size_t t = 0; t < options.treatments; ++t) {
        law.treatments.push_back(fmt::format("T{}", t + 1));
        a.push_back(draw_dirichlet_parameters(options, t));
        all.values.insert(all.values.end(), a.back().begin(), a.back().end());
    }
    law.arrays.push_back(std::move(all));
    law.draw_parameters = [options, a](const ShapeIndex& index) {
        core::Stream stream = parameter_stream(options, index);
        return draw_dirichlet(stream, a[index.treatment]);
    };
    law.sampler = [states](const ShapeIndex& /*index*/, std::span<const double> weights) {
        return mixture_sampler(states, weights, {});
    };
    return law;
}

ShapeLaw make_unpaired(const ShapesOptions& options) {
    ShapeLaw law;
    law.is_paired = true;
    const auto states = std::make_shared<const CellStates>(draw_states(options));
    set_states(law, options, *states);
    const std::vector<double> a = draw_dirichlet_parameters(options, 0);
    law.arrays.push_back({"dirichlet", {1, options.states}, a});
    law.treatments = {"control"};
    std::vector<std::vector<double>> shift;
    std::vector<std::vector<double>> selection;
    LawArray all_shifts{"state_shift", {options.treatments, options.states, options.markers}, {}};
    LawArray all_selections{"selection", {options.treatments, options.states}, {}};
    for (std::size_t t = 0; t < options.treatments; ++t) {
        law.treatments.push_back(fmt::format("T{}", t + 1));
        shift.push_back(draw_shift(options, t));
        selection.push_back(draw_selection(options, t));
        all_shifts.values.insert(all_shifts.values.end(), shift[t].begin(), shift[t].end());
        all_selections.values.insert(all_selections.values.end(), selection[t].begin(), selection[t].end());
    }
    law.arrays.push_back(std::move(all_shifts));
    law.arrays.push_back(std::move(all_selections));
    law.draw_parameters = [options, a, selection](const ShapeIndex& index) {
        ShapeIndex control = index;
        control.treatment = 0;
        core::Stream stream = parameter_stream(options, control);
        const std::vector<double> weights = draw_dirichlet(stream, a);
        return index.treatment == 0 ? weights : select_states(weights, selection[index.treatment - 1]);
    };
    law.sampler = [states, shift](const ShapeIndex& index, std::span<const double> weights) {
        return mixture_sampler(states, weights,
                               index.treatment == 0 ? std::vector<double>() : shift[index.treatment - 1]);
    };
    return law;
}

}  // namespace popflow::simulate

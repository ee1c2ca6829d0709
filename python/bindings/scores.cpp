// SPDX-License-Identifier: MIT
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "call.hpp"
#include "core/error.hpp"
#include "eval/set_comparison.hpp"
#include "metrics/metric.hpp"
#include "mpi/communicator.hpp"
#include "popflow/popflow.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace popflow::python {

namespace {

CellsView cells_view(const ArrayView2<float>& array) {
    return {array.data(), array.shape(0), array.shape(1)};
}

std::map<std::string, double> compare(const ArrayView2<float>& predicted, const ArrayView2<float>& truth,
                                      const std::vector<std::string>& names,
                                      const std::optional<ArrayView2<float>>& control) {
    Call call;
    return call.run([&] {
        return compute_metrics(cells_view(predicted), cells_view(truth), names,
                               control ? cells_view(*control) : CellsView{});
    });
}

// Copies populations, since a comparison takes matrices of its own.
std::vector<linalg::Matrix<float>> copies(const std::vector<ArrayView2<float>>& arrays) {
    std::vector<linalg::Matrix<float>> matrices;
    for (const auto& array : arrays) {
        linalg::Matrix<float> matrix(array.shape(0), array.shape(1));
        std::copy_n(array.data(), matrix.size(), matrix.data());
        matrices.push_back(std::move(matrix));
    }
    return matrices;
}

// Returns one dict for each distance.
nb::list compare_sets(const std::vector<ArrayView2<float>>& generated,
                      const std::vector<ArrayView2<float>>& real,
                      const std::vector<ArrayView2<float>>& training,
                      const std::vector<std::string>& distances, std::size_t permutations, std::uint64_t seed,
                      bool is_paired) {
    eval::SetOptions options{.distances = {}, .permutations = permutations};
    const std::vector<std::string>& known = metrics::population_distance_names();
    for (const std::string& name : distances) {
        const auto at = std::ranges::find(known, name);
        if (at == known.end())
            throw core::ConfigError("distances",
                                    "found '" + name + "'. Give w1, w2, chamfer, energy or bures");
        options.distances.push_back(static_cast<metrics::PopulationDistance>(at - known.begin()));
    }
    Call call;
    const auto compare_all = [&] {
        const auto generated_cells = copies(generated);
        const auto real_cells = copies(real);
        const auto training_cells = copies(training);
        return eval::compare_sets({.real = real_cells,
                                   .generated = generated_cells,
                                   .training = training_cells,
                                   .is_paired = is_paired},
                                  options, seed, mpi::Communicator::self());
    };
    std::vector<eval::SetComparison> comparisons;
    try {
        comparisons = call.run(compare_all).value();
    } catch (const core::NumericalError& error) {  // values that are not finite
        throw core::UserError(error.what());
    }
    nb::list rows;
    for (const eval::SetComparison& comparison : comparisons) {
        nb::dict row;
        row["distance"] = known[static_cast<std::size_t>(comparison.distance)];
        for (const eval::SetMetric& metric : eval::set_metrics()) {
            if (!metric.needs_training || !training.empty())
                row[metric.name] = comparison.scores.*metric.score;
        }
        if (is_paired) row["paired"] = comparison.paired;
        row["distances_computed"] = comparison.distances_computed;
        rows.append(row);
    }
    return rows;
}

}  // namespace

void bind_scores(nb::module_& module) {
    module.def("compare", &compare, "predicted"_a.noconvert(), "truth"_a.noconvert(), "names"_a,
               "control"_a.none(), "Compares two populations. Returns the scores by name.");
    module.def("compare_sets", &compare_sets, "generated"_a, "real"_a, "training"_a, "distances"_a,
               "permutations"_a, "seed"_a, "is_paired"_a,
               "Compares two sets of populations. Returns one dict for each distance.");
    module.def(
        "metric_names", [] { return metrics::metric_names(); }, "Names of the scores of two populations.");
}

}  // namespace popflow::python

// SPDX-License-Identifier: MIT
#include "simulate/shapes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "simulate/planar_shapes.hpp"
#include "simulate/simulated_response.hpp"
#include "simulate/state_mixtures.hpp"
#include "simulate/superquadric.hpp"

namespace popflow::simulate {

namespace {

using core::ConfigError;

const std::vector<std::string> mixture_options{"law-seed", "markers", "states", "separation",
                                               "dirichlet-sum"};
const std::vector<std::string> unpaired_options{"law-seed",      "markers", "states",   "separation",
                                                "dirichlet-sum", "shift",   "selection"};

void check_at_least_one(const char* key, std::size_t found) {
    if (found == 0) throw ConfigError(key, "found '0'. Give 1 or more");
}

// Finds the family, and replaces zeros that stand for its defaults.
ShapesOptions resolve(const ShapesOptions& given, const ShapeFamily& family) {
    ShapesOptions options = given;
    if (options.treatments == 0) options.treatments = family.treatments;
    if (options.min_cells == 0 && options.max_cells == 0) {
        options.min_cells = family.min_cells;
        options.max_cells = family.max_cells;
    }
    check_at_least_one("populations", options.populations);
    check_at_least_one("markers", options.markers);
    check_at_least_one("states", options.states);
    if (options.min_cells == 0 || options.min_cells > options.max_cells)
        throw ConfigError("cells", fmt::format("found {}:{}. Give N or MIN:MAX with 1 <= MIN <= MAX",
                                               options.min_cells, options.max_cells));
    constexpr std::size_t max_states = 100;  // a byte per cell holds the state
    if (options.states > max_states)
        throw ConfigError("states",
                          fmt::format("found {}. Give a number from 1 to {}", options.states, max_states));
    if (!(options.separation > 0))
        throw ConfigError("separation", fmt::format("found {:g}. Give a number above 0", options.separation));
    if (!(options.dirichlet_sum > 0))
        throw ConfigError("dirichlet-sum",
                          fmt::format("found {:g}. Give a number above 0", options.dirichlet_sum));
    return options;
}

const char* part_label(const ShapeIndex& index) {
    return index.test ? "test" : "train";
}

std::size_t draw_size(const ShapesOptions& options, const ShapeIndex& index) {
    core::Stream stream = shape_stream(
        options, fmt::format("size of treatment {}, {}", index.treatment, part_label(index)), index.number);
    return options.min_cells + stream.below(options.max_cells - options.min_cells + 1);
}

// Permutes the 32-bit numbers. Each step is invertible, so different numbers stay different.
std::uint32_t scramble(std::uint32_t number, std::uint64_t key) {
    for (int round = 0; round < 3; ++round) {
        number += static_cast<std::uint32_t>(key >> (8 * round));
        number ^= number >> 16U;
        number *= 0x7feb352dU;
        number ^= number >> 15U;
        number *= 0x846ca68bU;
        number ^= number >> 16U;
    }
    return number;
}

ShapePopulation make_population(const Shapes& shapes, const ShapeIndex& index) {
    const std::string group = fmt::format("{}_{}", shapes.law.treatments[index.treatment], part_label(index));
    ShapePopulation population{.index = index,
                               .name = fmt::format("{}_{}", group, index.number),
                               .n_cells = draw_size(shapes.options, index),
                               .parameters = shapes.law.draw_parameters(index)};
    if (shapes.law.is_paired) {
        const std::uint64_t key = shape_stream(shapes.options, "names of " + group).next64();
        population.name =
            fmt::format("{}_{:08x}", group, scramble(static_cast<std::uint32_t>(index.number), key));
        population.pair = fmt::format("{}_{}", part_label(index), index.number);
    }
    return population;
}

}  // namespace

bool ShapeFamily::has_option(const std::string& option) const {
    return std::ranges::find(options, option) != options.end();
}

const std::vector<ShapeFamily>& shape_families() {
    static const std::vector<ShapeFamily> families{
        {"spiral", "Gaussians along a spiral in the plane", 256, 256, 1, {}, make_spiral},
        {"rings", "noisy ellipses in the plane", 256, 256, 1, {}, make_rings},
        {"superquadrics",
         "surfaces between box, ellipsoid and octahedron in space",
         512,
         512,
         1,
         {},
         make_superquadrics},
        {"mixtures", "mixtures of fixed cell states with random weights", 100, 1000, 3, mixture_options,
         make_mixtures},
        {"unpaired", "mixtures, and their response to a treatment, with hidden pairs", 100, 1000, 1,
         unpaired_options, make_unpaired}};
    return families;
}

const ShapeFamily& find_shape_family(const std::string& name) {
    std::vector<std::string> names;
    for (const ShapeFamily& family : shape_families()) {
        if (family.name == name) return family;
        names.emplace_back(family.name);
    }
    throw ConfigError("simulate shapes", "found the family '" + name + "'" + core::did_you_mean(name, names) +
                                             ". Give one of " + core::joined(names, names.size()));
}

void check_shape_option(const ShapeFamily& family, const std::string& option) {
    const std::string others = families_with(option);
    if (others.empty() || family.has_option(option)) return;
    throw ConfigError(option, fmt::format("not an option of the family {}. Leave it out, or simulate {}",
                                          family.name, others));
}

std::string families_with(const std::string& option) {
    std::vector<std::string> names;
    for (const ShapeFamily& family : shape_families()) {
        if (family.has_option(option)) names.emplace_back(family.name);
    }
    return core::joined(names, names.size());
}

std::size_t Shapes::n_cells() const {
    return populations.empty() ? 0 : populations.back().first_row + populations.back().n_cells;
}

Shapes plan_shapes(const ShapesOptions& options) {
    const ShapeFamily& family = find_shape_family(options.family);
    Shapes shapes{.options = resolve(options, family), .family = &family};
    shapes.law = family.make(shapes.options);
    for (std::size_t t = 0; t < shapes.law.treatments.size(); ++t) {
        for (const bool test : {false, true}) {
            const std::size_t count = test ? shapes.options.test_populations : shapes.options.populations;
            const auto begin = static_cast<std::ptrdiff_t>(shapes.populations.size());
            for (std::size_t i = 0; i < count; ++i)
                shapes.populations.push_back(
                    make_population(shapes, {.treatment = t, .test = test, .number = i}));
            if (shapes.law.is_paired)
                std::ranges::sort(shapes.populations.begin() + begin, shapes.populations.end(), {},
                                  &ShapePopulation::name);
        }
    }
    std::size_t row = 0;
    for (ShapePopulation& population : shapes.populations) {
        population.first_row = row;
        row += population.n_cells;
    }
    return shapes;
}

void draw_shape_cells(const Shapes& shapes, std::size_t population, std::size_t first,
                      linalg::MatrixView<float> x, std::span<std::uint8_t> state) {
    const std::size_t markers = shapes.law.markers.size();
    core::check_shape("draw_shape_cells.x", x.rows, x.cols, state.size(), markers);
    const ShapePopulation& p = shapes.populations.at(population);
    const CellSampler draw_cell = shapes.law.sampler(p.index, p.parameters);
    const std::uint64_t key =
        label_key(fmt::format("{}: cells of treatment {}, {}, {}", shapes.options.family, p.index.treatment,
                              part_label(p.index), p.index.number));
#pragma omp parallel
    {
        std::vector<double> cell(markers);
#pragma omp for schedule(static)
        for (std::size_t i = 0; i < x.rows; ++i) {
            core::Stream stream(shapes.options.seed, core::Purpose::simulation, key, first + i);
            state[i] = static_cast<std::uint8_t>(draw_cell(stream, cell));
            std::ranges::transform(cell, x.row(i), [](double value) { return static_cast<float>(value); });
        }
    }
}

}  // namespace popflow::simulate

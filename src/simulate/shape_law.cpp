// SPDX-License-Identifier: MIT
#include "simulate/shape_law.hpp"

#include <fmt/format.h>

#include "simulate/simulated_response.hpp"

namespace popflow::simulate {

core::Stream shape_stream(const ShapesOptions& options, const std::string& purpose, std::uint64_t number) {
    return {options.seed, core::Purpose::simulation, label_key(options.family + ": " + purpose), number};
}

core::Stream law_stream(const ShapesOptions& options, const std::string& purpose, std::uint64_t number) {
    return {options.law_seed, core::Purpose::simulation, label_key(options.family + " law: " + purpose),
            number};
}

std::vector<std::string> slice_labels(const ShapesOptions& options) {
    if (options.treatments == 1) return {options.family};
    std::vector<std::string> labels;
    for (std::size_t k = 1; k <= options.treatments; ++k)
        labels.push_back(fmt::format("{}_{}", options.family, k));
    return labels;
}

core::Stream parameter_stream(const ShapesOptions& options, const ShapeIndex& index) {
    return shape_stream(
        options,
        fmt::format("parameters of treatment {}, {}", index.treatment, index.test ? "test" : "train"),
        index.number);
}

double draw_slice(core::Stream& stream, const ShapesOptions& options, const ShapeIndex& index, double low,
                  double high) {
    const auto parts = static_cast<double>(options.treatments);
    const double place = (static_cast<double>(index.treatment) + stream.uniform()) / parts;
    return low + (high - low) * place;
}

}  // namespace popflow::simulate

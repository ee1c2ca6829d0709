// SPDX-License-Identifier: MIT
#include "models/population_sizes.hpp"

#include <algorithm>
#include <map>

#include "core/error.hpp"

namespace popflow::models {

PopulationSizes::PopulationSizes(std::span<const std::span<const float>> conditions,
                                 std::span<const std::size_t> cells)
    : cells_(cells.begin(), cells.end()) {
    core::check_shape("population_sizes", conditions.size(), 1, cells.size(), 1);
    std::map<std::vector<float>, std::size_t> rows;
    for (const std::span<const float> condition : conditions) {
        const auto [at, is_new] = rows.try_emplace({condition.begin(), condition.end()}, conditions_.size());
        if (is_new) conditions_.push_back(at->first);
        rows_.push_back(at->second);
    }
}

std::size_t PopulationSizes::draw(std::span<const float> condition, core::Stream& stream) const {
    std::vector<std::size_t> cells;
    const auto row = std::ranges::find_if(
        conditions_, [&](const std::vector<float>& one) { return std::ranges::equal(one, condition); });
    for (std::size_t k = 0; k < cells_.size(); ++k) {
        if (row == conditions_.end() || rows_[k] == static_cast<std::size_t>(row - conditions_.begin()))
            cells.push_back(cells_[k]);
    }
    return cells[stream.below(cells.size())];
}

void PopulationSizes::store(Constants& constants) const {
    linalg::Matrix<float> conditions(conditions_.size(), conditions_.front().size());
    for (std::size_t c = 0; c < conditions_.size(); ++c)
        std::ranges::copy(conditions_[c], conditions.view().row(c));
    linalg::Matrix<float> sizes(cells_.size(), 2);
    for (std::size_t k = 0; k < cells_.size(); ++k) {
        sizes(k, 0) = static_cast<float>(rows_[k]);
        sizes(k, 1) = static_cast<float>(cells_[k]);
    }
    constants.matrices["size_conditions"] = std::move(conditions);
    constants.matrices["population_sizes"] = std::move(sizes);
}

PopulationSizes PopulationSizes::stored(const Constants& constants) {
    PopulationSizes result;
    const auto conditions = constants.matrices.find("size_conditions");
    const auto sizes = constants.matrices.find("population_sizes");
    if (conditions == constants.matrices.end() || sizes == constants.matrices.end()) return result;
    core::check_shape("constants.population_sizes", sizes->second.rows(), sizes->second.cols(),
                      sizes->second.rows(), 2);
    for (std::size_t c = 0; c < conditions->second.rows(); ++c) {
        const auto row = conditions->second.view().row_span(c);
        result.conditions_.emplace_back(row.begin(), row.end());
    }
    for (std::size_t k = 0; k < sizes->second.rows(); ++k) {
        result.rows_.push_back(static_cast<std::size_t>(sizes->second(k, 0)));
        result.cells_.push_back(static_cast<std::size_t>(sizes->second(k, 1)));
    }
    return result;
}

}  // namespace popflow::models

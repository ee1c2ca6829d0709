// SPDX-License-Identifier: MIT
#include "inspect/inspection_summary.hpp"

#include <algorithm>
#include <tuple>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::inspect {

namespace {

/// Returns the distinct values of a label, sorted as numbers if all of them are numbers.
std::vector<std::string> distinct(const screen::Screen& screen, std::string screen::Population::*label) {
    std::vector<std::string> values;
    for (const screen::Population& population : screen.populations) values.push_back(population.*label);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    const auto is_number = [](const std::string& value) { return core::label_number(value).has_value(); };
    if (std::all_of(values.begin(), values.end(), is_number)) {
        std::stable_sort(values.begin(), values.end(), [](const std::string& a, const std::string& b) {
            return *core::label_number(a) < *core::label_number(b);
        });
    }
    return values;
}

std::vector<DoseSummary> summarise_doses(const screen::Screen& screen) {
    using Key = std::tuple<bool, std::string, double, std::string>;
    const auto key_of = [](const screen::Population& p) {
        return Key{!p.control, p.treatment, p.concentration_value, p.concentration};
    };
    std::map<Key, std::vector<std::size_t>> sizes;
    std::map<Key, std::size_t> n_pairs;
    for (const screen::Population& population : screen.populations)
        sizes[key_of(population)].push_back(population.n_cells);
    for (const screen::PopulationPair& pair : screen.pairs) {
        ++n_pairs[key_of(screen.populations[pair.control])];
        ++n_pairs[key_of(screen.populations[pair.treated])];
    }
    std::vector<DoseSummary> doses;
    for (const auto& [key, key_sizes] : sizes) {
        doses.push_back(
            {std::get<1>(key), std::get<3>(key), !std::get<0>(key), size_range(key_sizes), n_pairs[key]});
    }
    return doses;
}

}  // namespace

SizeRange size_range(std::vector<std::size_t> sizes) {
    SizeRange range;
    if (sizes.empty()) return range;
    std::sort(sizes.begin(), sizes.end());
    range.n = sizes.size();
    for (const std::size_t size : sizes) range.n_cells += size;
    range.smallest = sizes.front();
    range.median = sizes[(sizes.size() - 1) / 2];
    range.largest = sizes.back();
    return range;
}

InspectionSummary summarise(const screen::Screen& screen, const screen::Split* split) {
    if (split != nullptr && split->parts.size() != screen.pairs.size()) {
        throw core::ShapeMismatch("split", std::to_string(screen.pairs.size()) + " pairs",
                                  split->parts.size(), 1);
    }
    InspectionSummary summary;
    summary.patients = distinct(screen, &screen::Population::patient);
    summary.cultures = distinct(screen, &screen::Population::culture);
    summary.plates = distinct(screen, &screen::Population::plate);
    summary.replicates = distinct(screen, &screen::Population::replicate);
    std::vector<std::size_t> sizes;
    for (const screen::Population& population : screen.populations) sizes.push_back(population.n_cells);
    summary.populations = size_range(std::move(sizes));
    summary.doses = summarise_doses(screen);
    const bool by_column = split != nullptr && !split->column.empty() && split->column != "patient" &&
                           split->column != "culture";
    for (std::size_t p = 0; p < screen.pairs.size(); ++p) {
        const screen::Population& treated = screen.populations[screen.pairs[p].treated];
        const screen::Part part = split == nullptr ? screen::Part::train : split->parts[p];
        ++summary.pairs[{treated.culture, treated.patient}][static_cast<std::size_t>(part)];
        if (by_column)
            ++summary
                  .pairs_by_column[screen::held_out_label(screen, *split, p)][static_cast<std::size_t>(part)];
    }
    for (const screen::Dropped& dropped : screen.dropped) summary.dropped[dropped.why].push_back(dropped);
    return summary;
}

}  // namespace popflow::inspect

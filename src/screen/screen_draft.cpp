// SPDX-License-Identifier: MIT
#include "screen/screen_draft.hpp"

#include <algorithm>
#include <set>

#include "core/text.hpp"

namespace popflow::screen {

namespace {

/// Number of rows of a key, and the range of rows that holds them.
struct Tally {
    std::size_t n_cells = 0;
    std::size_t first_row = 0;
    std::size_t end_row = 0;
};

std::uint64_t digest_number(std::uint64_t digest, std::uint64_t number) {
    digest = (digest ^ number) * 0x9fb21c651e98df25;
    return digest ^ (digest >> 29);
}

std::vector<Tally> tally_rows(const anndata::AnnData& data, RowKeys& keys, std::uint64_t& digest) {
    std::vector<Tally> tallies;
    for (std::size_t first = 0; first < data.n_obs(); first += RowKeys::block_rows) {
        const std::size_t count = std::min(RowKeys::block_rows, data.n_obs() - first);
        const std::span<const std::uint32_t> block = keys.read(first, count);
        tallies.resize(keys.size());
        for (std::size_t i = 0; i < count; ++i) {
            Tally& tally = tallies[block[i]];
            if (tally.n_cells++ == 0) tally.first_row = first + i;
            tally.end_row = first + i + 1;
            digest = digest_number(digest, block[i]);
        }
    }
    return tallies;
}

/// Returns the distinct labels of a population in one column, sorted.
std::vector<std::string> distinct_labels(const RowKeys& keys, const ScreenColumns& columns,
                                         const std::vector<std::size_t>& population_keys,
                                         std::size_t column) {
    std::set<std::string> distinct;
    for (const std::size_t key : population_keys) distinct.insert(columns.label(keys, key, column));
    return {distinct.begin(), distinct.end()};
}

/// Joins the distinct labels of a population in one column by `+`.
std::string joint_label(const RowKeys& keys, const ScreenColumns& columns,
                        const std::vector<std::size_t>& population_keys, std::size_t column) {
    std::string text;
    bool is_first = true;
    for (const std::string& label : distinct_labels(keys, columns, population_keys, column)) {
        text.append(is_first ? "" : "+").append(label);
        is_first = false;
    }
    return text;
}

void fill_labels(PopulationDraft& draft, const RowKeys& keys, const ScreenColumns& columns) {
    const auto label = [&](Role role) {
        return joint_label(keys, columns, draft.keys, columns.column(role));
    };
    Population& population = draft.population;
    population.patient = label(Role::patient);
    population.culture = label(Role::culture);
    population.treatment =
        columns.has_treatments() ? label(Role::treatment) : std::string(only_controls_label);
    // All concentration labels of a population are the same number or the same text, so the first one stands
    // for all.
    population.concentration = columns.concentration(keys, draft.keys.front());
    population.replicate = label(Role::replicate);
    population.plate = label(Role::plate);
    if (columns.split())
        population.split_values = distinct_labels(keys, columns, draft.keys, *columns.split());
    if (columns.vehicle())
        population.vehicles = distinct_labels(keys, columns, draft.keys, *columns.vehicle());
    population.concentration_value = core::label_number(population.concentration).value_or(0);
    population.control = columns.is_control(population.treatment);
}

void add_tally(Population& population, const Tally& tally) {
    population.first_row =
        population.n_cells == 0 ? tally.first_row : std::min(population.first_row, tally.first_row);
    population.end_row = std::max(population.end_row, tally.end_row);
    population.n_cells += tally.n_cells;
}

}  // namespace

std::uint64_t digest_text(std::uint64_t digest, const std::string& bytes) {
    for (const char c : bytes) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return digest_number(digest, bytes.size());
}

ScreenDraft draft_screen(const anndata::AnnData& data, const ScreenColumns& columns, RowKeys& keys) {
    ScreenDraft draft;
    draft.obs_digest = 0xcbf29ce484222325;
    const std::vector<Tally> tallies = tally_rows(data, keys, draft.obs_digest);
    std::map<std::vector<std::string>, PopulationDraft> populations;
    for (std::size_t key = 0; key < keys.size(); ++key) {
        for (std::size_t c = 0; c < columns.names().size(); ++c) {
            draft.obs_digest = digest_text(draft.obs_digest, keys.label(key, c));
        }
        const std::string why = columns.exclusion_reason(keys, key);
        if (!why.empty()) {
            draft.left_out[why] += tallies[key].n_cells;
            continue;
        }
        PopulationDraft& population = populations[columns.population_values(keys, key)];
        add_tally(population.population, tallies[key]);
        population.keys.push_back(key);
    }
    for (auto& [values, population] : populations) {
        fill_labels(population, keys, columns);
        draft.experiments[{values.begin(), values.end() - 2}].push_back(std::move(population));
    }
    return draft;
}

}  // namespace popflow::screen

// SPDX-License-Identifier: MIT
#include "train/population_families.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "ot/dense_transport.hpp"
#include "screen/pairing_groups.hpp"

namespace popflow::train {

using models::PopulationSource;

PopulationFamilies::PopulationFamilies(const screen::Screen& screen, const TrainingSet& set,
                                       const models::PopulationDraws& draws) {
    const bool is_unpaired = draws.is_unpaired();
    const bool has_sources = draws.source == PopulationSource::control;
    const std::vector<std::size_t> groups = screen::pairing_groups(screen);
    for (std::size_t i = 0; i < set.pairs().size(); ++i) {
        const screen::PopulationPair& pair = screen.pairs[set.pairs()[i]];
        const screen::Population& treated = screen.populations[pair.treated];
        const std::size_t group = groups[pair.treated];
        if (draws.source == PopulationSource::subset && treated.n_cells <= draws.subset)
            throw core::DataError(
                screen.file, "obs",
                fmt::format("population {}: found {} cells, but --source subset:{} needs more: "
                            "the given cells and others. Leave smaller populations out with "
                            "--min-cells",
                            screen::population_label(screen, pair.treated), treated.n_cells, draws.subset));
        if (is_unpaired && has_sources && treated.control) {
            sources_.push_back({pair.treated, i, group});
            continue;
        }
        targets_.push_back({pair.treated,
                            i,
                            group,
                            set.conditions().index(treated).value(),
                            set.conditions().encode(treated),
                            {}});
        if (is_unpaired) continue;
        targets_.back().sources.push_back({.source = sources_.size()});
        sources_.push_back({pair.control, i, group});
    }
    sources_of_group_.resize(groups.empty() ? 0 : std::ranges::max(groups) + 1);
    for (std::size_t k = 0; k < sources_.size(); ++k) sources_of_group_[sources_[k].group].push_back(k);
    if (targets_.empty())
        throw core::DataError(screen.file, "obs",
                              "has no treated population in the training part. Name the controls with "
                              "--control, and the split with --split");
    if (!has_sources) return;
    for (const TargetPopulation& target : targets_) {
        if (!sources_of_group_[target.group].empty()) continue;
        throw core::DataError(screen.file, "obs",
                              fmt::format("has no control in the training part for {}. --pair-by names the "
                                          "columns in which controls and treated populations must agree",
                                          screen::population_label(screen, target.population)));
    }
}

models::PopulationSizes PopulationFamilies::target_sizes(const screen::Screen& screen) const {
    std::vector<std::span<const float>> conditions;
    std::vector<std::size_t> cells;
    for (const TargetPopulation& target : targets_) {
        conditions.emplace_back(target.condition);
        cells.push_back(screen.populations[target.population].n_cells);
    }
    return {conditions, cells};
}

PopulationFamilies::Draw PopulationFamilies::draw_source(std::size_t target, double u) const {
    const TargetPopulation& own = targets_[target];
    if (own.sources.empty()) {
        const std::vector<std::size_t>& all = sources_of_group_[own.group];
        const auto at = static_cast<std::size_t>(u * static_cast<double>(all.size()));
        return {all[std::min(at, all.size() - 1)], Draw::npos};
    }
    std::size_t k = 0;
    while (k + 1 < own.sources.size() && u >= own.sources[k].cumulative_share) ++k;
    return {own.sources[k].source, k};
}

std::vector<PopulationFamilies::Family> PopulationFamilies::families() const {
    std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>> members;
    for (std::size_t i = 0; i < targets_.size(); ++i)
        members[{targets_[i].group, targets_[i].condition_row}].push_back(i);
    std::vector<Family> families;
    for (auto& [key, targets] : members)
        families.push_back({std::move(targets), sources_of_group_[key.first]});
    return families;
}

void PopulationFamilies::couple(const Family& family, linalg::ConstMatrixView<double> cost,
                                linalg::ConstMatrixView<double> distance) {
    const ot::TransportPlan plan = ot::solve_exact(cost);
    for (const ot::PlanEntry& entry : plan.plan) {
        if (!(entry.mass > 0)) continue;
        TargetPopulation& target = targets_[family.targets[entry.i]];
        const double share = entry.mass * static_cast<double>(family.targets.size());
        const double before = target.sources.empty() ? 0 : target.sources.back().cumulative_share;
        target.sources.push_back({family.sources[entry.j], before + share});
        coupling_.push_back({target.population, sources_[family.sources[entry.j]].population, share,
                             distance(entry.i, entry.j)});
    }
    std::ranges::stable_sort(coupling_, {}, &CoupledPopulation::target);
}

std::vector<std::size_t> assign_sources(linalg::ConstMatrixView<double> cost) {
    const ot::TransportPlan plan = ot::solve_exact(cost);
    std::vector<double> most(cost.rows, 0.0);
    std::vector<std::size_t> source(cost.rows, 0);
    for (const ot::PlanEntry& entry : plan.plan) {
        if (entry.mass <= most[entry.i]) continue;
        most[entry.i] = entry.mass;
        source[entry.i] = entry.j;
    }
    return source;
}

std::vector<std::vector<std::size_t>> coupled_members(const PopulationFamilies& families,
                                                      std::span<const std::size_t> targets) {
    std::map<std::pair<std::size_t, std::size_t>, std::vector<std::size_t>> members;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const TargetPopulation& target = families.targets()[targets[i]];
        members[{target.condition_row, target.group}].push_back(i);
    }
    std::vector<std::vector<std::size_t>> coupled;
    for (auto& [key, own] : members) {
        if (own.size() > 1) coupled.push_back(std::move(own));
    }
    return coupled;
}

}  // namespace popflow::train

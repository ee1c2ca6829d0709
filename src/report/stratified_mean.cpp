// SPDX-License-Identifier: MIT
#include "report/stratified_mean.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace popflow::report {

namespace {

// Adds weight * counts[i] to sums[i].
void add_scaled(std::span<const float> counts, double weight, std::vector<double>& sums) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += weight * static_cast<double>(counts[i]);
}

// Divides sums by counts. A sum without a count becomes NaN.
void divide(std::vector<double>& sums, const std::vector<double>& counts) {
    for (std::size_t i = 0; i < sums.size(); ++i)
        sums[i] = counts[i] > 0 ? sums[i] / counts[i] : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

void StratifiedMean::add(std::size_t file, std::size_t stratum, std::size_t cluster, double score) {
    if (std::isnan(score)) return;
    Cell& cell = files_[file][{stratum, cluster}];
    cell.sum += score;
    cell.count += 1;
}

double StratifiedMean::value() const {
    double total = 0;
    for (const auto& [file, cells] : files_) {
        std::map<std::size_t, Cell> strata;
        for (const auto& [key, cell] : cells) {
            strata[key.first].sum += cell.sum;
            strata[key.first].count += cell.count;
        }
        double sum = 0;
        for (const auto& [stratum, cell] : strata) sum += cell.sum / cell.count;
        total += sum / static_cast<double>(strata.size());
    }
    return files_.empty() ? std::numeric_limits<double>::quiet_NaN()
                          : total / static_cast<double>(files_.size());
}

std::vector<StratifiedMean::Group> StratifiedMean::groups() const {
    std::vector<Group> groups;
    for (const auto& file : files_) {
        const auto& cells = file.second;
        const auto has_same_counts = [&](const Group& group) {
            return std::ranges::equal(group.cells, cells, [](const auto& a, const auto& b) {
                return a.first == b.first && a.second.count == b.second.count;
            });
        };
        const auto same = std::ranges::find_if(groups, has_same_counts);
        if (same == groups.end()) {
            groups.push_back({.cells = cells, .files = 1});
            continue;
        }
        for (const auto& [key, cell] : cells) same->cells[key].sum += cell.sum;
        same->files += 1;
    }
    return groups;
}

std::vector<double> StratifiedMean::resampled(const Resamples& resamples) const {
    std::vector<double> total(bootstrap_resamples, 0.0);
    std::vector<double> files(bootstrap_resamples, 0.0);
    for (const Group& group : groups()) {
        std::vector<double> mean(bootstrap_resamples, 0.0);
        std::vector<double> strata(bootstrap_resamples, 0.0);
        for (auto at = group.cells.begin(); at != group.cells.end();) {
            const std::size_t stratum = at->first.first;
            std::vector<double> sums(bootstrap_resamples, 0.0);
            std::vector<double> counts(bootstrap_resamples, 0.0);
            for (; at != group.cells.end() && at->first.first == stratum; ++at) {
                const std::span<const float> drawn = resamples.counts(at->first.second);
                add_scaled(drawn, at->second.sum, sums);
                add_scaled(drawn, at->second.count, counts);
            }
            for (std::size_t i = 0; i < mean.size(); ++i) {
                if (!(counts[i] > 0)) continue;
                mean[i] += sums[i] / counts[i];
                strata[i] += 1;
            }
        }
        for (std::size_t i = 0; i < mean.size(); ++i) {
            if (!(strata[i] > 0)) continue;
            total[i] += mean[i] / strata[i];  // sum of the means of the files of the group
            files[i] += group.files;
        }
    }
    divide(total, files);
    return total;
}

std::vector<double> StratifiedMean::contributions(std::size_t clusters) const {
    std::vector<double> shares(clusters, 0.0);
    for (const auto& [file, cells] : files_) {
        std::map<std::size_t, double> counts;
        for (const auto& [key, cell] : cells) counts[key.first] += cell.count;
        const auto parts = static_cast<double>(counts.size() * files_.size());
        for (const auto& [key, cell] : cells) shares[key.second] += cell.sum / counts[key.first] / parts;
    }
    return shares;
}

}  // namespace popflow::report

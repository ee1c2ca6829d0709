// SPDX-License-Identifier: MIT
#include "problems/problem_set.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "problems/cost_file.hpp"

namespace popflow::problems {

namespace {

// Returns the measures of one side that a problem uses, ascending.
std::vector<std::size_t> used_measures(const std::vector<Problem>& problems, std::size_t measures,
                                       bool is_source, bool is_target) {
    std::vector<bool> is_used(measures);
    for (const Problem& problem : problems) {
        if (is_source) is_used[problem.source] = true;
        if (is_target) is_used[problem.target] = true;
    }
    std::vector<std::size_t> used;
    for (std::size_t k = 0; k < measures; ++k) {
        if (is_used[k]) used.push_back(k);
    }
    return used;
}

std::optional<ot::AtomCost> named_cost(const std::string& name) {
    const auto at = std::ranges::find(cost_names(), name);
    if (at == cost_names().end()) return std::nullopt;
    return static_cast<ot::AtomCost>(at - cost_names().begin());
}

}  // namespace

const std::vector<std::string>& cost_names() {
    static const std::vector<std::string> names{"sqeuclidean", "euclidean", "sphere"};
    return names;
}

linalg::Matrix<double> atom_costs(const std::string& cost, const HistogramFile& source,
                                  const HistogramFile& target) {
    const auto named = named_cost(cost);
    if (!named) return read_costs(cost, source.atoms(), target.atoms());
    const std::string purpose = "--cost " + cost + ", unlike a file of costs,";
    source.require_positions(purpose);
    target.require_positions(purpose);
    if (source.positions().cols() != target.positions().cols())
        throw core::DataError(
            target.path(), "varm",
            fmt::format("has positions of {} coordinates, but those of {} have {}. Give positions in "
                        "one space",
                        target.positions().cols(), source.path(), source.positions().cols()));
    return ot::cost_matrix(*named, source.positions(), target.positions());
}

ProblemSet::ProblemSet(const ProblemOptions& options) : cost_(named_cost(options.cost)) {
    if (options.has_populations())
        read_cells(options);
    else
        read_histograms(options);
    if (has_histograms()) cost_summary_ = ot::summarise_costs(costs_.view());
    core::Digest digest;
    digest.add(fingerprint_);
    digest.add(options.cost);
    for (const Problem& problem : list_.problems) {
        digest.add(std::uint64_t{problem.source});
        digest.add(std::uint64_t{problem.target});
    }
    if (!cost_) digest.add(std::span<const double>(costs_.values()));
    fingerprint_ = digest.text();
}

void ProblemSet::make_list(const ProblemOptions& options) {
    const std::string choice = !options.problems.empty() ? options.problems : target_ ? "consecutive" : "all";
    list_ = list_problems(choice, source_.names, target_ ? &target_->names : nullptr, options.seed);
    is_all_pairs_ = choice == "all" && !target_;
}

void ProblemSet::read_histograms(const ProblemOptions& options) {
    const HistogramFile file(options.data, options.histograms);
    source_ = {file.names(), {}, file.positions(), nullptr, file.atoms()};
    fingerprint_ = file.fingerprint();
    std::optional<HistogramFile> target_file;
    if (!options.target_data.empty()) {
        target_file.emplace(options.target_data, options.histograms);
        target_ = Side{target_file->names(), {}, target_file->positions(), nullptr, target_file->atoms()};
        fingerprint_ += " " + target_file->fingerprint();
    }
    costs_ = atom_costs(options.cost, file, target_file ? *target_file : file);
    make_list(options);
    const auto read = [&](const HistogramFile& from, Side& side, bool is_source, bool is_target) {
        const auto used = used_measures(list_.problems, side.names.size(), is_source, is_target);
        std::vector<ot::Histogram> histograms = from.read(used, notes_);
        side.histograms.resize(side.names.size());
        for (std::size_t k = 0; k < used.size(); ++k) side.histograms[used[k]] = std::move(histograms[k]);
    };
    read(file, source_, true, !target_);
    if (target_) read(*target_file, *target_, false, true);
}

void ProblemSet::read_cells(const ProblemOptions& options) {
    if (!cost_)
        throw core::ConfigError("cost", "'" + options.cost +
                                            "' is a file, which needs shared atoms. With --population give "
                                            "sqeuclidean, euclidean or sphere");
    populations_ = read_populations(options.data, options.populations);
    fingerprint_ = populations_->fingerprint;
    notes_ = populations_->notes;
    source_ = {populations_->names, {}, {}, &*populations_, 0};
    if (!options.target_data.empty()) {
        PopulationOptions target_options = options.populations;
        target_options.screen.markers = populations_->markers;
        target_populations_ = read_populations(options.target_data, target_options);
        fingerprint_ += " " + target_populations_->fingerprint;
        notes_.insert(notes_.end(), target_populations_->notes.begin(), target_populations_->notes.end());
        target_ = Side{target_populations_->names, {}, {}, &*target_populations_, 0};
    }
    make_list(options);
    if (options.prototypes == 0) return;
    if (target_)
        throw core::ConfigError("prototypes",
                                "cannot be used with --target-data. Put all populations in one file");
    Prototypes found = find_prototypes(*populations_, options.prototypes, options.seed);
    prototypes_ = true;
    source_.atoms = options.prototypes;
    source_.positions = std::move(found.positions);
    source_.histograms.assign(found.histograms.begin(), found.histograms.end());
    costs_ = ot::cost_matrix(*cost_, source_.positions, source_.positions);
}

std::string ProblemSet::name(std::size_t p) const {
    if (!list_.names.empty()) return list_.names[p];
    return source_name(p) + " -> " + target_name(p);
}

std::size_t ProblemSet::work(std::size_t p) const {
    if (has_histograms()) return source_histogram(p).atoms.size() * target_histogram(p).atoms.size();
    return source_cells(p).rows() * target_cells(p).rows();
}

std::size_t ProblemSet::memory() const {
    std::size_t bytes = 8 * costs_.size();
    for (const Side* side : {&source_, target_ ? &*target_ : nullptr}) {
        if (side == nullptr) continue;
        for (const auto& histogram : side->histograms) bytes += histogram ? 12 * histogram->atoms.size() : 0;
        if (side->populations == nullptr) continue;
        for (const linalg::Matrix<float>& cells : side->populations->cells) bytes += 4 * cells.size();
    }
    return bytes;
}

}  // namespace popflow::problems

// SPDX-License-Identifier: MIT
#include "screen/value_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "anndata/anndata.hpp"
#include "core/text.hpp"
#include "screen/read_populations.hpp"

namespace popflow::screen {

namespace {

constexpr std::size_t max_panel_columns = 64;  // a matrix with more columns is no panel of a cytometer
constexpr std::size_t first_cells = 100;       // cells of a population, in the first sample of depths
constexpr std::size_t confirming_cells = 500;  // and in the second
constexpr std::size_t max_pairs = 160;

/// Summary of a sample of the stored values.
struct ValueKind {
    bool is_counts = false;
    bool is_sparse_expression = false;  ///< non-negative, wide and mostly zero
};

ValueKind kind_of(const anndata::AnnData& data) {
    if (data.source().kind == anndata::MatrixSource::Kind::obsm || data.is_imported()) return {};
    const std::vector<float> sample = data.x().sample();
    const auto is_negative = [](float v) { return !(v >= 0); };  // or NaN
    if (sample.empty() || std::ranges::any_of(sample, is_negative)) return {};
    const auto count = [&](auto predicate) { return std::ranges::count_if(sample, predicate); };
    const auto above_zero = count([](float v) { return v > 0; });
    const bool is_whole = count([](float v) { return v == std::floor(v); }) == std::ssize(sample);
    const bool has_two = count([](float v) { return v >= 2; }) > 0;
    const bool is_small = 2 * count([](float v) { return v > 0 && v <= 3; }) >= above_zero;
    const bool is_wide = data.n_vars() > max_panel_columns;
    const double stored = 1 - data.x().unstored_fraction();
    const double zeros = 1 - stored * static_cast<double>(above_zero) / static_cast<double>(sample.size());
    return {.is_counts = is_whole && has_two && (is_wide || is_small),
            .is_sparse_expression = is_wide && zeros >= 0.5};
}

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    const auto middle = values.begin() + std::ssize(values) / 2;
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Depths of the populations of one pair.
struct PairDepths {
    std::size_t pair = 0;
    double control = 0;
    double treated = 0;
    /// Larger depth over the smaller one, 0 if one of them is not a positive number.
    double ratio() const {
        const double small = std::min(control, treated);
        return small > 0 && std::isfinite(control + treated) ? std::max(control, treated) / small : 0;
    }
};

std::vector<PairDepths> pair_depths(const Screen& screen, const std::vector<std::size_t>& pairs,
                                    std::size_t max_cells) {
    std::set<std::size_t> distinct;
    for (const std::size_t p : pairs) distinct.insert({screen.pairs[p].control, screen.pairs[p].treated});
    const std::vector<std::size_t> populations(distinct.begin(), distinct.end());
    const std::vector<std::vector<double>> totals = read_totals(screen, populations, max_cells);
    std::map<std::size_t, double> depths;
    for (std::size_t k = 0; k < populations.size(); ++k) depths[populations[k]] = median(totals[k]);
    std::vector<PairDepths> result;
    for (const std::size_t p : pairs)
        result.push_back({p, depths[screen.pairs[p].control], depths[screen.pairs[p].treated]});
    return result;
}

/// Returns the note on the pair that differs most in depth, empty if none differs much.
std::string depth_note(const Screen& screen) {
    std::vector<std::size_t> pairs;
    const std::size_t step = screen.pairs.size() / max_pairs + 1;
    for (std::size_t p = 0; p < screen.pairs.size(); p += step) pairs.push_back(p);
    if (pairs.empty()) return "";
    std::vector<PairDepths> depths = pair_depths(screen, pairs, first_cells);
    std::ranges::stable_sort(depths, std::greater{}, &PairDepths::ratio);
    const auto differing =
        std::ranges::count_if(depths, [](const PairDepths& d) { return d.ratio() > max_depth_ratio; });
    constexpr std::ptrdiff_t max_confirmed = 5;
    for (std::ptrdiff_t k = 0; k < std::min(differing, max_confirmed); ++k) {
        const PairDepths worst =
            pair_depths(screen, {depths[static_cast<std::size_t>(k)].pair}, confirming_cells).front();
        if (worst.ratio() <= max_depth_ratio) continue;
        return fmt::format(
            "control and treated cells differ in depth, most in {}: the median of the totals of a cell is {} "
            "in "
            "the control and {} in the treated population, a factor of {:.1f} (about {} of {} pairs exceed "
            "{}). "
            "Such a difference looks like an effect of the treatment. Use --size-factor total",
            pair_name(screen, worst.pair), core::number_label(worst.control),
            core::number_label(worst.treated), worst.ratio(), differing, pairs.size(),
            core::number_label(max_depth_ratio));
    }
    return "";
}

}  // namespace

std::vector<std::string> value_notes(const Screen& screen) {
    const ScreenOptions& options = screen.options;
    const anndata::AnnData data(screen.file, options.source);
    const ValueKind kind = kind_of(data);
    const bool is_log = options.transform.kind == Transform::Kind::log1p;
    const bool has_size_factor = options.size_factor.is_set();
    std::vector<std::string> notes;
    if (kind.is_counts && !(is_log && has_size_factor)) {
        notes.push_back(
            fmt::format("{} holds whole numbers of 0 or more, as counts do, and is read with --transform {} "
                        "--size-factor "
                        "{}. For counts use --transform log1p --size-factor total",
                        data.x().path(), options.transform.text(), options.size_factor.text()));
    }
    const bool is_logged =
        options.source.kind == anndata::MatrixSource::Kind::x && data.has_log1p_mark() && !kind.is_counts;
    if (is_logged && (options.transform.kind != Transform::Kind::none || has_size_factor)) {
        notes.push_back(
            fmt::format("uns[\"log1p\"] says that X is log-transformed already, and --transform {} "
                        "--size-factor {} would "
                        "transform it again. Use --transform none --size-factor none, or a layer with the "
                        "counts (--layer)",
                        options.transform.text(), options.size_factor.text()));
    }
    if (options.need_pairs && !has_size_factor &&
        (kind.is_counts || (kind.is_sparse_expression && !is_logged))) {
        if (std::string note = depth_note(screen); !note.empty()) notes.push_back(std::move(note));
    }
    return notes;
}

}  // namespace popflow::screen

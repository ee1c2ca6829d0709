// SPDX-License-Identifier: MIT
#include "screen/nothing_kept.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/text.hpp"

namespace popflow::screen {

namespace {

/// Sizes of the populations of one experiment, by treatment and concentration.
struct Sizes {
    std::map<std::pair<std::string, std::string>, std::size_t> controls;
    std::map<std::pair<std::string, std::string>, std::size_t> treated;
};

/// Pairing keys that are left out, as a bit set over ScreenOptions::pair_by.
using KeySet = std::size_t;

/// The pairs that a screen would have with fewer pairing keys.
struct Outcome {
    KeySet left_out = 0;
    std::vector<std::size_t> thresholds{};  ///< largest --min-cells that keeps each pair, ascending
};

Outcome outcome_without(const ScreenDraft& draft, KeySet left_out, bool pools, bool need_pairs) {
    std::map<std::vector<std::string>, Sizes> experiments;
    for (const auto& [values, drafts] : draft.experiments) {
        std::vector<std::string> key;
        for (std::size_t k = 0; k < values.size(); ++k) {
            if ((left_out >> k & 1U) == 0) key.push_back(values[k]);
        }
        Sizes& sizes = experiments[key];
        for (const PopulationDraft& one : drafts) {
            const Population& p = one.population;
            auto& group = p.control ? sizes.controls : sizes.treated;
            const bool is_pooled = p.control && pools;
            group[is_pooled ? std::pair<std::string, std::string>()
                            : std::pair(p.treatment, p.concentration)] += p.n_cells;
        }
    }
    Outcome outcome{.left_out = left_out};
    for (const auto& [key, sizes] : experiments) {
        std::size_t control = 0;
        for (const auto& [name, n] : sizes.controls) control = std::max(control, n);
        if (control == 0) continue;
        if (!need_pairs) outcome.thresholds.push_back(control);
        std::map<std::string, std::size_t> by_treatment;  // a treatment makes one pair at its best dose
        for (const auto& [name, n] : sizes.treated) {
            std::size_t& most = by_treatment[name.first];
            most = std::max(most, std::min(control, n));
        }
        if (!need_pairs) continue;
        for (const auto& [name, n] : by_treatment) outcome.thresholds.push_back(n);
    }
    std::ranges::sort(outcome.thresholds);
    return outcome;
}

/// Searches for options that keep something.
class Advice {
  public:
    Advice(const Screen& screen, const ScreenDraft& draft) : screen_(screen), draft_(draft) {
        const std::size_t n_keys = std::min<std::size_t>(screen.options.pair_by.size(), max_keys);
        for (const auto& [values, drafts] : draft.experiments) {
            for (std::size_t k = 0; k < n_keys; ++k) {
                if (!values[k].empty()) present_ |= KeySet{1} << k;
            }
        }
        const Outcome all_keys = outcome(0);
        if (!all_keys.thresholds.empty()) outcomes_.push_back(all_keys);
        // Fewer keys help if nothing else makes a pair.
        std::optional<Outcome> best;
        for (KeySet left_out = 1; left_out < KeySet{1} << n_keys; ++left_out) {
            if ((left_out & ~present_) != 0) continue;
            const int removed = std::popcount(left_out);
            const int removed_by_best =
                best ? std::popcount(best->left_out) : std::numeric_limits<int>::max();
            if (removed > removed_by_best) continue;
            const Outcome one = outcome(left_out);
            const std::size_t most = one.thresholds.empty() ? 0 : one.thresholds.back();
            const std::size_t max_before = outcomes_.empty() ? 0 : outcomes_.front().thresholds.back();
            if (most <= max_before) continue;
            if (!outcomes_.empty() && most < screen.options.min_cells) continue;
            if (removed < removed_by_best || most > best->thresholds.back()) best = one;
        }
        if (best && outcomes_.empty()) outcomes_.push_back(*best);
    }

    /// Returns the keys that differ between controls and treated cells, if leaving them out makes the pairs.
    std::vector<std::string> differing_keys() const {
        std::vector<std::string> names;
        if (outcomes_.empty() || outcomes_.front().left_out == 0) return names;
        for (std::size_t k = 0; k < screen_.options.pair_by.size(); ++k) {
            if ((outcomes_.front().left_out >> k & 1U) != 0) names.push_back(screen_.options.pair_by[k]);
        }
        return names;
    }

    /// Returns the options as text, empty if none help.
    std::string text() const {
        std::string text;
        for (const Outcome& one : outcomes_) text += (text.empty() ? ". Use " : ", or ") + option_text(one);
        return text;
    }

  private:
    static constexpr std::size_t max_keys = 12;  ///< the search is exponential in the number of keys

    Outcome outcome(KeySet left_out) const {
        return outcome_without(draft_, left_out, screen_.options.vehicles == Vehicles::pool,
                               screen_.options.need_pairs);
    }

    std::string option_text(const Outcome& one) const {
        std::string options;
        if (one.left_out != 0) {
            std::vector<std::string> kept;
            std::string off;
            for (std::size_t k = 0; k < screen_.options.pair_by.size(); ++k) {
                const bool is_left_out = k < max_keys && (one.left_out >> k & 1U) != 0;
                const bool is_present = k >= max_keys || (present_ >> k & 1U) != 0;
                if (is_left_out) off += " --column " + screen_.options.pair_by[k] + "=";
                if (!is_left_out && is_present) kept.push_back(screen_.options.pair_by[k]);
            }
            std::string keys;
            for (const std::string& key : kept) keys += (keys.empty() ? "" : ",") + key;
            options = kept.empty() ? off.substr(1) : "--pair-by " + keys;
        }
        const std::size_t min_cells = screen_.options.min_cells;
        const std::size_t most = std::min(one.thresholds.back(), min_cells);
        const std::size_t fewest = std::min(one.thresholds.front(), min_cells);
        const auto with_cells = [&](std::size_t n) {
            return options +
                   (n == min_cells ? "" : (options.empty() ? "" : " ") + fmt::format("--min-cells {}", n));
        };
        const std::string noun = screen_.options.need_pairs ? "pair" : "control";
        std::string text = with_cells(most) + ", which keeps " + core::counted(count(one, most), noun);
        if (fewest < most)
            text += ", or " + with_cells(fewest) + ", which keeps " + core::counted(count(one, fewest), noun);
        return text;
    }

    static std::size_t count(const Outcome& one, std::size_t min_cells) {
        return static_cast<std::size_t>(
            std::ranges::count_if(one.thresholds, [&](std::size_t n) { return n >= min_cells; }));
    }

    const Screen& screen_;
    const ScreenDraft& draft_;
    KeySet present_ = 0;  ///< keys of which some experiment has a value
    std::vector<Outcome> outcomes_;
};

/// Number of experiments that lack a kind of population, whatever the number of cells.
struct Lacking {
    std::size_t control = 0;
    std::size_t treatment = 0;
};

Lacking count_lacking(const ScreenDraft& draft) {
    Lacking lacking;
    for (const auto& [values, drafts] : draft.experiments) {
        const auto is_control = [](const PopulationDraft& one) { return one.population.control; };
        if (std::ranges::none_of(drafts, is_control)) ++lacking.control;
        if (std::ranges::all_of(drafts, is_control)) ++lacking.treatment;
    }
    return lacking;
}

}  // namespace

std::string explain_nothing_kept(const Screen& screen, const ScreenDraft& draft) {
    const ScreenOptions& options = screen.options;
    const std::size_t n = draft.experiments.size();
    if (n == 0) return "found no cell with all labels that are needed";
    std::size_t largest = 0;
    for (const auto& [values, drafts] : draft.experiments) {
        for (const PopulationDraft& one : drafts) largest = std::max(largest, one.population.n_cells);
    }
    std::string text =
        fmt::format("{} ({}) {} a control{} of at least {} cells. The largest population has {} cells",
                    n == 1 ? "the one experiment" : fmt::format("none of {} experiments", n),
                    core::joined(options.pair_by), n == 1 ? "does not keep" : "keeps",
                    options.need_pairs ? " and a treatment" : "", options.min_cells, largest);
    const Lacking lacking = count_lacking(draft);
    const auto have = [](std::size_t count) {
        return core::counted(count, "experiment") + (count == 1 ? " has" : " have");
    };
    if (lacking.control > 0) text += ". " + have(lacking.control) + " no control";
    if (lacking.treatment > 0 && options.need_pairs)
        text += (lacking.control > 0 ? ", " : ". ") + have(lacking.treatment) + " no treatment";
    const Advice advice(screen, draft);
    if (const auto keys = advice.differing_keys(); !keys.empty())
        text += ": " + core::joined(keys) + (keys.size() == 1 ? " differs" : " differ") +
                " between controls and treated cells";
    return text + advice.text();
}

}  // namespace popflow::screen

// SPDX-License-Identifier: MIT
#include "eval/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "h5/file.hpp"

namespace popflow::eval {

namespace {

constexpr std::int64_t format_version = 1;

// Returns the scores of each candidate by unit: means over the pairs of the unit.
std::map<std::size_t, std::vector<double>> means_by_unit(const std::vector<CandidateScores>& scores,
                                                         std::size_t candidates) {
    std::map<std::size_t, std::vector<double>> means;
    std::map<std::size_t, double> pairs;
    for (const CandidateScores& row : scores) {
        std::vector<double>& sums = means[row.unit];
        sums.resize(candidates);
        for (std::size_t c = 0; c < candidates; ++c) sums[c] += row.energies[c];
        pairs[row.unit] += 1;
    }
    for (auto& [unit, sums] : means) {
        for (double& sum : sums) sum /= pairs[unit];
    }
    return means;
}

// Returns the standard error of the mean of some values, infinite for a single one.
double standard_error(const std::vector<double>& values) {
    const auto n = static_cast<double>(values.size());
    if (values.size() < 2) return std::numeric_limits<double>::infinity();
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return std::sqrt(squares / (n - 1) / n);
}

std::string candidate_name(const Candidate& candidate) {
    if (candidate.is_simple) return candidate.method;
    return fmt::format("{} with --shrinkage {}", candidate.method, core::number_label(candidate.shrinkage));
}

std::string choice_words(const std::vector<Candidate>& candidates, const Choice& choice,
                         std::size_t best_simple, std::size_t best_network, std::size_t units) {
    const auto with_score = [&](std::size_t c) {
        return fmt::format("{} {:.3f}", candidate_name(candidates[c]), choice.means[c]);
    };
    std::vector<std::string> others;
    for (std::size_t c = 0; c < candidates.size(); ++c) {
        if (c != choice.candidate && (candidates[c].is_simple || c == best_network))
            others.push_back(with_score(c));
    }
    const std::string text = fmt::format(
        "--method auto chose {}: in a cross-validation over {} its energy distance was {:.3f} ({})",
        candidate_name(candidates[choice.candidate]), core::counted(units, "unit"),
        choice.means[choice.candidate], core::joined(others));
    if (choice.candidate != best_simple || best_network == candidates.size()) return text;
    return text + ". No network beat the simple models by more than one standard error";
}

// Returns whether two candidates have the same score on every pair.
bool are_equal(const std::vector<Candidate>& candidates, const std::vector<CandidateScores>& scores,
               const std::string& one, const std::string& other) {
    const auto a = std::ranges::find(candidates, one, &Candidate::method) - candidates.begin();
    const auto b = std::ranges::find(candidates, other, &Candidate::method) - candidates.begin();
    if (std::max(a, b) == std::ssize(candidates)) return false;
    return std::ranges::all_of(scores, [&](const CandidateScores& row) {
        return row.energies[static_cast<std::size_t>(a)] == row.energies[static_cast<std::size_t>(b)];
    });
}

Choice only_choice(const std::vector<Candidate>& candidates, const std::string& method) {
    const auto at = std::ranges::find(candidates, method, &Candidate::method);
    return {
        .candidate = static_cast<std::size_t>(at - candidates.begin()),
        .means = std::vector<double>(candidates.size(), std::numeric_limits<double>::quiet_NaN()),
        .words = "--method auto chose " + method +
                 ": the training part has a single unit, so that none could be held out to compare methods"};
}

h5::DataFrame scores_frame(const std::vector<CandidateScores>& scores, std::size_t candidates) {
    std::vector<std::int64_t> fold;
    std::vector<std::int64_t> unit;
    std::vector<std::string> pair;
    std::vector<double> distance;
    std::vector<std::vector<double>> energies(candidates);
    for (const CandidateScores& row : scores) {
        fold.push_back(static_cast<std::int64_t>(row.fold));
        unit.push_back(static_cast<std::int64_t>(row.unit));
        pair.push_back(row.pair);
        distance.push_back(row.training_distance);
        for (std::size_t c = 0; c < candidates; ++c) energies[c].push_back(row.energies[c]);
    }
    h5::DataFrame frame;
    frame.add("fold", std::move(fold));
    frame.add("unit", std::move(unit));
    frame.add("pair", std::move(pair));
    frame.add("training_distance", std::move(distance));
    for (std::size_t c = 0; c < candidates; ++c)
        frame.add("energy_" + std::to_string(c), std::move(energies[c]));
    return frame;
}

std::vector<CandidateScores> read_scores(const h5::DataFrame& frame, std::size_t candidates) {
    std::vector<CandidateScores> scores(frame.rows());
    for (std::size_t row = 0; row < scores.size(); ++row) {
        scores[row] = {.fold = static_cast<std::size_t>(frame.ints("fold")[row]),
                       .unit = static_cast<std::size_t>(frame.ints("unit")[row]),
                       .pair = frame.strings("pair")[row],
                       .training_distance = frame.doubles("training_distance")[row]};
        for (std::size_t c = 0; c < candidates; ++c)
            scores[row].energies.push_back(frame.doubles("energy_" + std::to_string(c))[row]);
    }
    return scores;
}

h5::DataFrame recipe_frame(const models::OptionValues& recipe) {
    std::vector<std::string> options;
    std::vector<std::string> values;
    for (const auto& [option, value] : recipe) {
        options.push_back(option);
        values.push_back(value);
    }
    h5::DataFrame frame;
    frame.add("option", std::move(options));
    frame.add("value", std::move(values));
    return frame;
}

models::OptionValues read_recipe(const h5::DataFrame& frame) {
    models::OptionValues recipe;
    for (std::size_t row = 0; row < frame.rows(); ++row)
        recipe.emplace_back(frame.strings("option")[row], frame.strings("value")[row]);
    return recipe;
}

h5::DataFrame candidates_frame(const std::vector<Candidate>& candidates) {
    std::vector<std::string> method;
    std::vector<double> shrinkage;
    h5::DataFrame::Bools is_simple;
    for (const Candidate& candidate : candidates) {
        method.push_back(candidate.method);
        shrinkage.push_back(candidate.shrinkage);
        is_simple.push_back(candidate.is_simple ? 1 : 0);
    }
    h5::DataFrame frame;
    frame.add("method", std::move(method));
    frame.add("shrinkage", std::move(shrinkage));
    frame.add_bools("is_simple", std::move(is_simple));
    return frame;
}

std::vector<Candidate> read_candidates(const h5::DataFrame& frame) {
    std::vector<Candidate> candidates(frame.rows());
    for (std::size_t c = 0; c < candidates.size(); ++c) {
        candidates[c] = {.method = frame.strings("method")[c],
                         .shrinkage = frame.doubles("shrinkage")[c],
                         .is_simple = frame.bools("is_simple")[c] != 0};
    }
    return candidates;
}

}  // namespace

std::vector<std::vector<std::size_t>> cross_validation_folds(std::vector<std::size_t> units,
                                                             std::size_t max_folds, std::uint64_t seed) {
    std::ranges::sort(units);
    units.erase(std::unique(units.begin(), units.end()), units.end());
    if (units.size() < 2) return {};
    const std::size_t n = std::min(units.size(), max_folds);
    std::vector<std::vector<std::size_t>> folds(n);
    const bool leaves_one_out = units.size() <= max_folds;
    const std::vector<std::uint32_t> order =
        core::Stream(seed, core::Purpose::split, 0, 1).permutation(units.size());
    for (std::size_t i = 0; i < units.size(); ++i)
        folds[i % n].push_back(units[leaves_one_out ? i : order[i]]);
    for (std::vector<std::size_t>& fold : folds) std::ranges::sort(fold);
    return folds;
}

screen::Split fold_split(const screen::Split& split, const std::vector<std::size_t>& units,
                         const std::vector<std::size_t>& held_out) {
    screen::Split fold = split;
    for (std::size_t pair = 0; pair < fold.parts.size(); ++pair) {
        if (split.parts[pair] != screen::Part::train) {
            fold.parts[pair] = screen::Part::test;
        } else if (std::ranges::binary_search(held_out, units[pair])) {
            fold.parts[pair] = screen::Part::validation;
        }
    }
    return fold;
}

Choice choose(const std::vector<Candidate>& candidates, const std::vector<CandidateScores>& scores) {
    const auto by_unit = means_by_unit(scores, candidates.size());
    if (by_unit.empty()) return only_choice(candidates, "mean-shift");
    Choice choice{.means = std::vector<double>(candidates.size(), 0.0)};
    for (const auto& [unit, means] : by_unit) {
        for (std::size_t c = 0; c < means.size(); ++c)
            choice.means[c] += means[c] / static_cast<double>(by_unit.size());
    }
    const auto best = [&](bool is_simple) {
        std::size_t found = candidates.size();
        for (std::size_t c = 0; c < candidates.size(); ++c) {
            if (candidates[c].is_simple == is_simple &&
                (found == candidates.size() || choice.means[c] < choice.means[found]))
                found = c;
        }
        return found;
    };
    const std::size_t simple = best(true);
    const std::size_t network = best(false);
    choice.candidate = simple;
    if (network < candidates.size()) {
        std::vector<double> gains;
        for (const auto& [unit, means] : by_unit) gains.push_back(means[simple] - means[network]);
        if (choice.means[simple] - choice.means[network] > standard_error(gains)) choice.candidate = network;
    }
    choice.words = choice_words(candidates, choice, simple, network, by_unit.size());
    if (are_equal(candidates, scores, "mean-shift", "moment-map"))
        choice.words +=
            ". The moment map was not compared: it equals the mean shift without 3 units of a treatment to "
            "fit it to, and a fold has fewer. The row moment_map of the tables is fitted to all of them";
    return choice;
}

h5::DataFrame selection_frame(const std::vector<Candidate>& candidates,
                              const std::vector<CandidateScores>& scores, std::size_t chosen) {
    std::set<std::size_t> folds;
    for (const CandidateScores& row : scores) folds.insert(row.fold);
    std::vector<std::int64_t> fold_column;
    std::vector<std::string> method;
    std::vector<double> shrinkage;
    std::vector<double> energy;
    std::vector<double> distance;
    std::vector<std::int64_t> pairs;
    h5::DataFrame::Bools is_chosen;
    for (const std::size_t fold : folds) {
        for (std::size_t c = 0; c < candidates.size(); ++c) {
            double sum = 0;
            double distances = 0;
            std::int64_t n = 0;
            for (const CandidateScores& row : scores) {
                if (row.fold != fold) continue;
                sum += row.energies[c];
                distances += row.training_distance;
                ++n;
            }
            fold_column.push_back(static_cast<std::int64_t>(fold));
            method.push_back(candidates[c].method);
            shrinkage.push_back(candidates[c].shrinkage);
            energy.push_back(sum / static_cast<double>(n));
            distance.push_back(distances / static_cast<double>(n));
            pairs.push_back(n);
            is_chosen.push_back(c == chosen ? 1 : 0);
        }
    }
    h5::DataFrame frame;
    frame.add("fold", std::move(fold_column));
    frame.add_categorical("method", std::move(method));
    frame.add("shrinkage", std::move(shrinkage));
    frame.add("energy", std::move(energy));
    frame.add("training_distance", std::move(distance));
    frame.add("pairs", std::move(pairs));
    frame.add_bools("is_chosen", std::move(is_chosen));
    return frame;
}

void write_selection(const std::string& path, const StoredSelection& selection) {
    h5::AtomicFile file(path);
    {
        h5::Group root = file.root();
        root.write_attribute("popflow_selection", format_version);
        root.write_attribute("config", selection.config);
        root.write_attribute("data_fingerprint", selection.data_fingerprint);
        root.write_attribute("is_complete", std::int64_t{selection.is_complete});
        root.write_attribute("choice", selection.choice.words);
        h5::write_dataframe(root, "recipe", recipe_frame(selection.recipe));
        h5::write_dataframe(root, "candidates", candidates_frame(selection.candidates));
        h5::write_dataframe(root, "scores", scores_frame(selection.scores, selection.candidates.size()));
        if (selection.is_complete)
            h5::write_dataframe(
                root, "selection",
                selection_frame(selection.candidates, selection.scores, selection.choice.candidate));
    }
    file.commit();
}

StoredSelection read_selection(const std::string& path) {
    const h5::Group root = h5::open_file(path);
    if (!root.has_attribute("popflow_selection") || root.int_attribute("popflow_selection") != format_version)
        throw core::DataError(path, "",
                              "is no popflow selection of format 1. Remove the file to select again");
    StoredSelection selection{.config = root.string_attribute("config"),
                              .data_fingerprint = root.string_attribute("data_fingerprint"),
                              .recipe = read_recipe(h5::read_dataframe(root, "recipe")),
                              .candidates = read_candidates(h5::read_dataframe(root, "candidates")),
                              .is_complete = root.int_attribute("is_complete") != 0};
    selection.scores = read_scores(h5::read_dataframe(root, "scores"), selection.candidates.size());
    if (selection.is_complete) selection.choice = choose(selection.candidates, selection.scores);
    return selection;
}

}  // namespace popflow::eval

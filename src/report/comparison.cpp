// SPDX-License-Identifier: MIT
#include "report/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <tuple>

#include "core/join.hpp"
#include "core/label_list.hpp"
#include "core/natural_order.hpp"
#include "core/text.hpp"
#include "eval/predictor.hpp"
#include "metrics/metric.hpp"
#include "models/family.hpp"
#include "report/role_columns.hpp"

namespace popflow::report {

void SeedStatistics::add(double value) {
    if (!std::isnan(value)) values_.push_back(value);
}

double SeedStatistics::mean() const {
    if (values_.empty()) return std::numeric_limits<double>::quiet_NaN();
    return std::accumulate(values_.begin(), values_.end(), 0.0) / static_cast<double>(values_.size());
}

double SeedStatistics::deviation() const {
    if (values_.size() < 2) return std::numeric_limits<double>::quiet_NaN();
    if (std::ranges::all_of(values_, [&](double v) { return v == values_.front(); })) return 0;
    const double centre = mean();
    double squares = 0;
    for (double v : values_) squares += (v - centre) * (v - centre);
    return std::sqrt(squares / static_cast<double>(values_.size() - 1));
}

std::string fixed_encoder_of(const predict::Provenance& provenance) {
    if (!models::uses_setting(provenance.method, "encoder")) return "";
    const std::map<std::string, std::string> values = core::key_values(provenance.config);
    const auto at = values.find("encoder");
    return at == values.end() || at->second == models::learned_encoder ? "" : at->second;
}

std::string ComparisonRow::knn_text() const {
    return models::uses_setting(method, "knn") && encoder.empty() ? std::to_string(knn) : "";
}

std::string ComparisonRow::label() const {
    std::string name = predictor;
    if (is_model()) {
        name = core::upper_case(method);
        if (!knn_text().empty()) name += " k=" + knn_text();
        if (!encoder.empty()) name += " " + encoder;
        if (base == "gaussian") name += " w/ N";
        name += variant;
    }
    return differs.empty() ? name : name + " (" + differs + ")";
}

const SeedStatistics* ComparisonRow::find(const Scope& scope, const std::string& metric) const {
    const auto in_scope = scores.find(scope);
    if (in_scope == scores.end()) return nullptr;
    const auto at = in_scope->second.by_metric.find(metric);
    return at == in_scope->second.by_metric.end() || at->second.values().empty() ? nullptr : &at->second;
}

std::vector<Scope> Comparison::scopes() const {
    // Parts are in alphabetical order. The published aggregation comes first, the mean over pairs last.
    std::map<std::pair<std::string, int>, std::vector<std::string>> sorted;
    for (const ComparisonRow& row : rows) {
        for (const auto& [scope, scores] : row.scores) {
            const int order = scope.second == "culture_mean" ? 0 : scope.second == "pair_mean" ? 2 : 1;
            sorted[{scope.first, order}].push_back(scope.second);
        }
    }
    std::vector<Scope> scopes;
    for (const auto& [place, aggregations] : sorted) {
        for (const std::string& aggregation : core::sorted_labels(aggregations))
            scopes.emplace_back(place.first, aggregation);
    }
    return scopes;
}

std::size_t Comparison::seeds() const {
    std::size_t max_seeds = 0;
    for (const ComparisonRow& row : rows) {
        if (row.is_model()) max_seeds = std::max(max_seeds, row.seeds.size());
    }
    return max_seeds;
}

namespace {

using Texts = std::vector<std::string>;
using Entries = std::map<std::string, std::string>;

// Returns whether rows of a method can differ in an option, apart from their labels and seeds.
bool distinguishes_rows(const core::OptionEffects& effects, const std::string& option,
                        const std::string& method) {
    using core::Affects;
    const auto at = effects.find(option);
    if (at == effects.end()) return true;  // an option of another version
    const auto& [affects, methods, is_path] = at->second;
    if (affects == Affects::nothing || affects == Affects::reported || affects == Affects::seed ||
        affects == Affects::label)
        return false;
    return methods.empty() || std::ranges::find(methods, method) != methods.end();
}

// Returns whether an option decides which cells are scored, and in which units. Baselines depend on no other
// options.
bool changes_scored_cells(const core::OptionEffects& effects, const std::string& option) {
    const auto at = effects.find(option);
    return at != effects.end() && at->second.affects == core::Affects::scored_cells;
}

// Returns whether the cell types of a population are an input of a method.
bool sees_cell_types(const std::string& method) {
    return models::uses_setting(method, "knn") || models::uses_setting(method, "moment-kernel");
}

// Splits the option `column` into the column of cell types, which is only an input of some methods, and the
// other roles, which decide which cells form a population.
void split_columns(const predict::Provenance& p, Entries& entries) {
    if (entries.erase("column") == 0) return;
    std::string others;
    for (const auto& [role, name] : role_columns(p.config)) {
        if (role == "cell_type") {
            if (sees_cell_types(p.method)) entries["cell_type"] = name;
            continue;
        }
        others += (others.empty() ? "" : " ") + role + "=" + name;
    }
    if (!others.empty()) entries["column"] = others;
}

std::string value_of(const Entries& entries, const std::string& key) {
    const auto at = entries.find(key);
    return at == entries.end() ? "" : at->second;
}

// Returns the options of a file that can distinguish its rows from others, with the values that took effect.
Entries distinguishing_entries(const predict::Provenance& p, const core::OptionEffects& effects) {
    Entries entries = core::key_values(p.config);
    // Steps of the checkpoint, which may be an earlier one. The end of the patience is no setting.
    if (value_of(entries, "patience").empty()) entries["steps"] = std::to_string(p.steps);
    entries["precision"] = p.precision;
    split_columns(p, entries);
    std::erase_if(entries,
                  [&](const auto& entry) { return !distinguishes_rows(effects, entry.first, p.method); });
    return entries;
}

// Returns the keys whose values are not the same in all entries.
std::set<std::string> differing_keys(const std::vector<Entries>& all) {
    std::set<std::string> keys;
    for (const Entries& entries : all) {
        for (const auto& entry : entries) {
            if (std::ranges::any_of(
                    all, [&](const Entries& e) { return value_of(e, entry.first) != entry.second; }))
                keys.insert(entry.first);
        }
    }
    return keys;
}

std::string describe(const Entries& entries, const std::set<std::string>& keys) {
    Texts texts;
    for (const std::string& key : keys) {
        const std::string value = value_of(entries, key);
        texts.push_back(value.empty() ? "no " + key : key + "=" + value);
    }
    return core::joined(texts, texts.size());
}

std::size_t index_of(const Texts& names, const std::string& name) {
    return static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
}

// Returns the sort key of a row: the order of the published tables, then the baselines.
auto sort_key(const ComparisonRow& row) {
    const Texts methods = models::family_names();
    // The published tables have the Gaussian base first for methods that embed the population and last for
    // other methods.
    const bool is_second_base = (row.base == "gaussian") != models::uses_setting(row.method, "knn");
    return std::tuple(eval::predictor_index(row.predictor), index_of(methods, row.method), row.method,
                      is_second_base, row.knn, row.encoder, row.variant);
}

// Returns the scores of all baselines of a file: (pair, predictor, metric) -> score.
std::map<std::tuple<std::string, std::string, std::string>, double> baseline_scores(
    const eval::Results& results) {
    std::map<std::tuple<std::string, std::string, std::string>, double> scores;
    const h5::DataFrame& pairs = results.pairs;
    for (std::size_t i = 0; i < pairs.rows(); ++i) {
        const std::string& predictor = pairs.strings("predictor")[i];
        const eval::Predictor* known = eval::find_predictor(predictor);
        if (known == nullptr || known->is_model() || pairs.strings("status")[i] != "ok") continue;
        for (const std::string& metric : metrics::metric_names()) {
            if (pairs.contains(metric) && !std::isnan(pairs.doubles(metric)[i]))
                scores[{pairs.strings("pair")[i], predictor, metric}] = pairs.doubles(metric)[i];
        }
    }
    return scores;
}

// Returns whether two files score the same cells of the same data, although the fingerprints of their data
// differ. A fingerprint covers all labels that a run uses, also the cell types, which do not change what is
// scored. The same cells have the same scores of all baselines.
bool score_same_cells(const eval::Results& a, const eval::Results& b) {
    const auto others = baseline_scores(b);
    bool any_common = false;
    for (const auto& [key, score] : baseline_scores(a)) {
        const auto at = others.find(key);
        if (at == others.end()) continue;
        if (at->second != score) return false;
        any_common = true;
    }
    return any_common;
}

// Returns the names of the metrics of a space that tables have, as in their headings.
std::string metric_titles(metrics::Space space) {
    Texts titles;
    for (const metrics::Metric& metric : metrics::all_metrics()) {
        if (metric.is_in_tables && metric.space == space) titles.emplace_back(metric.title);
    }
    return core::and_joined(titles);
}

// Returns a note on the spaces of the scores of a model in a latent space, empty for another model.
std::string latent_note(const predict::Provenance& provenance) {
    if (provenance.latent == 0) return "";
    return fmt::format(
        "{} compare the coordinates of {}, which have {} of the variance of the training cells. {} compare "
        "the "
        "markers, to which the predictions of the model and of moment_map are mapped back. identity, "
        "mean_shift "
        "and oracle_shift move the control cells themselves there. Mapped-back cells lack the noise outside "
        "the "
        "components: compare their energy and corr. of corr. only with each other",
        metric_titles(metrics::Space::latent), core::counted(provenance.latent, "principal component"),
        core::percent_text(provenance.latent_share), metric_titles(metrics::Space::markers));
}

// Collects the rows and notes of one comparison.
class Collector {
  public:
    Collector(const std::vector<eval::Results>& results, const core::OptionEffects& effects,
              Comparison& comparison)
        : results_(results), comparison_(comparison) {
        std::vector<Entries> scoring;
        for (std::size_t i : comparison.results) {
            entries_[i] = distinguishing_entries(results[i].provenance, effects);
            scoring.push_back(entries_[i]);
            std::erase_if(scoring.back(),
                          [&](const auto& entry) { return !changes_scored_cells(effects, entry.first); });
            by_kind_[kind(i)].push_back(entries_[i]);
        }
        scoring_differences_ = differing_keys(scoring);
    }

    void collect() {
        for (std::size_t i : comparison_.results) add(i);
        std::ranges::stable_sort(comparison_.rows, {}, sort_key);
        add_notes();
    }

  private:
    // Returns method, base, k, fixed encoder and variant of a file. k is 0 for models without a graph.
    std::tuple<std::string, std::string, std::size_t, std::string, std::string> kind(std::size_t i) const {
        const predict::Provenance& p = results_[i].provenance;
        const bool sees_treatment = models::uses_setting(p.method, "condition") && p.condition == "treatment";
        std::string variant = sees_treatment ? treatment_variant : "";
        if (p.recipe == "paper") variant += " (paper)";
        const std::string encoder = fixed_encoder_of(p);
        const bool has_graph = models::uses_setting(p.method, "knn") && encoder.empty();
        return {p.method, p.base, has_graph ? p.knn : 0, encoder, variant};
    }

    // Returns the row of a predictor of file i. Adds the row if it is new.
    ComparisonRow& find_or_add_row(std::size_t i, const std::string& predictor) {
        ComparisonRow wanted{.predictor = predictor};
        std::set<std::string> keys = scoring_differences_;
        if (wanted.is_model()) {
            std::tie(wanted.method, wanted.base, wanted.knn, wanted.encoder, wanted.variant) = kind(i);
            keys.merge(differing_keys(by_kind_[kind(i)]));
        }
        wanted.differs = describe(entries_[i], keys);
        for (ComparisonRow& row : comparison_.rows) {
            if (sort_key(row) == sort_key(wanted) && row.differs == wanted.differs) return row;
        }
        comparison_.rows.push_back(std::move(wanted));
        return comparison_.rows.back();
    }

    void add(std::size_t i) {
        std::set<std::string> predictors;
        for (const std::string& name : results_[i].summary.strings("predictor")) predictors.insert(name);
        for (const std::string& predictor : predictors) {
            ComparisonRow& row = find_or_add_row(i, predictor);
            if (const std::size_t twin = add_scores(i, row); twin != i && row.is_model()) {
                comparison_.notes.push_back(
                    fmt::format("{}, seed {}: {} repeats the run of {} and is ignored", row.label(),
                                results_[i].provenance.seed, results_[i].file, results_[twin].file));
                continue;
            }
            row.results.push_back(i);
            const std::uint64_t seed = results_[i].provenance.seed;
            if (std::ranges::find(row.seeds, seed) == row.seeds.end()) row.seeds.push_back(seed);
        }
    }

    // Adds the scores of file i that the row does not have from the same seeds. A baseline depends only on
    // the seed of the draw. Returns i, or the earlier file if all scores were known.
    std::size_t add_scores(std::size_t i, ComparisonRow& row) {
        const eval::Results& results = results_[i];
        const h5::DataFrame& summary = results.summary;
        const std::string draw = value_of(core::key_values(results.provenance.config), "eval-seed");
        const std::string seeds =
            (row.is_model() ? std::to_string(results.provenance.seed) : "") + " " + draw;
        std::size_t twin = i;
        bool all_known = true;
        for (std::size_t line = 0; line < summary.rows(); ++line) {
            if (summary.strings("predictor")[line] != row.predictor) continue;
            const Scope scope{summary.strings("part")[line], summary.strings("aggregation")[line]};
            const auto [at, is_new] = first_file_.try_emplace({row.label(), seeds, scope}, i);
            if (is_new) {
                add_line(summary, line, row.scores[scope]);
                row.scores[scope].results.push_back(i);
            }
            if (!is_new) twin = at->second;
            all_known = all_known && !is_new;
        }
        return all_known ? twin : i;
    }

    static void add_line(const h5::DataFrame& summary, std::size_t line, RowScores& scores) {
        scores.n_pairs = summary.ints("n_pairs")[line];
        scores.n_failed += summary.ints("n_failed")[line];
        for (const std::string& metric : metrics::metric_names()) {
            if (summary.contains(metric)) scores.by_metric[metric].add(summary.doubles(metric)[line]);
        }
    }

    void add_notes() {
        std::set<std::string> selections;
        for (const std::size_t i : comparison_.results) {
            const std::string& words = results_[i].provenance.selection;
            if (!words.empty() && selections.insert(words).second) comparison_.notes.push_back(words);
        }
        std::set<std::string> spaces;
        for (const std::size_t i : comparison_.results) {
            const std::string note = latent_note(results_[i].provenance);
            if (!note.empty() && spaces.insert(note).second) comparison_.notes.push_back(note);
        }
        for (const std::string& key : scoring_differences_) {
            std::set<std::string> values;
            for (const auto& [i, entries] : entries_) values.insert(value_of(entries, key));
            comparison_.notes.push_back(
                "the files differ in " + key + " (" + core::joined({values.begin(), values.end()}) +
                "), which changes the scored cells or their units: compare only rows with the same value");
        }
        Texts fewer;
        for (const ComparisonRow& row : comparison_.rows) {
            if (row.is_model() && row.seeds.size() < comparison_.seeds())
                fewer.push_back(fmt::format("{} {}", row.label(), row.seeds.size()));
        }
        if (!fewer.empty()) comparison_.notes.push_back("fewer seeds: " + core::joined(fewer));
        add_failures();
        add_unavailable();
        add_folds();
        std::set<std::string> builds;
        for (std::size_t i : comparison_.results)
            builds.insert(results_[i].provenance.version + " " + results_[i].provenance.commit);
        if (builds.size() > 1) {
            comparison_.notes.push_back(fmt::format("written by {} builds of popflow: {}", builds.size(),
                                                    core::joined({builds.begin(), builds.end()})));
        }
    }

    // Adds a note for each part in which a predictor has no scores on some pairs.
    void add_unavailable() {
        struct Found {
            std::set<std::string> all;
            std::set<std::string> unavailable;
            std::set<std::string> failed;
            std::int64_t cells = std::numeric_limits<std::int64_t>::max();  ///< half of the smallest target
        };
        std::map<std::pair<std::string, std::string>, Found> found;
        for (const std::size_t i : comparison_.results) {
            const h5::DataFrame& pairs = results_[i].pairs;
            if (!pairs.contains("message") || !pairs.contains("n_target")) continue;
            std::map<std::string, std::int64_t> halves;
            for (std::size_t row = 0; row < pairs.rows(); ++row) {
                if (pairs.strings("predictor")[row] == "noise_floor")
                    halves[pairs.strings("pair")[row]] = pairs.ints("n_target")[row];
            }
            for (std::size_t row = 0; row < pairs.rows(); ++row) {
                const std::string& pair = pairs.strings("pair")[row];
                Found& of = found[{pairs.strings("predictor")[row], pairs.strings("part")[row]}];
                of.all.insert(pair);
                if (pairs.strings("status")[row] != "ok") {
                    of.failed.insert(pair);
                    continue;
                }
                if (pairs.strings("message")[row].empty()) continue;
                of.unavailable.insert(pair);
                if (const auto at = halves.find(pair); at != halves.end() && at->second > 0)
                    of.cells = std::min(of.cells, at->second);
            }
        }
        for (const auto& [key, pairs] : found) {
            if (pairs.unavailable.empty()) continue;
            std::string note =
                fmt::format("{} has no scores on {} of {} {} pairs, which have too few treated cells",
                            key.first, pairs.unavailable.size(), pairs.all.size(), key.second);
            if (pairs.unavailable.size() + pairs.failed.size() < pairs.all.size())
                note += ", and its mean is over the others";
            if (pairs.cells != std::numeric_limits<std::int64_t>::max())
                note += fmt::format(". evaluate --max-cells {} scores all of them", pairs.cells);
            comparison_.notes.push_back(note);
        }
    }

    // Adds a note for each skipped fold of a leave-one-out, and one if the files have different folds.
    void add_folds() {
        std::set<std::string> skipped;
        std::set<std::string> scored;
        for (const std::size_t i : comparison_.results) {
            const h5::DataFrame& folds = results_[i].folds;
            if (folds.rows() == 0) continue;
            std::string names;
            for (std::size_t row = 0; row < folds.rows(); ++row) {
                const std::string& fold = folds.strings("fold")[row];
                if (folds.strings("status")[row] == "skipped") {
                    skipped.insert("fold " + fold + " was skipped: " + folds.strings("note")[row]);
                } else {
                    names += core::list_item(fold) + ", ";
                }
            }
            scored.insert(names);
        }
        comparison_.notes.insert(comparison_.notes.end(), skipped.begin(), skipped.end());
        if (scored.size() > 1)
            comparison_.notes.push_back(
                "the files have scores of different folds, so their means are over different pairs: compare "
                "rows of the same number of pairs");
    }

    // Adds a note for each kind of failure.
    void add_failures() {
        std::map<std::string, std::size_t> failures;
        for (std::size_t i : comparison_.results) {
            const h5::DataFrame& pairs = results_[i].pairs;
            if (!pairs.contains("message")) continue;
            for (std::size_t row = 0; row < pairs.rows(); ++row) {
                if (pairs.strings("status")[row] != "ok") ++failures[pairs.strings("message")[row]];
            }
        }
        for (const auto& [message, n] : failures)
            comparison_.notes.push_back(core::counted(n, "score") + " failed: " + message);
        if (!failures.empty()) {
            comparison_.notes.push_back("the means of a file exclude pairs for which any predictor failed");
        }
    }

    const std::vector<eval::Results>& results_;
    Comparison& comparison_;
    std::map<std::size_t, Entries> entries_;
    std::map<std::tuple<std::string, std::string, std::size_t, std::string, std::string>,
             std::vector<Entries>>
        by_kind_;
    std::set<std::string> scoring_differences_;
    std::map<std::tuple<std::string, std::string, Scope>, std::size_t>
        first_file_;  ///< (row, seeds, scope) -> result file
};

}  // namespace

std::vector<Comparison> compare(const std::vector<eval::Results>& results,
                                const core::OptionEffects& effects) {
    std::vector<Comparison> comparisons;
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const predict::Provenance& p = results[i].provenance;
        const std::string seed = value_of(core::key_values(p.config), "split-seed");
        // Only the split `replica` depends on the seed.
        const std::string split = p.split == "replica" && !seed.empty() && seed != "0"
                                      ? p.split + " (split-seed " + seed + ")"
                                      : p.split;
        const std::string key = p.data_fingerprint + " " + split;
        std::size_t at = index_of(keys, key);
        for (std::size_t c = 0; at == keys.size() && c < comparisons.size(); ++c) {
            if (comparisons[c].split == split &&
                score_same_cells(results[comparisons[c].results.front()], results[i]))
                at = c;
        }
        if (at == keys.size()) {
            keys.push_back(key);
            comparisons.push_back({.split = split, .data_fingerprint = p.data_fingerprint});
        }
        comparisons[at].results.push_back(i);
    }
    for (Comparison& comparison : comparisons) {
        Collector(results, effects, comparison).collect();
        const eval::Results& first = results[comparison.results.front()];
        comparison.columns = role_columns(first.provenance.config);
        comparison.grouping = first.grouping;
        comparison.has_latent = std::ranges::any_of(
            comparison.results, [&](std::size_t i) { return results[i].provenance.latent > 0; });
        const std::vector<std::string> metrics =
            core::split_text(value_of(core::key_values(first.provenance.config), "metrics"), ',');
        const std::size_t d = first.markers.size();
        if (first.provenance.latent == 0 && (d == 1 || d == 2) &&
            std::ranges::find(metrics, "r2") != metrics.end()) {
            comparison.notes.push_back(
                std::string("r2 is not available: it compares correlations between markers, and ") +
                (d == 1 ? "a single marker has none" : "two markers have only one"));
        }
    }
    return comparisons;
}

}  // namespace popflow::report

// SPDX-License-Identifier: MIT
#include "eval/joined_results.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <variant>

#include "core/error.hpp"
#include "core/join.hpp"
#include "core/text.hpp"
#include "screen/splits.hpp"

namespace popflow::eval {

namespace {

using Texts = std::vector<std::string>;
using Rows = std::vector<std::size_t>;

// A table and the rows of it that are kept.
struct Source {
    const h5::DataFrame* table;
    Rows rows;
    std::string fold;
};

const h5::DataFrame::Column* find(const h5::DataFrame& table, const std::string& name) {
    const auto at = std::ranges::find(table.columns(), name, &h5::DataFrame::Column::name);
    return at == table.columns().end() ? nullptr : &*at;
}

// Returns the values of a column in all sources. A source without the column has the value `missing`.
template <class Values>
Values stacked_values(const std::vector<Source>& sources, const std::string& name,
                      typename Values::value_type missing) {
    Values all;
    for (const Source& source : sources) {
        const h5::DataFrame::Column* column = find(*source.table, name);
        const Values* values = column == nullptr ? nullptr : std::get_if<Values>(&column->values);
        for (const std::size_t row : source.rows) all.push_back(values == nullptr ? missing : (*values)[row]);
    }
    return all;
}

// Adds a column of all sources to a table, with the type that `column` has.
void add_stacked(const std::vector<Source>& sources, const h5::DataFrame::Column& column,
                 h5::DataFrame& table) {
    const std::string& name = column.name;
    if (std::holds_alternative<h5::DataFrame::Doubles>(column.values)) {
        table.add(name, stacked_values<h5::DataFrame::Doubles>(sources, name,
                                                               std::numeric_limits<double>::quiet_NaN()));
    } else if (std::holds_alternative<h5::DataFrame::Ints>(column.values)) {
        table.add(name, stacked_values<h5::DataFrame::Ints>(sources, name, 0));
    } else if (std::holds_alternative<h5::DataFrame::Bools>(column.values)) {
        table.add_bools(name, stacked_values<h5::DataFrame::Bools>(sources, name, 0));
    } else if (column.categorical) {
        table.add_categorical(name, stacked_values<Texts>(sources, name, ""));
    } else {
        table.add(name, stacked_values<Texts>(sources, name, ""));
    }
}

// Returns the tables below each other, with the columns of all of them and the column `fold` before the
// column `next`, or at the end. A table that has a column `fold` keeps it: it is the column of the split.
h5::DataFrame stacked(const std::vector<Source>& sources, const std::string& next) {
    std::vector<const h5::DataFrame::Column*> columns;
    for (const Source& source : sources) {
        auto place = columns.begin();
        for (const h5::DataFrame::Column& column : source.table->columns()) {
            const auto known =
                std::ranges::find_if(columns, [&](const auto* other) { return other->name == column.name; });
            place = known != columns.end() ? known + 1 : columns.insert(place, &column) + 1;
        }
    }
    Texts folds;
    for (const Source& source : sources) folds.insert(folds.end(), source.rows.size(), source.fold);
    h5::DataFrame table;
    const auto is_fold = [](const auto* column) { return column->name == "fold"; };
    const bool has_fold = std::ranges::any_of(columns, is_fold);
    for (const h5::DataFrame::Column* column : columns) {
        if (!has_fold && column->name == next) table.add_categorical("fold", folds);
        add_stacked(sources, *column, table);
    }
    if (!has_fold && !table.contains("fold") && !columns.empty())
        table.add_categorical("fold", std::move(folds));
    return table;
}

Rows test_rows(const h5::DataFrame& pairs) {
    Rows rows;
    const Texts& parts = pairs.strings("part");
    for (std::size_t row = 0; row < pairs.rows(); ++row) {
        if (parts[row] == screen::part_name(screen::Part::test)) rows.push_back(row);
    }
    return rows;
}

Rows all_rows(const h5::DataFrame& table) {
    Rows rows(table.rows());
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = row;
    return rows;
}

// Returns the lines of a configuration by key, and the keys in their order. A key may have several lines.
std::pair<Texts, std::map<std::string, std::string>> config_lines(const std::string& config) {
    std::pair<Texts, std::map<std::string, std::string>> found;
    for (std::size_t at = 0; at < config.size();) {
        const std::size_t end = std::min(config.find('\n', at), config.size());
        const std::string line = config.substr(at, end - at);
        at = end + 1;
        const std::string key = line.substr(0, line.find(" = "));
        const auto [entry, is_new] = found.second.try_emplace(key, "");
        if (is_new) found.first.push_back(key);
        entry->second += line + "\n";
    }
    return found;
}

std::string joined_config(const std::vector<const Results*>& results, const LeaveOneOut& asked) {
    const auto wanted = config_lines(asked.config);
    std::vector<std::map<std::string, std::string>> found;
    for (const Results* fold : results) found.push_back(config_lines(fold->provenance.config).second);
    std::string text;
    for (const std::string& key : wanted.first) {
        const auto same = [&](const auto& entries) {
            const auto at = entries.find(key);
            const auto first = found.front().find(key);
            return at != entries.end() && first != found.front().end() && at->second == first->second;
        };
        text += key != "split" && std::ranges::all_of(found, same) ? found.front().at(key)
                                                                   : wanted.second.at(key);
    }
    return text;
}

void check_same(const Results& first, const Results& other) {
    const predict::Provenance& a = first.provenance;
    const predict::Provenance& b = other.provenance;
    const auto check = [&](const char* name, const std::string& x, const std::string& y) {
        if (x == y) return;
        throw core::DataError(other.file, name,
                              "found " + y + ", but " + first.file + " has " + x +
                                  ". The folds do not belong together: run popflow run with --resume and one "
                                  "configuration for all of them");
    };
    check("data_fingerprint", a.data_fingerprint, b.data_fingerprint);
    check("recipe", a.recipe, b.recipe);
    check("precision", a.precision, b.precision);
    check("seed", std::to_string(a.seed), std::to_string(b.seed));
    check("latent_components", std::to_string(a.latent), std::to_string(b.latent));
    check("markers", core::joined(first.markers), core::joined(other.markers));
    if (!a.selection.empty() && !b.selection.empty()) return;  // each fold may have chosen another method
    check("method", a.method, b.method);
    check("base", a.base, b.base);
    check("condition", a.condition, b.condition);
    check("steps", std::to_string(a.steps), std::to_string(b.steps));
}

// Checks that no pair is a test pair of two folds.
void check_pairs(const std::vector<Source>& sources, const std::vector<const Results*>& results) {
    std::map<std::string, std::size_t> fold_of;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (sources[i].rows.empty())
            throw core::DataError(results[i]->file, "pairs",
                                  "has no test pair. Run popflow run with --resume and --parts test");
        for (const std::size_t row : sources[i].rows) {
            const std::string& pair = sources[i].table->strings("pair")[row];
            const std::size_t fold = fold_of.try_emplace(pair, i).first->second;
            if (fold == i) continue;
            throw core::DataError(results[i]->file, "pairs",
                                  "has the test pair `" + pair + "`, as " + results[fold]->file +
                                      " has. The folds do not belong together");
        }
    }
}

std::vector<CellSample> chosen_samples(std::vector<FoldResults>& folds, std::size_t count) {
    std::vector<CellSample> chosen;
    std::size_t longest = 0;
    for (const FoldResults& fold : folds) longest = std::max(longest, fold.results.samples.size());
    for (std::size_t k = 0; k < longest; ++k) {
        for (std::size_t f = 0; f < folds.size(); ++f) {
            std::vector<CellSample>& samples = folds[f].results.samples;
            // All folds have the same order of treatments, so each begins with another one.
            if (k < samples.size() && chosen.size() < count)
                chosen.push_back(std::move(samples[(k + f) % samples.size()]));
        }
    }
    return chosen;
}

h5::DataFrame folds_frame(const std::vector<FoldResults>& folds, const LeaveOneOut& asked) {
    Texts value;
    Texts folder;
    Texts split;
    Texts status;
    Texts note;
    Texts version;
    h5::DataFrame::Ints pairs;
    for (const FoldResults& fold : folds) {
        const bool is_skipped = fold.fold.state == train::FoldState::skipped;
        const predict::Provenance& p = fold.results.provenance;
        value.push_back(fold.fold.value);
        folder.push_back(fold.fold.folder);
        split.push_back(is_skipped ? screen::left_out_split(asked.split, fold.fold.value) : p.split);
        status.emplace_back(train::fold_state_name(fold.fold.state));
        note.push_back(fold.fold.note);
        version.push_back(is_skipped ? "" : p.version + " " + p.commit);
        std::map<std::string, int> names;
        if (!is_skipped) {
            for (const std::size_t row : test_rows(fold.results.pairs))
                names[fold.results.pairs.strings("pair")[row]] = 1;
        }
        pairs.push_back(static_cast<std::int64_t>(names.size()));
    }
    h5::DataFrame frame;
    frame.add("fold", std::move(value));
    frame.add("folder", std::move(folder));
    frame.add("split", std::move(split));
    frame.add("status", std::move(status));
    frame.add("n_pairs", std::move(pairs));
    frame.add("note", std::move(note));
    frame.add("popflow", std::move(version));
    return frame;
}

// Returns in words which methods --method auto has chosen in the folds.
std::string joined_selection(const std::vector<const Results*>& results) {
    std::map<std::string, std::size_t> folds;
    for (const Results* fold : results) ++folds[fold->provenance.method];
    Texts counts;
    for (const auto& [method, n] : folds) counts.push_back(method + " in " + core::counted(n, "fold"));
    return "--method auto chose " + core::and_joined(counts);
}

}  // namespace

Results join_folds(std::vector<FoldResults> folds, const LeaveOneOut& asked) {
    std::vector<const Results*> scored;
    std::vector<Source> pairs;
    std::vector<Source> training;
    for (const FoldResults& fold : folds) {
        if (fold.fold.state == train::FoldState::skipped) continue;
        const Results& results = fold.results;
        scored.push_back(&results);
        pairs.push_back({&results.pairs, test_rows(results.pairs), fold.fold.value});
        training.push_back({&results.training, all_rows(results.training), fold.fold.value});
    }
    if (scored.empty()) throw core::ConfigError("split", "no fold of " + asked.split + " has results");
    for (const Results* results : scored) check_same(*scored.front(), *results);
    check_pairs(pairs, scored);
    const Results& first = *scored.front();
    Results joined{.provenance = first.provenance, .pairs = stacked(pairs, "predictor")};
    joined.provenance.split = asked.split;
    joined.provenance.config = joined_config(scored, asked);
    if (!first.provenance.selection.empty()) {
        joined.provenance.method = "auto";
        joined.provenance.selection = joined_selection(scored);
    }
    const bool has_one_knn = std::ranges::all_of(
        scored, [&](const Results* fold) { return fold->provenance.knn == first.provenance.knn; });
    if (!has_one_knn) joined.provenance.knn = std::stoull(core::key_values(asked.config)["knn"]);
    for (const Results* fold : scored) {
        joined.provenance.ranks = std::max(joined.provenance.ranks, fold->provenance.ranks);
        joined.provenance.threads = std::max(joined.provenance.threads, fold->provenance.threads);
        joined.provenance.latent_share =
            std::min(joined.provenance.latent_share, fold->provenance.latent_share);
    }
    joined.summary = summarise(joined.pairs);
    joined.training = stacked(training, "");
    joined.markers = first.markers;
    joined.folds = folds_frame(folds, asked);
    joined.samples = chosen_samples(folds, asked.sample_pairs);
    return joined;
}

}  // namespace popflow::eval

// SPDX-License-Identifier: MIT
#include "eval/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/version.hpp"
#include "eval/result_provenance.hpp"
#include "h5/file.hpp"

namespace popflow::eval {

namespace {

constexpr std::int64_t format_version = 1;

// Column of a table.
using Texts = std::vector<std::string>;

// Returns the mean of the values that are not NaN.
double mean_of(const std::vector<double>& values) {
    double sum = 0;
    double n = 0;
    for (double v : values) {
        if (std::isnan(v)) continue;
        sum += v;
        n += 1;
    }
    return n > 0 ? sum / n : metrics::Scores::none;
}

// Rows of one (part, predictor) in the table of pairs.
struct Group {
    std::vector<std::size_t> rows;  ///< without the pairs for which any predictor failed
    std::size_t failed = 0;
};

// Computes the table of summarise().
class Summary {
  public:
    Summary(const h5::DataFrame& pairs, Grouping grouping) : pairs_(pairs), grouping_(std::move(grouping)) {
        for (const std::string& name : metrics::metric_names()) {
            if (pairs.contains(name)) names_.push_back(name);
        }
        values_.resize(names_.size());
    }

    h5::DataFrame frame() {
        for (const auto& [key, group] : groups()) {
            const auto& [part, order, predictor] = key;
            add_groups(part, predictor, group);
            std::vector<std::vector<double>> by_culture(names_.size());
            for (const auto& [culture, rows] : split_by("culture", group.rows)) {
                const std::vector<double> means = metric_means(rows);
                for (std::size_t m = 0; m < means.size(); ++m) by_culture[m].push_back(means[m]);
            }
            std::vector<double> means(by_culture.size());
            std::ranges::transform(by_culture, means.begin(), mean_of);
            add(part, predictor, "culture_mean", group.rows.size(), group.failed, means);
            add(part, predictor, "pair_mean", group.rows.size(), group.failed, metric_means(group.rows));
        }
        h5::DataFrame out;
        out.add("part", std::move(part_));
        out.add("predictor", std::move(predictor_));
        out.add("aggregation", std::move(aggregation_));
        out.add("n_pairs", std::move(n_pairs_));
        out.add("n_failed", std::move(n_failed_));
        for (std::size_t m = 0; m < names_.size(); ++m) out.add(names_[m], std::move(values_[m]));
        return out;
    }

  private:
    // Part, position of the predictor in predictors(), and its name, which another version may have added.
    using Key = std::tuple<std::string, std::size_t, std::string>;

    std::map<Key, Group> groups() const {
        std::map<Key, Group> groups;
        const auto key = [&](std::size_t row) {
            const std::string& predictor = pairs_.strings("predictor")[row];
            return Key{pairs_.strings("part")[row], predictor_index(predictor), predictor};
        };
        for (std::size_t row = 0; row < pairs_.rows(); ++row)
            groups[key(row)].failed += pairs_.strings("status")[row] != "ok" ? 1 : 0;
        for (const std::size_t row : scored_rows(pairs_)) groups[key(row)].rows.push_back(row);
        return groups;
    }

    std::map<std::string, std::vector<std::size_t>> split_by(const std::string& column,
                                                             const std::vector<std::size_t>& rows) const {
        std::map<std::string, std::vector<std::size_t>> split;
        for (const std::size_t row : rows) split[pairs_.strings(column)[row]].push_back(row);
        return split;
    }

    void add_groups(const std::string& part, const std::string& predictor, const Group& group) {
        const auto split = split_by(grouping_.column, group.rows);
        if (!grouping_.is_chosen && split.size() < 2) return;
        for (const auto& [label, rows] : split)
            add(part, predictor, grouping_.name + ":" + group_label(label), rows.size(), 0,
                metric_means(rows));
    }

    std::vector<double> metric_means(const std::vector<std::size_t>& rows) const {
        std::vector<double> means;
        for (const std::string& name : names_) {
            std::vector<double> values;
            for (std::size_t row : rows) values.push_back(pairs_.doubles(name)[row]);
            means.push_back(mean_of(values));
        }
        return means;
    }

    void add(const std::string& part, const std::string& predictor, const std::string& aggregation,
             std::size_t n, std::size_t failed, const std::vector<double>& means) {
        part_.push_back(part);
        predictor_.push_back(predictor);
        aggregation_.push_back(aggregation);
        n_pairs_.push_back(static_cast<std::int64_t>(n));
        n_failed_.push_back(static_cast<std::int64_t>(failed));
        for (std::size_t m = 0; m < means.size(); ++m) values_[m].push_back(means[m]);
    }

    const h5::DataFrame& pairs_;
    Grouping grouping_;
    Texts part_;
    Texts predictor_;
    Texts aggregation_;
    std::vector<std::int64_t> n_pairs_;
    std::vector<std::int64_t> n_failed_;
    Texts names_;
    std::vector<std::vector<double>> values_;
};

void write_embeddings(h5::Group& root, const Results& results) {
    h5::Group group = root.create_group("embeddings");
    const linalg::Matrix<float>& x = results.embeddings;
    h5::Dataset values = group.write("values", x.values(), {x.rows(), x.cols()});
    h5::write_encoding(values, "array", "0.2.0");
    h5::Dataset names = group.write_strings("pair", results.embedding_names);
    h5::write_encoding(names, "string-array", "0.2.0");
    h5::write_encoding(group, "dict", "0.1.0");
    h5::Group training = root.create_group("training_embeddings");
    const linalg::Matrix<float>& y = results.training_embeddings;
    h5::Dataset training_values = training.write("values", y.values(), {y.rows(), y.cols()});
    h5::write_encoding(training_values, "array", "0.2.0");
    h5::write_dataframe(training, "populations", results.training_populations);
    h5::write_encoding(training, "dict", "0.1.0");
}

// Files of earlier versions do not have these embeddings.
void read_training_embeddings(const h5::Group& root, Results& results) {
    if (!root.contains_group("training_embeddings")) return;
    const h5::Group group = root.open_group("training_embeddings");
    results.training_populations = h5::read_dataframe(group, "populations");
    const h5::Dataset values = group.open_dataset("values");
    const std::size_t rows = results.training_populations.rows();
    if (values.rows() != rows || (rows > 0 && values.row_size() != results.embeddings.cols())) {
        throw core::DataError(group.file(), "training_embeddings/values",
                              fmt::format("found {} x {} values, but there are {} populations and embeddings "
                                          "of {} values. The file is damaged: run popflow evaluate again",
                                          values.rows(), values.row_size(), rows, results.embeddings.cols()));
    }
    results.training_embeddings = linalg::Matrix<float>(rows, values.row_size());
    if (values.size() > 0) values.read_rows(0, rows, results.training_embeddings.values());
}

void read_embeddings(const h5::Group& root, Results& results) {
    const h5::Group group = root.open_group("embeddings");
    results.embedding_names = group.open_dataset("pair").read_strings();
    const h5::Dataset values = group.open_dataset("values");
    results.embeddings = linalg::Matrix<float>(values.rows(), values.row_size());
    if (results.embeddings.rows() != results.embedding_names.size()) {
        throw core::DataError(group.file(), "embeddings",
                              fmt::format("found {} rows for {} names. The file is damaged: run popflow "
                                          "evaluate again",
                                          values.rows(), results.embedding_names.size()));
    }
    if (values.size() > 0) values.read_rows(0, values.rows(), results.embeddings.values());
}

}  // namespace

std::optional<std::string> Grouping::group(const std::string& aggregation) const {
    const std::string prefix = name + ":";
    if (!aggregation.starts_with(prefix)) return std::nullopt;
    return aggregation.substr(prefix.size());
}

std::string split_column_name(const screen::Split& split) {
    constexpr std::array labels{"", "patient", "culture", "treatment", "concentration", "replicate", "plate"};
    if (std::ranges::find(labels, split.column) != labels.end()) return "";
    std::string name = split.column;
    std::ranges::replace(name, '/', '_');  // HDF5 takes a slash for a group
    std::vector<std::string> taken{"pair",    "part",        "predictor", "status", "message",
                                   "seconds", "n_predicted", "n_target",  "rank",   "training_distance",
                                   "_index"};
    for (const std::string& metric : metrics::metric_names()) taken.push_back(metric);
    while (std::ranges::find(taken, name) != taken.end()) name = "obs_" + name;
    return name;
}

h5::DataFrame pairs_frame(const screen::Screen& screen, const screen::Split& split,
                          const Evaluation& evaluation) {
    std::map<std::string, Texts> text;
    std::map<std::string, std::vector<double>> number;
    std::map<std::string, std::vector<std::int64_t>> count;
    const std::string split_column = split_column_name(split);
    for (const PairScore& row : evaluation.scores) {
        const screen::Population& treated = screen.populations[screen.pairs[row.pair].treated];
        text["pair"].push_back(screen::pair_name(screen, row.pair));
        text["part"].emplace_back(screen::part_name(split.parts[row.pair]));
        text["patient"].push_back(treated.patient);
        text["culture"].push_back(treated.culture);
        text["treatment"].push_back(treated.treatment);
        text["concentration"].push_back(treated.concentration);
        text["replicate"].push_back(treated.replicate);
        text["plate"].push_back(treated.plate);
        if (!split_column.empty())
            text[split_column].push_back(screen::held_out_label(screen, split, row.pair));
        text["predictor"].push_back(row.predictor);
        text["status"].push_back(row.status);
        text["message"].push_back(row.message);
        for (const metrics::Metric& metric : metrics::all_metrics())
            number[metric.name].push_back(row.scores.*metric.score);
        number["training_distance"].push_back(row.training_distance);
        number["seconds"].push_back(row.seconds);
        count["n_predicted"].push_back(static_cast<std::int64_t>(row.n_predicted));
        count["n_target"].push_back(static_cast<std::int64_t>(row.n_target));
        count["rank"].push_back(row.rank);
    }
    h5::DataFrame frame;
    for (const char* name :
         {"pair", "part", "patient", "culture", "treatment", "concentration", "replicate", "plate"}) {
        frame.add_categorical(name, std::move(text[name]));
    }
    if (!split_column.empty()) frame.add_categorical(split_column, std::move(text[split_column]));
    frame.add_categorical("predictor", std::move(text["predictor"]));
    for (const metrics::Metric& metric : metrics::all_metrics()) {
        std::vector<double>& values = number[metric.name];
        const bool was_computed = std::ranges::any_of(values, [](double v) { return std::isfinite(v); });
        if (metric.is_default || was_computed) frame.add(metric.name, std::move(values));
    }
    for (const char* name : {"n_predicted", "n_target"}) frame.add(name, std::move(count[name]));
    frame.add("training_distance", std::move(number["training_distance"]));
    frame.add_categorical("status", std::move(text["status"]));
    frame.add("message", std::move(text["message"]));
    frame.add("seconds", std::move(number["seconds"]));
    frame.add("rank", std::move(count["rank"]));
    return frame;
}

h5::DataFrame summarise(const h5::DataFrame& pairs, const Grouping& grouping) {
    return Summary(pairs, grouping).frame();
}

std::vector<std::size_t> scored_rows(const h5::DataFrame& pairs) {
    std::set<std::string> failed;
    for (std::size_t row = 0; row < pairs.rows(); ++row) {
        if (pairs.strings("status")[row] != "ok") failed.insert(pairs.strings("pair")[row]);
    }
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < pairs.rows(); ++row) {
        if (!failed.contains(pairs.strings("pair")[row])) rows.push_back(row);
    }
    return rows;
}

std::string group_label(const std::string& label) {
    return label.empty() ? "none" : label;
}

void check_writable(const std::string& path) {
    const h5::AtomicFile attempt(path);
}

void write_results(const std::string& path, const Results& results) {
    h5::AtomicFile file(path);
    {
        h5::Group root = file.root();
        root.write_attribute("popflow_results", format_version);
        write_provenance(root, results.provenance);
        h5::write_dataframe(root, "pairs", results.pairs);
        h5::write_dataframe(root, "summary", results.summary);
        h5::write_dataframe(root, "training", results.training);
        if (results.selection.rows() > 0) h5::write_dataframe(root, "selection", results.selection);
        if (results.validation.rows() > 0) h5::write_dataframe(root, "validation", results.validation);
        write_embeddings(root, results);
        write_cell_samples(root, results.samples, results.markers);
        if (results.folds.rows() > 0) h5::write_dataframe(root, "folds", results.folds);
    }
    file.commit();
}

Results read_results(const std::string& path) {
    const h5::Group root = h5::open_file(path);
    if (!root.has_attribute("popflow_results"))
        throw core::DataError(
            path, "", "not a popflow result file. Give a file that popflow run, evaluate or ot wrote");
    if (const std::int64_t version = root.int_attribute("popflow_results"); version != format_version) {
        throw core::DataError(
            path, "popflow_results",
            fmt::format("found format {}, but this popflow reads format {}. Use the version of "
                        "popflow that wrote the file",
                        version, format_version));
    }
    Results results;
    results.file = path;
    results.provenance = read_provenance(root);
    results.pairs = h5::read_dataframe(root, "pairs");
    results.summary = h5::read_dataframe(root, "summary");
    results.training = h5::read_dataframe(root, "training");
    if (root.contains_group("selection")) results.selection = h5::read_dataframe(root, "selection");
    if (root.contains_group("validation")) results.validation = h5::read_dataframe(root, "validation");
    read_embeddings(root, results);
    read_training_embeddings(root, results);
    results.samples = read_cell_samples(root, results.markers);
    if (root.contains_group("folds")) results.folds = h5::read_dataframe(root, "folds");
    return results;
}

}  // namespace popflow::eval

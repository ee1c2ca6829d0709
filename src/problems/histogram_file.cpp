// SPDX-License-Identifier: MIT
#include "problems/histogram_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anndata/anndata.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/label_list.hpp"
#include "core/text.hpp"
#include "h5/file.hpp"
#include "problems/weight_rows.hpp"

namespace popflow::problems {

namespace {

constexpr const char* default_position = "position";

using Labels = std::vector<std::pair<std::string, std::string>>;  // columns and their labels

// Marks the rows that have all of some labels. @param option  its name, for messages
std::vector<bool> rows_with(const anndata::AnnData& data, const std::string& option, const Labels& wanted) {
    std::vector<bool> matches(data.n_obs(), true);
    for (const auto& [column, value] : wanted) {
        anndata::LabelColumn labels = data.obs(column);
        const std::vector<std::string> found = labels.read_labels();
        for (std::size_t i = 0; i < found.size(); ++i) matches[i] = matches[i] && found[i] == value;
        if (std::ranges::find(found, value) == found.end())
            throw core::DataError(data.file(), "obs/" + column,
                                  "has no row with '" + value + "'" +
                                      core::did_you_mean(value, labels.labels()) + ". Change --" + option);
    }
    return matches;
}

// Reads a condition `COLUMN=VALUE[,COLUMN=VALUE]`. @param option  its name, for messages
Labels read_condition(const std::string& option, const std::string& condition) {
    Labels labels = core::split_assignments(option, condition);
    for (const auto& [column, value] : labels) {
        if (column.empty())
            throw core::ConfigError(option,
                                    "'" + condition + "' is no condition. Give COLUMN=VALUE[,COLUMN=VALUE]");
    }
    if (labels.empty()) throw core::ConfigError(option, "is empty. Give COLUMN=VALUE[,COLUMN=VALUE]");
    return labels;
}

// Returns the rows that the options select, ascending.
std::vector<std::size_t> chosen_rows(const anndata::AnnData& data, const HistogramOptions& options) {
    std::vector<bool> chosen(data.n_obs(), options.rows.empty());
    for (const std::string& condition : options.rows) {
        const std::vector<bool> matches = rows_with(data, "rows", read_condition("rows", condition));
        for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = chosen[i] || matches[i];
    }
    const auto keep = [&](const std::string& option, const Labels& labels, bool kept) {
        const std::vector<bool> matches = rows_with(data, option, labels);
        for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = chosen[i] && matches[i] == kept;
    };
    for (const std::string& condition : options.exclude)
        keep("exclude", read_condition("exclude", condition), false);
    if (!options.training_part.empty()) keep("split", options.training_part, true);
    for (const auto& label : options.held_out) keep("split", {label}, false);
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (chosen[i]) rows.push_back(i);
    }
    if (rows.empty())
        throw core::DataError(
            data.file(), "obs",
            std::string("no row is left. Change --rows") +
                (options.training_part.empty() && options.held_out.empty() ? " or --exclude"
                                                                           : ", --exclude or --split"));
    return rows;
}

linalg::Matrix<double> read_positions(const h5::Group& root, const std::string& path,
                                      const std::vector<std::string>& atoms) {
    const h5::Dataset dataset = root.open_dataset(path);
    if (dataset.rank() > 2 || dataset.rows() != atoms.size() || dataset.row_size() == 0)
        throw core::DataError(
            root.file(), path,
            fmt::format("has {} rows, but there are {} atoms. Store one position for each column",
                        dataset.rows(), atoms.size()));
    linalg::Matrix<double> positions(dataset.rows(), dataset.row_size());
    dataset.read_rows(0, dataset.rows(), positions.values());
    for (std::size_t i = 0; i < positions.rows(); ++i) {
        if (!std::ranges::all_of(positions.view().row_span(i), [](double x) { return std::isfinite(x); }))
            throw core::DataError(
                root.file(), path,
                fmt::format("row {}: atom {} has no finite position. Give a position for each atom", i,
                            atoms[i]));
    }
    return positions;
}

}  // namespace

std::string HistogramOptions::position_member() const {
    if (position.empty()) return default_position;
    return position.starts_with("varm:") || position.starts_with("varm/") ? position.substr(5) : position;
}

HistogramFile::HistogramFile(std::string path, HistogramOptions options)
    : path_(std::move(path)), options_(std::move(options)) {
    const anndata::AnnData data(path_, options_.source);
    atoms_ = data.n_vars();
    if (atoms_ == 0)
        throw core::DataError(path_, data.x().path(), "has no columns. Give a column for each atom");
    rows_ = chosen_rows(data, options_);
    const std::vector<std::string> all = data.obs_names(0, data.n_obs());
    for (const std::size_t row : rows_) names_.push_back(all[row]);
    std::vector<std::string> sorted = names_;
    std::ranges::sort(sorted);
    if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end())
        throw core::DataError(path_, "obs",
                              "has two rows with the name '" + *twice + "'. Give each row its own name");
    const h5::Group root = h5::open_file(path_);
    const bool has_varm = data.has_var_table() && options_.source.kind != anndata::MatrixSource::Kind::raw &&
                          root.contains_group("varm");
    if (has_varm) members_of_varm_ = root.open_group("varm").names();
    const std::string name = options_.position_member();
    const bool has_member = std::ranges::find(members_of_varm_, name) != members_of_varm_.end();
    if (!options_.position.empty() && !has_member)
        throw core::DataError(path_, "varm/" + name,
                              "is missing" + core::did_you_mean(name, members_of_varm_) + ". " +
                                  (members_of_varm_.empty() ? "The file has no positions in varm"
                                                            : "varm has " + core::joined(members_of_varm_)));
    if (has_member) positions_ = read_positions(root, "varm/" + name, data.var_names());
    core::Digest digest;
    digest.add(data.x().text());
    digest.add(std::uint64_t{data.n_obs()});
    digest.add(std::uint64_t{atoms_});
    for (const std::string& row_name : names_) digest.add(row_name);
    digest.add(std::span<const double>(positions_.values()));
    data.x().add_sample(digest);
    fingerprint_ = digest.text();
}

void HistogramFile::require_positions(const std::string& purpose) const {
    if (positions_.rows() > 0) return;
    throw core::DataError(
        path_, "varm",
        "has no positions of the atoms, which " + purpose + " needs. " +
            (members_of_varm_.empty() ? "Store them in varm[\"position\"]"
                                      : "Name them with --position: " + core::joined(members_of_varm_)));
}

std::string HistogramFile::row_text(std::size_t index) const {
    return fmt::format("row {} ('{}')", rows_[index], names_[index]);
}

std::vector<ot::Histogram> HistogramFile::read(std::span<const std::size_t> indices,
                                               std::vector<std::string>& notes) const {
    std::vector<std::size_t> rows;
    for (const std::size_t index : indices) rows.push_back(rows_[index]);
    std::vector<ot::Histogram> histograms(indices.size());
    const WeightRows weights(h5::open_file(path_), options_.source.path());
    weights.read(rows, [&](std::size_t k, std::span<const double> row) {
        try {
            histograms[k] = ot::make_histogram(row, row_text(indices[k]));
        } catch (const core::NumericalError& error) {
            throw core::DataError(path_, options_.source.path(),
                                  error.where + ": " + error.problem +
                                      ". Correct the row, or leave it out with --rows or --exclude");
        }
    });
    for (std::size_t k = 1; k < histograms.size(); ++k) {
        const double first = histograms[0].total;
        if (std::fabs(histograms[k].total - first) <= 1e-6 * first) continue;
        const std::string sums =
            fmt::format("the sum of {} is {:.6g}, that of {} is {:.6g}", row_text(indices[0]), first,
                        row_text(indices[k]), histograms[k].total);
        if (options_.mass == Mass::equal)
            throw core::DataError(path_, options_.source.path(),
                                  sums + ". Give rows of equal mass, or --mass normalise");
        notes.push_back(path_ + ": " + sums + ". Each row is divided by its sum");
        break;
    }
    return histograms;
}

}  // namespace popflow::problems
